"""Configurer, Motifs de litige: what people choose from when a client contests (rule 11.3)."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep
from services.console.vocabulary.codes import DISPUTES

router = APIRouter(prefix="/c/{company}/dispute-reasons")

MOST_REASONS = 50
DONE = {
    "added": N_("Le motif est ajouté."),
    "removed": N_("Le motif ne se propose plus ; les litiges qui l’ont le gardent."),
}
SETTINGS = ("name", "time_zone", "currency", "country", "fiscal_year_start")

Reason = Annotated[str, Form(min_length=1, max_length=100)]


@router.get("")
async def reasons(request: Request, visit: VisitDep, done: str = "", refused: str = "") -> Response:
    listed = await _listed(visit)
    spoken = visit.vocabulary
    return page(
        request,
        visit,
        "dispute_reasons.html",
        reasons=[(reason, spoken.dispute(reason)) for reason in listed],
        delivered=[(code, spoken.dispute(code)) for code in DISPUTES if code not in listed],
        notice=visit.notice(DONE, done, refused),
    )


async def _listed(visit: Visit) -> list[str]:
    visit.forget_company()
    company: Json = await visit.neighbours().this_company()
    return list(company["dispute_reasons"])


@router.post("/add")
async def add(visit: ActingDep, reason: Reason) -> Response:
    wanted = " ".join(reason.split())
    listed = await _listed(visit)
    taken = {visit.vocabulary.dispute(one).casefold() for one in listed}
    if not wanted or visit.vocabulary.dispute(wanted).casefold() in taken:
        return _back(visit, refused="dispute-reason-taken")
    if len(listed) >= MOST_REASONS:
        return _back(visit, refused="too-many-dispute-reasons")
    return await _save(visit, [*listed, wanted], "added")


@router.post("/remove")
async def remove(visit: ActingDep, reason: Reason) -> Response:
    left = [one for one in await _listed(visit) if one != reason]
    return await _save(visit, left, "removed") if left else _back(visit, refused="last-dispute-reason")


async def _save(visit: Visit, listed: list[str], done: str) -> Response:
    """The rest of the company's settings stays as it is."""
    visit.only_for("admin")
    neighbours = visit.neighbours()
    company = await neighbours.this_company()
    body = {name: company[name] for name in SETTINGS} | {"dispute_reasons": listed}
    try:
        await neighbours.command("ledger", "PUT", "", body)
    except Refused as refusal:
        return _back(visit, refused=refusal.code)
    visit.forget_company()
    return _back(visit, done=done)


def _back(visit: Visit, **outcome: str) -> Response:
    return RedirectResponse(visit.url("dispute-reasons", **outcome), status_code=303)
