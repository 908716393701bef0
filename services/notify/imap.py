"""A company's mailbox, read by IMAP over TLS: one connection that lists, hands over and puts away mails.

Its functions block: they are called in a thread. Nothing is deleted, and what is not put away stays unread if it
was, since people may read the same mailbox.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from imap_tools import AND, BaseMailBox
from imap_tools.errors import (
    ImapToolsError,
    MailboxFolderCreateError,
    MailboxFolderSelectError,
    MailboxLoginError,
    MailboxStarttlsError,
)
from imap_tools.utils import encode_folder

from chassis.guard import AddressRefused, Networks, connected_here
from services.notify.drop_folder import PlaceUnreadable
from services.notify.reports.reading import LARGEST_BYTES
from services.notify.servers import SignIn

Encryption = Literal["tls", "starttls"]
After = Literal["move", "seen", "leave"]
"""What becomes of a report or an automatic answer that was read: moved to ``away``, marked as read, or nothing."""

SEEN, DELETED = r"(\Seen)", r"(\Deleted)"
WORDS_CHARACTERS = 300
LONGEST_LITERAL = LARGEST_BYTES + 1000
"""Servers count a mail's bytes a little differently when they tell its size and when they hand it over."""
_REFUSED = (MailboxLoginError, MailboxFolderSelectError, MailboxFolderCreateError, MailboxStarttlsError)


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox and how it is read. Nothing that arrived before ``since`` is looked at."""

    host: str
    port: int
    encryption: Encryption
    user: str
    password: str = field(repr=False)
    folder: str
    after: After
    away: str
    since: date
    timeout_seconds: float
    ca_file: str | None = None
    networks: Networks = ()
    """Besides the public internet, where it may be."""
    sign_in: SignIn = "password"
    """By ``oauth``: a token is shown instead of the password."""


class _Judged(imaplib.IMAP4):
    """Connects to where a company may send us; TLS still asks for the name that was typed."""

    def __init__(self, account: Account) -> None:
        self._networks = account.networks
        super().__init__(account.host, account.port, account.timeout_seconds)

    def _create_socket(self, timeout: float) -> socket.socket:
        return connected_here(self.host, self.port, self._networks, timeout)


class _JudgedTls(_Judged):
    def __init__(self, account: Account, trusted: ssl.SSLContext) -> None:
        self._trusted = trusted
        super().__init__(account)

    def _create_socket(self, timeout: float) -> socket.socket:
        made = super()._create_socket(timeout)
        try:
            return self._trusted.wrap_socket(made, server_hostname=self.host)
        except BaseException:
            made.close()
            raise


class _JudgedBox(BaseMailBox):
    def __init__(self, account: Account, trusted: ssl.SSLContext) -> None:
        self._account, self._trusted = account, trusted
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        if self._account.encryption == "tls":
            return _JudgedTls(self._account, self._trusted)
        client = _Judged(self._account)
        told = client.starttls(self._trusted)
        if told[0] != "OK":
            raise MailboxStarttlsError(told, "OK")
        return client


class ImapMailbox:
    """Every function raises ``PlaceUnreadable``: ``code`` for programs, ``words`` of the server or the network."""

    name = "imap"

    def __init__(self, account: Account) -> None:
        self.account = account
        self._box: BaseMailBox | None = None
        self._moves: Literal["move", "expunge"] | None = None

    def open(self, token: str = "") -> int:
        """Sign in, by ``token`` where the account says so, and open the folder; answers the validity of its UIDs:
        mails are only named by both."""
        account = self.account
        with _telling("mailbox_unreachable"):
            trusted = ssl.create_default_context()
            if account.ca_file:
                trusted.load_verify_locations(account.ca_file)
            self._box = _JudgedBox(account, trusted)
            bound(self._box.client)
        with _telling("mailbox_login_refused"):
            if account.sign_in == "oauth":
                show(self._box.client, account.user, token)
            else:
                secrets = account.user + account.password
                sign_in = self._box.login if secrets.isascii() else self._box.login_utf8
                sign_in(account.user, account.password, None)
        with _telling("mailbox_silent"):
            able = " ".join(
                told.decode("ascii", "replace").upper() for told in self._box.client.capability()[1] if told
            ).split()
            self._moves = "move" if "MOVE" in able else "expunge" if "UIDPLUS" in able else None
            self._box.folder.set(account.folder, readonly=account.after == "leave")
            return self._box.folder.status(account.folder, ["UIDVALIDITY"])["UIDVALIDITY"]

    def count(self) -> int:
        """How many mails lie in the folder."""
        with _telling("mailbox_silent"):
            return self._open().folder.status(self.account.folder, ["MESSAGES"])["MESSAGES"]

    def uids(self, since: date) -> list[int]:
        """Of what arrived that day or later, the oldest first."""
        with _telling("mailbox_silent"):
            # some servers refuse any charset they are told
            return sorted(int(uid) for uid in self._open().uids(AND(date_gte=since), charset=None))

    def arrived(self, uid: int) -> bytes | None:
        """A mail as it came; empty when it is larger than any report, ``None`` when somebody took it away."""
        client = self._open().client
        with _telling("mailbox_silent"):
            told = _fetched(client.uid("FETCH", str(uid), "(RFC822.SIZE)"))
            if told is None:
                return None
            head = told if isinstance(told, bytes) else told[0]
            if int(head.upper().partition(b"RFC822.SIZE")[2].split(maxsplit=1)[0].rstrip(b")")) > LARGEST_BYTES:
                return b""
            # PEEK: it stays unread for people
            told = _fetched(client.uid("FETCH", str(uid), "(BODY.PEEK[])"))
            return None if told is None or isinstance(told, bytes) else told[1]

    def settle(self, uids: Collection[int]) -> None:
        """Put mails away that were read. A server that cannot move one mail alone marks them as read instead:
        its way to delete them would delete what people had marked too."""
        if not uids or self.account.after == "leave":
            return
        box, named = self._open(), ",".join(map(str, sorted(uids)))
        if self.account.after == "seen" or self._moves is None:
            with _telling("mailbox_silent"):
                _must(box.client.uid("STORE", named, "+FLAGS.SILENT", SEEN))
            return
        with _telling("mailbox_away_folder_refused"):
            if not box.folder.exists(self.account.away):
                box.folder.create(self.account.away)
        with _telling("mailbox_silent"):
            if self._moves == "move":
                _must(box.client.uid("MOVE", named, _folder(self.account.away)))
                return
            _must(box.client.uid("COPY", named, _folder(self.account.away)))
            _must(box.client.uid("STORE", named, "+FLAGS.SILENT", DELETED))
            _must(box.client.uid("EXPUNGE", named))

    def close(self) -> None:
        """Take leave; a server that does not answer any more is left."""
        box, self._box = self._box, None
        if box is not None:
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                box.logout()

    def abort(self) -> None:
        """End at once whatever another thread is waiting for."""
        box, self._box = self._box, None
        if box is not None:
            with suppress(OSError):
                # the library's own way waits for the thread that reads; this way it hears that the line is dead
                socket.socket.shutdown(box.client.socket(), socket.SHUT_RDWR)

    def _open(self) -> BaseMailBox:
        if self._box is None:
            raise PlaceUnreadable("mailbox_silent", "the connection was given up")
        return self._box


def bound(client: imaplib.IMAP4) -> None:
    """A server that announces more than a mail that we asked for is not listened to: ``imaplib`` would hold in
    memory whatever it sends."""
    read_all = client.read

    def read(size: int) -> bytes:
        if size > LONGEST_LITERAL:
            raise client.abort(f"the server wants to send {size} bytes")
        return read_all(size)

    client.read = read  # type: ignore[method-assign]


def show(client: imaplib.IMAP4, user: str, token: str) -> None:
    """Sign in by a token (SASL XOAUTH2). A server that does not take it says why, and waits for an empty answer
    before it says no."""
    answers = iter([f"user={user}\x01auth=Bearer {token}\x01\x01".encode()])
    client.authenticate("XOAUTH2", lambda _: next(answers, b""))


def _folder(name: str) -> str:
    """As IMAP spells it."""
    return bytes(encode_folder(name)).decode("ascii")


def _fetched(answer: tuple[str, Sequence[object]]) -> bytes | tuple[bytes, bytes] | None:
    """The first part of what FETCH told; ``None`` when there is no such mail any more."""
    _must(answer)
    for part in answer[1]:
        if isinstance(part, bytes):
            return part
        if isinstance(part, tuple) and len(part) >= 2:
            return bytes(part[0]), bytes(part[1])
    return None


def _must(answer: tuple[str, Sequence[object]]) -> None:
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(str(answer[1]))


@contextmanager
def _telling(code: str) -> Iterator[None]:
    """What goes wrong on a connection, as trouble of the place; ``code`` where the error says no more."""
    try:
        yield
    except PlaceUnreadable:
        raise
    except AddressRefused as refusal:
        raise PlaceUnreadable("mailbox_inside", refusal.host) from refusal
    except ssl.SSLCertVerificationError as failure:
        raise PlaceUnreadable("mailbox_certificate", failure.verify_message) from failure
    except (
        MailboxLoginError,
        MailboxFolderSelectError,
        MailboxFolderCreateError,
        MailboxStarttlsError,
    ) as refused:
        codes = {MailboxLoginError: "mailbox_login_refused", MailboxFolderSelectError: "mailbox_folder_missing"}
        raise PlaceUnreadable(codes.get(type(refused), code), _words(refused.command_result[1])) from refused
    except imaplib.IMAP4.abort as failure:
        raise PlaceUnreadable("mailbox_silent", _words([str(failure)])) from failure
    except (imaplib.IMAP4.error, ImapToolsError) as failure:
        raise PlaceUnreadable(code, _words([str(failure)])) from failure
    except (OSError, ValueError, LookupError, AttributeError) as failure:
        # imaplib raises the last three on answers that make no sense, and on a connection that was shut meanwhile
        reached = code == "mailbox_login_refused" and isinstance(failure, OSError)
        words = f"{type(failure).__name__}: {failure}"[:WORDS_CHARACTERS]
        raise PlaceUnreadable("mailbox_silent" if reached else code, words) from failure


def _words(told: Sequence[object]) -> str:
    said = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in told if one]
    return " ".join(said)[:WORDS_CHARACTERS]
