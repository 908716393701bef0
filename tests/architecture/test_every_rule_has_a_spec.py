"""Every rule of docs/rules.md has a spec that says its number, or a reason to have none yet.

A spec cites a rule in its docstring ("Rule 4.9", "Rules 8.4, 8.12", "Example 21.6") or, a story, in its file name
(``rule_21_6_promise.yaml``). Whoever adds a rule adds a spec; whoever builds what a rule waited for takes it from
the table below, because a rule that has a spec may not stand there.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cli.places import ROOT

RULES = ROOT / "docs" / "rules.md"
TESTS = ROOT / "tests"

NOTHING_TO_TEST = {
    "2.5": "how many bases one connector of the reference product takes; ours has no limit",
    "2.7": "an advice to people",
    "4.17": "which of the reference product's plans holds a feature; we have no plans",
    "18.1": "what a training programme of the reference product announces",
}
WAITS_FOR = {
    "15.1": "E1, users and invitations",
    "16.4": "E4, planned exports",
    "16.10": "B9, several companies",
}

NUMBER = r"\d+\.\d+"
STANDS_AT_THE_START = re.compile(rf"\*{{0,2}}({NUMBER})\*{{0,2}} ")
STANDS_IN_A_TABLE = re.compile(rf"\| ({NUMBER}) \|")
IN_SECTION_22 = re.compile(r"(\d+)\. ")
CITED = re.compile(rf"(?:[Rr]ules?|[Ee]xamples?) ({NUMBER}(?:(?:,? and |, ){NUMBER})*)")
STORY = re.compile(r"rule_(\d+)_(\d+)_")


@cache
def rules() -> set[str]:
    """The numbers of docs/rules.md; the decisions of its section 22 are numbered without their section."""
    found: set[str] = set()
    section = ""
    for line in RULES.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:].partition(".")[0]
        elif match := STANDS_AT_THE_START.match(line) or STANDS_IN_A_TABLE.match(line):
            found.add(match[1])
        elif section == "22" and (match := IN_SECTION_22.match(line)):
            found.add(f"22.{match[1]}")
    return found


@cache
def cited_by_specs() -> dict[str, list[str]]:
    """Rule to the specs that cite it. A range such as "4.6 to 4.12" cites nothing: each rule wants its own."""
    specs: dict[str, list[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        for name, docstring in _specs_of(file):
            for match in CITED.finditer(docstring):
                for number in re.findall(NUMBER, match[1]):
                    specs.setdefault(number, []).append(f"{file.name}::{name}")
    for file in sorted((TESTS / "stories").glob("*.yaml")):
        if match := STORY.match(file.name):
            specs.setdefault(f"{match[1]}.{match[2]}", []).append(file.name)
    return specs


def _specs_of(file: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, re.sub(r"\s+", " ", ast.get_docstring(node) or "")


def test_the_rules_are_read():
    assert {"1.1", "8.11", "21.6", "22.13"} <= rules()
    assert len(rules()) > 180


def test_every_rule_has_a_spec_or_a_reason_to_have_none():
    uncovered = rules() - set(cited_by_specs()) - set(NOTHING_TO_TEST) - set(WAITS_FOR)
    assert sorted(uncovered, key=_in_order) == []


def test_no_spec_cites_a_rule_that_is_not_there():
    unknown = {number: specs for number, specs in cited_by_specs().items() if number not in rules()}
    assert unknown == {}


@pytest.mark.parametrize("number", sorted({**NOTHING_TO_TEST, **WAITS_FOR}))
def test_a_rule_that_has_a_spec_waits_for_nothing(number):
    assert number in rules()
    assert number not in cited_by_specs()


def _in_order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))
