"""The benchmarks by name; each loads what it measures, and no more."""

from __future__ import annotations

from collections.abc import Callable

from bench.harness import Result


def _pipeline(n: int, companies: int) -> Result:
    from bench.pipeline import pipeline  # noqa: PLC0415

    return pipeline(n, companies)


def _decide(n: int, companies: int) -> Result:
    from bench.decide import decide  # noqa: PLC0415

    return decide(n)


def _files(n: int, companies: int) -> Result:
    from bench.files import files  # noqa: PLC0415

    return files(n)


def _sage(n: int, companies: int) -> Result:
    from bench.sage import sage  # noqa: PLC0415

    return sage(n)


def _replay(n: int, companies: int) -> Result:
    from bench.replay import replay  # noqa: PLC0415

    return replay(n, companies)


def _append(n: int, companies: int) -> Result:
    from bench.append import append_events  # noqa: PLC0415

    return append_events(n)


def _simulate(n: int, companies: int) -> Result:
    from bench.simulate import simulate  # noqa: PLC0415

    return simulate(n)


def _backtest(n: int, companies: int) -> Result:
    from bench.backtest import backtest  # noqa: PLC0415

    return backtest()


def _letters(n: int, companies: int) -> Result:
    from bench.letters import letters  # noqa: PLC0415

    return letters(n)


def _send(n: int, companies: int) -> Result:
    from bench.send import send  # noqa: PLC0415

    return send(n)


def _scale(n: int, companies: int) -> Result:
    from bench.scale import scale  # noqa: PLC0415

    return scale(n, companies)


BENCHMARKS: dict[str, Callable[[int, int], Result]] = {
    "pipeline": _pipeline,
    "decide": _decide,
    "simulate": _simulate,
    "backtest": _backtest,
    "sage": _sage,
    "replay": _replay,
    "append": _append,
    "files": _files,
    "letters": _letters,
    "send": _send,
    "scale": _scale,
}
"""Name to the function that measures with ``n`` entries, shared among so many companies where it imports them."""
