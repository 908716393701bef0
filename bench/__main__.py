"""``python -m bench NAME… [--n N]``: one JSON line per benchmark."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from bench.harness import Result


def _pipeline(n: int) -> Result:
    from bench.pipeline import pipeline  # noqa: PLC0415 - a benchmark loads what it measures, no more

    return pipeline(n)


def _decide(n: int) -> Result:
    from bench.decide import decide  # noqa: PLC0415

    return decide(n)


BENCHMARKS: dict[str, Callable[[int], Result]] = {"pipeline": _pipeline, "decide": _decide}


def main() -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], default=list(BENCHMARKS))
    parser.add_argument("--n", type=int, default=200_000, help="entries")
    options = parser.parse_args()
    for name in options.names:
        print(BENCHMARKS[name](options.n).to_json(), flush=True)


if __name__ == "__main__":
    main()
