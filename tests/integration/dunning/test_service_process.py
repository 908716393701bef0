"""The service as two processes that hear sync and ledger over NATS: one killed in mid-round, rebuilt from zero."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import date
from uuid import UUID

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from chassis.auth import mint, read_key
from chassis.database import engine, transaction
from chassis.delivered import Cause, Position, Said, vector
from chassis.eventlog import Say
from cli.places import ROOT
from cli.stack import RunningStack
from contracts import sync
from contracts.subjects import partition_of
from tests.integration.dunning.house import line

COMPANY = "acme"
CLIENTS = 400
DAY = date(2025, 3, 18)


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Sync, ledger and dunning; rounds in small chunks, so that one can be met in the middle."""
    slow = {"dunning": {"RELANCE_ROUND_CHUNK_ENTRIES": "40", "RELANCE_ROUND_LANES": "1"}}
    with RunningStack(
        tmp_path_factory.mktemp("dunning"),
        services=("sync", "ledger", "dunning"),
        allow_as_of=True,
        environment=slow,
        workers={"dunning": 2},
    ) as running:
        yield running


def _http(houses: RunningStack, service: str) -> httpx.AsyncClient:
    token = mint(read_key(houses.embedded.private_key_file), "user:test", [COMPANY], "system", minutes=60)
    return httpx.AsyncClient(
        base_url=f"{houses.url(service)}/companies/{COMPANY}",
        headers={"Authorization": f"Bearer {token}", "Relance-As-Of": "2025-03-01"},
        timeout=60,
    )


async def _speak(houses: RunningStack) -> dict[str, dict[int, int]]:
    """A company, its clients and their invoices; how far sync and ledger must be heard to know them."""
    names = [f"K{number}" for number in range(CLIENTS)]
    async with _http(houses, "ledger") as ledger:
        (await ledger.put("", json={"name": "Acme"}, follow_redirects=True)).raise_for_status()
        people = [{"client_id": one, "name": one, "emails": [f"{one}@example.org"]} for one in names]
        answer = await ledger.post("/people", json={"source": "test", "clients": people, "labels": []})
        answer.raise_for_status()
        positions = [Position.parse(one) for one in answer.json()["positions"]]
    by_partition: dict[int, list[sync.SyncedEntry]] = {}
    for one in names:
        lines = by_partition.setdefault(partition_of(COMPANY, one), [])
        lines += [line(one, f"{one}.{n}", 100 + n, f"2025-03-{8 + n:02d}") for n in range(4)]
    said = [
        Said(sync.EntriesSynced(run_id=UUID(int=1), source="t", entries=tuple(lines)), None, p)
        for p, lines in by_partition.items()
    ]
    speaker = engine(houses.embedded.database_url("sync", "worker"), "sync")
    async with transaction(speaker) as tx:
        positions += await Say("sync", tx)(COMPANY, said, as_of=date(2025, 3, 1), cause=Cause.new("test"))
    await speaker.dispose()
    return vector(positions)


@pytest.fixture
async def dunning(houses: RunningStack) -> AsyncIterator[httpx.AsyncClient]:
    async with _http(houses, "dunning") as http:
        yield http


def _rows(houses: RunningStack, statement: str) -> list[tuple[object, ...]]:
    url = make_url(houses.embedded.database_url("dunning", "worker")).set(drivername="postgresql")
    with psycopg.connect(
        url.render_as_string(hide_password=False), options="-c search_path=dunning"
    ) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


async def _until_done(houses: RunningStack, http: httpx.AsyncClient, seconds: float = 90) -> dict[str, object]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            found = (await http.get(f"/rounds/{DAY}")).json()
        except httpx.TransportError:
            houses.mend()
        else:
            if found.get("status") == "completed":
                return found
        await asyncio.sleep(0.1)
    raise TimeoutError(f"the round of {DAY}")


async def test_a_round_killed_in_the_middle_goes_on_where_it_stood(
    houses: RunningStack, dunning: httpx.AsyncClient
):
    after = await _speak(houses)
    asked = await dunning.post("/rounds", json={"as_of": f"{DAY}", "after": after})
    assert asked.status_code == 202, asked.text
    decided = "select count(*) from verdict"
    until = time.monotonic() + 30
    while _rows(houses, decided)[0][0] == 0 and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    houses.children["dunning"].kill()
    assert 0 < int(str(_rows(houses, decided)[0][0])) < CLIENTS * 4, "the kill was meant to fall inside the round"
    houses.mend()
    result = await _until_done(houses, dunning)
    assert (result["clients"], result["entries"], result["proposed"]) == (CLIENTS, CLIENTS * 4, CLIENTS)
    assert _rows(houses, decided) == [(CLIENTS * 4,)]
    once = "select count(*), count(distinct client_id) from event_log where type = 'ActionProposed'"
    assert _rows(houses, once) == [(CLIENTS, CLIENTS)]
    assert _rows(houses, "select count(*) from event_log where type = 'RoundCompleted'") == [(1,)]


def _rebuild(houses: RunningStack) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.dunning", "rebuild", "--check"],
        env={**os.environ, **houses.embedded.environment("dunning"), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_a_rebuild_from_the_first_event_gives_the_same_rows(
    houses: RunningStack, dunning: httpx.AsyncClient
):
    found = (await dunning.get("/tasks", params={"as_of": f"{DAY}"})).json()
    action_ids = [row["action_id"] for group in found["groups"] for row in group["rows"]]
    confirmed = await dunning.post("/confirm", json={"action_ids": action_ids[:100], "as_of": f"{DAY}"})
    assert len(confirmed.json()["confirmed"]) == 100
    same = await asyncio.to_thread(_rebuild, houses)
    assert same.returncode == 0, same.stdout + same.stderr
    url = make_url(houses.embedded.database_url("dunning", "worker")).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute(
            "update dunning.action_entry set amount = amount + 1 where (company, client_id, entry_id) ="
            " (select company, client_id, entry_id from dunning.action_entry order by 1, 2, 3 limit 1)"
        )
    other = await asyncio.to_thread(_rebuild, houses)
    assert other.returncode == 1, other.stdout + other.stderr
    assert "action_entry" in other.stdout + other.stderr
    assert json.dumps("amount")[1:-1] in other.stdout + other.stderr
