"""The console's own application on a real database, with the other services played."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from joserfc.jwk import OKPKey
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from chassis.auth import new_key_pair
from chassis.database import engine, transaction
from chassis.embedded import Stack
from services.console import accounts, frontend
from services.console.accounts import create_user
from services.console.gateway import Gateway
from services.console.settings import ConsoleSettings
from services.console.site import site
from services.console.visits import Console
from tests.integration.console.fixture_explained import explained
from tests.integration.console.fixture_tasks import tasks
from tests.integration.console.neighbours import AS_OF, FakeServices

PASSWORD = "motdepasse-solide"
COMPANY = "delcourt"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture(scope="session")
def front_end() -> None:
    """The fetched style sheets, scripts and icons."""
    frontend.ensure(with_tests=True)


@pytest.fixture
def fakes() -> FakeServices:
    played = FakeServices()
    played.tasks, played.explained = tasks(), explained()
    return played


@dataclass
class Person:
    """A browser without JavaScript."""

    http: httpx.AsyncClient

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return await self.post("/login", on="/login", email=email, password=password)

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def post(
        self, path: str, on: str, *, files: dict[str, tuple[str, bytes]] | None = None, **fields: str | list[str]
    ) -> httpx.Response:
        """Fill in the form that the page ``on`` shows."""
        token = TOKEN.search((await self.http.get(on)).text)
        assert token is not None
        return await self.http.post(path, data={"csrf_token": token[1], **fields}, files=files)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> PasswordHash:
    """Passwords are hashed lightly, because three accounts a test would be hashed for a second.

    What production does is seen in test_signing_in.py."""
    light = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    monkeypatch.setattr(accounts, "hasher", light)
    return light


@pytest_asyncio.fixture
async def console(
    stack: Stack, fakes: FakeServices, front_end: None, hashing: PasswordHash
) -> AsyncIterator[Console]:
    engines = [engine(stack.database_url("console", role), "console") for role in ("worker", "api")]
    async with transaction(engines[0]) as tx:
        for email, name, roles in (
            ("nathalie@delcourt.example", "Nathalie Ferrand", {COMPANY: "admin"}),
            ("lecteur@delcourt.example", "Luc Teur", {COMPANY: "reader"}),
            ("groupe@delcourt.example", "Gisèle Roupe", {COMPANY: "user", "autre": "user"}),
        ):
            await create_user(tx, email, PASSWORD, name, roles)
    settings = ConsoleSettings(
        allow_as_of=True,
        as_of=AS_OF,
        **{f"{name}_url": f"http://{name}" for name in ("sync", "ledger", "dunning", "notify", "reporting")},
    )
    http = httpx.AsyncClient(transport=fakes.transport())
    gateway = Gateway(settings, http, OKPKey.import_key(new_key_pair().private))
    yield Console(settings, *engines, gateway)
    await http.aclose()
    for one in engines:
        await one.dispose()


@pytest_asyncio.fixture
async def person(console: Console) -> AsyncIterator[Person]:
    """Nobody yet; ``sign_in`` makes it somebody."""
    transport = httpx.ASGITransport(app=site(console), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as http:
        yield Person(http)


@pytest_asyncio.fixture
async def clerk(person: Person) -> Person:
    await person.sign_in("nathalie@delcourt.example")
    return person


@pytest_asyncio.fixture
async def reader(person: Person) -> Person:
    await person.sign_in("lecteur@delcourt.example")
    return person
