"""Documents kept and found: rows beside what the events say of them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from services.ledger.domain import Document

DOCUMENTS = UUID("5b7c0a52-64a2-4b7b-8f0e-0f6d3c9d2a41")
"""Namespace of documents: the same content on the same entry is the same document."""

INVOICES = ("invoice", "credit_note")
"""The kinds of entries that have a document."""

BY_ID = text(
    """
    select client_id, entry_id, piece from entry
    where company = :company and entry_id = any(:entry_ids) and not removed
    """
)
BY_NUMBER = text(
    """
    select client_id, entry_id, piece from entry
    where company = :company and piece = any(:pieces) and kind = any(:kinds) and not removed
    order by client_id, due_date, entry_id
    """
)
ERASED = text("select client_id from erased_person where company = :company and client_id = any(:client_ids)")
OF_CLIENTS = text(
    """
    select client_id, document_id, entry_id, sha256, bytes from document
    where company = :company and client_id = any(:client_ids)
    order by attached_on, document_id
    """
)
KEEP = """
    insert into document_file (company, document_id, file_name, content) values (%s, %s, %s, %b)
    on conflict (company, document_id) do nothing
"""
LET_GO = text("delete from document_file where company = :company and document_id = any(:document_ids)")
RENAME = text(
    "update document_file set document_id = :after where company = :company and document_id = :before"
    " and not exists (select from document_file where company = :company and document_id = :after)"
)
SHOWN = text(
    """
    select document_id, client_id, entry_id, file_name, bytes, sha256, attached_on, attached_by
    from document join document_file using (company, document_id)
    where company = :company and client_id = any(:client_ids)
    order by attached_on, file_name, document_id
    """
)
OF_ENTRIES = text(
    """
    select document_id, client_id, entry_id, file_name, bytes, sha256, attached_on, attached_by
    from document join document_file using (company, document_id)
    where company = :company and entry_id = any(:entry_ids)
    order by attached_on, file_name, document_id
    """
)
FILE = text(
    """
    select client_id, file_name, content from document join document_file using (company, document_id)
    where company = :company and document_id = :document_id
    """
)
MISSING = """
    select entry_id, client_id, kind, piece as invoice_number, entry_date, invoice_date, due_date,
        debit - credit as amount, currency, lettering is not null as lettered
    from entry
    where company = :company and not removed and kind = any(:kinds) and {open}
        (client_id, entry_id) > (:after_client, :after_entry) and entry_date >= :since
        and not exists (select from document known where known.company = entry.company
            and known.client_id = entry.client_id and known.entry_id = entry.entry_id)
        and not exists (select from erased_person gone
            where gone.company = entry.company and gone.client_id = entry.client_id)
    order by client_id, entry_id
    limit :limit
"""
ALL_MISSING = text(MISSING.format(open=""))
OPEN_MISSING = text(MISSING.format(open="lettering is null and"))


@dataclass(frozen=True, slots=True)
class Line:
    """An entry that a document may be attached to; ``piece`` is the number of its invoice."""

    client_id: str
    entry_id: str
    piece: str


def document_id(company: str, client_id: str, entry_id: str, sha256: str) -> UUID:
    """The client is part of it: an entry that moves to another client lives in another partition."""
    return uuid5(DOCUMENTS, f"{company}/{client_id}/{entry_id}/{sha256}")


async def lines_by_id(tx: AsyncConnection, company: str, entry_ids: Collection[str]) -> dict[str, list[Line]]:
    """By entry. The key of an entry holds its client, so one may stand under several."""
    found: dict[str, list[Line]] = defaultdict(list)
    for row in await tx.execute(BY_ID, {"company": company, "entry_ids": list(entry_ids)}):
        found[row.entry_id].append(Line(*row))
    return found


async def lines_by_number(tx: AsyncConnection, company: str, pieces: Collection[str]) -> dict[str, list[Line]]:
    """The invoices and credit notes of these numbers, by number."""
    found: dict[str, list[Line]] = defaultdict(list)
    asked = {"company": company, "pieces": list(pieces), "kinds": list(INVOICES)}
    for row in await tx.execute(BY_NUMBER, asked):
        found[row.piece].append(Line(*row))
    return found


async def erased_among(tx: AsyncConnection, company: str, client_ids: Collection[str]) -> set[str]:
    return set(await tx.scalars(ERASED, {"company": company, "client_ids": list(client_ids)}))


async def documents_of(
    tx: AsyncConnection, company: str, client_ids: Sequence[str]
) -> dict[str, dict[UUID, Document]]:
    """What is attached to the entries of these clients."""
    found: dict[str, dict[UUID, Document]] = defaultdict(dict)
    for row in await tx.execute(OF_CLIENTS, {"company": company, "client_ids": list(client_ids)}):
        found[row.client_id][row.document_id] = Document(row.document_id, row.entry_id, row.sha256, row.bytes)
    return found


async def keep(tx: AsyncConnection, company: str, document: UUID, file_name: str, content: bytes) -> None:
    connection = await driver(tx)
    await connection.execute(KEEP, (company, document, file_name, content), prepare=False)


async def let_go(tx: AsyncConnection, company: str, documents: Collection[UUID]) -> None:
    await tx.execute(LET_GO, {"company": company, "document_ids": list(documents)})


async def carry(tx: AsyncConnection, company: str, before: UUID, after: UUID) -> None:
    """The file of a document that goes on under another entry."""
    await tx.execute(RENAME, {"company": company, "before": before, "after": after})
    await let_go(tx, company, [before])


async def shown(tx: AsyncConnection, company: str, client_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The documents of these clients, the oldest first, without their content."""
    rows = await tx.execute(SHOWN, {"company": company, "client_ids": list(client_ids)})
    return [dict(row._mapping) for row in rows]


async def by_entry(
    tx: AsyncConnection, company: str, *, client_id: str = "", entry_ids: Sequence[str] = ()
) -> dict[str, list[dict[str, Any]]]:
    """The documents of a client, or of entries, by entry."""
    asked: dict[str, Any] = {"company": company}
    if client_id:
        rows = await tx.execute(SHOWN, asked | {"client_ids": [client_id]})
    else:
        rows = await tx.execute(OF_ENTRIES, asked | {"entry_ids": list(entry_ids)})
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row.entry_id].append(dict(row._mapping))
    return dict(found)
