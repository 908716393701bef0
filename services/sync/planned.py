"""Planned slots of connectors: syncs that nobody asks for, at times as cron writes them (A3)."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.cancellation import heed_cancellation
from chassis.database import is_transient, transaction
from chassis.eventlog import Cause
from chassis.running import Running
from services.sync import connecting, runs, silence
from services.sync.connecting import Connector
from services.sync.domain.problems import Problem
from services.sync.inlets.slots import next_time
from services.sync.settings import SyncSettings

ACTOR = "system:slot"
LOOK_SECONDS = 2.0

DUE = text(
    "select s.company, slot_id, connector, cron, mode, coalesce(time_zone, 'Europe/Paris') as time_zone"
    " from connector_slot s left join company c using (company) where next_at <= :now"
    " order by next_at, slot_id limit 1 for update of s skip locked"
)
ADVANCE = text("update connector_slot set next_at = :next_at where company = :company and slot_id = :slot_id")

log = logging.getLogger(__name__)


async def open_due(running: Running, settings: SyncSettings, now: datetime) -> bool:
    """Begin the sync of one slot whose time has come, and plan its next time; False when none has. A slot that was
    missed, since nothing ran, comes once and late. A sync under way is not asked for twice."""
    async with transaction(running.engine) as tx:
        slot = (await tx.execute(DUE, {"now": now})).one_or_none()
        if slot is None:
            return False
        following = next_time(slot.cron, now, slot.time_zone)
        await tx.execute(ADVANCE, {"next_at": following, "company": slot.company, "slot_id": slot.slot_id})
        connector = await connecting.find(tx, slot.company, slot.connector)
        silent = connector.is_silent(now, timedelta(seconds=settings.connector_silent_after_seconds))
        day = clock.today(slot.time_zone)
        if await connecting.under_way(tx, slot.company, slot.connector) is None:
            run_id, _ = await connecting.open_sync(
                tx, running.say(tx), connector, slot.mode, day, Cause.new(ACTOR), is_queued=not silent
            )
            if silent:
                await _refuse(running, tx, connector, run_id, slot.time_zone)
    if silent:
        await silence.say_silent(running, connector, day)
    return True


async def _refuse(running: Running, tx: AsyncConnection, connector: Connector, run_id: Any, zone: str) -> None:
    """The history tells why nothing came at that time."""
    run = await runs.find(tx, connector.company, run_id)
    assert run is not None
    since = silence.told_since(connector, zone, "en")
    await silence.give_up(tx, running.say(tx), run, Problem(0, "", "connector_silent", {"since": since}))


async def keep_time(running: Running, settings: SyncSettings) -> None:
    """Open slots as their times come, until cancelled."""
    while True:
        heed_cancellation()
        try:
            busy = await open_due(running, settings, clock.now())
        except Exception as error:
            if not is_transient(error):
                log.exception("slots of connectors cannot be opened")
            busy = False
        if not busy:
            await asyncio.sleep(LOOK_SECONDS)
