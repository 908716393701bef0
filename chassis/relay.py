"""The log into the stream: in order, all or nothing per batch, one active relay per service.

The resume point is the stream's own tail, so there is no "published" flag to disagree with it. Every batch carries
the stream's last sequence it was made for: a relay that lost its lease without noticing is refused by the server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, cast
from uuid import UUID, uuid4

import nats
import nats.errors
import psycopg
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import clock, measures
from chassis.cancellation import heed_cancellation
from chassis.database import driver, is_transient
from chassis.delivered import Delivered
from chassis.envelope import headers, publication
from chassis.trust import trusting
from chassis.waking import COMMITTED_SECONDS, Rest, filled_since, log_of
from contracts.subjects import PARTITIONS, partition_filter, stream, subject

log = logging.getLogger(__name__)

RUNBOOK = "docs/runbooks/relay-refuses.md"

BATCH_EVENTS = 400
BATCH_BYTES = 4 << 20
PARTITION_EVENTS = 60
FEW_EVENTS = 50
FILL_SECONDS = 0.04
"""After fewer events the relay rests so long before it looks again."""
STORED_COMPRESSED = 4
"""How much smaller a compressed body is stored than it is, as a rule: with it a query stops picking where a batch
is full, so that bulk events are not read in vain."""

LEAVES_SECONDS = 8.0
"""So long the relay leaves the cores to work that fills them; then it publishes all there is, and again."""

IDLE_GROWTH = 1.25
TOLD_SECONDS = 10.0
"""What is found so long after the last wake-up was said by another process."""
OTHERS_SECONDS = 600.0
"""For so long after that the log is looked at often, since nobody tells of it."""

TAKE_LEASE = text(
    "update lease set owner = :owner, until = now() + make_interval(secs => :seconds)"
    " where name = 'relay' and (owner = :owner or until < now()) returning name"
)
RELEASE = text("update lease set until = now() where name = 'relay' and owner = :owner")

NEXT = """
    with picked as (
        select e.p, e.pseq, e.pseq - q.last as turn, pg_column_size(e.body)
                * case when pg_column_compression(e.body) is null then 1 else %(compressed)s end as size
        from unnest(%(partitions)s::smallint[], %(numbers)s::bigint[]) q(p, last)
        cross join lateral (select p, pseq, body from event_log where p = q.p and pseq > q.last
            order by pseq limit %(each)s) e
        order by turn, e.p limit %(limit)s
    ), cut as (
        select *, sum(size) over (order by turn, p rows unbounded preceding) - size as before from picked
    )
    select e.type, e.event_id, e.company, e.client_id, e.p, e.pseq, e.as_of, e.occurred_at, e.actor,
        e.correlation_id, e.body::text, e.causation_id, e.traceparent, e.major, e.recorded_at
    from cut join event_log e using (p, pseq) where cut.before < %(bytes)s order by cut.turn, e.p
"""


class Disagreement(Exception):
    """The stream holds what the log does not: PostgreSQL was restored, or failed over with loss."""


class NotAccepted(Exception):
    """The server refused a batch."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Last message of a partition in the stream."""

    number: int
    event_id: UUID


class Relay:
    """Publishes one service's log. Run one in every replica; the lease lets one work."""

    def __init__(  # noqa: PLR0913 knobs with defaults
        self,
        service: str,
        engine: AsyncEngine,
        nats_url: str,
        *,
        generation: int = 1,
        lease_seconds: float = 3,
        poll_seconds: float = 0.04,
        idle_poll_seconds: float = 0.12,
        resting_poll_seconds: float = 1.0,
        ack_seconds: float = 5,
    ) -> None:
        self.service = service
        self.engine = engine
        self.nats_url = nats_url
        self.stream = stream(service, generation)
        self.lease_seconds = lease_seconds
        self.poll_seconds = poll_seconds
        self.idle_poll_seconds = idle_poll_seconds
        self.resting_poll_seconds = resting_poll_seconds
        self.ack_seconds = ack_seconds
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self.active = False
        self._numbers: dict[int, int] = {}
        self._last = 0
        self._rest = Rest(log_of(service))
        self._woken = -TOLD_SECONDS
        self._others_until = 0.0
        self._through = 0.0
        self._trouble: str | None = None

    def problems(self) -> list[str]:
        """What is wrong now, for health."""
        return [self._trouble] if self._trouble else []

    async def run(self) -> None:
        """Publish until cancelled; the lease is released then."""
        delay = 0.2
        try:
            while True:
                heed_cancellation()
                began = monotonic()
                try:
                    await self._session()
                except Disagreement as disagreement:
                    self._trouble = f"relay refuses: {disagreement}; see {RUNBOOK}"
                    measures.RELAY_REFUSES.labels(self.service).set(1)
                    log.critical("relay refuses", extra={"stream": self.stream, "why": str(disagreement)})
                    delay = 5
                except Exception as error:
                    self._trouble = f"relay: {type(error).__name__}: {error}"
                    expected = is_transient(error) or isinstance(error, NotAccepted | nats.errors.Error)
                    log.log(
                        logging.WARNING if expected else logging.ERROR,
                        "relay starts again",
                        extra={"stream": self.stream, "error": str(error)},
                        exc_info=not expected,
                    )
                    delay = 0.2 if monotonic() - began > 10 else min(delay * 2, 2)
                self.active = False
                await self._measure_waiting()
                await asyncio.sleep(delay)
        finally:
            self.active = False
            with suppress(Exception):
                await asyncio.shield(asyncio.wait_for(self._release(), 2))

    async def _release(self) -> None:
        async with self.engine.begin() as tx:
            await tx.execute(RELEASE, {"owner": self.owner})

    async def _session(self) -> None:
        """From taking the lease to the first trouble: any error drops both connections and what was in flight."""
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            while not await self._leased(connection):
                heed_cancellation()
                self._trouble = None
                # what waits is the holder's to tell: a relay that only stands by must not go on telling old news
                measures.UNPUBLISHED_AGE.labels(self.service).set(0)
                measures.RELAY_REFUSES.labels(self.service).set(0)
                await asyncio.sleep(self.lease_seconds / 4)
            bus = await nats.connect(
                self.nats_url,
                allow_reconnect=False,
                # else the client itself tries for two minutes, and nobody measures what waits meanwhile
                max_reconnect_attempts=1,
                reconnect_time_wait=0.1,
                connect_timeout=2,
                ping_interval=10,
                error_cb=_ignore,
                name=f"{self.service}-relay",
                **trusting(self.nats_url),
            )
            try:
                await self._resume(connection, bus)
                await self._publish_all(connection, bus)
            finally:
                with suppress(Exception):
                    await asyncio.wait_for(bus.close(), 2)

    async def _leased(self, connection: AsyncConnection) -> bool:
        taken = await connection.execute(TAKE_LEASE, {"owner": self.owner, "seconds": self.lease_seconds})
        return taken.first() is not None

    async def _resume(self, connection: AsyncConnection, bus: Client) -> None:
        """Find where the stream ends and make sure that the log knows all of it."""
        jetstream = bus.jetstream(timeout=self.ack_seconds)
        self._last = (await jetstream.stream_info(self.stream)).state.last_seq
        tails: dict[int, Tail] = {}
        if self._last:
            found = await asyncio.gather(*(self._tail(bus, p) for p in range(PARTITIONS)))
            tails = {p: tail for p, tail in enumerate(found) if tail is not None}
        self._numbers = {p: tails[p].number if p in tails else 0 for p in range(PARTITIONS)}
        await self._compare(connection, tails)
        self._trouble = None
        self.active = True
        measures.RELAY_REFUSES.labels(self.service).set(0)
        log.info("relay active", extra={"stream": self.stream, "last": self._last})

    async def _tail(self, bus: Client, p: int) -> Tail | None:
        jetstream = bus.jetstream(timeout=self.ack_seconds)
        try:
            message = await jetstream.get_last_msg(self.stream, partition_filter(self.service, p))
        except NotFoundError:
            return None
        attributes = message.headers or {}
        return Tail(int(attributes["ce-partitionseq"]), UUID(attributes["ce-id"]))

    async def _compare(self, connection: AsyncConnection, tails: dict[int, Tail]) -> None:
        rows = await connection.execute(
            text(
                "select h.p, h.seq, e.event_id from partition_head h join unnest(cast(:ps as smallint[]),"
                " cast(:numbers as bigint[])) t(p, pseq) using (p)"
                " left join event_log e on e.p = t.p and e.pseq = t.pseq"
            ),
            {"ps": list(tails), "numbers": [tail.number for tail in tails.values()]},
        )
        for p, head, event_id in rows:
            tail = tails[p]
            if tail.number > head:
                raise Disagreement(f"{self.stream} holds {self.service}/{p}/{tail.number}, the log ends at {head}")
            if tail.event_id != event_id:
                raise Disagreement(
                    f"{self.stream} holds {tail.event_id} as {self.service}/{p}/{tail.number}, the log {event_id}"
                )

    async def _publish_all(self, connection: AsyncConnection, bus: Client) -> None:
        cursor = (await driver(connection)).cursor()
        renewed = monotonic()
        pause = self.poll_seconds
        while True:
            heed_cancellation()
            if monotonic() - renewed > self.lease_seconds / 3:
                if not await self._leased(connection):
                    raise NotAccepted("another relay holds the lease")
                renewed = monotonic()
            if self._leaves_the_cores():
                await asyncio.sleep(self.poll_seconds)
                continue
            events, oldest = await self._next(cursor)
            if oldest is None:
                self._through = monotonic()
                measures.UNPUBLISHED_AGE.labels(self.service).set(0)
                if not bus.is_connected:
                    raise NotAccepted("the connection to NATS is lost")
                pause = await self._pause(pause)
                continue
            if monotonic() - self._woken > TOLD_SECONDS:
                self._others_until = monotonic() + OTHERS_SECONDS
            pause = self.poll_seconds
            measures.UNPUBLISHED_AGE.labels(self.service).set(_age(oldest))
            await self._publish(bus, events)
            measures.PUBLISHED.labels(self.service).inc(len(events))
            if len(events) < FEW_EVENTS:
                # a batch costs the same whatever it holds: under load the next one has time to fill
                await asyncio.sleep(min(FILL_SECONDS, self.poll_seconds))

    def _leaves_the_cores(self) -> bool:
        """Whether what is said waits: it is recorded already, and whoever waits for a round waits for its end."""
        since = filled_since()
        return since is not None and monotonic() < max(since, self._through) + LEAVES_SECONDS

    async def _pause(self, seconds: float) -> float:
        """Rest after a look that found nothing; how long to rest after the next one. Asking again and again costs
        most where nothing is said for long."""
        if await self._rest.wait(seconds):
            self._woken = monotonic()
            await asyncio.sleep(min(COMMITTED_SECONDS, self.poll_seconds))
            return self.poll_seconds
        others = monotonic() < self._others_until
        # often enough to renew the lease
        longest = self.idle_poll_seconds if others else min(self.resting_poll_seconds, self.lease_seconds / 4)
        return min(seconds * IDLE_GROWTH, max(longest, self.poll_seconds))

    async def _next(self, cursor: psycopg.AsyncCursor[Any]) -> tuple[list[Delivered], datetime | None]:
        """The next events of every partition, and when the oldest of them was recorded."""
        await cursor.execute("select sum(seq) from partition_head")
        head = cast("tuple[int]", await cursor.fetchone())
        if head[0] == sum(self._numbers.values()):
            return [], None
        await cursor.execute(
            NEXT,
            {
                "partitions": list(self._numbers),
                "numbers": list(self._numbers.values()),
                "each": PARTITION_EVENTS,
                "limit": BATCH_EVENTS,
                "bytes": BATCH_BYTES,
                "compressed": STORED_COMPRESSED,
            },
        )
        events: list[Delivered] = []
        oldest: datetime | None = None
        size = 0
        for *attributes, recorded_at in await cursor.fetchall():
            attributes[10] = attributes[10].encode()
            event = Delivered(self.service, *attributes)
            size += len(event.body) + 600
            if events and size > BATCH_BYTES:
                break
            events.append(event)
            oldest = recorded_at if oldest is None else min(oldest, recorded_at)
        return events, oldest

    async def _publish(self, bus: Client, events: list[Delivered]) -> None:
        """One atomic batch (ADR-50): the first and the last message ask for an answer, the last one commits."""
        batch = uuid4().hex
        between: list[bytes] = []
        for index, event in enumerate(events, 1):
            made = headers(event)
            made["Nats-Msg-Id"] = made["ce-id"]
            made["Nats-Batch-Id"] = batch
            made["Nats-Batch-Sequence"] = str(index)
            where = subject(self.service, event.company, event.partition, event.type)
            if 1 < index < len(events):
                between.append(publication(where, made, event.body))
                continue
            if index == 1:
                made["Nats-Expected-Last-Sequence"] = str(self._last)
            if index == len(events):
                made["Nats-Batch-Commit"] = "1"
                if between:
                    await bus._send_command(b"".join(between))
            answer = await bus.request(where, event.body, timeout=self.ack_seconds, headers=made)
            self._check(answer.data, committed=self._last + len(events) if index == len(events) else None)
        self._last += len(events)
        for event in events:
            self._numbers[event.partition] = event.number

    def _check(self, answer: bytes, committed: int | None) -> None:
        ack = json.loads(answer) if answer else {}
        if "error" in ack:
            raise NotAccepted(f"{self.stream}: {ack['error'].get('description')}")
        if committed is not None and ack.get("seq") != committed:
            raise NotAccepted(f"{self.stream}: committed at {ack.get('seq')}, not {committed}")

    async def _measure_waiting(self) -> None:
        """The age of what waits while NATS is away."""
        if not self._numbers:
            return
        with suppress(Exception):
            async with self.engine.connect() as connection:
                oldest = await connection.scalar(
                    text(
                        "select min(e.recorded_at) from unnest(cast(:ps as smallint[]),"
                        " cast(:numbers as bigint[])) q(p, last) cross join lateral (select recorded_at from"
                        " event_log where p = q.p and pseq > q.last order by pseq limit 1) e"
                    ),
                    {"ps": list(self._numbers), "numbers": list(self._numbers.values())},
                )
            measures.UNPUBLISHED_AGE.labels(self.service).set(_age(oldest) if oldest else 0)


def _age(instant: datetime) -> float:
    return max(0.0, (clock.now() - instant).total_seconds())


async def _ignore(_: Exception) -> None:
    """Errors of the connection show as failed requests, which start the relay again."""
