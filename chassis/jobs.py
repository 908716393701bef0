"""Side effects waiting to be carried out: a queue in PostgreSQL, filled in the transaction that decides them.

A job goes ready -> running -> sending -> done | failed. ``sending`` is committed before the effect leaves, so a
crash says what is known: a job found ``running`` goes back to ready, one found ``sending`` is in doubt and waits
for a person (architecture, Correctness 4). Jobs live only as long as their lease is renewed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import clock
from chassis.cancellation import heed_cancellation
from chassis.database import driver, is_transient

log = logging.getLogger(__name__)

ENQUEUE = """
    insert into job (id, queue, company, key, p, run_at, payload)
    select id, %(queue)s, company, key, p, coalesce(run_at, now()), payload
    from unnest(%(ids)b::uuid[], %(companies)b::text[], %(keys)b::text[], %(ps)b::smallint[],
        %(instants)b::timestamptz[], %(payloads)b::jsonb[]) j(id, company, key, p, run_at, payload)
    on conflict (id) do nothing
    returning id
"""

TAKE = text(
    "update job set status = 'running', owner = :owner, until = now() + make_interval(secs => :lease),"
    " attempts = attempts + 1, changed_at = now()"
    " where id in (select id from job where queue = :queue and status = 'ready' and run_at <= now()"
    "   order by run_at, id limit :batch for update skip locked)"
    " returning id, queue, company, key, p, attempts, payload, run_at"
)

# A lease that is over stays over: whoever held it may have been told so. A row that is being moved right now is
# renewed next time: waiting for it could be waiting in a circle.
RENEW = text(
    "update job set until = now() + make_interval(secs => :lease)"
    " where id in (select id from job where owner = :owner and status in ('running', 'sending')"
    "   and until > now() for update skip locked)"
)

RECOVER = text(
    "update job set owner = null, until = null, changed_at = now(),"
    " status = case status when 'running' then 'ready' else 'in_doubt' end,"
    " error = case status when 'running' then error else 'the sender ended before it knew the result' end"
    " where id in (select id from job where queue = :queue and status in ('running', 'sending')"
    "   and until < now() for update skip locked)"
    " returning status"
)

MOVE = text(
    "update job set status = :status, error = :error, run_at = coalesce(:run_at, run_at),"
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
                "payloads": [Jsonb(dict(job.payload)) for job in jobs],
            },
        )
        return [row[0] for row in await cursor.fetchall()]


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

    async def again(self, tx: AsyncConnection, after: timedelta, error: str | None = None) -> None:
        """The effect is known not to have happened; try later."""
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


Handle = Callable[[Sequence[Job]], Awaitable[None]]
"""Carry out a batch of jobs. A job left ``running`` when it returns is done; after an exception a ``running`` job
is tried again later and a ``sending`` one is in doubt."""


class JobWorker:
    """Takes jobs of one queue, in batches, several batches at a time, and hands them to ``handle``."""

    def __init__(  # noqa: PLR0913 knobs with defaults
        self,
        engine: AsyncEngine,
        queue: str,
        handle: Handle,
        *,
        batch: int = 20,
        concurrency: int = 2,
        lease_seconds: float = 15,
        poll_seconds: float = 0.2,
        max_attempts: int = 8,
        back_off_seconds: float = 2,
    ) -> None:
        self.engine = engine
        self.queue = queue
        self.handle = handle
        self.batch = batch
        self.concurrency = concurrency
        self.lease_seconds = lease_seconds
        self.poll_seconds = poll_seconds
        self.max_attempts = max_attempts
        self.back_off_seconds = back_off_seconds
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self._trouble: str | None = None

    def problems(self) -> list[str]:
        """What is wrong now, for health."""
        return [self._trouble] if self._trouble else []

    async def run(self) -> None:
        """Work until cancelled. A batch in hand is given up at once: its lease tells the next worker."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep())
            for _ in range(self.concurrency):
                group.create_task(self._work())

    async def _keep(self) -> None:
        while True:
            heed_cancellation()
            await self._guarded(self._renew_and_recover)
            await asyncio.sleep(self.lease_seconds / 3)

    async def _renew_and_recover(self) -> bool:
        async with self.engine.begin() as tx:
            await tx.execute(RENEW, {"owner": self.owner, "lease": self.lease_seconds})
            for row in await tx.execute(RECOVER, {"queue": self.queue}):
                log.warning("job left by a lost worker", extra={"queue": self.queue, "now": row.status})
        return True

    async def _work(self) -> None:
        while True:
            heed_cancellation()
            if not await self._guarded(self.step):
                await asyncio.sleep(self.poll_seconds)

    async def _guarded(self, step: Callable[[], Awaitable[bool]]) -> bool:
        try:
            busy = await step()
        except Exception as error:
            if not is_transient(error):
                log.exception("job queue step failed", extra={"queue": self.queue})
            self._trouble = f"jobs {self.queue}: {type(error).__name__}: {error}"
            await asyncio.sleep(1)
            return False
        self._trouble = None
        return busy

    async def step(self) -> bool:
        """Take one batch and carry it out; False when nothing was ready."""
        async with self.engine.begin() as tx:
            rows = (
                await tx.execute(
                    TAKE,
                    {
                        "owner": self.owner,
                        "lease": self.lease_seconds,
                        "queue": self.queue,
                        "batch": self.batch,
                    },
                )
            ).all()
        if not rows:
            return False
        jobs = [Job(**row._mapping, owner=self.owner, engine=self.engine) for row in rows]
        jobs.sort(key=lambda job: (job.run_at, job.id))
        error: Exception | None = None
        try:
            await self.handle(jobs)
        except Exception as caught:
            error = caught
            if not is_transient(caught):
                log.exception("jobs failed", extra={"queue": self.queue, "jobs": [str(job.id) for job in jobs]})
        for job in jobs:
            if job.status in ("running", "sending"):
                with suppress(JobLost):
                    await self._settle(job, error)
        return True

    async def _settle(self, job: Job, error: Exception | None) -> None:
        async with self.engine.begin() as tx:
            if job.status == "running" and error is None:
                await job.done(tx)
            elif job.status == "running" and job.attempts < self.max_attempts:
                delay = self.back_off_seconds * 2 ** (job.attempts - 1)
                await job.again(tx, timedelta(seconds=min(delay, 600)), _sentence(error))
            elif job.status == "running":
                await job.failed(tx, _sentence(error))
            elif job.status == "sending":
                await job.in_doubt(tx, _sentence(error))


def _sentence(error: Exception | None) -> str:
    return f"{type(error).__name__}: {error}" if error else "the handler ended without saying the result"
