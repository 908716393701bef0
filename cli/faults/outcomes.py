"""Outcomes of days as JSON, so that days lived in another process, or another cluster, can be compared."""

from __future__ import annotations

import json
from dataclasses import asdict

from cli.faults.days import Outcome
from cli.road import Json


def written(outcome: Outcome) -> Json:
    """As JSON has it: dates, amounts and ids are text."""
    found = asdict(outcome) | {"confirmed": sorted(outcome.confirmed)}
    return json.loads(json.dumps(found, default=str))  # type: ignore[no-any-return]


def read(told: Json) -> Outcome:
    """What ``written`` wrote; rows are tuples of what JSON has."""
    rows = {name: [tuple(row) for row in found] for name, found in told["rows"].items()}
    return Outcome(**(told | {"rows": rows, "confirmed": set(told["confirmed"])}))
