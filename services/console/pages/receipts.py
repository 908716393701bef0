"""Suivre, Encaissements: everything credited in a period, as payment or credit note (rules 14.2, 16.2)."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.console.formatting import day_written
from services.console.pages.lists import as_file
from services.console.rendering import page as render
from services.console.visits import VisitDep

router = APIRouter(prefix="/c/{company}")

SIZE = 50


@router.get("/receipts")
async def receipts(
    request: Request,
    visit: VisitDep,
    size: Annotated[int, Query(ge=1, le=500)] = SIZE,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The fiscal year up to today, unless other days are asked for; a day that cannot be read is left out."""
    told = request.query_params
    asked: dict[str, Any] = {"as_of": visit.as_of.isoformat(), "size": size, "page": page}
    asked |= {name: day.isoformat() for name in ("since", "until") if (day := day_written(told.get(name, "")))}
    if told.get("client_id"):
        asked["client_id"] = told["client_id"]
    neighbours = visit.neighbours()
    if file := await as_file(request, visit, neighbours, "/receipts", asked):
        return file
    found, policy = await asyncio.gather(
        neighbours.get("reporting", "/receipts", **asked), neighbours.get("dunning", "/policy")
    )
    return render(
        request,
        visit,
        "receipts.html",
        found=found,
        client_id=told.get("client_id", ""),
        automatic_modes=set(policy["automatic_payment_modes"]),
    )
