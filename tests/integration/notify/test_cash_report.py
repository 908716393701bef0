"""The daily mail of key figures, by a real mail server (rule 15.4)."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.database import transaction
from services.notify import numbered
from services.notify.api import cash_report
from services.notify.mailer import PutOff, Refused, Result, SmtpConnection, Unknown
from services.notify.messages import Mail
from services.notify.retention import expire_today
from tests.integration.notify.conftest import House
from tests.waiting import comes_true

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


class Ended(Exception):
    """The process did, as far as notify's rows can tell."""


async def send(house: House, company: str, role: Any = "system", **more: Any) -> Any:
    headers = house.token(company, role=role)
    body = FIGURES | {"report_id": str(uuid4())} | more
    return await house.http.post(f"/companies/{company}/cash-report", json=body, headers=headers)


async def test_it_leaves_by_the_companys_server_with_figures_in_words(house: House, company: str) -> None:
    """Rule 15.4: with a banner where the figures are to be doubted; what accounting wrote is never markup."""
    to = f"nathalie@{company}.example"
    assert (await send(house, company, to=to)).json()["state"] == "sent"
    (mail,) = house.mails.to(to)
    assert "22 226,52 € en retard" in mail.subject.replace("\xa0", " ")
    read = house.mails.store.read(mail.id)
    plain, html = (one.replace("\xa0", " ") for one in (read.text, read.html))
    for told in ("29 448,55 €", "appels : 2, e-mails : 5", "Fait depuis le 09/03/2026 : rien", "1 (1 000,00 €)"):
        assert told in plain, told
    assert "la dernière : 06/03/2026" in plain
    assert "Munoz <S.A.>" in plain
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
    assert answer["state"] == "stayed"
    assert answer["words"]


@pytest.mark.parametrize("what", [Unknown("lost"), PutOff("later"), Refused("message", "554", "no")])
async def test_only_what_surely_did_not_leave_may_be_asked_for_again(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch, what: Result
) -> None:
    async def carry(self: SmtpConnection, mail: Mail) -> Result:
        return what

    monkeypatch.setattr(SmtpConnection, "carry", carry)
    number, to = str(uuid4()), f"late@{company}.example"
    answer = (await send(house, company, to=to, report_id=number)).json()
    assert answer["state"] == ("in_doubt" if isinstance(what, Unknown) else "stayed")
    monkeypatch.undo()
    again = (await send(house, company, to=to, report_id=number)).json()
    assert again["state"] == ("in_doubt" if isinstance(what, Unknown) else "sent")
    assert len(house.mails.to(to)) == (0 if isinstance(what, Unknown) else 1)


async def test_a_server_that_is_slow_to_say_that_it_took_it_may_have_taken_it(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def carry(self: SmtpConnection, mail: Mail) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(SmtpConnection, "carry", carry)
    monkeypatch.setattr(cash_report, "ANSWER_SECONDS", 2.0)
    answer = (await send(house, company, to=f"late@{company}.example")).json()
    assert answer["state"] == "in_doubt"


async def test_by_one_number_it_leaves_once(house: House, company: str) -> None:
    """Rule 15.4: whoever lost the answer asks again, at the same time or later."""
    number, to = str(uuid4()), f"nathalie@{company}.example"
    asked = await asyncio.gather(*(send(house, company, to=to, report_id=number) for _ in range(4)))
    assert {one.json()["state"] for one in asked} <= {"sent", "under_way"}
    assert (await send(house, company, to=to, report_id=number)).json()["state"] == "sent"
    (mail,) = house.mails.to(to)
    assert number in mail.message_id

    await send(house, company, to=to)
    assert len(house.mails.to(to)) == 2, "another number is another report"


async def test_a_process_that_ends_before_it_answers_leaves_it_in_doubt(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 15.4: the mail server took it, and nobody wrote that down. Asked again it does not leave twice."""
    number, to = str(uuid4()), f"nathalie@{company}.example"

    async def dies(*_: Any) -> None:
        raise Ended

    monkeypatch.setattr(cash_report, "end", dies)
    monkeypatch.setattr(numbered, "LEASE_SECONDS", 1.0)
    with pytest.raises(Ended):
        await send(house, company, to=to, report_id=number)
    monkeypatch.undo()
    assert len(house.mails.to(to)) == 1
    assert (await send(house, company, to=to, report_id=number)).json()["state"] == "under_way"

    async def doubted() -> bool:
        return (await send(house, company, to=to, report_id=number)).json()["state"] == "in_doubt"

    await comes_true(doubted, "a report of a process that ended is in doubt")
    assert len(house.mails.to(to)) == 1


async def test_no_persons_token_sends_it(house: House, company: str) -> None:
    """Nobody writes to whom he likes in the company's name by this way."""
    for role in ("reader", "user", "admin"):
        assert (await send(house, company, role=role)).status_code == 403, role
    assert (await send(house, company, to="")).status_code == 422


async def test_what_became_of_a_report_is_forgotten_after_forty_days(house: House, company: str) -> None:
    """Also where nobody asks for a report again: a refusal names whom it was for."""
    kept, old = str(uuid4()), str(uuid4())
    for report_id in (kept, old):
        assert (await send(house, company, report_id=report_id)).json()["state"] == "sent"
    aged = text("update cash_report set changed_at = now() - interval '41 days' where report_id = :report_id")
    async with transaction(house.process.engine) as tx:
        await tx.execute(aged, {"report_id": old})
    await expire_today(house.process)
    async with transaction(house.process.engine) as tx:
        left = await tx.scalars(text("select report_id from cash_report where company = :c"), {"c": company})
        assert [str(one) for one in left] == [kept]
