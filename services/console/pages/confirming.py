"""Agir: the one question before something leaves, and what a person does about an action."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Neighbours, Refused
from services.console.pages.act import groups_of_day
from services.console.pages.sendings import remember_sending
from services.console.pages.tasks import Group, Row, of_medium, total
from services.console.rendering import page
from services.console.visits import ActingDep, Visit

router = APIRouter()
HEARING_SECONDS = 10
"""How long notify may take to hear of an action that was just confirmed."""


@router.post("/c/{company}/act/review")
async def review(request: Request, visit: ActingDep, medium: Annotated[str, Form()] = "email") -> Response:
    """The one question: what leaves, to how many, for how much."""
    groups = of_medium(await groups_of_day(visit, visit.neighbours()), medium)
    return _question(request, visit, medium, groups)


def _question(
    request: Request, visit: Visit, medium: str, groups: list[Group], *, changed: bool = False
) -> Response:
    modal = bool(request.headers.get("HX-Request"))
    rows = [row for group in groups for row in group.ticked]
    return page(
        request,
        visit,
        "act_question.html" if modal else "act_review.html",
        medium=medium,
        steps=[(group, total(group.ticked)) for group in groups if group.ticked],
        whole=total(rows),
        fingerprint=_fingerprint(rows),
        changed=changed,
    )


def _fingerprint(rows: list[Row]) -> str:
    """What the person saw; sending something else needs another question."""
    whole = total(rows)
    return f"{whole.actions}/{whole.clients}/" + "/".join(
        f"{amount}{currency}" for currency, amount in whole.amounts
    )


@router.post("/c/{company}/act/confirm")
async def confirm(
    request: Request,
    visit: ActingDep,
    medium: Annotated[str, Form()] = "email",
    fingerprint: Annotated[str, Form()] = "",
) -> Response:
    """Confirm every ticked action of a medium; what changed since the question is asked again.

    Letters are made: what is left to do about them stands on their own page.
    """
    neighbours = visit.neighbours()
    groups = of_medium(await groups_of_day(visit, neighbours), medium)
    rows = [row for group in groups for row in group.ticked]
    if not rows or fingerprint != _fingerprint(rows):
        return _question(request, visit, medium, groups, changed=True)
    proposed = [row.action_id for row in rows if row.action_id and row.status == "proposed"]
    already_due = [row.action_id for row in rows if row.action_id and row.status == "due"]
    answer: Json = {"confirmed": [], "refused": []}
    if proposed:
        body = {"action_ids": proposed, "as_of": visit.as_of.isoformat()}
        answer = await neighbours.post("dunning", "/confirm", body)
    confirmed = [str(action_id) for action_id in answer["confirmed"]]
    if medium == "email":
        await remember_sending(visit, confirmed, answer["refused"])
        return RedirectResponse(visit.url("act", medium=medium), status_code=303)
    wanted = confirmed + already_due
    try:
        if wanted:
            await prepare(neighbours, wanted, at_once=False)
    except Refused as refusal:
        return RedirectResponse(visit.url("act", medium=medium, refused=refusal.code), status_code=303)
    await remember_sending(visit, wanted, answer["refused"], medium)
    return RedirectResponse(visit.url("letters", after=neighbours.at_least), status_code=303)


async def prepare(
    neighbours: Neighbours,
    action_ids: list[str],
    *,
    address: str | None = None,
    registered: bool = False,
    at_once: bool = True,
) -> Json:
    """Have notify make these letters; it may still be hearing of them, so it is asked to wait."""
    body: Json = {"action_ids": action_ids, "registered": registered, "at_once": at_once} | (
        {"address": address} if address else {}
    )
    asked = await neighbours.request(
        "notify", "POST", "/letters/prepare", params={"wait": HEARING_SECONDS}, json=body
    )
    answer: Json = asked.json()
    neighbours.follow(answer)
    return answer


async def complete(
    neighbours: Neighbours, action_ids: list[str], outcome: str, comment: str, done_on: str | None = None
) -> None:
    """Note at notify that a person has done these; it may still be hearing of them, so it is asked to wait."""
    last: list[str] = []
    for action_id in action_ids:
        answer = await neighbours.request(
            "notify",
            "POST",
            "/complete-task",
            params={"wait": HEARING_SECONDS},
            json={"action_id": action_id, "outcome": outcome, "comment": comment}
            | ({"done_on": done_on} if done_on else {}),
        )
        last = answer.json()["positions"]
    if last:
        neighbours.at_least = last[-1]


async def _confirm_one(visit: Visit, neighbours: Neighbours, action_id: UUID) -> str:
    """Confirm a proposed action; answers why dunning would not, empty when it did."""
    body = {"action_ids": [str(action_id)], "as_of": visit.as_of.isoformat()}
    answer = await neighbours.post("dunning", "/confirm", body)
    return str(answer["refused"][0]["reason"]) if answer["refused"] else ""


@router.post("/c/{company}/act/done")
async def task_done(
    visit: ActingDep,
    done: Annotated[UUID, Form()],
    status: Annotated[str, Form()] = "proposed",
    group: Annotated[str, Form()] = "",
    outcome: Annotated[str, Form(max_length=40)] = "reached",
    comment: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """A call was made, a letter posted: confirmed at dunning, noted at notify."""
    neighbours = visit.neighbours()
    try:
        if status == "proposed" and (reason := await _confirm_one(visit, neighbours, done)):
            return RedirectResponse(visit.url("act", group=group, refused=reason), status_code=303)
        await complete(neighbours, [str(done)], outcome, comment.strip())
    except Refused as refusal:
        return RedirectResponse(visit.url("act", group=group, refused=refusal.code), status_code=303)
    return RedirectResponse(visit.url("act", group=group, done="task", after=neighbours.at_least), status_code=303)


@router.post("/c/{company}/act/prepare")
async def prepare_one(
    visit: ActingDep,
    done: Annotated[UUID, Form()],
    status: Annotated[str, Form()] = "proposed",
    group: Annotated[str, Form()] = "",
    address: Annotated[str, Form(max_length=1000)] = "",
    registered: Annotated[bool, Form()] = False,
) -> Response:
    """Make one letter, to the address that was written for it if there is one: confirmed at dunning if need be."""
    neighbours = visit.neighbours()

    def back(reason: str) -> Response:
        return RedirectResponse(visit.url("act", group=group, medium="letter", refused=reason), status_code=303)

    try:
        if status == "proposed" and (reason := await _confirm_one(visit, neighbours, done)):
            return back(reason)
        made = await prepare(neighbours, [str(done)], address=address.strip() or None, registered=registered)
    except Refused as refusal:
        return back(refusal.code)
    if made["refused"]:
        return back(made["refused"][0]["reason"])
    return RedirectResponse(visit.url("letter", action_id=done, after=neighbours.at_least), status_code=303)


@router.post("/c/{company}/act/include")
async def include(
    visit: ActingDep,
    client_id: Annotated[str, Form(max_length=64)],
    entry_id: Annotated[list[str], Form(default_factory=list)],
    step: Annotated[str, Form(max_length=20)] = "",
    group: Annotated[str, Form()] = "",
) -> Response:
    """Tick an excluded row back: a person may remind where the rules would not (rule 8.15)."""
    neighbours = visit.neighbours()
    body = {"client_id": client_id, "step": step or None, "entry_ids": entry_id, "as_of": visit.as_of.isoformat()}
    try:
        await neighbours.post("dunning", "/include", body)
    except Refused as refusal:
        return RedirectResponse(visit.url("act", group=group, refused=refusal.code), status_code=303)
    return RedirectResponse(
        visit.url("act", group=group, done="included", after=neighbours.at_least), status_code=303
    )
