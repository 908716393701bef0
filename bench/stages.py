"""What each stage of an import costs alone, and what it costs the plainest program that does as much: CPU
microseconds per entry, on servers of their own configured as in the run, with lines of the very book.

CPU time says what the work takes whoever else uses the machine. A stage's limit leaves out everything that makes
ours right: checks, comparison, numbering without gaps, fencing, checkpoints. ``machine`` tells how fast this
machine decodes JSON beside the one where the reference rates were measured, so that a slower machine is not taken
for a slower limit.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import nats
import psycopg
from msgspec.structs import astuple
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from bench import own_stages, settling
from bench.append import AS_OF, COMPANY, PER_EVENT, _bulk
from bench.own_stages import Cpu, backend
from chassis.database import engine, migrate, transaction
from chassis.embedded import Stack
from chassis.eventlog import Cause, Said, append
from chassis.provision import provision
from chassis.relay import Relay
from contracts.subjects import PARTITIONS
from contracts.sync import EntriesSynced
from services.sync import changes
from services.sync.connectors import Rules
from services.sync.connectors.fec import Fec
from services.sync.staging import COLUMNS, Staging

EVENTS = 120
MOST_LINES = 60_000
JSON_REFERENCE = 1054.0
"""Bodies of 500 entries that ``json.loads`` takes in a CPU second on the machine of the reference rates."""

KEYED = """
    create {kind} table {name} (entry_id text, client_id text, account text, kind text, journal text, piece text,
        entry_date date, invoice_date date, due_date date, debit numeric, credit numeric, currency text,
        book_amount numeric, payment_mode text, lettering text, primary key (client_id, entry_id))
"""
MEMBERS = (
    "entry_id", "client_id", "account", "kind", "journal", "piece", "entry_date", "invoice_date", "due_date",
    "debit", "credit", "currency", "book_amount", "payment_mode", "lettering",
)  # fmt: skip

UPSERT = f"""
    insert into bench_upsert as known ({", ".join(MEMBERS)})
    select %(number)s || entry_id, {", ".join(MEMBERS[1:])}
    from jsonb_to_recordset(%(body)s::jsonb -> 'entries') as e(entry_id text, client_id text, account text,
        kind text, journal text, piece text, entry_date date, invoice_date date, due_date date, debit numeric,
        credit numeric, currency text, book_amount numeric, payment_mode text, lettering text)
    on conflict (client_id, entry_id) do update set lettering = excluded.lettering
"""


@dataclass(frozen=True)
class Stage:
    """CPU microseconds per entry. ``ours`` is what the services' own code takes for it, alone as well."""

    limit: float
    """Of the way by which the reference rates were measured, or of the plainest way where there is none."""
    limit_is: str
    ours: float | None = None
    ours_is: str | None = None
    """What ours does besides, where that is not plain."""
    ours_by: Mapping[str, float] | None = None
    """Of each service that does it; ``ours`` is their mean."""
    reference: float | None = None
    """The limit as it was found on the reference machine, times what this machine is slower."""
    plainest: float | None = None
    """Of the plainest way known, where that is another."""


def machine() -> dict[str, Any]:
    """This machine beside the one of the reference rates."""
    body = _body()
    began, count = time.process_time(), 0
    while (spent := time.process_time() - began) < 1.0:
        json.loads(body)
        count += 1
    rate = count / spent * len(body) / 165_000
    models = [
        line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line
    ]
    return {
        "processor": models[0].partition(":")[2].strip() if models else "unknown",
        "json_bodies_per_cpu_second": round(rate, 1),
        "reference": JSON_REFERENCE,
        "speed": round(rate / JSON_REFERENCE, 3),
    }


def measure(folder: Path, book: Path, speed: float) -> dict[str, Stage]:
    """Every stage alone. ``speed``: of this machine, the reference machine being 1."""
    services = ("sync", *own_stages.LISTENERS)
    with Stack(folder, services) as stack:
        stack.ensure_roles()
        for service in services:
            migrate(f"services.{service}", stack.database_url(service, "owner"), service)
        return asyncio.run(_measure(stack, book, speed))


async def _measure(stack: Stack, book: Path, speed: float) -> dict[str, Stage]:
    nats_pid = stack.nats.pid
    assert nats_pid is not None
    dsn = stack.superuser_url.replace("postgresql+psycopg://", "postgresql://")
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        await connection.execute("set search_path = sync")
        stages, kept, lines = await _read_and_stage(connection, book)
        stages["remember"] = await _store(connection, speed, kept.remember_us)
        stages["labels"] = await _labels(stack, connection, kept, lines)
        stages["say"] = await _say(stack, connection, speed)
        stages["relay"] = await _relay(stack, connection, nats_pid, speed)
        stages["apply"] = await _apply(stack, connection, nats_pid, speed)
        async with _jetstream(stack) as (bus, _):
            settled = await settling.settle(connection, bus, nats_pid, EVENTS * PER_EVENT)
        stages["settle"] = Stage(settled, settling.LIMIT_IS)
    return stages


async def _read_and_stage(
    connection: psycopg.AsyncConnection[Any], book: Path
) -> tuple[dict[str, Stage], own_stages.Kept, int]:
    backend = connection.info.backend_pid
    plain = Cpu()
    with book.open(encoding="utf-8", newline="") as file:
        lines = [line.rstrip("\r\n").split("\t") for line in file]
    read = len(lines)
    plain_us = plain.us(read // 2)
    del lines
    whole = Cpu()
    reading = Fec().open(book, Rules(("411",), "EUR", frozenset(), AS_OF, "", None))
    batches, count = [], 0
    for batch in reading.batches():
        count += len(batch)
        if count <= MOST_LINES:
            batches.append(batch)
    ours_us = whole.us(count)
    kept = sum(map(len, batches))
    await changes.stage(connection)
    copy_into = f"copy seen ({', '.join(COLUMNS)}) from stdin"
    staging, staged = Staging(COMPANY, 30), Cpu(backend)
    texts = []
    async with connection.cursor().copy(copy_into.encode()) as copy:
        for batch in batches:
            texts.append(staging.rows(batch))
            await copy.write(texts[-1])
    staged_us = staged.us(kept)
    await connection.execute("truncate seen")
    copied = Cpu(backend)
    async with connection.cursor().copy(copy_into.encode()) as copy:
        for text in texts:
            await copy.write(text)
    stages = {
        "read": Stage(plain_us, "reading the file's lines and splitting them, in Python", ours_us),
        "stage": Stage(copied.us(kept), "COPY of the ready text into the same table without keys", staged_us),
    }
    remembered = await own_stages.keep(connection, COMPANY, kept)
    await connection.rollback()
    await connection.execute("set search_path = sync")
    return stages, remembered, kept


def _entries(number: int) -> list[dict[str, str]]:
    """The entries of a bulk event, with keys and clients of their own."""
    entries: list[dict[str, str]] = json.loads(_body())["entries"]
    for place, entry in enumerate(entries):
        entry["entry_id"] = f"{number:016x}{place:016x}"
        entry["client_id"] = f"C{number:04d}{place // 10:02d}"
    return entries


def _rows(number: int) -> str:
    """The text of a bulk event's rows."""
    entries = _entries(number)
    return "\n".join("\t".join(entry.get(name) or "\x1f" for name in MEMBERS) for entry in entries) + "\n"


async def _store(connection: psycopg.AsyncConnection[Any], speed: float, ours: float) -> Stage:
    """Rows into a keyed table, 10,000 at a time: the least that remembering or applying can be."""
    await connection.execute(KEYED.format(kind="", name="bench_store").encode())
    texts = [_rows(number) for number in range(EVENTS)]
    await connection.commit()
    plain = Cpu(connection.info.backend_pid)
    for start in range(0, EVENTS, 20):
        async with connection.cursor().copy(b"copy bench_store from stdin with (null '\x1f')") as copy:
            await copy.write("".join(texts[start : start + 20]))
        await connection.commit()
    plain_us = plain.us(EVENTS * PER_EVENT)
    await connection.execute("create temp table bench_rows (like bench_store including all)")
    await connection.execute("create index on bench_rows (client_id)")
    rows = [
        [None if value == "\x1f" else value for value in row.split("\t")] for row in "".join(texts).splitlines()
    ]
    spent = Cpu(connection.info.backend_pid)
    for start in range(0, len(rows), 10_000):
        async with connection.cursor().copy("copy bench_rows from stdin") as copy:
            for row in rows[start : start + 10_000]:
                await copy.write_row(row)
    us = spent.us(EVENTS * PER_EVENT)
    await connection.commit()
    reference = round((0.66 + 0.49) / 126_459 * 1e6 / speed, 2)
    told = "COPY, row by row, into a table of 15 columns with key and index"
    ours_is = "what the book holds, what it changes, and the new state written"
    return Stage(us, told, ours, ours_is, reference=reference, plainest=plain_us)


async def _labels(
    stack: Stack, connection: psycopg.AsyncConnection[Any], kept: own_stages.Kept, lines: int
) -> Stage:
    await connection.execute("create table bench_label (company text, entry_id text primary key, label text)")
    await connection.commit()
    text = "".join(f"{COMPANY}\t{uuid4().hex}\tFacture F{n}\n" for n in range(EVENTS * PER_EVENT))
    spent = Cpu(connection.info.backend_pid)
    async with connection.cursor().copy("copy bench_label from stdin") as copy:
        await copy.write(text)
    await connection.commit()
    limit = spent.us(EVENTS * PER_EVENT)
    ours = kept.read_labels_us + await own_stages.put_labels(stack, COMPANY, kept.labels, lines)
    ours_is = "read at sync, put by HTTP, checked and kept at ledger"
    return Stage(limit, "COPY of ready text into a keyed table of 3 columns", round(ours, 2), ours_is)


async def _say(stack: Stack, connection: psycopg.AsyncConnection[Any], speed: float) -> Stage:
    body = _body()
    await connection.execute("create table bench_log (p smallint, pseq bigint, body json, primary key (p, pseq))")
    await connection.commit()
    spent = Cpu(connection.info.backend_pid)
    for number in range(EVENTS):
        await connection.execute("insert into bench_log values (%s, %s, %s)", (number % 64, number, body.decode()))
        await connection.commit()
    limit = spent.us(EVENTS * PER_EVENT)
    log = engine(stack.database_url("sync", "worker"), "sync", size=1)
    frame = json.loads(body)
    bodies = [
        json.dumps(frame | {"entries": _entries(number)}, separators=(",", ":")).encode()
        for number in range(EVENTS)
    ]
    ours = Cpu(await backend(log))
    model = EntriesSynced(run_id=uuid4(), source="bench", entries=())
    for number in range(EVENTS):
        async with transaction(log) as tx:
            said = Said(model, partition=number % PARTITIONS, body=bodies[number])
            await append(tx, "sync", COMPANY, [said], as_of=AS_OF, cause=Cause.new("bench"))
    ours_us = ours.us(EVENTS * PER_EVENT)
    await log.dispose()
    reference = (0.11 + 0.54) / 495 / PER_EVENT * 1e6 / speed
    return Stage(
        limit,
        "one event of 500 entries per transaction into a keyed table",
        ours_us,
        reference=round(reference, 2),
    )


async def _relay(stack: Stack, connection: psycopg.AsyncConnection[Any], nats_pid: int, speed: float) -> Stage:
    await provision(stack.nats_url("admin"), ("sync",))
    async with _jetstream(stack) as (bus, jetstream):
        await jetstream.add_stream(StreamConfig(name="BENCH", subjects=["bench.>"]))
        body, spent = _body(), Cpu(nats_pid)
        for start in range(0, EVENTS, 20):
            together = (
                bus.request(f"bench.p{number % 64}", body, timeout=10) for number in range(start, start + 20)
            )
            await asyncio.gather(*together)
        limit = spent.us(EVENTS * PER_EVENT)
        # of one connection, so that the backend is known
        log = engine(stack.database_url("sync", "worker"), "sync", size=1)
        relay = Relay("sync", log, stack.nats_url("sync"))
        ours = Cpu(nats_pid, await backend(log))
        running = asyncio.create_task(relay.run())
        while (await jetstream.stream_info(relay.stream)).state.last_seq < EVENTS:  # noqa: ASYNC110 of another process
            await asyncio.sleep(0.02)
        spent_us = ours.us(EVENTS * PER_EVENT)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await log.dispose()
    reference = (0.08 + 0.46) / (914 * 100 / 165) / PER_EVENT * 1e6 / speed
    told = "the same bodies published from memory, twenty at a time"
    return Stage(limit, told, spent_us, reference=round(reference, 2))


async def _apply(stack: Stack, connection: psycopg.AsyncConnection[Any], nats_pid: int, speed: float) -> Stage:
    """Hear the events and put their items into a keyed table: no fence, no checkpoint, nothing looked up."""
    await connection.execute(KEYED.format(kind="", name="bench_apply").encode())
    await connection.commit()
    item = msgspec.defstruct("Item", [(name, str | None, None) for name in MEMBERS], gc=False)
    bulk = msgspec.json.Decoder(msgspec.defstruct("Bulk", [("entries", list[item])], gc=False))  # type: ignore[valid-type]
    backend = connection.info.backend_pid
    async with _jetstream(stack) as (_, jetstream):

        async def heard() -> AsyncIterator[tuple[int, list[Any]]]:
            consumer = await jetstream.pull_subscribe(
                "bench.>", stream="BENCH", config=ConsumerConfig(ack_policy=AckPolicy.NONE)
            )
            applied = 0
            while applied < EVENTS:
                messages = await consumer.fetch(20, timeout=5)
                yield applied, messages
                await connection.commit()
                applied += len(messages)

        plain = Cpu(backend, nats_pid)
        async for applied, messages in heard():
            rows = [
                f"{applied + place:06d}" + "\t".join([value or "\x1f" for value in astuple(one)])
                for place, message in enumerate(messages)
                for one in bulk.decode(message.data).entries  # type: ignore[attr-defined]
            ]
            async with connection.cursor().copy(b"copy bench_apply from stdin with (null '\x1f')") as copy:
                await copy.write("\n".join(rows))
        plain_us = plain.us(EVENTS * PER_EVENT)
        await connection.execute("create table bench_upsert (like bench_apply including all)")
        await connection.execute("create index on bench_upsert (client_id)")
        await connection.commit()
        spent = Cpu(backend, nats_pid)
        async for applied, messages in heard():
            for place, message in enumerate(messages):
                values = {"number": f"{applied + place:06d}", "body": message.data.decode()}
                await connection.execute(UPSERT.encode(), values)
        us = spent.us(EVENTS * PER_EVENT)
    reference = round((0.13 + 0.51 + 0.02) / 37_460 * 1e6 / speed, 2)
    ours = await own_stages.apply(stack, connection, nats_pid, EVENTS, EVENTS * PER_EVENT)
    mean = round(sum(ours.values()) / len(ours), 2)
    told = "hear, one upsert by jsonb_to_recordset per event into 15 columns with key and index"
    return Stage(us, told, mean, ours_by=ours, reference=reference, plainest=plain_us)


@asynccontextmanager
async def _jetstream(stack: Stack) -> AsyncIterator[tuple[Any, Any]]:
    bus = await nats.connect(stack.nats_url("admin"))
    try:
        yield bus, bus.jetstream()
    finally:
        await bus.close()


def _body() -> bytes:
    return _bulk().model_dump_json().encode()
