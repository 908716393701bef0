"""The developers' commands: tests and lint."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.places import ROOT

QUICK_FIRST = ("specs", "architecture", "contracts", "stories", "integration", "deploy", "browser", "faults")
PYTHON_FOLDERS = ("contracts", "chassis", "services", "cli", "bench", "tests")
BIN = Path(sys.executable).parent

LINT = (
    ("style", [str(BIN / "ruff"), "check", *PYTHON_FOLDERS]),
    ("formats", [str(BIN / "ruff"), "format", "--check", *PYTHON_FOLDERS]),
    ("types", [str(BIN / "mypy")]),
    ("boundaries", [str(BIN / "lint-imports")]),
)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run_tests(arguments: Sequence[str]) -> int:
    """Runs pytest over the folders in order, or over the paths among the arguments; answers its exit code."""
    named = [argument for argument in arguments if not argument.startswith("-")]
    chosen = any((ROOT / argument.partition("::")[0]).exists() for argument in named)
    folders = [] if chosen else [f"tests/{folder}" for folder in QUICK_FIRST if (ROOT / "tests" / folder).is_dir()]
    command = [sys.executable, "-m", "pytest", *folders, *arguments]
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
