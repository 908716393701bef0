"""Suivre, Délais de paiement: DSO by two methods, and who pays how late (rules 17.1 to 17.3)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.console.pages.lists import as_file
from services.console.rendering import page as render
from services.console.visits import VisitDep

router = APIRouter(prefix="/c/{company}")

SIZE = 50


@router.get("/payers")
async def payers(
    request: Request,
    visit: VisitDep,
    score: Literal["", "A", "B", "C", "D", "E"] = "",
    size: Annotated[int, Query(ge=1, le=500)] = SIZE,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    neighbours = visit.neighbours()
    asked: dict[str, Any] = {"as_of": visit.as_of.isoformat(), "size": size, "page": page}
    if score:
        asked["score"] = score
    if file := await as_file(request, visit, neighbours, "/payers", asked):
        return file
    found = await neighbours.get("reporting", "/payers", **asked)
    return render(request, visit, "payers.html", found=found, chosen=score)
