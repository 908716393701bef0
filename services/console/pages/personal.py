"""A client's personal data: what is kept, as a file, and forgotten for good. Administrators alone."""

import asyncio
import json
import tempfile
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from chassis.zips import IN_MEMORY, Zipping, in_parts
from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/personal")

DONE = {
    "erase-person": N_("Les données personnelles sont effacées dans tous les services."),
    "admit-person": N_("Ce que dira la comptabilité de ce client sera de nouveau conservé."),
}
KEEPERS = ("ledger", "notify")
MADE_WITHIN_SECONDS = 60.0

ClientId = Annotated[str, Query(min_length=1, max_length=64)]
WrittenClientId = Annotated[str, Form(min_length=1, max_length=64)]


async def _kept(visit: Visit, client_id: str) -> dict[str, Json]:
    """What each service keeps of the person."""
    visit.only_for("admin")
    neighbours = visit.neighbours()
    try:
        found = await asyncio.gather(
            *(neighbours.get(name, "/person-data", client_id=client_id) for name in KEEPERS)
        )
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    return dict(zip(KEEPERS, found, strict=True))


@router.get("")
async def personal(
    request: Request, visit: VisitDep, client_id: ClientId, done: str = "", refused: str = ""
) -> Response:
    kept = await _kept(visit, client_id)
    notice = visit.notice(DONE, done, refused)
    return page(request, visit, "personal.html", client_id=client_id, kept=kept, notice=notice)


@router.get("/file")
async def as_file(visit: VisitDep, client_id: ClientId) -> Response:
    """Everything, as JSON that a person can be given."""
    content = json.dumps(await _kept(visit, client_id), ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": 'attachment; filename="person.json"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/json", headers=headers)


@router.get("/files")
async def with_files(visit: VisitDep, client_id: ClientId) -> Response:
    """Everything with the contents of its files, as one ZIP that a person can be given: what was sent with its
    attachments, what the person sent with its disputes, the documents of its invoices."""
    kept = await _kept(visit, client_id)
    async with Zipping() as whole:
        await whole.add("person.json", json.dumps(kept, ensure_ascii=False, indent=2))
        for name in KEEPERS:
            with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="relance-person-") as bundle:
                await visit.neighbours().download(
                    name, "/person-files", bundle, params={"client_id": client_id}, timeout=MADE_WITHIN_SECONDS
                )
                await whole.add_all_of(bundle)
    headers = {"Content-Disposition": 'attachment; filename="person.zip"', "Cache-Control": "private, no-store"}
    return StreamingResponse(in_parts(whole.file), media_type="application/zip", headers=headers)


async def _command(visit: Visit, command: str, client_id: str) -> Response:
    visit.only_for("admin")
    outcome: dict[str, Any] = {"done": command}
    try:
        await visit.neighbours().post("ledger", f"/{command}", {"client_id": client_id})
    except Refused as refusal:
        outcome = {"refused": refusal.code}
    return RedirectResponse(visit.url("personal", client_id=client_id, **outcome), status_code=303)


@router.post("/erase")
async def erase(visit: ActingDep, client_id: WrittenClientId, sure: Annotated[bool, Form()] = False) -> Response:
    """Only with the box ticked: nothing brings the person back."""
    if not sure:
        return RedirectResponse(visit.url("personal", client_id=client_id), status_code=303)
    return await _command(visit, "erase-person", client_id)


@router.post("/admit")
async def admit(visit: ActingDep, client_id: WrittenClientId) -> Response:
    return await _command(visit, "admit-person", client_id)
