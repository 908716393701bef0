"""Suivre, Activités: every message, contact and statement, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from chassis.database import transaction
from services.console.accounts import names_of_members
from services.console.formatting import day_written
from services.console.pages.lists import as_file, asked_for
from services.console.rendering import page as render
from services.console.visits import VisitDep

router = APIRouter()
SIZE = 50
FILTERS = ("client_id", "actor", "medium", "kind", "status")
PERIOD = ("since", "until")
KINDS = (
    "notice",
    "reminder",
    "thanks",
    "promise",
    "payment",
    "stop",
    "resume",
    "note",
    "profile",
    "dispute",
    "dispute_closed",
    "expected",
    "flag",
    "merged",
    "lettering_error",
)
STATUSES = (
    "created",
    "sent",
    "done",
    "opened",
    "fetched",
    "failed",
    "bounced",
    "in_doubt",
    "withheld",
    "withdrawn",
)
MEDIA = ("email", "letter", "phone", "other")


def _period(request: Request) -> dict[str, str]:
    """The days that can be read, as services write them."""
    written = {name: day_written(request.query_params.get(name, "")) for name in PERIOD}
    return {name: day.isoformat() for name, day in written.items() if day}


@router.get("/c/{company}/activities")
async def activities(
    request: Request,
    visit: VisitDep,
    sort: str = "-on",
    size: Annotated[int, Query(ge=1, le=500)] = SIZE,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    neighbours = visit.neighbours()
    asked = {
        **asked_for(request, FILTERS),
        **_period(request),
        "as_of": visit.as_of.isoformat(),
        "sort": sort,
        "size": size,
        "page": page,
    }
    if file := await as_file(request, visit, neighbours, "/activities", asked):
        return file
    found = await neighbours.get("reporting", "/activities", **asked)
    async with transaction(visit.console.engine) as tx:
        actors = await names_of_members(tx, visit.company)
    return render(
        request,
        visit,
        "activities.html",
        found=found,
        actors=actors,
        sort=sort,
        chosen={name: request.query_params.get(name, "") for name in (*FILTERS, *PERIOD)},
        kinds=KINDS,
        statuses=STATUSES,
        media=MEDIA,
    )
