"""What further workers bring, how soon a service that was away is up to date, and what entries take on disk."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench import decide
from bench.costs import Costs
from bench.harness import Result
from bench.limit import plain_load, rows_of_entries
from bench.pipeline import Book, books_of, import_one
from bench.stages import machine
from cli.books import CLOSING
from cli.faults.rest import LISTENING, SPEAKING
from cli.stack import pss_megabytes
from cli.trial import Trial

WORKERS = (1, 2, 4)
SERVICE = "dunning"
AWAY_SECONDS = 600.0
SHORT_AWAY_SECONDS = 30.0
FEWEST_FOR_LONG = 50_000
"""With fewer entries the service is away for the shorter time."""
WITHIN_SECONDS = 3600.0
BEHIND = " union all ".join(
    f"select coalesce(sum(h.seq - c.pseq), 0) as events from {speaker}.partition_head h"
    f" join {SERVICE}.checkpoint c on c.p = h.p and c.speaker = '{speaker}' where h.seq > c.pseq"
    for speaker in SPEAKING
    if speaker != SERVICE
)


def scale(n: int, companies: int) -> Result:
    """``n`` entries waiting for one service that has one, two, four workers: entries per second until it has heard
    them all, and then until it has decided them all, each company's round by itself; as many entries of one
    company, whose round all workers share; then the same flow while it is away, and its return.

    With few entries the hearing is over before the first worker has handed partitions to the others.
    """
    here = machine()
    by_workers = {}
    for workers in WORKERS:
        with _backlog(n, companies, workers) as (trial, books):
            by_workers[workers] = _caught_up(trial, n, workers) | _decided(trial, books, n)
            if workers == 1:
                room = _room(trial, n)
            limit = plain_load(trial.dsn, rows_of_entries(min(n, 200_000)))
        by_workers[workers]["one_round"] = one_round(n, workers)
    return Result(
        "scale",
        ours=max(one["heard_per_second"] for one in by_workers.values()),
        limit=limit,
        unit="entries/s",
        n=n,
        details={
            "service": SERVICE,
            "companies": companies,
            "workers": by_workers,
            "away": _away(n, companies),
            "room": room,
            "machine": here,
            "limit_is": "COPY of the same rows into one table of 15 columns, same server, same run",
        },
    )


@contextmanager
def _backlog(n: int, companies: int, workers: int) -> Iterator[tuple[Trial, list[Book]]]:
    """A stack whose other services have heard ``n`` entries, and whose one service is stopped."""
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as folder:
        books = books_of(Path(folder), n, companies)
        with Trial(Path(folder) / "data", as_of=CLOSING, workers={SERVICE: workers}) as trial:
            for book in books:
                _register(trial, book)
            _stop(trial)
            for book in books:
                import_one(trial, book)
            yield trial, books


def _caught_up(trial: Trial, n: int, workers: int) -> dict[str, Any]:
    """The service comes back; what hearing everything takes, from the first event that it applies."""
    waiting = _events_behind(trial.dsn)
    _start(trial)
    with Costs(trial.stack.state().pids) as costs:
        while _events_behind(trial.dsn) == waiting:
            time.sleep(0.01)
        began = time.perf_counter()
        _wait_until_heard(trial.dsn)
        seconds = time.perf_counter() - began
        cpu = costs.cpu()
    trial.stack.wait_ready()
    spent = sum(used for name, used in cpu.items() if name.startswith(SERVICE))
    return {
        "workers": workers,
        "heard_per_second": round(n / seconds, 1),
        "heard_seconds": round(seconds, 2),
        "cpu_us_per_entry": round(spent / n * 1e6, 1),
    }


def _decided(trial: Trial, books: Sequence[Book], n: int) -> dict[str, Any]:
    """A first round of every company, all asked for at once."""
    began = time.perf_counter()
    threads = [threading.Thread(target=_round, args=(trial, book)) for book in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return {"decided_per_second": round(n / seconds, 1), "decided_seconds": round(seconds, 2)}


def one_round(n: int, workers: int) -> dict[str, Any]:
    """The first round of one company with ``n`` open entries (those of ``decide``), shared by the workers."""
    with (
        tempfile.TemporaryDirectory(prefix="relance-bench-") as folder,
        Trial(Path(folder), as_of=decide.AS_OF, services=("ledger", SERVICE), workers={SERVICE: workers}) as trial,
    ):
        road = trial.road(decide.COMPANY)
        road.register("Bench")
        road.set_policy(decide.POLICY)
        decide.fill(trial.dsn, n)
        result, cost = decide.timed_round(trial, road, decide.AS_OF)
        road.close()
    return {
        "decided_per_second": round(n / result["seconds"], 1),
        "seconds": result["seconds"],
        "cpu_us_per_entry": round(sum(cost.values()) / n * 1e6, 1),
        "cores_used": round(sum(cost.values()) / result["seconds"], 2),
    }


def _away(n: int, companies: int) -> dict[str, Any]:
    """Entries go on coming while the service is away, and while it hears what it missed."""
    away = AWAY_SECONDS if n >= FEWEST_FOR_LONG else SHORT_AWAY_SECONDS
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as folder:
        books = books_of(Path(folder), n, companies)
        with Trial(Path(folder) / "data", as_of=CLOSING) as trial:
            for book in books:
                _register(trial, book)
            _stop(trial)
            began = time.perf_counter()
            for number, book in enumerate(books, 1):
                import_one(trial, book)
                time.sleep(max(0.0, began + away * number / len(books) - time.perf_counter()))
            behind = _events_behind(trial.dsn)
            returned = time.perf_counter()
            _start(trial)
            trial.stack.wait_ready()
            ready = time.perf_counter() - returned
            _wait_until_heard(trial.dsn)
            return {
                "seconds": round(returned - began, 1),
                "entries_meanwhile": n,
                "events_behind": behind,
                "ready_seconds": round(ready, 2),
                "recovered_seconds": round(time.perf_counter() - returned, 2),
            }


def _room(trial: Trial, n: int) -> dict[str, Any]:
    """Disk and memory that ``n`` entries take, everything heard and decided."""
    with psycopg.connect(trial.dsn, autocommit=True) as connection:
        by_service = {
            str(schema): int(size)
            for schema, size in connection.execute(
                "select schemaname,"
                " sum(pg_total_relation_size(format('%%I.%%I', schemaname, tablename)::regclass))"
                " from pg_tables where schemaname = any(%s) group by 1 order by 1",
                [["sync", *LISTENING]],
            )
        }
        events = {speaker: _one(connection, f"select count(*) from {speaker}.event_log") for speaker in SPEAKING}
    store = trial.stack.data_dir / "nats" / "jetstream"
    streams = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
    pids = trial.stack.state().pids
    return {
        "postgres_bytes_per_entry": {schema: round(size / n, 1) for schema, size in by_service.items()},
        "streams_bytes_per_entry": round(streams / n, 1),
        "events_per_entry": {speaker: round(count / n, 4) for speaker, count in events.items()},
        "pss_mb": {name: pss_megabytes([pid]) for name, pid in sorted(pids.items())},
    }


def _register(trial: Trial, book: Book) -> None:
    road = trial.road(book.company)
    road.register(book.company)
    road.close()


def _round(trial: Trial, book: Book) -> None:
    road = trial.road(book.company, CLOSING)
    road.round(CLOSING, {}, WITHIN_SECONDS)
    road.close()


def _stop(trial: Trial) -> None:
    """Once the service knows the companies, which those who import ask for."""
    _wait_until_heard(trial.dsn)
    children = [child for name, child in trial.stack.children.items() if name.startswith(SERVICE)]
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait_stopped()


def _start(trial: Trial) -> None:
    for name, child in trial.stack.children.items():
        if name.startswith(SERVICE):
            child.start()


def _wait_until_heard(dsn: str) -> None:
    deadline = time.perf_counter() + WITHIN_SECONDS
    while _events_behind(dsn):
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{SERVICE} did not hear everything in time")
        time.sleep(0.05)


def _events_behind(dsn: str) -> int:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return _one(connection, f"select sum(events)::bigint from ({BEHIND}) behind")


def _one(connection: psycopg.Connection[Any], query: str) -> int:
    found = connection.execute(query.encode()).fetchone()
    return int(found[0]) if found and found[0] is not None else 0
