"""Taking a ZIP of documents in, item by item: each is attached, known already, or refused with its reason.

Items that can be taken are, whatever the others are; the same ZIP again attaches nothing twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from services.ledger import queries
from services.ledger.api.stating import Stating
from services.ledger.documents import keeping
from services.ledger.documents.bundle import Bundle, FileRefused, Seen
from services.ledger.documents.keeping import Line
from services.ledger.documents.naming import Item, Unreadable, items_of
from services.ledger.domain import AttachDocument, Command, Document

Status = Literal["attached", "known", "refused"]


@dataclass(slots=True)
class Result:
    """What became of one item of ``metadata.json``, or of a file that it does not name."""

    file: str | None
    status: Status = "refused"
    client_id: str | None = None
    entry_ids: tuple[str, ...] = ()
    document_ids: tuple[UUID, ...] = ()
    code: str | None = None
    message: str | None = None
    remedy: str | None = None

    def refuse(self, code: str, message: str, remedy: str = "") -> None:
        self.code, self.message, self.remedy = code, message, remedy or None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item that can be taken: its result to be, its file, and the lines that it belongs to."""

    result: Result
    file: str
    seen: Seen
    lines: tuple[Line, ...]


async def take(stating: Stating, bundle: Bundle) -> tuple[list[Result], list[Any]]:
    """What became of every item, and the positions of what was said. Raises ``BundleRefused``.

    Files are looked at before any client is locked; the content of what is new is read once more while it is kept.
    """
    items = items_of(await asyncio.to_thread(bundle.metadata))
    results: list[Result] = []
    looked: dict[str, Seen | FileRefused] = {}
    told = await _lines(stating, items)
    wanted: list[Wanted] = []
    for item in items:
        result = Result(item.file)
        results.append(result)
        if isinstance(item, Unreadable):
            result.refuse("item-invalid", item.sentence)
            continue
        lines = _lines_of(item, told, result)
        if not lines:
            continue
        if item.file not in looked:
            looked[item.file] = await asyncio.to_thread(_look, bundle, item.file)
        seen = looked[item.file]
        if isinstance(seen, FileRefused):
            result.refuse(seen.code, str(seen), seen.remedy)
            continue
        wanted.append(Wanted(result, item.file, seen, lines))
    named = {item.file for item in items}
    for name in bundle.names:
        if name not in named:
            left = Result(name)
            left.refuse("file-unnamed", f"metadata.json does not name {name}.", "Say which entry it belongs to.")
            results.append(left)
    return results, await _attach(stating, bundle, wanted)


def _look(bundle: Bundle, name: str) -> Seen | FileRefused:
    try:
        return bundle.look_at(name)
    except FileRefused as refused:
        return refused


@dataclass(frozen=True, slots=True)
class Known:
    by_id: Mapping[str, list[Line]]
    by_number: Mapping[str, list[Line]]


async def _lines(stating: Stating, items: Sequence[Item | Unreadable]) -> Known:
    """The entries that the items name."""
    entry_ids = {item.entry_id for item in items if isinstance(item, Item) and item.entry_id}
    numbers = {item.invoice_number for item in items if isinstance(item, Item) and item.invoice_number}
    return Known(
        await keeping.lines_by_id(stating.tx, stating.company, entry_ids) if entry_ids else {},
        await keeping.lines_by_number(stating.tx, stating.company, numbers) if numbers else {},
    )


def _lines_of(item: Item, known: Known, result: Result) -> tuple[Line, ...]:
    """The lines that an item names; none when it is refused."""
    found = known.by_id.get(item.entry_id or "", []) or known.by_number.get(item.invoice_number or "", [])
    if item.client_id is not None:
        found = [line for line in found if line.client_id == item.client_id]
    clients = sorted({line.client_id for line in found})
    if not found:
        what = f"entry {item.entry_id}" if item.entry_id else f"invoice {item.invoice_number}"
        of_whom = f" of the client {item.client_id}" if item.client_id else ""
        remedy = "Synchronise first, then ask for the entries without a document."
        result.refuse("entry-unknown", f"There is no {what}{of_whom}.", remedy)
        return ()
    if len(clients) > 1:
        several = f"{len(clients)} clients have an invoice {item.invoice_number}: {', '.join(clients[:5])}."
        result.refuse("invoice-of-several-clients", several, "Say client_id too, or entry_id.")
        return ()
    result.client_id = clients[0]
    result.entry_ids = tuple(line.entry_id for line in found)
    return tuple(found)


async def _attach(stating: Stating, bundle: Bundle, wanted: Sequence[Wanted]) -> list[Any]:
    """Lock the clients, say what is new, keep its content. One transaction, the request's."""
    tx, company = stating.tx, stating.company
    client_ids = sorted({one.lines[0].client_id for one in wanted})
    await queries.lock_clients(tx, company, client_ids)
    erased = await keeping.erased_among(tx, company, client_ids)
    known = await keeping.documents_of(tx, company, client_ids)
    facts: dict[str, list[Command]] = {}
    for one in wanted:
        client_id = one.lines[0].client_id
        if client_id in erased:
            sentence = f"The person behind the client {client_id} was erased."
            one.result.refuse("person-erased", sentence, "An administrator may admit the person again.")
            continue
        ids = [keeping.document_id(company, client_id, line.entry_id, one.seen.sha256) for line in one.lines]
        one.result.document_ids = tuple(ids)
        one.result.status = "known"
        for document_id, line in zip(ids, one.lines, strict=True):
            if document_id in known[client_id]:
                continue
            one.result.status = "attached"
            document = Document(document_id, line.entry_id, one.seen.sha256, one.seen.bytes)
            known[client_id][document_id] = document
            facts.setdefault(client_id, []).append(AttachDocument(document))
            content = await asyncio.to_thread(bundle.content, one.file)
            await keeping.keep(tx, company, document_id, one.file.rpartition("/")[2], content)
    return await stating.state_of_many(facts)
