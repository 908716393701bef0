"""A mail server that misbehaves: ``python -m cli.faults.unruly --port 2525 --store DIR --seed 1``.

It is aiosmtpd with its own mailbox (Maildir). By chance it puts off, refuses, closes connections at any moment,
and falls silent before it answers. What it refused for good and where it left a sender in the dark it writes down,
one JSON line each: ``{"fault", "message_id", "kept"}``. SIGUSR1 makes it behave from then on.
"""

import asyncio
import json
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, Envelope, Session

MAILBOX, JOURNAL = "mailbox", "faults.jsonl"
SILENT_SECONDS = 3600.0
KEPT_WHEN_CUT = 0.5


@dataclass(frozen=True)
class Odds:
    """How often each thing goes wrong, of all connections, recipients or messages."""

    several_at_once: float = 0.5
    """No fault: a connection is offered to take several commands at once."""
    turned_away: float = 0.02
    """A connection is closed at its greeting."""
    recipient_put_off: float = 0.02
    closing: float = 0.01
    """421 to a recipient, and the connection is closed."""
    closed_before: float = 0.01
    """The connection is closed when the message is about to leave."""
    put_off: float = 0.05
    refused: float = 0.005
    """554 to the message: for good."""
    cut: float = 0.008
    """The connection is closed between the message and the answer; half of these messages are kept."""
    silent: float = 0.002
    """The message gets no answer at all, for as long as the connection lasts; half of them are kept."""


class Unruly(Mailbox):
    """Keeps what it takes in a Maildir before it answers."""

    def __init__(self, folder: Path, odds: Odds, drawn: Random) -> None:
        super().__init__(folder / MAILBOX)
        self.odds = odds
        self.drawn = drawn
        self._journal = (folder / JOURNAL).open("a", encoding="utf-8", buffering=1)

    def happens(self, odds: float) -> bool:
        return self.drawn.random() < odds

    def behave(self) -> None:
        """No more of it."""
        self.odds = Odds(*[0.0] * len(Odds.__dataclass_fields__))

    async def handle_EHLO(  # noqa: N802 - the name and the arguments are aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if not self.happens(self.odds.several_at_once):
            return responses
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.happens(self.odds.closing):
            await server.push("421 4.3.2 Closing")
            _close(server)
            return "421 4.3.2 Closing"
        if self.happens(self.odds.recipient_put_off):
            return "451 4.7.1 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.happens(self.odds.put_off):
            return "452 4.3.1 Insufficient system storage"
        message_id = str(self.prepare_message(session, envelope)["Message-ID"]).strip()
        if self.happens(self.odds.refused):
            self._note("refused", message_id, kept=False)
            return "554 5.7.1 Refused"
        for fault, odds in (("cut", self.odds.cut), ("silent", self.odds.silent)):
            if self.happens(odds):
                kept = self.happens(KEPT_WHEN_CUT)
                if kept:
                    await super().handle_DATA(server, session, envelope)
                self._note(fault, message_id, kept=kept)
                if fault == "silent":
                    await asyncio.sleep(SILENT_SECONDS)
                _close(server)
                return "451 4.3.0 Nobody hears this"
        answer: str = await super().handle_DATA(server, session, envelope)
        return answer

    def _note(self, fault: str, message_id: str, *, kept: bool) -> None:
        self._journal.write(json.dumps({"fault": fault, "message_id": message_id, "kept": kept}) + "\n")


class _Session(SMTP):
    """A session that may end before it begins, or before the message."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        handler = self.event_handler
        if handler.happens(handler.odds.turned_away):
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the name is aiosmtpd's
        handler = self.event_handler
        if handler.happens(handler.odds.closed_before):
            _close(self)
            return
        await super().smtp_DATA(arg)


def _close(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()


async def serve(port: int, folder: Path, seed: int) -> None:
    """Take mails until interrupted."""
    loop = asyncio.get_running_loop()
    handler = Unruly(folder, Odds(), Random(seed))
    loop.add_signal_handler(signal.SIGUSR1, handler.behave)
    server = await loop.create_server(
        lambda: _Session(handler, hostname="unruly.example", loop=loop), "127.0.0.1", port, backlog=1024
    )
    async with server:
        await server.serve_forever()


def main(
    port: Annotated[int, typer.Option(help="Port where mails are taken.")],
    store: Annotated[Path, typer.Option(help="Folder of its mailbox and of what it did.")],
    seed: Annotated[int, typer.Option(help="Draws what goes wrong.")] = 1,
) -> None:
    """Take mails, badly."""
    store.mkdir(parents=True, exist_ok=True)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(port, store, seed))


if __name__ == "__main__":
    typer.run(main)
