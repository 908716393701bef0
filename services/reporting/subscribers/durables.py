"""The places of subscribers in the streams: one durable consumer per stream that they hear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from nats.js.errors import NotFoundError

from contracts.subjects import stream
from services.reporting.subscribers.choosing import SAYING
from services.reporting.subscribers.rows import Subscriber

ACK_WAIT_SECONDS = 60
MOST_UNACKNOWLEDGED = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """How far a subscriber has come in one stream."""

    stream: str
    consumer: str
    waiting: int
    """Not handed out yet."""
    unacknowledged: int
    heard_at: datetime | None

    @property
    def is_caught_up(self) -> bool:
        return self.waiting == 0 and self.unacknowledged == 0


def consumer_config(subscriber: Subscriber, speaker: str, since: datetime) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=subscriber.user,
        description=f"subscriber {subscriber.name} of {subscriber.company}",
        filter_subjects=subscriber.subjects[speaker],
        deliver_policy=DeliverPolicy.BY_START_TIME,
        opt_start_time=since.isoformat(),  # type: ignore[arg-type] # the server reads RFC 3339
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_SECONDS,
        max_ack_pending=MOST_UNACKNOWLEDGED,
    )


async def make(bus: Client, subscriber: Subscriber) -> list[str]:
    """Make the consumers that are missing; answers the streams where one was. One that was lost with its stream
    begins where its subscriber was last seen to have acknowledged everything."""
    jetstream = bus.jetstream()
    made = []
    for speaker in subscriber.subjects:
        name = stream(speaker)
        try:
            await jetstream.consumer_info(name, subscriber.user)
        except NotFoundError:
            caught_up = subscriber.caught_up_at.get(speaker)
            since = datetime.fromisoformat(caught_up) if caught_up else subscriber.since
            await jetstream.add_consumer(name, consumer_config(subscriber, speaker, since))
            made.append(name)
    return made


async def unmake(bus: Client, user: str, speakers: Iterable[str] = SAYING) -> None:
    """From here on its subscriber hears nothing, connected or not."""
    jetstream = bus.jetstream()
    for speaker in speakers:
        try:
            await jetstream.delete_consumer(stream(speaker), user)
        except NotFoundError:
            continue  # it hears nothing of this speaker


async def places(bus: Client, subscriber: Subscriber) -> dict[str, Place]:
    """Speaker: how far it has come there."""
    jetstream = bus.jetstream()
    found = {}
    for speaker in subscriber.subjects:
        try:
            found[speaker] = _place(await jetstream.consumer_info(stream(speaker), subscriber.user))
        except NotFoundError:
            continue  # about to be made again
    return found


def _place(info: ConsumerInfo) -> Place:
    acknowledged = info.ack_floor.last_active if info.ack_floor else None
    return Place(info.stream_name, info.name, info.num_pending or 0, info.num_ack_pending or 0, acknowledged)
