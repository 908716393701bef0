"""What comes back is read from a company's mailbox by IMAP, once, and put away after it is recorded."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from chassis.database import transaction
from chassis.embedded import Stack
from services.notify.imap import Account, ImapMailbox
from services.notify.mailbox_reading import MailboxReader
from services.notify.reports import reading
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import PATIENCE_SECONDS, House, MailServer, People, Voices, living, until
from tests.integration.notify.imap_server import AWAY, PASSWORD, USER, Mailbox, mailbox
from tests.integration.notify.test_what_comes_back import sent, until_trouble
from tests.specs.notify.given_reports import delivery_report

NEWSLETTER = b"From: news@shop.example\nTo: retours@delcourt.example\nMessage-ID: <n1@shop.example>\n\nSoldes\n"


@pytest_asyncio.fixture
async def box(certificate: Path) -> AsyncIterator[Mailbox]:
    async with mailbox(certificate) as found:
        yield found


@pytest.fixture
def settings(settings: NotifySettings, certificate: Path) -> NotifySettings:
    knows = {"smtp_ca_file": certificate, "sealing_key": "new key, old key", "imap_timeout_seconds": 8}
    return settings.model_copy(update=knows | {"reports_pause_seconds": 0.2})


@pytest_asyncio.fixture
async def house(
    settings: NotifySettings, stack: Stack, voices: Voices, people: People, mails: MailServer
) -> AsyncIterator[House]:
    async with living(settings, stack, voices, people, mails) as house:
        yield house
        async with transaction(house.process.engine) as tx:
            await tx.execute(text("delete from mailbox_account"))  # others' notifies would read them


def wanted(box: Mailbox, encryption: str = "tls", **other: Any) -> dict[str, Any]:
    account = {"host": "127.0.0.1", "port": box.ports[encryption], "encryption": encryption, "username": USER}
    return account | {"password": PASSWORD} | other


async def set_up(house: House, company: str, box: Mailbox, **other: Any) -> None:
    answer = await house.call(company, "PUT", "/mailbox", json=wanted(box, **other))
    assert answer.status_code == 200, answer.text
    assert PASSWORD not in answer.text


async def until_lying(box: Mailbox, folder: str, uids: int) -> dict[int, bool]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await box.lying(folder)
            if len(found) == uids:
                return found
            await asyncio.sleep(0.05)


def dead(company: str, message_id: str, named: str = "a") -> bytes:
    to = f"dead@{company}.example"
    return delivery_report("5.1.1", "550 5.1.1 User unknown", to=to, message_id=message_id, named=named)


@pytest.mark.parametrize("encryption", ["tls", "starttls"])
async def test_reports_move_away_and_what_is_not_ours_stays_unread(
    house: House, company: str, box: Mailbox, encryption: str
) -> None:
    (message_id,) = await sent(house, company, "DEAD")
    await box.arrives(dead(company, message_id))
    stays = await box.arrives(NEWSLETTER)
    await set_up(house, company, box, encryption=encryption)
    (bounced,) = await house.until_said(company, "EmailBounced")
    assert (bounced["client_id"], bounced["kind"]) == ("DEAD", "hard")
    assert len(await until_lying(box, AWAY, 1)) == 1
    assert await box.lying() == {stays: False}
    await until_trouble(house, company, None)
    told = await house.get(company, "/mailboxes")
    assert [one["place"] for one in told["places"]] == ["imap"]
    assert told["last_days"]["unknown"] == {"bound": 0, "unbound": 1}


async def test_a_mail_counts_once_whatever_the_server_does_to_its_uids(
    house: House, company: str, box: Mailbox
) -> None:
    """Left in place, marked as read, copied, named anew: it is one bounce."""
    (message_id,) = await sent(house, company, "DEAD")
    uid = await box.arrives(dead(company, message_id))
    await set_up(house, company, box, after="seen")
    await house.until_said(company, "EmailBounced")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await box.lying())[uid]:  # noqa: ASYNC110 - a mailbox knows no event
            await asyncio.sleep(0.05)
    await box.made_anew()
    await box.arrives(b"Delivered-To: again@b.example\n" + dead(company, message_id))
    before = box.connections
    await until(lambda: box.connections > before + 2)
    assert len(await house.said(company, "EmailBounced")) == 1
    assert (await house.get(company, "/mailboxes"))["last_days"]["hard"] == {"bound": 1, "unbound": 0}


async def test_killed_before_it_was_put_away_it_is_put_away_and_not_read_again(  # noqa: PLR0917 - fixtures
    settings: NotifySettings,
    stack: Stack,
    voices: Voices,
    people: People,
    mails: MailServer,
    company: str,
    box: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        """Nothing of this process runs any more."""

    def dies(self: ImapMailbox, uids: object) -> None:
        raise Killed

    read: list[int] = []
    reads = ImapMailbox.arrived

    def counted(self: ImapMailbox, uid: int) -> bytes | None:
        read.append(uid)
        return reads(self, uid)

    monkeypatch.setattr(ImapMailbox, "arrived", counted)
    with monkeypatch.context() as dying:
        dying.setattr(ImapMailbox, "settle", dies)
        async with living(settings, stack, voices, people, mails) as house:
            (message_id,) = await sent(house, company, "DEAD")
            uid = await box.arrives(dead(company, message_id))
            await set_up(house, company, box)
            await house.until_said(company, "EmailBounced")
        assert await box.lying() == {uid: False}
    async with living(settings, stack, voices, people, mails) as house:
        await until_lying(box, AWAY, 1)
        assert len(await house.said(company, "EmailBounced")) == 1
        await house.call(company, "DELETE", "/mailbox")
    assert read.count(uid) == 1


async def test_a_mailbox_that_cannot_be_read_is_told_and_loses_nothing(
    house: House, company: str, box: Mailbox
) -> None:
    (message_id,) = await sent(house, company, "DEAD")
    await set_up(house, company, box, password="wrong")
    await until_trouble(house, company, "mailbox_login_refused")
    assert f"imap of {company}" in house.process.health.hindered_by()
    await box.arrives(dead(company, message_id))
    await set_up(house, company, box)
    await house.until_said(company, "EmailBounced")
    await until_trouble(house, company, None)
    assert f"imap of {company}" not in house.process.health.hindered_by()
    await set_up(house, company, box, folder="Nulle part")
    await until_trouble(house, company, "mailbox_folder_missing")
    assert (await house.call(company, "DELETE", "/mailbox")).status_code == 200
    await until(lambda: f"imap of {company}" not in house.process.health.hindered_by())
    assert (await house.get(company, "/mailboxes"))["places"] == []


async def test_a_mailbox_is_tried_before_it_is_read(house: House, company: str, box: Mailbox) -> None:
    async def tried(**how: object) -> tuple[bool, str | None, int | None]:
        answer = await house.call(company, "POST", "/mailbox/test", json=how)
        assert answer.status_code == 200, answer.text
        return answer.json()["ok"], answer.json()["code"], answer.json()["mails"]

    await box.arrives(NEWSLETTER)
    assert await tried(mailbox=wanted(box)) == (True, None, 1)
    assert (await tried(mailbox=wanted(box, password="wrong")))[1] == "mailbox_login_refused"
    assert (await tried(mailbox=wanted(box, port=9)))[1] == "mailbox_unreachable"
    assert (await tried(mailbox=wanted(box, host="localhost")))[1] == "mailbox_certificate"
    assert (await tried(mailbox=wanted(box, folder="Nulle part")))[1] == "mailbox_folder_missing"
    # encrypted where the server is not, and the other way round
    assert (await tried(mailbox=wanted(box, port=box.ports["starttls"])))[0] is False
    assert await box.lying() == {101: False}
    # the saved password serves the same host and user alone
    await set_up(house, company, box)
    again = wanted(box)
    del again["password"]
    assert (await tried(mailbox=again))[:2] == (True, None)
    assert (await tried())[:2] == (True, None)
    assert (await tried(mailbox=again | {"host": "localhost"}))[0] is False
    into_itself = await house.call(company, "PUT", "/mailbox", json=wanted(box, away="INBOX"))
    assert into_itself.json()["type"].rpartition("/")[2] == "mailbox-into-itself"


async def test_the_password_lies_sealed_and_only_administrators_see_the_mailbox(
    house: House, company: str, box: Mailbox
) -> None:
    """Rule 15.3."""
    await set_up(house, company, box)
    asked = text("select password from mailbox_account where company = :company")
    async with transaction(house.process.engine) as tx:
        kept = bytes((await tx.execute(asked, {"company": company})).scalar_one())
    assert PASSWORD.encode() not in kept
    headers = house.token(company, role="user")
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test")):
        body = {"json": wanted(box)} if method == "PUT" else {"json": {}} if method == "POST" else {}
        answer = await house.call(company, method, f"/mailbox{path}", headers=headers, **body)
        assert answer.status_code == 403, (method, path)


async def test_one_mailbox_that_fails_for_an_unforeseen_reason_holds_up_no_other(
    house: House, company: str, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given two mailboxes, one of which ends the look in a way that nobody foresaw."""
    other = f"{company}z"
    arrived = MailboxReader._read_all

    async def odd(reader: MailboxReader, whose: str, account: Account, open_box: ImapMailbox) -> None:
        if whose == company:
            raise KeyError("unforeseen")
        await asyncio.sleep(0.05)  # it fails while the other is read
        await arrived(reader, whose, account, open_box)

    monkeypatch.setattr(MailboxReader, "_read_all", odd)
    await set_up(house, company, box)
    await set_up(house, other, box)
    await until_trouble(house, company, "reading_failed")
    await box.arrives(NEWSLETTER)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(one["read_at"] for one in (await house.get(other, "/mailboxes"))["places"]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert [one["trouble"] for one in (await house.get(other, "/mailboxes"))["places"]] == [None]


async def until_unread(house: House, company: str, wanted: list[tuple[str, int]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            told = (await house.get(company, "/mailboxes"))["unread"]
            if [(one["trouble"], one["mails"]) for one in told] == wanted:
                return
            await asyncio.sleep(0.05)


async def test_mails_that_nobody_could_read_are_told_until_they_lie_there_no_more(
    house: House, company: str, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any of them may be a client's answer. One that ends the reading in an unforeseen way holds up no other."""
    whole = reading.read

    def odd(raw: bytes) -> reading.Report:
        if b"n1@shop.example" in raw:
            raise KeyError("unforeseen")
        return whole(raw)

    monkeypatch.setattr("services.notify.mailbox_reading.read", odd)
    monkeypatch.setattr("services.notify.imap.LARGEST_BYTES", 5000)
    await box.arrives(NEWSLETTER)
    await box.arrives(NEWSLETTER.replace(b"n1@", b"n2@") + b"x" * 6000)
    await box.arrives(NEWSLETTER.replace(b"n1@", b"n3@"))
    await set_up(house, company, box)
    await until_unread(house, company, [("too_large", 1), ("unreadable", 1)])
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await house.get(company, "/mailboxes"))["last_days"] == {}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await box.emptied()
    await until_unread(house, company, [])
