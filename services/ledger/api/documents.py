"""Documents of entries (rule 19.6): which are missing, a ZIP of them taken in, listed, handed out, taken away."""

import asyncio
import tempfile
import zipfile
from datetime import date
from typing import IO, Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text

from chassis.http import CompanyDep, RunningDep, TxDep, accepted, for_connectors, requires
from chassis.problems import Problem
from chassis.scopes import for_keys
from chassis.zips import Zipping, in_parts
from contracts.event import ClientId, EntryId
from services.ledger.api.once import OnceDep
from services.ledger.api.stating import Body, StatingDep
from services.ledger.codes import codes_of_client
from services.ledger.documents import keeping, taking
from services.ledger.documents.bundle import MEGABYTE, Bundle, BundleRefused, Limits
from services.ledger.domain import RemoveDocument
from services.ledger.domain.refusals import UnknownClient, UnknownDocument
from services.ledger.settings import LedgerSettings

router = APIRouter(prefix="/companies/{company}")

IN_MEMORY = 4 * MEGABYTE
KNOWN = text("select client_id from client where company = :company and client_id = :client_id")
CLIENT_OF = text("select client_id from document where company = :company and document_id = :document_id")
ZIP_BODY = {
    "requestBody": {
        "required": True,
        "description": "The ZIP: PDFs, and metadata.json that says which belongs to which entry.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}
PDF_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}
ENTRY = "0f8b2c1d4e5a69788796a5b4c3d2e1f0"
DOCUMENT = "8a1f6f0e-2f0b-5c55-9a38-0f2f4a1f9b7d"


class MissingEntry(BaseModel):
    """An invoice or a credit note without a document; ``amount`` is debit minus credit."""

    entry_id: EntryId
    client_id: ClientId
    kind: str
    invoice_number: str
    entry_date: date
    invoice_date: date | None
    due_date: date
    amount: str
    currency: str
    lettered: bool


class MissingEntries(BaseModel):
    """``next`` is the ``after`` of the page that follows; null on the last one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entries": [
                        {
                            "entry_id": ENTRY,
                            "client_id": "411DUPONT",
                            "kind": "invoice",
                            "invoice_number": "FA-2026-0042",
                            "entry_date": "2026-03-02",
                            "invoice_date": "2026-03-02",
                            "due_date": "2026-04-01",
                            "amount": "1250.40",
                            "currency": "EUR",
                            "lettered": False,
                        }
                    ],
                    "next": f"{ENTRY}/411DUPONT",
                }
            ]
        }
    )

    entries: list[MissingEntry]
    next: str | None


class TakenDocument(BaseModel):
    """What became of one item of metadata.json, or of a file that it does not name."""

    file: str | None
    status: taking.Status
    client_id: str | None
    entry_ids: list[EntryId]
    document_ids: list[UUID]
    code: str | None
    message: str | None
    remedy: str | None


class TakenDocuments(BaseModel):
    """How many were ``attached``, were ``known`` before, were ``refused``; then each."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "position": "ledger/7/42",
                    "positions": ["ledger/7/42"],
                    "attached": 1,
                    "known": 0,
                    "refused": 1,
                    "results": [
                        {
                            "file": "FA-2026-0042.pdf",
                            "status": "attached",
                            "client_id": "411DUPONT",
                            "entry_ids": [ENTRY],
                            "document_ids": [DOCUMENT],
                            "code": None,
                            "message": None,
                            "remedy": None,
                        },
                        {
                            "file": "FA-2026-0043.pdf",
                            "status": "refused",
                            "client_id": None,
                            "entry_ids": [],
                            "document_ids": [],
                            "code": "entry-unknown",
                            "message": "There is no invoice FA-2026-0043.",
                            "remedy": "Synchronise first, then ask for the entries without a document.",
                        },
                    ],
                }
            ]
        }
    )

    position: str | None
    positions: list[str]
    attached: int
    known: int
    refused: int
    results: list[TakenDocument]


class MissingQuery(BaseModel):
    """``unlettered`` leaves out what is settled, ``since`` what was booked before a day."""

    unlettered: bool = False
    since: date = date.min
    after: str = Field("", pattern=r"^([0-9a-f]{32}/.{1,64})?$", description="The ``next`` of the page before")
    limit: int = Field(500, ge=1, le=5000)


class OfDocument(Body):
    document_id: UUID


class EntriesQuery(Body):
    entry_ids: list[EntryId] = Field(max_length=5000, examples=[[ENTRY]])


@router.get("/documents/missing", response_model=MissingEntries)
@for_keys("write:documents")
@for_connectors
async def get_missing(company: CompanyDep, tx: TxDep, asked: Annotated[MissingQuery, Query()]) -> dict[str, Any]:
    """Invoices and credit notes without a document, page by page; those of an erased person are left out."""
    after_entry, _, after_client = asked.after.partition("/")
    parameters = {
        "company": company,
        "kinds": list(keeping.INVOICES),
        "after_client": after_client,
        "after_entry": after_entry,
        "since": asked.since,
        "limit": asked.limit + 1,
    }
    rows = list(await tx.execute(keeping.OPEN_MISSING if asked.unlettered else keeping.ALL_MISSING, parameters))
    page = [{**row._mapping, "amount": format(row.amount, "f")} for row in rows[: asked.limit]]
    last = page[-1] if len(rows) > asked.limit else None
    return {"entries": page, "next": f"{last['entry_id']}/{last['client_id']}" if last else None}


@router.post("/documents", response_model=TakenDocuments, openapi_extra=ZIP_BODY)
@for_keys("write:documents")
@for_connectors
async def post_documents(request: Request, process: RunningDep, stating: StatingDep) -> dict[str, Any]:
    """Attach the PDFs of a ZIP to entries; ``metadata.json`` in it says which belongs to which::

        {"documents": [{"file": "FA-2026-0042.pdf", "entry_id": "0f8b2c1d4e5a69788796a5b4c3d2e1f0"},
                       {"file": "FA-2026-0043.pdf", "invoice_number": "FA-2026-0043", "client_id": "411DUPONT"}]}

    Each item is taken or refused by itself, with a reason and a remedy; those refused may be sent again in
    another ZIP. The same ZIP again changes nothing. Answers 413 and 422 for a ZIP that cannot be taken at all.
    """
    settings = process.settings
    assert isinstance(settings, LedgerSettings)
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="relance-documents-") as file:
        await _receive(request, file, settings.largest_bundle_mb * MEGABYTE)
        limits = Limits(settings.largest_document_mb * MEGABYTE, settings.largest_unpacked_mb * MEGABYTE)
        try:
            bundle = await asyncio.to_thread(Bundle, file, limits)
            results, positions = await taking.take(stating, bundle)
        except BundleRefused as refused:
            raise Problem(
                refused.code, str(refused), refused.status, refused.remedy, remedy=refused.remedy
            ) from refused
    counts = {status: sum(one.status == status for one in results) for status in ("attached", "known", "refused")}
    return accepted(positions, **counts, results=results)


async def _receive(request: Request, file: IO[bytes], most: int) -> None:
    """The body, counted while it comes. Answers 413 beyond the largest size."""
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > most:
            detail = "Send the documents in several ZIPs."
            raise Problem("bundle-too-large", "The ZIP is too large", 413, detail, most_bytes=most)
        file.write(chunk)


@router.get("/documents")
@for_keys("read:entries")
async def get_documents(client_id: Annotated[ClientId, Query()], company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The documents of a client's entries: ``{"documents": {entry_id: [{document_id, file_name, bytes, …}]}}``."""
    return {"client_id": client_id, "documents": await keeping.by_entry(tx, company, client_id=client_id)}


@router.post("/documents/query")
@for_keys("read:entries")
async def query_documents(body: EntriesQuery, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The documents of entries, to be attached to a message: as ``GET /documents``, those without left out."""
    return {"documents": await keeping.by_entry(tx, company, entry_ids=body.entry_ids)}


@router.get("/documents/of-person", dependencies=[requires("admin")])
async def get_documents_of_person(
    client_id: Annotated[ClientId, Query()], company: CompanyDep, tx: TxDep
) -> Response:
    """All documents of a person, under every code that is this client, as one ZIP."""
    if (await tx.execute(KNOWN, {"company": company, "client_id": client_id})).one_or_none() is None:
        raise UnknownClient(client_id)
    async with Zipping(zipfile.ZIP_STORED) as bundle:
        for one in await keeping.shown(tx, company, await codes_of_client(tx, company, client_id)):
            asked = {"company": company, "document_id": one["document_id"]}
            found = (await tx.execute(keeping.FILE, asked)).one()
            await bundle.add(f"{one['document_id']}/{one['file_name']}", found.content)
    headers = {"Content-Disposition": 'attachment; filename="documents.zip"'}
    return StreamingResponse(in_parts(bundle.file), media_type="application/zip", headers=headers)


@router.get("/documents/{document_id}", response_class=Response, responses=PDF_ANSWER)
@for_keys("read:entries")
async def get_document(document_id: UUID, company: CompanyDep, tx: TxDep) -> Response:
    """The PDF itself."""
    found = (await tx.execute(keeping.FILE, {"company": company, "document_id": document_id})).one_or_none()
    if found is None:
        raise UnknownDocument(document_id)
    headers = {"Content-Disposition": f"inline; filename*=UTF-8''{quote(found.file_name, safe='')}"}
    return Response(found.content, media_type="application/pdf", headers=headers)


@router.post("/remove-document")
async def remove_document(body: OfDocument, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Take a document away, as when it was attached to the wrong entry; its content is deleted."""

    async def act() -> dict[str, Any]:
        asked = {"company": stating.company, "document_id": body.document_id}
        client_id = await stating.tx.scalar(CLIENT_OF, asked)
        if client_id is None:
            raise UnknownDocument(body.document_id)
        positions = await stating.state(client_id, RemoveDocument(body.document_id))
        await keeping.let_go(stating.tx, stating.company, [body.document_id])
        return accepted(positions)

    return await once(act)
