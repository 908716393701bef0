"""E-mails: how many leave a second, beside a bare aiosmtplib loop over the same messages to the same mail server.

Ours begins with actions that are due: it reads the situation of each, writes the message, looks once more, commits
that it is about to leave, hands it over, records what became of it, says so and tells the others. The loop hands
the finished bytes over and does nothing else.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import aiosmtplib
import psycopg

from bench.costs import Costs
from bench.harness import Result
from bench.reminders import reminder
from bench.stages import machine
from cli.trial import Trial
from contracts.dunning import Action, ActionEntry
from contracts.subjects import partition_of
from services.notify.tables import COLUMN, LINE

COMPANY = "bench"
DAY = date(2026, 4, 8)
ENTRIES_PER_MESSAGE = 4
"""One entry in so many of a book asks for a message."""
LINES = (1, 2, 3, 3, 4, 6, 12)
"""Invoices of a message, in turn."""
DOMAINS = 40
CONNECTIONS = 40
"""Fewer than the fifty that Postfix takes from one client unless told otherwise."""
WANTED = 0.7
WITHIN_SECONDS = 3600.0
PARTS = 10
MOST_OVER_ONE = 5000
SERVICES = ("notify",)

JOBS = """
    insert into job (id, queue, company, key, p, payload)
    select action_id, 'email', company, client_id, p, %s::jsonb from action where company = %s
"""
TAKEN = "select exists (select from job where company = %s and queue = 'email' and status <> 'ready')"
DONE = "select count(*) filter (where status = 'done') from job where company = %s and queue = 'email'"
STUCK = "select status, error, count(*) from job where company = %s and status <> 'done' group by 1, 2"
RAW = """
    select action_id, recipients, raw from message where company = %s and action_id > %s
    order by action_id limit 500
"""
LINES_TOLD = "copy synced_lines (company, client_id, number, p, lines) from stdin"
ACTION = "copy action (company, action_id, p, client_id, step, medium, state, due_on, body) from stdin"


class NotSent(Exception):
    """Messages did not leave, or not once each."""


def send(n: int) -> Result:
    """Send the messages of a book of ``n`` entries, all different, by notify and then by a bare loop. Raises
    ``NotSent``."""
    messages = max(n // ENTRIES_PER_MESSAGE, 250)
    with tempfile.TemporaryDirectory(prefix="relance-send-") as folder:
        environment = {"notify": {"RELANCE_SMTP_CONNECTIONS": str(CONNECTIONS)}}
        with Trial(Path(folder), services=SERVICES, environment=environment) as trial:
            _seed(trial.dsn, messages)
            with Costs(_processes(trial)) as costs:
                seconds, memory = _ours(trial, messages)
                spent = costs.cpu()
            received = trial.sink.counts()
            if received["distinct"] != messages or received["count"] != messages:
                raise NotSent(f"{messages} messages were to arrive once each, but the mail server has {received}")
            with Costs(_processes(trial)) as costs:
                bare = asyncio.run(_bare(trial, messages, CONNECTIONS))
                spent_bare = costs.cpu()
            one = asyncio.run(_bare(trial, min(messages, MOST_OVER_ONE), 1))
            over_one = min(messages, MOST_OVER_ONE) / one["seconds"]
    return Result(
        "send",
        ours=messages / seconds,
        limit=messages / bare["seconds"],
        unit="messages/s",
        n=messages,
        details={
            "wanted_ratio": WANTED,
            "connections": CONNECTIONS,
            "limit_over_one_connection": round(over_one, 1),
            "kb_each": round(bare["bytes"] / messages / 1000, 1),
            "cpu_us_per_message": _each(spent, messages),
            "cpu_us_per_message_of_the_loop": {
                "loop": round(bare["cpu"] / messages * 1e6), **_each(spent_bare, messages)
            },
            "cpu_us_per_message_in_all": round(sum(spent.values()) / messages * 1e6),
            "ceiling": round(_cores() / sum(spent.values()) * messages, 1),
            "ceiling_is": "every core busy with our processes, the mail server's among them, and nothing else",
            "ratio_over_one_connection": round(messages / seconds / over_one, 4),
            "mb_of_notify_by_tenths": memory,
            "mb_more_per_10000_messages": _slope(memory, messages),
            "machine": machine(),
            "limit_is": "a bare aiosmtplib loop over the same messages, as many connections, the same server"
            " process; sender, recipients and DATA one by one, since aiosmtplib sends them so",
        },
    )  # fmt: skip


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _slope(memory: list[float], messages: int) -> float:
    """Megabytes that the second half of the run adds per 10,000 messages, by least squares: the first half fills
    caches."""
    later = memory[len(memory) // 2 :]
    if len(later) < 2:
        return 0.0
    per_tenth = statistics.linear_regression(range(len(later)), later).slope
    return round(per_tenth * PARTS / messages * 10_000, 2)


def _processes(trial: Trial) -> dict[str, int]:
    assert trial.sink.child is not None
    assert trial.sink.child.pid is not None
    return trial.stack.state().pids | {"mail server": trial.sink.child.pid}


def _each(spent: dict[str, float], messages: int) -> dict[str, int]:
    return {name: round(seconds / messages * 1e6) for name, seconds in spent.items() if seconds > 0.05}


def _ours(trial: Trial, messages: int) -> tuple[float, list[float]]:
    """Seconds from the moment the first is taken up until all is recorded, and notify's memory after each tenth.

    Notify wakes up for what it hears itself; what is put into its queue from outside, as here, it finds within a
    second, which is not counted.
    """
    pid = trial.stack.children["notify"].pid
    assert pid is not None
    memory: list[float] = []
    with psycopg.connect(trial.dsn, autocommit=True) as connection:
        connection.execute("set search_path = notify")
        now = f"{DAY}T08:00:00+00:00"
        ids = {"correlation_id": str(uuid4()), "causation_id": str(uuid4())}
        payload = {"as_of": f"{DAY}", "due_at": now, "actor": "user:bench", "traceparent": None, **ids}
        connection.execute(JOBS, (json.dumps(payload), COMPANY))
        while not connection.execute(TAKEN, (COMPANY,)).fetchall()[0][0]:
            if not trial.stack.children["notify"].is_running():
                raise NotSent("notify ended before it took anything up")
            time.sleep(0.01)
        started = time.perf_counter()
        while (done := connection.execute(DONE, (COMPANY,)).fetchall()[0][0]) < messages:
            if done * PARTS >= (len(memory) + 1) * messages:
                memory.append(_resident_mb(pid))
            if time.perf_counter() - started > WITHIN_SECONDS or not trial.stack.children["notify"].is_running():
                raise NotSent(f"{connection.execute(STUCK, (COMPANY,)).fetchall()}")
            time.sleep(0.1)
        return time.perf_counter() - started, [*memory, _resident_mb(pid)]


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


async def _bare(trial: Trial, messages: int, connections: int) -> dict[str, float]:
    """The same bytes, over and over: MAIL, RCPT, DATA."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Queue[tuple[list[str], bytes] | None] = asyncio.Queue(maxsize=1000)
    size = 0

    async def connection() -> None:
        smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=trial.sink.smtp_port, timeout=60)
        await smtp.connect()
        while (mail := await ready.get()) is not None:
            await smtp.sendmail("bench@relance.example", *mail)
        await smtp.quit()

    pages = _kept(trial.dsn, messages)
    cpu, started = time.process_time(), time.perf_counter()
    sending = [asyncio.create_task(connection()) for _ in range(connections)]
    page: list[tuple[list[str], bytes]] | None = next(pages)
    while page:
        for mail in page:
            size += len(mail[1])
            await ready.put(mail)
        page = await loop.run_in_executor(None, next, pages, None)
    for _ in sending:
        await ready.put(None)
    await asyncio.gather(*sending)
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "bytes": size}


def _kept(dsn: str, messages: int) -> Iterator[list[tuple[list[str], bytes]]]:
    """What left, page by page."""
    last, left = UUID(int=0), messages
    with psycopg.connect(dsn) as connection:
        connection.execute("set search_path = notify")
        while left > 0:
            rows = connection.execute(RAW, (COMPANY, last), binary=True).fetchall()[:left]
            last, left = rows[-1][0], left - len(rows)
            yield [(row[1], row[2]) for row in rows]


def _seed(dsn: str, messages: int) -> None:
    """What notify would have heard: a company, its clients and their entries, and an action for each client."""
    with psycopg.connect(dsn) as connection:
        connection.execute("set search_path = notify")
        p = partition_of(COMPANY, COMPANY)
        connection.execute(
            "insert into company (company, p, name, time_zone, currency) values (%s, %s, %s, %s, %s)",
            (COMPANY, p, "Ateliers Delcourt", "Europe/Paris", "EUR"),
        )
        cursor = connection.cursor()
        with cursor.copy("copy client (company, client_id, p, version) from stdin") as copy:
            for number in range(messages):
                client = _client(number)
                copy.write_row((COMPANY, client, partition_of(COMPANY, client), 1))
        with cursor.copy("copy person (company, client_id, version, body) from stdin") as copy:
            for number in range(messages):
                copy.write_row((COMPANY, _client(number), 1, json.dumps(_person(number))))
        with cursor.copy(LINES_TOLD) as copy:
            for number in range(messages):
                client = _client(number)
                told = LINE.join(map(_told, _lines(number)))
                copy.write_row((COMPANY, client, 1, partition_of(COMPANY, client), told))
        with cursor.copy(ACTION) as copy:
            for number in range(messages):
                action = _action(number)
                client = action.client_id
                copy.write_row((
                    COMPANY, action.action_id, partition_of(COMPANY, client), client, action.step, "email", "due",
                    DAY, action.model_dump_json(),
                ))  # fmt: skip
        connection.commit()
        for table in ("client", "person", "synced_lines", "action"):
            connection.execute(f"analyze {table}".encode())


def _client(number: int) -> str:
    return f"411{number:06d}"


def _person(number: int) -> dict[str, object]:
    return {
        "client_id": _client(number),
        "version": 1,
        "name": f"Établissements {number}",
        "emails": [f"compta{number}@client{number % DOMAINS}.example"],
        "address": {"line1": f"{number % 200} rue du Port", "postcode": "57000", "city": "Metz"},
        "language": "fr",
    }


def _lines(number: int) -> tuple[ActionEntry, ...]:
    return tuple(
        ActionEntry(
            entry_id=f"{number:020x}{line:012x}",
            occurrence=1,
            amount=Decimal(10_000 + 137 * line + number) / 100,
            due_date=DAY - timedelta(days=30 - line),
        )
        for line in range(LINES[number % len(LINES)])
    )


def _told(line: ActionEntry) -> str:
    """As notify keeps what sync tells of an entry."""
    piece = f"FAC-2026-{line.entry_id[-12:]}"
    entry_date = line.due_date - timedelta(days=30)
    members = (line.entry_id, "411000", "invoice", piece, entry_date, line.due_date, line.amount, "EUR", "", "f")
    return COLUMN.join(map(str, members))


def _action(number: int) -> Action:
    return reminder(
        number + 1,
        _client(number),
        _lines(number),
        step=f"R{number % 3 + 1}",
        medium="email",
        due_since=DAY,
    )
