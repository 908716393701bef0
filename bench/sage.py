"""A Sage base: exported whole, changed, synchronised. Agent, sync and ledger are processes of their own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.costs import Costs
from bench.harness import Result, Stopwatch
from bench.limit import plain_load, rows_of_entries
from cli.sage_trial import FAST_BEATS, SageTrial
from cli.trial import Trial

CHANGES = 1_000


def sage(n: int) -> Result:
    """``n`` customer lines of a base to ledger's rows; then a thousand changes of every kind, and nothing."""
    watch = Stopwatch()
    with (
        tempfile.TemporaryDirectory(prefix="relance-bench-") as folder,
        Trial(Path(folder) / "data", services=("sync", "ledger"), environment=FAST_BEATS) as trial,
    ):
        road = trial.road("bench")
        base = SageTrial(trial, road, Path(folder))
        with watch.stage("fill"):
            filled = base.fill(n)
        try:
            base.connect()
            with Costs({**trial.stack.state().pids, "agent": base.agent_pid}) as costs, watch.stage("full_export"):
                (full,) = base.sync("full")
                spent, peaks = costs.cpu(), costs.peak_mb()
            exact = [not base.differences()]
            made = base.change(CHANGES)
            with watch.stage("changes"):
                runs = base.sync()
            exact.append(not base.differences())
            with watch.stage("nothing"):
                (last,) = base.sync()
        finally:
            base.stop()
            road.close()
        limit = plain_load(trial.dsn, rows_of_entries(n))
    if full["status"] != "completed" or not all(exact) or last["changed"]:
        raise RuntimeError(f"ledger is not the base: {full['errors'][:3]} {exact} {last['changed']}")
    seconds = watch.seconds["full_export"]
    return Result(
        "sage",
        ours=full["receivable_lines"] / seconds,
        limit=limit,
        unit="entries/s",
        n=n,
        details={
            "clients": filled.clients,
            "seconds": watch.seconds,
            "run_seconds": {"full": full["seconds"], "changes": [run["seconds"] for run in runs]},
            "full_export_cpu_seconds": spent,
            "full_export_peak_mb": peaks,
            "changes_made": sum(made.values()),
            "runs": [
                {key: run[key] for key in ("mode", "read", "changed", "archived")} for run in (full, *runs, last)
            ],
            "ledger_equals_the_base": all(exact),
            "limit_is": "COPY of the same rows into one table of 15 columns, same server, same run",
        },
    )
