"""What counts as an answer to a message, and what leaves it in doubt: a mail server that says what it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from services.notify.mailer import PutOff, Refused, Result, SmtpConnection, Taken, Unknown
from services.notify.messages import Mail
from services.notify.servers import of_installation
from services.notify.settings import NotifySettings
from tests.serving import closed_at_the_end

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
            answer = script.get(line, (USUAL | script)[name])
            content = name == "DATA" and answer is not None and answer.startswith("354")
            if answer is CLOSE:
                break
            writer.write(f"{answer}\r\n".encode())
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    with closed_at_the_end(listening):
        yield listening.sockets[0].getsockname()[1]


def carrier_to(port: int) -> SmtpConnection:
    settings = NotifySettings(smtp_port=port, smtp_timeout_seconds=2, smtp_answer_seconds=0.5)
    return SmtpConnection(of_installation(settings))


AT_ONCE: Script = {"EHLO": "250-scripted\r\n250 PIPELINING"}
"""Of a server that takes several commands at once."""


async def carried(script: Script, heard: list[str] | None = None) -> Result:
    async with server(script, [] if heard is None else heard) as port:
        carrier = carrier_to(port)
        result = await carrier.carry(MAIL)
        await carrier.close()
        return result


@pytest.mark.parametrize("way", [{}, AT_ONCE], ids=["one by one", "at once"])
async def test_a_plain_yes_is_taken_and_a_leading_dot_arrives(way: Script) -> None:
    heard: list[str] = []
    assert await carried(way, heard) == Taken("250 Kept", {})
    assert heard[heard.index("DATA") + 1 : heard.index("QUIT")] == ["Subject: Rappel", "", "..", "Bonjour", "."]


@pytest.mark.parametrize("way", [{}, AT_ONCE], ids=["one by one", "at once"])
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
async def test_only_what_is_known_is_said(script: Script, is_right: Callable[[Result], bool], way: Script) -> None:
    found = await carried(way | script)
    assert is_right(found), found


async def test_what_is_sent_at_once_needs_one_answer_before_the_message() -> None:
    heard: list[str] = []
    mail = replace(MAIL, recipients=("you@b.example", "they@b.example"))
    async with server(AT_ONCE, heard) as port:
        carrier = carrier_to(port)
        first, second = await carrier.carry(mail), await carrier.carry(mail)
        await carrier.close()

    assert first == second == Taken("250 Kept", {})
    assert [line.split(" ")[0] for line in heard].count("EHLO") == 1
    envelope = ["MAIL FROM:<us@a.example>", "RCPT TO:<you@b.example>", "RCPT TO:<they@b.example>", "DATA"]
    assert heard[1:5] == envelope
    assert heard.count("QUIT") == 1


async def test_who_is_refused_is_named_and_the_others_get_it() -> None:
    async with server(AT_ONCE | {"RCPT TO:<they@b.example>": "550 5.1.1 Nobody"}, []) as port:
        carrier = carrier_to(port)
        found = await carrier.carry(replace(MAIL, recipients=("you@b.example", "they@b.example")))
        await carrier.close()

    assert found == Taken("250 Kept", {"they@b.example": "550 5.1.1 Nobody"})


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
async def test_a_server_that_waits_for_a_message_it_refused_gets_none_of_it(command: str) -> None:
    heard: list[str] = []
    script = AT_ONCE | {command: "550 5.1.1 No"}
    async with server(script, heard) as port:
        carrier = carrier_to(port)
        first = await carrier.carry(MAIL)
        script[command] = "250 OK"
        second = await carrier.carry(MAIL)
        await carrier.close()

    assert isinstance(first, Refused)
    assert second == Taken("250 Kept", {})
    assert heard.count("Bonjour") == 1


async def test_what_was_said_unasked_is_no_answer_to_the_next_message() -> None:
    """The second answer to the first message would say that the second has arrived."""
    script = AT_ONCE | {".": "250 Kept\r\n250 Kept"}
    async with server(script, []) as port:
        carrier = carrier_to(port)
        assert await carrier.carry(MAIL) == Taken("250 Kept", {})
        await asyncio.sleep(0.05)
        script["."] = "554 5.7.1 No"
        assert await carrier.carry(MAIL) == Refused("message", "554 5.7.1", "554 5.7.1 No")
        await carrier.close()


@pytest.mark.parametrize("script", [{"RCPT": "well\r\n250 OK"}, {"MAIL": "550 5.1.1 No\r\n250 OK"}])
async def test_answers_that_are_out_of_step_end_the_connection(script: Script) -> None:
    """What cannot be told apart refuses no message for good, and is not waited for by the next one."""
    heard: list[str] = []
    script = AT_ONCE | script
    async with server(script, heard) as port:
        carrier = carrier_to(port)
        first = await carrier.carry(MAIL)
        script |= {"RCPT": "250 OK", "MAIL": "250 OK"}
        second = await carrier.carry(MAIL)
        await carrier.close()

    assert isinstance(first, PutOff)
    assert first.by_server
    assert second == Taken("250 Kept", {})
    assert "RSET" not in heard


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
    with closed_at_the_end(listening):
        port = listening.sockets[0].getsockname()[1]
        carrier = carrier_to(port)
        assert isinstance(await carrier.carry(MAIL), Unknown)
        await carrier.close()
