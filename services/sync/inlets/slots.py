"""Planned slots: when an inlet is looked into or a connector reads its base, as cron says it, on the company's own
clock."""

import asyncio
import logging
from datetime import datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.cancellation import heed_cancellation
from chassis.database import is_transient, transaction
from chassis.eventlog import Cause
from chassis.jobs import NewJob, enqueue
from chassis.running import Running
from services.sync import connecting, runs, silence
from services.sync.domain.problems import Problem
from services.sync.inlets.fetching import QUEUE
from services.sync.settings import SyncSettings

ACTOR = "system:slot"
EVERY_MINUTE = "* * * * *"
LOOK_SECONDS = 2.0
AT_ONCE = 100
FETCHES = UUID("3f3c9a0e-6b2d-5d0e-8a5e-2f0f6f0d9c77")

DUE = text(
    "select s.company, slot_id, inlet, connector, cron, next_at, coalesce(time_zone, 'Europe/Paris') as time_zone"
    " from slot s left join company c using (company) where next_at <= :now"
    " and not exists (select from company_hold held where held.company = s.company) order by next_at, slot_id"
    " limit :at_once for update of s skip locked"
)

log = logging.getLogger(__name__)


class CronUnreadable(Exception):
    """The text is no time as cron writes it, or one that never comes."""


def next_time(cron: str, after: datetime, time_zone: str) -> datetime:
    """The first instant after ``after`` that a slot names, on the clock of ``time_zone``: an hour that the summer
    takes is not skipped, one that the winter doubles comes once. Raises ``CronUnreadable``."""
    try:
        return next(CronSim(cron, after.astimezone(ZoneInfo(time_zone))))
    except (CronSimError, StopIteration) as unreadable:
        raise CronUnreadable(cron) from unreadable


async def open_due(running: Running, tx: AsyncConnection, now: datetime) -> int:
    """Begin what is due and plan the next time; answers how many. A slot that was missed, since nothing ran, comes
    once and late."""
    rows = (await tx.execute(DUE, {"now": now, "at_once": AT_ONCE})).all()
    for row in rows:
        if row.connector:
            await _synchronise(running, tx, row.company, row.connector, now, row.time_zone)
        else:
            job_id = uuid5(FETCHES, f"{row.slot_id}/{row.next_at.isoformat()}")
            payload = {"inlet": row.inlet, "actor": ACTOR}
            await enqueue(tx, QUEUE, [NewJob(job_id, row.company, payload, key=f"{row.company}/{row.inlet}")])
        await tx.execute(
            text("update slot set next_at = :next_at where company = :company and slot_id = :slot_id"),
            {
                "next_at": next_time(row.cron, now, row.time_zone),
                "company": row.company,
                "slot_id": row.slot_id,
            },
        )
    return len(rows)


async def _synchronise(  # noqa: PLR0913, PLR0917 what a sync is asked with
    running: Running, tx: AsyncConnection, company: str, name: str, now: datetime, time_zone: str
) -> None:
    """Ask a connector for a sync, unless one is under way. Of one that is silent it is said, and the sync stands
    in the history as failed (rule 2.2): whoever looks there in the morning sees why the books are old."""
    settings = running.settings
    assert isinstance(settings, SyncSettings)
    try:
        connector = await connecting.find(tx, company, name)
    except connecting.ConnectorUnknown:
        return
    as_of = now.astimezone(ZoneInfo(time_zone)).date()
    is_silent = connector.is_silent(now, timedelta(seconds=settings.connector_silent_after_seconds))
    if is_silent:
        await silence.say_silent(running, connector, as_of)
    if await connecting.under_way(tx, company, name) is not None:
        return
    cause = Cause.new(ACTOR)
    if not is_silent:
        await connecting.open_sync(tx, running.say(tx), connector, "incremental", as_of, cause)
        return
    run = await runs.find(tx, company, await connecting.write_down(tx, connector, "incremental", as_of, cause))
    assert run is not None
    since = (connector.seen_at or connector.created_at).astimezone(ZoneInfo(time_zone))
    problem = Problem(0, "", "connector_silent", {"since": since.strftime("%Y-%m-%d %H:%M")})
    await silence.give_up(tx, running.say(tx), run, problem)


async def keep_time(running: Running) -> None:
    """Open slots as their times come, until cancelled."""
    while True:
        heed_cancellation()
        try:
            async with transaction(running.engine) as tx:
                busy = await open_due(running, tx, clock.now()) == AT_ONCE
        except Exception as error:
            if not is_transient(error):
                log.exception("slots cannot be opened")
            busy = False
        if not busy:
            await asyncio.sleep(LOOK_SECONDS)
