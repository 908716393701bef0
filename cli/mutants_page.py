"""What the specs would notice, as a page to read: docs/mutants.md.

Every survivor stands there as the change that it is, with the reason for which it may live where somebody has read
it. The reasons are kept in docs/mutants.yaml by function and by what the line was and becomes, since the numbers
that mutmut gives move with the code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.mutants import MutantsFailed, Score, Seen
from cli.places import ROOT

PAGE = ROOT / "docs" / "mutants.md"
REASONS = ROOT / "docs" / "mutants.yaml"
HEADLINE = """# What the specs would notice

Made by `./relance mutants --page`: do not edit. Each line of the domains is changed for the worse, one change at
a time, and the specs that reach it are run; a change that none of them notices is a survivor. What is changed and
which specs are asked stands in `pyproject.toml`, under `tool.mutmut`; why a survivor may live in
`docs/mutants.yaml`.
"""


class ReasonsRefused(MutantsFailed):
    """The file of reasons cannot be read; the message names file and remedy."""


@dataclass(frozen=True)
class Change:
    """A mutant as what a line was and becomes; lines of one change are joined by spaces, none is empty text."""

    module: str
    function: str
    was: str
    becomes: str


Reasons = Mapping[str, Iterable[Mapping[str, str]]]


def change(mutant: str) -> Change:
    """Read from what mutmut keeps. ``mutant`` is its name for it."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.utils.format_utils import orig_function_and_class_names_from_key

    module = mutant.rpartition(".")[0]
    function, of = orig_function_and_class_names_from_key(mutant)
    with chdir(ROOT):
        diff = get_diff_for_mutant(mutant, path=_path(module))
    was, becomes = changed_lines(diff)
    return Change(module, f"{of}.{function}" if of else function, was, becomes)


def changed_lines(diff: str) -> tuple[str, str]:
    """What a unified diff takes away and what it puts there."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    removed, added = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+")
    return " ".join(removed), " ".join(added)


def _path(module: str) -> Path:
    file = Path(*module.split("."))
    return file / "__init__.py" if (ROOT / file).is_dir() else file.with_suffix(".py")


def read_reasons(file: Path = REASONS) -> Reasons:
    """By module and function, ``module: {function: [{was, becomes, why}]}``. Raises ``ReasonsRefused``."""
    shape = "module: {function: [{was, becomes, why}]}, of which why must be there"
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        found = {
            f"{module}.{function}": [{key: str(value) for key, value in one.items()} for one in listed]
            for module, functions in read.items()
            for function, listed in functions.items()
        }
    except (OSError, yaml.YAMLError, AttributeError, TypeError) as trouble:
        raise ReasonsRefused(f"{file}: {trouble}; it holds {shape}") from trouble
    if any("why" not in one for listed in found.values() for one in listed):
        raise ReasonsRefused(f"{file}: a reason says nothing; it holds {shape}")
    return found


def why(one: Change, reasons: Reasons) -> str | None:
    """The reason for which this change may live; ``None`` when nobody has said one."""
    for listed in reasons.get(f"{one.module}.{one.function}", ()):
        if listed.get("was", one.was) == one.was and listed.get("becomes", one.becomes) == one.becomes:
            return listed["why"]
    return None


def write(by_module: Mapping[str, Score], specs: Seen | None = None) -> None:
    """docs/mutants.md anew. Raises ``ReasonsRefused``."""
    survivors = [change(mutant) for mutant in by_module["all"].survived] if "all" in by_module else []
    PAGE.write_text(page(by_module, survivors, read_reasons(), specs), encoding="utf-8")


def page(
    by_module: Mapping[str, Score], survivors: Iterable[Change], reasons: Reasons, specs: Seen | None = None
) -> str:
    """Markdown. ``by_module`` holds ``all`` as well; without ``specs`` nothing is told of them."""
    listed: dict[str, list[tuple[Change, str | None]]] = defaultdict(list)
    for one in survivors:
        listed[one.module].append((one, why(one, reasons)))
    return "\n".join([HEADLINE, *_table(by_module, listed), *_specs(specs), *_survivors(listed)]) + "\n"


def _table(by_module: Mapping[str, Score], listed: Mapping[str, list[tuple[Change, str | None]]]) -> Iterator[str]:
    yield "| file | mutants | killed | survived | of those explained | not run | score |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for module, score in sorted(by_module.items(), key=_all_first):
        known = listed.values() if module == "all" else [listed.get(module, [])]
        explained = sum(reason is not None for pairs in known for _, reason in pairs)
        survived = len(score.survived)
        yield (
            f"| {'**all**' if module == 'all' else module.removeprefix('services.')} | {score.killed + survived} "
            f"| {score.killed} | {survived} | {explained} | {score.unchecked} | {_share(score)} |"
        )
    yield ""


def _specs(specs: Seen | None) -> Iterator[str]:
    if specs is None:
        return
    count, blind = specs
    yield "## Specs\n"
    yield f"{count} specs were run alone, each against changes of the functions that it reaches until it failed."
    yield "Each of them failed by one.\n" if not blind else f"{len(blind)} of them failed by none:\n"
    yield from (f"- `{spec}`" for spec in blind)
    if blind:
        yield ""


def _share(score: Score) -> str:
    return f"{score.share * 100:.1f} %" if score.killed or score.survived else "–"


def _all_first(pair: tuple[str, Any]) -> tuple[bool, str]:
    return pair[0] != "all", pair[0]


def _survivors(listed: Mapping[str, list[tuple[Change, str | None]]]) -> Iterator[str]:
    for module, pairs in sorted(listed.items()):
        yield f"## {module.removeprefix('services.')}\n"
        for one, reason in sorted(pairs, key=lambda pair: (pair[0].function, pair[0].was, pair[0].becomes)):
            becomes = f"becomes {_code(one.becomes)}" if one.becomes else "goes"
            yield f"- `{one.function}`: {_code(one.was)} {becomes}: {reason or '**not explained**'}"
        yield ""


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"
