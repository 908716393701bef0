"""Alpha and beta on the session's servers, with nothing said yet."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
import nats
import pytest
from faststream.nats import NatsBroker
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.auth import Role, mint, new_key_pair, read_key
from chassis.database import engine, migrate, transaction
from chassis.delivered import Cause, Position, Said, vector
from chassis.embedded import Stack
from chassis.eventlog import Say
from chassis.http import create_app
from chassis.listening import Listening, wait_for
from chassis.projection import ProjectionWorker
from chassis.provision import provision
from chassis.relay import Relay
from chassis.running import Running
from chassis.service import Service
from chassis.settings import Settings
from contracts.subjects import stream
from tests.integration.chassis.example.wiring import ALPHA, BETA, REGISTRY, Counted

DAY = date(2026, 3, 2)
TABLES = "event_log, checkpoint, job, parked, worker"


@dataclass
class Toys:
    """Both services, their engines and what is needed to run parts of them."""

    stack: Stack
    nats_admin: str
    alpha: AsyncEngine
    beta: AsyncEngine
    engines: list[AsyncEngine] = field(default_factory=list)

    def url(self, service: str, role: str = "worker") -> str:
        return self.stack.database_url(service, role)

    def nats_url(self, service: str) -> str:
        return self.stack.nats_url(service)

    async def say(self, company: str, *amounts: tuple[str, int]) -> list[Position]:
        """Alpha says amounts of clients in one transaction."""
        said = [Said(Counted(amount=amount), client_id) for client_id, amount in amounts]
        async with transaction(self.alpha) as tx:
            return await Say("alpha", tx, ALPHA.project)(company, said, as_of=DAY, cause=Cause.new("test"))

    async def heard(self, positions: list[Position], seconds: float = 15) -> bool:
        """Whether beta has applied them in time."""
        return await wait_for(self.beta, vector(positions), seconds)

    async def all_heard(self, seconds: float = 15) -> bool:
        """Whether beta has applied all that alpha said until now."""
        heads = await self.rows(self.alpha, "select p, seq from partition_head where seq > 0")
        return await wait_for(self.beta, {"alpha": {row["p"]: row["seq"] for row in heads}}, seconds)

    async def rows(self, engine: AsyncEngine, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        async with engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(text(statement), parameters)]

    async def chains_expected(self) -> dict[tuple[str, str], tuple[int, str]]:
        """Per client: how many events and which chain, computed from alpha's log."""
        rows = await self.rows(
            self.alpha,
            "with recursive e as (select company, client_id, event_id, row_number() over"
            "  (partition by company, client_id order by pseq) as n from event_log where type = 'Counted'),"
            " c as (select company, client_id, n, md5(replace(event_id::text, '-', '')) as chain"
            "  from e where n = 1"
            "  union all select e.company, e.client_id, e.n, md5(c.chain || replace(e.event_id::text, '-', ''))"
            "  from c join e on e.company = c.company and e.client_id = c.client_id and e.n = c.n + 1)"
            " select distinct on (company, client_id) company, client_id, n, chain from c"
            " order by company, client_id, n desc",
        )
        return {(row["company"], row["client_id"]): (row["n"], row["chain"]) for row in rows}

    async def chains(self) -> dict[tuple[str, str], tuple[int, str]]:
        """Per client: how many events beta applied and in which order, as a chain."""
        rows = await self.rows(self.beta, "select company, client_id, events, chain from tally")
        return {(row["company"], row["client_id"]): (row["events"], row["chain"]) for row in rows}

    @asynccontextmanager
    async def relay(self, nats_url: str | None = None, speaker: str = "alpha") -> AsyncIterator[Relay]:
        relay = Relay(
            speaker,
            self.alpha if speaker == "alpha" else self.beta,
            nats_url or self.nats_url(speaker),
            lease_seconds=1,
        )
        async with running(relay):
            yield relay

    @asynccontextmanager
    async def worker(
        self, nats_url: str | None = None, listening: Listening = BETA, **knobs: Any
    ) -> AsyncIterator[ProjectionWorker]:
        broker = NatsBroker(
            nats_url or self.nats_url("beta"),
            logger=None,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
        )
        knobs = {"lease_seconds": 2, "tick_seconds": 0.1} | knobs
        worker = ProjectionWorker("beta", self.beta, broker, listening, REGISTRY, **knobs)
        async with running(worker):
            yield worker
        with suppress(NatsError):  # the server may be gone by now
            await broker.stop()


async def eventually(condition: Callable[[], object], seconds: float = 15) -> None:
    """Wait until a condition, plain or async, holds. Raises ``TimeoutError``."""
    async with asyncio.timeout(seconds):
        while not (await held if inspect.isawaitable(held := condition()) else held):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(part: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(part.run())
    try:
        yield
    finally:
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=20)
        assert done, "a cancelled part ends"


@pytest.fixture(scope="session")
def migrated(stack: Stack) -> Stack:
    for service in ("alpha", "beta"):
        migrate(f"tests.integration.chassis.example.{service}", stack.database_url(service, "owner"), service)
    return stack


@pytest.fixture
async def toys(migrated: Stack) -> AsyncIterator[Toys]:
    """Alpha and beta with empty tables and empty streams."""
    admin = migrated.nats_url("admin")
    await empty_streams(admin)
    for service in ("alpha", "beta"):
        owner = engine(migrated.database_url(service, "owner"), service)
        async with owner.begin() as tx:
            derived = ", tally, milestone" if service == "beta" else ""
            await tx.execute(text(f"truncate {TABLES}{derived}"))
            await tx.execute(text("update partition_head set seq = 0"))
            await tx.execute(text("update partition_lease set until = now(), owner = null"))
            await tx.execute(text("update lease set until = now()"))
            await tx.execute(text("update derivation set version = null"))
            for beside in ("next", "before"):
                await tx.execute(text(f"drop schema if exists {service}_{beside} cascade"))
        await owner.dispose()
    alpha = engine(migrated.database_url("alpha", "worker"), "alpha", size=30)
    beta = engine(migrated.database_url("beta", "worker"), "beta", size=30)
    yield Toys(migrated, admin, alpha, beta)
    await alpha.dispose()
    await beta.dispose()


async def empty_streams(nats_url: str) -> None:
    bus = await nats.connect(nats_url)
    for service in ("alpha", "beta"):
        try:
            await bus.jetstream().delete_stream(stream(service))
        except NotFoundError:
            continue
    await bus.close()
    await provision(nats_url, ("alpha", "beta"))


@dataclass
class Desk:
    """Beta's addresses, and a token for whoever asks."""

    process: Running
    http: httpx.AsyncClient
    key: Any

    async def ask(
        self,
        method: str,
        path: str,
        *,
        company: str = "acme",
        role: Role = "admin",
        portfolio: Sequence[str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        token = mint(self.key, "user:ada", [company], role, portfolio=portfolio)
        return await self.http.request(method, path, headers={"Authorization": f"Bearer {token}"}, **options)

    async def waiting(self, company: str = "acme") -> list[dict[str, Any]]:
        answer = await self.ask("GET", f"/companies/{company}/parked", company=company)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["waiting"]
        return found

    async def command(self, what: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """A command about what alpha said of C1."""
        whose = {"speaker": "alpha", "client_id": "C1"}
        answer = await self.ask("POST", f"/companies/acme/parked/{what}", json=whose | body)
        return answer.status_code, answer.json()


@pytest.fixture
async def desk(toys: Toys, tmp_path: Any) -> AsyncIterator[Desk]:
    pair = new_key_pair()
    for name, pem in (("public.pem", pair.public), ("private.pem", pair.private)):
        (tmp_path / name).write_text(pem)
    settings = Settings(
        database_url=toys.url("beta"),
        api_database_url=toys.url("beta", "api"),
        token_public_key_file=tmp_path / "public.pem",
    )
    process = Running(Service(name="beta", settings=settings, events=REGISTRY, listening=BETA))
    transport = httpx.ASGITransport(create_app(process))
    async with httpx.AsyncClient(transport=transport, base_url="http://beta") as http:
        yield Desk(process, http, read_key(tmp_path / "private.pem"))
    await process.stop()
