"""DKIM: signed with the company's own key where its domain shows it, and as a receiver would verify it."""

from typing import Any

import dkim
import pytest
import pytest_asyncio
from sqlalchemy import text

from chassis.database import transaction
from chassis.embedded import Stack
from services.notify import signing
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import House, MailServer, People, Voices, action, living, synced
from tests.integration.notify.test_cash_report import send

DOMAIN = "delcourt.example"


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """TXT records by name."""
    shown: dict[str, str] = {}
    monkeypatch.setattr(signing, "look_up", lambda name: [shown[name]] if name in shown else [])
    return shown


@pytest_asyncio.fixture
async def house(settings: NotifySettings, stack: Stack, voices: Voices, people: People, mails: MailServer) -> Any:
    sealing = settings.model_copy(update={"sealing_key": "a key"})
    async with living(sealing, stack, voices, people, mails) as house:
        yield house


async def sent(house: House, company: str, client: str) -> bytes:
    """A reminder as the mail server got it."""
    invoice = synced(f"F{client}", client, "100")
    await house.voices.book(company, [invoice])
    before = len(await house.said(company, "EmailSent"))
    await house.voices.due(company, action(company, client, [invoice]))
    await house.until_said(company, "EmailSent", before + 1)
    (mail,) = house.mails.to(f"{client}@{company}.example".lower())
    raw = house.mails.store.raw(mail.id)
    assert raw is not None
    return raw


async def test_a_message_is_signed_once_the_domain_shows_the_key(
    house: House, company: str, dns: dict[str, str]
) -> None:
    await house.call(company, "PUT", "/sender", json={"email": f"compta@{DOMAIN}", "reply_to": f"anne@{DOMAIN}"})
    made = (await house.call(company, "PUT", "/dkim", json={"domain": DOMAIN, "selector": "r1"})).json()["key"]
    assert made["record"]["name"] == f"r1._domainkey.{DOMAIN}"
    assert b"DKIM-Signature" not in await sent(house, company, "C1")

    refused = await house.call(company, "POST", "/dkim/switch", json={"active": True})
    assert (refused.status_code, refused.json()["type"]) == (409, "dkim-not-published")
    dns[made["record"]["name"]] = made["record"]["value"]
    assert (await house.call(company, "POST", "/dkim/switch", json={"active": True})).status_code == 200

    raw = await sent(house, company, "C2")
    assert raw.startswith(b"DKIM-Signature:")
    record = made["record"]["value"].encode()
    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: record)
    assert not dkim.verify(raw.replace(b"Bonjour", b"Bonsoir"), dnsfunc=lambda name, timeout=5: record)
    assert not dkim.verify(raw.replace(b"Subject: ", b"Subject: X"), dnsfunc=lambda name, timeout=5: record)
    kept = await house.call(
        company, "GET", "/message/eml", params={"action_id": str((await house.said(company))[-1]["action_id"])}
    )
    assert kept.content == raw

    await house.call(company, "POST", "/dkim/switch", json={"active": False})
    assert b"DKIM-Signature" not in await sent(house, company, "C3")


async def test_only_what_is_written_in_the_keys_domain_is_signed(house: House, company: str) -> None:
    await house.call(company, "PUT", "/dkim", json={"domain": DOMAIN})
    await house.call(company, "POST", "/dkim/switch", json={"active": True, "unseen": True})
    assert b"DKIM-Signature" not in await sent(house, company, "C1")
    await house.call(company, "PUT", "/sender", json={"email": f"compta@mail.{DOMAIN}"})
    assert b"d=delcourt.example" in await sent(house, company, "C2")


async def test_the_daily_report_is_signed_as_messages_are(
    house: House, company: str, dns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 15.4: or a domain that asks for signatures has its own people's reports refused."""
    await house.call(company, "PUT", "/sender", json={"email": f"compta@{DOMAIN}"})
    record = (await house.call(company, "PUT", "/dkim", json={"domain": DOMAIN})).json()["key"]["record"]

    async def reported(to: str) -> bytes:
        assert (await send(house, company, to=to)).json()["state"] == "sent"
        (mail,) = house.mails.to(to)
        return house.mails.store.raw(mail.id) or b""

    assert b"DKIM-Signature" not in await reported(f"before@{company}.example")
    dns[record["name"]] = record["value"]
    await house.call(company, "POST", "/dkim/switch", json={"active": True})
    raw = await reported(f"after@{company}.example")
    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: record["value"].encode())

    monkeypatch.setattr(house.process.settings, "sealing_key", "another key")
    refused = await send(house, company, to=f"shut@{company}.example")
    assert (refused.status_code, refused.json()["type"]) == (409, "secret-unreadable")
    assert not house.mails.to(f"shut@{company}.example")


async def test_the_private_key_lies_sealed_and_is_never_told(house: House, company: str) -> None:
    told = await house.call(company, "PUT", "/dkim", json={"domain": DOMAIN})
    assert "PRIVATE" not in told.text
    assert (await house.call(company, "PUT", "/dkim", json={"domain": "not a domain"})).status_code == 422
    async with transaction(house.process.engine) as tx:
        asked = text("select private_key from dkim_key where company = :company")
        assert b"PRIVATE" not in bytes((await tx.execute(asked, {"company": company})).scalar_one())
    for method, path in (("GET", "/dkim"), ("PUT", "/dkim"), ("POST", "/dkim/switch"), ("DELETE", "/dkim")):
        body = {"GET": None, "DELETE": None, "PUT": {"domain": DOMAIN}, "POST": {"active": False}}[method]
        headers = house.token(company, role="user")
        assert (await house.call(company, method, path, headers=headers, json=body)).status_code == 403
    assert (await house.call(company, "DELETE", "/dkim")).status_code == 200
    assert (await house.get(company, "/dkim")) == {"key": None}
