"""``levels import``: levels that an older tool had reached, from a file (rule 5.6)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cli.road import Json, Road

COLUMNS = {
    "client": "client", "client_id": "client", "code client": "client", "code": "client",
    "piece": "piece", "pièce": "piece", "n° pièce": "piece", "invoice": "piece", "facture": "piece",
    "entry_id": "entry_id",
    "level": "level", "niveau": "level", "n": "level",
    "next_step": "next_step", "next step": "next_step", "prochaine étape": "next_step",
    "last_reminder": "last_reminder", "last reminder": "last_reminder", "dernière relance": "last_reminder",
}  # fmt: skip
"""Headings, in any case, and what they hold."""
AT_ONCE = 1000
LONGEST_FILE = 64 * 1024 * 1024
STEP = re.compile(r"[Rr]?\s*([1-7])")
NEVER = {"", "0", "r0", "-", "–"}
DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y")
REMEDIES = {
    "entry_unknown": "no open line has this client and piece: import the accounting first, or leave the line out",
    "no_scenario": "the client's profile has no scenario: give it one, or leave the line out",
    "variant_off": "the scenario is switched off for clients with or without e-mail, as this one is",
    "step_not_active": "the scenario of this client has no such step switched on",
    "reminded_later": "the last reminder lies after the day of the import",
}


class LevelsRefused(Exception):
    """The file cannot be read as it is; nothing was applied. ``problems`` name file, line, column and remedy."""

    def __init__(self, problems: list[Json]) -> None:
        super().__init__(f"nothing was applied; {len(problems)} errors, the first: {sentence(problems[0])}")
        self.problems = problems


@dataclass(frozen=True)
class Line:
    number: int
    wanted: Json


def sentence(problem: Mapping[str, Any]) -> str:
    where = f"{problem['file']}, line {problem['line']}"
    return f"{where}, column {problem['column']}: {problem['message']}"


def read_levels(file: Path) -> list[Line]:
    """The lines of a CSV with a heading. Raises ``LevelsRefused`` with every problem, ``OSError``."""
    if file.stat().st_size > LONGEST_FILE:
        raise LevelsRefused([_problem(file, 1, "-", "the file is larger than 64 MB: cut it")])
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    rows = list(csv.reader(text.splitlines(), delimiter=_separator(text)))
    if not rows:
        raise LevelsRefused([_problem(file, 1, "-", "the file is empty: a heading and lines are needed")])
    heading = [COLUMNS.get(cell.strip().casefold(), "") for cell in rows[0]]
    _check_heading(file, heading)
    lines: list[Line] = []
    problems: list[Json] = []
    for number, row in enumerate(rows[1:], start=2):
        cells = {name: cell.strip() for name, cell in zip(heading, row, strict=False) if name}
        if any(cells.values()):
            found = list(_problems(file, number, cells))
            problems += found
            if not found:
                lines.append(Line(number, _wanted(cells)))
    if problems:
        raise LevelsRefused(problems)
    return lines


def _separator(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max((";", ",", "\t"), key=first.count)


def _check_heading(file: Path, heading: list[str]) -> None:
    wrong = []
    if "client" not in heading:
        wrong.append("no column says the client: name one client")
    if "piece" not in heading and "entry_id" not in heading:
        wrong.append("no column says the piece: name one piece")
    if ("level" in heading) == ("next_step" in heading):
        wrong.append("one column is needed that says the level reached (level) or what comes next (next_step)")
    wrong += [
        f"{name} stands twice" for name in sorted({one for one in heading if one and heading.count(one) > 1})
    ]
    if wrong:
        raise LevelsRefused([_problem(file, 1, "heading", one) for one in wrong])


def _problems(file: Path, number: int, cells: Mapping[str, str]) -> Iterator[Json]:
    if not cells.get("client"):
        yield _problem(file, number, "client", "it is empty: the client's code in accounting is needed")
    if not (cells.get("piece") or cells.get("entry_id")):
        yield _problem(file, number, "piece", "it is empty: the number of the piece is needed")
    entry_id = cells.get("entry_id", "")
    if entry_id and not re.fullmatch(r"[0-9a-f]{32}", entry_id):
        yield _problem(file, number, "entry_id", "it is no entry's id: 32 characters 0-9 and a-f, or use piece")
    if "level" in cells and cells["level"].casefold() not in NEVER and not STEP.fullmatch(cells["level"]):
        yield _problem(file, number, "level", "it is none of R1 to R7; leave it empty for none")
    if "next_step" in cells and not STEP.fullmatch(cells["next_step"]):
        yield _problem(file, number, "next_step", "it is none of R1 to R7")
    if cells.get("last_reminder") and _day(cells["last_reminder"]) is None:
        yield _problem(file, number, "last_reminder", "it is no day: write 2026-11-24 or 24/11/2026")


def _problem(file: Path, line: int, column: str, message: str) -> Json:
    return {"file": file.name, "line": line, "column": column, "message": message}


def _wanted(cells: Mapping[str, str]) -> Json:
    wanted: Json = {"client_id": cells["client"]}
    if cells.get("entry_id"):
        wanted["entry_id"] = cells["entry_id"]
    else:
        wanted["piece"] = cells["piece"]
    if "next_step" in cells:
        wanted["next_step"] = _step(cells["next_step"])
    else:
        wanted["level"] = "" if cells["level"].casefold() in NEVER else _step(cells["level"])
    if cells.get("last_reminder") and (on := _day(cells["last_reminder"])):
        wanted["reminded_on"] = on.isoformat()
    return wanted


def _step(cell: str) -> str:
    found = STEP.fullmatch(cell)
    assert found is not None
    return f"R{found[1]}"


def _day(cell: str) -> date | None:
    for form in DAYS:
        try:
            return datetime.strptime(cell, form).date()  # noqa: DTZ007 - a day, no instant
        except ValueError:
            continue
    return None


def import_levels(road: Road, file: Path) -> Json:
    """Set the levels that a file names, a thousand lines at a time; lines that cannot be set are named in
    ``refused``, and the others are set. Importing again changes nothing.

    Raises ``LevelsRefused``, ``OSError``, ``RoadBlocked``.
    """
    lines = read_levels(file)
    total: Json = {"file": file.name, "lines": len(lines), "set": 0, "unchanged": 0, "refused": []}
    for start in range(0, len(lines), AT_ONCE):
        part = lines[start : start + AT_ONCE]
        answer = road.set_levels([line.wanted for line in part])
        total["set"] += answer["set"]
        total["unchanged"] += answer["unchanged"]
        for refused in answer["refused"]:
            reason = refused["reason"]
            column = {"reminded_later": "last_reminder", "entry_unknown": "piece"}.get(reason, "level")
            problem = _problem(file, part[refused["place"]].number, column, REMEDIES.get(reason, reason))
            total["refused"].append(problem | {"reason": reason})
    return total
