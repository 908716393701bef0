"""The daily report by mail, as each person chooses it (rule 15.4)."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from chassis.database import transaction
from services.console.cash_reports import FIRST_HOUR, IN_DOUBT, LAST_HOUR, Wanted, choose, number_of, send, wanted
from services.console.gateway import Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import VisitDep

router = APIRouter(prefix="/c/{company}/cash-report")

USUAL_HOUR = 7
DONE = {
    "wanted": N_("Le compte rendu vous parviendra chaque jour ouvré."),
    "stopped": N_("Le compte rendu ne vous parviendra plus."),
    "sent": N_("Un exemplaire est parti à votre adresse."),
}


@router.get("")
async def shown(request: Request, visit: VisitDep, done: str = "", refused: str = "") -> Response:
    async with transaction(visit.console.engine) as tx:
        found = await wanted(tx, visit.company, visit.me.account_id)
    return page(
        request,
        visit,
        "cash_report.html",
        report=found[0] if found else None,
        hours=range(FIRST_HOUR, LAST_HOUR + 1),
        usual_hour=USUAL_HOUR,
        wish=uuid4(),
        in_doubt=IN_DOUBT,
        notice=visit.notice(DONE, done, refused),
    )


@router.post("")
async def save(
    visit: VisitDep,
    hour: Annotated[int, Form(ge=FIRST_HOUR, le=LAST_HOUR)] = USUAL_HOUR,
    stop: Annotated[bool, Form()] = False,
) -> Response:
    """Every member decides about the own report alone, readers as well."""
    async with transaction(visit.console.engine) as tx:
        await choose(tx, visit.company, visit.me.account_id, None if stop else hour)
    done = "stopped" if stop else "wanted"
    return RedirectResponse(visit.url("cash-report", done=done), status_code=303)


@router.post("/now")
async def send_now(visit: VisitDep, wish: Annotated[UUID, Form()]) -> Response:
    """One copy at once, of today, to the person who asks: one for each ``wish``, which the page numbers."""
    me = visit.me
    one = Wanted(
        visit.company, me.account_id, me.email, visit.language, visit.role, visit.portfolio, USUAL_HOUR, None, None
    )
    try:
        failure = await send(visit.console, one, visit.as_of, number_of(one, f"copy {wish}"))
        refused = failure.code if failure else None
    except Refused as refusal:
        refused = refusal.code
    outcome = {"refused": refused} if refused else {"done": "sent"}
    return RedirectResponse(visit.url("cash-report", **outcome), status_code=303)
