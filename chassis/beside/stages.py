"""The stages of a rebuild beside the live tables: start, compare, switch, back, drop (ADR 49)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic

import psycopg
from psycopg import sql

from chassis import database
from chassis.beside.agreeing import ParkedApart, agree_on_parked
from chassis.beside.compared import keep_comparison
from chassis.beside.differences import TableDifference, table_differences
from chassis.beside.exactly import Exactly, taken_over
from chassis.beside.place import (
    Role,
    role_found,
    schema_of,
    version_of,
)
from chassis.beside.standing import LIVE_SECONDS, Refused
from chassis.beside.swap import ensure_apart
from chassis.beside.switching import Switched, Switching
from chassis.comparing import Side
from chassis.derived import Connection, Vector, live_vector
from chassis.tables import parked


@dataclass(frozen=True)
class Compared:
    """What differs between the live tables and those beside, at ``heard``, one vector for both."""

    service: str
    live_version: int | None
    version: int | None
    role: Role
    tables: list[TableDifference]
    parked: ParkedApart
    seconds: float
    heard: Vector = field(repr=False)

    @property
    def is_equal(self) -> bool:
        return all(table.is_equal for table in self.tables) and not self.parked


@dataclass
class Stages(Switching):
    """All stages of one service; what ``start`` goes on to do is ``chassis.beside.building``."""

    async def prepare(self) -> None:
        """The schema of the next version, made if it is not there. Raises ``Refused``."""
        async with self.connection() as connection:
            found = await role_found(connection, self.service)
            if found == "before":
                await self.standing("next")
            schema = schema_of(self.service, "next")
            version = await version_of(connection, schema) if found else None
            if version is not None and version != self.listening.version:
                raise Refused(
                    f"{schema} is of version {version}, this code has version {self.listening.version}:"
                    f" relance rebuild drop {self.service}, then start again"
                )
            await asyncio.to_thread(database.migrate, self.module, self.owner_url, schema)
            if version is None:
                # what a person decided never to apply is not applied here either
                columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in parked.columns)
                await connection.execute(
                    sql.SQL(
                        "insert into {0}.parked ({2}) select {2} from {1}.parked where skipped_at is not null"
                        " on conflict do nothing"
                    ).format(sql.Identifier(schema), sql.Identifier(self.service), columns)
                )
                await connection.execute(
                    sql.SQL("update {} set version = %s, since = now()").format(
                        sql.Identifier(schema, "derivation")
                    ),
                    [self.listening.version],
                )

    async def compare(self, *, most_keys: int = 10) -> Compared:
        """Both sides at one vector, table by table. The service goes on working. Raises ``Refused``."""
        began = monotonic()
        role = await self.standing("next", "before")
        async with self.bringing(role) as (exactly, own, live):
            await self.approach(exactly, own, live)
            until = monotonic() + LIVE_SECONDS
            while True:
                async with self.connection() as ours:
                    await ours.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
                    async with ours.transaction():
                        heard = await live_vector(ours, self.service, self.speakers)
                        if not await self.live_is_behind(live, role, heard):
                            return await self._compared(exactly, own, ours, role, heard, most_keys, began)
                await self.wait_for_live(until)

    async def _compared(  # noqa: PLR0913, PLR0917 one call
        self,
        exactly: Exactly,
        own: dict[int, int],
        ours: Connection,
        role: Role,
        heard: Vector,
        most_keys: int,
        began: float,
    ) -> Compared:
        await exactly.bring(own, heard)
        schema = schema_of(self.service, role)
        apart = await agree_on_parked(ours, exactly.engine, self.service, schema, self.quiet, self.registry)
        async with self.connection() as theirs, theirs.transaction():
            tables = await table_differences(
                Side(ours, self.service), Side(theirs, schema), self.listening.tables, most_keys=most_keys
            )
            version = await version_of(theirs, schema)
            live_version = await version_of(theirs, self.service)
        async with self.connection() as keeping:
            await keep_comparison(keeping, self.service, schema, tables, parked_alike=not apart)
        return Compared(
            self.service, live_version, version, role, tables, apart, round(monotonic() - began, 3), heard
        )

    async def drop(self) -> Role:
        """Throw away what stands beside; a builder ends by itself. Raises ``Refused``."""
        role = await self.standing("next", "before")
        schema = schema_of(self.service, role)
        engine = database.engine(self.owner_url, schema, size=2)
        try:
            async with taken_over(engine), self.connection() as connection, connection.transaction():
                await ensure_apart(connection, self.service, schema)
                await connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
        finally:
            await engine.dispose()
        return role


__all__ = ["Compared", "Refused", "Stages", "Switched"]
