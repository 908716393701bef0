"""The built-in mail server: keeps what it took, byte for byte, shows it safely, and fails on demand."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest
import pytest_asyncio

from chassis.server_process import free_port
from cli.places import ROOT
from cli.sink.pages import create_app
from cli.sink.smtp import Behaviour, Handler, protocol
from cli.sink.store import Store
from tests.waiting import comes_true

HOST = "127.0.0.1"


class Sink:
    """A sink in this process."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.handler = Handler(self.store)
        self.port = free_port()
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self.store, self.handler)), base_url="http://sink"
        )

    async def send(self, raw: bytes, to: str = "b@x.example") -> None:
        async with aiosmtplib.SMTP(hostname=HOST, port=self.port, start_tls=False, timeout=5) as smtp:
            await smtp.sendmail("a@x.example", [to], raw)


@pytest_asyncio.fixture
async def sink(tmp_path: Path) -> AsyncIterator[Sink]:
    sink = Sink(tmp_path)
    server = await asyncio.get_running_loop().create_server(lambda: protocol(sink.handler), HOST, sink.port)
    yield sink
    server.close()
    await sink.http.aclose()
    sink.store.close()


def mail(body: str = "Bonjour", html: str = "") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Élodie <a@x.example>", "b@x.example", "Été"
    message["Message-ID"] = "<1@x.example>"
    message.set_content(body)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n",
        b"x\r\n",
        b".\r\n",
        b"a: b\r\n\r\n.\r\n..\r\n...\r\n.fin\r\n",
        b"a: b\r\n\r\n\r\n",
        b"a: b\r\n\r\nx\r\n.\r\n\r\n",
        b"a: b\r\n\r\n" + b"y" * 200_000 + b"\r\n.",
    ],
)
async def test_a_message_is_kept_byte_for_byte(sink: Sink, raw: bytes) -> None:
    await sink.send(raw)
    await sink.send(b"after\r\n")
    whole = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    assert (sink.store.raw(1), sink.store.raw(2)) == (whole, b"after\r\n")


async def test_what_came_is_counted_listed_and_read(sink: Sink) -> None:
    for _ in range(2):
        await sink.send(mail("Bonjour à tous", "<p>Bonjour</p>"))
    assert (await sink.http.get("/api/count")).json() == {"count": 2, "distinct": 1}
    (newest, _) = (await sink.http.get("/api/mails", params={"q": "b@x"})).json()["mails"]
    assert (newest["subject"], newest["header_from"]) == ("Été", "Élodie <a@x.example>")
    assert (await sink.http.get("/api/mails", params={"q": "nobody"})).json()["mails"] == []
    read = (await sink.http.get(f"/api/mails/{newest['id']}")).json()
    assert read["text"] == "Bonjour à tous\n"


async def test_a_mail_is_shown_without_letting_it_do_anything(sink: Sink) -> None:
    await sink.send(mail("x", "<script>alert(1)</script><img src='https://spy.example/x.gif'>"))
    page = await sink.http.get("/mails/1")
    assert '<iframe sandbox title="Message" src="/mails/1/html">' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    inner = (await sink.http.get("/mails/1/html")).headers["content-security-policy"]
    assert inner.startswith("sandbox; default-src 'none'")
    assert "2 messages reçus" not in (await sink.http.get("/")).text
    assert "1 message reçu" in (await sink.http.get("/")).text
    assert (await sink.http.get("/mails/9")).status_code == 404


async def test_it_fails_as_it_is_told(sink: Sink) -> None:
    async def behave(**how: object) -> None:
        assert (await sink.http.put("/api/behaviour", json=how)).status_code == 200

    await behave(reject_recipients={"*@gone.example": "550 5.1.1 Gone"})
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await sink.send(mail(), "x@gone.example")
    await behave(reject_next=1, reject_answer="452 4.2.2 Full")
    with pytest.raises(aiosmtplib.SMTPDataError) as full:
        await sink.send(mail())
    assert full.value.code == 452
    await behave(drop_next=1)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await sink.send(mail())
    await behave(refuse_connections=True)
    with pytest.raises(aiosmtplib.SMTPException):
        await sink.send(mail())
    await behave()
    await sink.send(mail())
    assert sink.store.count() == 2
    assert (await sink.http.put("/api/behaviour", json={"reject_answer": "250 fine"})).status_code == 422


async def running(
    folder: Path, smtp: int, http: int, begun: Callable[[], object] | None = None, **how: Any
) -> asyncio.subprocess.Process:
    """A sink of its own process, not yet listening."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.sink", "--smtp-port", str(smtp), "--http-port", str(http)),
        *("--store", str(folder), "--behaviour", Behaviour(**how).model_dump_json()),
        cwd=ROOT,
        preexec_fn=begun,
    )


async def connected_to(port: int) -> aiosmtplib.SMTP:
    client = aiosmtplib.SMTP(hostname=HOST, port=port, start_tls=False, timeout=5)

    async def connects() -> bool:
        try:
            await client.connect()
        except aiosmtplib.SMTPException:
            return False
        return True

    await comes_true(connects, "the sink takes mails")
    return client


async def test_what_it_took_survives_its_own_death(tmp_path: Path) -> None:
    smtp, http = free_port(), free_port()
    process = await running(tmp_path, smtp, http, die_after=3)
    client = await connected_to(smtp)
    for _ in range(2):
        await client.sendmail("a@x.example", ["b@x.example"], mail())
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await client.sendmail("a@x.example", ["b@x.example"], mail())
    assert await process.wait() == 9
    store = Store(tmp_path)
    assert store.count() == 3
    store.close()


def as_the_first_of_a_container() -> None:
    """Only what it listens to ends it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


async def test_it_ends_though_a_sender_keeps_its_connection(tmp_path: Path) -> None:
    """Who sends keeps connections for hours; a container that waits for them is killed."""
    smtp, http = free_port(), free_port()
    process = await running(tmp_path, smtp, http, as_the_first_of_a_container)
    client = await connected_to(smtp)
    try:
        await client.sendmail("a@x.example", ["b@x.example"], mail())
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{http}") as page:

            async def is_shown() -> bool:
                try:
                    return (await page.get("/api/count")).json()["count"] == 1
                except httpx.TransportError:
                    return False

            await comes_true(is_shown, "the page is answered")
        process.terminate()
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
        client.close()
