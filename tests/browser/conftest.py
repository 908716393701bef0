"""A real browser before the console: with the other services played, or with the whole demonstration running."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import httpx
import pytest
import uvicorn
from joserfc.jwk import OKPKey
from playwright.sync_api import Browser, Page, expect

from chassis.auth import new_key_pair
from chassis.database import engine, transaction
from chassis.embedded import Stack
from cli.pictures import BrowserMissing, chromium
from services.console import frontend
from services.console.accounts import create_user
from services.console.gateway import Gateway
from services.console.settings import ConsoleSettings
from services.console.site import site
from services.console.visits import Console
from tests.integration.console.fixture_explained import explained
from tests.integration.console.fixture_tasks import tasks
from tests.integration.console.neighbours import AS_OF, FakeServices

# what is expected is waited for, however busy the machine: five seconds are few where two sessions share two cores
expect.set_options(timeout=20_000)

PICTURES = os.environ.get("RELANCE_TEST_PICTURES")
"""A folder outside the project in which tested pages stand as pictures afterwards."""

PASSWORD = "motdepasse-solide"
LOGIN = "navigateur@delcourt.example"


@dataclass
class Site:
    """Where the console answers, and who may sign in."""

    url: str
    login: str
    password: str
    company: str
    fakes: FakeServices | None = None
    as_of: date = AS_OF


def settled(page: Page) -> None:
    """Until the page stands as it will: what its scripts asked for has come, its fonts are there, it is drawn.

    The silence of the network says less: it costs half a second a page, and a page that draws late is not seen.
    """
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    page.evaluate(
        """async () => {
            await document.fonts.ready;
            const frame = () => new Promise(requestAnimationFrame);
            await frame();
            await frame();
        }"""
    )


@pytest.fixture(scope="session")
def front_end() -> None:
    frontend.ensure(with_tests=True)


@pytest.fixture(scope="module")
def browser(front_end: None) -> Iterator[Browser]:
    """Asked for after everything that starts servers: as long as it runs, this thread can run no other loop."""
    try:
        with chromium() as running:
            yield running
    except BrowserMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def played(stack: Stack, front_end: None) -> Iterator[Site]:
    """The console's own application on a free port, with fixture answers from the other services."""
    fakes = FakeServices()
    fakes.tasks, fakes.explained = tasks(), explained()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    started = threading.Event()
    server: list[uvicorn.Server] = []

    async def serve() -> None:
        engines = [engine(stack.database_url("console", role), "console") for role in ("worker", "api")]
        async with transaction(engines[0]) as tx:
            await create_user(tx, LOGIN, PASSWORD, "Béatrice Navarro", {"delcourt": "admin"})
        urls = {f"{name}_url": f"http://{name}" for name in ("sync", "ledger", "dunning", "notify", "reporting")}
        settings = ConsoleSettings(allow_as_of=True, as_of=AS_OF, **urls)
        http = httpx.AsyncClient(transport=fakes.transport())
        console = Console(settings, *engines, Gateway(settings, http, OKPKey.import_key(new_key_pair().private)))
        running = uvicorn.Server(uvicorn.Config(site(console), log_level="warning", lifespan="off"))
        running.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        server.append(running)
        started.set()
        await running.serve(sockets=[listener])
        for one in engines:
            await one.dispose()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(30)
    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", LOGIN, PASSWORD, "delcourt", fakes)
    server[0].should_exit = True
    thread.join(10)
