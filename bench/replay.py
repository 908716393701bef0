"""Every projection made again from the first event of every stream: entries per second of each."""

from __future__ import annotations

from bench.harness import Result
from bench.limit import plain_load, rows_of_entries
from bench.own_stages import LISTENERS
from bench.pipeline import imported_books


def replay(n: int, companies: int = 1) -> Result:
    """Import ``n`` entries, then rebuild each service beside its live tables; ours is the slowest projection."""
    with imported_books(n, companies) as (trial, _, _):
        reports = {service: trial.replayed(service) for service in LISTENERS}
        limit = plain_load(trial.dsn, rows_of_entries(min(n, 200_000)))
    differing = {service: report["differing"][:3] for service, report in reports.items() if not report["equal"]}
    if differing:
        raise RuntimeError(f"a replay did not end in the live rows: {differing}")
    rates = {service: n / report["replay_seconds"] for service, report in reports.items()}
    return Result(
        "replay",
        ours=min(rates.values()),
        limit=limit,
        unit="entries/s",
        n=n,
        details={
            "companies": companies,
            "entries_per_second": {service: round(rate, 1) for service, rate in rates.items()},
            "seconds": {service: report["replay_seconds"] for service, report in reports.items()},
            "seconds_with_comparison": {service: report["seconds"] for service, report in reports.items()},
            "events": {service: report["events"] for service, report in reports.items()},
            "rows": {service: report["rows"] for service, report in reports.items()},
            "equal": True,
            "limit_is": "COPY of the same rows into one table of 15 columns, same server, same run",
        },
    )
