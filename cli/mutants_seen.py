"""Which specs are seen to fail: each is run alone against changes of what it reaches, until it notices one.

A spec that notices none says nothing that a line of the domains could break. Which specs reach which functions,
and which changes any spec notices, is known once the mutants were run.
"""

from __future__ import annotations

import gc
import json
import os
import resource
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest
from mutmut.configuration import config
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.runners.harness import PytestRunner

MOST = 80
"""Changes that a spec is given to notice one of."""
SECONDS = 60
"""Of CPU, beyond which a change has the spec go round for ever."""
KILLED = 1
SEEN = "specs-seen.json"


def changes(folder: Path) -> dict[str, list[str]]:
    """By function, the names of its changes that a spec was seen to notice."""
    by_function: dict[str, list[str]] = defaultdict(list)
    for file in sorted(folder.glob("**/*.meta")):
        for name, code in json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"].items():
            if code == KILLED:
                by_function[name.rpartition("__mutmut_")[0]].append(name)
    return by_function


def candidates(reached: Sequence[str], by_function: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """One change of each function in turn; ``reached`` begins with those that fewest specs reach."""
    rows = zip_longest(*(by_function.get(function, ()) for function in reached))
    return (name for name in chain.from_iterable(rows) if name is not None)


class Seeing:
    """A pytest session that has collected the specs and runs each in forks of that moment."""

    def __init__(self, reached: Mapping[str, Sequence[str]], by_function: Mapping[str, Sequence[str]], kept: Path):
        self._reached = reached
        self._by_function = by_function
        self._kept = kept

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        gc.collect()
        gc.freeze()  # a fork shares its memory until the collector writes to it
        seen: dict[str, str | None] = json.loads(self._kept.read_text()) if self._kept.exists() else {}
        known = set(chain.from_iterable(self._by_function.values()))
        told: dict[str, str | None] = {}
        for item in session.items:
            if not any(function in self._by_function for function in self._reached.get(item.nodeid, ())):
                continue  # of words and numbers, which are not changed
            before = seen.get(item.nodeid)
            if before in known:
                told[item.nodeid] = before
            else:
                told[item.nodeid] = seen[item.nodeid] = self._noticed(session, item)
                self._kept.write_text(json.dumps(seen), encoding="utf-8")  # a run that is ended goes on from there
        self._kept.write_text(json.dumps(told, indent=1), encoding="utf-8")
        return True

    def _noticed(self, session: pytest.Session, item: pytest.Item) -> str | None:
        found = candidates(self._reached.get(item.nodeid, ()), self._by_function)
        return next(
            (name for name, _ in zip(found, range(MOST), strict=False) if _fails(session, item, name)), None
        )


def _fails(session: pytest.Session, item: pytest.Item, mutant: str) -> bool:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    failed = True
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        set_mutant_under_test(mutant)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        failed = bool(session.testsfailed)
    finally:
        os._exit(failed)  # whatever happens: a child must not go on with the specs of its parent


def reached_by_specs(stats: Mapping[str, Any]) -> dict[str, list[str]]:
    """The functions that each spec reaches, those that fewest reach first."""
    found: dict[str, list[str]] = defaultdict(list)
    by_function = stats["tests_by_mangled_function_name"]
    for function in sorted(by_function, key=lambda name: (len(by_function[name]), name)):
        for spec in by_function[function]:
            found[spec].append(function)
    return found


def see(quietly: Sequence[str]) -> int:
    """Each spec, and the change that it noticed, to ``SEEN``; 0 when the specs could be collected. Runs where the
    changed code is.
    """
    here = Path.cwd()
    reaching = reached_by_specs(json.loads((here / "mutmut-stats.json").read_text(encoding="utf-8")))
    set_mutant_under_test("")
    specs = config().pytest_add_cli_args_test_selection
    plugin = Seeing(reaching, changes(here), here / SEEN)
    return PytestRunner().execute_pytest([*quietly, *specs], plugins=[plugin])


def unseen(folder: Path) -> tuple[int, list[str]]:
    """How many specs were run against changes, and which of them noticed none."""
    told: dict[str, str | None] = json.loads((folder / SEEN).read_text(encoding="utf-8"))
    return len(told), sorted(spec for spec, noticed in told.items() if noticed is None)
