"""Plumbing 6: within a major version an event only gains optional fields."""

from typing import Any

import pytest

from cli.contract_changes import breaking_changes


def event(properties: dict[str, Any], required: list[str], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, **more}


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
OLD = event({"a": TEXT, "b": NUMBER}, ["a"])
PART = {"$defs": {"Part": event({"x": TEXT}, ["x"])}}
LIST = event({"parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}}}, [], **PART)


def test_nothing_changed() -> None:
    assert breaking_changes(OLD, OLD) == []


def test_a_new_optional_field_is_welcome() -> None:
    assert breaking_changes(OLD, event({**OLD["properties"], "c": TEXT}, ["a"])) == []


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (event({"a": TEXT}, ["a"]), "b is gone"),
        (event({"a": NUMBER, "b": NUMBER}, ["a"]), "a has another type"),
        (event({"a": TEXT, "b": NUMBER}, []), "a may now be missing"),
        (event({"a": TEXT, "b": NUMBER}, ["a", "b"]), "b must now be there"),
        (event({"a": {"anyOf": [TEXT, {"type": "null"}]}, "b": NUMBER}, ["a"]), "a has other alternatives"),
    ],
)
def test_what_takes_something_away_is_named(new: dict[str, Any], sentence: str) -> None:
    assert sentence in breaking_changes(OLD, new)


def test_parts_are_looked_into() -> None:
    smaller = {**LIST, "$defs": {"Part": event({}, [])}}
    assert breaking_changes(LIST, smaller) == ["parts[].x is gone"]
