"""Simulations worked on: prepared once, then part by part in processes of low priority, then put together.

Every worker of dunning takes parts of the queue, so several share one simulation. A part that was begun and lost
is begun again; its result is written once, in the transaction that ends its job.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from multiprocessing import get_context
from time import monotonic
from typing import Any
from uuid import UUID

import nats
from psycopg.types.json import Jsonb
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import past
from chassis.database import driver, transaction
from chassis.jobs import Job, enqueue
from chassis.running import Running
from chassis.trust import trusting
from contracts import sync
from contracts.registry import EVENTS
from contracts.subjects import PARTITIONS, partition_of
from services.dunning.domain.tally import Difference
from services.dunning.settings import DunningSettings
from services.dunning.simulations.asking import job as job_of
from services.dunning.simulations.living import Part, Task, begin_process, work
from services.dunning.simulations.results import put_together

PARTS = 32
IDLE_SECONDS = 60.0
SWEEP_SECONDS = 3600.0
ATTEMPTS = 3

log = logging.getLogger(__name__)

FIND = text(
    "select kind, first_on, last_on, status, asked, rules, facts, parts from simulation"
    " where company = :company and simulation_id = :simulation_id"
)
HELD = text("select distinct p from schedule where company = :company order by p")
COMPANY_HABIT = text(
    "select percentile_disc(0.5) within group (order by s.paid_on - e.due_date)"
    " from (select client_id, account, lettering, max(counted_on) as paid_on from entry"
    "   where company = :company and not removed and lettering is not null and amount < 0 and kind = 'payment'"
    "   group by client_id, account, lettering) s"
    " join entry e on e.company = :company and e.client_id = s.client_id and e.account = s.account"
    "   and e.lettering = s.lettering and e.amount > 0 and not e.removed"
)
BEGIN = text(
    "update simulation set status = 'running', started_at = clock_timestamp(), parts = :parts,"
    " facts = cast(:facts as jsonb)"
    " where company = :company and simulation_id = :simulation_id and status = 'waiting'"
)
WRITE_PART = text(
    "insert into simulation_part (company, simulation_id, part, counts, calendar, current_calendar, really,"
    " undecided) values (:company, :simulation_id, :part, cast(:counts as jsonb), cast(:calendar as jsonb),"
    " cast(:current_calendar as jsonb), cast(:really as jsonb), :undecided) on conflict do nothing"
)
WRITE_DIFFERENCES = """
    insert into simulation_difference (company, simulation_id, client_id, part, kinds, before, after, lost, gained)
    select %(company)s, %(simulation_id)s, client_id, %(part)s, string_to_array(kinds, ' '), before, after, lost,
        gained
    from unnest(%(clients)b::text[], %(kinds)b::text[], %(before)b::integer[], %(after)b::integer[],
        %(lost)b::jsonb[], %(gained)b::jsonb[]) d(client_id, kinds, before, after, lost, gained)
    on conflict do nothing
"""
STEP = text(
    "update simulation set parts_done = parts_done + 1 where company = :company and simulation_id = :simulation_id"
    " and status = 'running' returning parts_done = parts"
)
FAIL = text(
    "update simulation set status = 'failed', reason = :reason, ended_at = clock_timestamp()"
    " where company = :company and simulation_id = :simulation_id and status in ('waiting', 'running')"
)
SWEEP = text("delete from simulation where asked_at < now() - make_interval(days => :days)")
SWEEP_JOBS = text(
    "delete from job where queue = 'simulations' and status in ('done', 'failed')"
    " and changed_at < now() - interval '1 day'"
)


class Simulator:
    """Carries out the jobs of the queue of simulations."""

    def __init__(self, running: Running, settings: DunningSettings) -> None:
        self._running = running
        self._settings = settings
        self._pool: ProcessPoolExecutor | None = None
        self._busy = 0
        self._used_at = monotonic()

    async def __call__(self, jobs: Sequence[Job]) -> None:
        for one in jobs:
            await self._attempt(one)

    async def _attempt(self, job: Job) -> None:
        key = {"company": job.company, "simulation_id": UUID(job.payload["simulation_id"])}
        async with transaction(self._running.engine) as tx:
            found = (await tx.execute(FIND, key)).mappings().one_or_none()
        if found is None or found["status"] not in {"waiting", "running"}:
            return  # cancelled, failed or swept away meanwhile
        if job.payload["part"] is None:
            await self._prepare(job, key, found)
        else:
            part = int(job.payload["part"])
            done = await self._work(self._task(job.company, found, part))
            await self._keep(job, {**key, "part": part}, done)

    async def _prepare(self, job: Job, key: dict[str, Any], found: RowMapping) -> None:
        """What all parts need to know, and which parts there are."""
        facts: dict[str, Any] = {}
        if found["kind"] == "behind":
            held = list(range(PARTITIONS))
            opened = await self._openings(job.company)
            facts["opened"] = {source: on.isoformat() for source, on in opened.items()}
        async with transaction(self._running.engine) as tx:
            if found["kind"] == "ahead":
                held = list(await tx.scalars(HELD, {"company": job.company}))
                if found["asked"]["assume"] == "habits":
                    facts["company_delay"] = await tx.scalar(COMPANY_HABIT, {"company": job.company})
            shares = [held[number::PARTS] for number in range(PARTS) if held[number::PARTS]] or [[]]
            facts["shares"] = shares
            begun = await tx.execute(BEGIN, {**key, "parts": len(shares), "facts": json.dumps(facts)})
            if begun.rowcount:
                parts = [job_of(job.company, key["simulation_id"], number) for number in range(len(shares))]
                await enqueue(tx, job.queue, parts)
            await job.done(tx)

    async def _openings(self, company: str) -> dict[str, date]:
        """The day of each source's first delivery."""
        opened: dict[str, date] = {}
        url = self._running.settings.nats_url
        bus = await nats.connect(url, name="dunning-simulation", max_reconnect_attempts=3, **trusting(url))
        try:
            home = partition_of(company, None)
            async for part in past.said_about(bus, "sync", company, EVENTS, partitions=(home,)):
                for heard in part:
                    if heard.event is not None and heard.event.type == sync.SyncCompleted.__name__:
                        completed = heard.event.parse()
                        assert isinstance(completed, sync.SyncCompleted)
                        opened.setdefault(completed.source, heard.event.as_of)
        finally:
            await bus.close()
        return opened

    def _task(self, company: str, found: RowMapping, part: int) -> Task:
        rules, facts, asked = found["rules"], found["facts"], found["asked"]
        settings = self._running.settings
        return Task(
            database_url=settings.database_url,
            nats_url=settings.nats_url,
            company=company,
            partitions=tuple(facts["shares"][part]),
            kind=found["kind"],
            first_on=found["first_on"],
            last_on=found["last_on"],
            before=None if rules["before"] is None else json.dumps(rules["before"]),
            after=json.dumps(rules["after"]),
            habits=asked.get("assume") == "habits",
            company_delay=facts.get("company_delay"),
            only_profile=asked.get("only_profile"),
            opened={source: date.fromisoformat(on) for source, on in facts.get("opened", {}).items()},
        )

    async def _work(self, task: Task) -> Part:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._settings.simulation_processes, mp_context=get_context("spawn"), initializer=begin_process
            )
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, task)
        except BrokenProcessPool:
            self._pool = None  # a process was killed: the part is tried again in new ones
            raise
        finally:
            self._busy -= 1
            self._used_at = monotonic()

    async def _keep(self, job: Job, key: dict[str, Any], done: Part) -> None:
        async with transaction(self._running.engine) as tx:
            await tx.execute(
                WRITE_PART,
                {
                    **key,
                    "counts": json.dumps(done.counts),
                    "calendar": json.dumps(done.calendar),
                    "current_calendar": json.dumps(done.current_calendar),
                    "really": json.dumps(done.really),
                    "undecided": done.undecided,
                },
            )
            await _write_differences(tx, key, done.differences)
            await job.done(tx)
            if await tx.scalar(STEP, key):
                await put_together(tx, key["company"], key["simulation_id"])

    async def give_up(self, tx: AsyncConnection, job: Job, error: Exception | None) -> None:
        """A part that fails as often as it may ends the whole."""
        reason = "unknown" if error is None else type(error).__name__
        key = {"company": job.company, "simulation_id": UUID(job.payload["simulation_id"])}
        await tx.execute(FAIL, {**key, "reason": reason})

    async def tidy(self) -> None:
        """For ever: end idle processes, forget what is older than it is kept."""
        swept_at = -SWEEP_SECONDS
        try:
            while True:
                if self._pool is not None and not self._busy and monotonic() - self._used_at > IDLE_SECONDS:
                    pool, self._pool = self._pool, None
                    await asyncio.to_thread(pool.shutdown)
                if monotonic() - swept_at > SWEEP_SECONDS:
                    async with transaction(self._running.engine) as tx:
                        await tx.execute(SWEEP, {"days": self._settings.simulation_kept_days})
                        await tx.execute(SWEEP_JOBS)
                    swept_at = monotonic()
                await asyncio.sleep(IDLE_SECONDS / 4)
        finally:
            self.close()

    def close(self) -> None:
        """At the end of the service: what runs is worth nothing without it."""
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


async def _write_differences(
    tx: AsyncConnection, key: dict[str, Any], differences: list[tuple[str, Difference]]
) -> None:
    if not differences:
        return
    connection = await driver(tx)
    await connection.execute(
        WRITE_DIFFERENCES.encode(),
        {
            **key,
            "clients": [client_id for client_id, _ in differences],
            "kinds": [" ".join(one.kinds) for _, one in differences],
            "before": [one.before for _, one in differences],
            "after": [one.after for _, one in differences],
            "lost": [Jsonb(_plain(one.lost)) for _, one in differences],
            "gained": [Jsonb(_plain(one.gained)) for _, one in differences],
        },
    )


def _plain(contacts: Sequence[Any]) -> list[list[object]]:
    """Day, step, medium, currency, net amount, amount in bookkeeping currency, entries."""
    return [[one.on.isoformat(), *one[1:7]] for one in contacts]
