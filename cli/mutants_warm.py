"""Runs mutmut so that a mutant costs milliseconds; ``relance mutants`` starts it as a process of its own.

mutmut forks a pytest for each mutant, which finds its tests anew every time: most of a second, where the specs of
one function take a few milliseconds. Here the specs are collected once, and each mutant is a fork of that moment
which runs the specs that reach it until one fails: first those that noticed other changes of the same function,
then the quickest.

Started as a file, not as ``cli.mutants_warm``: the specs must find their modules beside the changed code.
"""

from __future__ import annotations

import gc
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mutmut.__main__ as mutmut
import pytest
from mutmut.configuration import config
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import change_cwd, setup_source_paths
from mutmut.workers import isolation

QUIETLY = [
    "--assert=plain",  # what differs need not be told, only that something does
    "--tb=no",
    "--capture=no",
    "-p",
    "no:faulthandler",
    "-p",
    "no:xdist",
]


class Collected(PytestRunner):
    """The specs of a session that has collected them, to be run in a fork of it."""

    def __init__(self, session: pytest.Session) -> None:
        super().__init__()
        self._session = session
        self._items = {item.nodeid: item for item in session.items}
        self._noticed_by = Path("noticed_by").resolve()
        self._noticed_by.mkdir(exist_ok=True)

    def warm_up(self) -> None:
        gc.collect()
        gc.freeze()  # a fork shares its memory until the collector writes to it

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """1 when a spec fails, else 0. ``tests`` are node ids."""
        noticed = self._noticed_by / (mutant_name or "nothing").rpartition("__mutmut_")[0]
        often = Counter(noticed.read_text(encoding="utf-8").splitlines() if noticed.exists() else ())
        took = state().duration_by_test
        ordered = sorted(tests, key=lambda test: (-often[test], took[test], test))
        items: list[Any] = [self._items[test] for test in ordered]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._session.testsfailed:
                with noticed.open("a", encoding="utf-8") as notes:
                    notes.write(f"{item.nodeid}\n")
                return 1
        return 0


class WarmRunner(isolation.ForkServerRunner):
    """A fork server that stands inside a pytest session, after its collection."""

    def _forkserver_main(self, work_fd: int, result_fd: int) -> None:
        serve = super()._forkserver_main

        class Serving:
            def pytest_runtestloop(_, session: pytest.Session) -> bool:  # noqa: N805 - the runner is ``self`` here
                self.test_runner_class = lambda: Collected(session)
                serve(work_fd, result_fd)
                return True

        specs = config().pytest_add_cli_args_test_selection
        with change_cwd("mutants"):
            PytestRunner().execute_pytest([*QUIETLY, *specs], plugins=[Serving()])


def warm_runner(max_workers: int = 1) -> WarmRunner:
    return WarmRunner(max_workers, test_runner_class=PytestRunner, test_runner_args={})


def without_clock(pid: int, timeout_s: float) -> None:
    """Domains wait for nothing: one that goes round for ever meets its limit of CPU, and a machine that is busy,
    or asleep, kills no mutant.
    """


def copied_beside() -> None:
    """What the specs need besides the changed files. Those are left alone: mutmut makes one anew only where its
    source is newer, and to make them all costs minutes.
    """
    changed = {Path(path) for path in config().source_paths}

    def left_out(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder, name) in changed or name == "__pycache__"]

    for path in config().also_copy:
        if path.is_dir():
            shutil.copytree(path, "mutants" / path, dirs_exist_ok=True, ignore=left_out)
        elif path.exists():
            shutil.copy2(path, "mutants" / path)


def see_specs() -> int:
    """Each spec against changes of what it reaches, until it notices one (``cli/mutants_seen``)."""
    copied_beside()
    setup_source_paths()
    with change_cwd("mutants"):
        from cli.mutants_seen import see

        return see(QUIETLY)


if __name__ == "__main__":
    if sys.argv[1:] == ["see"]:
        sys.exit(see_specs())
    vars(mutmut).update(get_mutant_runner=warm_runner, copy_also_copy_files=copied_beside)
    vars(isolation).update(register_timeout=without_clock)
    sys.exit(mutmut.cli(prog_name="mutmut"))
