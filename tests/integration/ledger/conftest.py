"""Ledger running in this process on real servers, and a sync that only has a voice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import md5
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio
from sqlalchemy import text

from chassis.auth import Role, mint, read_key
from chassis.database import transaction
from chassis.embedded import Stack
from chassis.eventlog import Cause, Position, Said, append
from chassis.http import create_app
from chassis.running import Running
from chassis.service import Service
from chassis.settings import Settings
from contracts.subjects import partition_of
from contracts.sync import ClientsSynced, EntriesSynced, SyncCompleted, SyncedClient, SyncedEntry
from services.ledger.main import build
from services.ledger.settings import LedgerSettings

DAY = date(2026, 3, 10)


def knobs(stack: Stack, service: str) -> dict[str, Any]:
    environment = stack.environment(service)
    return {name.removeprefix("RELANCE_").lower(): value for name, value in environment.items()}


@dataclass
class Voice:
    """Says what sync says, through sync's own log and relay."""

    process: Running

    async def say(self, company: str, said: list[Said], on: date = DAY) -> list[Position]:
        async with transaction(self.process.engine) as tx:
            heard = await append(tx, "sync", company, said, as_of=on, cause=Cause.new("service:sync"))
        return [event.position for event in heard]

    async def run(self, company: str, entries: list[SyncedEntry], on: date = DAY) -> list[Position]:
        """A whole run: clients, entries, completed."""
        run_id = uuid4()
        by_partition: dict[int, list[SyncedEntry]] = {}
        for entry in entries:
            by_partition.setdefault(partition_of(company, entry.client_id), []).append(entry)
        said: list[Said] = []
        for p, lines in sorted(by_partition.items()):
            clients = tuple(
                SyncedClient(client_id=client_id, account="411000")
                for client_id in sorted({line.client_id for line in lines})
            )
            said.append(Said(ClientsSynced(run_id=run_id, source="book", clients=clients), partition=p))
            said.append(Said(EntriesSynced(run_id=run_id, source="book", entries=tuple(lines)), partition=p))
        positions = await self.say(company, said, on)
        reached: dict[int, int] = {}
        for position in positions:
            reached[position.partition] = position.number
        completed = SyncCompleted(
            run_id=run_id,
            connector="fec",
            source="book",
            completed_at="2026-03-10T08:00:00Z",  # type: ignore[arg-type]
            entries_read=len(entries),
            changed=len(entries),
            archived=0,
            positions={"sync": reached},
        )
        return positions + await self.say(company, [Said(completed)], on)


@dataclass
class House:
    """Ledger, reached as its callers reach it."""

    process: Running
    http: httpx.AsyncClient
    stack: Stack

    def token(self, *companies: str, role: Role = "admin") -> dict[str, str]:
        token = mint(read_key(self.stack.private_key_file), "user:alice", companies, role)
        return {"Authorization": f"Bearer {token}", "Relance-As-Of": str(DAY)}

    async def post(self, company: str, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        sent = self.token(company) | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(f"/companies/{company}{path}", json=body, headers=sent)

    async def put(self, company: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.put(f"/companies/{company}{path}", json=body, headers=self.token(company))

    async def get(self, company: str, path: str, heard: list[Position] | None = None, **query: Any) -> Any:
        """The JSON of an answer that knows what was ``heard``."""
        headers = self.token(company)
        if heard:
            headers["Relance-At-Least"] = ",".join(map(str, heard))
        answer = await self.http.get(f"/companies/{company}{path}", params={"wait": 20, **query}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert "Relance-Updating" not in answer.headers
        return answer.json()

    async def said(self, company: str) -> list[tuple[str, dict[str, Any]]]:
        """The events in the log about a company, oldest first."""
        async with transaction(self.process.engine) as tx:
            rows = await tx.execute(
                text("select type, body from event_log where company = :company order by event_id"),
                {"company": company},
            )
            return [(row.type, row.body) for row in rows]

    async def until_said(self, company: str, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many events of a type are said about a company."""
        async with asyncio.timeout(20):
            while True:
                found = [body for kind, body in await self.said(company) if kind == name]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.05)


def entry_id(name: str) -> str:
    return md5(name.encode()).hexdigest()


def synced(name: str, client_id: str, amount: str, lettering: str | None = None, **more: Any) -> SyncedEntry:
    """An invoice of ``amount``, or a payment when it is negative."""
    signed = Decimal(amount)
    return SyncedEntry(
        entry_id=entry_id(name),
        client_id=client_id,
        account="411000",
        kind="invoice" if signed > 0 else "payment",
        journal="VT",
        piece=name,
        entry_date=date(2026, 1, 10),
        due_date=date(2026, 2, 10),
        debit=max(signed, Decimal(0)),
        credit=max(-signed, Decimal(0)),
        currency="EUR",
        book_amount=signed,
        lettering=lettering,
        **more,
    )


@pytest_asyncio.fixture(scope="package")
async def voice(stack: Stack) -> AsyncIterator[Voice]:
    process = Running(Service(name="sync", settings=Settings(**knobs(stack, "sync"))))
    relay = asyncio.create_task(process.relay().run())
    yield Voice(process)
    relay.cancel()
    await asyncio.wait([relay])
    await process.stop()


@pytest_asyncio.fixture(scope="package")
async def house(stack: Stack, voice: Voice) -> AsyncIterator[House]:
    settings = LedgerSettings(**knobs(stack, "ledger") | {"allow_as_of": True, "settle_pause_seconds": 0.05})
    process = Running(build(settings))
    await process.connect()
    tasks = [
        asyncio.create_task(process.relay().run()),
        asyncio.create_task(process.projection_worker().run()),
        *(asyncio.create_task(work(process)) for work in process.service.background.values()),
    ]
    transport = httpx.ASGITransport(create_app(process))
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as http:
        yield House(process, http, stack)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await process.stop()
