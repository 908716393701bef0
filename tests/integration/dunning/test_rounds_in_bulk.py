"""What a round spells and copies by itself is what the models say and the projection writes."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis import new_rows
from chassis.database import transaction
from chassis.delivered import Delivered
from chassis.listening import project_all
from contracts import ledger
from contracts.registry import EVENTS
from services.dunning.projection import PROJECT
from tests.integration.dunning.house import House, client_changed, entry_id, line, scenario, synced

DAY = date(2025, 3, 18)
CLIENTS = [f"K{number:02d} \\ «é»\t" for number in range(40)]
"""Nothing in a client's code may break a row."""
TABLES = {
    "action": "action_id",
    "action_entry": "client_id, entry_id, step, occurrence",
    "exclusion": "client_id, entry_id",
    "entry_level": "client_id, entry_id",
}


async def _rows(house: House) -> dict[str, list[dict[str, Any]]]:
    return {
        table: await house.rows(f"select * from {table} where company = :company order by {key}")
        for table, key in TABLES.items()
    }


async def _project_again(house: House) -> None:
    """The same events once more, through the projection alone, into empty tables."""
    log = await house.rows(
        "select type, event_id, company, client_id, p, pseq, as_of, occurred_at, actor, correlation_id,"
        " body::text as body, major from event_log where company = :company order by occurred_at, p, pseq"
    )
    delivered = [
        Delivered(
            speaker="dunning",
            partition=row.pop("p"),
            number=row.pop("pseq"),
            body=row.pop("body").encode(),
            **row,
        )
        for row in log
    ]
    async with transaction(house.process.engine) as tx:
        for table in TABLES:
            await tx.execute(text(f"delete from {table} where company = :company"), {"company": house.company})
        await project_all(tx, PROJECT, delivered)


async def _two_days(house: House) -> None:
    """Proposals and what leaves by itself, notices, exclusions, and a day on which much of it moves."""
    async with house.http(**{"Relance-As-Of": "2025-03-01"}) as http:
        policy = {
            "promises_exclude": True,
            "minimum_per_entry": "20",
            "automatic_from": "2025-01-01",
            "contact_gap_days": 0,
        }
        assert (await http.put("/policy", json=policy)).status_code == 200
        steps = (
            {"step": "notice", "medium": "email", "delay_days": 6, "template": "notice"},
            {"step": "R1", "medium": "email", "delay_days": 4, "template": "R1", "mode": "automatic"},
        )
        body = scenario(*steps, without=[{"step": "R1", "medium": "phone", "delay_days": 2}])
        assert (await http.put("/scenarios", json=body)).status_code == 200
    await house.hear("2025-03-01", *(client_changed(one, email=n % 3 > 0) for n, one in enumerate(CLIENTS)))
    lines = [
        line(client, f"{client}.{number}", amount, (DAY + timedelta(days=due)).isoformat())
        for client in CLIENTS
        for number, (amount, due) in enumerate([(100, -9), (50.5, -4), (7, -30), (-3.25, -20), (80, 4), (60, 60)])
    ]
    await house.books("2025-03-01", *lines)
    await house.hear("2025-03-17", synced())
    for n, client in enumerate(CLIENTS):
        if n % 7 == 0:
            await house.hear("2025-03-02", ledger.ClientStopped(client_id=client))
        elif n % 5 == 0:
            await house.hear("2025-03-02", ledger.EntryStopped(client_id=client, entry_id=entry_id(f"{client}.0")))
    await house.round(DAY.isoformat())
    for n, client in enumerate(CLIENTS):
        if n % 7 == 0:
            await house.hear("2025-03-19", ledger.ClientResumed(client_id=client))
        elif n % 7 == 1:
            await house.hear("2025-03-19", ledger.ClientStopped(client_id=client))
    await house.hear("2025-03-19", synced())
    await house.round("2025-03-19")


@pytest.mark.parametrize("few", [0, 10_000], ids=["copied", "projected"])
async def test_the_rows_of_a_round_are_those_of_its_events(house: House, monkeypatch, few: int):
    monkeypatch.setattr(new_rows, "FEW_ROWS", few)
    await _two_days(house)
    said = await house.said()
    kinds = ("ActionProposed", "ActionDue", "ActionExcluded", "ActionWithdrawn")
    assert {one["type"] for one in said} >= set(kinds)
    made = await _rows(house)
    assert {row["status"] for row in made["action"]} == {"proposed", "due", "withdrawn"}
    await _project_again(house)
    assert await _rows(house) == made


async def test_what_is_spelled_without_its_model_is_what_the_model_says(house: House):
    await _two_days(house)
    log = await house.rows(
        "select type, major, body::text as body from event_log where company = :company and client_id is not null"
    )
    assert len(log) > len(CLIENTS)
    for row in log:
        model = EVENTS[f"relance.dunning.{row['type']}.v{row['major']}"]
        assert model.model_validate_json(row["body"]).model_dump_json() == row["body"]
