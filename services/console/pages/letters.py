"""Agir, Courriers: letters that were made, printed alone or as a pile, posted; and the logo on them."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.console.formatting import day_written
from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.pages.message import MAIL_POLICY
from services.console.pages.sendings import Progress, latest_sending, progress
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}")

LARGEST_LOGO = 512 << 10
DONE = {
    "posted": N_("Les courriers sont notés comme postés."),
    "number": N_("Le numéro de recommandé est noté."),
    "logo": N_("Le logo figurera sur les prochains courriers."),
    "no-logo": N_("Les prochains courriers n’auront pas de logo."),
}
ActionIds = Annotated[list[UUID], Form(default_factory=list, alias="action_id", max_length=5000)]


@router.get("/letters")
async def letters(
    request: Request,
    visit: VisitDep,
    state: Literal["prepared", "posted"] = "prepared",
    after: str = "",
    done: str = "",
    refused: str = "",
) -> Response:
    """What waits to be posted, or was posted, in the order of the post."""
    neighbours = visit.neighbours(at_least=after)
    found: Json = await neighbours.get("notify", "/letters", state=state, limit=1000)
    sending = await latest_sending(visit, "letter")
    under_way: Progress | None = await progress(visit, neighbours, sending) if sending else None
    return page(
        request,
        visit,
        "letters.html",
        found=found,
        state=state,
        progress=under_way,
        notice=visit.notice(DONE, done, refused),
    )


@router.post("/letters/print")
async def print_pile(
    visit: VisitDep, action_id: ActionIds, both_sides: Annotated[bool, Form()] = False
) -> Response:
    """The ticked letters as one PDF, under their list."""
    if not action_id:
        return _back(visit, refused="nothing-chosen-letters")
    body = {
        "action_ids": [str(one) for one in action_id],
        "both_sides": both_sides,
        "language": visit.language,
    }
    try:
        found = await visit.neighbours().request("notify", "POST", "/letters/bundle", json=body)
    except Refused as refusal:
        return _back(visit, refused=refusal.code)
    return _pdf(found.content, f"courriers-{visit.as_of}.pdf")


def _pdf(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


@router.post("/letters/posted")
async def posted(
    visit: ActingDep, action_id: ActionIds, done_on: Annotated[str, Form(max_length=10)] = ""
) -> Response:
    """The ticked letters went to the post, today or on an earlier day."""
    if not action_id:
        return _back(visit, refused="nothing-chosen-letters")
    day: date | None = day_written(done_on) if done_on.strip() else visit.as_of
    if day is None or day > visit.as_of:
        return _back(visit, refused="done-later")
    neighbours = visit.neighbours()
    body = {"action_ids": [str(one) for one in action_id], "done_on": day.isoformat()}
    try:
        await neighbours.post("notify", "/letters/posted", body)
    except Refused as refusal:
        return _back(visit, refused=refusal.code)
    return _back(visit, done="posted", after=neighbours.at_least)


def _back(visit: Visit, **more: str) -> Response:
    return RedirectResponse(visit.url("letters", **more), status_code=303)


@router.get("/letter")
async def letter(
    request: Request, visit: VisitDep, action_id: UUID, after: str = "", done: str = "", refused: str = ""
) -> Response:
    """One letter as it is kept; one that was written by other means is not."""
    try:
        found: Json = await visit.neighbours(at_least=after).get("notify", "/letter", action_id=str(action_id))
    except Refused as refusal:
        if refusal.status in (404, 410):
            return _back(visit, refused=refusal.code)
        raise
    return page(
        request, visit, "letter.html", letter=found, action_id=action_id, notice=visit.notice(DONE, done, refused)
    )


@router.get("/letter/body")
async def body(visit: VisitDep, action_id: UUID) -> Response:
    """Its pages as pictures, alone, for the frame."""
    found: Json = await _asked(visit, "/letter", action_id)
    headers = {"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(found["html"], headers=headers | {"Cache-Control": "private, no-store"})


async def _asked(visit: Visit, path: str, action_id: UUID) -> Json:
    try:
        found: Json = await visit.neighbours().get("notify", path, action_id=str(action_id))
    except Refused as refusal:
        if refusal.status in (404, 410):
            raise PageUnknown from refusal
        raise
    return found


@router.get("/letter/pdf")
async def pdf(visit: VisitDep, action_id: UUID) -> Response:
    """The very bytes that were kept."""
    try:
        found = await visit.neighbours().request(
            "notify", "GET", "/letter/pdf", params={"action_id": str(action_id)}
        )
    except Refused as refusal:
        if refusal.status in (404, 410):
            raise PageUnknown from refusal
        raise
    return _pdf(found.content, f"courrier-{action_id}.pdf")


@router.post("/letter/number")
async def number(
    visit: ActingDep, action_id: Annotated[UUID, Form()], number: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """Note the number of a registered letter, or take it away."""
    asked = {"action_id": str(action_id), "number": number.strip() or None}
    try:
        await visit.neighbours().post("notify", "/letter/registered-number", asked)
    except Refused as refusal:
        code = "unreadable-number" if refusal.status == 422 else refusal.code
        return RedirectResponse(visit.url("letter", action_id=action_id, refused=code), status_code=303)
    return RedirectResponse(visit.url("letter", action_id=action_id, done="number"), status_code=303)


@router.get("/letters/logo")
async def logo(visit: VisitDep) -> Response:
    """The company's logo; no page when it has none."""
    try:
        found = await visit.neighbours().request("notify", "GET", "/logo")
    except Refused as refusal:
        raise PageUnknown from refusal
    return Response(found.content, media_type=found.headers["content-type"], headers={"Cache-Control": "no-store"})


@router.post("/letters/logo")
async def set_logo(
    visit: ActingDep, file: UploadFile | None = None, remove: Annotated[bool, Form()] = False
) -> Response:
    """Take another logo, or none."""
    visit.only_for("admin")
    neighbours = visit.neighbours()
    try:
        if remove:
            await neighbours.request("notify", "DELETE", "/logo")
            return _back(visit, done="no-logo")
        if file is None or not file.size:
            return _back(visit, refused="not-a-picture")
        if file.size > LARGEST_LOGO:
            return _back(visit, refused="logo-too-large")
        kind = {"Content-Type": "application/octet-stream"}
        await neighbours.request("notify", "PUT", "/logo", content=await file.read(), headers=kind)
    except Refused as refusal:
        return _back(visit, refused=refusal.code)
    return _back(visit, done="logo")
