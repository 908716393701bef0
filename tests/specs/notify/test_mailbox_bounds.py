"""What a mail server may do to us, which is little: it is named by an administrator of one company."""

import asyncio
import imaplib
import threading
from collections.abc import Iterator
from datetime import date
from typing import Any, cast

import pytest

from services.notify import mailbox_reading, mailboxes
from services.notify.drop_folder import PlaceUnreadable
from services.notify.imap import LONGEST_LITERAL, Account, bound
from services.notify.mailbox_reading import LARGE_BYTES, MailboxReader
from services.notify.settings import NotifySettings

ACCOUNT = Account("imap.example", 993, "tls", "a", "b", "INBOX", "move", "Relance", date(2026, 6, 1), 5)


class Server:
    """Sends as many bytes as it says."""

    abort = imaplib.IMAP4.abort

    def read(self, size: int) -> bytes:
        return b"x" * size


def test_a_mail_that_is_announced_as_larger_than_any_is_not_taken_into_memory() -> None:
    client = cast("imaplib.IMAP4", Server())
    bound(client)
    assert client.read(3) == b"xxx"
    with pytest.raises(imaplib.IMAP4.abort):
        client.read(LONGEST_LITERAL + 1)


class Engine:
    """Of a reader whose mailboxes are given."""

    settings = NotifySettings()

    def __getattr__(self, name: str) -> Any:
        return self


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailboxReader]:
    class Nothing:
        async def __aenter__(self) -> None: ...

        async def __aexit__(self, *_: object) -> None: ...

    async def accounts(tx: object, settings: object) -> dict[str, Account]:
        return {"quick": ACCOUNT, "dripping": ACCOUNT}

    monkeypatch.setattr(mailbox_reading, "transaction", lambda _: Nothing())
    monkeypatch.setattr(mailboxes, "accounts", accounts)
    made = MailboxReader(cast("Any", Engine()), NotifySettings())
    yield made
    made.close()


async def test_a_server_that_never_comes_to_an_end_has_one_turn_and_no_more(
    reader: MailboxReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def empty(company: str, account: Account) -> None:
        if company == "dripping":
            await asyncio.Event().wait()

    told: dict[str, PlaceUnreadable | None] = {}

    async def tell(company: str, place: str, trouble: PlaceUnreadable | None) -> None:
        told[company] = trouble

    monkeypatch.setattr(reader, "_empty", empty)
    reader.turn_seconds = 0.01
    assert await reader.look(tell) == {"quick", "dripping"}
    assert told["quick"] is None
    trouble = told["dripping"]
    assert trouble is not None
    assert trouble.code == "mailbox_silent"


async def test_a_timeout_of_ours_is_not_taken_for_the_servers(
    reader: MailboxReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def empty(company: str, account: Account) -> None:
        raise TimeoutError("PostgreSQL")

    async def tell(company: str, place: str, trouble: PlaceUnreadable | None) -> None:
        raise AssertionError

    monkeypatch.setattr(reader, "_empty", empty)
    with pytest.raises(ExceptionGroup):
        await reader.look(tell)


async def test_large_mails_are_taken_apart_one_after_another(
    reader: MailboxReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four at a time would be more than the memory that a pod has."""
    at_a_time, most = 0, 0
    both = threading.Barrier(2)

    def read(raw: bytes) -> None:
        nonlocal at_a_time, most
        at_a_time += 1
        most = max(most, at_a_time)
        if len(raw) <= LARGE_BYTES:
            both.wait(10)
        at_a_time -= 1

    monkeypatch.setattr(mailbox_reading, "read", read)
    await asyncio.gather(*(reader._understood("delcourt", bytes(LARGE_BYTES + 1)) for _ in range(3)))
    assert most == 1
    await asyncio.gather(*(reader._understood("delcourt", b"small") for _ in range(2)))
    assert most == 2
