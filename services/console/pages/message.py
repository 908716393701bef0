"""One message exactly as it was sent, or as it would be."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.console.gateway import Json, NotYet, Refused
from services.console.pages.act import groups_of_day
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter()
NOT_HEARD = "entry_not_yet_heard"
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
        if refusal.status == 404:
            if preview and await _is_proposed(visit, action_id):
                raise NotYet("notify") from refusal
            raise PageUnknown from refusal
        raise
    if not found["html"]:
        # an entry that it speaks of is on its way to notify: a table that lacks lines would be wrong
        raise NotYet("notify") if found.get("held_back_by") == NOT_HEARD else PageUnknown
    return found


async def _is_proposed(visit: Visit, action_id: UUID) -> bool:
    """Dunning has said it, so that notify is about to hear of it."""
    groups = await groups_of_day(visit, visit.neighbours())
    return any(row.action_id == str(action_id) for group in groups for row in group.rows)


@router.get("/c/{company}/message")
async def message(
    request: Request,
    visit: VisitDep,
    action_id: UUID,
    preview: Annotated[bool, Query()] = False,
    after: str = "",
    refused: str = "",
) -> Response:
    try:
        found = await _found(visit, action_id, preview=preview, after=after)
    except Refused as refusal:
        if refusal.status != 410:
            raise
        facts = refusal.facts
        return page(request, visit, "message_erased.html", status=410, action_id=action_id, facts=facts)
    notice = visit.notice({}, "", refused)
    return page(request, visit, "message.html", message=found, action_id=action_id, preview=preview, notice=notice)


@router.get("/c/{company}/message/body")
async def body(visit: VisitDep, action_id: UUID, preview: Annotated[bool, Query()] = False) -> Response:
    """The HTML alternative, alone, for the frame."""
    try:
        found = await _found(visit, action_id, preview=preview)
    except Refused as refusal:
        if refusal.status == 410:
            raise PageUnknown from refusal
        raise
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
async def handled(
    visit: ActingDep,
    action_id: Annotated[UUID, Form()],
    read_until: Annotated[datetime | None, Form()] = None,
    back: Annotated[Literal["message", "alerts"], Form()] = "message",
) -> Response:
    """Somebody saw to the answers that were shown; one that came meanwhile is left to be seen to."""
    body: Json = {"action_id": str(action_id)}
    if read_until is not None:
        body["read_until"] = read_until.isoformat()
    try:
        await visit.neighbours().post("notify", "/replies/handled", body)
    except Refused as refusal:
        return RedirectResponse(visit.url("message", action_id=action_id, refused=refusal.code), status_code=303)
    if back == "alerts":
        return RedirectResponse(visit.url("alerts", kind="reply"), status_code=303)
    return RedirectResponse(visit.url("message", action_id=action_id), status_code=303)


@router.post("/c/{company}/message/resolve")
async def resolve(
    visit: ActingDep, action_id: Annotated[UUID, Form()], decided: Annotated[Literal["sent", "resend"], Form()]
) -> Response:
    """A person knows whether a message in doubt arrived."""
    await visit.neighbours().post("notify", "/resolve-doubt", {"action_id": str(action_id), "as": decided})
    return RedirectResponse(visit.url("message", action_id=action_id), status_code=303)
