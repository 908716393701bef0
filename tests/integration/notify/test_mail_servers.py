"""A company's own mail server: encrypted, signed in to, tried before it is used, and nobody else's affair."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography.fernet import Fernet
from sqlalchemy import text

from chassis.database import transaction
from chassis.embedded import Stack
from chassis.resealing import reseal
from chassis.sealing import Seal
from chassis.server_process import free_port
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import House, MailServer, People, Voices, action, living, synced, until
from tests.serving import closed_at_the_end

USER, PASSWORD = "envoi@delcourt.example", "s3cret é"


@dataclass
class Own:
    """A mail server that takes messages from who signs in only, over an encrypted connection."""

    ports: dict[str, int] = field(default_factory=dict)
    received: list[str] = field(default_factory=list)
    signed_in: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.received += envelope.rcpt_tos
        return "250 Kept"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, kind: str, said: object
    ) -> AuthResult:
        right = isinstance(said, LoginPassword) and (said.login.decode(), said.password.decode()) == (
            USER,
            PASSWORD,
        )
        self.signed_in += right
        return AuthResult(success=right)


@asynccontextmanager
async def listening(own: Own, certificate: Path) -> AsyncIterator[None]:
    import asyncio

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()

    def starttls() -> SMTP:
        return SMTP(
            own, hostname="own", loop=loop, tls_context=tls, require_starttls=True, auth_required=True,
            authenticator=own.authenticate,
        )  # fmt: skip

    def implicit() -> SMTP:
        return SMTP(
            own,
            hostname="own",
            loop=loop,
            auth_required=True,
            auth_require_tls=False,
            authenticator=own.authenticate,
        )

    own.ports = {"starttls": free_port(), "tls": free_port()}
    first = await loop.create_server(starttls, "127.0.0.1", own.ports["starttls"])
    second = await loop.create_server(implicit, "127.0.0.1", own.ports["tls"], ssl=tls)
    with closed_at_the_end(first, second):
        yield


@pytest_asyncio.fixture
async def own(certificate: Path) -> AsyncIterator[Own]:
    server = Own()
    async with listening(server, certificate):
        yield server


@pytest_asyncio.fixture
async def house(  # noqa: PLR0917 - fixtures
    settings: NotifySettings, stack: Stack, voices: Voices, people: People, mails: MailServer, certificate: Path
) -> AsyncIterator[House]:
    knowing = settings.model_copy(update={"smtp_ca_file": certificate, "sealing_key": "new key, old key"})
    async with living(knowing, stack, voices, people, mails) as house:
        yield house
        async with transaction(house.process.engine) as tx:
            await tx.execute(text("delete from mail_server"))  # others' notifies would tend them


async def until_it_has_a_lane(company: str) -> None:
    """What is saved is noticed a moment later."""
    await until(lambda: any(task.get_name() == f"mail server of {company}" for task in asyncio.all_tasks()))


def wanted(own: Own, encryption: str = "starttls", **other: object) -> dict[str, object]:
    server = {"host": "127.0.0.1", "port": own.ports[encryption], "encryption": encryption, "username": USER}
    return server | {"password": PASSWORD} | other


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
async def test_a_company_sends_by_its_own_server_and_the_others_by_the_installations(
    house: House, own: Own, company: str, encryption: str
) -> None:
    other = f"{company}x"
    saved = await house.call(company, "PUT", "/mail-server", json=wanted(own, encryption))
    assert saved.status_code == 200, saved.text
    assert saved.json()["saved"]["has_password"] is True
    assert PASSWORD not in saved.text
    await until_it_has_a_lane(company)
    for whose in (company, other):
        invoice = synced("F1", "C1", "100")
        await house.voices.book(whose, [invoice])
        await house.voices.due(whose, action(whose, "C1", [invoice]))
        await house.until_said(whose, "EmailSent")
    assert own.received == [f"c1@{company}.example"]
    assert own.signed_in == 1
    assert len(house.mails.to(f"c1@{other}.example")) == 1
    assert house.mails.to(f"c1@{company}.example") == []

    assert (await house.call(company, "DELETE", "/mail-server")).status_code == 200
    invoice = synced("F2", "C2", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "C2", [invoice]))
    await house.until_said(company, "EmailSent", 2)


async def test_the_password_lies_sealed_in_the_database(house: House, own: Own, company: str) -> None:
    await house.call(company, "PUT", "/mail-server", json=wanted(own))
    asked = text("select password from mail_server where company = :company")
    async with transaction(house.process.engine) as tx:
        kept = bytes((await tx.execute(asked, {"company": company})).scalar_one())
    assert PASSWORD.encode() not in kept

    # the same host and user: what is left out stays; another host: the password is for nobody else
    again = wanted(own, connections=2)
    del again["password"]
    assert (await house.call(company, "PUT", "/mail-server", json=again)).json()["saved"]["has_password"] is True
    moved = again | {"host": "localhost"}
    assert (await house.call(company, "PUT", "/mail-server", json=moved)).json()["saved"]["has_password"] is False


async def test_a_server_is_tried_before_it_is_used(house: House, own: Own, company: str) -> None:
    async def tried(**how: object) -> tuple[bool, str, str]:
        answer = await house.call(company, "POST", "/mail-server/test", json=how)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return found["ok"], found["step"], found["words"]

    assert await tried(server=wanted(own)) == (True, "connect", "")
    assert await tried(server=wanted(own), to="moi@delcourt.example") == (True, "message", "250 Kept")
    assert own.received == ["moi@delcourt.example"]
    assert (await tried(server=wanted(own, password="wrong")))[:2] == (False, "connect")
    assert (await tried(server=wanted(own, "tls") | {"encryption": "none"}))[:2] == (False, "connect")
    assert (await tried(server=wanted(own, port=9)))[:2] == (False, "connect")
    ok, _, words = await tried(server=wanted(own, host="localhost"))
    assert (ok, "certificate" in words.lower()) == (False, True)
    assert (await tried(to="moi@delcourt.example"))[:2] == (True, "message")  # by the installation's
    assert len(house.mails.to("moi@delcourt.example")) == 1

    assert (await house.call(company, "PUT", "/mail-server", json=wanted(own))).status_code == 200
    assert await tried() == (True, "connect", "")
    elsewhere = wanted(own, host="localhost")
    del elsewhere["password"]
    assert (await tried(server=elsewhere))[0] is False


async def test_a_server_that_is_away_holds_up_nobody_elses_messages(house: House, own: Own, company: str) -> None:
    other = f"{company}y"
    await house.call(company, "PUT", "/mail-server", json=wanted(own, port=9))
    await until_it_has_a_lane(company)
    for whose in (company, other):
        lines = [synced(f"F{n}", f"C{n}", "10") for n in range(4)]
        await house.voices.book(whose, lines)
        await house.voices.due(whose, *(action(whose, line.client_id, [line]) for line in lines))
    await house.until_said(other, "EmailSent", 4)
    part = f"mail server of {company}"
    await until(lambda: part in house.process.health.hindered_by())
    assert await house.said(company, "EmailSent") == []
    await house.call(company, "PUT", "/mail-server", json=wanted(own))
    await house.until_said(company, "EmailSent", 4)
    assert len(own.received) == len(set(own.received)) == 4
    assert part not in house.process.health.hindered_by()


async def test_who_has_an_own_server_is_not_shown_the_trouble_of_the_shared_one(
    house: House, own: Own, company: str
) -> None:
    other = f"{company}z"
    await house.call(company, "PUT", "/mail-server", json=wanted(own))
    await until_it_has_a_lane(company)
    await house.mails.close()
    invoice = synced("F1", "C1", "10")
    await house.voices.book(other, [invoice])
    await house.voices.due(other, action(other, "C1", [invoice]))
    await until(lambda: "mail server" in house.process.health.hindered_by())
    assert (await house.get(company, "/sending"))["hindered_by"] == {}
    assert (await house.get(company, "/mail-server"))["hindered_by"] == {}
    assert list((await house.get(other, "/sending"))["hindered_by"]) == ["mail server"]
    assert list((await house.get(other, "/mail-server"))["hindered_by"]) == ["mail server"]


async def test_only_administrators_see_and_set_it(house: House, own: Own, company: str) -> None:
    """Rule 15.3: configuration is for administrators."""
    headers = house.token(company, role="user")
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test")):
        body = {"json": wanted(own)} if method == "PUT" else {"json": {}} if method == "POST" else {}
        answer = await house.call(company, method, f"/mail-server{path}", headers=headers, **body)
        assert answer.status_code == 403, (method, path)


async def test_it_is_for_those_who_see_every_client(house: House, company: str) -> None:
    """It carries everybody's messages (rule 15.2)."""
    headers = house.token(company, portfolio=["DUPONT"])
    for path in ("/mail-server", "/mailbox", "/dkim"):
        answer = await house.call(company, "GET", path, headers=headers)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "portfolio-insufficient"), (
            path
        )


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "0x7f.1", "localhost"])
async def test_a_server_on_the_inside_is_refused_when_it_is_saved(
    house: House, own: Own, company: str, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(settings_of(house), "mail_networks", "")
    for path in ("/mail-server", "/mailbox"):
        refused = await house.call(company, "PUT", path, json=wanted(own, host=host))
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "host-inside"), path
        assert (await house.get(company, path))["saved"] is None


async def test_a_server_on_the_inside_is_refused_when_it_is_tried_or_used(
    house: House, own: Own, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it was when it was saved: a name may lead elsewhere since."""
    monkeypatch.setattr(settings_of(house), "mail_networks", "")
    tried = await house.call(company, "POST", "/mail-server/test", json={"server": wanted(own)})
    assert (tried.json()["ok"], "not on the public internet" in tried.json()["words"]) == (False, True)
    box = await house.call(company, "POST", "/mailbox/test", json={"mailbox": wanted(own, "tls")})
    assert (box.json()["ok"], box.json()["code"]) == (False, "mailbox_inside")
    assert own.received == []


async def test_secrets_are_sealed_anew_by_the_first_key(house: House, own: Own, company: str) -> None:
    """Given a password sealed by the old key, without the name of its company."""
    process = house.process
    await house.call(company, "PUT", "/mail-server", json=wanted(own))
    old = Fernet(base64.urlsafe_b64encode(sha256(b"old key").digest())).encrypt(PASSWORD.encode())
    write = text("update mail_server set password = :password where company = :company")
    async with transaction(process.engine) as tx:
        await tx.execute(write, {"password": old, "company": company})
    assert (await house.call(company, "POST", "/mail-server/test", json={})).json()["ok"] is True
    done = await reseal(process.engine, Seal("new key, old key"), process.service.sealed)
    assert done.anew >= 1
    async with transaction(process.engine) as tx:
        asked = text("select password from mail_server where company = :company")
        kept = bytes((await tx.execute(asked, {"company": company})).scalar_one())
    assert Seal("new key").open(kept, company=company, purpose="mail-server") == PASSWORD
    assert (await reseal(process.engine, Seal("new key"), process.service.sealed)).anew == 0


def settings_of(house: House) -> NotifySettings:
    settings = house.process.settings
    assert isinstance(settings, NotifySettings)
    return settings


async def test_without_a_sealing_key_no_password_is_kept(  # noqa: PLR0917 - fixtures
    settings: NotifySettings,
    stack: Stack,
    voices: Voices,
    people: People,
    mails: MailServer,
    company: str,
    own: Own,
) -> None:
    async with living(settings, stack, voices, people, mails) as house:
        refused = await house.call(company, "PUT", "/mail-server", json=wanted(own))
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "secrets-not-kept")
        assert (await house.get(company, "/mail-server"))["can_keep_passwords"] is False
        without = wanted(own, password="")
        assert (await house.call(company, "PUT", "/mail-server", json=without)).status_code == 200
        assert (await house.call(company, "DELETE", "/mail-server")).status_code == 200
