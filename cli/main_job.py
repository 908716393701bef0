"""``import``, ``round`` and ``run``: the main job from the command line."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.places import read_state
from cli.road import Addresses, Json, Road, RoadBlocked, email_actions
from cli.trial import Trial

SENDING_SECONDS = 600.0
PROBLEMS_SHOWN = 20
READ = (
    "receivable_lines", "clients", "lettering_groups", "open_entries", "open_balance", "unbalanced_groups",
    "changed", "archived", "warnings",
)  # fmt: skip
"""What the report of a run tells of its import."""


class ImportRefused(Exception):
    """The file holds errors; nothing of it was applied."""

    def __init__(self, result: Json) -> None:
        first = result["errors"][0]
        super().__init__(f"nothing was applied; {len(result['errors'])} errors, the first: {first['message']}")
        self.result = result


def road_of(data_dir: Path, company: str, as_of: date | None = None) -> Road:
    """The main job on the stack that runs in a data directory. Raises ``StackNotRunning``."""
    state = read_state(data_dir)
    addresses = Addresses(**{name: state.urls[name] for name in Addresses.__annotations__})
    return Road(addresses, Path(state.private_key_file), company, as_of)


def import_file(
    road: Road, file: Path, email_domain: str | None, mapping: str | None = None, *, dry_run: bool = False
) -> Json:
    """Import a file, by a saved mapping when it is no FEC; the run's result. Raises ``ImportRefused`` when the
    file holds errors."""
    if not file.is_file():
        raise RoadBlocked(f"{file}: there is no such file")
    result = road.import_file(file, email_domain=email_domain, mapping=mapping, dry_run=dry_run)
    if result["status"] == "failed":
        raise ImportRefused(result)
    return result


def carry_out_emails(road: Road, as_of: date, within: float = SENDING_SECONDS) -> Json:
    """Confirm every ticked e-mail action of the day and wait until each has an end; notify's progress."""
    tasks = road.tasks(as_of)
    ids = email_actions(tasks)
    confirmed = road.confirm(ids, as_of) if ids else {"confirmed": [], "refused": []}
    return {
        "steps": steps_of(tasks),
        "confirmed": len(confirmed["confirmed"]),
        "refused": confirmed["refused"],
        "sending": wait_sent(road, as_of, len(confirmed["confirmed"]), within),
    }


def wait_sent(road: Road, as_of: date, wanted: int, within: float = SENDING_SECONDS) -> Json:
    """Wait until ``wanted`` messages of the day have left or were held, failed or doubted."""
    deadline = time.monotonic() + within
    while True:
        progress = road.sending(as_of)
        ended = sum(progress[state] for state in ("sent", "failed", "withheld", "in_doubt"))
        if ended >= wanted:
            return progress
        if time.monotonic() > deadline:
            raise RoadBlocked(f"{wanted - ended} of {wanted} messages have not left within {within:.0f} s")
        time.sleep(0.05)


def steps_of(tasks: Json) -> dict[str, int]:
    """Number of proposed actions per step."""
    steps: Counter[str] = Counter()
    for group in tasks["groups"]:
        steps[group["step"]] += sum(1 for row in group["rows"] if row.get("action_id"))
    return dict(sorted((step, count) for step, count in steps.items() if count))


def run_file(  # noqa: PLR0913, PLR0917 - what a person may say
    file: Path, company: str, as_of: date, data_dir: Path, email_domain: str | None, name: str | None
) -> Json:
    """The whole main job on an embedded stack of its own; ``seconds`` counts its start as well."""
    started = time.perf_counter()
    with Trial(data_dir, as_of=as_of) as trial:
        report = run_on(trial, file, company, as_of, email_domain, name)
    return {**report, "seconds": round(time.perf_counter() - started, 2)}


def run_on(  # noqa: PLR0913, PLR0917 - what a person may say
    trial: Trial, file: Path, company: str, as_of: date, email_domain: str | None, name: str | None = None
) -> Json:
    """Import, round, confirm every ticked e-mail, send to the sink; what was read, decided and received."""
    started = time.perf_counter()
    road = trial.road(company, as_of)
    try:
        road.register(name or company)
        imported = import_file(road, file, email_domain)
        before = trial.sink.counts()["count"]
        decided = road.round(as_of, imported["positions"])
        outcome = carry_out_emails(road, as_of)
    finally:
        road.close()
    return {
        **{key: imported[key] for key in READ},
        "actions": outcome["steps"],
        "excluded": decided.get("excluded", {}),
        "confirmed": outcome["confirmed"],
        "refused": outcome["refused"],
        "mails_sent": outcome["sending"]["sent"],
        "mails_received": trial.sink.counts()["count"] - before,
        "in_doubt": outcome["sending"]["in_doubt"],
        "seconds_working": round(time.perf_counter() - started, 2),
    }


def show_result(result: Mapping[str, Any], *, as_json: bool) -> None:
    """One JSON object, or a table for a person."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
        return
    table = Table(show_header=False, box=None)
    for key, value in result.items():
        if value not in (None, [], {}):
            shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
            table.add_row(key.replace("_", " "), shown)
    Console().print(table)


def show_refusal(refused: ImportRefused, *, as_json: bool) -> None:
    """Every problem with its place and its remedy; JSON for machines."""
    if as_json:
        print(json.dumps(refused.result, ensure_ascii=False))
        return
    console = Console(stderr=True)
    problems = refused.result["errors"]
    for problem in problems[:PROBLEMS_SHOWN]:
        place = ", ".join(
            f"{word} {problem[key]}" for key, word in (("line", "line"), ("column", "column")) if problem.get(key)
        )
        console.print(f"{problem['file']}, {place or 'the whole file'}: {problem['message']}", markup=False)
        console.print(f"    {problem['remedy']}", markup=False)
    if len(problems) > PROBLEMS_SHOWN:
        console.print(f"and {len(problems) - PROBLEMS_SHOWN} more; --json shows all")
    console.print(f"{refused}.", markup=False)
