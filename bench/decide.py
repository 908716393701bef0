"""Open entries decided and durably recorded per second: a whole company's round, over every exclusion, and the
round of an ordinary day of a book that has been followed for long (``ordinary_day``).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import nats
import psycopg

from bench import ordinary_day
from bench.costs import Costs
from bench.harness import Result
from bench.limit import plain_load, rows_of_entries
from bench.stages import machine
from chassis.embedded_config import NATS_READER
from cli.road import Road
from cli.trial import Trial
from contracts.subjects import partition_of, stream

COMPANY = "bench"
AS_OF = date(2026, 11, 24)
ENTRIES_PER_CLIENT = 20
POLICY = {
    "minimum_per_entry": "20.00",
    "minimum_per_reminder": "50.00",
    "maximum_per_reminder": "20000.00",
    "promises_exclude": True,
    "automatic_payment_modes": ["direct_debit"],
}
WITHIN_SECONDS = 1800.0
ORDINARY_DAY_SECONDS = 5.0
PROCESSES = os.cpu_count() or 1
"""Worker processes of dunning that share the round."""
WANTED_PER_SECOND = 40_000.0
PEER = {
    "name": "Tryton account_dunning 8.2, assertions off: create and process 50,000 lines, one process",
    "entries_per_second": 830.0,
}
"""The fastest known to us that decides and records; it groups nothing, nets nothing and gives no reasons."""


def decide(n: int, processes: int = PROCESSES) -> Result:
    """Fill dunning with ``n`` open entries of ``n / 20`` clients, then time one round from the request to its end.

    Of every hundred clients 4 are stopped and 15 have no e-mail; of every hundred entries 3 are stopped, 6 are
    promised, 5 paid by direct debit, 4 too small, 8 credits, 2 in a lettering error. Half are due for a step.

    Then the same book with due dates over a year, every entry where the delivered scenario has brought it: a round
    over all of it, whose messages are sent; and the round of the next day, before which five entries in a hundred
    were paid, made or corrected.
    """
    with (
        tempfile.TemporaryDirectory(prefix="relance-bench-") as folder,
        Trial(Path(folder), as_of=AS_OF, services=("ledger", "dunning"), workers={"dunning": processes}) as trial,
    ):
        road = trial.road(COMPANY)
        road.register("Bench")
        road.set_policy(POLICY)
        dsn = trial.dsn
        fill(dsn, n)
        result, cost = timed_round(trial, road, AS_OF)
        recorded = _recorded(dsn)
        told_seconds = _until_told(trial, result)
        day = _ordinary_day(trial, road, n)
        road.close()
        limit = plain_load(dsn, rows_of_entries(n))
    if result["entries"] != n or recorded["verdicts"] != n:
        raise RuntimeError(
            f"{n} open entries, but the round tells {result['entries']} and {recorded} are recorded"
        )
    ours = n / result["seconds"]
    return Result(
        "decide",
        ours=ours,
        limit=limit,
        unit="entries/s",
        n=n,
        details={
            "wanted": WANTED_PER_SECOND,
            "peer": {**PEER, "times": round(ours / PEER["entries_per_second"], 1)},
            "machine": machine(),
            "clients": result["clients"],
            "processes": processes,
            "seconds": result["seconds"],
            "told_seconds": told_seconds,
            **_cost(cost, n, result["seconds"]),
            "proposed": result["proposed"],
            "excluded": result["excluded"],
            **recorded,
            **day,
            "limit_is": "COPY of the same rows into one table of 15 columns, same server, same run",
        },
    )


def _ordinary_day(trial: Trial, road: Road, n: int) -> dict[str, Any]:
    """``steady_book``: a round over all of a book that has been followed for long; ``ordinary_day``: the next."""
    dsn, next_day = trial.dsn, AS_OF + timedelta(days=1)
    ordinary_day.empty(dsn)
    fill(dsn, n, ordinary_day.due_over_a_year)
    ordinary_day.walked_until(dsn, AS_OF - timedelta(days=1))
    whole, cost = timed_round(trial, road, AS_OF)
    whole_told = _until_told(trial, whole)
    sent = ordinary_day.sent(dsn)
    moved = ordinary_day.move(dsn, COMPANY, n, next_day)
    result, next_cost = timed_round(trial, road, next_day)
    told_seconds = _until_told(trial, result)
    return {
        "steady_book": {
            "entries": whole["entries"],
            "proposed": whole["proposed"],
            "entries_per_second": round(whole["entries"] / whole["seconds"], 1),
            "seconds": whole["seconds"],
            "told_seconds": whole_told,
            **_cost(cost, n, whole["seconds"]),
        },
        "ordinary_day": {
            "sent_the_day_before": sent,
            **moved,
            "looked_at": result["entries"],
            "clients": result["clients"],
            "proposed": result["proposed"],
            "seconds": result["seconds"],
            "wanted_seconds": ORDINARY_DAY_SECONDS,
            "told_seconds": told_seconds,
            **_cost(next_cost, result["entries"], result["seconds"]),
        },
    }


def timed_round(trial: Trial, road: Road, on: date) -> tuple[dict[str, Any], dict[str, float]]:
    """What the round of a day gave, and the CPU seconds of every process until it was complete."""
    with Costs(trial.stack.state().pids) as costs:
        result = road.round(on, {}, within=WITHIN_SECONDS)
        return result, costs.cpu()


def _cost(cost: dict[str, float], entries: int, seconds: float) -> dict[str, Any]:
    """What was relayed until the round was complete is in it: by dunning, its PostgreSQL and NATS."""
    total = sum(cost.values())
    return {
        "cpu_seconds": round(total, 2),
        "cpu_us_per_entry": round(total / entries * 1e6, 1),
        "cpu": cost,
        "cores_used": round(total / seconds, 2),
    }


def _until_told(trial: Trial, result: dict[str, Any]) -> float:
    """Seconds from the request for a round that has just ended until NATS has everything it said."""
    ended = time.monotonic()
    said = _recorded(trial.dsn)["events"]
    asyncio.run(_published(trial.stack.embedded.nats_url(NATS_READER), said))
    return round(float(result["seconds"]) + time.monotonic() - ended, 2)


async def _published(url: str, said: int) -> None:
    """Until the relay has nothing left to do: an ordinary day does not begin in the middle of another's work."""
    bus = await nats.connect(url)
    try:
        until = time.monotonic() + WITHIN_SECONDS
        while time.monotonic() < until:
            info = await bus.jetstream().stream_info(stream("dunning"))
            if info.state.messages >= said:
                return
            await asyncio.sleep(0.05)
    finally:
        await bus.close()
    raise RuntimeError("what the round said was not published in time")


def _recorded(dsn: str) -> dict[str, int]:
    counts = {
        "verdicts": "select count(*) from dunning.verdict",
        "events": "select count(*) from dunning.event_log",
        "actions": "select count(*) from dunning.action",
    }
    with psycopg.connect(dsn) as connection:
        return {name: _count(connection, query) for name, query in counts.items()}


def _count(connection: psycopg.Connection[Any], query: str) -> int:
    found = connection.execute(query.encode()).fetchone()
    assert found is not None
    return int(found[0])


def _around_today(draw: Random, on: date) -> date:
    return on - timedelta(days=draw.randrange(-60, 60))


def fill(dsn: str, n: int, due: Callable[[Random, date], date] = _around_today) -> None:
    """The rows that dunning's projection would hold, put there directly."""
    draw = Random(11)
    clients = [f"C{number:06d}" for number in range(n // ENTRIES_PER_CLIENT)]
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("set search_path = dunning")
        _copy(cursor, "client (company, client_id, p, has_email, stopped)", _clients(draw, clients))
        entries = list(_entries(draw, clients, n, due))
        columns = (
            "company, client_id, entry_id, p, account, kind, piece, currency, amount, book_amount, due_date,"
            " counted_on, payment_mode, lettering, removed"
        )
        _copy(cursor, f"entry ({columns})", entries)
        _copy(
            cursor,
            "entry_stop (company, client_id, entry_id, p)",
            (e[:4] for e in entries if draw.random() < 0.03),
        )
        promises = (
            (*e[:2], str(uuid4()), e[2], e[3], AS_OF + timedelta(days=5)) for e in entries if draw.random() < 0.06
        )
        _copy(cursor, "promise (company, client_id, promise_id, entry_id, p, promised_on)", promises)
        errors = {(e[0], e[1], "411", e[13], e[3]) for e in entries if e[13]}
        _copy(cursor, "lettering_error (company, client_id, account, lettering, p)", errors)
        marks = ((COMPANY, partition_of(COMPANY, client), client, "-infinity") for client in clients)
        _copy(cursor, "schedule (company, p, client_id, next_on)", marks)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("analyze")


def _clients(draw: Random, clients: list[str]) -> Iterator[tuple[object, ...]]:
    for client in clients:
        yield COMPANY, client, partition_of(COMPANY, client), draw.random() > 0.15, draw.random() < 0.04


def _entries(
    draw: Random, clients: list[str], n: int, due_of: Callable[[Random, date], date]
) -> Iterator[tuple[object, ...]]:
    for number in range(n):
        client = clients[number // ENTRIES_PER_CLIENT]
        amount = Decimal(draw.randrange(3_000, 400_000)) / 100
        if draw.random() < 0.04:
            amount = Decimal("12.50")
        if draw.random() < 0.08:
            amount = -amount / 4
        amount = amount.quantize(Decimal("0.01"))
        due = due_of(draw, AS_OF)
        mode = "direct_debit" if draw.random() < 0.05 else "transfer"
        error = f"E{number}" if draw.random() < 0.02 else None
        identity = md5(str(number).encode()).hexdigest()
        kind = "invoice" if amount > 0 else "credit_note"
        where = (COMPANY, client, identity, partition_of(COMPANY, client))
        yield (*where, "411", kind, f"F{number}", "EUR", amount, amount, due, due, mode, error, False)


def _copy(cursor: psycopg.Cursor[Any], target: str, rows: Any) -> None:
    with cursor.copy(f"copy {target} from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)
