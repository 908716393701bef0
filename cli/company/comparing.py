"""Two exports of one company, held against each other: what differs besides an installation's places and times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from cli.company.bundle import Bundle
from cli.company.importing import Numbers
from cli.company.inventory import NUMBERS
from contracts.subjects import SPEAKERS

MOST_TOLD = 200


def differences(one: Bundle, other: Bundle) -> list[str]:
    """What one of them has otherwise, file by file and line by line; nothing when they are alike."""
    return [*_differences(one, other)][:MOST_TOLD]


def _differences(one: Bundle, other: Bundle) -> Iterator[str]:
    left, right = (_names(bundle) for bundle in (one, other))
    yield from (f"{name} is in {one.path.name} alone" for name in sorted(left - right))
    yield from (f"{name} is in {other.path.name} alone" for name in sorted(right - left))
    numbers = [_ordinals(bundle) for bundle in (one, other)]
    for name in sorted(left & right):
        if name.startswith("files/"):
            continue  # named by what they hold
        pairs = zip_longest(one.lines(name), other.lines(name))
        for line, (mine, theirs) in enumerate(pairs, 1):
            if mine is None or theirs is None:
                yield f"{name} line {line}: it is in {(other if mine is None else one).path.name} alone"
                break
            if _alike(name, mine, numbers[0]) != _alike(name, theirs, numbers[1]):
                yield f"{name} line {line}: {mine.decode()[:300]} | {theirs.decode()[:300]}"


def _names(bundle: Bundle) -> set[str]:
    """The files that hold anything."""
    return {name for name, told in bundle.manifest["files"].items() if told.get("lines", 1)}


def _ordinals(bundle: Bundle) -> Numbers:
    """The company's own events, counted."""
    numbers = Numbers()
    for speaker in SPEAKERS:
        for name in bundle.named(f"events/{speaker}/"):
            place = speaker, int(name[-8:-6])
            numbers.before[place] = [json.loads(line)["number"] for line in bundle.lines(name)]
            numbers.first[place] = 1
    return numbers


def _alike(name: str, line: bytes, numbers: Numbers) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line, parse_float=str)
    if name.startswith("events/"):
        row |= {"number": 0, "recorded_at": None}
        return {**row, "body": numbers.in_positions(row["body"])}
    _, schema, table = name.removesuffix(".jsonl").split("/")
    for (of, named, column), speaker in NUMBERS.items():
        if (of, named) == (schema, table):
            row[column] = numbers.now(speaker, row["p"], row[column])
    if table == "parked":
        row["pseq"] = numbers.now(row["speaker"], row["p"], row["pseq"])
    result: dict[str, Any] = numbers.in_positions(row)
    return result
