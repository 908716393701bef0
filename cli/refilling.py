"""Streams made again from the logs of their speakers, what only the streams knew written down first.

A stream is a copy (ADR 1): one that was damaged, or that knows more than a restored PostgreSQL, is removed and
made again empty; the relay of its speaker then fills it from the log.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import UnsupportedOperation
from typing import TYPE_CHECKING, TextIO

import nats
import nats.errors
import psycopg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from psycopg import sql

from chassis.envelope import event_of, sequence_of
from chassis.provision import provision
from chassis.trust import trusting
from cli.tail import event_as_json
from contracts.subjects import SPEAKERS, stream

if TYPE_CHECKING:
    from nats.aio.msg import Msg

FETCH_EVENTS = 500
FETCH_SECONDS = 10.0

UNKNOWN = """
    select t.n from unnest(%s::smallint[], %s::bigint[], %s::uuid[]) with ordinality t(p, pseq, id, n)
    left join {log} e using (p, pseq) where e.event_id is distinct from t.id order by t.n
"""
SCHEMAS = "select schemaname from pg_tables where tablename = 'checkpoint' order by schemaname"
AHEAD = """
    select count(*) from {checkpoint} c left join {log} e on e.p = c.p and e.pseq = c.pseq
    where c.speaker = %s and c.pseq > 0 and e.event_id is distinct from c.anchor
"""
WORKERS = """
    select distinct usename from pg_stat_activity
    where datname = current_database() and usename = any(%s) order by usename
"""


class ServicesRun(Exception):
    """Services run that would apply what their logs do not know."""

    def __init__(self, roles: Sequence[str]) -> None:
        super().__init__(
            f"{', '.join(roles)} are connected to PostgreSQL: stop the services first, else they apply what the"
            " streams know and the logs do not"
        )


class HistoryDivided(Exception):
    """Services heard what their speakers' logs do not hold: they ran after PostgreSQL had gone back."""

    def __init__(self, listeners: Sequence[str]) -> None:
        super().__init__(
            f"{', '.join(listeners)} applied events that no log holds, since services were started after"
            " PostgreSQL had gone back: restore it once more to the same instant, and run this before they start"
        )


class StreamUnreadable(Exception):
    """A stream ends before its last message."""

    def __init__(self, name: str, at: int, last: int) -> None:
        super().__init__(
            f"{name} gives nothing after message {at} of {last}: nothing was removed. Put its store back, or"
            " remove it by hand where what only it knows may be lost (docs/runbooks/relay-refuses.md)"
        )


@dataclass(frozen=True)
class Refilled:
    """A stream that was made again. ``lost``: events that it held and the log does not, written down."""

    stream: str
    messages: int
    lost: int


def refill(dsn: str, nats_url: str, speakers: Sequence[str], lost: TextIO) -> list[Refilled]:
    """Make the streams of these speakers again, empty; each event that only a stream knew is a line of ``lost``.

    ``dsn`` is an address of PostgreSQL that may read every service's log, ``nats_url`` that of who may remove
    streams. Raises ``ServicesRun``, ``HistoryDivided``, ``StreamUnreadable``; what was refilled until then
    stays so, and doing it again is harmless.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        workers = connection.execute(WORKERS, [[f"{speaker}_worker" for speaker in speakers]]).fetchall()
        if workers:
            raise ServicesRun([role for (role,) in workers])
        divided = _divided(connection)
        if divided:
            raise HistoryDivided(divided)
        return asyncio.run(_refill(connection, nats_url, speakers, lost))


def _divided(connection: psycopg.Connection) -> list[str]:
    """Services whose last applied event of some speaker is not in that speaker's log."""
    listeners = [name for (name,) in connection.execute(SCHEMAS).fetchall()]
    return [
        listener
        for listener in listeners
        if any(_is_ahead(connection, listener, speaker) for speaker in SPEAKERS if speaker in listeners)
    ]


def _is_ahead(connection: psycopg.Connection, listener: str, speaker: str) -> bool:
    query = sql.SQL(AHEAD).format(
        checkpoint=sql.Identifier(listener, "checkpoint"), log=sql.Identifier(speaker, "event_log")
    )
    found = connection.execute(query, [speaker]).fetchone()
    return found is not None and found[0] > 0


async def _refill(
    connection: psycopg.Connection, nats_url: str, speakers: Sequence[str], lost: TextIO
) -> list[Refilled]:
    bus = await nats.connect(nats_url, max_reconnect_attempts=3, **trusting(nats_url))
    try:
        return [await _refill_one(connection, bus.jetstream(), nats_url, speaker, lost) for speaker in speakers]
    finally:
        await bus.close()


async def _refill_one(
    connection: psycopg.Connection, jetstream: JetStreamContext, nats_url: str, speaker: str, lost: TextIO
) -> Refilled:
    name = stream(speaker)
    try:
        info = await jetstream.stream_info(name)
    except NotFoundError:
        await provision(nats_url, [speaker])
        return Refilled(name, 0, 0)
    written = 0
    async for messages in _messages(jetstream, name, info.state.last_seq):
        for message in _unknown(connection, speaker, messages):
            lost.write(event_as_json(event_of(message, {})) + "\n")
            written += 1
    # what only the stream knew must be on the disk before the stream is removed
    lost.flush()
    with suppress(UnsupportedOperation):  # kept in memory by whoever rehearses
        os.fsync(lost.fileno())
    await jetstream.delete_stream(name)
    await jetstream.add_stream(info.config)
    return Refilled(name, info.state.messages, written)


async def _messages(jetstream: JetStreamContext, name: str, last: int) -> AsyncIterator[list[Msg]]:
    """Everything that a stream holds, in parts."""
    if not last:
        return
    subscription = await jetstream.pull_subscribe(
        "",
        stream=name,
        config=ConsumerConfig(
            deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, mem_storage=True, inactive_threshold=60
        ),
    )
    at = 0
    while at < last:
        try:
            messages = await subscription.fetch(FETCH_EVENTS, timeout=FETCH_SECONDS)
        except (nats.errors.TimeoutError, TimeoutError):
            raise StreamUnreadable(name, at, last) from None
        at = sequence_of(messages[-1].reply)
        yield messages
    await subscription.unsubscribe()


def _unknown(connection: psycopg.Connection, speaker: str, messages: Sequence[Msg]) -> list[Msg]:
    """Those whose event the log does not hold under that number."""
    attributes = [message.headers or {} for message in messages]
    rows = connection.execute(
        sql.SQL(UNKNOWN).format(log=sql.Identifier(speaker, "event_log")),
        [
            [int(one["ce-partition"]) for one in attributes],
            [int(one["ce-partitionseq"]) for one in attributes],
            [one["ce-id"] for one in attributes],
        ],
    )
    return [messages[number - 1] for (number,) in rows.fetchall()]
