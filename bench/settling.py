"""What settling costs the plainest program: every lettering group judged by one aggregate, those that balance said
500 at a time, heard by two listeners and kept. The run does all of it; of the other stages none does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, LiteralString

import psycopg
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from bench.own_stages import Cpu

TOGETHER = 20
OPEN, LETTERED = 3, 14
"""Of so many lines together the first are open and the others in pairs, as in the generated books."""
LINES_PER_CLIENT = 10
YOUNG_SINCE = date(2026, 9, 1)
"""What was paid before is thanked by nobody: dunning keeps a quarter of the groups."""

LINES = """
    create table bench_line (entry_id text, client_id text, account text, entry_date date, book_amount numeric,
        lettering text, primary key (client_id, entry_id))
"""
PAID = """
    create table {name} (client_id text, lettering text, paid_on date, payments text[], settled text[],
        primary key (client_id, lettering))
"""
JUDGE = """
    insert into bench_judged
    select client_id, lettering, max(entry_date), array_agg(entry_id) filter (where book_amount < 0),
        array_agg(entry_id) filter (where book_amount > 0)
    from bench_line where lettering is not null
    group by client_id, account, lettering having sum(book_amount) = 0
"""
SAY: LiteralString = """
    insert into bench_paid_log
    select n, json_build_object('groups', json_agg(json_build_object('client_id', client_id,
        'lettering', lettering, 'paid_on', paid_on, 'payments', payments, 'settled', settled)))
    from (select *, (row_number() over (order by client_id, lettering) - 1) / 500 as n from bench_judged) numbered
    group by n
"""
KEEP = """
    insert into {name} select client_id, lettering, paid_on, payments, settled
    from jsonb_to_recordset(%(body)s::jsonb -> 'groups') as g(client_id text, lettering text, paid_on date,
        payments text[], settled text[])
    where paid_on >= %(since)s
    on conflict do nothing
"""
LISTENERS = {"bench_fact": date.min, "bench_paid_group": YOUNG_SINCE}
"""Tables of those who keep groups, and since when paid: reporting keeps all of them."""
LIMIT_IS = (
    "groups judged by one aggregate, said by PostgreSQL 500 at a time, published twenty at a time, kept by two"
    " listeners by one jsonb_to_recordset per event"
)


def lines(count: int) -> Iterator[tuple[str, str, str, date, str, str | None]]:
    """Open lines and lettered pairs: an invoice and its payment, one client in ten lines."""
    for number in range(count):
        place = number % (OPEN + LETTERED) - OPEN
        pair = number - place % 2
        client = f"C{pair // LINES_PER_CLIENT:06d}"
        day = date(2026, 1, 1) + timedelta(days=pair % 330)
        amount = f"{pair % 90_000 + 1}.50"
        lettered = place >= 0
        yield (
            f"{number:032x}", client, "41100000", day, f"-{amount}" if lettered and place % 2 else amount,
            f"L{pair:07d}" if lettered else None,
        )  # fmt: skip


async def settle(connection: psycopg.AsyncConnection[Any], bus: Any, nats_pid: int, count: int) -> float:
    """CPU microseconds per line of a book of ``count`` lines; in a schema and a JetStream of their own."""
    jetstream = bus.jetstream()
    await jetstream.add_stream(StreamConfig(name="BENCH_PAID", subjects=["benchpaid.>"]))
    await connection.execute(LINES)
    await connection.execute("create table bench_paid_log (n bigint primary key, body json)")
    for name in ("bench_judged", *LISTENERS):
        await connection.execute(PAID.format(name=name).encode())
    async with connection.cursor().copy("copy bench_line from stdin") as copy:
        for row in lines(count):
            await copy.write_row(row)
    await connection.commit()
    spent = Cpu(connection.info.backend_pid, nats_pid)
    await connection.execute(JUDGE)
    await connection.execute(SAY)
    await connection.commit()
    said = await (await connection.execute("select body::text from bench_paid_log order by n")).fetchall()
    for start in range(0, len(said), TOGETHER):
        await asyncio.gather(
            *(bus.request("benchpaid.p", body.encode(), timeout=10) for (body,) in said[start : start + TOGETHER])
        )
    for name, since in LISTENERS.items():
        await _keep(connection, jetstream, name, since, len(said))
    us = spent.us(count)
    kept = await (await connection.execute("select count(*) from bench_fact")).fetchone()
    assert kept is not None
    assert kept[0] == sum(1 for *_, lettering in lines(count) if lettering) // 2
    return us


async def _keep(
    connection: psycopg.AsyncConnection[Any], jetstream: Any, name: str, since: date, events: int
) -> None:
    consumer = await jetstream.pull_subscribe(
        "benchpaid.>", stream="BENCH_PAID", config=ConsumerConfig(ack_policy=AckPolicy.NONE)
    )
    heard = 0
    while heard < events:
        messages = await consumer.fetch(TOGETHER, timeout=5)
        for message in messages:
            values = {"body": message.data.decode(), "since": since}
            await connection.execute(KEEP.format(name=name).encode(), values)
        await connection.commit()
        heard += len(messages)
