"""From the base's rows to ledger's, through an agent, sync and NATS: the same, and what people made stays."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.main_job import carry_out_emails
from cli.sage_trial import FAST_BEATS, FREE_COLUMNS, SageTrial
from cli.trial import Trial

as_of = date(2026, 12, 31)
ENTRIES = 3_000

MADE_HERE = {
    "stops": "select client_id, stopped, chosen_profile from ledger.client where company = %s and stopped",
    "entry stops": "select client_id, entry_id from ledger.entry_stop where company = %s",
    "promises": "select promise_id, entry_id, amount, promised_on from ledger.promise where company = %s",
    "notes": "select note_id, client_id, entry_id from ledger.note where company = %s",
    "texts": "select note_id, text from ledger.note_text where company = %s",
    "levels": "select client_id, entry_id, level from dunning.entry_level where company = %s",
}


@pytest.fixture(scope="module")
def trial(ready: Callable[[str], Path]) -> Iterator[Trial]:
    folder = ready("sage")
    with Trial(folder, as_of=as_of, environment=FAST_BEATS) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def made_here(trial: Trial, company: str) -> dict[str, set[tuple[Any, ...]]]:
    """What people and rounds made of a company."""
    with psycopg.connect(trial.dsn) as connection:
        return {name: set(connection.execute(query, (company,)).fetchall()) for name, query in MADE_HERE.items()}


def test_ledger_is_the_base_and_nothing_made_here_is_lost(trial: Trial, company: str, tmp_path: Path) -> None:
    road = trial.road(company, as_of)
    base = SageTrial(trial, road, tmp_path)
    base.fill(ENTRIES)
    try:
        base.connect(FREE_COLUMNS)
        (full,) = base.sync("full")
        assert full["status"] == "completed", full["errors"]
        assert base.differences() == []
        assert base.differing_fields() == []

        clients = ["CL000002", "CL000003", "CL000004"]
        for client_id in clients:
            entry = road.statement(client_id)[0]
            mine = {"client_id": client_id, "entry_id": entry["entry_id"]}
            road.tell("add-note", **mine, text="Rappeler lundi")
            road.tell("record-promise", **mine, amount="10.00", promised_on=str(as_of + timedelta(days=9)))
            road.tell("stop-entry", **mine)
        road.tell("stop-client", client_id=clients[0])
        road.tell("assign-profile", client_id=clients[0], profile="Export")
        road.round(as_of, full["positions"])
        assert carry_out_emails(road, as_of)["confirmed"] > 10
        before = made_here(trial, company)
        assert all(before.values())

        made = base.change(260)
        assert min(made.values()) == 20
        runs = base.sync()
        assert [run["status"] for run in runs] == ["completed"] * len(runs)
        assert runs[-1]["warnings"] == []
        assert base.differences() == []
        assert base.differing_fields() == []
        (again,) = base.sync()
        assert (again["changed"], again["archived"], again["clients_changed"]) == (0, 0, 0)
        (exported,) = base.sync("full")
        assert (exported["changed"], exported["archived"], exported["clients_changed"]) == (0, 0, 0)
        assert base.differences() == []
        after = made_here(trial, company)
        assert {name: kept - after[name] for name, kept in before.items()} == {name: set() for name in before}
    finally:
        base.stop()
        road.close()
