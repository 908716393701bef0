"""Configurer, Reconstructions: the tables that are built anew beside the live ones, and how far they are.

Read only: an operator starts, switches and drops them (ADR 49, 60).
"""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.console.gateway import Json, Neighbours, Refused, ServiceSilent
from services.console.pages.parked import SERVICES, Service
from services.console.rendering import page
from services.console.visits import PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/rebuilds")


@router.get("")
async def rebuilds(request: Request, visit: VisitDep) -> Response:
    _only_for_operators(visit)
    neighbours = visit.neighbours()
    answers = await asyncio.gather(*(_of(neighbours, one) for one in SERVICES))
    told = dict(zip(SERVICES, answers, strict=True))
    return page(
        request,
        visit,
        "rebuilds.html",
        services=SERVICES,
        told={service: _with_differences(answer) for service, answer in told.items() if answer is not None},
        silent=[service for service, answer in told.items() if answer is None],
    )


def _only_for_operators(visit: Visit) -> None:
    """Administrators who see every client: the tables are of all of them."""
    visit.only_for("admin")
    if not visit.sees_all:
        raise PageUnknown


async def _of(neighbours: Neighbours, service: Service) -> Json | None:
    """``None`` when the service does not say: the others are shown all the same, and it is named."""
    try:
        found: Json = await neighbours.get(service, "/rebuild")
    except (ServiceSilent, Refused):
        return None
    return found


def _with_differences(answer: Json) -> dict[str, Any]:
    """The tables that differ, worst first; how many do not."""
    compared = (answer["beside"] or {}).get("compared")
    tables = [
        one | {"unlike": one["differing"] + one["only_live"] + one["only_beside"]}
        for one in (compared["tables"] if compared else [])
    ]
    unlike = sorted((one for one in tables if one["unlike"]), key=lambda one: (-one["unlike"], one["table"]))
    return answer | {"unlike": unlike, "alike": len(tables) - len(unlike)}
