"""``simulate`` and ``backtest`` from the command line: ask, follow, show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from cli.road import Json, Road, RoadBlocked

WITHIN_SECONDS = 1800.0
CLIENTS_SHOWN = 20
ASSUMPTIONS = {
    "done_same_day": "every message is carried out on the day it is decided",
    "nobody_pays": "nobody pays",
    "habits": "everybody pays as late as in the past; what is later already stays unpaid",
    "nobody_ever_paid": "nobody pays, since no payment of the past is known",
    "facts_as_they_came": "facts count from the day they came, those of a first delivery from their own dates",
}


def read_draft(file: Path) -> Json:
    """A scenario, a list of them, or a whole draft (``policy``, ``scenarios``, ``follows``, ``like_company``), as
    JSON or YAML. Raises ``RoadBlocked``."""
    try:
        given: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as unreadable:
        raise RoadBlocked(f"{file}: cannot be read: {unreadable}") from unreadable
    except yaml.YAMLError as malformed:
        raise RoadBlocked(f"{file}: is neither JSON nor YAML: {malformed}") from malformed
    if isinstance(given, list):
        return {"scenarios": given}
    if not isinstance(given, dict):
        raise RoadBlocked(f"{file}: holds no scenario; give one as PUT /scenarios takes it")
    return {"scenarios": [given]} if "profile" in given else given


def run(road: Road, wanted: Json) -> Json:
    """Ask for it and wait for its end; the state with its result. Raises ``RoadBlocked``."""
    done = road.simulate(wanted, WITHIN_SECONDS)
    if done["status"] != "completed":
        raise RoadBlocked(f"the simulation ended {done['status']}: {done['reason'] or 'by somebody'}")
    return done


def show(done: Json, console: Console) -> None:
    """Totals per step for a person, with the current rules beside where they differ."""
    result = done["result"]
    console.print(
        f"From {done['from']} to {done['to']}: " + "; ".join(ASSUMPTIONS[one] for one in done["assumptions"])
    )
    _steps(result, console)
    totals = result["totals"]
    console.print(f"{totals['contacts']} messages to {totals['clients']} clients, cost {totals['cost']}")
    differences = result["differences"]
    if differences is not None:
        kinds = ", ".join(f"{count} {kind}" for kind, count in differences.items() if kind != "clients" and count)
        console.print(
            f"{differences['clients']} clients would get something else" + (f": {kinds}" if kinds else "")
        )


def _steps(result: Json, console: Console) -> None:
    table = Table()
    for head in ("Step", "Medium"):
        table.add_column(head)
    for head in ("Messages", "Amount", "Now", "Amount now"):
        table.add_column(head, justify="right")
    for one in result["steps"]:
        now = one.get("current")
        before = ("", "") if now is None else (str(now["contacts"]), now["amount"])
        table.add_row(one["step"], one["medium"], str(one["contacts"]), one["amount"], *before)
    console.print(table)


def show_story(answer: Json, console: Console) -> None:
    """The same for a story, and its clients who differ."""
    console.print(
        f"[bold]{answer['story']}[/bold] from {answer['from']} to {answer['to']}, decided every day anew"
    )
    now = (
        {}
        if answer["current"] is None
        else {(one["step"], one["medium"]): one for one in answer["current"]["steps"]}
    )
    steps = [{**one, "current": now.pop((one["step"], one["medium"]), None)} for one in answer["steps"]]
    steps += [
        {"step": step, "medium": medium, "contacts": 0, "amount": "0.00", "current": one}
        for (step, medium), one in now.items()
    ]
    _steps({"steps": steps}, console)
    totals = answer["totals"]
    console.print(f"{totals['contacts']} messages to {totals['clients']} clients, cost {totals['cost']}")
    for client in (answer["differences"] or [])[:CLIENTS_SHOWN]:
        console.print(
            f"  {client['client_id']}: {', '.join(client['kinds'])}, {client['before']} → {client['after']}"
        )
