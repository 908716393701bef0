"""``metadata.json``: which file of a ZIP belongs to which entry.

::

    {"documents": [
        {"file": "FA-2026-0042.pdf", "entry_id": "0f8b2c1d4e5a69788796a5b4c3d2e1f0"},
        {"file": "FA-2026-0043.pdf", "invoice_number": "FA-2026-0043", "client_id": "411DUPONT"}]}

An entry is named by its id, or by the number of its invoice; the client is needed where several clients have an
invoice of that number. An invoice of several lines (instalments) has its document at each of them.
"""

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.event import ClientId, EntryId
from services.ledger.documents.bundle import BundleRefused

LONGEST_FILE_NAME = 200
MOST_ITEMS = 20_000


class Item(BaseModel):
    """One file for one entry, or for the entries of one invoice."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(min_length=1, max_length=LONGEST_FILE_NAME)
    entry_id: EntryId | None = None
    invoice_number: str | None = Field(None, min_length=1, max_length=100)
    client_id: ClientId | None = None

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if (self.entry_id is None) == (self.invoice_number is None):
            raise ValueError("either entry_id or invoice_number is needed, not both")
        if "\0" in f"{self.file}{self.invoice_number}{self.client_id}":
            raise ValueError("a name holds the character NUL")
        return self


class Unreadable(BaseModel):
    """An item that cannot be understood; ``file`` where it has one."""

    file: str | None
    sentence: str


def items_of(metadata: bytes) -> list[Item | Unreadable]:
    """The items in their order. Raises ``BundleRefused`` when the whole cannot be read; an item that cannot is
    told beside the others."""
    try:
        told = json.loads(metadata)
    except json.JSONDecodeError as broken:
        raise _unreadable(f"line {broken.lineno}, column {broken.colno}: {broken.msg}") from broken
    except (UnicodeDecodeError, RecursionError) as broken:
        raise _unreadable("it is no JSON in UTF-8") from broken
    found = told.get("documents") if isinstance(told, dict) else told
    if not isinstance(found, list):
        raise _unreadable("it holds no list named documents")
    if len(found) > MOST_ITEMS:
        raise _unreadable(f"it names {len(found)} documents, at most {MOST_ITEMS} are taken at once")
    return [_item(number, one) for number, one in enumerate(found)]


def _item(number: int, told: Any) -> Item | Unreadable:
    try:
        return Item.model_validate(told)
    except ValidationError as invalid:
        faults = [
            ".".join(("documents", str(number), *map(str, fault["loc"]))) + ": " + fault["msg"]
            for fault in invalid.errors(include_input=False, include_url=False, include_context=False)
        ]
        name = told.get("file") if isinstance(told, dict) else None
        file = name[:LONGEST_FILE_NAME] if isinstance(name, str) else None
        return Unreadable(file=file, sentence="; ".join(faults) + ".")


def _unreadable(why: str) -> BundleRefused:
    return BundleRefused(
        "metadata-unreadable",
        f"metadata.json cannot be read: {why}.",
        'It is {"documents": [{"file": …, "entry_id": …}, …]}, or invoice_number and client_id instead.',
    )
