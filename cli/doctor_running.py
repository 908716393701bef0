"""What is wrong with a running stack: servers, schemas, streams, what lags and what waits for a person."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import nats
import nats.errors
import psycopg
from nats.js.errors import NotFoundError
from sqlalchemy import make_url

from chassis.embedded import Stack
from chassis.embedded_config import NATS_READER
from chassis.readiness import newest_migration
from chassis.relay import RUNBOOK
from chassis.trust import trusting
from cli.doctor import Finding
from cli.places import State
from contracts.subjects import PARTITIONS, SPEAKERS, partition_filter, stream

LAG_EVENTS = 1000
UNPUBLISHED_SECONDS = 10.0

Tails = dict[str, dict[int, int] | None]
"""Per speaker the last number of each partition in its stream; ``None`` when the stream is missing."""


def examine_running(stack: Stack, state: State) -> Iterator[Finding]:
    """Looks at the servers and services of a running stack."""
    tails = asyncio.run(_tails(stack.nats_url(NATS_READER)))
    if tails is None:
        yield Finding("wrong", "NATS does not answer", f"read {stack.data_dir / 'logs' / 'nats.log'}; start again")
    else:
        yield from _streams(tails)
    try:
        with _connect(stack.superuser_url) as admin:
            for service in stack.services:
                yield from _schema(admin, service, (tails or {}).get(service))
    except psycopg.OperationalError as failure:
        log = stack.data_dir / "logs" / "postgres.log"
        yield Finding("wrong", f"PostgreSQL does not answer: {failure}", f"read {log}; start again")
    for service, url in state.urls.items():
        yield _ready(service, url, stack)


async def _tails(url: str) -> Tails | None:
    try:
        bus = await nats.connect(url, allow_reconnect=False, connect_timeout=3, **trusting(url))
    except (OSError, nats.errors.Error, TimeoutError):
        return None
    try:
        return {speaker: await _tail(bus.jetstream(), speaker) for speaker in SPEAKERS}
    finally:
        await bus.close()


async def _tail(jetstream: Any, speaker: str) -> dict[int, int] | None:
    async def last(p: int) -> int:
        try:
            message = await jetstream.get_last_msg(stream(speaker), partition_filter(speaker, p))
        except NotFoundError:
            return 0
        return int(message.headers["ce-partitionseq"])

    try:
        await jetstream.stream_info(stream(speaker))
    except NotFoundError:
        return None
    return dict(enumerate(await asyncio.gather(*(last(p) for p in range(PARTITIONS)))))


def _streams(tails: Tails) -> Iterator[Finding]:
    missing = [stream(speaker) for speaker, numbers in tails.items() if numbers is None]
    if missing:
        yield Finding("wrong", f"streams are missing: {', '.join(missing)}", "make them: ./relance provision")
    else:
        yield Finding("ok", f"NATS answers, with {len(tails)} streams")


def _connect(url: str) -> psycopg.Connection[Any]:
    parts = make_url(url)
    return psycopg.connect(
        user=parts.username,
        password=parts.password,
        dbname=parts.database,
        host=str(parts.query["host"]),
        connect_timeout=3,
        autocommit=True,
    )


def _schema(admin: psycopg.Connection[Any], service: str, tail: dict[int, int] | None) -> Iterator[Finding]:
    head = newest_migration(f"services.{service}")
    admin.execute("select set_config('search_path', %s, false)", (service,))
    there = _one(admin, "select to_regclass('alembic_version')")
    version = _one(admin, "select version_num from alembic_version") if there else None
    if version != head:
        yield Finding(
            "wrong",
            f"the schema {service} is at {version or 'no version'}, not at {head}",
            f"migrate it: ./relance migrate {service}",
        )
        return
    yield Finding("ok", f"the schema {service} is at its newest version")
    if tail is not None:
        yield from _relayed(admin, service, tail)
    yield from _lag(admin, service)
    yield from _left_for_people(admin, service)
    yield from _beside(admin, service)


def _beside(admin: psycopg.Connection[Any], service: str) -> Iterator[Finding]:
    """What a rebuild has left beside the live tables."""
    for role, mend in (
        ("next", f"./relance rebuild compare {service}, then switch, or drop"),
        ("before", f"when nobody wants to go back: ./relance rebuild drop {service}"),
    ):
        if _one(admin, f"select to_regclass('{service}_{role}.derivation')") is None:
            continue
        version = _one(admin, f'select version from "{service}_{role}".derivation')
        size = _one(
            admin,
            "select pg_size_pretty(sum(pg_table_size(oid))) from pg_class"
            f" where relnamespace = '{service}_{role}'::regnamespace and relkind = 'r'",
        )
        yield Finding("note", f"{service}_{role} holds tables of version {version}, {size}", mend)


def _relayed(admin: psycopg.Connection[Any], service: str, tail: dict[int, int]) -> Iterator[Finding]:
    heads = dict(admin.execute("select p, seq from partition_head").fetchall())
    ahead = [p for p, number in tail.items() if number > heads.get(p, 0)]
    if ahead:
        yield Finding(
            "wrong",
            f"the stream of {service} is ahead of its log in {len(ahead)} partitions: PostgreSQL lost events that"
            " were published",
            f"stop, restore the newer database if there is one, else do as {RUNBOOK} says",
        )
    partitions = [p for p, seq in heads.items() if seq > tail.get(p, 0)]
    if not partitions:
        return
    count, age = admin.execute(
        "select count(*), extract(epoch from now() - min(recorded_at))::float8 from event_log"
        " join unnest(%s::smallint[], %s::bigint[]) as t(p, pseq) using (p) where event_log.pseq > t.pseq",
        (partitions, [tail.get(p, 0) for p in partitions]),
    ).fetchone() or (0, None)
    if age is not None and age > UNPUBLISHED_SECONDS:
        yield Finding(
            "wrong",
            f"{count} events of {service} are not published, the oldest for {age:.0f} seconds",
            f"see what its relay says: ./relance doctor --json, and the log of {service}",
        )


def _lag(admin: psycopg.Connection[Any], service: str) -> Iterator[Finding]:
    behind = admin.execute(
        "select speaker, sum(pseq)::bigint from checkpoint group by speaker order by speaker"
    ).fetchall()
    for speaker, heard in behind:
        said = _one(admin, f'select sum(seq)::bigint from "{speaker}".partition_head') or 0
        if said - heard > LAG_EVENTS:
            yield Finding(
                "wrong",
                f"{service} has {said - heard} events of {speaker} still to hear",
                "wait; when the number does not fall, see the log of the service and its readiness",
            )


def _left_for_people(admin: psycopg.Connection[Any], service: str) -> Iterator[Finding]:
    parked = _one(admin, "select count(distinct (speaker, company, key)) from parked where skipped_at is null")
    if parked:
        yield Finding(
            "wrong",
            f"{service} has set aside the events of {parked} clients, since one of them could not be applied",
            f"see why: ./relance parked {service}; mend the cause, then: ./relance unpark {service}",
        )
    for status, words in (("failed", "failed for good"), ("in_doubt", "are in doubt: perhaps sent, perhaps not")):
        count = admin.execute("select count(*) from job where status = %s", (status,)).fetchone()
        if count and count[0]:
            yield Finding(
                "note", f"{count[0]} jobs of {service} {words}", "decide on them in the activities of the console"
            )


def _one(admin: psycopg.Connection[Any], query: Any) -> Any:
    row = admin.execute(query).fetchone()
    return row[0] if row else None


def _ready(service: str, url: str, stack: Stack) -> Finding:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    log = stack.data_dir / "logs" / f"{service}.log"
    try:
        with opener.open(f"{url}/readyz", timeout=5) as answer:
            hindered = json.loads(answer.read()).get("hindered_by", {})
        if hindered:
            return Finding("note", f"{service} works, but {'; '.join(hindered.values())}", f"its log: {log}")
        return Finding("ok", f"{service} is ready at {url}")
    except urllib.error.HTTPError as refusal:
        waiting = json.loads(refusal.read()).get("waiting_for", {})
        return Finding("wrong", f"{service} waits: {'; '.join(waiting.values())}", f"its log: {log}")
    except OSError:
        return Finding("wrong", f"{service} does not answer at {url}", f"its log: {log}")
