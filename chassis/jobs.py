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
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.cancellation import heed_cancellation
from chassis.database import at_once, is_transient
from chassis.derivation import VERSION_OPTION
from chassis.job_queue import Job, JobLost, Move, NewJob, enqueue, move_all
from chassis.telemetry import taken_up
from chassis.waking import COMMITTED_SECONDS, Rest, jobs_of

__all__ = ["Handle", "Job", "JobLost", "JobWorker", "Move", "NewJob", "WorkersLost", "enqueue", "move_all"]

log = logging.getLogger(__name__)

TAKE = text(
    "update job set status = 'running', owner = :owner, until = now() + make_interval(secs => :lease),"
    " attempts = attempts + 1, changed_at = now()"
    " where id in (select id from job where queue = :queue and status = 'ready' and run_at <= now()"
    "   and (cast(:only as text) is null or company = :only) and company <> all(cast(:but as text[]))"
    "   and coalesce((select version from derivation) = cast(:version as integer), true)"
    "   and not exists (select from company_hold held where held.company = job.company)"
    "   order by run_at, id limit :batch for update skip locked)"
    " returning id, queue, company, key, p, attempts, payload, run_at"
)

# A lease that is over stays over: whoever held it may have been told so. A row that is being moved right now is
# renewed next time: waiting for it could be waiting in a circle. Only jobs in hand are renewed: one whose end
# could not be recorded, because the database was gone, falls to the next worker instead of being kept for ever.
RENEW = text(
    "update job set until = now() + make_interval(secs => :lease)"
    " where id in (select id from job where id = any(cast(:held as uuid[])) and owner = :owner"
    "   and status in ('running', 'sending') and until > now() for update skip locked)"
)

RECOVER = text(
    "update job set owner = null, until = null, changed_at = now(),"
    " status = case status when 'running' then 'ready' else 'in_doubt' end,"
    " payload = case status when 'running' then jsonb_set(payload, '{losses}',"
    "   to_jsonb(coalesce((payload ->> 'losses')::int, 0) + 1)) else payload end,"
    " error = case status when 'running' then error else 'the sender ended before it knew the result' end"
    " where id in (select id from job where queue = :queue and status in ('running', 'sending')"
    "   and until < now() for update skip locked)"
    " returning status"
)

IDLE_GROWTH, IDLE_PAUSES = 1.1, 2.5
"""While nothing is ready a worker asks less and less often, down to once in so many of its pauses."""

RESTING_GROWTH, RESTING_PAUSES = 1.25, 5
"""The same for a queue, whose jobs wake a worker in their own process; only those of other processes, and jobs
whose time comes, are found by asking."""

Handle = Callable[[Sequence[Job]], Awaitable[None]]
"""Carry out a batch of jobs. A job left ``running`` when it returns is done; after an exception a ``running`` job
is tried again later and a ``sending`` one is in doubt."""

GivenUp = Callable[[AsyncConnection, Job, Exception | None], Awaitable[None]]
"""What else ends with a job that failed as often as it may, in the transaction that says so."""


class WorkersLost(Exception):
    """The workers that held a job ended before it did, again and again: it may well be the job that ends them."""

    def __init__(self, times: int) -> None:
        super().__init__(f"{times} workers ended while they carried it out")
        self.times = times


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
        given_up: GivenUp | None = None,
        most_losses: int | None = None,
        only: str | None = None,
    ) -> None:
        self.engine = engine
        self._at_once = at_once(engine)
        self.queue = queue
        self.handle = handle
        self.batch = batch
        self.concurrency = concurrency
        self.lease_seconds = lease_seconds
        self.poll_seconds = poll_seconds
        self.max_attempts = max_attempts
        self.back_off_seconds = back_off_seconds
        self.given_up = given_up
        self.most_losses = most_losses
        self.only = only
        """The company whose jobs it takes; without one those of all, ``but`` some."""
        self.but: frozenset[str] = frozenset()
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self._trouble: str | None = None
        self._rest = Rest(jobs_of(queue))
        self._held: set[UUID] = set()
        # of the hands that are free one looks for work: a queue costs the same however many it has
        self._looking = asyncio.Lock()

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
        async with self._at_once.connect() as tx:
            held = {"held": list(self._held), "owner": self.owner, "lease": self.lease_seconds}
            await tx.execute(RENEW, held)
            for row in await tx.execute(RECOVER, {"queue": self.queue}):
                log.warning("job left by a lost worker", extra={"queue": self.queue, "now": row.status})
        return True

    async def _work(self) -> None:
        while True:
            heed_cancellation()
            async with self._looking:
                jobs = await self._found()
            if jobs:
                await self._guarded(partial(self._in_hand, jobs))

    async def _found(self) -> list[Job]:
        """The next batch; looks for it until there is one, unless the database is away."""
        pause = self.poll_seconds
        found: list[Job] = []

        async def look() -> bool:
            found.extend(await self._take())
            return bool(found)

        while not await self._guarded(look):
            heed_cancellation()
            if await self._rest.wait(pause):
                pause = self.poll_seconds
                await asyncio.sleep(min(COMMITTED_SECONDS, pause))
            else:
                pause = min(pause * RESTING_GROWTH, self.poll_seconds * RESTING_PAUSES)
        return found

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
        jobs = await self._take()
        return await self._in_hand(jobs) if jobs else False

    async def _take(self) -> list[Job]:
        async with self._at_once.connect() as tx:
            rows = (
                await tx.execute(
                    TAKE,
                    {
                        "owner": self.owner,
                        "lease": self.lease_seconds,
                        "queue": self.queue,
                        "batch": self.batch,
                        "only": self.only,
                        "but": list(self.but),
                        # what it would say of the job's end, code of another version may not say
                        "version": self.engine.get_execution_options().get(VERSION_OPTION),
                    },
                )
            ).all()
        jobs = [Job(**row._mapping, owner=self.owner, engine=self.engine) for row in rows]
        return sorted(jobs, key=lambda job: (job.run_at, job.id))

    async def _in_hand(self, jobs: list[Job]) -> bool:
        in_hand = {job.id for job in jobs}
        self._held |= in_hand
        try:
            await self._carry_out(jobs)
        finally:
            self._held -= in_hand
        return True

    async def _carry_out(self, jobs: list[Job]) -> None:
        error: Exception | None = None
        deadly = [job for job in jobs if self.most_losses is not None and job.losses >= self.most_losses]
        for job in deadly:
            with suppress(JobLost):
                await self._leave(job)
        jobs = [job for job in jobs if job not in deadly]
        if not jobs:
            return
        try:
            with taken_up(f"{self.queue} carried out", [job.payload.get("traceparent") for job in jobs]):
                await self.handle(jobs)
        except Exception as caught:
            error = caught
            if not is_transient(caught):
                log.exception("jobs failed", extra={"queue": self.queue, "jobs": [str(job.id) for job in jobs]})
        for job in jobs:
            if job.status in ("running", "sending"):
                with suppress(JobLost):
                    await self._settle(job, error)

    async def _leave(self, job: Job) -> None:
        """A job that ended its workers, out of memory as a rule, would end this one too."""
        lost = WorkersLost(job.losses)
        log.error("job given up", extra={"queue": self.queue, "job": str(job.id), "losses": job.losses})
        async with self.engine.begin() as tx:
            await job.failed(tx, str(lost))
            if self.given_up:
                await self.given_up(tx, job, lost)

    async def _settle(self, job: Job, error: Exception | None) -> None:
        async with self.engine.begin() as tx:
            if job.status == "running" and error is None:
                await job.done(tx)
            elif job.status == "running" and job.attempts < self.max_attempts:
                delay = self.back_off_seconds * 2 ** (job.attempts - 1)
                await job.again(tx, timedelta(seconds=min(delay, 600)), _sentence(error))
            elif job.status == "running":
                await job.failed(tx, _sentence(error))
                if self.given_up:
                    await self.given_up(tx, job, error)
            elif job.status == "sending":
                await job.in_doubt(tx, _sentence(error))


def _sentence(error: Exception | None) -> str:
    return f"{type(error).__name__}: {error}" if error else "the handler ended without saying the result"
