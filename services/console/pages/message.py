"""One message exactly as it was sent, or as it would be."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter()
HEARING_SECONDS = 10
"""How long notify may take to hear of an action that was just said."""
MAIL_POLICY = (
    "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
"""A mail styles itself line by line, runs nothing, sends nothing, and stands in our frame only."""


async def _found(visit: Visit, action_id: UUID, *, preview: bool, after: str = "") -> Json:
    path = "/preview" if preview else "/message"
    try:
        found: Json = await visit.neighbours(at_least=after).get(
            "notify", path, action_id=str(action_id), wait=HEARING_SECONDS if after else None
        )
    except Refused as refusal:
        if refusal.status in (404, 410):
            raise PageUnknown from refusal
        raise
    if not found["html"]:
        raise PageUnknown
    return found


@router.get("/c/{company}/message")
async def message(
    request: Request,
    visit: VisitDep,
    action_id: UUID,
    preview: Annotated[bool, Query()] = False,
    after: str = "",
) -> Response:
    found = await _found(visit, action_id, preview=preview, after=after)
    return page(request, visit, "message.html", message=found, action_id=action_id, preview=preview)


@router.get("/c/{company}/message/body")
async def body(visit: VisitDep, action_id: UUID, preview: Annotated[bool, Query()] = False) -> Response:
    """The HTML alternative, alone, for the frame."""
    found = await _found(visit, action_id, preview=preview)
    return HTMLResponse(
        found["html"],
        headers={
            "Content-Security-Policy": MAIL_POLICY,
            "X-Frame-Options": "SAMEORIGIN",
            "Cache-Control": "private, no-store",
        },
    )


@router.get("/c/{company}/message/file")
async def file(visit: VisitDep, action_id: UUID) -> Response:
    """The e-mail with its files, as a mail program opens it."""
    try:
        found = await visit.neighbours().request(
            "notify", "GET", "/message/eml", params={"action_id": str(action_id)}
        )
    except Refused as refusal:
        if refusal.status in (404, 410):
            raise PageUnknown from refusal
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{action_id}.eml"',
        "Cache-Control": "private, no-store",
    }
    return Response(found.content, media_type="message/rfc822", headers=headers)


@router.post("/c/{company}/message/handled")
async def handled(visit: ActingDep, action_id: Annotated[UUID, Form()]) -> Response:
    """Somebody saw to the answers that a message got."""
    await visit.neighbours().post("notify", "/replies/handled", {"action_id": str(action_id)})
    return RedirectResponse(visit.url("message", action_id=action_id), status_code=303)


@router.post("/c/{company}/message/resolve")
async def resolve(
    visit: ActingDep, action_id: Annotated[UUID, Form()], decided: Annotated[Literal["sent", "resend"], Form()]
) -> Response:
    """A person knows whether a message in doubt arrived."""
    await visit.neighbours().post("notify", "/resolve-doubt", {"action_id": str(action_id), "as": decided})
    return RedirectResponse(visit.url("message", action_id=action_id), status_code=303)
