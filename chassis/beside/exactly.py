"""The tables beside, brought to exactly the numbers that the live ones have.

Who does it holds their leases, so that the worker that builds them is fenced out meanwhile. What others say is
read from their streams, from where these tables are; what the service itself says, from its own log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from uuid import uuid4

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from psycopg import sql
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.anchoring import Checkpoint, is_anchored
from chassis.applying import Applying, Fenced, Gap, TooManyParked
from chassis.database import is_transient
from chassis.delivered import Delivered
from chassis.derived import Connection, Vector
from chassis.envelope import Heard, Registry, heard
from chassis.listening import Listening
from chassis.replaying import StreamBehind
from contracts.subjects import PARTITIONS, stream

FETCH_EVENTS = 500
FETCH_SECONDS = 0.2
LOG_EVENTS = 2000
PATIENCE_SECONDS = 20.0
LEASE_SECONDS = 30

TAKE_OVER = text(
    # for update: a batch in hand is waited for, which a change of these columns alone would not do
    "update partition_lease l set owner = :name, epoch = epoch + 1, until = now() + make_interval(secs => :ttl)"
    " from (select p from partition_lease order by p for update) held where l.p = held.p returning l.p, l.epoch"
)
KEEP = text("update partition_lease set until = now() + make_interval(secs => :ttl) where owner = :name")
GIVE_BACK = text("update partition_lease set owner = null, until = now() where owner = :name")
POSITIONS = text("select p, pos, pseq, at, anchor from checkpoint where speaker = :speaker")

LOGGED = """
    select e.type, e.event_id, e.company, e.client_id, e.p, e.pseq, e.as_of, e.occurred_at, e.actor,
        e.correlation_id, e.body::text, e.causation_id, e.traceparent, e.major
    from unnest(%s::smallint[], %s::bigint[], %s::bigint[]) q(p, known, last)
    join {log} e on e.p = q.p and e.pseq > q.known and e.pseq <= q.last order by e.p, e.pseq limit %s
"""


class Tail:
    """A stream from a position on, given out up to exact numbers; ``up_to`` may be asked again for higher ones."""

    def __init__(
        self, bus: Client, speaker: str, registry: Registry, listening: Listening, generation: int
    ) -> None:
        self.bus = bus
        self.speaker = speaker
        self.stream = stream(speaker, generation)
        self.registry = registry
        self.names = listening.project.keys()
        self._read = 0
        self._waiting: list[Heard] = []
        self._subscription: JetStreamContext.PullSubscription | None = None

    async def up_to(
        self, wanted: Mapping[int, int], known: dict[int, int], after: int
    ) -> AsyncIterator[tuple[list[Heard], int]]:
        """Messages behind ``known``, which moves along, up to ``wanted``; with each part the position in the
        stream up to which everything is given out. ``after`` is where to begin. Raises ``StreamBehind``."""
        if self._subscription is None:
            self._read = after
            self._subscription = await self._opened(after)
        until = monotonic() + PATIENCE_SECONDS
        while True:
            part: list[Heard] = []
            later: list[Heard] = []
            for one in self._waiting:
                if one.number > wanted.get(one.partition, 0):
                    later.append(one)
                elif one.number > known.get(one.partition, 0):
                    part.append(one)
                    known[one.partition] = one.number
            self._waiting = later
            if part:
                yield part, later[0].at - 1 if later else self._read
            due = {p: number for p, number in wanted.items() if known.get(p, 0) < number}
            if not due:
                return
            fetched = await self._fetched(self._subscription)
            if fetched:
                until = monotonic() + PATIENCE_SECONDS
                self._waiting += fetched
                self._read = fetched[-1].at
            elif monotonic() > until:
                raise StreamBehind(self.speaker, due)

    async def _opened(self, after: int) -> JetStreamContext.PullSubscription:
        return await self.bus.jetstream().pull_subscribe(
            f"evt.{self.speaker}.>",
            stream=self.stream,
            config=ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=after + 1,
                ack_policy=AckPolicy.NONE,
                mem_storage=True,
                inactive_threshold=300,
            ),
        )

    async def _fetched(self, subscription: JetStreamContext.PullSubscription) -> list[Heard]:
        try:
            messages = await subscription.fetch(FETCH_EVENTS, timeout=FETCH_SECONDS)
        except (nats.errors.TimeoutError, TimeoutError):
            return []
        return [heard(message, self.registry, self.names) for message in messages]

    async def close(self) -> None:
        """Forget the consumer."""
        if self._subscription is not None:
            with suppress(nats.errors.Error, NotFoundError):
                await self._subscription.unsubscribe()


@asynccontextmanager
async def taken_over(engine: AsyncEngine) -> AsyncIterator[dict[int, int]]:
    """All leases of the tables beside, by partition and epoch, for as long as it takes. A command that dies keeps
    the builder waiting for half a minute."""
    name = f"command/{uuid4().hex[:8]}"
    async with engine.begin() as tx:
        rows = await tx.execute(TAKE_OVER, {"name": name, "ttl": LEASE_SECONDS})
        own = {row.p: row.epoch for row in rows}

    async def keep() -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            async with engine.begin() as tx:
                await tx.execute(KEEP, {"name": name, "ttl": LEASE_SECONDS})

    keeping = asyncio.create_task(keep())
    try:
        yield own
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        with suppress(Exception):  # after a switch the schema has another name, and nobody holds its leases
            async with engine.begin() as tx:
                await tx.execute(GIVE_BACK, {"name": name})


@dataclass
class Exactly:
    """Brings one schema beside to numbers. ``live`` is a connection to read the log with."""

    service: str
    engine: AsyncEngine
    live: Connection
    listening: Listening
    registry: Registry
    bus: Client
    generation: int = 1
    _tails: dict[str, Tail] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.applying = Applying(self.service, self.engine, replace(self.listening, react={}))

    async def bring(self, own: Mapping[int, int], wanted: Vector) -> int:
        """Apply what is missing; answers how many events. Raises ``Fenced`` when somebody else has taken over,
        ``StreamBehind``."""
        applied = 0
        for speaker, numbers in wanted.items():
            known, after = await self._reached(speaker)
            if all(known.get(p, 0) >= number for p, number in numbers.items()):
                continue
            if speaker == self.service:
                parts = self._logged(numbers, known, after)
            else:
                tail = self._tails.get(speaker)
                if tail is None:
                    tail = Tail(self.bus, speaker, self.registry, self.listening, self.generation)
                    self._tails[speaker] = tail
                parts = tail.up_to(numbers, known, after)
            async for part, pos in parts:
                applied += await self._apply(speaker, part, own, pos)
        return applied

    async def close(self) -> None:
        """Forget the consumers."""
        for tail in self._tails.values():
            await tail.close()

    async def _reached(self, speaker: str) -> tuple[dict[int, int], int]:
        async with self.engine.connect() as connection:
            rows = (await connection.execute(POSITIONS, {"speaker": speaker})).all()
        # of a partition without a row nothing was heard, and what is told of it may stand anywhere
        lowest = min(row.pos for row in rows) if len(rows) == PARTITIONS else 0
        known = {row.p: row.pseq for row in rows}
        if lowest and speaker != self.service and not await self._is_the_same(speaker, rows):
            # made again since, or its tail lost: from its start, the numbers skip what is known
            return known, 0
        return known, lowest

    async def _is_the_same(self, speaker: str, rows: Sequence[Row[Any]]) -> bool:
        checkpoints = [Checkpoint(row.pos, row.at, row.anchor) for row in rows]
        return await is_anchored(self.bus.jetstream(), stream(speaker, self.generation), checkpoints)

    async def _apply(self, speaker: str, part: list[Heard], own: Mapping[int, int], pos: int) -> int:
        try:
            return await self.applying.apply(speaker, part, own, pos=pos)
        except (Fenced, Gap, TooManyParked):
            raise
        except Exception as error:
            if is_transient(error):
                raise
            return await self.applying.apply(speaker, part, own, carefully=True, pos=pos)

    async def _logged(
        self, wanted: Mapping[int, int], known: dict[int, int], after: int
    ) -> AsyncIterator[tuple[list[Heard], int]]:
        """The own events, published or not. Their place in the stream is not known here: the position stays."""
        statement = sql.SQL(LOGGED).format(log=sql.Identifier(self.service, "event_log"))
        while due := {p: number for p, number in wanted.items() if known.get(p, 0) < number}:
            asked = [list(due), [known.get(p, 0) for p in due], list(due.values()), LOG_EVENTS]
            rows = await (await self.live.execute(statement, asked)).fetchall()
            if not rows:
                raise StreamBehind(self.service, due)
            part: list[Heard] = []
            for name, *others in rows:
                others[9] = others[9].encode()
                model = self.registry.get(f"relance.{self.service}.{name}.v{others[-1]}")
                event = replace(Delivered(self.service, name, *others), model=model)
                one = Heard.of(event, 0)
                part.append(one if name in self.listening.project else replace(one, event=None))
                known[event.partition] = event.number
            yield part, after
