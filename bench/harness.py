"""One line of JSON per benchmark: ours, this machine's limit and their ratio, measured in the same run."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """``ours`` and ``limit`` are rates in ``unit``; ``details`` holds what the figure is made of."""

    name: str
    ours: float
    limit: float
    unit: str
    n: int
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The line that machines read: ``{"name", "ours", "limit", "ratio", "unit", "n", ...}``."""
        return json.dumps(
            {
                "name": self.name,
                "ours": round(self.ours, 1),
                "limit": round(self.limit, 1),
                "ratio": round(self.ours / self.limit, 4),
                "unit": self.unit,
                "n": self.n,
                **self.details,
            }
        )


class Stopwatch:
    """Wall seconds of named stages, in the order they were measured."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the block as stage ``name``."""
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)


def show(result: Result) -> str:
    """The same for a person, in one sentence and its details."""
    details = "".join(f"\n  {key}: {value}" for key, value in result.details.items())
    share = result.ours / result.limit
    return (
        f"{result.name}: {result.ours:,.0f} {result.unit} of {result.limit:,.0f} possible"
        f" ({share:.1%}), n = {result.n:,}{details}"
    )
