"""The developers' commands: tests and lint."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.places import ROOT

ORDER = ("specs", "architecture", "contracts", "stories", "faults", "browser", "deploy", "integration")
"""Quick ones first, then the long files, then the many short ones, so that all workers end together."""
WORKERS_AT_MOST = 6
"""Each has servers of its own, and services and a browser now and then: a gigabyte."""
PYTHON_FOLDERS = ("contracts", "chassis", "services", "cli", "bench", "tests")
BIN = Path(sys.executable).parent

LINT = (
    ("style", [str(BIN / "ruff"), "check", *PYTHON_FOLDERS]),
    ("formats", [str(BIN / "ruff"), "format", "--check", *PYTHON_FOLDERS]),
    ("types", [str(BIN / "mypy")]),
    ("boundaries", [str(BIN / "lint-imports")]),
)


def side_by_side(cores: int) -> list[str]:
    """Several files at a time, one more than there are cores: tests on real servers wait a third of their time. A
    file stays whole, because its tests share what its fixtures started."""
    workers = min(cores + 1, WORKERS_AT_MOST)
    return ["-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run_tests(arguments: Sequence[str]) -> int:
    """Runs pytest over all folders, several files at a time, or one by one over the paths among the arguments;
    answers its exit code."""
    named = [argument for argument in arguments if not argument.startswith("-")]
    if any((ROOT / argument.partition("::")[0]).exists() for argument in named):
        chosen: list[str] = []
    else:
        folders = [f"tests/{folder}" for folder in ORDER if (ROOT / "tests" / folder).is_dir()]
        chosen = [*side_by_side(len(os.sched_getaffinity(0))), *folders]
    command = [sys.executable, "-m", "pytest", *chosen, *arguments]
    return subprocess.run(command, cwd=ROOT, env=_environment(), check=False).returncode


def run_lint() -> int:
    """Runs every check and tells which failed; answers 1 when one did."""
    failed = []
    for name, command in LINT:
        print(f"── {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, env=_environment(), check=False).returncode != 0:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0
