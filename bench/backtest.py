"""Client days of a story decided anew per second: a year of forty clients, by its rules and by a draft."""

from __future__ import annotations

import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import yaml

from bench.harness import Result
from cli.places import ROOT
from cli.story.backtest import answer

LIMIT_SECONDS = 5.0
CLIENTS = 40
FIRST_ON = date(2025, 1, 1)
DAYS = 365
DRAFT = {
    "scenarios": [
        {
            "profile": "Standard",
            "with_email": [
                {"step": "R1", "medium": "email", "delay_days": 12, "template": "R1"},
                {"step": "R2", "medium": "letter", "delay_days": 30, "template": "R2"},
            ],
            "without_email": [{"step": "R1", "medium": "letter", "delay_days": 12, "template": "R1"}],
        }
    ]
}


def backtest(story: Path | None = None) -> Result:
    """``story`` is by default tests/stories/a_year.yaml, or a year of chance where that is not there."""
    written = ROOT / "tests" / "stories" / "a_year.yaml"
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as folder:
        chosen = story or (written if written.exists() else _a_year(Path(folder) / "year.yaml"))
        since = time.perf_counter()
        alone = answer(chosen, None)
        seconds = time.perf_counter() - since
        since = time.perf_counter()
        compared = answer(chosen, DRAFT)
        compared_seconds = time.perf_counter() - since
    length = (date.fromisoformat(alone["to"]) - date.fromisoformat(alone["from"])).days + 1
    client_days = alone["clients"] * length
    return Result(
        "backtest",
        ours=client_days / seconds,
        limit=client_days / LIMIT_SECONDS,
        unit="client days/s",
        n=client_days,
        details={
            "story": chosen.name,
            "clients": alone["clients"],
            "days": length,
            "seconds": round(seconds, 3),
            "compared_seconds": round(compared_seconds, 3),
            "contacts": alone["totals"]["contacts"],
            "differing_clients": len(compared["differences"]),
            "limit_is": f"what is asked: the story read, lived and decided anew in {LIMIT_SECONDS:.0f} s",
        },
    )


def _a_year(file: Path) -> Path:
    """Invoices each month, most of them paid late, some in part; promises, stops, disputes."""
    draw = Random(7)
    clients = {
        f"C{number:02d}": {"email": "c@example.org"} if draw.random() > 0.2 else {} for number in range(CLIENTS)
    }
    days: dict[date, list[dict[str, Any]]] = {}

    def happens(after: int, **thing: Any) -> None:
        if after < DAYS:
            days.setdefault(FIRST_ON + timedelta(days=after), []).append(thing)

    for client in clients:
        for month in range(12):
            number = f"{client}-{month}"
            made = month * 30 + draw.randrange(5)
            amount = draw.randrange(50, 5000)
            line = {"client": client, "entry": f"F{number}", "amount": amount}
            happens(made, invoice={**line, "due": FIRST_ON + timedelta(days=made + 30)})
            paid = made + 30 + draw.randrange(-5, 60)
            if paid < DAYS and draw.random() < 0.85:
                happens(paid, payment={**line, "entry": f"P{number}"})
                happens(paid, letter={"entries": [f"F{number}", f"P{number}"], "code": f"L{month}"})
            elif draw.random() < 0.3:
                happens(
                    made + 40,
                    promise={"entry": f"F{number}", "amount": amount, "on": FIRST_ON + timedelta(days=made + 55)},
                )
        if draw.random() < 0.1:
            happens(150, stop={"client": client})
            happens(200, resume={"client": client})
    happens(DAYS - 1, round={})
    file.write_text(yaml.safe_dump({"clients": clients, "days": dict(sorted(days.items()))}), encoding="utf-8")
    return file
