"""A service's derived tables made again from the first event, beside the live ones and while these live.

A shadow schema gets the same migrations and the same ``project`` functions; no reaction runs. The live side is
read in one REPEATABLE READ snapshot, which gives the rows and the checkpoints that belong to them; the shadow
stops exactly there, so any difference is a difference.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import database
from chassis.comparing import Comparison, Side, compare
from chassis.delivered import Delivered
from chassis.derived import Connection, Derived, Vector, live_vector
from chassis.listening import project_all
from chassis.parking import key_of, without
from chassis.replaying import REST, Replayed, StreamBehind

if TYPE_CHECKING:
    from chassis.service import Service

log = logging.getLogger(__name__)

CLOSE_ENOUGH_EVENTS = 500
"""So near to the live checkpoints the snapshot is taken; it should not be held for longer than it must."""

MOST_APPROACHES = 20

Parked = Mapping[tuple[str, int, int], set[str]]
"""Parked keys by speaker, partition and number."""


@dataclass
class Report:
    """What a rebuild found. ``rows`` counts live rows; ``differing`` names table, key and column of each
    difference (at most 1000 of them), ``differing_rows`` counts the rows. ``replay_seconds`` went into applying
    the events, the rest of ``seconds`` into preparing and comparing."""

    service: str
    tables: dict[str, int]
    rows: int
    events: int
    differing: list[dict[str, Any]]
    differing_rows: int
    parked_events: int
    replaced: bool
    seconds: float
    replay_seconds: float
    checkpoints: dict[str, dict[int, int]] = field(repr=False)

    @property
    def equal(self) -> bool:
        return self.differing_rows == 0


class ParkedMeanwhile(Exception):
    """A key was unparked while the rebuild ran: run it again."""


@dataclass
class Rebuild(Derived):
    """One rebuild of one service."""

    @property
    def shadow(self) -> str:
        return f"{self.service}_rebuild"

    async def run(self, *, replace: bool = False) -> Report:
        """Rebuild and compare; with ``replace`` the live rows are then replaced by the rebuilt ones, in one
        transaction during which the service's writers wait."""
        began = monotonic()
        self._events = 0
        self._skipped: dict[tuple[str, int, int], set[str]] = {}
        await self._drop_shadow()
        await asyncio.to_thread(database.migrate, self.module, self.owner_url, self.shadow)
        engine = database.engine(self.owner_url, self.shadow, application=self.shadow)
        bus = await self.bus("rebuild")
        self._streams = {
            speaker: Replayed(
                bus,
                speaker,
                self.registry,
                generation=self.generation,
                rest=self._unpublished if speaker == self.service else None,
            )
            for speaker in self.speakers
        }
        try:
            replaying = monotonic()
            await self._approach(engine)
            replayed = monotonic() - replaying
            async with self.connection() as connection:
                comparison, vector, parked = await self._compare(engine, connection)
            if replace and comparison.differing_rows:
                await self._replace(engine)
        finally:
            for stream in self._streams.values():
                await stream.close()
            await bus.close()
            await engine.dispose()
            await self._drop_shadow()
        return Report(
            service=self.service,
            tables=comparison.tables,
            rows=comparison.rows,
            events=self._events,
            differing=comparison.differing,
            differing_rows=comparison.differing_rows,
            parked_events=len(parked),
            replaced=replace and comparison.differing_rows > 0,
            seconds=round(monotonic() - began, 3),
            replay_seconds=round(replayed, 3),
            checkpoints={speaker: dict(numbers) for speaker, numbers in vector.items()},
        )

    async def _approach(self, engine: AsyncEngine) -> None:
        """Come near to the live tables without holding a snapshot of them."""
        for _ in range(MOST_APPROACHES):
            async with self.connection() as connection:
                vector, parked = await self._vector(connection)
            before = self._events
            await self._apply(engine, vector, parked)
            if self._events - before <= CLOSE_ENOUGH_EVENTS:
                return

    async def _compare(self, engine: AsyncEngine, connection: Connection) -> tuple[Comparison, Vector, Parked]:
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        async with connection.transaction():
            vector, parked = await self._vector(connection)
            await self._apply(engine, vector, parked)
            async with self.connection() as rebuilt, rebuilt.transaction():
                comparison = await compare(
                    Side(connection, self.service), Side(rebuilt, self.shadow), self.listening.tables
                )
        return comparison, vector, parked

    async def _vector(self, connection: Connection) -> tuple[Vector, Parked]:
        """How far the live tables are, and what is parked."""
        vector = await live_vector(connection, self.service, self.speakers)
        parked: dict[tuple[str, int, int], set[str]] = {}
        found = await connection.execute(
            sql.SQL("select speaker, p, pseq, key from {parked}").format(
                parked=sql.Identifier(self.service, "parked")
            )
        )
        for speaker, p, number, key in await found.fetchall():
            parked.setdefault((speaker, p, number), set()).add(key)
        return vector, parked

    async def _unpublished(self, numbers: Mapping[int, tuple[int, int]]) -> list[Delivered]:
        """Own events that the relay has not put into the stream yet."""
        statement = sql.SQL(REST).format(log=sql.Identifier(self.service, "event_log"))
        known, last = zip(*numbers.values(), strict=True)
        events: list[Delivered] = []
        async with self.connection() as connection:
            cursor = await connection.execute(statement, [list(numbers), list(known), list(last)])
            for row in await cursor.fetchall():
                name, *others = row
                others[9] = others[9].encode()
                model = self.registry.get(f"relance.{self.service}.{name}.v{others[-1]}")
                events.append(replace(Delivered(self.service, name, *others), model=model))
        return events

    async def _apply(self, engine: AsyncEngine, vector: Vector, parked: Parked) -> None:
        for speaker, stream in self._streams.items():
            async for part in stream.up_to(vector[speaker]):
                events = part
                if parked:
                    events = [kept for event in part if (kept := self._not_parked(event, parked)) is not None]
                async with database.transaction(engine) as tx:
                    await project_all(tx, self.listening.project, events)
                self._events += len(part)
        if any(not keys <= parked.get(position, set()) for position, keys in self._skipped.items()):
            raise ParkedMeanwhile(self.service)

    def _not_parked(self, event: Delivered, parked: Parked) -> Delivered | None:
        position = (event.speaker, event.partition, event.number)
        if position not in parked:
            return event
        self._skipped[position] = parked[position]
        kept, _ = without(event, {(event.company, key) for key in parked[position]}, self.listening.bulk)
        return None if kept is not None and key_of(kept)[1] in parked[position] else kept

    async def _replace(self, engine: AsyncEngine) -> None:
        """Put the rebuilt rows in the place of the live ones. Batches wait at their leases, commands at the tables
        or at the heads, until this commits."""
        tables = [sql.Identifier(self.service, table.name) for table in self.listening.tables]
        async with self.connection() as connection, connection.transaction():
            await connection.execute(
                sql.SQL("select p from {} order by p for update").format(
                    sql.Identifier(self.service, "partition_lease")
                )
            )
            if tables:
                await connection.execute(
                    sql.SQL("lock table {} in access exclusive mode").format(sql.SQL(", ").join(tables))
                )
            await connection.execute(
                sql.SQL("select p from {} order by p for update").format(
                    sql.Identifier(self.service, "partition_head")
                )
            )
            vector, parked = await self._vector(connection)
            await self._apply(engine, vector, parked)
            if tables:
                await connection.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(tables)))
            for table in self.listening.tables:
                columns = sql.SQL(", ").join(
                    sql.Identifier(column.name) for column in table.columns if column.computed is None
                )
                await connection.execute(
                    sql.SQL("insert into {live} ({columns}) select {columns} from {rebuilt}").format(
                        live=sql.Identifier(self.service, table.name),
                        rebuilt=sql.Identifier(self.shadow, table.name),
                        columns=columns,
                    )
                )
            for statement in self.listening.on_replaced:
                await connection.execute(statement)
            await connection.execute("update derivation set version = %s, since = now()", [self.listening.version])
            # code of another version that waits for a lease just now is fenced out
            await connection.execute("update partition_lease set owner = null, epoch = epoch + 1, until = now()")

    async def _drop_shadow(self) -> None:
        async with self.connection() as connection:
            await connection.execute(
                sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(self.shadow))
            )


async def rebuild_command(service: Service, module: str, check: bool) -> int:
    """``python -m services.X rebuild [--check]``: prints the report as one JSON object; 1 on a difference that
    was not replaced."""
    if service.listening is None:
        sys.stdout.write(json.dumps({"service": service.name, "tables": {}, "rows": 0, "differing": []}) + "\n")
        return 0
    rebuild = Rebuild(
        service.name,
        module,
        service.listening,
        service.events,
        service.settings.owner_database_url,
        service.settings.nats_url,
    )
    try:
        report = await rebuild.run(replace=not check)
    except StreamBehind as behind:
        sys.stderr.write(f"{service.name}: {behind}\n")
        return 2
    sys.stdout.write(json.dumps(asdict(report) | {"equal": report.equal}, default=str) + "\n")
    return 0 if report.equal or report.replaced else 1
