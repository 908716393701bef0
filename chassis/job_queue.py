"""The rows of the job queue and the moves they may make; see ``chassis.jobs``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import clock
from chassis.database import driver
from chassis.telemetry import SAMPLED, current_traceparent
from chassis.waking import jobs_of, wake

ENQUEUE = """
    insert into job (id, queue, company, key, p, run_at, payload)
    select id, %(queue)s, company, key, p, coalesce(run_at, now()), payload
    from unnest(%(ids)b::uuid[], %(companies)b::text[], %(keys)b::text[], %(ps)b::smallint[],
        %(instants)b::timestamptz[], %(payloads)b::jsonb[]) j(id, company, key, p, run_at, payload)
    on conflict (id) do nothing
    returning id
"""

MOVE = text(
    "update job set status = :status, error = :error, run_at = coalesce(:run_at, run_at), attempts = :attempts,"
    " owner = case when :status in ('running', 'sending') then owner end,"
    " until = case when :status in ('running', 'sending') then until end, changed_at = now()"
    " where id = :id and owner = :owner and status = any(:from_) and until > now()"
)


MOVE_ALL = """
    update job set status = move.status, error = move.error, run_at = coalesce(move.run_at, job.run_at),
        owner = case when move.status = 'sending' then job.owner end,
        until = case when move.status = 'sending' then job.until end, changed_at = now()
    from unnest(%(ids)b::uuid[], %(owners)b::text[], %(statuses)b::text[], %(errors)b::text[],
        %(instants)b::timestamptz[]) as move(id, owner, status, error, run_at)
    where job.id = move.id and job.owner = move.owner and job.until > now()
        and (job.status = 'running' or (job.status = 'sending' and move.status <> 'sending'))
    returning job.id
"""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to enqueue. ``id`` comes from what the job is (``uuid5``), so that asking twice is one job."""

    id: UUID
    company: str
    payload: Mapping[str, Any]
    key: str | None = None
    p: int | None = None
    run_at: datetime | None = None


class JobLost(Exception):
    """The lease of a job is over: another worker, or a person, decides about it now."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(str(job_id))
        self.job_id = job_id


async def enqueue(tx: AsyncConnection, queue: str, jobs: Sequence[NewJob]) -> list[UUID]:
    """Add jobs in one statement; those already known by id are left as they are. Answers the ids that are new."""
    if not jobs:
        return []
    connection = await driver(tx)
    async with connection.cursor() as cursor:
        await cursor.execute(
            ENQUEUE,
            {
                "queue": queue,
                "ids": [job.id for job in jobs],
                "companies": [job.company for job in jobs],
                "keys": [job.key for job in jobs],
                "ps": [job.p for job in jobs],
                "instants": [job.run_at for job in jobs],
                "payloads": [Jsonb(_traced(job.payload)) for job in jobs],
            },
        )
        new = [row[0] for row in await cursor.fetchall()]
    wake(jobs_of(queue))
    return new


def _traced(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with the trace that the job belongs to: its own, else the present one where it is recorded."""
    present = current_traceparent()
    if present is None or not present.endswith(SAMPLED):
        return dict(payload)
    return {"traceparent": present, **payload}


@dataclass(slots=True)
class Job:
    """A job in the hands of one worker. Every move is fenced: it raises ``JobLost`` once the lease is over."""

    id: UUID
    queue: str
    company: str
    key: str | None
    p: int | None
    attempts: int
    payload: dict[str, Any]
    run_at: datetime
    owner: str = field(repr=False)
    engine: AsyncEngine = field(repr=False)
    status: str = "running"

    @property
    def losses(self) -> int:
        """How many workers ended while they held it."""
        return int(self.payload.get("losses", 0))

    async def sending(self, tx: AsyncConnection | None = None) -> None:
        """The effect is about to leave; from here a crash means doubt. Without a transaction it is committed at
        once; with one, nothing may leave before that is committed."""
        if tx is not None:
            await self._move(tx, "sending", ("running",))
            return
        async with self.engine.begin() as own:
            await self._move(own, "sending", ("running",))

    async def done(self, tx: AsyncConnection) -> None:
        """The effect is known to have happened; in the transaction that records it."""
        await self._move(tx, "done", ("running", "sending"))

    async def failed(self, tx: AsyncConnection, error: str) -> None:
        """The effect is known not to have happened and never will."""
        await self._move(tx, "failed", ("running", "sending"), error)

    async def again(
        self, tx: AsyncConnection, after: timedelta, error: str | None = None, *, counted: bool = True
    ) -> None:
        """The effect is known not to have happened; try later. One that only waited for its turn is not
        ``counted``: waiting must not use up the attempts that a failure may have."""
        if not counted:
            self.attempts -= 1
        await self._move(tx, "ready", ("running", "sending"), error, clock.now() + after)

    async def in_doubt(self, tx: AsyncConnection, error: str) -> None:
        """Nobody knows whether the effect happened: a person decides."""
        await self._move(tx, "in_doubt", ("running", "sending"), error)

    async def _move(
        self,
        tx: AsyncConnection,
        status: str,
        origins: tuple[str, ...],
        error: str | None = None,
        run_at: datetime | None = None,
    ) -> None:
        moved = await tx.execute(
            MOVE,
            {
                "id": self.id,
                "owner": self.owner,
                "status": status,
                "attempts": self.attempts,
                "from_": list(origins),
                "error": error,
                "run_at": run_at,
            },
        )
        if moved.rowcount != 1:
            raise JobLost(self.id)
        self.status = status


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of a job: ``sending``, ``done``, ``failed``, ``in_doubt``, or ``ready`` again after a while."""

    job: Job
    status: str
    error: str | None = None
    after: timedelta | None = None


async def move_all(tx: AsyncConnection, moves: Sequence[Move]) -> set[UUID]:
    """Move many jobs in one statement; answers those that moved. The others are lost, as ``JobLost`` says."""
    if not moves:
        return set()
    connection = await driver(tx)
    async with connection.cursor() as cursor:
        await cursor.execute(
            MOVE_ALL,
            {
                "ids": [move.job.id for move in moves],
                "owners": [move.job.owner for move in moves],
                "statuses": [move.status for move in moves],
                "errors": [move.error for move in moves],
                "instants": [None if move.after is None else clock.now() + move.after for move in moves],
            },
        )
        moved = {row[0] for row in await cursor.fetchall()}
    for move in moves:
        if move.job.id in moved:
            move.job.status = move.status
    return moved
