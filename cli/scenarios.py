"""``scenario export | import | check``: scenarios as a file, from one company to another (rules 4.1, 13.7)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cli.road import Json, Road, RoadBlocked

LARGEST_FILE = 4 * 1024 * 1024


class ScenariosRefused(Exception):
    """The file cannot be taken as it is; nothing was changed. ``problems`` are sentences with place and remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"nothing was changed; {len(problems)} problems, the first: {problems[0]}")
        self.problems = problems


def export_scenarios(road: Road, profiles: Iterable[str], file: Path | None) -> Json:
    """What the company has, written to a file when one is given. Raises ``ScenariosRefused``, ``OSError``."""
    wanted = list(profiles)
    found = road.scenarios(wanted)
    known = {one["profile"] for one in found["scenarios"]}
    if missing := [profile for profile in wanted if profile not in known]:
        raise ScenariosRefused([f"the profile {profile} has no scenario: leave it out" for profile in missing])
    if file is not None:
        file.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return found


def import_scenarios(road: Road, file: Path, *, dry_run: bool) -> Json:
    """Publish a file's scenarios, or tell what that would change. ``templates_missing`` are named all the same.

    Raises ``ScenariosRefused``, ``RoadBlocked``, ``OSError``.
    """
    body = read_scenarios(file)
    try:
        result = road.import_scenarios(body, dry_run=dry_run)
    except RoadBlocked as blocked:
        problems = sentences(file.name, blocked.problem)
        if not problems:
            raise
        raise ScenariosRefused(problems) from blocked
    missing = templates_missing(result["templates"], road.templates()["templates"])
    return {"file": file.name, **result, "templates_missing": missing}


def read_scenarios(file: Path) -> Json:
    """Raises ``ScenariosRefused``, which names line and column."""
    if file.stat().st_size > LARGEST_FILE:
        raise ScenariosRefused([f"{file.name} is larger than 4 MB: it is no export of scenarios"])
    try:
        body = json.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as unreadable:
        raise ScenariosRefused([f"{file.name} is not written in UTF-8: export it again"]) from unreadable
    except json.JSONDecodeError as unreadable:
        where = f"{file.name}, line {unreadable.lineno}, column {unreadable.colno}"
        raise ScenariosRefused([f"{where}: {unreadable.msg}; mend it or export it again"]) from unreadable
    if not isinstance(body, dict):
        raise ScenariosRefused([f"{file.name}, line 1: an export begins with {{ and names its format"])
    return body


def sentences(file: str, problem: Mapping[str, Any]) -> list[str]:
    """What a service refused, with the place in the file: fields that it does not know, what cannot work."""
    found = []
    for error in problem.get("errors") or ():
        where = str(error["where"]).removeprefix("body.")
        if error["type"] == "extra_forbidden":
            found.append(f"{file}, {where}: this field is not known; take it out")
        else:
            found.append(f"{file}, {where}: {error['message']}")
    for one in problem.get("problems") or ():
        place = ", ".join(part for part in (one["profile"], one["variant"], one["step"], one["field"]) if part)
        found.append(f"{file}, {place}: {one['why']['en']} {one['remedy']['en']}")
    for profile in problem.get("profiles") or ():
        found.append(f"{file}: the profile {profile} stands twice; leave it once")
    return found


def templates_missing(named: Iterable[Json], known: Iterable[Json]) -> list[Json]:
    """Templates that steps name and the company does not have: their step's own delivered text is used instead."""
    there = {(one["name"], one["medium"]) for one in known}
    return [one for one in named if (one["template"], one["medium"]) not in there]
