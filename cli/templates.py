"""``template export | check | import``: texts of messages as a file, from one company to another (rule 13.7)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from cli.portable import FileRefused, read_export, wrong_fields
from cli.road import Json, Road, RoadBlocked


class TemplatesRefused(FileRefused):
    """The texts cannot be taken as they are."""


def export_templates(road: Road, names: Iterable[str], file: Path | None) -> Json:
    """The company's own texts, written to a file when one is given. Raises ``TemplatesRefused``, ``OSError``."""
    wanted = list(names)
    found = road.ask_of("notify", "GET", "/templates/export", params={"name": wanted} if wanted else {})
    known = {one["name"] for one in found["templates"]}
    if missing := [name for name in wanted if name not in known]:
        raise TemplatesRefused(
            [f"the company has no text of its own called {name}: leave it out" for name in missing]
        )
    if file is not None:
        file.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return found


def import_templates(road: Road, file: Path, *, dry_run: bool) -> Json:
    """Save a file's texts, or tell what that would change. Raises ``TemplatesRefused``, ``RoadBlocked``,
    ``OSError``.
    """
    body = read_export(file, "templates", TemplatesRefused)
    try:
        taken = road.ask_of("notify", "POST", "/templates/import", json=body, params={"dry_run": dry_run})
    except RoadBlocked as blocked:
        problems = sentences(file.name, blocked.problem)
        if not problems:
            raise
        raise TemplatesRefused(problems) from blocked
    return {"file": file.name, **taken}


def sentences(file: str, problem: Json) -> list[str]:
    """What notify refused, with the text that it stands in, and its line and column there."""
    found = wrong_fields(file, problem)
    for one in problem.get("problems") or ():
        where = f"{file}, {named(one)}, {one['field']}, line {one['line']}, column {one['column']}"
        found.append(f"{where}: {one['message_en']}")
    found += [f"{file}: {named(one)} stands twice; leave it once" for one in problem.get("twice") or ()]
    return found


def named(one: Json) -> str:
    """A text as it is told of: ``R1 (email, fr)``."""
    return f"{one['name']} ({one['medium']}, {one['language']})"
