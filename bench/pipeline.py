"""From generated FECs to the slowest checkpoint: every service a process, everything through NATS."""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.costs import Costs
from bench.harness import Result
from bench.limit import plain_load, rows_of_entries
from bench.own_stages import LISTENERS
from bench.stages import Stage, machine, measure
from cli.books import CLOSING, FILE_NAME, write_fec
from cli.places import SERVICES
from cli.trial import Trial

TIMES = {"apply": len(LISTENERS)}
"""How many services do a stage of ``bench.stages``; each other is done once."""
STAGE_ENTRIES = 50_000
"""Of the book with which stages are measured alone."""
WITHIN_SECONDS = 7200.0
SENDERS = 4
"""Companies whose files are sent or waited for at the same time."""


@dataclass(frozen=True)
class Book:
    """The file of one company."""

    company: str
    file: Path
    entries: int
    clients: int


@dataclass(frozen=True)
class Imported:
    """What the imports of all books cost, until everything was heard."""

    said: float
    """Seconds until sync had said everything."""
    heard: dict[str, float]
    """Seconds until each listener had heard everything that sync said."""
    settled: float
    """Seconds until ledger had judged the lettering groups and reporting had heard it."""
    cpu_until_said: dict[str, float]
    cpu: dict[str, float]
    cpu_until_settled: dict[str, float]
    peak_mb: dict[str, float]

    @property
    def seconds(self) -> float:
        return max(self.heard.values())


def pipeline(n: int, companies: int = 1) -> Result:
    """Import ``n`` customer entries, shared among so many companies, and wait for every listener; entries per
    second of the whole."""
    with imported_books(n, companies) as (trial, books, imported):
        limit = plain_load(trial.dsn, rows_of_entries(min(n, 200_000)))
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as folder:
        book = Path(folder) / FILE_NAME
        write_fec(book, STAGE_ENTRIES)
        here = machine()
        alone = measure(Path(folder) / "data", book, here["speed"])
    cores = len(os.sched_getaffinity(0))
    limits = {name: stage.limit * TIMES.get(name, 1) for name, stage in alone.items()}
    plainest_limits = {name: (stage.plainest or stage.limit) * TIMES.get(name, 1) for name, stage in alone.items()}
    ceiling = cores / sum(limits.values()) * 1e6
    unsettled = cores / sum(us for name, us in limits.items() if name != "settle") * 1e6
    plainest = cores / sum(plainest_limits.values()) * 1e6
    ours = n / imported.seconds
    cpu_seconds = sum(imported.cpu.values())
    return Result(
        "pipeline",
        ours=ours,
        limit=limit,
        unit="entries/s",
        n=n,
        details={
            "companies": companies,
            "clients": sum(book.clients for book in books),
            "seconds": round(imported.seconds, 2),
            "stages": {
                "read_and_said": round(imported.said, 2),
                **{name: round(at, 2) for name, at in imported.heard.items()},
                "settled": round(imported.settled, 2),
            },
            "cpu_seconds": round(cpu_seconds, 2),
            "cpu_us_per_entry": round(cpu_seconds / n * 1e6, 1),
            "cpu": imported.cpu,
            "cpu_until_said": imported.cpu_until_said,
            "cpu_until_settled": imported.cpu_until_settled,
            "peak_mb": imported.peak_mb,
            "limit_is": "COPY of the same rows into one table of 15 columns, same server, same run",
            "machine": here,
            "stage_cpu_us": {name: _told(stage) for name, stage in alone.items()},
            "service_cpu_us": _by_service(imported.cpu, n),
            "cores_used": round(cpu_seconds / imported.seconds, 2),
            "ceiling": round(ceiling, 1),
            "of_ceiling": round(ours / ceiling, 4),
            "ceiling_is": f"{cores} cores with the limit of every stage alone, apply {len(LISTENERS)} times",
            "ceiling_without_settling": round(unsettled, 1),
            "of_ceiling_without_settling": round(ours / unsettled, 4),
            "ceiling_of_plainest": round(plainest, 1),
            "of_ceiling_of_plainest": round(ours / plainest, 4),
        },
    )


def _told(stage: Stage) -> dict[str, Any]:
    return {name: value for name, value in asdict(stage).items() if value is not None}


def _by_service(cpu: Mapping[str, float], n: int) -> dict[str, float]:
    """CPU microseconds per entry of each service with its share of PostgreSQL: what reading to saying costs is
    sync's, what people and labels cost is in ledger's."""
    spent: dict[str, float] = defaultdict(float)
    for name, seconds in cpu.items():
        spent[name.removesuffix(".postgres")] += seconds
    return {name: round(seconds / n * 1e6, 1) for name, seconds in spent.items()}


@contextmanager
def imported_books(n: int, companies: int) -> Iterator[tuple[Trial, list[Book], Imported]]:
    """A stack that has imported ``n`` entries, as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as folder:
        books = books_of(Path(folder), n, companies)
        with Trial(Path(folder) / "data", as_of=CLOSING, services=SERVICES) as trial:
            yield trial, books, _import(trial, books)


def books_of(folder: Path, n: int, companies: int) -> list[Book]:
    """Generated files of so many companies, ``n`` customer entries in all."""
    books = []
    for number in range(companies):
        place = folder / f"book{number:03d}"
        place.mkdir()
        entries = n // companies + (number < n % companies)
        clients = write_fec(place / FILE_NAME, entries, seed=7 + number)
        books.append(Book(f"bench{number:03d}", place / FILE_NAME, entries, clients))
    return books


def _import(trial: Trial, books: Sequence[Book]) -> Imported:
    for book in books:
        road = trial.road(book.company)
        road.register(book.company)
        road.close()
    with Costs(trial.stack.state().pids) as costs:
        started = time.perf_counter()
        with ThreadPoolExecutor(SENDERS) as senders:
            positions = list(senders.map(lambda book: import_one(trial, book), books))
        said = time.perf_counter() - started
        cpu_until_said = costs.cpu()
        heard = _wait_heard(trial.dsn, _latest(positions), started)
        cpu = costs.cpu()
        _wait_settled(trial.dsn, started)
        return Imported(
            said=said,
            heard=heard,
            settled=time.perf_counter() - started,
            cpu_until_said=cpu_until_said,
            cpu=cpu,
            cpu_until_settled=costs.cpu(),
            peak_mb=costs.peak_mb(),
        )


def import_one(trial: Trial, book: Book) -> dict[str, int]:
    """Import one company's file; how far sync's partitions went."""
    road = trial.road(book.company)
    run = road.import_file(book.file, within=WITHIN_SECONDS)
    road.close()
    if run["status"] != "completed":
        raise RuntimeError(f"the import of {book.company} did not complete: {run['errors'][:3]}")
    positions: dict[str, int] = run["positions"]["sync"]
    return positions


def _latest(positions: Sequence[Mapping[str, int]]) -> dict[int, int]:
    latest: dict[int, int] = {}
    for one in positions:
        for p, number in one.items():
            latest[int(p)] = max(number, latest.get(int(p), 0))
    return latest


def _wait_heard(dsn: str, wanted: Mapping[int, int], started: float) -> dict[str, float]:
    """Seconds after ``started`` at which each listener's checkpoints had reached ``{partition: number}``."""
    heard: dict[str, float] = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        while len(heard) < len(LISTENERS):
            for service in LISTENERS:
                if service not in heard and _has_heard(connection, service, wanted):
                    heard[service] = time.perf_counter() - started
            if time.perf_counter() - started > WITHIN_SECONDS:
                raise RuntimeError(f"not everything was heard in time; heard by {sorted(heard)}")
            time.sleep(0.05)
    return heard


def _has_heard(connection: psycopg.Connection[Any], service: str, wanted: Mapping[int, int]) -> bool:
    query = psycopg.sql.SQL(
        "select bool_and(coalesce(c.pseq, 0) >= w.n) from unnest(%s::smallint[], %s::bigint[]) as w(p, n)"
        " left join {}.checkpoint c on c.p = w.p and c.speaker = 'sync'"
    ).format(psycopg.sql.Identifier(service))
    answer = connection.execute(query, (list(wanted), list(wanted.values()))).fetchone()
    return bool(answer and answer[0])


def _wait_settled(dsn: str, started: float) -> None:
    """Until ledger has judged every touched group, and all hear what it said."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.perf_counter() - started < WITHIN_SECONDS:
            waiting = connection.execute("select exists (select from ledger.milestone)").fetchone()
            heads = connection.execute("select p, seq from ledger.partition_head where seq > 0").fetchall()
            if not (waiting and waiting[0]) and all(
                _has_heard_ledger(connection, service, heads) for service in LISTENERS if service != "ledger"
            ):
                return
            time.sleep(0.1)
    raise RuntimeError("the lettering groups were not judged in time")


def _has_heard_ledger(connection: psycopg.Connection[Any], service: str, heads: Sequence[tuple[int, int]]) -> bool:
    query = psycopg.sql.SQL(
        "select bool_and(coalesce(c.pseq, 0) >= w.n) from unnest(%s::smallint[], %s::bigint[]) as w(p, n)"
        " left join {}.checkpoint c on c.p = w.p and c.speaker = 'ledger'"
    ).format(psycopg.sql.Identifier(service))
    answer = connection.execute(query, ([p for p, _ in heads], [seq for _, seq in heads])).fetchone()
    return bool(answer and answer[0] is not False)
