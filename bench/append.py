"""The event log alone: how much can be said per second, in large events and in small ones."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from uuid import uuid4

from bench.harness import Result
from bench.limit import plain_load, rows_of_entries
from chassis.database import engine, migrate, transaction
from chassis.embedded import Stack
from chassis.eventlog import Cause, Said, append
from contracts.subjects import PARTITIONS
from contracts.sync import EntriesSynced, SyncedEntry, SyncStarted

COMPANY = "bench"
AS_OF = date(2026, 11, 24)
PER_EVENT = 500
WRITERS = 6
SMALL = 20_000


def append_events(n: int) -> Result:
    """Append ``n`` entries in events of 500, one per transaction, then small events; ours is entries/s."""
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as folder, Stack(Path(folder), ("sync",)) as stack:
        stack.ensure_roles()
        migrate("services.sync", stack.database_url("sync", "owner"), "sync")
        large, small = asyncio.run(_measure(stack.database_url("sync", "worker"), n))
        dsn = stack.superuser_url.replace("postgresql+psycopg://", "postgresql://")
        limit = plain_load(dsn, rows_of_entries(min(n, 200_000)))
    return Result(
        "append",
        ours=n / large,
        limit=limit,
        unit="entries/s",
        n=n,
        details={
            "events_of_500_per_second": round(n / PER_EVENT / large, 1),
            "small_events_per_second": round(SMALL / small, 1),
            "writers": WRITERS,
            "event_bytes": len(_bulk().model_dump_json()),
            "limit_is": "COPY of the same rows into one table of 15 columns, same server, same run",
        },
    )


async def _measure(url: str, n: int) -> tuple[float, float]:
    """Seconds for the large events and for the small ones."""
    log = engine(url, "sync", size=WRITERS)
    bulk = _bulk()
    body = bulk.model_dump_json().encode()
    cause = Cause.new("bench")
    started = SyncStarted(run_id=uuid4(), connector="fec", source="bench")

    async def one(said: Said, company: str) -> None:
        async with transaction(log) as tx:
            await append(tx, "sync", company, [said], as_of=AS_OF, cause=cause)

    try:
        large = await _timed(
            -(-n // PER_EVENT), lambda number: one(Said(bulk, partition=number % PARTITIONS, body=body), COMPANY)
        )
        small = await _timed(SMALL, lambda number: one(Said(started), f"bench{number % 100}"))
    finally:
        await log.dispose()
    return large, small


async def _timed(count: int, say: Callable[[int], Awaitable[None]]) -> float:
    waiting = iter(range(count))

    async def write() -> None:
        for number in waiting:
            await say(number)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(write())
    return time.perf_counter() - began


def _bulk() -> EntriesSynced:
    entries = tuple(
        SyncedEntry(
            entry_id=f"{number:032x}",
            client_id=f"C{number // 10:06d}",
            account="41100000",
            kind="invoice",
            journal="VE",
            piece=f"F{number}",
            entry_date=AS_OF,
            invoice_date=AS_OF,
            due_date=AS_OF,
            debit="120.50",
            credit="0.00",
            currency="EUR",
            book_amount="120.50",
        )
        for number in range(PER_EVENT)
    )
    return EntriesSynced(run_id=uuid4(), source="bench", entries=entries)
