"""Handing mails to the mail server over kept connections, and what became of each."""

import asyncio
import re
from dataclasses import dataclass
from typing import Protocol

import aiosmtplib
from aiosmtplib import (
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from services.notify.messages import Mail
from services.notify.servers import Server

_STATUS = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})\b")
_LEADING_DOT = re.compile(rb"(?m)^\.")
TAKEN, BEGIN, TEMPORARY, PERMANENT, NO_ANSWER_IS_HIGHER = 200, 354, 400, 500, 600
CLOSING = 421


@dataclass(frozen=True, slots=True)
class Taken:
    """The mail server took the message, for all recipients but ``refused`` (address to answer)."""

    answer: str
    refused: dict[str, str]


@dataclass(frozen=True, slots=True)
class Refused:
    """The mail server will never take it. ``what`` is ``sender``, ``recipients`` or ``message``."""

    what: str
    status: str
    answer: str


@dataclass(frozen=True, slots=True)
class PutOff:
    """Nothing was handed over; trying later may help. ``by_server``: it says so of itself, not of this message."""

    reason: str
    by_server: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The connection was lost after the message began to leave: nobody knows."""

    reason: str


Result = Taken | Refused | PutOff | Unknown


class MailServerUnreachable(Exception):
    """No connection to the mail server can be made now."""


class Carrier(Protocol):
    """Carries mails one at a time."""

    async def connect(self) -> None:
        """Be ready to carry. Raises ``MailServerUnreachable``."""

    async def carry(self, mail: Mail) -> Result:
        """Hand one mail over; never raises for what the mail server does."""

    async def close(self) -> None: ...


class SmtpConnection:
    """One connection, kept as long as the server keeps it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._smtp: aiosmtplib.SMTP | None = None

    async def connect(self) -> None:
        if self._smtp is not None and self._smtp.is_connected:
            return
        server = self._server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.encryption == "tls",
            start_tls=server.encryption == "starttls",
            timeout=server.timeout_seconds,
            local_hostname=server.own_name,
            cert_bundle=server.ca_file,
        )
        try:
            await smtp.connect()
            await smtp.ehlo()
        except (SMTPException, OSError, ValueError) as failure:
            smtp.close()
            raise MailServerUnreachable(_sentence(failure)) from failure
        self._smtp = smtp

    async def carry(self, mail: Mail) -> Result:
        """MAIL, RCPT, DATA. A server that dropped the kept connection before the message began to leave is asked
        once more."""
        for last_time in (False, True):
            try:
                await self.connect()
                ready = await self._envelope(mail)
                if isinstance(ready, dict):
                    ready = await self._begin() or ready
            except MailServerUnreachable as unreachable:
                return PutOff(str(unreachable), by_server=True)
            except (SMTPServerDisconnected, SMTPConnectError, SMTPTimeoutError, OSError) as lost:
                self._drop()
                if last_time or isinstance(lost, TimeoutError):
                    return PutOff(_sentence(lost), by_server=True)
                continue
            if isinstance(ready, dict):
                return await self._content(mail, ready)
            await self._reset()
            return ready
        raise AssertionError("the second time returns")

    async def _envelope(self, mail: Mail) -> dict[str, str] | Refused | PutOff:
        """Sender and recipients; answers the recipients that were refused."""
        smtp = self._smtp
        assert smtp is not None
        try:
            await smtp.mail(mail.envelope_from)
        except SMTPResponseException as answer:
            return _answered("sender", answer)
        refused: dict[str, SMTPResponseException] = {}
        for recipient in mail.recipients:
            try:
                await smtp.rcpt(recipient)
            except SMTPResponseException as answer:
                refused[recipient] = answer
        if len(refused) == len(mail.recipients):
            answers = list(refused.values())
            put_off = next((answer for answer in answers if answer.code < PERMANENT), None)
            return _answered("recipients", put_off or answers[0])
        return {recipient: _words(answer) for recipient, answer in refused.items()}

    async def _begin(self) -> Refused | PutOff | None:
        """Ask to hand the message over. Until the server says 354 nothing of it has left."""
        smtp = self._smtp
        assert smtp is not None
        try:
            answer = await smtp.execute_command(b"DATA")
        except SMTPResponseException as senseless:
            return _answered("message", senseless)
        if answer.code == BEGIN:
            return None
        return _answered("message", SMTPResponseException(answer.code, answer.message))

    async def _content(self, mail: Mail, refused: dict[str, str]) -> Result:
        """The message itself. From here only a plain yes or no counts: any other end leaves it in doubt."""
        smtp = self._smtp
        assert smtp is not None
        assert smtp.protocol is not None
        try:
            smtp.protocol.write(_LEADING_DOT.sub(b"..", mail.raw) + b".\r\n")
            answer = await smtp.protocol.read_response(self._server.answer_seconds)
        except (SMTPException, OSError) as lost:
            self._drop()
            return Unknown(_sentence(lost))
        except asyncio.CancelledError:
            self._drop()
            raise
        words = f"{answer.code} {answer.message}"[:500]
        if TAKEN <= answer.code < BEGIN:
            return Taken(words, refused)
        if not TEMPORARY <= answer.code < NO_ANSWER_IS_HIGHER:
            self._drop()
            return Unknown(words)
        if answer.code == CLOSING:
            self._drop()
        else:
            await self._reset()
        return _answered("message", SMTPResponseException(answer.code, answer.message))

    async def _reset(self) -> None:
        """A refused envelope must not leak into the next message."""
        smtp = self._smtp
        if smtp is None:
            return
        try:
            await smtp.rset()
        except (SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None and smtp.is_connected:
            try:
                await smtp.quit()
            except (SMTPException, OSError):
                smtp.close()


def _answered(what: str, answer: SMTPResponseException) -> Refused | PutOff:
    """Only a plain 5xx is for good: what is no answer at all says nothing about the message."""
    if not PERMANENT <= answer.code < NO_ANSWER_IS_HIGHER:
        return PutOff(_words(answer), by_server=answer.code == CLOSING or answer.code < TEMPORARY)
    enhanced = _STATUS.match(answer.message)
    return Refused(what, f"{answer.code} {enhanced.group(1)}" if enhanced else str(answer.code), _words(answer))


def _words(answer: SMTPResponseException) -> str:
    return f"{answer.code} {answer.message}"[:500]


def _sentence(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"[:300]
