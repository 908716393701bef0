"""Whether the specs would notice: each line of the domains is changed for the worse, one at a time, by mutmut.

A change that no spec notices is a survivor: either the line says nothing, or a spec is missing. Which files are
changed and which specs are asked stands in ``pyproject.toml``: sentences for people are left out, since another
word breaks no rule; so are properties, since a rule that only chance defends has no spec.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.places import ROOT

WARM = [sys.executable, "-P", str(ROOT / "cli" / "mutants_warm.py")]
MUTMUT = [str(Path(sys.executable).parent / "mutmut")]
FOLDER = ROOT / "mutants"
"""Where mutmut keeps the changed code and what it found; a later run goes on from there."""
KILLED = frozenset({"killed", "timeout", "caught by type check"})
NEVER_RUN = frozenset({"not checked", "skipped", "check was interrupted by user"})


Seen = tuple[int, list[str]]
"""How many specs were run alone against changes, and which of them noticed none."""


class MutantsFailed(Exception):
    """The specs do not pass on the unchanged code, or mutmut could not run."""


@dataclass
class Score:
    """Of one module, or of all."""

    killed: int = 0
    survived: list[str] = field(default_factory=list)
    unchecked: int = 0

    @property
    def share(self) -> float:
        """Killed of those that were run, 0 to 1; 0 when none was."""
        run = self.killed + len(self.survived)
        return self.killed / run if run else 0.0


def mutate(patterns: Sequence[str], at_once: int, afresh: bool) -> None:
    """Run the mutants whose names are like ``patterns`` (all without), so many processes at a time."""
    if afresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    command = [*WARM, "run", "--max-children", str(at_once), *patterns]
    if subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL).returncode:
        raise MutantsFailed(f"mutmut ended early; run it yourself to see why: {' '.join(command)}")


def results() -> list[tuple[str, str]]:
    """(mutant, what became of it) of every mutant there is."""
    command = [*MUTMUT, "results", "--all", "true"]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    pairs = (line.strip().rsplit(": ", 1) for line in ran.stdout.splitlines() if ": " in line)
    return [(name, status) for name, status in pairs]


def see_specs() -> Seen:
    """How many specs were run alone against changes of what they reach, and which noticed none of them."""
    from cli.mutants_seen import unseen

    if not (FOLDER / "mutmut-stats.json").exists():
        raise MutantsFailed("run the mutants first: what the specs reach is known from there")
    command = [*WARM, "see"]
    if subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL).returncode:
        raise MutantsFailed(f"the specs could not be run; run it yourself to see why: {' '.join(command)}")
    return unseen(FOLDER)


def forget_survivors() -> int:
    """Have those that survived earlier run again; how many. Which specs reach what is found out anew, since mutmut
    asks it of new specs only, and one that was changed may reach other functions. Raises ``MutantsFailed``.
    """
    files = sorted(FOLDER.glob("**/*.meta"))
    if not files:
        raise MutantsFailed("nothing was run yet: leave --survivors out the first time")
    from mutmut.stats import status_by_exit_code

    forgotten = 0
    for file in files:
        kept = json.loads(file.read_text(encoding="utf-8"))
        found = kept["exit_code_by_key"]
        alive = [name for name, code in found.items() if status_by_exit_code[code] not in KILLED | NEVER_RUN]
        found.update(dict.fromkeys(alive))
        file.write_text(json.dumps(kept), encoding="utf-8")
        forgotten += len(alive)
    (FOLDER / "mutmut-stats.json").unlink(missing_ok=True)
    return forgotten


def scores(found: Iterable[tuple[str, str]]) -> dict[str, Score]:
    """By module; ``all`` is the sum. A mutant that no spec reaches has survived."""
    by_module: dict[str, Score] = defaultdict(Score)
    for name, status in found:
        module = name.rpartition(".")[0]
        for score in (by_module["all"], by_module[module]):
            if status in NEVER_RUN:
                score.unchecked += 1
            elif status in KILLED:
                score.killed += 1
            else:
                score.survived.append(name)
    return dict(by_module)


def report(by_module: dict[str, Score], specs: Seen | None = None) -> dict[str, Any]:
    """JSON-ready: shares of 1 with four digits, every survivor by name, and every spec that noticed nothing."""
    told: dict[str, Any] = {
        module: {
            "score": round(score.share, 4),
            "killed": score.killed,
            "survived": len(score.survived),
            "unchecked": score.unchecked,
        }
        for module, score in sorted(by_module.items())
    } | {"survivors": by_module["all"].survived if "all" in by_module else []}
    return told if specs is None else told | {"specs": specs[0], "specs_without_a_change": specs[1]}


def shown(names: Iterable[str]) -> str:
    """The change that each of these mutants is, as a diff."""
    said = []
    for name in names:
        ran = subprocess.run([*MUTMUT, "show", name], cwd=ROOT, check=True, capture_output=True, text=True)
        said.append(ran.stdout)
    return "\n".join(said)


def written(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=2)
