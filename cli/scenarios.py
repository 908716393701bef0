"""``scenario export | import | check``: scenarios as a file, from one company to another (rules 4.1, 13.7)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cli.portable import FileRefused, read_export, wrong_fields
from cli.road import Json, Road, RoadBlocked


class ScenariosRefused(FileRefused):
    """The scenarios cannot be taken as they are."""


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
    missing = templates_missing(result["templates"], road.ask_of("notify", "GET", "/templates")["templates"])
    return {"file": file.name, **result, "templates_missing": missing}


def read_scenarios(file: Path) -> Json:
    """Raises ``ScenariosRefused``, which names line and column."""
    return read_export(file, "scenarios", ScenariosRefused)


def sentences(file: str, problem: Mapping[str, Any]) -> list[str]:
    """What a service refused, with the place in the file: fields that it does not know, what cannot work."""
    found = wrong_fields(file, dict(problem))
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
