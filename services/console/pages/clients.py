"""Suivre: who owes what, and the list of all clients."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.console.pages.fields import CLIENT_FIELDS
from services.console.pages.home import late_parts
from services.console.pages.lists import as_file, asked_for
from services.console.rendering import page
from services.console.visits import Visit, VisitDep

router = APIRouter()
SIZE = 15
FILTERS = (
    "q",
    "stopped",
    "late",
    "level",
    "profile",
    "category",
    "payment_mode",
    "salesperson",
    "automatic",
    "slices",
    *CLIENT_FIELDS,
)


async def _table(
    request: Request, visit: Visit, template: str, path: str, sort: str, size: int, page_number: int
) -> Response:
    neighbours = visit.neighbours(at_least=request.query_params.get("after", ""))
    asked = {
        **asked_for(request, FILTERS),
        "as_of": visit.as_of.isoformat(),
        "sort": sort,
        "size": size,
        "page": page_number,
    }
    if file := await as_file(request, visit, neighbours, path, asked):
        return file
    found, options = await asyncio.gather(
        neighbours.get("reporting", path, **asked), neighbours.get("reporting", "/options")
    )
    chosen = {name: request.query_params.get(name, "") for name in FILTERS}
    return page(
        request,
        visit,
        template,
        found=found,
        options=options,
        sellers=[(one["code"], one["name"]) for one in options["salespeople"]],
        chosen=chosen,
        notice=_notice(visit, request.query_params),
        updating=neighbours.updating,
        sort=sort,
        late_parts=late_parts,
        largest=max((float(row["overdue"]) for row in found["rows"]), default=0.0),
    )


def _notice(visit: Visit, told: Mapping[str, str]) -> dict[str, str] | None:
    """What became of a profile given to the whole list."""
    if told.get("refused"):
        return {"tone": "stop", "text": visit.vocabulary.refusal(told["refused"])}
    if not told.get("assigned", "").isdecimal():
        return None
    n = int(told["assigned"])
    text = visit.words.ngettext(
        "Le profil de %(n)s client est changé.", "Le profil de %(n)s clients est changé.", n
    )
    return {"tone": "ok", "text": text % {"n": n}}


@router.get("/c/{company}/who-owes-what")
async def who_owes_what(
    request: Request,
    visit: VisitDep,
    sort: str = "-overdue",
    size: Annotated[int, Query(ge=1, le=500)] = SIZE,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    return await _table(request, visit, "who_owes_what.html", "/who-owes-what", sort, size, page)


@router.get("/c/{company}/clients")
async def clients(
    request: Request,
    visit: VisitDep,
    sort: str = "name",
    size: Annotated[int, Query(ge=1, le=500)] = SIZE,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    return await _table(request, visit, "clients.html", "/clients", sort, size, page)
