"""A client's private pages as users see them: a link to hand on, links taken back, what the debtor answered."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/client/space")

ClientId = Annotated[str, Query(min_length=1, max_length=64)]
WrittenClientId = Annotated[str, Form(min_length=1, max_length=64)]
DEBTOR = "debtor"
PAYMENT_STATES = {
    "open": N_("Page ouverte"),
    "pending": N_("En cours à la banque"),
    "paid": N_("Payé"),
    "closed": N_("Remplacé"),
    "expired": N_("Page expirée"),
    "failed": N_("Échoué"),
}


@router.get("")
async def space(request: Request, visit: VisitDep, client_id: ClientId, done: str = "") -> Response:
    """What stands there, and what the debtor did by itself."""
    return await _page(request, visit, client_id, done=done)


@router.post("/link")
async def make(request: Request, visit: ActingDep, client_id: WrittenClientId) -> Response:
    """A link, shown once; nothing keeps it."""
    try:
        made = await visit.neighbours().post("notify", "/debtor-links", {"client_id": client_id})
    except Refused as refused:
        if refused.status == 404:
            raise PageUnknown from refused
        raise
    return await _page(request, visit, client_id, made=made)


@router.post("/revoke")
async def revoke(visit: ActingDep, client_id: WrittenClientId) -> Response:
    await visit.neighbours().post("notify", "/debtor-links/revoke", {"client_id": client_id})
    return RedirectResponse(visit.url("client/space", client_id=client_id, done="revoke"), status_code=303)


@router.get("/files/{file_id}")
async def file(visit: VisitDep, file_id: UUID) -> Response:
    """What a debtor sent, always as a download."""
    try:
        found = await visit.neighbours().request("ledger", "GET", f"/dispute-files/{file_id}")
    except Refused as refused:
        if refused.status == 404:
            raise PageUnknown from refused
        raise
    headers = {"Content-Disposition": found.headers["content-disposition"], "Cache-Control": "private, no-store"}
    return Response(found.content, media_type=found.headers["content-type"], headers=headers)


async def _page(
    request: Request, visit: Visit, client_id: str, done: str = "", made: Json | None = None
) -> Response:
    neighbours = visit.neighbours()
    try:
        access, person, paid = await asyncio.gather(
            _access(visit, client_id),
            neighbours.get("ledger", "/client", client_id=client_id),
            neighbours.get("notify", "/payments", client_id=client_id),
        )
    except Refused as refused:
        if refused.status == 404:
            raise PageUnknown from refused
        raise
    return page(
        request,
        visit,
        "client_space.html",
        client_id=client_id,
        name=person["name"],
        access=access,
        promises=[one for one in person["promises"] if one["recorded_by"] == DEBTOR],
        disputes=[one for one in person["disputes"] if one["opened_by"] == DEBTOR],
        notes=[one for one in person["notes"] if one["author"] == DEBTOR],
        payments=paid["payments"],
        payment_states=PAYMENT_STATES,
        done=done,
        made=made,
    )


async def _access(visit: Visit, client_id: str) -> Any:
    """``None`` for those who may not make links."""
    return await visit.neighbours().get("notify", "/debtor-links", client_id=client_id) if visit.may_act else None
