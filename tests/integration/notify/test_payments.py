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
import pytest
import pytest_asyncio
from sqlalchemy import text

from chassis.auth import mint, read_key
from chassis.database import transaction
from chassis.server_process import free_port
from cli.places import ROOT
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import DAY, House, action, entry_id, living, synced
from tests.serving import listening, port_of, serving
from tests.waiting import comes_true

SECRET = "whsec_of_the_company"
INTENTS = text("select intent from payment where company = :c order by intent")


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

    async def payments(self, state: str, count: int, client_id: str = "C1") -> list[dict[str, Any]]:
        """Those of the client in this state, once there are so many."""
        found: list[dict[str, Any]] = []

        async def there() -> bool:
            kept = await self.house.get(self.company, "/payments", client_id=client_id)
            found[:] = [one for one in kept["payments"] if one["state"] == state]
            return len(found) >= count

        await comes_true(there, f"{count} payments are {state}")
        return found

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
        app = house.http._transport.app  # type: ignore[attr-defined]
        listener = listening()
        async with serving(app, listener, log_level="error"):
            made = Shop(house, company, stripe, f"http://127.0.0.1:{port_of(listener)}")
            async with httpx.AsyncClient(trust_env=False) as http:
                hook = {"url": f"{made.notify}/stripe/{company}", "secret": SECRET}
                (await http.post(f"{stripe}/_config/webhooks/relance", json=hook)).raise_for_status()
            yield made


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


async def test_two_clicks_at_once_open_one_page(shop: Shop) -> None:
    """Rule 19.5: two open pages could be paid both."""
    house, company = shop.house, shop.company
    heard = await house.voices.book(company, [synced("F1", "C1", "1000"), synced("F2", "C1", "200")])
    await house.get(company, "/sending", heard)
    answers = await asyncio.gather(*(shop.pay("F1") for _ in range(4)))
    assert [one.status_code for one in answers] == [200] * 4
    assert len({one.json()["url"] for one in answers}) == 1
    wider = await asyncio.gather(shop.pay("F1", "F2"), shop.pay("F2"), shop.pay("F1"))
    assert [one.status_code for one in wider] == [200] * 3
    pages = {one.json()["url"] for one in (*answers, *wider)}
    paid = [page for page in pages if (await shop.at_stripe("pay", page)).is_success]
    of_paid = await shop.payments("paid", len(paid))
    lines = [line["entry_id"] for one in of_paid for line in one["entries"]]
    assert len(lines) == len(set(lines)), "no line can be paid on two pages"


async def test_a_page_that_was_just_paid_is_followed_by_no_other(shop: Shop) -> None:
    """Rule 19.5: the money is there, its webhook is on the way."""
    house, company = shop.house, shop.company
    lines = [synced("F1", "C1", "1000"), synced("F2", "C1", "200")]
    heard = await house.voices.book(company, lines)
    await house.get(company, "/sending", heard)
    page = (await shop.pay("F1")).json()
    await shop.at_stripe("pay_untold", page["url"])
    refused = await shop.pay("F1", "F2")
    assert (refused.status_code, refused.json()["type"]) == (409, "entry-paid")


async def test_what_was_paid_twice_all_the_same_is_named_for_refund_until_it_went_back(shop: Shop) -> None:
    """Rules 8.6, 19.5, with hand-made events: two pages from before there was one at a time."""
    house, company = shop.house, shop.company
    heard = await house.voices.book(company, [synced("F1", "C1", "1000"), synced("F2", "C1", "200")])
    await house.get(company, "/sending", heard)
    await shop.pay("F1")
    first, cents = await in_cents(shop)
    async with transaction(house.process.engine, company) as tx:
        closed = text("update payment set state = 'closed' where company = :c")
        await tx.execute(closed, {"c": company})
    await shop.pay("F1", "F2")
    second, both = await in_cents(shop)
    now = int(time.time())
    tellings = ((first, cents, "pi_1"), (second, both, "pi_2"))
    for payment_id, amount, intent in tellings:
        told = moved("checkout.session.completed", session_of(payment_id, amount, intent), now)
        assert await hear(shop, told) == 204
    before, after = await house.said(company, "PaymentLinkPaid")
    assert (before["paid_before"], after["paid_before"]) == ([], [entry_id("F1")])
    (wrong,) = (await house.get(company, "/payments/to-refund"))["payments"]
    assert (wrong["payment_id"], wrong["client_id"], Decimal(wrong["surplus"])) == (second, "C1", Decimal(1000))
    rows = {one["payment_id"]: one for one in await shop.payments("paid", 2)}
    assert [Decimal(rows[one]["surplus"]) for one in (first, second)] == [0, 1000]

    part = {"payment_intent": "pi_2", "currency": "eur", "amount": both, "amount_refunded": 40_000}
    await hear(shop, moved("charge.refunded", {"id": "ch_2", **part}, now + 1))
    (wrong,) = (await house.get(company, "/payments/to-refund"))["payments"]
    assert Decimal(wrong["surplus"]) == 600
    await hear(shop, moved("charge.refunded", {"id": "ch_2", **part, "amount_refunded": cents}, now + 2))
    assert (await house.get(company, "/payments/to-refund"))["payments"] == []
    assert (await shop.pay("F1")).json()["type"] == "entry-paid", "the first payment holds it"


async def test_a_payment_from_before_its_moneys_name_was_kept_is_found_when_it_goes_back(shop: Shop) -> None:
    """Rule 8.6: Stripe knows which page the money came by."""
    house, company = shop.house, shop.company
    heard = await house.voices.book(company, [synced("F1", "C1", "1000"), synced("F2", "C2", "50")])
    await house.get(company, "/sending", heard)
    pages = {}
    for piece, client_id in (("F1", "C1"), ("F2", "C2")):
        pages[piece] = (await shop.pay(piece, client_id=client_id)).json()["url"]
        await shop.at_stripe("pay", pages[piece])
    await house.until_said(company, "PaymentLinkPaid", 2)
    async with transaction(house.process.engine, company) as tx:
        named = await tx.scalars(
            text("select intent from payment where company = :c order by intent"), {"c": company}
        )
        intents = list(named)
        await tx.execute(text("update payment set intent = null where company = :c"), {"c": company})
    (await shop.at_stripe("refund", pages["F1"])).raise_for_status()
    (back,) = await house.until_said(company, "PaymentReturned")
    assert (back["client_id"], back["freed"]) == ("C1", [entry_id("F1")])
    async with transaction(house.process.engine, company) as tx:
        named = await tx.scalars(
            text("select intent from payment where company = :c order by intent"), {"c": company}
        )
        assert list(named) == intents, "others of before are named as well"


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
    body = {"name": "R1", "medium": "email", "language": "fr", "subject": "Relance", "kind": "reminder"}
    saved = await house.call(company, "PUT", "/templates", json={**body, "body": "Bonjour,\n\n%debtor_space%\n"})
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


def moved(kind: str, about: dict[str, Any], at: int) -> bytes:
    """An event as Stripe tells it, about a charge, a refund or a dispute."""
    told = {"object": "event", "id": f"evt_{kind}_{at}", "type": kind, "created": at, "data": {"object": about}}
    return json.dumps(told).encode()


async def hear(shop: Shop, payload: bytes) -> int:
    at = int(time.time())
    signed = hmac.new(SECRET.encode(), b"%d.%s" % (at, payload), hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={at},v1={signed}"}
    answer = await shop.house.http.post(f"/stripe/{shop.company}", content=payload, headers=headers)
    return answer.status_code


async def in_cents(shop: Shop, client_id: str = "C1") -> tuple[str, int]:
    """The newest payment's name, and what it asks for."""
    (payment, *_) = (await shop.house.get(shop.company, "/payments", client_id=client_id))["payments"]
    return payment["payment_id"], int(Decimal(payment["amount"]) * 100)


def session_of(payment_id: str, cents: int, intent: str, status: str = "paid") -> dict[str, Any]:
    return {
        "client_reference_id": payment_id,
        "currency": "eur",
        "amount_total": cents,
        "payment_status": status,
        "payment_intent": intent,
    }


async def test_what_is_given_back_is_owed_again(shop: Shop) -> None:
    """Rule 8.6, by localstripe's own refunds: a part that is one invoice, then the rest; told again, once said."""
    house, company = shop.house, shop.company
    lines = [synced("F1", "C1", "1000"), synced("F2", "C1", "200")]
    heard = await house.voices.book(company, lines)
    await house.get(company, "/sending", heard)
    page = (await shop.pay("F1", "F2")).json()
    (await shop.at_stripe("pay", page["url"])).raise_for_status()
    await house.until_said(company, "PaymentLinkPaid")

    (await shop.at_stripe("refund", f"{page['url']}?amount=20000")).raise_for_status()
    (part,) = await house.until_said(company, "PaymentReturned")
    assert (Decimal(part["amount"]), part["why"]) == (Decimal(200), "refunded")
    assert (part["freed"], part["held"]) == ([entry_id("F2")], [entry_id("F1")])

    async def only_the_first_is_paid() -> bool:
        answer = await house.http.get(f"/companies/{company}/debtor/payments", headers=shop.debtor())
        return set(answer.json()["paid"]) == {entry_id("F1")}

    await comes_true(only_the_first_is_paid, "the second line is owed again")
    one = action(company, "C1", lines[1:])
    await house.voices.due(company, one)
    await house.until_said(company, "EmailSent")
    assert (await shop.pay("F2")).json()["amount"] == "200.0000", "and may be paid again"

    (await shop.at_stripe("refund", f"{page['url']}?amount=100000")).raise_for_status()
    said = await house.until_said(company, "PaymentReturned", 2)
    assert set(said[-1]["freed"]) == {entry_id("F1"), entry_id("F2")}
    kept = (await house.get(company, "/payments", client_id="C1"))["payments"]
    assert Decimal(next(row["returned"] for row in kept if row["state"] == "paid")) == Decimal(1200)


async def test_a_refund_that_is_told_before_the_payment_counts_when_the_payment_is_told(shop: Shop) -> None:
    """Rule 8.6: the provider keeps no order and tells things again."""
    house, company = shop.house, shop.company
    heard = await house.voices.book(company, [synced("F1", "C1", "1000")])
    await house.get(company, "/sending", heard)
    await shop.pay("F1")
    payment_id, cents = await in_cents(shop)
    now = int(time.time())
    charge = {"id": "ch_1", "payment_intent": "pi_1", "currency": "eur", "amount": cents, "amount_refunded": cents}
    assert await hear(shop, moved("charge.refunded", charge, now)) == 204
    assert await house.said(company, "PaymentReturned") == []
    paid = moved("checkout.session.completed", session_of(payment_id, cents, "pi_1"), now - 60)
    for payload in (paid, paid, moved("charge.refunded", charge, now)):
        assert await hear(shop, payload) == 204
    said = [one["type"] for one in await house.said(company) if one["type"].startswith("Payment")]
    assert said == ["PaymentLinkPaid", "PaymentReturned"]


@pytest.mark.parametrize(("kind", "status"), [("refund.failed", "failed"), ("refund.updated", "canceled")])
async def test_a_refund_that_did_not_take_place_leaves_the_line_paid(shop: Shop, kind: str, status: str) -> None:
    """Rule 8.6: it failed, or was cancelled; a refund that only goes on says nothing."""
    house, company = shop.house, shop.company
    heard = await house.voices.book(company, [synced("F1", "C1", "1000")])
    await house.get(company, "/sending", heard)
    await shop.pay("F1")
    payment_id, cents = await in_cents(shop)
    now = int(time.time())
    money = {"payment_intent": "pi_1", "currency": "eur", "amount": cents}
    await hear(shop, moved("checkout.session.completed", session_of(payment_id, cents, "pi_1"), now))
    await hear(shop, moved("charge.refunded", {"id": "ch_1", **money, "amount_refunded": cents}, now + 1))
    await hear(shop, moved("refund.updated", {"id": "re_1", **money, "status": "pending"}, now + 2))
    (row,) = (await house.get(company, "/payments", client_id="C1"))["payments"]
    assert int(Decimal(row["returned"]) * 100) == cents
    await hear(shop, moved(kind, {"id": "re_1", **money, "status": status}, now + 3))
    (row,) = (await house.get(company, "/payments", client_id="C1"))["payments"]
    assert Decimal(row["returned"]) == 0


async def test_a_disputed_payment_is_asked_for_again_only_when_it_is_lost(shop: Shop) -> None:
    """Rule 8.6, with hand-made events: localstripe knows no disputes. The day it opens, the day it is lost, late
    tellings."""
    house, company = shop.house, shop.company
    heard = await house.voices.book(company, [synced("F1", "C1", "1000"), synced("F2", "C2", "50")])
    await house.get(company, "/sending", heard)
    now = int(time.time())
    for client_id, piece, intent, end in (("C1", "F1", "pi_lost", "lost"), ("C2", "F2", "pi_won", "won")):
        await shop.pay(piece, client_id=client_id)
        payment_id, cents = await in_cents(shop, client_id)
        await hear(shop, moved("checkout.session.completed", session_of(payment_id, cents, intent), now))
        dispute = {"id": f"dp_{intent}", "payment_intent": intent, "currency": "eur", "amount": cents}
        opened = moved("charge.dispute.created", dispute | {"status": "needs_response"}, now)
        await hear(shop, opened)
        (row,) = (await house.get(company, "/payments", client_id=client_id))["payments"]
        assert [int(Decimal(row[name]) * 100) for name in ("contested", "returned")] == [cents, 0]
        await hear(shop, moved("charge.dispute.closed", dispute | {"status": end}, now + 5))
        await hear(shop, opened)
        (row,) = (await house.get(company, "/payments", client_id=client_id))["payments"]
        assert Decimal(row["contested"]) == 0
    (lost,) = await house.said(company, "PaymentReturned")
    assert (lost["client_id"], lost["why"], lost["freed"]) == ("C1", "charged_back", [entry_id("F1")])


async def test_a_transfer_that_fails_leaves_the_line_owed_and_payable(shop: Shop) -> None:
    """Rule 19.5, with hand-made events: while the bank has it, no second page; when it fails, another one."""
    house, company = shop.house, shop.company
    heard = await house.voices.book(company, [synced("F1", "C1", "1000")])
    await house.get(company, "/sending", heard)
    first = (await shop.pay("F1")).json()
    payment_id, cents = await in_cents(shop)
    now = int(time.time())
    ordered = session_of(payment_id, cents, "pi_1", "unpaid")
    await hear(shop, moved("checkout.session.completed", ordered, now))
    refused = await shop.pay("F1")
    assert (refused.status_code, refused.json()["type"]) == (409, "entry-paid")
    assert await house.said(company, "PaymentLinkPaid") == []
    await hear(shop, moved("checkout.session.async_payment_failed", ordered, now + 5))
    await hear(shop, moved("checkout.session.completed", ordered, now))
    again = (await shop.pay("F1")).json()
    assert again["url"] != first["url"]
    states = [row["state"] for row in (await house.get(company, "/payments", client_id="C1"))["payments"]]
    assert states == ["open", "failed"]
