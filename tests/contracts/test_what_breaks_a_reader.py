"""Plumbing 6: within a major version an event only gains optional fields."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cli import contract_files
from cli.contract_changes import breaking_changes
from cli.contract_files import schema
from contracts.registry import EVENTS


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
        (event({"a": TEXT}, ["a"]), "b is gone: keep it, and add what replaces it beside it"),
        (event({"a": NUMBER, "b": NUMBER}, ["a"]), "a has another type: 'string' became 'integer'"),
        (event({"a": TEXT, "b": NUMBER}, []), "a may now be missing: readers rely on its being there"),
        (
            event({"a": TEXT, "b": NUMBER}, ["a", "b"]),
            "b must now be there: events that were said lack it, so give it a default",
        ),
        (event({"a": {"anyOf": [TEXT, {"type": "null"}]}, "b": NUMBER}, ["a"]), "a has other alternatives"),
    ],
)
def test_what_takes_something_away_is_named(new: dict[str, Any], sentence: str) -> None:
    assert sentence in breaking_changes(OLD, new)


def test_parts_are_looked_into() -> None:
    smaller = {**LIST, "$defs": {"Part": event({}, [])}}
    assert breaking_changes(LIST, smaller) == ["parts[].x is gone: keep it, and add what replaces it beside it"]


def words(*said: str) -> dict[str, Any]:
    return event({"medium": {"type": "string", "enum": list(said)}}, [])


def test_a_new_word_is_welcome_and_one_that_is_gone_is_named() -> None:
    """Enumerations are open: readers pass over words that they do not know."""
    assert breaking_changes(words("email", "letter"), words("email", "letter", "sms")) == []
    assert breaking_changes(words("email", "letter"), words("email")) == [
        "medium no longer says 'letter': readers wait for it"
    ]
    assert breaking_changes(words("email"), OLD_MEDIUM) == ["medium has another enum: ['email'] became any value"]


OLD_MEDIUM = event({"medium": TEXT}, [])


def parts_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every object with fields in a schema."""
    if isinstance(value, dict):
        if value.get("properties"):
            yield value
        for one in value.values():
            yield from parts_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from parts_of(one)


def changed(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """An event's schema with one thing taken away from it, in every way there is."""
    original = schema(EVENTS[name])
    for number, part in enumerate(parts_of(original)):
        for field, form in part["properties"].items():
            for what in ("removed", "renamed", "retyped", "narrowed"):
                if what == "narrowed" and len(form.get("enum", ())) < 2:
                    continue
                copy = deepcopy(original)
                fields = list(parts_of(copy))[number]["properties"]
                match what:
                    case "removed":
                        del fields[field]
                    case "renamed":
                        fields[f"{field}_new"] = fields.pop(field)
                    case "retyped":
                        fields[field] = {"type": "boolean" if form.get("type") != "boolean" else "string"}
                    case "narrowed":
                        fields[field]["enum"] = fields[field]["enum"][1:]
                yield f"{field} {what}", copy


@pytest.mark.parametrize("name", EVENTS)
def test_nothing_of_any_event_can_be_taken_away_unseen(name: str) -> None:
    """Removed, renamed, retyped or narrowed: each field of each event, those of its parts included."""
    published = schema(EVENTS[name])
    for what, copy in changed(name):
        found = breaking_changes(published, copy)
        assert found, what
        assert any(what.partition(" ")[0] in sentence for sentence in found), (what, found)


def test_the_command_refuses_to_write_what_breaks_a_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "relance.ledger.PromiseRecorded.v1"
    promised = schema(EVENTS[name])
    promised["properties"]["promised_by"] = TEXT
    (tmp_path / f"{name}.json").write_text(json.dumps(promised))
    monkeypatch.setattr(contract_files, "SCHEMAS", tmp_path)
    with pytest.raises(contract_files.ContractBroken, match=f"{name} changed in ways .*promised_by is gone"):
        contract_files.write()
