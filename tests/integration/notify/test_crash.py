"""A sender killed while it hands mails over: nothing twice, nothing lost unnamed (Correctness 4)."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Row, text

from chassis.database import engine, transaction
from chassis.embedded import Stack
from chassis.server_process import free_port
from cli.places import ROOT
from tests.integration.notify.conftest import MailServer, People, Voices, action, synced, until

MAILS = 60
CONNECTIONS = 3
KILL_AFTER = (7, 31)

STATES = text("select status, count(*) as count from job where company = :company group by status")
EVENTS = text(
    "select type, body ->> 'message_id' as message_id, body ->> 'action_id' as action_id from event_log"
    " where company = :company order by event_id"
)


@asynccontextmanager
async def sender(stack: Stack, people: People, mails: MailServer) -> AsyncIterator[asyncio.subprocess.Process]:
    """Notify as a process of its own."""
    environment = stack.environment("notify") | {
        "RELANCE_ALLOW_AS_OF": "true",
        "RELANCE_LEDGER_URL": people.url,
        "RELANCE_SMTP_PORT": str(mails.port),
        "RELANCE_SMTP_CONNECTIONS": str(CONNECTIONS),
        "RELANCE_SENDING_BATCH": "20",
        "RELANCE_JOB_LEASE_SECONDS": "2",
        "RELANCE_HTTP_PORT": str(free_port()),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.notify", "run"),
        env=os.environ | environment,
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def test_killed_twice_while_sending(
    stack: Stack, voices: Voices, people: People, mails: MailServer, company: str
) -> None:
    mails.behave(delay_seconds=0.05)
    database = engine(stack.database_url("notify", "worker"), schema="notify")

    async def states() -> Counter[str]:
        async with transaction(database) as tx:
            return Counter({row.status: row.count for row in await tx.execute(STATES, {"company": company})})

    async def said() -> Sequence[Row[tuple[str, str, str]]]:
        async with transaction(database) as tx:
            return (await tx.execute(EVENTS, {"company": company})).all()

    async def until_received(count: int) -> None:
        await until(lambda: mails.store.count() >= count, 60)

    lines = [synced(f"F{n}", f"C{n}", "10") for n in range(MAILS)]
    await voices.book(company, lines)
    await voices.due(company, *(action(company, line.client_id, [line]) for line in lines))
    for count in KILL_AFTER:
        async with sender(stack, people, mails) as process:
            await until_received(count)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        assert (await states())["done"] < MAILS
    async with sender(stack, people, mails):
        async with asyncio.timeout(60):
            while (now := await states())["done"] + now["in_doubt"] < MAILS:  # noqa: ASYNC110 - rows have no event
                await asyncio.sleep(0.1)
            # the last doubts are said after their rows
            while len(events := await said()) < MAILS:  # noqa: ASYNC110 - events of another process
                await asyncio.sleep(0.1)

    await database.dispose()
    received = Counter(mail.message_id for mail in mails.store.list(limit=1000))
    told = Counter(event.type for event in events)
    doubted = {event.message_id for event in events if event.type == "EmailInDoubt"}
    sent = {event.message_id for event in events if event.type == "EmailSent"}
    assert set(received.values()) == {1}
    assert told["EmailSent"] == len(sent)
    assert len(doubted) == told["EmailInDoubt"] == now["in_doubt"] <= CONNECTIONS * len(KILL_AFTER)
    assert len(sent) + len(doubted) == MAILS
    assert sent <= set(received) <= sent | doubted
    if not doubted:
        pytest.fail("no message was under way when the sender was killed: the test proved nothing")


async def test_a_sender_asked_to_stop_leaves_no_doubt(
    stack: Stack, voices: Voices, people: People, mails: MailServer, company: str
) -> None:
    mails.behave(delay_seconds=0.1)
    database = engine(stack.database_url("notify", "worker"), schema="notify")
    lines = [synced(f"F{n}", f"C{n}", "10") for n in range(20)]
    await voices.book(company, lines)
    await voices.due(company, *(action(company, line.client_id, [line]) for line in lines))
    async with sender(stack, people, mails):
        await until(lambda: mails.store.count() >= 4, 60)
    async with transaction(database) as tx:
        now = Counter({row.status: row.count for row in await tx.execute(STATES, {"company": company})})
    await database.dispose()
    assert set(now) == {"done", "ready"}
    assert now["done"] == mails.store.count()
