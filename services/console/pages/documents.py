"""Documents of entries: read, attached and taken away from the client page; ledger keeps them."""

import asyncio
import json
import zipfile
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, UploadFile
from fastapi.responses import RedirectResponse, Response

from chassis.zips import Zipping
from services.console.gateway import Refused
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}")

LARGEST_BYTES = 15 << 20

ClientId = Annotated[str, Form(min_length=1, max_length=64)]
EntryId = Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")]


@router.get("/documents/{document_id}")
async def document(visit: VisitDep, document_id: UUID) -> Response:
    """The PDF, shown by the browser; a stranger to the company finds nothing."""
    return await _handed_on(visit, f"/documents/{document_id}")


@router.get("/personal/documents")
async def documents_of_person(
    visit: VisitDep, client_id: Annotated[str, Query(min_length=1, max_length=64)]
) -> Response:
    """All documents of a person, for whom the data is handed out."""
    visit.only_for("admin")
    return await _handed_on(visit, "/documents/of-person", client_id=client_id)


async def _handed_on(visit: Visit, path: str, **asked: str) -> Response:
    try:
        found = await visit.neighbours().request("ledger", "GET", path, params=asked)
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    headers = {"Content-Disposition": found.headers["content-disposition"], "Cache-Control": "private, no-store"}
    return Response(found.content, media_type=found.headers["content-type"], headers=headers)


@router.post("/client/attach-document")
async def attach(visit: ActingDep, client_id: ClientId, entry_id: EntryId, file: UploadFile) -> Response:
    """One PDF for one entry: a ZIP of one."""
    name = ((file.filename or "").replace("\\", "/").rpartition("/")[2] or "document.pdf")[-200:]
    if not file.size or file.size > LARGEST_BYTES:
        return _back(visit, client_id, entry_id, refused="file-too-large" if file.size else "file-missing")
    item = {"file": name, "entry_id": entry_id, "client_id": client_id}
    async with Zipping(zipfile.ZIP_STORED) as bundle:
        await bundle.add("metadata.json", json.dumps({"documents": [item]}))
        await bundle.add(name, await file.read())
    with bundle.file:
        content = await asyncio.to_thread(bundle.file.read)
    neighbours = visit.neighbours()
    headers = {"Content-Type": "application/zip"}
    try:
        sent = await neighbours.request("ledger", "POST", "/documents", content=content, headers=headers)
    except Refused as refusal:
        return _back(visit, client_id, entry_id, refused=refusal.code)
    answer = sent.json()
    (result,) = answer["results"]
    if result["status"] == "refused":
        return _back(visit, client_id, entry_id, refused=result["code"])
    neighbours.follow(answer)
    return _back(visit, client_id, entry_id, done="attach-document", after=neighbours.at_least)


@router.post("/client/remove-document")
async def remove(
    visit: ActingDep, client_id: ClientId, entry_id: EntryId, document_id: Annotated[UUID, Form()]
) -> Response:
    neighbours = visit.neighbours()
    try:
        await neighbours.post("ledger", "/remove-document", {"document_id": str(document_id)})
    except Refused as refusal:
        return _back(visit, client_id, entry_id, refused=refusal.code)
    return _back(visit, client_id, entry_id, done="remove-document", after=neighbours.at_least)


def _back(visit: Visit, client_id: str, entry_id: str, **more: Any) -> Response:
    return RedirectResponse(visit.url("client", client_id=client_id, entry=entry_id, **more), status_code=303)
