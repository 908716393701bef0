"""A sending under way: how far it is, what failed and why; it goes on when the page is left."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import insert, select

from chassis.database import transaction
from services.console.gateway import Json, Neighbours, ServiceSilent
from services.console.rendering import environment
from services.console.tables import sending
from services.console.visits import PageUnknown, Visit, VisitDep

router = APIRouter()
LOOK_SECONDS = 0.7
LONGEST_SECONDS = 3600
FAILURES_SHOWN = 20
TROUBLES = ("failed", "in_doubt", "withheld")
NOT_OF_SENDING = "retention"
"""A part of notify that holds up no message."""


@dataclass(frozen=True)
class Sending:
    sending_id: UUID
    action_ids: tuple[str, ...]
    refused: tuple[Json, ...]
    started_at: datetime
    medium: str = "email"


@dataclass(frozen=True)
class Failure:
    name: str
    client_id: str
    action_id: str
    status: str
    reason: str | None


@dataclass(frozen=True)
class Progress:
    """Counts of one sending; ``waiting`` is what has neither left nor failed."""

    sending_id: UUID
    asked: int
    sent: int
    failed: int
    waiting: int
    failures: tuple[Failure, ...]
    refused: int
    started_at: datetime
    medium: str = "email"
    hindered: bool = False
    """The mail server does not take messages for the moment; they wait."""

    @property
    def finished(self) -> bool:
        return self.waiting == 0

    @property
    def settled(self) -> int:
        return self.asked - self.waiting


async def remember_sending(
    visit: Visit, action_ids: list[str], refused: list[Json], medium: str = "email"
) -> None:
    """So that its progress outlives the page: mails that leave, letters that are made."""
    async with transaction(visit.console.company_engine, visit.company) as tx:
        await tx.execute(
            insert(sending).values(
                company=visit.company,
                account_id=visit.me.account_id,
                as_of=visit.as_of,
                action_ids=[UUID(action_id) for action_id in action_ids],
                refused=refused,
                medium=medium,
            )
        )


def _read(row: Any) -> Sending:
    return Sending(row.sending_id, tuple(map(str, row.action_ids)), tuple(row.refused), row.started_at, row.medium)


async def latest_sending(visit: Visit, medium: str = "email") -> Sending | None:
    """What this person last sent, or had made, on this business day."""
    async with transaction(visit.console.company_engine, visit.company) as tx:
        row = (
            await tx.execute(
                select(sending)
                .where(
                    sending.c.company == visit.company,
                    sending.c.account_id == visit.me.account_id,
                    sending.c.as_of == visit.as_of,
                    sending.c.medium == medium,
                )
                .order_by(sending.c.started_at.desc())
                .limit(1)
            )
        ).one_or_none()
    return _read(row) if row else None


async def _sending(visit: Visit, sending_id: UUID) -> Sending:
    async with transaction(visit.console.company_engine, visit.company) as tx:
        row = (
            await tx.execute(
                select(sending).where(
                    sending.c.company == visit.company,
                    sending.c.sending_id == sending_id,
                    sending.c.account_id == visit.me.account_id,
                )
            )
        ).one_or_none()
    if row is None:
        raise PageUnknown
    return _read(row)


async def progress(visit: Visit, neighbours: Neighbours, one: Sending) -> Progress:
    """How far notify has come with these actions."""
    found: Json = await neighbours.post_query("notify", "/sending/query", {"action_ids": list(one.action_ids)})
    troubles = found["troubles"][:FAILURES_SHOWN]
    asked, sent = len(one.action_ids), int(found["sent"])
    failed = sum(int(found[status]) for status in TROUBLES)
    return Progress(
        sending_id=one.sending_id,
        asked=asked,
        sent=sent,
        failed=failed,
        waiting=max(asked - sent - failed, 0),
        failures=tuple(
            Failure(
                name=trouble["client_name"] or trouble["client_id"],
                client_id=trouble["client_id"],
                action_id=str(trouble["action_id"]),
                status=trouble["status"],
                reason=trouble["reason"],
            )
            for trouble in troubles
        ),
        refused=len(one.refused),
        started_at=one.started_at,
        medium=one.medium,
        hindered=any(part != NOT_OF_SENDING for part in found.get("hindered_by", {})),
    )


def _fragment(visit: Visit, request: Request, done: Progress) -> str:
    template = environment(visit.language).get_template("act_progress.html")
    return template.render(visit=visit, request=request, progress=done)


@router.get("/c/{company}/sendings/{sending_id}/events")
async def events(request: Request, visit: VisitDep, sending_id: UUID) -> Response:
    """The progress as server-sent events until all is settled."""
    one = await _sending(visit, sending_id)
    return StreamingResponse(
        _events(request, visit, one),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(request: Request, visit: Visit, one: Sending) -> AsyncIterator[str]:
    said = ""
    for _ in range(int(LONGEST_SECONDS / LOOK_SECONDS)):
        if await request.is_disconnected():
            return
        try:
            done = await progress(visit, visit.neighbours(), one)
        except ServiceSilent:
            yield ": a service does not answer; asking again\n\n"
            await asyncio.sleep(LOOK_SECONDS)
            continue
        text = _fragment(visit, request, done)
        if text != said:
            said = text
            yield _event("progress", text)
        if done.finished:
            yield _event("finished", "")
            return
        await asyncio.sleep(LOOK_SECONDS)


def _event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
