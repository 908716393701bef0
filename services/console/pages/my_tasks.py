"""Agir, Mes tâches: what is to be done today in the clients that a person looks after (rules 15.2, 15.5)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from chassis.database import transaction
from services.console.accounts import names_of_members
from services.console.gateway import Json
from services.console.pages.tasks import MEDIA, Group, Row, read_groups, total
from services.console.rendering import page
from services.console.visits import Visit, VisitDep

router = APIRouter()

LATE_AFTER = 7
SHOWN = 30
BESIDE = 12
BY_HAND = ("phone", "letter", "other")
"""What a person does one by one comes first; mails leave together from their own page."""


@dataclass(frozen=True)
class Task:
    """One action of the day."""

    group: Group
    row: Row

    @property
    def days(self) -> int:
        return self.row.days_since or 0

    @property
    def late(self) -> bool:
        return self.days > LATE_AFTER


def in_order(groups: Sequence[Group]) -> list[Task]:
    """Calls, letters and other actions before mails, the longest due first."""
    found = [Task(group, row) for group in groups for row in group.actions]
    return sorted(found, key=lambda task: (task.group.medium not in BY_HAND, -task.days, task.row.client_id))


@router.get("/c/{company}/my-tasks")
async def my_tasks(
    request: Request,
    visit: VisitDep,
    salesperson: Annotated[list[str] | None, Query(max_length=100)] = None,
    after: str = "",
) -> Response:
    """Of the person's portfolio; who sees every client may look at that of some sales people."""
    codes = tuple(code for code in salesperson or () if code) if visit.sees_all else ()
    neighbours = visit.neighbours(at_least=after, portfolio=codes or None)
    as_of = visit.as_of.isoformat()
    tasks, alerts, promises, mentions, options = await asyncio.gather(
        neighbours.get("dunning", "/tasks", as_of=as_of),
        neighbours.get("reporting", "/alerts", as_of=as_of, late_after=str(LATE_AFTER)),
        neighbours.get("reporting", "/promises", as_of=as_of, status="late", size=BESIDE),
        neighbours.get("reporting", "/mentions", as_of=as_of, user=visit.me.subject),
        visit.neighbours().get("reporting", "/options"),
    )
    async with transaction(visit.console.engine) as tx:
        actors = await names_of_members(tx, visit.company)
    found = in_order(read_groups(tasks, ()))
    names = await neighbours.names(sorted({task.row.client_id for task in found[:SHOWN]}))
    return page(
        request,
        visit,
        "my_tasks.html",
        tasks=found[:SHOWN],
        names=names,
        count=len(found),
        late=sum(task.late for task in found),
        media=[(medium, _of(found, medium)) for medium in MEDIA],
        total=total([task.row for task in found if task.group.step != "thanks"]),
        alerts=alerts,
        beside=_beside(alerts),
        promises=promises,
        mentions=mentions["rows"][:BESIDE],
        actors=actors,
        sellers=_sellers(visit, options),
        codes=codes,
        of_whom=_of_whom(visit, options, codes),
    )


def _of(found: Sequence[Task], medium: str) -> int:
    return sum(task.group.medium == medium for task in found)


def _beside(alerts: Json) -> list[Json]:
    """Late actions stand in the list of tasks already."""
    return [row for row in alerts["rows"] if row["kind"] != "late_action"][:BESIDE]


def _sellers(visit: Visit, options: Json) -> list[tuple[str, str]]:
    """Whose clients may be chosen, by those who see them all."""
    return [(one["code"], one["name"]) for one in options["salespeople"]] if visit.sees_all else []


def _of_whom(visit: Visit, options: Json, codes: tuple[str, ...]) -> str:
    """The names of the sales people whose clients are shown; empty for every client."""
    names = {one["code"]: one["name"] for one in options["salespeople"]}
    return ", ".join(names.get(code, code) for code in (visit.portfolio or codes))
