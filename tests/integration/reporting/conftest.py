"""Reporting running in this process on real servers, its four speakers as voices, and ledger's names as a stub."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.auth import Role, mint, read_key
from chassis.database import transaction
from chassis.embedded import Stack
from chassis.eventlog import Cause, Delivered, Position, Said, append
from chassis.http import create_app
from chassis.http_client import Neighbour
from chassis.listening import project_all
from chassis.running import Running
from chassis.service import Service
from chassis.settings import Settings
from contracts.event import Event
from contracts.subjects import partition_of
from services.reporting.main import build
from services.reporting.projection import PROJECT
from services.reporting.settings import ReportingSettings

DAY = date(2026, 11, 24)
SPEAKERS = ("sync", "ledger", "dunning", "notify")
WEBHOOKS = {
    "webhook_networks": "127.0.0.1",
    "webhook_seconds": 1,
    "webhook_attempts": 6,
    "webhook_pause_seconds": 0.02,
    "webhook_longest_pause_seconds": 0.1,
    "webhook_lease_seconds": 1.5,
}
"""A receiver on this machine, and little patience."""


def knobs(stack: Stack, service: str) -> dict[str, Any]:
    environment = stack.environment(service)
    if service == "reporting":
        environment |= stack.doorkeeping() | {"RELANCE_SEALING_KEY": stack.secret("webhook-sealing")}
    return {name.removeprefix("RELANCE_").lower(): value for name, value in environment.items()}


@dataclass
class Voices:
    """Say what the other services say, through their own logs and relays."""

    processes: dict[str, Running]

    async def say(
        self, company: str, *events: Event, on: date = DAY, actor: str = "user:alice", partition: int | None = None
    ) -> list[Position]:
        """Events of one speaker; those with a ``client_id`` lie in its partition."""
        speaker = events[0].speaker
        said = [Said(event, _client_of(event), partition) for event in events]
        async with transaction(self.processes[speaker].engine) as tx:
            heard = await append(tx, speaker, company, said, as_of=on, cause=Cause.new(actor))
        return [event.position for event in heard]


def _client_of(event: Event) -> str | None:
    return getattr(event, "client_id", None) or getattr(getattr(event, "action", None), "client_id", None)


@dataclass
class Names:
    """What ledger would answer when it is asked for people."""

    people: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    questions: int = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.questions += 1
        company = request.url.path.split("/")[2]
        asked = httpx.Response(200, content=request.content).json()["client_ids"]
        found = [self.people[company, client] for client in asked if (company, client) in self.people]
        return httpx.Response(200, json={"people": found, "next": None})

    def know(self, company: str, client_id: str, name: str, version: int = 1, **more: Any) -> None:
        person = {"client_id": client_id, "name": name, "version": version, "fields": {}, "salesperson": None}
        self.people[company, client_id] = person | more


@dataclass
class House:
    """Reporting, reached as its callers reach it."""

    process: Running
    http: httpx.AsyncClient
    stack: Stack

    def token(self, *companies: str, role: Role = "reader") -> dict[str, str]:
        token = mint(read_key(self.stack.private_key_file), "user:alice", companies, role)
        return {"Authorization": f"Bearer {token}", "Relance-As-Of": str(DAY)}

    async def ask(
        self, company: str, path: str, heard: list[Position] | None = None, **query: Any
    ) -> httpx.Response:
        """The answer once everything ``heard`` is known."""
        headers = self.token(company)
        if heard:
            headers["Relance-At-Least"] = ",".join(map(str, heard))
        answer = await self.http.get(f"/companies/{company}{path}", params={"wait": 20, **query}, headers=headers)
        assert "Relance-Updating" not in answer.headers
        return answer

    async def get(self, company: str, path: str, heard: list[Position] | None = None, **query: Any) -> Any:
        answer = await self.ask(company, path, heard, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()


numbers = itertools.count(1)
"""Numbers of events applied directly: ascending, as they are inside a partition."""


async def project(tx: AsyncConnection, company: str, *events: Event, on: date = DAY) -> None:
    """Apply events directly, numbered in the order given."""
    delivered = [
        Delivered.of(
            event,
            company=company,
            client_id=_client_of(event),
            as_of=on,
            number=next(numbers),
            partition=partition_of(company, _client_of(event)),
        )
        for event in events
    ]
    await project_all(tx, PROJECT, delivered)


@pytest_asyncio.fixture(scope="package")
async def voices(stack: Stack) -> AsyncIterator[Voices]:
    processes = {name: Running(Service(name=name, settings=Settings(**knobs(stack, name)))) for name in SPEAKERS}
    relays = [asyncio.create_task(process.relay().run()) for process in processes.values()]
    yield Voices(processes)
    for relay in relays:
        relay.cancel()
    await asyncio.wait(relays)
    for process in processes.values():
        await process.stop()


@pytest_asyncio.fixture(scope="package")
async def ledger_names() -> Names:
    return Names()


@pytest_asyncio.fixture(scope="package")
async def house(stack: Stack, voices: Voices, ledger_names: Names) -> AsyncIterator[House]:
    settings = ReportingSettings(**knobs(stack, "reporting") | {"allow_as_of": True, **WEBHOOKS})
    process = Running(build(settings))
    process._neighbours["ledger"] = Neighbour(
        "ledger",
        "http://ledger",
        process.signer(),
        calling="reporting",
        http=httpx.AsyncClient(transport=httpx.MockTransport(ledger_names.answer)),
    )
    await process.connect()
    tasks = [
        asyncio.create_task(process.projection_worker().run()),
        # webhooks are delivered where a test is about them
        *(
            asyncio.create_task(work(process))
            for name, work in process.service.background.items()
            if name != "deliveries"
        ),
    ]
    transport = httpx.ASGITransport(create_app(process))
    async with httpx.AsyncClient(transport=transport, base_url="http://reporting") as http:
        yield House(process, http, stack)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await process.stop()


@pytest_asyncio.fixture
async def tx(house: House) -> AsyncIterator[AsyncConnection]:
    """A transaction of a worker that is undone at the end."""
    async with house.process.engine.connect() as connection:
        yield connection
        await connection.rollback()
