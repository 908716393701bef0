"""The benchmarks by name; each loads what it measures, and no more."""

from __future__ import annotations

from collections.abc import Callable

from bench.harness import Result


def _pipeline(n: int) -> Result:
    from bench.pipeline import pipeline  # noqa: PLC0415

    return pipeline(n)


def _decide(n: int) -> Result:
    from bench.decide import decide  # noqa: PLC0415

    return decide(n)


def _sage(n: int) -> Result:
    from bench.sage import sage  # noqa: PLC0415

    return sage(n)


BENCHMARKS: dict[str, Callable[[int], Result]] = {"pipeline": _pipeline, "decide": _decide, "sage": _sage}
"""Name to the function that measures with ``n`` entries."""
