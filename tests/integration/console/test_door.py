"""The debtors' door before services that are played: what it asks for, refuses, never gives away (rule 13.8)."""

import json
import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import pytest
import pytest_asyncio
from joserfc.jwk import OKPKey
from starlette.applications import Starlette
from starlette.routing import Mount

from chassis.auth import new_key_pair
from services.console import frontend
from services.console.door import door
from services.console.gateway import Gateway
from services.console.settings import ConsoleSettings

DAY = date(2026, 11, 24)
ENTRY = "0f8b2c1d4e5a69788796a5b4c3d2e1f0"
STATEMENT: dict[str, Any] = {
    "client_id": "411DUPONT",
    "name": "<b>Dupont</b>",
    "language": "fr",
    "company_name": "Ateliers Delcourt",
    "currency": "EUR",
    "time_zone": "Europe/Paris",
    "as_of": str(DAY),
    "last_promise_on": "2026-12-24",
    "dispute_reasons": ["price", "<i>autre</i>"],
    "account_disputed": False,
    "entries": [
        {
            "entry_id": ENTRY,
            "kind": "invoice",
            "piece": "FA-1<script>",
            "entry_date": "2026-09-01",
            "invoice_date": None,
            "due_date": "2026-10-01",
            "amount": "1250.4000",
            "currency": "EUR",
            "label": "<img src=x>",
            "being_checked": False,
            "promised_on": None,
            "disputed": False,
            "days_late": 54,
            "documents": [],
        }
    ],
}
GOOD, REVOKED = "bon", "perdu"


class Services:
    """Notify and ledger as a debtor's token reaches them."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None, Any]] = []
        self.refuses: tuple[int, str] | None = None
        self.silent = False

    def answer(self, request: httpx.Request) -> httpx.Response:  # noqa: PLR0911 - an answer per address
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.path, request.headers.get("authorization"), body))
        if self.silent:
            raise httpx.ConnectError("away")
        if request.url.path == "/debtor-links/open":
            if body["link"] == GOOD:
                opened = {"company": "delcourt", "client_id": "411DUPONT", "token": "t0ken"}
                return httpx.Response(200, json={**opened, "expires_on": "2027-01-20"})
            code = "link-revoked" if body["link"] == REVOKED else "link-forged"
            return httpx.Response(410 if code == "link-revoked" else 404, json={"type": code})
        if self.refuses:
            return httpx.Response(self.refuses[0], json={"type": self.refuses[1]})
        if request.url.path.endswith("/debtor/statement"):
            return httpx.Response(200, json=STATEMENT)
        if request.url.path.endswith("/debtor/payments"):
            return httpx.Response(200, json={"offered": True, "paid": {}})
        if request.url.path.endswith("/debtor/pay"):
            page = {"url": "https://checkout.stripe.example/c/1", "amount": "1200.40", "currency": "EUR"}
            return httpx.Response(200, json=page)
        return httpx.Response(200, json={"positions": []})


@pytest.fixture
def services() -> Services:
    return Services()


@pytest_asyncio.fixture
async def browser(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    frontend.ensure()
    settings = ConsoleSettings(allow_as_of=True, as_of=DAY, space_requests_per_link=8)
    http = httpx.AsyncClient(transport=httpx.MockTransport(services.answer))
    made = door(settings, Gateway(settings, http, OKPKey.import_key(new_key_pair().private)))
    app = Starlette(routes=[Mount("/d", app=made)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://espace.example") as client:
        yield client


async def test_a_page_is_made_with_the_debtors_token_alone(services: Services, browser: httpx.AsyncClient) -> None:
    page = await browser.get(f"/d/{GOOD}")
    assert page.status_code == 200, page.text
    (first, *others) = services.asked
    assert first[:3] == ("POST", "/debtor-links/open", None), "the door has no right of its own"
    assert {token for _, _, token, _ in others} == {"Bearer t0ken"}
    assert {path.rpartition("/debtor/")[0] for _, path, _, _ in others} == {"/companies/delcourt"}
    assert "1 250,40" in page.text.replace("\u00a0", " ")
    assert not re.search(r"<(b|i|img|script)[ >]", page.text), "what others wrote is text"
    english = (await browser.get(f"/d/{GOOD}?lang=en")).text
    assert "Your statement on 24/11/2026" in english
    assert f'href="/d/{GOOD}?lang=fr"' in english


async def test_refusals_are_plain_pages(services: Services, browser: httpx.AsyncClient) -> None:
    for link, status, words in (
        ("faux", 404, "This link does not exist"),
        (REVOKED, 410, "This link is no longer valid"),
        (f"{GOOD}/documents/no-uuid", 422, "Unreadable request"),
        (f"{GOOD}/x/y/z", 404, "Page not found"),
    ):
        page = await browser.get(f"/d/{link}", headers={"Accept-Language": "en"})
        assert page.status_code == status, link
        assert words in page.text
        assert "Delcourt" not in page.text
        assert page.headers["x-robots-tag"] == "noindex, nofollow, noarchive"
        assert "script" not in page.headers["content-security-policy"]
    services.silent = True
    assert (await browser.get(f"/d/{GOOD}")).status_code == 503


async def test_answers_go_to_ledger_and_come_back_to_the_statement(
    services: Services, browser: httpx.AsyncClient
) -> None:
    promised = {"entry_ids": [ENTRY], "promised_on": "2026-12-01"}
    done = await browser.post(f"/d/{GOOD}/promise?lang=en", data=promised)
    assert (done.status_code, done.headers["location"]) == (303, f"/d/{GOOD}?done=promise&lang=en")
    assert services.asked[-1][1:] == ("/companies/delcourt/debtor/promise", "Bearer t0ken", promised)
    nothing = await browser.post(f"/d/{GOOD}/promise", data={"promised_on": "2026-12-01"})
    assert nothing.headers["location"].endswith("refused=nothing-ticked")
    services.refuses = (409, "promise-too-far")
    refused = await browser.post(f"/d/{GOOD}/promise", data=promised)
    assert refused.headers["location"].endswith("refused=promise-too-far")
    services.refuses = None
    sent = await browser.post(
        f"/d/{GOOD}/dispute",
        data={"reason": "price", "message": "Trop cher", "entry_id": ENTRY},
        files={"file": ("C:\\photos\\devis.pdf", b"%PDF-1.4", "application/pdf")},
    )
    assert sent.headers["location"].endswith("done=dispute")
    assert services.asked[-1][3]["file"]["name"] == "devis.pdf"


async def test_what_is_paid_is_asked_for_by_lines_and_never_by_an_amount(
    services: Services, browser: httpx.AsyncClient
) -> None:
    """Rule 19.8: the amount is notify's; the way to the provider is a link, which no form hides."""
    page = await browser.post(f"/d/{GOOD}/pay", data={"entry_ids": [ENTRY]})
    assert 'href="https://checkout.stripe.example/c/1"' in page.text
    assert "Payer 1 200,40 €" in page.text.replace("\u00a0", " ")
    asked = {"entry_ids": [ENTRY], "title": "Ateliers Delcourt : FA-1<script>", "link": GOOD, "language": "fr"}
    assert services.asked[-1][1:] == ("/companies/delcourt/debtor/pay", "Bearer t0ken", asked)


async def test_too_much_and_too_often(services: Services, browser: httpx.AsyncClient) -> None:
    heavy = await browser.post(f"/d/{GOOD}/dispute", content=b"x" * (7 << 20))
    assert heavy.status_code == 413
    assert services.asked == [], "refused before it was read"
    codes = [(await browser.get(f"/d/{REVOKED}")).status_code for _ in range(10)]
    assert codes == [410] * 8 + [429] * 2
    assert (await browser.get(f"/d/{GOOD}")).status_code == 200, "another link is not held up"
