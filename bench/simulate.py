"""Open entries simulated per second, 90 days ahead: over a whole company, alone and compared with a draft."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.decide import AS_OF, COMPANY, POLICY, fill
from bench.harness import Result
from cli.trial import Trial

DAYS = 90
LIMIT_SECONDS = 30.0
LIMIT_ENTRIES = 100_000
WITHIN_SECONDS = 1800.0
FIRST = {"step": "R1", "medium": "email", "delay_days": 12, "template": "R1"}
SECOND = {"step": "R2", "medium": "letter", "delay_days": 10, "counted_from": "previous_step", "template": "R2"}
DRAFT = {
    "profile": "Standard",
    "with_email": [FIRST, SECOND],
    "without_email": [{**FIRST, "medium": "letter"}, SECOND],
}


def simulate(n: int) -> Result:
    """Fill dunning as ``decide`` does, and ask for 90 days with nobody paying: every entry walks its scenario.

    ``seconds`` is from the request to the result, processes started before; ``compared_seconds`` is a draft
    against the current scenario, which lives every client twice.
    """
    with (
        tempfile.TemporaryDirectory(prefix="relance-bench-") as folder,
        Trial(Path(folder), as_of=AS_OF, services=("ledger", "dunning")) as trial,
    ):
        road = trial.road(COMPANY)
        road.register("Bench")
        road.set_policy(POLICY)
        fill(trial.dsn, n)
        road.simulate({"days": 1}, WITHIN_SECONDS)
        done = road.simulate({"days": DAYS}, WITHIN_SECONDS)
        habits = road.simulate({"days": DAYS, "assume": "habits"}, WITHIN_SECONDS)
        compared = road.simulate({"days": DAYS, "scenarios": [DRAFT]}, WITHIN_SECONDS)
        road.close()
    for one in (done, habits, compared):
        if one["status"] != "completed" or one["result"]["counts"]["entries"] != n:
            raise RuntimeError(f"{n} open entries, but the simulation tells {one['status']} {one['result']}")
    return Result(
        "simulate",
        ours=n / done["seconds"],
        limit=LIMIT_ENTRIES / LIMIT_SECONDS,
        unit="entries/s",
        n=n,
        details={
            "days": DAYS,
            "seconds": done["seconds"],
            "compared_seconds": compared["seconds"],
            "habits_seconds": habits["seconds"],
            "contacts": done["result"]["totals"]["contacts"],
            "differing_clients": compared["result"]["differences"]["clients"],
            "limit_is": f"what is asked: {DAYS} days over {LIMIT_ENTRIES:,} open entries in {LIMIT_SECONDS:.0f} s",
        },
    )
