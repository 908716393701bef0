"""A company's own account at Stripe: sealed, tried, used before the operator's, heard (rule 19.5)."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from chassis.auth import mint, read_key
from chassis.database import transaction
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import DAY, House, entry_id, living, synced
from tests.integration.notify.test_payments import stripe

__all__ = ["stripe"]

KEY, SECRET = "sk_test_4eC39HqLyjWDarjtT1", "whsec_of_our_own"


@pytest_asyncio.fixture
async def house(  # noqa: PLR0917 - what notify stands on
    settings: NotifySettings, stripe: str, stack: Any, voices: Any, people: Any, mails: Any
) -> AsyncIterator[House]:
    knobs = {
        "stripe_url": stripe,
        "sealing_key": "a key",
        "space_url": "http://espace.example",
        "link_secret": "s3cret",
        "public_url": "https://relance.example/",
    }
    async with living(settings.model_copy(update=knobs), stack, voices, people, mails) as house:
        yield house


def named(house: House, company: str, **who: Any) -> dict[str, str]:
    """The headers of a caller of this role and portfolio, or of a debtor."""
    token = mint(read_key(house.stack.private_key_file), "user:alice", [company], **who)
    return {"Authorization": f"Bearer {token}", "Relance-As-Of": str(DAY)}


async def put(house: House, company: str, **body: Any) -> Any:
    return await house.call(company, "PUT", "/online-payment", json=body)


async def test_an_account_is_kept_sealed_and_no_answer_shows_its_keys(house: House, company: str) -> None:
    saved = await put(house, company, api_key=KEY, webhook_secret=SECRET, methods=["card"], maximum="5000")
    assert saved.status_code == 200, saved.text
    assert KEY not in saved.text
    assert SECRET not in saved.text
    told = saved.json()
    assert (told["saved"]["live"], told["saved"]["maximum"], told["saved"]["heard_at"]) == (False, "5000.00", None)
    assert told["webhook_url"] == f"https://relance.example/stripe/{company}"
    assert "checkout.session.completed" in told["events"]
    async with transaction(house.process.engine, company) as tx:
        row = (await tx.execute(text("select * from payment_account where company = :c"), {"c": company})).one()
    assert KEY.encode() not in bytes(row.api_key)
    assert SECRET.encode() not in bytes(row.webhook_secret)

    kept = await put(house, company, minimum="2")
    assert (kept.json()["saved"]["minimum"], kept.json()["saved"]["live"]) == ("2.00", False), "both secrets stay"
    other = await house.get(f"{company}x", "/online-payment")
    assert other["saved"] is None
    assert (await house.call(company, "DELETE", "/online-payment")).json() == {"deleted": True}
    assert (await house.call(company, "DELETE", "/online-payment")).status_code == 404


async def test_what_is_no_account_is_refused_with_its_reason(house: House, company: str) -> None:
    for body, code in (
        ({"api_key": "pk_test_123456"}, "stripe-key-unfit"),
        ({"api_key": KEY}, "stripe-keys-needed"),
        ({"webhook_secret": SECRET}, "stripe-keys-needed"),
        ({"api_key": KEY, "webhook_secret": "secret_12345"}, "stripe-secret-unfit"),
        ({"api_key": KEY, "webhook_secret": SECRET, "minimum": "5", "maximum": "4.99"}, "limits-crossed"),
    ):
        refused = await put(house, company, **body)
        assert (refused.status_code, refused.json()["type"]) == (422, code)
    await put(house, company, api_key=KEY, webhook_secret=SECRET)
    switched = await put(house, company, api_key="sk_live_4eC39HqLyjWDarjtT1")
    assert switched.json()["type"] == "stripe-keys-needed", "the secret of test mode signs nothing real"


async def test_a_key_is_tried_before_it_is_saved(house: House, company: str) -> None:
    async def tried(**body: Any) -> Any:
        return (await house.call(company, "POST", "/online-payment/test", json=body)).json()

    assert (await tried())["type"] == "payment-not-offered"
    assert await tried(api_key=KEY) == {"ok": True, "live": False, "code": "", "words": ""}
    refused = await tried(api_key="sk_test_refused")
    assert (refused["ok"], refused["code"], refused["words"]) == (False, "refused", "Invalid API Key provided")
    assert (await house.get(company, "/online-payment"))["saved"] is None, "nothing is saved by a trial"


async def test_only_administrators_of_the_whole_company_come_near(house: House, company: str) -> None:
    for who in ({"role": "user"}, {"role": "admin", "portfolio": ["ANNA"]}):
        headers = named(house, company, **who)
        for method, path in (
            ("GET", "/online-payment"),
            ("PUT", "/online-payment"),
            ("DELETE", "/online-payment"),
        ):
            answer = await house.http.request(method, f"/companies/{company}{path}", headers=headers, json={})
            assert answer.status_code == 403, (who, method)


async def test_debtors_pay_into_it_and_its_signature_is_the_one_that_counts(house: House, company: str) -> None:
    await put(house, company, api_key=KEY, webhook_secret=SECRET)
    heard = await house.voices.book(company, [synced("F1", "C1", "10")])
    await house.get(company, "/sending", heard)
    headers = named(house, company, role="debtor", client_id="C1")
    body = {"entry_ids": [entry_id("F1")], "title": "Factures", "link": "abc"}
    page = await house.http.post(f"/companies/{company}/debtor/pay", json=body, headers=headers)
    assert page.status_code == 200, page.text
    (payment,) = (await house.get(company, "/payments", client_id="C1"))["payments"]
    session = {
        "client_reference_id": payment["payment_id"],
        "currency": "eur",
        "amount_total": 1000,
        "payment_status": "paid",
    }
    told = {"object": "event", "id": "evt_1", "type": "checkout.session.completed", "created": int(time.time())}
    payload = json.dumps({**told, "data": {"object": session}}).encode()
    for secret, status in (("whsec_other", 400), (SECRET, 204)):
        at = int(time.time())
        signed = hmac.new(secret.encode(), b"%d.%s" % (at, payload), hashlib.sha256).hexdigest()
        answer = await house.http.post(
            f"/stripe/{company}", content=payload, headers={"Stripe-Signature": f"t={at},v1={signed}"}
        )
        assert answer.status_code == status
        known = await house.get(company, "/online-payment")
        assert (known["saved"]["heard_at"] is not None) == (status == 204)
    assert len(await house.said(company, "PaymentLinkPaid")) == 1
    assert DAY.isoformat() in (await house.get(company, "/payments", client_id="C1"))["payments"][0]["as_of"]


async def test_nobody_is_sent_to_a_page_of_the_account_before(house: House, company: str) -> None:
    """Money would arrive where nobody listens any more, and the debtor would be chased."""
    await put(house, company, api_key=KEY, webhook_secret=SECRET)
    heard = await house.voices.book(company, [synced("F1", "C1", "10")])
    await house.get(company, "/sending", heard)
    headers = named(house, company, role="debtor", client_id="C1")
    body = {"entry_ids": [entry_id("F1")], "title": "Factures", "link": "abc"}

    async def page() -> str:
        answer = await house.http.post(f"/companies/{company}/debtor/pay", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    first = await page()
    await put(house, company, minimum="2")
    assert await page() == first, "the account is the same"
    await put(house, company, api_key="sk_test_another4eC39HqLyjW", webhook_secret="whsec_of_another")
    assert await page() != first


async def test_a_key_of_another_account_needs_the_secret_of_its_webhook(house: House, company: str) -> None:
    """Else debtors would pay where nobody listens, and be chased."""
    saved = await put(house, company, api_key=KEY, webhook_secret=SECRET)
    assert saved.json()["saved"]["account_id"] == "acct_one"
    for key, code in (
        ("sk_test_another4eC39HqLyjW", "stripe-account-other"),
        ("sk_test_blind4eC39HqLyjW", "stripe-account-unproved"),
        ("sk_test_refused", "stripe-key-refused"),
    ):
        refused = await put(house, company, api_key=key)
        assert (refused.status_code, refused.json()["type"]) == (422, code)
    same = await put(house, company, api_key="sk_test_rolled4eC39HqLyjW")
    assert same.status_code == 200, "another key of the same account"
    async with transaction(house.process.engine, company) as tx:
        await tx.execute(text("update payment_account set account_id = null where company = :c"), {"c": company})
    refused = await put(house, company, api_key="sk_test_another4eC39HqLyjW")
    assert refused.json()["type"] == "stripe-account-other", "saved before the account's name was kept"
    other = await put(house, company, api_key="sk_test_another4eC39HqLyjW", webhook_secret="whsec_of_another")
    assert (other.status_code, other.json()["saved"]["account_id"]) == (200, "acct_another")


async def test_what_another_account_tells_proves_nothing(house: House, company: str) -> None:
    """Its webhook's secret was saved beside this account's key."""
    await put(house, company, api_key=KEY, webhook_secret=SECRET)
    for name, status in (("evt_of_another_1", 400), ("evt_1", 204), ("evt_of_another_2", 204)):
        told = {"object": "event", "id": name, "type": "charge.updated", "created": int(time.time())}
        payload = json.dumps({**told, "data": {"object": {}}}).encode()
        at = int(time.time())
        signed = hmac.new(SECRET.encode(), b"%d.%s" % (at, payload), hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={at},v1={signed}"}
        answer = await house.http.post(f"/stripe/{company}", content=payload, headers=headers)
        known = (await house.get(company, "/online-payment"))["saved"]["heard_at"]
        assert (answer.status_code, known is not None) == (status, status == 204), "asked until it is proved once"
