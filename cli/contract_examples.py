"""Golden examples: for every version of every event, messages that must load for ever.

``1-full.json`` has every field, ``1-bare.json`` only those that must be there. When fields are added,
``2-full.json`` is made beside them. A file once committed is never changed or removed.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel

from chassis.delivered import Cause, Delivered
from chassis.envelope import headers
from cli.places import ROOT
from contracts.event import Event

GOLDEN = ROOT / "tests" / "contracts" / "golden"
NAMES = UUID("7d6f1c52-7f0c-5d0a-9a35-0d7c1a5b8a11")
DAY = date(2026, 3, 17)
INSTANT = datetime(2026, 3, 17, 8, 30, tzinfo=UTC)
WORDS = {
    "client_id": "411DUPONT",
    "entry_id": "0f8b2c1d4e5a69788796a5b4c3d2e1f0",
    "currency": "EUR",
    "book_currency": "EUR",
    "account": "411000",
    "journal": "VE",
    "piece": "FA-2026-0042",
    "lettering": "AB",
    "SyncedEntry.kind": "invoice",
    "Action.kind": "reminder",
    "medium": "email",
    "step": "R1",
    "time_zone": "Europe/Paris",
    "country": "FR",
    "language": "fr",
    "fiscal_year_start": "01-01",
    "profile": "Standard",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "default_profile": "Standard",
    "connector": "fec",
    "source": "fec",
    "counted_from": "due_date",
    "mode": "manual",
    "netting": "same_level",
    "level_before": "R1",
    "level_after": "R2",
    "next_step": "R3",
    "not_before": "08:00",
    "basis": "contract",
    "debtors": "all_but",
    "message_id": "<0198a5b4c3d2e1f0@relance.invalid>",
}


def golden_files(events: Mapping[str, type[Event]]) -> dict[Path, str]:
    """The examples that present versions need: those committed already, or new ones beside them."""
    files: dict[Path, str] = {}
    for name, event in events.items():
        folder = GOLDEN / name
        for form in ("full", "bare"):
            text = example(event, full=form == "full")
            same = [file for file in folder.glob(f"*-{form}.json") if _fields(file) == _fields_of(text)]
            if same:
                files[same[0]] = same[0].read_text(encoding="utf-8")
            else:
                files[folder / f"{len(list(folder.glob(f'*-{form}.json'))) + 1}-{form}.json"] = text
    return files


def example(event: type[Event], *, full: bool) -> str:
    """One message: its headers and its data."""
    said = event.model_validate(_values(event, full=full))
    client = getattr(said, "client_id", None)
    delivered = Delivered.of(
        said,
        company="acme",
        client_id=client,
        as_of=DAY,
        number=42,
        event_id=uuid5(NAMES, event.type_name()),
        occurred_at=INSTANT,
        cause=Cause("user:7", uuid5(NAMES, "correlation"), uuid5(NAMES, "causation") if full else None),
    )
    return json.dumps({"headers": headers(delivered), "data": _data(said, full=full)}, indent=2) + "\n"


def _data(said: BaseModel, *, full: bool) -> Any:
    return said.model_dump(mode="json", exclude_unset=not full)


def _values(model: type[BaseModel], *, full: bool) -> dict[str, Any]:
    return {
        name: WORDS.get(f"{model.__name__}.{name}")
        or _value(name, field.annotation, str(field.metadata), full=full)
        for name, field in model.model_fields.items()
        if full or field.is_required()
    }


def _value(name: str, annotation: Any, bounds: str, *, full: bool) -> Any:  # noqa: PLR0911 - one per kind
    """A value of a type. ``bounds`` is what the type's annotations say of it, as text."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *more = typing.get_args(annotation)
        return _value(name, inner, f"{bounds} {more}", full=full)
    if origin in (typing.Union, types.UnionType):
        chosen = next(one for one in typing.get_args(annotation) if one is not type(None))
        return _value(name, chosen, bounds, full=full)
    if origin is tuple:
        return (_value(name.removesuffix("s"), typing.get_args(annotation)[0], bounds, full=full),)
    if origin is dict:
        key, value = typing.get_args(annotation)
        return {"sync" if key is str else 7: _value("number", value, bounds, full=full)}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _values(annotation, full=full)
    plain = {bool: True, int: 3, Decimal: "1250.40", date: DAY, datetime: INSTANT, UUID: uuid5(NAMES, name)}
    if annotation in plain:
        return plain[annotation]
    if "[0-9a-f]{32}" in bounds:
        return WORDS["entry_id"]
    return WORDS.get(name, name.replace("_", "-"))


def _fields(file: Path) -> set[str]:
    return _fields_of(file.read_text(encoding="utf-8"))


def _fields_of(text: str) -> set[str]:
    return set(_paths(json.loads(text)["data"], ""))


def _paths(value: Any, at: str) -> list[str]:
    if isinstance(value, dict):
        return [path for key, one in value.items() for path in (f"{at}.{key}", *_paths(one, f"{at}.{key}"))]
    if isinstance(value, list):
        return [path for one in value for path in _paths(one, f"{at}[]")]
    return []
