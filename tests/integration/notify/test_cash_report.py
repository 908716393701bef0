"""The daily mail of key figures, by a real mail server (rule 15.4)."""

import asyncio
from typing import Any

import pytest

from services.notify.api import cash_report
from services.notify.mailer import PutOff, Refused, Result, SmtpConnection, Unknown
from services.notify.messages import Mail
from tests.integration.notify.conftest import House

FIGURES: dict[str, Any] = {
    "to": "nathalie@delcourt.example",
    "language": "fr",
    "as_of": "2026-03-10",
    "currency": "EUR",
    "total": "29448.55",
    "overdue": "22226.52",
    "overdue_clients": 3,
    "upcoming": "7222.03",
    "paid": "66112.13",
    "paid_since": "2026-01-01",
    "to_remind": "1250.40",
    "tasks": {"phone": 2, "letter": 0, "email": 5, "other": 0},
    "done_since": "2026-03-09",
    "done": {"phone": 0, "letter": 0, "email": 0, "other": 0},
    "late_promises": 1,
    "late_promised": "1000.00",
    "failed_mails": 0,
    "stale": True,
    "synced_on": "2026-03-06",
    "top": [{"name": "Munoz <S.A.>", "overdue": "22226.52"}],
}


async def send(house: House, company: str, role: Any = "system", **more: Any) -> Any:
    headers = house.token(company, role=role)
    return await house.http.post(f"/companies/{company}/cash-report", json=FIGURES | more, headers=headers)


async def test_it_leaves_by_the_companys_server_with_figures_in_words(house: House, company: str) -> None:
    """Rule 15.4: with a banner where the figures are to be doubted; what accounting wrote is never markup."""
    to = f"nathalie@{company}.example"
    assert (await send(house, company, to=to)).json()["ok"] is True
    (mail,) = house.mails.to(to)
    assert "22 226,52 € en retard" in mail.subject.replace("\xa0", " ")
    read = house.mails.store.read(mail.id)
    text, html = (one.replace("\xa0", " ") for one in (read.text, read.html))
    for told in ("29 448,55 €", "appels : 2, e-mails : 5", "Fait depuis le 09/03/2026 : rien", "1 (1 000,00 €)"):
        assert told in text, told
    assert "la dernière : 06/03/2026" in text
    assert "Munoz <S.A.>" in text
    assert "Munoz &lt;S.A.&gt;" in html

    english = f"anna@{company}.example"
    await send(house, company, to=english, language="en", stale=False, top=[])
    (mail,) = house.mails.to(english)
    read = house.mails.store.read(mail.id)
    assert "Amount to remind" in read.text
    assert "synchronisation" not in read.text
    assert "Most overdue" not in read.text


async def test_what_the_server_refuses_is_told(house: House, company: str) -> None:
    await house.mails.close()
    answer = (await send(house, company, to=f"late@{company}.example")).json()
    await house.mails.open()
    assert (answer["ok"], answer["again"]) == (False, True)
    assert answer["words"]


@pytest.mark.parametrize("what", [Unknown("lost"), PutOff("later"), Refused("message", "554", "no")])
async def test_only_what_surely_did_not_leave_may_be_asked_for_again(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch, what: Result
) -> None:
    async def carry(self: SmtpConnection, mail: Mail) -> Result:
        return what

    monkeypatch.setattr(SmtpConnection, "carry", carry)
    answer = (await send(house, company, to=f"late@{company}.example")).json()
    assert (answer["ok"], answer["again"]) == (False, not isinstance(what, Unknown))


async def test_a_server_that_is_slow_to_say_that_it_took_it_may_have_taken_it(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def carry(self: SmtpConnection, mail: Mail) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(SmtpConnection, "carry", carry)
    monkeypatch.setattr(cash_report, "ANSWER_SECONDS", 2.0)
    answer = (await send(house, company, to=f"late@{company}.example")).json()
    assert (answer["ok"], answer["again"]) == (False, False)


async def test_no_persons_token_sends_it(house: House, company: str) -> None:
    """Nobody writes to whom he likes in the company's name by this way."""
    for role in ("reader", "user", "admin"):
        assert (await send(house, company, role=role)).status_code == 403, role
    assert (await send(house, company, to="")).status_code == 422
