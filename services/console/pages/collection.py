"""A client's collection file: what is in it, made and handed out; and the legal archive behind it, verified."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from services.console.gateway import Json, Refused
from services.console.rendering import page
from services.console.visits import ActingDep, NotAllowed, PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/client/collection-file")

MADE_WITHIN_SECONDS = 300
VERIFIED_WITHIN_SECONDS = 900
MOST_RECORDS = 5000

ClientId = Annotated[str, Query(min_length=1, max_length=64)]
WrittenClientId = Annotated[str, Form(min_length=1, max_length=64)]


@router.get("")
async def collection(request: Request, visit: VisitDep, client_id: ClientId) -> Response:
    """What the file would hold, and what is sealed of this client."""
    return await _page(request, visit, client_id)


@router.post("")
async def make(
    visit: ActingDep,
    client_id: WrittenClientId,
    language: Annotated[Literal["fr", "en"], Form()] = "fr",
    stop: Annotated[bool, Form()] = False,
) -> Response:
    """The ZIP, as a download (rules 8.11, 19.7)."""
    wanted = {"client_id": client_id, "language": language, "stop": stop}
    try:
        found = await visit.neighbours().request(
            "notify", "POST", "/collection-file", json=wanted, timeout=MADE_WITHIN_SECONDS
        )
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    headers = {"Content-Disposition": found.headers["content-disposition"], "Cache-Control": "private, no-store"}
    return Response(found.content, media_type="application/zip", headers=headers)


@router.post("/verify")
async def verify(request: Request, visit: ActingDep, client_id: WrittenClientId) -> Response:
    """Walk the whole company's archive; administrators who see every client."""
    if not visit.is_at_least("admin") or not visit.sees_all:
        raise NotAllowed
    done: Json = (
        await visit.neighbours().request(
            "notify", "POST", "/archive/verify", json={}, timeout=VERIFIED_WITHIN_SECONDS
        )
    ).json()
    return await _page(request, visit, client_id, verified=done)


async def _page(request: Request, visit: Visit, client_id: str, verified: Json | None = None) -> Response:
    neighbours = visit.neighbours()
    try:
        client, archive = await asyncio.gather(
            neighbours.get("reporting", "/client", client_id=client_id, as_of=visit.as_of.isoformat()),
            neighbours.get("notify", "/archive", client_id=client_id, limit=MOST_RECORDS),
        )
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    return page(
        request,
        visit,
        "collection.html",
        client=client,
        archive=archive,
        open_entries=[entry for entry in client["statement"]["entries"] if entry["open"]],
        verified=verified,
    )
