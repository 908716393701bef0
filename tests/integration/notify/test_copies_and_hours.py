"""Copies of a step (rule 4.14), the hour before which nothing leaves by itself (4.16), thank-yous (12)."""

from datetime import datetime, time, timedelta
from email import policy
from email.parser import BytesParser
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from chassis import clock
from chassis.database import transaction
from chassis.eventlog import Said
from contracts.dunning import ActionDue
from tests.integration.notify.conftest import DAY, House, action, synced, until

PARIS = ZoneInfo("Europe/Paris")


async def test_copies_are_kept_by_reference_and_stand_in_the_mail(house: House, company: str) -> None:
    async def enter(**whom: str) -> str:
        answer = await house.call(company, "PUT", "/copies", json=whom)
        assert answer.status_code == 200, answer.text
        copy_id: str = answer.json()["copy_id"]
        return copy_id

    typed = await enter(email=f"direction@{company}.example")
    of_user = await enter(email=f"old@{company}.example", name="Anna", user_id="7")
    assert await enter(email=f"anna@{company}.example", name="Anna", user_id="7") == of_user
    gone = await enter(email=f"gone@{company}.example")
    for status in (200, 404):
        answer = await house.call(company, "DELETE", "/copies", params={"copy_id": gone})
        assert answer.status_code == status
    refused = await house.call(company, "PUT", "/copies", json={"email": "no address"})
    assert refused.status_code == 422
    user = house.token(company, role="user")
    refused = await house.call(company, "PUT", "/copies", json={"email": "x@y.example"}, headers=user)
    assert refused.status_code == 403
    listed = (await house.get(company, "/copies"))["copies"]
    assert [one["email"] for one in listed] == [f"direction@{company}.example", f"anna@{company}.example"]
    invoice = synced("FAC1", "C1", "100")
    await house.voices.book(company, [invoice])
    reminder = action(company, "C1", [invoice], copies=(typed, of_user, gone))
    await house.voices.due(company, reminder)
    (sent,) = await house.until_said(company, "EmailSent")
    (mail,) = house.mails.to(f"c1@{company}.example")
    raw = house.mails.store.raw(mail.id)
    assert raw is not None
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert message["Cc"] == f"direction@{company}.example, anna@{company}.example"
    assert len(house.mails.to(f"anna@{company}.example")) == 1
    assert house.mails.to(f"gone@{company}.example") == []
    assert not any("@" in str(event).replace(sent["message_id"], "") for event in await house.said(company))


async def test_an_automatic_message_waits_for_its_hour_in_the_company_s_time_zone(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The company's day is given, and its hour lies ahead whenever this runs."""
    tomorrow = clock.today("Europe/Paris") + timedelta(days=1)
    monkeypatch.setattr(clock, "today", lambda time_zone: tomorrow)
    hour = time(8, 30)
    first, second = synced("FAC1", "C1", "100"), synced("FAC2", "C2", "100")
    await house.voices.book(company, [first, second])
    waits = action(company, "C1", [first])
    tried = action(company, "C2", [second])
    await house.voices.say(company, [Said(ActionDue(action=waits, not_before="08:30"), "C1")], on=tomorrow)
    await house.voices.say(company, [Said(ActionDue(action=tried, not_before="08:30"), "C2")], on=DAY)
    await until(lambda: house.mails.to(f"c2@{company}.example"))
    async with transaction(house.process.engine) as tx:
        asked = text("select status, run_at from job where id = :id")
        job = (await tx.execute(asked, {"id": waits.action_id})).one()
    assert (job.status, job.run_at) == ("ready", datetime.combine(tomorrow, hour, PARIS))
    assert house.mails.to(f"c1@{company}.example") == []


async def test_a_thank_you_leaves_for_settled_invoices_only(house: House, company: str) -> None:
    paid, money = synced("FAC1", "C1", "100", lettering="A"), synced("REG1", "C1", "-100", lettering="A")
    opened, taken = synced("FAC2", "C2", "100"), synced("REG2", "C2", "-100", lettering="B")
    await house.voices.book(company, [paid, money, opened, taken])
    thanks = {"kind": "thanks", "step": "thanks", "template": "thanks"}
    await house.voices.due(
        company,
        action(company, "C1", [paid, money], **thanks),
        action(company, "C2", [opened, taken], **thanks),
    )
    (sent,) = await house.until_said(company, "EmailSent")
    kept = await house.get(company, "/message", action_id=sent["action_id"])
    assert "Merci" in kept["text"]
    assert "FAC1" in kept["text"]
    (withheld,) = await house.until_said(company, "MessageWithheld")
    assert (withheld["client_id"], withheld["reason"]) == ("C2", "lettering_undone")
