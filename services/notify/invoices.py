"""The documents of invoices, which lie at ledger: told of before they are fetched, fetched once by their hash."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.database import transaction
from chassis.http_client import Neighbour, NeighbourRefused
from chassis.running import Running
from services.notify.attachments import File, keep, known, within_limits
from services.notify.domain import statement

if TYPE_CHECKING:
    from services.notify.desk import Desk

PDF = "application/pdf"


async def files_of_messages(
    running: Running, desk: Desk, action_ids: Sequence[UUID], *, fetch: bool = True
) -> Mapping[UUID, tuple[File, ...]]:
    """What goes with each message: the files that a person chose, then the documents of its invoices, the oldest
    first, as many as a message may carry. With ``fetch`` those documents are kept here. Raises what ``Neighbour``
    raises."""
    looked = {one: desk.looked[one] for one in action_ids}
    lines = {
        one: [line.entry_id for line in statement(about.action, about.now.entries, desk.as_of).lines]
        for one, about in looked.items()
        if desk.wants_invoices(about)
    }
    asked = {entry for entries in lines.values() for entry in entries}
    documents = await documents_of(running.neighbour("ledger"), desk.company, asked) if asked else {}
    found: dict[UUID, tuple[File, ...]] = {}
    for one, about in looked.items():
        draft = desk.draft_of(about)
        invoices = [file for entry in lines.get(one, ()) for _, file in documents.get(entry, ())]
        if files := within_limits([*(draft.files if draft else ()), *invoices]):
            found[one] = files
    if not fetch:
        return found
    carried = {file for files in found.values() for file in files}
    offered = [one for every in documents.values() for one in every]
    sources = {file: document for document, file in offered if file in carried}
    if not sources:
        return found
    gone = await fetch_documents(running.engine, running.neighbour("ledger"), desk.company, sources)
    return {one: tuple(file for file in files if file not in gone) for one, files in found.items()}


async def documents_of(
    ledger: Neighbour, company: str, entry_ids: Collection[str]
) -> Mapping[str, list[tuple[UUID, File]]]:
    """By entry, each document and the file it would be. Raises what ``Neighbour`` raises."""
    answer = await ledger.post("/documents/query", company=company, json={"entry_ids": sorted(entry_ids)})
    return {
        entry_id: [
            (UUID(str(one["document_id"])), File(one["sha256"], one["file_name"], PDF, int(one["bytes"])))
            for one in documents
        ]
        for entry_id, documents in answer["documents"].items()
    }


async def fetch_documents(
    engine: AsyncEngine, ledger: Neighbour, company: str, wanted: Mapping[File, UUID]
) -> set[File]:
    """Keep the contents that are not kept yet, one at a time; answers the files that are gone meanwhile. Raises
    what ``Neighbour`` raises."""
    gone: set[File] = set()
    async with transaction(engine, company) as tx:
        kept = await known(tx, company, [file.sha256 for file in wanted])
    for file, document_id in wanted.items():
        if file.sha256 in kept:
            continue
        try:
            content = (await ledger.request("GET", f"/documents/{document_id}", company=company)).content
        except NeighbourRefused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            gone.add(file)
            continue
        async with transaction(engine, company) as tx:
            kept[await keep(tx, company, content, PDF)] = len(content)
    return gone
