"""Streams read from their first message, up to an exact number in every partition."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from time import monotonic

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from chassis.delivered import Delivered
from chassis.envelope import Registry, event_of
from contracts.subjects import stream

FETCH_EVENTS = 500
PART_BYTES = 4 << 20
PART_EVENTS = 5000
PATIENCE_SECONDS = 20.0
PATIENCE_WITH_OWN_SECONDS = 2.0
"""The log itself can say what its relay has not published yet."""

REST = """
    select e.type, e.event_id, e.company, e.client_id, e.p, e.pseq, e.as_of, e.occurred_at, e.actor,
        e.correlation_id, e.body::text, e.causation_id, e.traceparent, e.major
    from unnest(%s::smallint[], %s::bigint[], %s::bigint[]) q(p, known, last)
    join {log} e on e.p = q.p and e.pseq > q.known and e.pseq <= q.last order by e.p, e.pseq
"""

Rest = Callable[[Mapping[int, tuple[int, int]]], Awaitable[list[Delivered]]]
"""The events of the own log by partition, above the first number and up to the second."""


class StreamBehind(Exception):
    """The stream does not bring an event that the live tables already know."""

    def __init__(self, speaker: str, missing: Mapping[int, int]) -> None:
        some = ", ".join(f"number {number} of partition {p}" for p, number in sorted(missing.items())[:3])
        super().__init__(
            f"the stream of {speaker} brings no event {some}{' and others' if len(missing) > 3 else ''}: either it"
            " is being filled again (start the services, wait until `relance doctor` finds nothing waiting, try"
            " again), or it lost events (`relance refill`)"
        )


class Replayed:
    """One stream from its beginning. ``up_to`` may be called again with higher numbers."""

    def __init__(
        self, bus: Client, speaker: str, registry: Registry, *, generation: int = 1, rest: Rest | None = None
    ) -> None:
        self.bus = bus
        self.speaker = speaker
        self.stream = stream(speaker, generation)
        self.registry = registry
        self.rest = rest
        self.patience = PATIENCE_SECONDS if rest is None else PATIENCE_WITH_OWN_SECONDS
        self.numbers: dict[int, int] = {}
        # heard, and beyond what was asked for so far
        self._ahead: dict[int, deque[Delivered]] = {}
        self._last_heard: dict[int, int] = {}
        self._subscription: JetStreamContext.PullSubscription | None = None

    async def _open(self) -> JetStreamContext.PullSubscription:
        if self._subscription is None:
            self._subscription = await self.bus.jetstream().pull_subscribe(
                f"evt.{self.speaker}.>",
                stream=self.stream,
                config=ConsumerConfig(
                    deliver_policy=DeliverPolicy.ALL,
                    ack_policy=AckPolicy.NONE,
                    mem_storage=True,
                    inactive_threshold=300,
                ),
            )
        return self._subscription

    async def close(self) -> None:
        """Forget the consumer."""
        if self._subscription is not None:
            with suppress(nats.errors.Error, NotFoundError):
                await self._subscription.unsubscribe()

    def _missing(self, vector: Mapping[int, int]) -> dict[int, int]:
        return {p: number for p, number in vector.items() if self.numbers.get(p, 0) < number}

    async def up_to(self, vector: Mapping[int, int]) -> AsyncIterator[list[Delivered]]:
        """Events not given out yet, in parts, up to exactly these numbers. Raises ``StreamBehind``."""
        part: list[Delivered] = []
        size = 0
        for p, waiting in self._ahead.items():
            while waiting and waiting[0].number <= vector.get(p, 0):
                part.append(waiting.popleft())
                self.numbers[p] = part[-1].number
        until = monotonic() + self.patience
        while missing := self._missing(vector):
            for event in await self._fetch():
                until = monotonic() + self.patience
                if event.number <= self.numbers.get(event.partition, 0):
                    continue
                if event.number <= vector.get(event.partition, 0):
                    self.numbers[event.partition] = event.number
                    part.append(event)
                    size += len(event.body)
                else:
                    self._ahead.setdefault(event.partition, deque()).append(event)
            if size > PART_BYTES or len(part) >= PART_EVENTS:
                yield part
                part, size = [], 0
            if monotonic() > until:
                if self.rest is None:
                    raise StreamBehind(self.speaker, missing)
                part += await self._rest(missing)
        if part:
            yield part

    async def _rest(self, missing: Mapping[int, int]) -> list[Delivered]:
        assert self.rest is not None
        events = await self.rest({p: (self.numbers.get(p, 0), number) for p, number in missing.items()})
        self.numbers |= missing
        return events

    async def _fetch(self) -> list[Delivered]:
        subscription = await self._open()
        try:
            messages = await subscription.fetch(FETCH_EVENTS, timeout=1)
        except (nats.errors.TimeoutError, TimeoutError):
            return []
        events = [event_of(message, self.registry) for message in messages]
        for event in events:
            due = self._last_heard.get(event.partition, 0) + 1
            if event.number != due:
                raise StreamBehind(self.speaker, {event.partition: due})
            self._last_heard[event.partition] = event.number
        return events
