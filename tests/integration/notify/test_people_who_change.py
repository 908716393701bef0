"""A person is erased, or moves, while a message to it waits: what was written before is neither sent nor kept."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from chassis.database import transaction
from chassis.eventlog import Said
from contracts.ledger import ClientChanged, PersonErased
from services.notify import queries
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import House, action, synced, until


@pytest.fixture
def settings(settings: NotifySettings) -> NotifySettings:
    """A mail server's answer is waited for as long as these tests hold it back."""
    patient = {"smtp_timeout_seconds": 20, "smtp_answer_seconds": 20, "job_lease_seconds": 30}
    return settings.model_copy(update=patient)


async def rows(house: House, company: str, query: str) -> list[dict[str, Any]]:
    async with transaction(house.process.engine) as tx:
        return [dict(row._mapping) for row in await tx.execute(text(query), {"company": company})]


async def erase(house: House, company: str, client_id: str) -> None:
    """Ledger forgot the person, and notify has heard so."""
    house.people.emails[client_id] = []
    house.people.versions[client_id] = 2
    said = [Said(PersonErased(client_id=client_id, version=2), client_id)]
    await house.get(company, "/templates", await house.voices.say(company, said))


async def test_a_mail_written_before_its_person_was_erased_does_not_leave_and_is_not_kept(
    house: House, company: str
) -> None:
    await house.mails.close()
    invoice = synced("FAC1", "GONE1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "GONE1", [invoice]))
    await until(house.process.health.hindered_by)

    await erase(house, company, "GONE1")
    await house.mails.open()
    (failed,) = await house.until_said(company, "EmailFailed")
    assert failed["reason"] == "no_email_address"
    assert house.mails.to(f"gone1@{company}.example") == []
    assert await rows(house, company, "select * from message where company = :company") == []


async def test_a_mail_that_waited_goes_to_the_address_that_holds_when_it_leaves(
    house: House, company: str
) -> None:
    await house.mails.close()
    invoice = synced("FAC1", "MOVED1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "MOVED1", [invoice]))
    await until(house.process.health.hindered_by)

    house.people.emails["MOVED1"] = [f"new@{company}.example"]
    house.people.versions["MOVED1"] = 2
    moved = await house.voices.say(company, [Said(ClientChanged(client_id="MOVED1", version=2), "MOVED1")])
    await house.get(company, "/templates", moved)
    await house.mails.open()
    await house.until_said(company, "EmailSent")
    assert house.mails.to(f"moved1@{company}.example") == []
    assert len(house.mails.to(f"new@{company}.example")) == 1


async def test_an_erasure_is_not_heard_between_the_last_look_and_the_record_of_it(
    house: House, company: str
) -> None:
    await house.get(company, "/templates", await house.voices.book(company, [synced("FAC1", "HELD1", "100")]))
    erased = [Said(PersonErased(client_id="HELD1", version=2), "HELD1")]
    known = "select version from client where company = :company"
    async with transaction(house.process.engine) as tx:
        await queries.hold_clients(tx, company, ["HELD1"])
        heard = await house.voices.say(company, erased)
        await asyncio.sleep(0.5)
        assert await rows(house, company, known) == [{"version": 1}]
    await house.get(company, "/templates", heard)
    assert await rows(house, company, known) == [{"version": 2}]


async def test_an_answer_that_comes_after_the_erasure_is_not_kept(house: House, company: str) -> None:
    house.mails.behave(delay_seconds=5)  # so that a busy machine hears the erasure meanwhile
    invoice = synced("FAC1", "LATE1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "LATE1", [invoice]))
    sending = "select id from job where company = :company and status = 'sending'"
    async with asyncio.timeout(30):
        while not await rows(house, company, sending):  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.02)

    await erase(house, company, "LATE1")
    assert await rows(house, company, sending), "the answer came before the erasure was heard"
    await house.until_said(company, "EmailSent")
    kept = "select recipients, subject, raw, answer, refused from message where company = :company"
    assert await rows(house, company, kept) == [
        {"recipients": [], "subject": "", "raw": None, "answer": None, "refused": None}
    ]


async def test_what_a_mail_server_says_of_an_address_is_kept_without_it(house: House, company: str) -> None:
    address = f"refused1@{company}.example"
    house.mails.behave(reject_recipients={address: f"550 5.1.1 <{address}>: no mailbox REFUSED1 here"})
    invoice = synced("FAC1", "REFUSED1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "REFUSED1", [invoice]))
    await house.until_said(company, "EmailFailed")
    (job,) = await rows(house, company, "select error from job where company = :company")
    assert job["error"] == "550 5.1.1 <…>: no mailbox … here"
