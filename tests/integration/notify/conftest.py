"""Notify on real servers with a real mail server; sync, ledger and dunning only have voices, ledger people too."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from hashlib import md5, sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI, Response
from sqlalchemy import text

from chassis import clock
from chassis.auth import Role, mint, read_key
from chassis.database import transaction
from chassis.embedded import Stack
from chassis.eventlog import Cause, Position, Said, append
from chassis.http import create_app
from chassis.running import Running
from chassis.server_process import free_port
from chassis.service import Service
from chassis.settings import Settings
from cli.sink.smtp import Behaviour, Handler, protocol
from cli.sink.store import Store
from contracts.dunning import Action, ActionDue, ActionEntry, ActionProposed
from contracts.ledger import ClientChanged, CompanyRegistered
from contracts.subjects import partition_of
from contracts.sync import EntriesSynced, SyncedEntry
from services.notify.main import build
from services.notify.settings import NotifySettings
from tests.serving import listening, port_of, serving

DAY = date(2026, 3, 10)
PATIENCE_SECONDS = 30
SPEAKERS = ("sync", "ledger", "dunning")


def knobs(stack: Stack, service: str) -> dict[str, Any]:
    environment = stack.environment(service)
    return {name.removeprefix("RELANCE_").lower(): value for name, value in environment.items()}


async def until(true: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.02)


def entry_id(name: str) -> str:
    return md5(name.encode()).hexdigest()


def synced(name: str, client_id: str, amount: str, **more: Any) -> SyncedEntry:
    """An invoice of ``amount``, or a payment when it is negative."""
    signed = Decimal(amount)
    facts: dict[str, Any] = {"due_date": date(2026, 2, 10), **more}
    return SyncedEntry(
        entry_id=entry_id(name),
        client_id=client_id,
        account="411000",
        kind="invoice" if signed > 0 else "payment",
        journal="VT",
        piece=name,
        entry_date=date(2026, 1, 10),
        debit=max(signed, Decimal(0)),
        credit=max(-signed, Decimal(0)),
        currency="EUR",
        book_amount=signed,
        **facts,
    )


def action(company: str, client_id: str, entries: Sequence[SyncedEntry], **more: Any) -> Action:
    lines = tuple(
        ActionEntry(
            entry_id=entry.entry_id, occurrence=1, amount=entry.debit - entry.credit, due_date=entry.due_date
        )
        for entry in entries
    )
    net = sum((line.amount for line in lines), Decimal(0))
    facts: dict[str, Any] = {"kind": "reminder", "step": "R1", "medium": "email", **more}
    named = "/".join([company, client_id, facts["step"], facts["medium"], *(line.entry_id for line in lines)])
    return Action(
        action_id=uuid5(UUID(int=0), named),
        client_id=client_id,
        profile="Standard",
        scenario_version=1,
        currency="EUR",
        amount=sum((line.amount for line in lines if line.amount > 0), Decimal(0)),
        net_amount=net,
        book_net_amount=net,
        due_since=date(2026, 2, 18),
        entries=lines,
        **facts,
    )


@dataclass
class Voices:
    """What the other services say, through their own logs and relays."""

    processes: dict[str, Running]

    async def say(self, company: str, said: Sequence[Said], on: date = DAY) -> list[Position]:
        positions: list[Position] = []
        for speaker in SPEAKERS:
            own = [one for one in said if one.event.speaker == speaker]
            if own:
                async with transaction(self.processes[speaker].engine) as tx:
                    cause = Cause.new(f"service:{speaker}")
                    heard = await append(tx, speaker, company, own, as_of=on, cause=cause)
                positions += [event.position for event in heard]
        return positions

    async def book(self, company: str, entries: Iterable[SyncedEntry], **more: Any) -> list[Position]:
        """Accounting shows entries; ledger knows their clients."""
        lines = list(entries)
        by_partition: dict[int, list[SyncedEntry]] = {}
        for line in lines:
            by_partition.setdefault(partition_of(company, line.client_id), []).append(line)
        said = [
            Said(EntriesSynced(run_id=UUID(int=1), source="book", entries=tuple(group)), partition=p)
            for p, group in sorted(by_partition.items())
        ]
        said.append(Said(CompanyRegistered(name="Ateliers Delcourt")))
        said += [
            Said(ClientChanged(client_id=client_id, version=more.get("version", 1)), client_id)
            for client_id in sorted({line.client_id for line in lines})
        ]
        return await self.say(company, said)

    async def due(self, company: str, *actions: Action) -> list[Position]:
        return await self.say(company, [Said(ActionDue(action=one), one.client_id) for one in actions])

    async def proposed(self, company: str, *actions: Action) -> list[Position]:
        return await self.say(company, [Said(ActionProposed(action=one), one.client_id) for one in actions])


@dataclass
class People:
    """Ledger's people: every client has an address unless it is said otherwise."""

    url: str = ""
    emails: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: int = 0
    down: bool = False
    marked: list[tuple[str, str, str]] = field(default_factory=list)
    """Client, address and reason of those that were told to be dead."""
    documents: dict[str, list[tuple[UUID, str, bytes]]] = field(default_factory=dict)
    """By entry: the document, its file name and content."""
    fetched: list[UUID] = field(default_factory=list)


@dataclass
class MailServer:
    """The sink, on a port of its own; ``open`` and ``close`` put it up and down."""

    store: Store
    handler: Handler
    port: int
    server: asyncio.Server | None = None

    async def open(self) -> None:
        if self.server is None:
            loop = asyncio.get_running_loop()
            self.server = await loop.create_server(lambda: protocol(self.handler), "127.0.0.1", self.port)

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None

    def behave(self, **how: Any) -> None:
        self.handler.behaviour = Behaviour(**how)

    def to(self, address: str) -> list[Any]:
        return [mail for mail in self.store.list(limit=100_000, search=address) if address in mail.recipients]


@dataclass
class House:
    """Notify, reached as its callers reach it."""

    process: Running
    http: httpx.AsyncClient
    stack: Stack
    voices: Voices
    people: People
    mails: MailServer

    def token(
        self, *companies: str, role: Role = "admin", portfolio: Sequence[str] | None = None
    ) -> dict[str, str]:
        token = mint(read_key(self.stack.private_key_file), "user:alice", companies, role, portfolio=portfolio)
        return {"Authorization": f"Bearer {token}", "Relance-As-Of": str(DAY)}

    async def call(self, company: str, method: str, path: str, **options: Any) -> httpx.Response:
        headers = self.token(company) | options.pop("headers", {})
        return await self.http.request(method, f"/companies/{company}{path}", headers=headers, **options)

    async def get(self, company: str, path: str, heard: list[Position] | None = None, **query: Any) -> Any:
        """The JSON of an answer that knows what was ``heard``."""
        headers = {"Relance-At-Least": ",".join(map(str, heard))} if heard else {}
        answer = await self.call(company, "GET", path, headers=headers, params={"wait": 20, **query})
        assert answer.status_code == 200, answer.text
        assert "Relance-Updating" not in answer.headers
        return answer.json()

    async def said(self, company: str, name: str | None = None) -> list[dict[str, Any]]:
        """The events in notify's log about a company, oldest first."""
        async with transaction(self.process.engine) as tx:
            rows = await tx.execute(
                text("select type, body, as_of from event_log where company = :company order by event_id"),
                {"company": company},
            )
            return [row.body | {"type": row.type} for row in rows if name in (None, row.type)]

    async def until_said(self, company: str, name: str, count: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = await self.said(company, name)
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="package")
async def voices(stack: Stack) -> AsyncIterator[Voices]:
    processes = {
        speaker: Running(Service(name=speaker, settings=Settings(**knobs(stack, speaker)))) for speaker in SPEAKERS
    }
    relays = [asyncio.create_task(process.relay().run()) for process in processes.values()]
    yield Voices(processes)
    for relay in relays:
        relay.cancel()
    await asyncio.wait(relays)
    for process in processes.values():
        await process.stop()


@pytest_asyncio.fixture(scope="package")
async def people() -> AsyncIterator[People]:
    known = People()
    app = FastAPI()

    @app.post("/companies/{company}/people/query")
    async def query(company: str, body: dict[str, Any]) -> dict[str, Any]:
        known.asked += 1
        return {
            "people": [
                {
                    "client_id": client_id,
                    "version": known.versions.get(client_id, 1),
                    "name": f"Société {client_id}",
                    "emails": known.emails.get(client_id, [f"{client_id}@{company}.example".lower()]),
                    "phones": ["0102030405"],
                    "address": known.addresses.get(
                        client_id, {"line1": "1 rue du Port", "postcode": "57000", "city": "Metz"}
                    ),
                    "contact_name": None,
                    "language": "fr",
                    "fields": {"tag1": "Grand Est", "tag10": "Contrat <7>"},
                    "salesperson": {"code": "4", "name": "Anne Caron"},
                }
                for client_id in body["client_ids"]
            ],
            "next": None,
        }

    @app.post("/companies/{company}/mark-addresses")
    async def mark(body: dict[str, Any]) -> dict[str, Any]:
        known.marked += [(one["client_id"], one["email"], one["reason"]) for one in body["marks"]]
        return {"positions": [], "marked": len(body["marks"])}

    @app.post("/companies/{company}/documents/query")
    async def documents(body: dict[str, Any]) -> dict[str, Any]:
        return {
            "documents": {
                entry: [
                    {
                        "document_id": one,
                        "file_name": name,
                        "bytes": len(content),
                        "sha256": sha256(content).hexdigest(),
                    }
                    for one, name, content in known.documents[entry]
                ]
                for entry in body["entry_ids"]
                if entry in known.documents
            }
        }

    @app.get("/companies/{company}/documents/{document_id}")
    async def document(document_id: UUID) -> Response:
        known.fetched.append(document_id)
        for every in known.documents.values():
            for one, name, content in every:
                if one == document_id and not name.startswith("gone"):
                    return Response(content, media_type="application/pdf")
        return Response(status_code=404)

    @app.post("/companies/{company}/labels/query")
    async def labels(body: dict[str, Any]) -> dict[str, Any]:
        fields = {entry_id: {"Chantier": "Pont de Metz"} for entry_id in body["entry_ids"]}
        return {"labels": dict.fromkeys(body["entry_ids"], "Pose de portail"), "fields": fields}

    listener = listening()
    known.url = f"http://127.0.0.1:{port_of(listener)}"
    async with serving(app, listener, log_level="error"):
        yield known


def made_certificate(folder: Path) -> Path:
    """Of 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.delcourt.example")])
    own = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(own, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, plain)
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_certificate(tmp_path_factory.mktemp("tls"))


@pytest_asyncio.fixture
async def mails(tmp_path: Path) -> AsyncIterator[MailServer]:
    store = Store(tmp_path / "mails")
    server = MailServer(store, Handler(store), free_port())
    await server.open()
    yield server
    await server.close()
    store.close()


@pytest.fixture
def settings(stack: Stack, people: People, mails: MailServer) -> NotifySettings:
    return NotifySettings(
        **knobs(stack, "notify")
        | {
            "allow_as_of": True,
            "ledger_url": people.url,
            "smtp_port": mails.port,
            "smtp_timeout_seconds": 2,
            "smtp_answer_seconds": 2,
            "mail_networks": "127.0.0.1,::1",
            "retry_seconds": 0.2,
            "job_lease_seconds": 3,
        }
    )


@asynccontextmanager
async def living(settings: NotifySettings, *others: Any) -> AsyncIterator[House]:
    """Notify in this process until the block ends."""
    stack, voices, people, mails = others
    process = Running(build(settings))
    await process.connect()
    tasks = [
        asyncio.create_task(process.relay().run()),
        asyncio.create_task(process.projection_worker().run()),
        *(asyncio.create_task(work(process)) for work in process.service.background.values()),
    ]
    transport = httpx.ASGITransport(create_app(process))
    async with httpx.AsyncClient(transport=transport, base_url="http://notify") as http:
        yield House(process, http, stack, voices, people, mails)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await process.stop()


@pytest_asyncio.fixture
async def house(
    settings: NotifySettings, stack: Stack, voices: Voices, people: People, mails: MailServer
) -> AsyncIterator[House]:
    async with living(settings, stack, voices, people, mails) as house:
        yield house
