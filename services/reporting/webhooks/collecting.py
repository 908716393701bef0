"""What webhooks are to be told, written down as it is heard.

Each webhook has a place of its own in each stream it hears, kept beside what was written down from there: an event
is collected once, whatever ends in between, and a webhook that is replayed or slow holds up nobody else.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import transaction
from chassis.delivered import Delivered
from chassis.envelope import event_of, sequence_of
from chassis.running import Running
from contracts.subjects import PARTITIONS, stream
from services.reporting.settings import ReportingSettings
from services.reporting.subscribers.choosing import filters

PAUSE_SECONDS = 1.0
LEASE_SECONDS = 10
BATCH = 200
FETCH_SECONDS = 1.0
FORGOTTEN_AFTER_SECONDS = 60

HOLD = text(
    "with mine as (select o.company, o.webhook_id, o.speaker, w.events from webhook_position o"
    "  join webhook w using (company, webhook_id)"
    "  where w.active and (o.owner = :owner or o.until is null or o.until < now())"
    "  order by 1, 2, 3 for update of o skip locked)"
    " update webhook_position o set owner = :owner, until = now() + make_interval(secs => :lease) from mine"
    " where (o.company, o.webhook_id, o.speaker) = (mine.company, mine.webhook_id, mine.speaker)"
    " returning o.company, o.webhook_id, o.speaker, o.since, mine.events"
)
PLACE = text(
    "select pos, anchor, numbers from webhook_position where company = :company and webhook_id = :webhook_id"
    " and speaker = :speaker and since = :since and owner = :owner"
)
MOVE = text(
    "update webhook_position set pos = :pos, anchor = :anchor, numbers = :numbers where company = :company"
    " and webhook_id = :webhook_id and speaker = :speaker and since = :since and owner = :owner and pos = :was"
    " returning pos"
)
WRITE = text(
    "insert into webhook_delivery (company, webhook_id, speaker, p, number, event_id, client_id, type, message)"
    " values (:company, :webhook_id, :speaker, :p, :number, :event_id, :client_id, :type, :message)"
    " on conflict (company, webhook_id, speaker, p, number) do update set status = 'waiting', attempts = 0,"
    "  run_at = now(), changed_at = now(), message = excluded.message, told = null"
    " where webhook_delivery.status in ('done', 'dead')"
)


class Moved(Exception):
    """Somebody else holds the place, or it was put elsewhere: begin again from what is kept."""


@dataclass(frozen=True, slots=True)
class Place:
    """What one webhook hears of one stream, from an instant on."""

    company: str
    webhook_id: UUID
    speaker: str
    since: datetime
    subjects: tuple[str, ...]

    def key(self, owner: str) -> dict[str, Any]:
        names = ("company", "webhook_id", "speaker", "since")
        return {name: getattr(self, name) for name in names} | {"owner": owner}


class Collector:
    """Reads the streams for every webhook whose places this process holds."""

    def __init__(self, running: Running, settings: ReportingSettings) -> None:
        self.running = running
        self.settings = settings
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self._reading: dict[Place, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Works until cancelled."""
        if not self.settings.sealing_key.strip():
            await asyncio.Event().wait()
        try:
            while True:
                await self._hold()
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            for task in self._reading.values():
                task.cancel()
            if self._reading:
                await asyncio.wait(self._reading.values())

    async def _hold(self) -> None:
        """Keep the places that are ours, take those that nobody keeps, let go of the others."""
        async with transaction(self.running.engine) as tx:
            held = {_place(row) for row in await tx.execute(HOLD, {"owner": self.owner, "lease": LEASE_SECONDS})}
        for place, task in list(self._reading.items()):
            if place not in held or task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Moved, NatsError, TimeoutError, OSError):
                    await self._reading.pop(place)
        for place in held - self._reading.keys():
            self._reading[place] = asyncio.create_task(self._read(place), name=f"webhook {place.webhook_id}")

    async def _read(self, place: Place) -> None:
        bus = await self.running.bus()
        async with transaction(self.running.engine) as tx:
            kept = (await tx.execute(PLACE, place.key(self.owner))).one_or_none()
        if kept is None:
            raise Moved
        where = Where(kept.pos, kept.anchor, list(kept.numbers))
        consumer = await _consumer(bus, place, where)
        reading = await bus.jetstream().pull_subscribe_bind(consumer, stream(place.speaker))
        try:
            await self._follow(bus, place, where, reading, consumer)
        finally:
            with suppress(NatsError):
                await reading.unsubscribe()

    async def _follow(
        self, bus: Client, place: Place, where: Where, reading: JetStreamContext.PullSubscription, consumer: str
    ) -> None:
        due = 1
        while True:
            try:
                batch = await reading.fetch(BATCH, timeout=FETCH_SECONDS)
            except (NatsTimeout, TimeoutError):
                # a consumer that is gone gives no error, and nothing for ever
                await bus.jetstream().consumer_info(stream(place.speaker), consumer)
                continue
            for message in batch:
                if message.metadata.sequence.consumer != due:
                    raise Moved  # something was lost on the way to us: it is read again
                due += 1
            if batch:
                async with transaction(self.running.engine) as tx:
                    await self._write(tx, place, where, batch)

    async def _write(self, tx: AsyncConnection, place: Place, where: Where, batch: list[Msg]) -> None:
        was, rows = where.pos, []
        for message in batch:
            event = event_of(message, {})
            where.pos, where.anchor = sequence_of(message.reply), str(event.event_id)
            if event.number <= where.numbers[event.partition]:
                continue  # the stream was made again from the log
            where.numbers[event.partition] = event.number
            rows.append(_delivery(place, event))
        told = {"pos": where.pos, "anchor": where.anchor, "numbers": where.numbers, "was": was}
        if await tx.scalar(MOVE, place.key(self.owner) | told) is None:
            raise Moved
        if rows:
            await tx.execute(WRITE, rows)


@dataclass(slots=True)
class Where:
    """How far a place has come: a stream sequence with the event there, and the last number by partition."""

    pos: int
    anchor: str | None
    numbers: list[int]


def _place(row: Any) -> Place:
    subjects = filters(row.company, row.events).get(row.speaker, [])
    return Place(row.company, row.webhook_id, row.speaker, row.since, tuple(subjects))


async def _consumer(bus: Client, place: Place, where: Where) -> str:
    """A consumer that begins behind what is written down. One that nobody asks is forgotten by the server."""
    jetstream = bus.jetstream()
    if where.pos and not await _stands(jetstream, place, where):
        where.pos = 0
    begin: dict[str, Any] = (
        {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": where.pos + 1}
        if where.pos
        else {"deliver_policy": DeliverPolicy.BY_START_TIME, "opt_start_time": place.since.isoformat()}
    )
    made = await jetstream.add_consumer(
        stream(place.speaker),
        ConsumerConfig(
            name=f"webhook-{uuid4().hex}",
            filter_subjects=list(place.subjects),
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            inactive_threshold=FORGOTTEN_AFTER_SECONDS,
            **begin,
        ),
    )
    return made.name


async def _stands(jetstream: JetStreamContext, place: Place, where: Where) -> bool:
    """The event that was last written down still stands where it stood."""
    try:
        found = await jetstream.get_msg(stream(place.speaker), seq=where.pos)
    except NotFoundError:
        return False
    return (found.headers or {}).get("ce-id") == where.anchor


def _delivery(place: Place, event: Delivered) -> dict[str, Any]:
    return {
        "company": place.company,
        "webhook_id": place.webhook_id,
        "speaker": place.speaker,
        "p": event.partition,
        "number": event.number,
        "event_id": event.event_id,
        "client_id": event.client_id,
        "type": event.type,
        "message": structured(event),
    }


def structured(event: Delivered) -> str:
    """An event as one JSON object (CloudEvents JSON format 1.0), so that one signature covers all of it."""
    attributes = {
        "specversion": "1.0",
        "id": str(event.event_id),
        "source": f"relance/{event.speaker}",
        "type": f"relance.{event.speaker}.{event.type}.v{event.major}",
        "time": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "subject": event.client_id,
        "datacontenttype": "application/json",
        "company": event.company,
        "partition": str(event.partition),
        "partitionseq": str(event.number),
        "asof": event.as_of.isoformat(),
        "actor": event.actor,
        "correlationid": str(event.correlation_id),
        "causationid": str(event.causation_id) if event.causation_id else None,
    }
    head = json.dumps({name: value for name, value in attributes.items() if value is not None}, ensure_ascii=False)
    return f'{head[:-1]}, "data": {event.body.decode()}}}'


assert PARTITIONS == 64, "the table of places holds a number for each"
