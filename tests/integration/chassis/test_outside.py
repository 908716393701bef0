"""What is asked outside: by an address that may be, of a server that somebody vouches for, for so much."""

import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from chassis import outside
from chassis.outside import MOST_BYTES, NoAnswer, Outside
from tests.integration.notify.conftest import made_certificate
from tests.serving import listening, port_of, serving

HERE = "127.0.0.1"


def server() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def told() -> Response:
        return Response("told")

    @app.get("/long")
    async def long() -> Response:
        return Response("x" * (MOST_BYTES + 1))

    @app.get("/elsewhere")
    async def elsewhere() -> Response:
        return RedirectResponse("/", status_code=302)

    return app


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_certificate(tmp_path_factory.mktemp("tls"))


@pytest_asyncio.fixture
async def base(certificate: Path) -> AsyncIterator[str]:
    listener = listening()
    async with serving(server(), listener, ssl_certfile=certificate):
        yield f"https://{HERE}:{port_of(listener)}"


async def test_a_server_that_somebody_vouches_for_is_heard(base: str, certificate: Path) -> None:
    assert await Outside(HERE, certificate).ask("GET", f"{base}/", {}) == (200, b"told")


async def test_a_server_for_whom_nobody_vouches_is_not(base: str) -> None:
    with pytest.raises(NoAnswer, match="certificate verify failed") as silent:
        await Outside(HERE, None).ask("GET", f"{base}/", {})
    assert not silent.value.inside


async def test_an_address_inside_that_nobody_allows_is_not_asked(base: str, certificate: Path) -> None:
    with pytest.raises(NoAnswer) as refused:
        await Outside("10.0.0.0/8", certificate).ask("GET", f"{base}/", {})
    assert refused.value.inside


async def test_an_answer_that_is_too_long_is_left(base: str, certificate: Path) -> None:
    with pytest.raises(NoAnswer, match="the answer is too long"):
        await Outside(HERE, certificate).ask("GET", f"{base}/long", {})


async def test_nobody_is_sent_on(base: str, certificate: Path) -> None:
    status, _ = await Outside(HERE, certificate).ask("GET", f"{base}/elsewhere", {})
    assert status == 302


async def test_a_server_that_is_silent_is_left(
    base: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "ANSWER_SECONDS", 0.2)
    deaf = listening()
    deaf.listen()  # takes the connection, and says nothing
    with deaf, pytest.raises(NoAnswer, match="no answer within"):
        await Outside(HERE, certificate).ask("GET", f"https://{HERE}:{port_of(deaf)}/", {})


async def test_authorities_are_read_beside_and_now_and_then(
    base: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading them takes long, and meanwhile nobody else would be answered."""
    read_in: list[threading.Thread] = []
    make = ssl.create_default_context

    def remembered() -> ssl.SSLContext:
        read_in.append(threading.current_thread())
        return make()

    monkeypatch.setattr(ssl, "create_default_context", remembered)
    asking = Outside(HERE, certificate)
    for _ in range(3):
        assert (await asking.ask("GET", f"{base}/", {}))[0] == 200
    assert len(read_in) == 1
    assert read_in[0] is not threading.main_thread()
    monkeypatch.setattr(outside, "TRUSTED_SECONDS", 0)
    assert (await asking.ask("GET", f"{base}/", {}))[0] == 200
    assert len(read_in) == 2, "a new file of authorities is never heard of"
