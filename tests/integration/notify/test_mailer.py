"""What counts as an answer to a message, and what leaves it in doubt: a mail server that says what it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from services.notify.mailer import PutOff, Refused, Result, SmtpConnection, Taken, Unknown
from services.notify.messages import Mail
from services.notify.servers import of_installation
from services.notify.settings import NotifySettings

MAIL = Mail(
    "<1@a.example>", "us@a.example", ("you@b.example",), "Rappel", b"Subject: Rappel\r\n\r\n.\r\nBonjour\r\n"
)
CLOSE = None
"""In place of an answer: the connection is closed."""
Script = dict[str, str | None]
USUAL: Script = {
    "EHLO": "250 OK", "MAIL": "250 OK", "RCPT": "250 OK", "DATA": "354 Go on", ".": "250 Kept", "RSET": "250 OK",
    "QUIT": "221 Bye",
}  # fmt: skip


@asynccontextmanager
async def server(script: Script, heard: list[str]) -> AsyncIterator[int]:
    """Answers each command by the script; ``heard`` gets every line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 scripted\r\n")
        content = False
        while received := await reader.readline():
            line = received.decode().rstrip("\r\n")
            heard.append(line)
            if content and line != ".":
                continue
            name = "." if content else line.split(" ")[0].upper()
            answer = (USUAL | script)[name]
            content = name == "DATA" and answer is not None and answer.startswith("354")
            if answer is CLOSE:
                break
            writer.write(f"{answer}\r\n".encode())
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def carrier_to(port: int) -> SmtpConnection:
    settings = NotifySettings(smtp_port=port, smtp_timeout_seconds=2, smtp_answer_seconds=0.5)
    return SmtpConnection(of_installation(settings))


async def carried(script: Script, heard: list[str] | None = None) -> Result:
    async with server(script, [] if heard is None else heard) as port:
        carrier = carrier_to(port)
        result = await carrier.carry(MAIL)
        await carrier.close()
        return result


async def test_a_plain_yes_is_taken_and_a_leading_dot_arrives() -> None:
    heard: list[str] = []
    assert await carried({}, heard) == Taken("250 Kept", {})
    assert heard[heard.index("DATA") + 1 : heard.index("QUIT")] == ["Subject: Rappel", "", "..", "Bonjour", "."]


@pytest.mark.parametrize(
    ("script", "is_right"),
    [
        ({".": CLOSE}, lambda end: isinstance(end, Unknown)),
        ({".": "wait a moment"}, lambda end: isinstance(end, Unknown)),
        ({".": "999 What"}, lambda end: isinstance(end, Unknown)),
        ({".": "354 Go on"}, lambda end: isinstance(end, Unknown)),
        ({".": "451 4.3.0 Later"}, lambda end: end == PutOff("451 4.3.0 Later")),
        ({".": "421 Closing"}, lambda end: end == PutOff("421 Closing", by_server=True)),
        ({".": "554 5.7.1 No"}, lambda end: end == Refused("message", "554 5.7.1", "554 5.7.1 No")),
        ({"DATA": CLOSE}, lambda end: isinstance(end, PutOff) and end.by_server),
        ({"DATA": "452 Full"}, lambda end: end == PutOff("452 Full")),
        ({"DATA": "554 No"}, lambda end: end == Refused("message", "554", "554 No")),
        ({"DATA": "well"}, lambda end: isinstance(end, PutOff)),
        ({"RCPT": "well"}, lambda end: isinstance(end, PutOff)),
        ({"RCPT": "550 5.1.1 Nobody"}, lambda end: isinstance(end, Refused) and end.what == "recipients"),
        ({"MAIL": "421 Closing"}, lambda end: isinstance(end, PutOff) and end.by_server),
        ({"MAIL": CLOSE}, lambda end: isinstance(end, PutOff) and end.by_server),
    ],
)
async def test_only_what_is_known_is_said(script: Script, is_right: Callable[[Result], bool]) -> None:
    found = await carried(script)
    assert is_right(found), found


async def test_a_server_that_never_answers_leaves_the_message_in_doubt() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 silent\r\n")
        while line := await reader.readline():
            if line.startswith((b"EHLO", b"MAIL", b"RCPT", b"RSET")):
                writer.write(b"250 OK\r\n")
            elif line.startswith(b"DATA"):
                writer.write(b"354 Go on\r\n")
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        carrier = carrier_to(port)
        assert isinstance(await carrier.carry(MAIL), Unknown)
        await carrier.close()
