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
from services.notify.settings import NotifySettings

_STATUS = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})\b")
PERMANENT = 500


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
    """Nothing was handed over; trying later may help."""

    reason: str


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

    def __init__(self, settings: NotifySettings) -> None:
        self._settings = settings
        self._smtp: aiosmtplib.SMTP | None = None

    async def connect(self) -> None:
        if self._smtp is not None and self._smtp.is_connected:
            return
        settings = self._settings
        smtp = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user or None,
            password=settings.smtp_password or None,
            use_tls=settings.smtp_encryption == "tls",
            start_tls=settings.smtp_encryption == "starttls",
            timeout=settings.smtp_timeout_seconds,
            local_hostname=settings.default_sender_domain,
        )
        try:
            await smtp.connect()
            await smtp.ehlo()
        except (SMTPException, OSError, ValueError) as failure:
            smtp.close()
            raise MailServerUnreachable(_sentence(failure)) from failure
        self._smtp = smtp

    async def carry(self, mail: Mail) -> Result:
        """MAIL, RCPT, DATA. A server that dropped the kept connection before DATA is asked once more."""
        for last_time in (False, True):
            try:
                await self.connect()
                refused = await self._envelope(mail)
            except MailServerUnreachable as unreachable:
                return PutOff(str(unreachable))
            except (SMTPServerDisconnected, SMTPConnectError, SMTPTimeoutError, OSError) as lost:
                self._drop()
                if last_time or isinstance(lost, TimeoutError):
                    return PutOff(_sentence(lost))
                continue
            if isinstance(refused, dict):
                return await self._data(mail, refused)
            await self._reset()
            return refused
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

    async def _data(self, mail: Mail, refused: dict[str, str]) -> Result:
        smtp = self._smtp
        assert smtp is not None
        try:
            taken = await smtp.data(mail.raw)
        except SMTPResponseException as answer:
            await self._reset()
            return _answered("message", answer)
        except (SMTPException, OSError) as lost:
            self._drop()
            return Unknown(_sentence(lost))
        except asyncio.CancelledError:
            self._drop()
            raise
        return Taken(f"{taken.code} {taken.message}"[:500], refused)

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
    if answer.code < PERMANENT:
        return PutOff(_words(answer))
    enhanced = _STATUS.match(answer.message)
    return Refused(what, f"{answer.code} {enhanced.group(1)}" if enhanced else str(answer.code), _words(answer))


def _words(answer: SMTPResponseException) -> str:
    return f"{answer.code} {answer.message}"[:500]


def _sentence(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"[:300]
