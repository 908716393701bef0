"""Agir, par scénario: the day's actions, and which of them a person wants."""

import asyncio
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import transaction
from services.console.gateway import Json, Neighbours, Refused
from services.console.language import N_
from services.console.pages.sendings import Progress, latest_sending, progress
from services.console.pages.tasks import (
    MEDIA,
    Group,
    Row,
    Total,
    chosen_group,
    named,
    of_medium,
    read_groups,
    total,
)
from services.console.rendering import page
from services.console.tables import unticked
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter()
ROWS = 100
OUTCOMES = {
    "reached": N_("Client joint"),
    "no_answer": N_("Pas de réponse"),
    "message_left": N_("Message laissé"),
}
DONE = {"task": N_("L’action est notée comme faite."), "included": N_("La ligne est ajoutée à la relance.")}


@dataclass(frozen=True)
class Choice:
    """What the address of the page asks for."""

    group: str = ""
    medium: str = ""
    step: str = ""
    open: str = ""
    excluded: bool = True
    all: bool = False


async def _unticked(visit: Visit) -> set[str]:
    async with transaction(visit.console.company_engine, visit.company) as tx:
        found = await tx.scalars(
            select(unticked.c.action_id).where(
                unticked.c.company == visit.company,
                unticked.c.account_id == visit.me.account_id,
                unticked.c.as_of == visit.as_of,
            )
        )
        return {str(action_id) for action_id in found}


async def groups_of_day(visit: Visit, neighbours: Neighbours) -> list[Group]:
    left_out = await _unticked(visit)
    tasks: Json = await neighbours.get("dunning", "/tasks", as_of=visit.as_of.isoformat())
    return read_groups(tasks, left_out)


@router.get("/c/{company}/act")
async def act(
    request: Request,
    visit: VisitDep,
    group: str = "",
    medium: str = "",
    step: str = "",
    open: str = "",
    excluded: bool = True,
    all: bool = False,
    after: str = "",
    done: str = "",
    refused: str = "",
) -> Response:
    neighbours = visit.neighbours(at_least=after)
    choice = Choice(group, medium, step, open, excluded, all)
    return await _page(request, visit, neighbours, choice, visit.notice(DONE, done, refused))


async def _page(
    request: Request, visit: Visit, neighbours: Neighbours, choice: Choice, notice: dict[str, str] | None = None
) -> Response:
    groups, sending = await asyncio.gather(groups_of_day(visit, neighbours), latest_sending(visit))
    chosen = chosen_group(groups, choice.group, choice.medium, choice.step)
    opened: Json = {}
    if chosen:
        client_ids = sorted({row.client_id for row in chosen.rows})
        chosen = named(chosen, await neighbours.names(client_ids))
        opened = await _opened(neighbours, chosen, choice.open)
    done: Progress | None = await progress(visit, neighbours, sending) if sending else None
    return page(
        request,
        visit,
        "act.html",
        groups=groups,
        media=[(medium, of_medium(groups, medium)) for medium in MEDIA],
        chosen=chosen,
        choice=choice,
        shown=_shown(chosen, choice),
        opened=opened,
        total_of=total,
        bar=_bar(groups, chosen),
        progress=done,
        outcomes=OUTCOMES,
        notice=notice,
        updating=neighbours.updating,
    )


def _shown(chosen: Group | None, choice: Choice) -> list[Row]:
    if chosen is None:
        return []
    rows = [row for row in chosen.rows if choice.excluded or not row.excluded]
    return rows if choice.all else rows[:ROWS]


def _bar(groups: list[Group], chosen: Group | None) -> tuple[str, Total, int, int] | None:
    """What the button at the bottom does: medium, total, steps, excluded."""
    if chosen is None or chosen.medium not in ("email", "letter"):
        return None
    same = of_medium(groups, chosen.medium)
    rows = [row for group in same for row in group.ticked]
    steps = sum(1 for group in same if group.ticked)
    return chosen.medium, total(rows), steps, sum(len(group.excluded) for group in same)


async def _opened(neighbours: Neighbours, chosen: Group, key: str) -> Json:
    """Who the client of the unfolded row is, with the texts of its entries."""
    row = next((row for row in chosen.rows if row.key == key), None)
    if row is None:
        return {}
    found: Json = await neighbours.get("ledger", "/client", client_id=row.client_id)
    return found


@router.post("/c/{company}/act/tick")
async def tick(
    request: Request,
    visit: ActingDep,
    action_id: Annotated[list[UUID], Form(default_factory=list)],
    ticked: Annotated[list[UUID], Form(default_factory=list)],
    include: Annotated[list[str], Form(default_factory=list)],
    group: Annotated[str, Form()] = "",
    excluded: Annotated[bool, Form()] = True,
    all: Annotated[bool, Form()] = False,
) -> Response:
    """The rows on screen and those of them that are ticked: the others are left out of today's sending.

    An excluded row that is ticked is reminded all the same (rule 8.15).
    """
    chosen, shown = set(ticked), set(action_id)
    keys = {"company": visit.company, "account_id": visit.me.account_id, "as_of": visit.as_of}
    async with transaction(visit.console.company_engine, visit.company) as tx:
        of_person = (
            (unticked.c.company == visit.company)
            & (unticked.c.account_id == visit.me.account_id)
            & (unticked.c.as_of == visit.as_of)
        )
        if shown:
            await tx.execute(delete(unticked).where(of_person, unticked.c.action_id.in_(shown & chosen)))
        left_out = [{**keys, "action_id": one} for one in sorted(shown - chosen)]
        if left_out:
            await tx.execute(upsert(unticked).on_conflict_do_nothing(), left_out)
    neighbours = visit.neighbours()
    refused = await _tick_back(visit, neighbours, group, set(include)) if include else ""
    done = "included" if include and not refused else ""
    shown_as = {"excluded": "" if excluded else "false", "all": "true" if all else ""}
    address = visit.url("act", group=group, done=done, refused=refused, after=neighbours.at_least, **shown_as)
    if not request.headers.get("HX-Request"):
        return RedirectResponse(address, status_code=303)
    if refused:  # the whole page, which tells why
        return Response(status_code=204, headers={"HX-Redirect": address})
    return await _page(request, visit, neighbours, Choice(group=group, excluded=excluded, all=all))


async def _tick_back(visit: Visit, neighbours: Neighbours, group: str, keys: set[str]) -> str:
    """Propose these excluded rows; the code of the first refusal, if any."""
    groups = [one for one in await groups_of_day(visit, neighbours) if one.key == group]
    for row in [row for one in groups for row in one.excluded if row.key in keys]:
        body = {
            "client_id": row.client_id,
            "entry_ids": [line.entry_id for line in row.lines],
            "as_of": visit.as_of.isoformat(),
        }
        try:
            await neighbours.post("dunning", "/include", body)
        except Refused as refusal:
            return refusal.code
    return ""
