"""One stream as one process hears it: subscribe from the checkpoint, notice when hearing stops, start again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Mapping
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy as ConsumerAcks
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import measures
from chassis.anchoring import Checkpoint, is_anchored
from chassis.applying import Fenced, Gap
from chassis.database import is_transient
from chassis.envelope import Heard, Registry, heard
from chassis.faststream_fetch import keep_half_batches, read_headers_quickly
from contracts.subjects import PARTITIONS, partition_filter, stream

if TYPE_CHECKING:
    from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber
    from nats.aio.msg import Msg

log = logging.getLogger(__name__)

FORGOTTEN_AFTER_SECONDS = 30
"""How long the server keeps a consumer that nobody asks."""

WATCH_SECONDS = 2.0
"""How often the server is asked whether the consumer is still there."""

STALLED_AFTER_SECONDS = 20
"""A consumer with messages waiting and no progress for so long is started again."""

LONGEST_PAUSE_SECONDS = 15.0

CHECKPOINTS = text("select p, pos, pseq, at, anchor from checkpoint where speaker = :speaker order by p")


class StreamMissing(Exception):
    """The stream is not provisioned."""

    def __init__(self, name: str) -> None:
        super().__init__(f"stream {name} does not exist: run `relance provision`")


async def leave_bytes(_: Any) -> None:
    """FastStream would parse every body here; bodies go to PostgreSQL as they are."""


Hear = Callable[["Ear", list[Heard]], Awaitable[None]]


class Ear:
    """A dynamic FastStream batch subscriber on one stream, and the watch over it."""

    def __init__(  # noqa: PLR0913, PLR0917 one construction site
        self,
        service: str,
        speaker: str,
        engine: AsyncEngine,
        broker: NatsBroker,
        registry: Registry,
        names: Container[str],
        hear: Hear,
        *,
        generation: int,
        batch: int,
        fetch_seconds: float,
        repair_fetch: bool,
    ) -> None:
        self.service = service
        self.speaker = speaker
        self.stream = stream(speaker, generation)
        self.engine = engine
        self.broker = broker
        self.registry = registry
        self.names = names
        self.hear = hear
        self.batch = batch
        self.fetch_seconds = fetch_seconds
        self.repair_fetch = repair_fetch
        self.dirty = True
        self.trouble: str | None = None
        self.progressed = monotonic()
        self.moved = 0.0
        self._watched = 0.0
        self._subscriber: BatchPullStreamSubscriber | None = None
        self._gap: Gap | None = None
        self._gaps = 0
        self._busy = False
        self._taken = 0.0
        self._pause = 0.0
        self._not_before = 0.0
        # asked when it is shown: whoever waits for a lock cannot tell that he does
        measures.IN_HAND.labels(service, self.stream).set_function(self.in_hand_seconds)

    def in_hand_seconds(self) -> float:
        """For how long the batch in hand has been worked on; 0 when there is none."""
        return monotonic() - self._taken if self._busy else 0.0

    async def look_after(self, own: Mapping[int, int]) -> None:
        """Check the subscriber and, when it is not as it should be, start it again with back-off."""
        try:
            if not self.dirty and self._subscriber is not None and monotonic() - self._watched > WATCH_SECONDS:
                await self._watch()
                self._watched = monotonic()
            if self.dirty and monotonic() >= self._not_before:
                await self.close()
                if own:
                    await self._subscribe(own)
        except Exception as error:
            self.dirty = True
            self.trouble = f"{self.speaker}: {type(error).__name__}: {error}"
            if not (is_transient(error) or isinstance(error, NatsError | StreamMissing)):
                log.exception("listening failed", extra={"stream": self.stream})
            self._wait_longer()

    def _wait_longer(self) -> None:
        self._pause = min(max(0.1, self._pause * 2), LONGEST_PAUSE_SECONDS)
        self._not_before = monotonic() + self._pause

    async def close(self) -> None:
        """Stop hearing; a batch in hand is finished or rolled back."""
        self.dirty = True
        subscriber, self._subscriber = self._subscriber, None
        if subscriber is not None:
            with suppress(NatsError, asyncio.TimeoutError):
                await subscriber.stop()

    async def _watch(self) -> None:
        """A consumer that is gone gives no error on fetch: ask for it."""
        assert self._subscriber is not None
        assert self._subscriber.subscription is not None
        try:
            info = await self._subscriber.subscription.consumer_info()
        except NotFoundError:
            log.warning("consumer is gone", extra={"stream": self.stream})
            self.dirty = True
            return
        pending = info.num_pending or 0
        measures.PENDING.labels(self.service, self.stream).set(pending)
        if not pending and not self._busy:
            self.progressed = monotonic()
            measures.LAG.labels(self.service, self.stream).set(0)
        elif not self._busy and monotonic() - self.progressed > STALLED_AFTER_SECONDS:
            log.warning("listening stalled", extra={"stream": self.stream, "pending": pending})
            self.dirty = True

    async def _subscribe(self, own: Mapping[int, int]) -> None:
        await self._connect()
        start = await self._start(own)
        filters = (
            [f"evt.{self.speaker}.>"]
            if len(own) == PARTITIONS
            else [partition_filter(self.speaker, p) for p in sorted(own)]
        )
        subscriber = self.broker.subscriber(
            config=ConsumerConfig(
                filter_subjects=filters,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=start,
                ack_policy=ConsumerAcks.NONE,
                inactive_threshold=FORGOTTEN_AFTER_SECONDS,
                mem_storage=True,
            ),
            stream=JStream(self.stream, declare=False),
            ack_policy=AckPolicy.MANUAL,
            pull_sub=PullSub(batch_size=self.batch, timeout=self.fetch_seconds, batch=True),
            decoder=leave_bytes,
            persistent=False,
            include_in_schema=False,
        )
        subscriber(self._take)
        self.dirty = False
        self.progressed = monotonic()
        await subscriber.start()
        assert subscriber.subscription is not None
        if self.repair_fetch:
            keep_half_batches(subscriber.subscription, self.batch)
        self._subscriber = subscriber
        self.trouble = None
        log.info("listening", extra={"stream": self.stream, "partitions": len(own), "start": start})

    async def _connect(self) -> None:
        if not self.broker.running:
            await asyncio.wait_for(self.broker.start(), 10)
        read_headers_quickly(self.broker.config.connection_state.connection)

    @property
    def _jetstream(self) -> JetStreamContext:
        return cast("JetStreamContext", self.broker.config.connection_state.stream)

    async def _start(self, own: Mapping[int, int]) -> int:
        """The stream sequence to hear from.

        It is the lowest position held, unless the stream is not the one the checkpoints speak of (its tail was
        lost, or it is a new generation): then hear all, the numbers skip what is known.
        """
        try:
            last = (await self._jetstream.stream_info(self.stream)).state.last_seq
        except NotFoundError as error:
            raise StreamMissing(self.stream) from error
        async with self.engine.connect() as connection:
            rows = await connection.execute(CHECKPOINTS, {"speaker": self.speaker})
            known = {row.p: Checkpoint(row.pos, row.at, row.anchor) for row in rows}
        nothing = Checkpoint(0, 0, None)
        lowest = min(known.get(p, nothing).pos for p in own)
        if not known or lowest == 0:
            return 1
        if lowest > last or not await is_anchored(self._jetstream, self.stream, known.values()):
            log.warning(
                "the stream is not the one of the checkpoint: heard from its start",
                extra={"stream": self.stream, "last": last},
            )
            return 1
        if self._gap is not None:
            # first from behind the partition's last event, then from the start
            behind = known.get(self._gap.partition, nothing).at
            return min(lowest, behind) + 1 if self._gaps == 1 else 1
        return lowest + 1

    async def _take(self, message: NatsMessage) -> None:
        """FastStream's handler. It swallows exceptions, so the verdict is kept here: dirty means start again."""
        if self.dirty:
            return
        messages = cast("list[Msg]", message.raw_message)
        self._busy = True
        self._taken = monotonic()
        try:
            await self.hear(self, [heard(one, self.registry, self.names) for one in messages])
            self._pause, self._gap, self._gaps = 0.0, None, 0
        except Fenced as fenced:
            self._refuse("fenced", fenced)
        except Gap as gap:
            again = self._gap is not None and (self._gap.partition, self._gap.expected) == (
                gap.partition,
                gap.expected,
            )
            self._gap, self._gaps = gap, self._gaps + 1 if again else 1
            self._refuse("gap", gap)
            if self._gaps > 2:
                self._wait_longer()
                self.trouble = f"{self.speaker}: the stream skips numbers: {gap}"
        except Exception as error:
            self._refuse("failed", error)
            self._wait_longer()
            self.trouble = f"{self.speaker}: {type(error).__name__}: {error}"
            log.exception("batch refused", extra={"stream": self.stream})
        finally:
            self._busy = False

    def _refuse(self, reason: str, error: Exception) -> None:
        self.dirty = True
        measures.REFUSED.labels(self.service, self.stream, reason).inc()
        log.warning("batch refused", extra={"stream": self.stream, "reason": reason, "error": str(error)})
