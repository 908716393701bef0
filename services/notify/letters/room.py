"""Many letters at a time, made behind the back of whoever asked for them; they are found again after a crash."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver, transaction
from chassis.eventlog import Cause
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.jobs import Job, JobLost, JobWorker, NewJob
from chassis.running import Running
from services.notify.letters.preparing import Prepared, Preparer, Wish
from services.notify.settings import NotifySettings

log = logging.getLogger(__name__)

QUEUE = "letter"
PEOPLE = "people of letters"
PAUSE = timedelta(seconds=5)
NOT_HEARD_PAUSE = timedelta(seconds=1)

REOPEN = """
    update job set status = 'ready', run_at = now(), attempts = 0, error = null, payload = again.payload,
        changed_at = now()
    from unnest(%(ids)b::uuid[], %(payloads)b::jsonb[]) as again(id, payload)
    where job.id = again.id and job.queue = 'letter' and job.status in ('failed', 'done')
"""
"""A letter that is kept is not made again by a job that opens again."""


def payload(as_of: date, cause: Cause, *, registered: bool) -> dict[str, Any]:
    """What a letter's events will name as their cause, and its day."""
    return {
        "as_of": as_of.isoformat(),
        "registered": registered,
        "actor": cause.actor,
        "correlation_id": str(cause.correlation_id),
        "causation_id": None if cause.causation_id is None else str(cause.causation_id),
        "traceparent": cause.traceparent,
    }


def _wish(job: Job) -> Wish:
    told: Mapping[str, Any] = job.payload
    caused = told["causation_id"]
    cause = Cause(
        told["actor"], UUID(told["correlation_id"]), None if caused is None else UUID(caused), told["traceparent"]
    )
    return Wish(job.id, cause, registered=told["registered"])


async def reopen(tx: AsyncConnection, jobs: Sequence[NewJob]) -> None:
    """Try those again that are wanted again."""
    if not jobs:
        return
    connection = await driver(tx)
    payloads = [Jsonb(dict(job.payload)) for job in jobs]
    await connection.execute(REOPEN, {"ids": [job.id for job in jobs], "payloads": payloads})


class LetterRoom:
    """Takes letters from the queue and has them made."""

    def __init__(self, running: Running, settings: NotifySettings) -> None:
        self.running = running
        self.preparer = Preparer(running, settings)
        self.worker = JobWorker(
            running.engine,
            QUEUE,
            self.handle,
            batch=settings.letter_batch,
            concurrency=1,
            lease_seconds=settings.job_lease_seconds,
        )

    async def run(self) -> None:
        """Work until cancelled."""
        await self.worker.run()

    async def handle(self, jobs: Sequence[Job]) -> None:
        """Make a batch. What cannot be made is told by its job; the task stays open."""
        groups: defaultdict[tuple[str, date], list[Job]] = defaultdict(list)
        for job in jobs:
            groups[job.company, date.fromisoformat(job.payload["as_of"])].append(job)
        for (company, as_of), group in groups.items():
            try:
                done = await self.preparer.prepare(company, [_wish(job) for job in group], as_of)
            except (NeighbourUnreachable, NeighbourRefused) as silent:
                self.running.health.hindrance(PEOPLE, f"{silent}; letters wait")
                await self._later(group, str(silent))
                continue
            self.running.health.hindrance(PEOPLE, None)
            await self._settle(group, done)

    async def _later(self, jobs: Sequence[Job], reason: str) -> None:
        async with transaction(self.running.engine) as tx:
            for job in sorted(jobs, key=lambda job: job.id):
                with suppress(JobLost):
                    await job.again(tx, PAUSE, reason)

    async def _settle(self, jobs: Sequence[Job], done: Prepared) -> None:
        """The letters that were made are left to the worker, which ends their jobs."""
        async with transaction(self.running.engine) as tx:
            for job in sorted(jobs, key=lambda job: job.id):
                with suppress(JobLost):
                    if job.id in done.again:
                        await job.again(tx, NOT_HEARD_PAUSE, done.again[job.id])
                    elif (reason := done.refused.get(job.id)) is not None:
                        await job.failed(tx, reason)
