"""The SMTP side of the sink, and the ways it can be told to misbehave."""

import asyncio
import os
from fnmatch import fnmatchcase

from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import BaseModel, Field

from cli.sink.store import Store

SIZE_LIMIT = 64 * 1024 * 1024


class Behaviour(BaseModel):
    """How the sink behaves from now on. Counts go down by one each time they are used."""

    delay_seconds: float = Field(default=0, ge=0, le=600)
    """Pause before the answer to each message."""
    reject_recipients: dict[str, str] = {}
    """Pattern of an address (``*@bounce.example``) to the answer it gets: ``550 5.1.1 Unknown user``."""
    reject_next: int = Field(default=0, ge=0)
    """So many messages are answered with ``reject_answer``."""
    reject_answer: str = Field(default="451 4.3.0 Try again later", pattern=r"^[45]\d\d ")
    refuse_connections: bool = False
    """New connections are closed at once."""
    drop_next: int = Field(default=0, ge=0)
    """So many messages are kept, and the connection is cut before the answer."""
    die_after: int | None = Field(default=None, ge=1)
    """The process ends, without an answer, when it has received so many more messages; the last one is kept."""


class Handler:
    """Keeps each message before it answers 250."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.behaviour = Behaviour()

    async def handle_EHLO(  # noqa: N802 - the name and the arguments are aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Several commands may come at once, as most mail servers say; aiosmtpd takes them without saying so."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        for pattern, answer in self.behaviour.reject_recipients.items():
            if fnmatchcase(address.lower(), pattern.lower()):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        behaviour = self.behaviour
        if behaviour.delay_seconds:
            await asyncio.sleep(behaviour.delay_seconds)
        if behaviour.reject_next:
            behaviour.reject_next -= 1
            return behaviour.reject_answer
        content = envelope.content
        assert isinstance(content, bytes)
        number = self.store.keep(str(envelope.mail_from), [str(to) for to in envelope.rcpt_tos], content)
        if behaviour.die_after is not None:
            behaviour.die_after -= 1
            if behaviour.die_after == 0:
                os._exit(9)
        if behaviour.drop_next:
            behaviour.drop_next -= 1
            if server.transport is not None:
                server.transport.close()
        return f"250 OK {number}"


class QuickSMTP(SMTP):
    """aiosmtpd, but a message is read whole: line by line it takes more than all the rest of the session."""

    line_length_limit = SIZE_LIMIT
    """A command or a line of a message may be as long as a message."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the name is aiosmtpd's
        if arg or self.envelope is None or not self.envelope.rcpt_tos:
            await super().smtp_DATA(arg)
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        data = b""
        while data != b".\r\n" and not data.endswith(b"\r\n.\r\n"):
            data += await self._reader.readuntil(b".\r\n")
        content = data[:-3].replace(b"\r\n..", b"\r\n.")
        if content.startswith(b".."):
            content = content[1:]
        self.envelope.content = self.envelope.original_content = content
        status = await self._call_handler_hook("DATA")
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(status)


class _Closed(asyncio.Protocol):
    """Closes what connects."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def protocol(handler: Handler) -> asyncio.BaseProtocol:
    """The protocol of one new connection."""
    if handler.behaviour.refuse_connections:
        return _Closed()
    server: asyncio.BaseProtocol = QuickSMTP(
        handler,
        hostname="relance-sink",
        ident="Relance sink",
        data_size_limit=SIZE_LIMIT,
        loop=asyncio.get_running_loop(),
    )
    return server
