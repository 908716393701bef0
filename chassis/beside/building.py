"""The tables of the next version, built by the worker that every service hears with, and followed until they are
switched to or dropped. Killed at any moment it goes on from its checkpoints."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from faststream.nats import NatsBroker
from psycopg import OperationalError, sql
from psycopg.errors import InvalidSchemaName, UndefinedTable

from chassis import database
from chassis.beside.agreeing import leave_out
from chassis.beside.follower import Follower
from chassis.beside.place import looked_at, schema_of
from chassis.beside.stages import Stages
from chassis.trust import security_of

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LEASE_SECONDS = 5.0
RELAY_SECONDS = 5.0
"""What the service itself has said is published within so long, while its relay runs."""
POOL = 6


@dataclass(frozen=True)
class Progress:
    """How far the building is."""

    heard: int
    behind: int
    per_second: float


Tell = Callable[[Progress], None]


async def build(stages: Stages, tell: Tell, *, once: bool = False, lease_seconds: float = LEASE_SECONDS) -> str:
    """Make the tables of the next version if they are not there, fill them, and follow. Answers why it ended:
    ``caught up`` with ``once``, else ``switched`` or ``dropped``. Raises ``Refused``."""
    await stages.prepare()
    schema = schema_of(stages.service, "next")
    engine = database.engine(stages.owner_url, schema, size=POOL)
    broker = NatsBroker(
        stages.nats_url, logger=None, max_reconnect_attempts=-1, security=security_of(stages.nats_url)
    )
    live = database.engine(stages.owner_url, stages.service, size=2, application=schema)
    worker = Follower(
        live,
        stages.service,
        engine,
        broker,
        stages.quiet,
        stages.registry,
        generation=stages.generation,
        lease_seconds=lease_seconds,
    )
    async with stages.connection() as connection:
        await leave_out(connection, stages.service, schema, worker.applying)
    watching = asyncio.create_task(_watch(stages, worker, tell, once))
    working = asyncio.create_task(worker.run())
    try:
        await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
        return await watching
    finally:
        for task in (watching, working):
            task.cancel()
        await asyncio.gather(watching, working, return_exceptions=True)
        await broker.stop()
        await live.dispose()
        await engine.dispose()


async def _watch(stages: Stages, worker: Follower, tell: Tell, once: bool) -> str:
    began, before, analyzed = monotonic(), 0, False
    first = True
    unpublished, since = 0, monotonic()
    while True:
        try:
            async with stages.connection() as connection:
                found = await looked_at(connection, stages.service)
                if found is None or found.role != "next":
                    return "dropped" if found is None else "switched"
                await leave_out(connection, stages.service, found.schema, worker.applying)
                heard = sum(found.heard.values())
                if first:
                    began, before, first = monotonic(), heard, False
                per_second = (heard - before) / max(0.1, monotonic() - began)
                tell(Progress(heard, found.events_behind, round(per_second, 1)))
                own = found.behind.get(stages.service, 0)
                if own != unpublished:
                    unpublished, since = own, monotonic()
                # no relay runs, and nothing of the rest comes: a switch takes it from the log
                waits_for_relay = own == found.events_behind and monotonic() - since > RELAY_SECONDS
                if (found.events_behind == 0 or waits_for_relay) and not analyzed:
                    for table in stages.derived:
                        await connection.execute(sql.SQL("analyze {}").format(sql.Identifier(found.schema, table)))
                    analyzed = True
                if analyzed and once:
                    return "caught up"
        except (OperationalError, UndefinedTable, InvalidSchemaName) as error:
            # switched to or dropped this very moment, or PostgreSQL is away: the next look tells
            log.warning("not looked at", extra={"error": str(error)})
        await asyncio.sleep(LOOK_SECONDS)
