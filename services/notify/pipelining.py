"""A mail server's answers when several commands are sent at once (RFC 2920), which aiosmtplib does not do.

Sender, recipients and the wish to hand over leave together: a message takes two round trips, however many
recipients it has. It begins only where no answer waits, and each of its answers is waited for, so that none is
ever taken for that of another message.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from aiosmtplib import SMTP, SMTPReadTimeoutError, SMTPServerDisconnected

NO_CODE = -1
LONGEST_LINE = 8192


@dataclass(frozen=True, slots=True)
class Answer:
    """``code`` is -1 for what is no answer."""

    code: int
    message: str


class Answers(asyncio.Protocol):
    """Takes a connection over from aiosmtplib once it stands: greeted, encrypted, logged in."""

    def __init__(self, transport: asyncio.Transport, before: asyncio.Protocol) -> None:
        self._transport = transport
        self._before = before
        self._rest = b""
        self._lines: list[str] = []
        self._found: deque[Answer] = deque()
        self._awaited: asyncio.Future[None] | None = None
        self._is_lost = False

    @property
    def are_waiting(self) -> bool:
        """Something was said that nobody asked for."""
        return bool(self._found or self._rest or self._lines)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.rstrip(b"\r"))
        if len(self._rest) > LONGEST_LINE:
            self._found.append(Answer(NO_CODE, "a line without an end"))
            self._rest = b""
        self._wake()

    def _take(self, line: bytes) -> None:
        code, words = line[:3], line[4:].decode("utf-8", "replace").strip()
        if len(code) < 3 or not code.isdigit():
            self._lines.clear()
            self._found.append(Answer(NO_CODE, line.decode("utf-8", "replace")))
            return
        self._lines.append(words)
        if line[3:4] != b"-":
            self._found.append(Answer(int(code), "\n".join(self._lines)))
            self._lines.clear()

    def eof_received(self) -> bool:
        self._is_lost = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._wake()
        self._before.connection_lost(exc)

    def _wake(self) -> None:
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    def send(self, data: bytes) -> None:
        """Raises ``SMTPServerDisconnected``."""
        if self._is_lost or self._transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")
        self._transport.write(data)

    async def following(self, seconds: float) -> Answer:
        """The next one. Raises ``SMTPServerDisconnected``, ``SMTPReadTimeoutError``."""
        if not self._found and not self._is_lost:
            loop = asyncio.get_running_loop()
            self._awaited = loop.create_future()
            try:
                async with asyncio.timeout(seconds):
                    while not self._found and not self._is_lost:
                        await self._awaited
                        self._awaited = loop.create_future()
            except TimeoutError as silent:
                raise SMTPReadTimeoutError("Timed out waiting for server response") from silent
            finally:
                self._awaited = None
        if not self._found:
            raise SMTPServerDisconnected("Connection lost")
        return self._found.popleft()


def taken_over(smtp: SMTP) -> Answers | None:
    """The answers of a connection whose server takes several commands at once; ``None`` where it does not."""
    transport, before = smtp.transport, smtp.protocol
    if not smtp.supports_extension("pipelining") or before is None or not isinstance(transport, asyncio.Transport):
        return None
    answers = Answers(transport, before)
    transport.set_protocol(answers)
    return answers
