"""From a generated FEC to the slowest checkpoint: every service a process, everything through NATS."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.costs import Costs
from bench.harness import Result
from bench.limit import plain_load, rows_of_entries
from cli.books import CLOSING, FILE_NAME, write_fec
from cli.places import SERVICES
from cli.trial import Trial

COMPANY = "bench"
LISTENERS = ("ledger", "dunning", "notify", "reporting")
WITHIN_SECONDS = 1800.0


def pipeline(n: int) -> Result:
    """Import ``n`` customer entries and wait for every listener; entries per second of the whole."""
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as folder:
        file = Path(folder) / FILE_NAME
        clients = write_fec(file, n)
        with Trial(Path(folder) / "data", as_of=CLOSING, services=SERVICES) as trial:
            dsn = trial.dsn
            road = trial.road(COMPANY)
            road.register("Bench")
            with Costs(trial.stack.state().pids) as costs:
                started = time.perf_counter()
                imported = road.import_file(file, within=WITHIN_SECONDS)
                if imported["status"] != "completed":
                    raise RuntimeError(f"the import did not complete: {imported['errors'][:3]}")
                said = time.perf_counter() - started
                cpu_until_said = costs.cpu()
                stages = _wait_heard(dsn, imported["positions"]["sync"], started)
                cpu, peak_mb = costs.cpu(), costs.peak_mb()
            road.close()
            limit = plain_load(dsn, rows_of_entries(n))
    slowest = max(stages.values())
    return Result(
        "pipeline",
        ours=n / slowest,
        limit=limit,
        unit="entries/s",
        n=n,
        details={
            "clients": clients,
            "seconds": round(slowest, 2),
            "stages": {"read_and_said": round(said, 2), **{name: round(at, 2) for name, at in stages.items()}},
            "run_seconds": imported["seconds"],
            "cpu_seconds": round(sum(cpu.values()), 2),
            "cpu": cpu,
            "cpu_until_said": cpu_until_said,
            "peak_mb": peak_mb,
            "limit_is": "COPY of the same rows into one table of 15 columns, same server, same run",
        },
    )


def _wait_heard(dsn: str, wanted: dict[str, int], started: float) -> dict[str, float]:
    """Seconds after ``started`` at which each listener's checkpoints had reached ``{partition: number}``."""
    partitions = [int(p) for p in wanted]
    numbers = list(wanted.values())
    heard: dict[str, float] = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        while len(heard) < len(LISTENERS):
            for service in LISTENERS:
                if service not in heard and _has_heard(connection, service, partitions, numbers):
                    heard[service] = time.perf_counter() - started
            if time.perf_counter() - started > WITHIN_SECONDS:
                raise RuntimeError(f"not everything was heard in time; heard by {sorted(heard)}")
            time.sleep(0.05)
    return heard


def _has_heard(
    connection: psycopg.Connection[Any], service: str, partitions: list[int], numbers: list[int]
) -> bool:
    query = psycopg.sql.SQL(
        "select bool_and(coalesce(c.pseq, 0) >= w.n) from unnest(%s::smallint[], %s::bigint[]) as w(p, n)"
        " left join {}.checkpoint c on c.p = w.p and c.speaker = 'sync'"
    ).format(psycopg.sql.Identifier(service))
    answer = connection.execute(query, (partitions, numbers)).fetchone()
    return bool(answer and answer[0])
