"""What a service said about one company, read from its stream again: for questions about the past.

Reads beside the live consumers and moves no checkpoint. The consumer lives as long as one reading; ``after``
lets the next reading go on where the last one ended, so that a kept answer is brought up to date cheaply.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from time import monotonic

import nats.errors
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from chassis.envelope import Heard, Registry, event_of, sequence_of
from contracts.subjects import company_filter, stream

FETCH_EVENTS = 200
FETCH_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
FORGOTTEN_AFTER_SECONDS = 30


class PastUnreadable(Exception):
    """The stream is not there, or stopped answering in the middle."""

    def __init__(self, speaker: str, reason: str) -> None:
        super().__init__(f"{speaker}: {reason}")
        self.speaker = speaker


async def said_about(  # noqa: PLR0913 where, whose, and from when
    bus: Client,
    speaker: str,
    company: str,
    registry: Registry,
    *,
    partitions: Collection[int] = (),
    also: Collection[str] = (),
    after: int = 0,
    generation: int = 1,
) -> AsyncIterator[list[Heard]]:
    """Everything ``speaker`` said about ``company`` until now, in parts, each partition in order and each event
    once. ``partitions`` narrows it; ``also`` names subjects besides, which these do not hold; ``after`` is the
    stream sequence (``Heard.at``) of the last event known.

    Raises ``PastUnreadable``.
    """
    jetstream = bus.jetstream()
    name = stream(speaker, generation)
    config = ConsumerConfig(
        filter_subjects=[*(company_filter(speaker, company, p) for p in sorted(partitions)), *also]
        or [company_filter(speaker, company)],
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        ack_policy=AckPolicy.NONE,
        mem_storage=True,
        inactive_threshold=FORGOTTEN_AFTER_SECONDS,
    )
    try:
        subscription = await jetstream.pull_subscribe("", stream=name, config=config)
        left = (await subscription.consumer_info()).num_pending or 0
    except NotFoundError as missing:
        raise PastUnreadable(speaker, f"stream {name} does not exist: run `relance provision`") from missing
    except (nats.errors.Error, TimeoutError) as failure:
        raise PastUnreadable(speaker, type(failure).__name__) from failure
    numbers: dict[int, int] = {}
    until = monotonic() + PATIENCE_SECONDS
    try:
        while left > 0:
            try:
                messages = await subscription.fetch(min(FETCH_EVENTS, left), timeout=FETCH_SECONDS)
            except (nats.errors.TimeoutError, TimeoutError):
                if monotonic() > until:
                    raise PastUnreadable(speaker, f"{left} events did not come") from None
                continue
            until = monotonic() + PATIENCE_SECONDS
            left -= len(messages)
            part = []
            for message in messages:
                event = event_of(message, registry)
                if event.number > numbers.get(event.partition, 0):  # a relay that died may have said one twice
                    numbers[event.partition] = event.number
                    part.append(Heard.of(event, sequence_of(message.reply)))
            yield part
    finally:
        with suppress(nats.errors.Error, NotFoundError):
            await subscription.unsubscribe()
            await jetstream.delete_consumer(name, config.name or "")
