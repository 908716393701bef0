"""docs/features.md tells the truth of itself: its pages, commands, guides and tests exist, its sums are right."""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

import pytest
import typer.main

import cli.__main__  # noqa: F401 - hangs the commands on the app
from cli.app import app
from cli.places import ROOT
from services.console.site import ROOMS

PAGE = ROOT / "docs" / "features.md"
TESTS = ROOT / "tests"
SECTIONS = {"A": 14, "B": 12, "C": 19, "D": 11, "E": 9, "F": 6}
"""How many features each section has; their numbers have no gap."""
STATES = ("whole", "partly", "absent")
SUMS = re.compile(r"Of (\d+) features (\d+) are whole, (\d+) partly there, (\d+) absent\.")
CODE = re.compile(r"`([^`]+)`")
GUIDE = re.compile(r"\]\(([^)]+)\)")


@dataclass(frozen=True)
class Feature:
    id: str
    state: str
    lacks: str
    where: str
    proof: str


def features() -> list[Feature]:
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\| [A-F]\d+ \|", line):
            key, _, state, where, proof = (cell.strip() for cell in line.strip("|").split("|"))
            told, _, lacks = state.partition(" – ")
            found.append(Feature(key, told, lacks, where, proof))
    return found


@cache
def pages() -> set[str]:
    """Addresses below a company that answer to a person's look."""
    paths = {
        route.path.removeprefix("/c/{company}")
        for room in ROOMS
        for route in room.router.routes
        if "GET" in getattr(route, "methods", ())
    }
    return {path for path in paths if path}


@cache
def commands() -> set[str]:
    return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@cache
def written_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_feature_stands_there_once_and_the_sums_are_right() -> None:
    known = features()
    assert [one.id for one in known] == [f"{key}{n + 1}" for key, count in SECTIONS.items() for n in range(count)]
    assert {one.state for one in known} <= set(STATES)
    told = SUMS.search(PAGE.read_text(encoding="utf-8"))
    assert told is not None
    counted = Counter(one.state for one in known)
    assert [int(number) for number in told.groups()] == [len(known), *(counted[state] for state in STATES)]


@pytest.mark.parametrize("feature", features(), ids=lambda one: one.id)
def test_a_feature_names_what_exists(feature: Feature) -> None:
    """What is there is seen somewhere and proven; what is partly there says besides what it lacks."""
    places, proofs = CODE.findall(feature.where), CODE.findall(feature.proof)
    assert bool(places) is bool(proofs) is (feature.state != "absent")
    assert bool(feature.lacks) is (feature.state == "partly")
    for place in places:
        if place.startswith("/"):
            assert place in pages(), f"{place} is no page"
        else:
            assert place.removeprefix("relance ") in commands(), f"{place} is no command"
    for guide in GUIDE.findall(feature.where):
        assert (PAGE.parent / guide).is_file(), guide
    for proof in proofs:
        file, _, name = proof.partition("::")
        assert (TESTS / file).is_file(), file
        assert not name or name in written_in(file), proof
