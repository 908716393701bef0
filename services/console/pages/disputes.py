"""Suivre, Litiges and Promesses: what clients contest and what they promised."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from chassis.database import transaction
from services.console.accounts import names_of_members
from services.console.pages.lists import as_file, asked_for
from services.console.rendering import page as render
from services.console.visits import Visit, VisitDep

router = APIRouter(prefix="/c/{company}")
SIZE = 50
PROMISE_STATUSES = ("late", "expected", "kept", "cancelled")

Size = Annotated[int, Query(ge=1, le=500)]
PageNumber = Annotated[int, Query(ge=1)]


async def _list(
    request: Request, visit: Visit, name: str, filters: tuple[str, ...], size: int, page: int
) -> Response:
    neighbours = visit.neighbours()
    asked = {
        **asked_for(request, filters),
        "as_of": visit.as_of.isoformat(),
        "size": size,
        "page": page,
    }
    if file := await as_file(request, visit, neighbours, f"/{name}", asked):
        return file
    found, options = await asyncio.gather(
        neighbours.get("reporting", f"/{name}", **asked), neighbours.get("reporting", "/options")
    )
    async with transaction(visit.console.engine) as tx:
        actors = await names_of_members(tx, visit.company)
    return render(
        request,
        visit,
        f"{name}.html",
        found=found,
        sellers=[(one["code"], one["name"]) for one in options["salespeople"]],
        actors=actors,
        chosen={name: request.query_params.get(name, "") for name in filters},
        dispute_reasons=visit.about_company.get("dispute_reasons", []),
        statuses=PROMISE_STATUSES,
    )


@router.get("/disputes")
async def disputes(request: Request, visit: VisitDep, size: Size = SIZE, page: PageNumber = 1) -> Response:
    """Clients in dispute (rule 11.2)."""
    return await _list(request, visit, "disputes", ("status", "reason", "client_id"), size, page)


@router.get("/promises")
async def promises(request: Request, visit: VisitDep, size: Size = SIZE, page: PageNumber = 1) -> Response:
    """Promises with their status of the day (rule 10.7)."""
    return await _list(request, visit, "promises", ("status", "salesperson", "client_id"), size, page)
