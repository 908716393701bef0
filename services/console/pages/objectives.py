"""Suivre, Prévisions, Objectifs: what should come in, month by month, typed by administrators (rule 16.9)."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.console.formatting import amount_written
from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep, WholeCompany

router = APIRouter(prefix="/c/{company}/forecast/objectives", dependencies=[WholeCompany])

CURVES = 3
UNREADABLE = N_("Rien n’est enregistré : un montant ne se lit pas. Les champs en cause sont marqués.")
SAME_NAME = N_("Rien n’est enregistré : deux courbes portent le même nom.")


def curves_wanted(
    typed: Mapping[str, str], months: Sequence[str], known: Sequence[Json], untitled: str
) -> tuple[list[Json], list[str]]:
    """The curves as typed, and the fields that cannot be read.

    Months that the page does not show stay as they were; a curve without a name and without amounts is no more.
    """
    wanted: list[Json] = []
    unreadable: list[str] = []
    for place in range(CURVES):
        kept = known[place]["months"] if place < len(known) else []
        amounts = [one for one in kept if one["month"] not in months]
        for month in months:
            field = f"amount_{place}_{month}"
            text = typed.get(field, "").strip()
            amount = amount_written(text) if text else Decimal(0)
            if amount is None or amount < 0:
                unreadable.append(field)
            elif amount:
                amounts.append({"month": month, "amount": format(amount, "f")})
        title = typed.get(f"title_{place}", "").strip()
        if title or amounts:
            wanted.append({"title": title or f"{untitled} {place + 1}", "months": amounts})
    return wanted, unreadable


@router.get("")
async def objectives(request: Request, visit: VisitDep) -> Response:
    months, known = await _known(visit)
    values = {
        f"amount_{place}_{one['month']}": visit.formats.amount(one["amount"])
        for place, curve in enumerate(known)
        for one in curve["months"]
    }
    values |= {f"title_{place}": curve["title"] for place, curve in enumerate(known)}
    return _page(request, visit, months, values)


@router.post("")
async def save(request: Request, visit: ActingDep) -> Response:
    """The whole of the objectives; what cannot be read is shown as it was typed."""
    visit.only_for("admin")
    form = await request.form()
    typed = {name: str(value) for name, value in form.items()}
    months, known = await _known(visit)
    wanted, unreadable = curves_wanted(typed, months, known, visit.words.gettext("Objectif"))
    titles = [curve["title"] for curve in wanted]
    if unreadable or len(set(titles)) < len(titles):
        said = UNREADABLE if unreadable else SAME_NAME
        notice = {"tone": "stop", "text": visit.words.gettext(said)}
        return _page(request, visit, months, typed, unreadable, notice, status=422)
    neighbours = visit.neighbours()
    try:
        await neighbours.command("ledger", "PUT", "/cash-objectives", {"curves": wanted})
    except Refused as refused:
        return _page(request, visit, months, typed, [], visit.told_refusal(refused), status=422)
    return RedirectResponse(visit.url("forecast", done="objectives", after=neighbours.at_least), status_code=303)


async def _known(visit: Visit) -> tuple[list[str], list[Json]]:
    """The months that the forecast shows, and the curves as they are."""
    neighbours = visit.neighbours()
    shown, known = await asyncio.gather(
        neighbours.get("reporting", "/forecast", as_of=visit.as_of.isoformat(), weeks=1, cards=0),
        neighbours.get("ledger", "/cash-objectives"),
    )
    return [month["month_start"] for month in shown["months"]], known["curves"]


def _page(
    request: Request,
    visit: Visit,
    months: Sequence[str],
    values: Mapping[str, Any],
    unreadable: Sequence[str] = (),
    notice: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    return page(
        request,
        visit,
        "objectives.html",
        status=status,
        months=[date.fromisoformat(month) for month in months],
        values=values,
        unreadable=unreadable,
        curves=range(CURVES),
        notice=notice,
    )
