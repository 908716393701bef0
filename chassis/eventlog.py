"""The log of what a service says: append-only, numbered without gaps inside each partition.

The row lock on ``partition_head`` lasts from the append to the commit. So number order is commit order, a reader
never skips a slow committer, and a rollback leaves no hole (habit 11).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.delivered import Cause, Delivered, Position, Said, UnknownEvent, in_runs, vector
from chassis.derivation import judge
from chassis.listening import Project, project_all
from chassis.waking import log_of, wake
from contracts.event import Event

__all__ = [
    "Cause",
    "Delivered",
    "Position",
    "Said",
    "Say",
    "UnknownEvent",
    "append",
    "append_made",
    "in_runs",
    "vector",
]

MAX_BODY_BYTES = 900_000
"""What fits into one message of the stream, headers included."""

LOCK_HEADS = """
    select p, seq, clock_timestamp() from partition_head where p = any(%(partitions)b) order by p for update
"""

APPEND = """
    with moved as (
        update partition_head h set seq = w.seq
        from unnest(%(partitions)b::smallint[], %(heads)b::bigint[]) w(p, seq) where h.p = w.p
    ),
    kept as (
    insert into event_log (p, pseq, event_id, company, client_id, type, major, as_of, occurred_at, actor,
        correlation_id, causation_id, traceparent, body)
    select p, pseq, event_id, %(company)s, client_id, type, major, %(as_of)s::date, %(at)s::timestamptz,
        actor, correlation_id, causation_id, traceparent, body::json
    from unnest(%(ps)b::smallint[], %(numbers)b::bigint[], %(ids)b::uuid[], %(clients)b::text[],
        %(types)b::text[], %(majors)b::smallint[], %(bodies)b::text[], %(actors)b::text[],
        %(correlations)b::uuid[], %(causations)b::uuid[], %(traceparents)b::text[])
        as e(p, pseq, event_id, client_id, type, major, body, actor, correlation_id, causation_id, traceparent)
    )
    select version from derivation
"""

APPEND_MADE = """
    with made as materialized ({query}),
    moved as (
        update partition_head h set seq = h.seq + told.events
        from (select p, count(*) as events from made group by p) told where h.p = told.p
        returning h.p, old.seq
    ),
    kept as (
        insert into event_log (p, pseq, company, type, major, as_of, occurred_at, actor, correlation_id,
            causation_id, traceparent, body)
        select p, moved.seq + made.n, %(company)s, %(type)s, %(major)s, %(as_of)s::date, %(at)s::timestamptz,
            %(actor)s, %(correlation)s::uuid, %(causation)s::uuid, %(traceparent)s, made.body::json
        from made join moved using (p)
        returning p, pseq
    )
    select p, max(pseq), (select version from derivation), (select max(octet_length(body)) from made)
    from kept group by p order by p
"""


def _ids(instant: datetime, count: int) -> list[UUID]:
    """Time-ordered ids (UUID version 7), the same PostgreSQL's ``uuidv7()`` makes."""
    head = int(instant.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62
    noise = os.urandom(8 * count)
    tail = (1 << 62) - 1
    return [
        UUID(int=head | (n & 0xFFF) << 64 | int.from_bytes(noise[8 * n : 8 * n + 8], "big") & tail)
        for n in range(count)
    ]


async def append(  # noqa: PLR0913 everything an event carries
    tx: AsyncConnection,
    speaker: str,
    company: str,
    said: Sequence[Said],
    *,
    as_of: date,
    cause: Cause,
    also_lock: Collection[int] = (),
    version: int | None = None,
) -> list[Delivered]:
    """Append events to the log and answer them numbered, in the order given.

    Partitions are locked in ascending order, so that two writers never wait for each other in a circle;
    ``also_lock`` names those that this transaction will write later; ``version`` is by which projection the rows
    must be made. Raises ``NotOurs`` for another service's event, ``EventTooLarge`` for one that no message can
    carry, ``OtherVersion``.
    """
    if not said:
        return []
    for one in said:
        if one.event.speaker != speaker:
            raise NotOurs(speaker, one.event.speaker, type(one.event).__name__)
    partitions = [one.partition_in(company) for one in said]
    connection = await driver(tx)
    async with connection.cursor() as cursor:
        await cursor.execute(LOCK_HEADS, {"partitions": sorted({*partitions, *also_lock})})
        locked: list[tuple[int, int, datetime]] = await cursor.fetchall()
        heads = {p: seq for p, seq, _ in locked}
        at = max(instant for _, _, instant in locked)
        delivered: list[Delivered] = []
        for one, p, event_id in zip(said, partitions, _ids(at, len(said)), strict=True):
            heads[p] += 1
            delivered.append(
                Delivered.of(
                    one.event,
                    company=company,
                    client_id=one.client_id,
                    as_of=as_of,
                    number=heads[p],
                    partition=p,
                    event_id=event_id,
                    occurred_at=at,
                    cause=one.cause or cause,
                    body=one.body,
                )
            )
            if len(delivered[-1].body) > MAX_BODY_BYTES:
                raise EventTooLarge(delivered[-1].type, company, len(delivered[-1].body))
        touched = sorted(set(partitions))
        await cursor.execute(
            APPEND,
            {
                "partitions": touched,
                "heads": [heads[p] for p in touched],
                "company": company,
                "as_of": as_of,
                "at": at,
            }
            | _columns(delivered),
        )
        # asked once the heads are held: a switch that came before is seen, none comes before the commit
        made_by = await cursor.fetchone()
    judge(speaker, made_by[0] if made_by else None, version)
    wake(log_of(speaker))
    return delivered


async def append_made(  # noqa: PLR0913 everything an event carries
    tx: AsyncConnection,
    company: str,
    event: Event,
    query: LiteralString,
    values: Mapping[str, Any],
    *,
    partitions: Collection[int],
    as_of: date,
    cause: Cause,
    also_lock: Collection[int] = (),
    version: int | None = None,
) -> list[Position]:
    """Append bulk events that PostgreSQL makes out of rows it holds: their bodies never leave it. Answers the last
    position of each partition.

    ``query`` selects ``p``, one of the ``partitions``, ``n``, which counts 1, 2, … within it, and ``body``, the
    event's JSON. ``event`` only says of which type they are; whoever gives the query answers for its fitting the
    model. Raises ``EventTooLarge``, and ``OtherVersion`` as ``append`` does.
    """
    connection = await driver(tx)
    async with connection.cursor() as cursor:
        await cursor.execute(LOCK_HEADS, {"partitions": sorted({*partitions, *also_lock})})
        at = max(instant for _, _, instant in await cursor.fetchall())
        told = {
            "company": company,
            "type": type(event).__name__,
            "major": event.major,
            "as_of": as_of,
            "at": at,
            "actor": cause.actor,
            "correlation": cause.correlation_id,
            "causation": cause.causation_id,
            "traceparent": cause.traceparent,
        }
        statement = APPEND_MADE.format(query=query)
        await cursor.execute(statement.encode(), {**values, **told}, prepare=False)
        rows = await cursor.fetchall()
    for _, _, made_by, _ in rows:
        judge(event.speaker, made_by, version)
    if largest := max((size for *_, size in rows if size > MAX_BODY_BYTES), default=0):
        raise EventTooLarge(type(event).__name__, company, largest)
    wake(log_of(event.speaker))
    return [Position(event.speaker, p, number) for p, number, *_ in rows]


def _columns(delivered: Sequence[Delivered]) -> dict[str, list[Any]]:
    return {
        "ps": [event.partition for event in delivered],
        "numbers": [event.number for event in delivered],
        "ids": [event.event_id for event in delivered],
        "clients": [event.client_id for event in delivered],
        "types": [event.type for event in delivered],
        "majors": [event.major for event in delivered],
        "bodies": [event.body.decode() for event in delivered],
        "actors": [event.actor for event in delivered],
        "correlations": [event.correlation_id for event in delivered],
        "causations": [event.causation_id for event in delivered],
        "traceparents": [event.traceparent for event in delivered],
    }


class NotOurs(Exception):
    """A service tried to say another's event."""

    def __init__(self, speaker: str, owner: str, name: str) -> None:
        super().__init__(f"{speaker} cannot say {name}: it is {owner}'s")


class EventTooLarge(Exception):
    """An event that the stream would never take: say several smaller ones."""

    def __init__(self, name: str, company: str, size: int) -> None:
        super().__init__(f"{name} of {company}: {size} bytes")


@dataclass
class Say:
    """The voice of a service inside one transaction: append, then run the service's own projection on it.

    ``project`` is the service's ``Listening.project``. ``also_lock`` names partitions that later calls in this
    transaction will write, so that all are locked in ascending order at the first.
    """

    service: str
    tx: AsyncConnection
    project: Mapping[str, Project] = field(default_factory=dict)
    also_lock: Collection[int] = ()
    version: int | None = None
    """``Listening.version`` of this code: it says nothing about rows that another version makes."""

    async def __call__(self, company: str, events: Sequence[Said], *, as_of: date, cause: Cause) -> list[Position]:
        """Say events about one company; answers their positions in the order given.

        Call it as late in the transaction as possible: the partitions stay locked from here to the commit.
        """
        delivered = await append(
            self.tx,
            self.service,
            company,
            events,
            as_of=as_of,
            cause=cause,
            also_lock=self.also_lock,
            version=self.version,
        )
        self.also_lock = ()
        await project_all(self.tx, self.project, delivered)
        return [event.position for event in delivered]

    async def made(  # noqa: PLR0913 everything an event carries
        self,
        company: str,
        event: Event,
        query: LiteralString,
        values: Mapping[str, Any],
        *,
        partitions: Collection[int],
        as_of: date,
        cause: Cause,
    ) -> list[Position]:
        """Say bulk events that PostgreSQL makes, see ``append_made``; of a type that this service does not project
        itself, since nobody here reads them."""
        assert event.speaker == self.service
        assert type(event).__name__ not in self.project
        positions = await append_made(
            self.tx,
            company,
            event,
            query,
            values,
            partitions=partitions,
            as_of=as_of,
            cause=cause,
            also_lock=self.also_lock,
            version=self.version,
        )
        self.also_lock = ()
        return positions
