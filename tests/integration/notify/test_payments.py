"""The road of an online payment against localstripe (rules 8.6, 19.5), and private links (rule 13.8)."""

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
import uvicorn

from chassis.auth import mint, read_key
from chassis.server_process import free_port
from cli.places import ROOT
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import DAY, House, action, entry_id, living, synced, until

SECRET = "whsec_of_the_company"


@dataclass
class Shop:
    """A company that takes payments, notify on a port of its own, and localstripe."""

    house: House
    company: str
    stripe: str
    notify: str

    def debtor(self, client_id: str = "C1") -> dict[str, str]:
        key = read_key(self.house.stack.private_key_file)
        token = mint(key, "debtor", [self.company], "debtor", client_id=client_id)
        return {"Authorization": f"Bearer {token}", "Relance-As-Of": str(DAY)}

    async def pay(self, *pieces: str, client_id: str = "C1") -> httpx.Response:
        body = {"entry_ids": [entry_id(piece) for piece in pieces], "title": "Factures", "link": "abc"}
        return await self.house.http.post(
            f"/companies/{self.company}/debtor/pay", json=body, headers=self.debtor(client_id)
        )

    async def at_stripe(self, what: str, page: str) -> httpx.Response:
        session = page.rpartition("/")[2]
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.post(f"{self.stripe}/_config/{what}/{session}")


@pytest_asyncio.fixture
async def stripe() -> AsyncIterator[str]:
    """localstripe's own process; it works in its folder, where nothing is kept."""
    port = free_port()
    program = str(Path(__file__).with_name("stripe_server.py"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", program, str(port), env={"PYTHONPATH": str(ROOT)}, cwd="/tmp"
    )
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(trust_env=False) as http:
        async with asyncio.timeout(60):
            while True:
                try:
                    await http.get(f"{address}/js.stripe.com/v3/")
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)
    yield address
    process.kill()
    await process.wait()


@pytest_asyncio.fixture
async def shop(  # noqa: PLR0917 - what notify stands on
    settings: NotifySettings,
    stripe: str,
    company: str,
    tmp_path: Path,
    stack: Any,
    voices: Any,
    people: Any,
    mails: Any,
) -> AsyncIterator[Shop]:
    account = {"api_key": "sk_test_12345", "webhook_secret": SECRET, "minimum": "1"}
    (tmp_path / f"{company}.json").write_text(json.dumps(account))
    knobs = {
        "payments_dir": tmp_path,
        "stripe_url": stripe,
        "space_url": "http://espace.example",
        "link_secret": "s3cret",
    }
    async with living(settings.model_copy(update=knobs), stack, voices, people, mails) as house:
        port = free_port()
        app = house.http._transport.app  # type: ignore[attr-defined]
        config = uvicorn.Config(app, port=port, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        made = Shop(house, company, stripe, f"http://127.0.0.1:{port}")
        async with httpx.AsyncClient(trust_env=False) as http:
            hook = {"url": f"{made.notify}/stripe/{company}", "secret": SECRET}
            (await http.post(f"{stripe}/_config/webhooks/relance", json=hook)).raise_for_status()
        yield made
        server.should_exit = True
        await task


async def test_a_debtor_pays_and_is_not_chased(shop: Shop) -> None:
    """Rules 8.6, 19.5: the page, the money, the webhook twice, one event, the message that waited withheld."""
    house, company = shop.house, shop.company
    lines = [synced("F1", "C1", "1000"), synced("F2", "C1", "200"), synced("F9", "C2", "77")]
    heard = await house.voices.book(company, lines)
    await house.get(company, "/sending", heard)
    page = (await shop.pay("F1")).json()
    assert (page["amount"], page["currency"]) == ("1000.0000", "EUR")
    assert (await shop.pay("F1")).json()["url"] == page["url"], "the same page while nothing changed"
    assert (await shop.pay("F9")).json()["type"] == "entry-settled", "another's line is not there"

    (await shop.at_stripe("pay", page["url"])).raise_for_status()
    (paid,) = await house.until_said(company, "PaymentLinkPaid")
    assert (Decimal(paid["amount"]), paid["client_id"]) == (Decimal(1000), "C1")
    assert [line["entry_id"] for line in paid["entries"]] == [entry_id("F1")]
    await shop.at_stripe("again", page["url"])
    await asyncio.sleep(1.5)
    assert len(await house.said(company, "PaymentLinkPaid")) == 1

    again = await shop.pay("F1")
    assert (again.status_code, again.json()["type"]) == (409, "entry-paid")
    offered = await house.http.get(f"/companies/{company}/debtor/payments", headers=shop.debtor())
    assert offered.json() == {"offered": True, "paid": {entry_id("F1"): str(DAY)}}
    one = action(company, "C1", lines[:1])
    await house.voices.due(company, one)
    (held,) = await house.until_said(company, "MessageWithheld")
    assert held["reason"] == "paid_online"
    kept = await house.get(company, "/payments", client_id="C1")
    assert [payment["state"] for payment in kept["payments"]] == ["paid"]


async def test_the_amount_follows_accounting_and_old_pages_close(shop: Shop) -> None:
    """Rules 7.8, 19.5, 19.8: a partial payment makes a new page; the old one can be paid no more."""
    house, company = shop.house, shop.company
    heard = await house.voices.book(company, [synced("F1", "C1", "1000")])
    await house.get(company, "/sending", heard)
    before = (await shop.pay("F1")).json()
    heard = await house.voices.book(company, [synced("F1", "C1", "1000"), synced("P1", "C1", "-400")])
    await house.get(company, "/sending", heard)
    after = (await shop.pay("F1")).json()
    assert (before["amount"], after["amount"]) == ("1000.0000", "600.0000")
    assert after["url"] != before["url"]
    assert (await shop.at_stripe("pay", before["url"])).status_code == 400
    (await shop.at_stripe("pay", after["url"])).raise_for_status()
    (paid,) = await house.until_said(company, "PaymentLinkPaid")
    assert {line["entry_id"] for line in paid["entries"]} == {entry_id("F1"), entry_id("P1")}


async def test_only_the_accounts_own_signature_is_heard(shop: Shop) -> None:
    """Forged, stale, of another company: nothing is said."""
    house, company = shop.house, shop.company
    heard = await house.voices.book(company, [synced("F1", "C1", "10")])
    await house.get(company, "/sending", heard)
    await shop.pay("F1")
    kept = await house.get(company, "/payments", client_id="C1")
    session = {
        "client_reference_id": kept["payments"][0]["payment_id"],
        "currency": "eur",
        "amount_total": 1000,
        "payment_status": "paid",
        "object": "checkout.session",
    }
    told = {"object": "event", "id": "evt_1", "type": "checkout.session.completed", "created": int(time.time())}
    payload = json.dumps({**told, "data": {"object": session}}).encode()

    async def post(secret: str, at: int, where: str = company) -> int:
        signed = hmac.new(secret.encode(), b"%d.%s" % (at, payload), hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={at},v1={signed}"}
        return (await house.http.post(f"/stripe/{where}", content=payload, headers=headers)).status_code

    now = int(time.time())
    assert await post("whsec_other", now) == 400
    assert await post(SECRET, now - 3600) == 400
    assert await post(SECRET, now, "another") == 404
    assert await house.said(company, "PaymentLinkPaid") == []
    assert await post(SECRET, now) == 204
    assert len(await house.said(company, "PaymentLinkPaid")) == 1


async def test_a_mail_carries_a_link_that_opens_and_a_preview_one_that_does_not(shop: Shop) -> None:
    """Rules 13.3, 13.8: the real link leaves; whoever looks at a preview is no debtor."""
    house, company = shop.house, shop.company
    text = {"name": "R1", "medium": "email", "language": "fr", "subject": "Relance", "kind": "reminder"}
    saved = await house.call(company, "PUT", "/templates", json={**text, "body": "Bonjour,\n\n%debtor_space%\n"})
    assert saved.status_code == 200, saved.text
    lines = [synced("F1", "C1", "100")]
    heard = await house.voices.book(company, lines)
    one = action(company, "C1", lines)
    heard += await house.voices.proposed(company, one)
    preview = await house.get(company, "/preview", heard, action_id=str(one.action_id))
    assert "http://espace.example/d/exemple" in preview["text"]
    await house.voices.due(company, one)
    await house.until_said(company, "EmailSent")
    told = await house.get(company, "/message", action_id=str(one.action_id))
    link = told["text"].partition("http://espace.example/d/")[2].split()[0]

    async def opened(shown: str, on: Any = DAY) -> httpx.Response:
        headers = {"Relance-As-Of": str(on)}
        return await house.http.post("/debtor-links/open", json={"link": shown}, headers=headers)

    good = await opened(link)
    assert (good.status_code, good.json()["client_id"]) == (200, "C1")
    assert (await opened("exemple")).json()["type"] == "link-forged"
    assert (await opened(link, DAY + timedelta(days=60))).status_code == 200
    assert (await opened(link, DAY + timedelta(days=61))).json()["type"] == "link-expired"
    await house.call(company, "POST", "/debtor-links/revoke", json={"client_id": "C1"})
    assert (await opened(link)).json()["type"] == "link-revoked"
    made = (await house.call(company, "POST", "/debtor-links", json={"client_id": "C1"})).json()["url"]
    assert (await opened(made.rpartition("/")[2])).status_code == 200
