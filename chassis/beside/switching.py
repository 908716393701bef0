"""The tables beside in the place of the live ones, in one transaction."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic

from psycopg import sql
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import database
from chassis.beside.agreeing import agree_on_parked
from chassis.beside.exactly import Exactly
from chassis.beside.place import (
    Role,
    schema_of,
    version_of,
)
from chassis.beside.standing import LIVE_SECONDS, PAUSE_SECONDS, Refused, Standing
from chassis.beside.swap import speaking_of, swap
from chassis.database import driver
from chassis.derived import Connection, live_vector

LEASES_SECONDS = 15
TABLES_MILLISECONDS = 400
"""How long one table is waited for: less than PostgreSQL waits before it looks for a deadlock, so that it is the
switch that gives way, not somebody's command."""
TABLES_SECONDS = 20.0
ATTEMPTS = 3
IN_HAND = "select from job where status in ('running', 'sending') and until > now() limit 1"


class JobsInHand(Refused):
    """Workers of the old version are carrying out jobs, one after another."""

    def __init__(self, service: str) -> None:
        super().__init__(
            f"the old version of {service} is carrying out jobs, mails perhaps: stop its workers, then switch;"
            " nothing was changed"
        )


@dataclass(frozen=True)
class Switched:
    """Which version is live now and which is kept; ``stood_still_seconds`` is for how long readers and commands
    waited, ``projection_stood_still_seconds`` for how long no event was applied."""

    service: str
    live_version: int | None
    kept_version: int | None
    kept: Role
    events: int
    stood_still_seconds: float
    projection_stood_still_seconds: float


@dataclass
class Switching(Standing):
    """Switches, and switches back."""

    async def switch(self, role: Role) -> Switched:
        """Put the tables of ``next`` in the place of the live ones, or those of ``before`` back. Raises
        ``Refused``; then nothing was changed."""
        await self.standing(role)
        schema = schema_of(self.service, role)
        async with self.connection() as connection:
            version = await version_of(connection, schema)
            if version != self.listening.version:
                raise Refused(
                    f"{schema} is of version {version}, and only code of that version can bring it up to date;"
                    f" this is version {self.listening.version}: use the image that made it"
                )
            await self.ensure_same_revision(connection, schema)
        events = 0
        async with self.bringing(role) as (exactly, own, live):
            events += await self.approach(exactly, own, live)
            for table in self.derived:
                await live.execute(sql.SQL("analyze {}").format(sql.Identifier(schema, table)))
            events += await self.approach(exactly, own, live)
            engine = database.engine(self.owner_url, self.service, size=1, application=f"{schema} switch")
            try:
                return await self._switched(engine, exactly, own, live, role, events)
            finally:
                await engine.dispose()

    async def _switched(  # noqa: PLR0913, PLR0917 one call
        self,
        engine: AsyncEngine,
        exactly: Exactly,
        own: dict[int, int],
        live: Connection,
        role: Role,
        events: int,
    ) -> Switched:
        until = monotonic() + LIVE_SECONDS
        busy = 0
        while True:
            try:
                async with engine.begin() as tx:
                    found = await self._try(tx, exactly, own, live, role, events)
                    if found is not None:
                        return found
            except DBAPIError as error:
                if not isinstance(error.orig, LockNotAvailable):
                    raise
                busy += 1
            except LockNotAvailable:
                busy += 1
            else:
                await self.wait_for_live(until)
            if busy >= ATTEMPTS:
                raise Refused(
                    "the live tables are in use all the time, by a long reading or a batch: try again when it is"
                    " quieter; nothing was changed"
                )
            await asyncio.sleep(PAUSE_SECONDS)

    async def _try(  # noqa: PLR0913, PLR0917 one call
        self,
        tx: AsyncConnection,
        exactly: Exactly,
        own: dict[int, int],
        live: Connection,
        role: Role,
        events: int,
    ) -> Switched | None:
        """One attempt, in one transaction; ``None`` while the live tables are behind. Raises
        ``LockNotAvailable``."""
        connection = await driver(tx)
        schema = schema_of(self.service, role)
        await _wait_at_most(connection, LEASES_SECONDS * 1000)
        await self._hold_off_vacuum(connection, schema)
        # batches in hand are waited for, further ones wait; readers and commands go on
        stopped = monotonic()
        await connection.execute("select p from partition_lease order by p for update")
        heard = await live_vector(connection, self.service, self.speakers)
        if await self.live_is_behind(live, role, heard):
            return None
        events += await exactly.bring(own, heard)
        live_version = await version_of(connection, self.service)
        await self._lock(connection, changing=live_version not in {None, self.listening.version})
        held = monotonic()
        events += await exactly.bring(own, await live_vector(connection, self.service, self.speakers))
        apart = await agree_on_parked(connection, exactly.engine, self.service, schema, self.quiet, self.registry)
        if apart:
            raise Refused(f"{apart}; nothing was changed")
        await self.ensure_same_revision(connection, schema)
        await swap(connection, self.service, schema, self.derived)
        for statement in self.listening.on_replaced:
            await connection.execute(statement)
        kept = live_version or self.listening.version
        for place, version in ((self.service, self.listening.version), (schema, kept)):
            await connection.execute(
                sql.SQL("update {} set version = %s, since = now()").format(sql.Identifier(place, "derivation")),
                [version],
            )
            # whoever held a partition, or waits for one just now, is fenced out and takes it anew
            await connection.execute(
                sql.SQL("update {} set owner = null, epoch = epoch + 1, until = now()").format(
                    sql.Identifier(place, "partition_lease")
                )
            )
        becomes: Role = "before" if role == "next" else "next"
        await connection.execute(
            sql.SQL("alter schema {} rename to {}").format(
                sql.Identifier(schema), sql.Identifier(schema_of(self.service, becomes))
            )
        )
        ended = monotonic()
        return Switched(
            self.service,
            self.listening.version,
            kept,
            becomes,
            events,
            round(ended - held, 3),
            round(ended - stopped, 3),
        )

    async def _hold_off_vacuum(self, connection: Connection, schema: str) -> None:
        """A vacuum of PostgreSQL's own gives way to whoever waits for a second, longer than a table is waited for
        later on; a large table has one for minutes. Reading and writing go on beside this lock."""
        for place in (schema, self.service):
            held = sql.SQL(", ").join(sql.Identifier(place, name) for name in self.derived)
            await connection.execute(sql.SQL("lock table {} in share update exclusive mode").format(held))

    async def _lock(self, connection: Connection, *, changing: bool) -> None:
        """Every table that changes, then the heads: who comes later waits, who was first is given way to. With
        ``changing`` versions no job may be in hand: its worker could not record what became of a message."""
        speaking = await speaking_of(connection, self.service, self.derived)
        locked = sql.SQL(", ").join(
            sql.Identifier(self.service, name) for name in dict.fromkeys([*self.derived, *speaking])
        )
        until = monotonic() + TABLES_SECONDS
        while True:
            try:
                async with connection.transaction():
                    await _wait_at_most(connection, TABLES_MILLISECONDS)
                    await connection.execute(sql.SQL("lock table {} in access exclusive mode").format(locked))
                    await connection.execute("select p from partition_head order by p for update")
                    if changing:
                        await connection.execute("lock table job in share row exclusive mode")
                        in_hand = await (await connection.execute(IN_HAND)).fetchone()
                        if in_hand is not None:
                            raise JobsInHand(self.service)
                return
            except (LockNotAvailable, JobsInHand):
                if monotonic() > until:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)


async def _wait_at_most(connection: Connection, milliseconds: int) -> None:
    await connection.execute("select set_config('lock_timeout', %s, true)", [str(milliseconds)])
