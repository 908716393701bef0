"""Search by name, code or piece number, from everywhere."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.console.rendering import page
from services.console.visits import VisitDep

router = APIRouter()
SHORTEST = 2


@router.get("/c/{company}/search")
async def search(request: Request, visit: VisitDep, q: Annotated[str, Query(max_length=80)] = "") -> Response:
    wanted = q.strip()
    if len(wanted) < SHORTEST:
        return page(request, visit, "search.html", q=wanted, found=None)
    found = await visit.neighbours().get("reporting", "/search", q=wanted, limit=30)
    if len(found["clients"]) == 1 and not found["pieces"]:
        return RedirectResponse(visit.url("client", client_id=found["clients"][0]["client_id"]), status_code=303)
    return page(request, visit, "search.html", q=wanted, found=found)
