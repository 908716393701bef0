"""Handing mails to the mail server over kept connections, and what became of each."""

import asyncio
import logging
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from chassis.database import is_transient
from chassis.guard import connected
from services.notify.messages import Mail
from services.notify.oauth.endpoint import Unauthorized
from services.notify.pipelining import NO_CODE, Answer, Answers, taken_over
from services.notify.servers import Server, Tokens

log = logging.getLogger(__name__)

_STATUS = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})\b")
TAKEN, BEGIN, TEMPORARY, PERMANENT, NO_ANSWER_IS_HIGHER = 200, 354, 400, 500, 600
CLOSING, COMPLETED = 421, 250
ACCEPTED = (250, 251)
"""What may be said to a recipient who gets the message."""
NOT_SIGNED_IN = (530, 535, 538)
"""What is said instead of taking a message from who is not signed in, or not any more (RFC 4954, 6)."""


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
        self._answers: Answers | None = None
        """Where the server takes several commands at once."""
        self._token = ""
        """The one that the server was shown last."""

    async def connect(self) -> None:
        if self._smtp is not None and self._smtp.is_connected:
            if self._answers is None or not self._answers.are_waiting:
                return
            self._drop()  # whatever it said unasked must not pass for the answer to a message
        if self._server.tokens is None:
            await self._signed_in_by(None)
            return
        if self._server.encryption == "none":
            raise MailServerUnreachable("a token is only shown over an encrypted connection")
        try:
            await self._signed_in_by(await self._given(self._server.tokens, ""))
        except SMTPAuthenticationError:
            # it may have ended before its time: another one shows whether it was that
            try:
                await self._signed_in_by(await self._given(self._server.tokens, self._token))
            except SMTPAuthenticationError as refused:
                raise MailServerUnreachable(_sentence(refused)) from refused

    async def _given(self, tokens: Tokens, not_taken: str) -> str:
        """A token. Raises ``MailServerUnreachable`` whatever keeps it from coming: nothing has left yet, so
        messages wait, and the mail servers of other companies go on."""
        try:
            return await tokens(not_taken)
        except Unauthorized as none:
            raise MailServerUnreachable(str(none)) from none
        except Exception as failure:
            if not is_transient(failure):
                log.exception("no token for an unforeseen reason", extra={"server": self._server.place})
            raise MailServerUnreachable(f"no token ({type(failure).__name__})") from failure

    async def _signed_in_by(self, token: str | None) -> None:
        """A new connection. Raises ``MailServerUnreachable``, and ``SMTPAuthenticationError`` where the server
        does not take the token."""
        server = self._server
        self._token = token or ""
        try:
            sock = None if server.networks is None else await self._judged()
        except OSError as failure:
            raise MailServerUnreachable(_sentence(failure)) from failure

        async def shown() -> str:
            return self._token

        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port if sock is None else None,
            sock=sock,
            username=server.user or None,
            password=server.password or None if token is None else None,
            oauth_token_generator=None if token is None else shown,
            use_tls=server.encryption == "tls",
            start_tls=server.encryption == "starttls",
            timeout=server.timeout_seconds,
            local_hostname=server.own_name,
            cert_bundle=server.ca_file,
        )
        try:
            await smtp.connect()
            await smtp.ehlo()
        except SMTPAuthenticationError as refused:
            smtp.close()
            if token is None or refused.code < PERMANENT:
                raise MailServerUnreachable(_sentence(refused)) from refused
            raise
        except (SMTPException, OSError, ValueError) as failure:
            smtp.close()
            raise MailServerUnreachable(_sentence(failure)) from failure
        self._smtp, self._answers = smtp, taken_over(smtp)

    async def _judged(self) -> socket.socket:
        """A connection to where a company may send us. Raises ``OSError``."""
        server = self._server
        return await connected(server.host, server.port, server.networks or (), server.timeout_seconds)

    async def carry(self, mail: Mail) -> Result:
        """MAIL, RCPT, DATA. A server that dropped the kept connection before the message began to leave is asked
        once more."""
        for last_time in (False, True):
            try:
                await self.connect()
                if self._answers is not None:
                    ready = await self._at_once(mail, self._answers)
                else:
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
            if self._is_signed_out(ready):
                # it says so of the connection and not of the message, of which nothing has left
                self._drop()
                if last_time:
                    return PutOff(ready.answer if isinstance(ready, Refused) else ready.reason, by_server=True)
                continue
            await self._reset()
            return ready
        raise AssertionError("the second time returns")

    def _is_signed_out(self, answered: Refused | PutOff) -> bool:
        """Whether the server takes nothing because the token that it was shown has ended since."""
        if self._server.tokens is None or not isinstance(answered, Refused):
            return False
        return int(answered.status[:3]) in NOT_SIGNED_IN

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

    async def _at_once(self, mail: Mail, answers: Answers) -> dict[str, str] | Refused | PutOff:
        """Sender, recipients and the wish to hand over in one go; answers the recipients that were refused.

        Nothing of the message leaves before all is answered. A server that says 354 although it refused the rest
        waits for a message that it must not get: the connection ends.
        """
        seconds = self._server.timeout_seconds
        commands = [f"MAIL FROM:<{mail.envelope_from}>", *(f"RCPT TO:<{one}>" for one in mail.recipients), "DATA"]
        answers.send("".join(f"{command}\r\n" for command in commands).encode("ascii"))
        told: list[Answer] = []
        try:
            while len(told) < len(commands):
                told.append(await answers.following(seconds))
        except SMTPServerDisconnected:
            if told and told[-1].code == CLOSING:
                self._drop()
                return PutOff(_words(told[-1]), by_server=True)
            raise
        except asyncio.CancelledError:
            self._drop()  # it may wait for the message by now: a farewell would be taken for its first line
            raise
        sender, *recipients, begin = told
        odd = next((one for one in told if one.code == NO_CODE), begin)
        if odd.code < TEMPORARY and odd.code != BEGIN:
            # one answer too many or too few: nobody knows which is meant for what, nor whether more will come
            self._drop()
            return PutOff(_words(odd), by_server=True)
        refused = {
            recipient: answer
            for recipient, answer in zip(mail.recipients, recipients, strict=True)
            if answer.code not in ACCEPTED
        }
        outcome: dict[str, str] | Refused | PutOff
        if sender.code != COMPLETED:
            outcome = _answered("sender", sender)
        elif len(refused) == len(recipients):
            put_off = next((answer for answer in recipients if answer.code < PERMANENT), None)
            outcome = _answered("recipients", put_off or recipients[0])
        elif begin.code != BEGIN:
            return _answered("message", begin)
        elif answers.are_waiting:
            self._drop()
            return PutOff("the mail server said more than it was asked", by_server=True)
        else:
            return {recipient: _words(answer) for recipient, answer in refused.items()}
        if begin.code == BEGIN:
            self._drop()
        return outcome

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
        content = _with_dots_doubled(mail.raw) + b".\r\n"
        answer: Answer | aiosmtplib.SMTPResponse
        try:
            if self._answers is not None:
                self._answers.send(content)
                answer = await self._answers.following(self._server.answer_seconds)
            else:
                smtp.protocol.write(content)
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
            if self._answers is not None:
                self._answers.send(b"RSET\r\n")
                await self._answers.following(self._server.timeout_seconds)
            else:
                await smtp.rset()
        except (SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = self._answers = None

    async def close(self) -> None:
        smtp, answers = self._smtp, self._answers
        self._smtp = self._answers = None
        if smtp is not None and smtp.is_connected:
            # it keeps nothing of ours: whether it says farewell does not matter
            with suppress(SMTPException, OSError):
                if answers is None:
                    await smtp.quit()
                else:
                    answers.send(b"QUIT\r\n")
                    await answers.following(self._server.timeout_seconds)
            smtp.close()


def _with_dots_doubled(raw: bytes) -> bytes:
    """A line that begins with a dot gets another, so that none is taken for the end (RFC 5321, 4.5.2)."""
    doubled = raw.replace(b"\n.", b"\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def _answered(what: str, answer: SMTPResponseException | Answer) -> Refused | PutOff:
    """Only a plain 5xx is for good: what is no answer at all says nothing about the message."""
    if not PERMANENT <= answer.code < NO_ANSWER_IS_HIGHER:
        return PutOff(_words(answer), by_server=answer.code == CLOSING or answer.code < TEMPORARY)
    enhanced = _STATUS.match(answer.message)
    return Refused(what, f"{answer.code} {enhanced.group(1)}" if enhanced else str(answer.code), _words(answer))


def _words(answer: SMTPResponseException | Answer) -> str:
    return f"{answer.code} {answer.message}"[:500]


def _sentence(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"[:300]
