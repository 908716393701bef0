"""A person's answer stands on the client page, among the alerts and in the history (rules 15.5, 22.33)."""

from datetime import UTC, datetime
from typing import Any

from contracts.dunning import ActionDue
from contracts.ledger import CompanyRegistered
from contracts.notify import EmailBounced, EmailOpened, EmailSent, ReplyHandled, ReplyReceived
from tests.integration.reporting.conftest import DAY, House, Voices
from tests.integration.reporting.test_pages import Book, line

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


async def test_an_answer_is_an_alert_until_somebody_has_seen_to_it(
    house: House, voices: Voices, company: str
) -> None:
    """Answered again, it is one again; the message keeps how it fared."""
    book = Book(company, voices)
    named = {"action_id": book.mail.action_id, "client_id": "411MUNOZ"}
    await book.say(CompanyRegistered(name="Ateliers Delcourt"))
    await book.sync(line("FAC20114", "411MUNOZ", "8412.36", DAY))
    await book.say(ActionDue(action=book.mail))
    await book.say(EmailSent(**named, message_id="m", sent_at=AT))

    async def told() -> tuple[int, str | None, list[tuple[str, str]]]:
        found: Any = await house.get(company, "/alerts", book.heard)
        page = await house.get(company, "/client", book.heard, client_id="411MUNOZ")
        history = [(row["kind"], row["status"]) for row in page["history"]]
        return found["counts"]["reply"], page["replied_to"], history

    assert await told() == (0, None, [("reminder", "sent")])
    await book.say(ReplyReceived(**named, message_id="m", received_at=AT, from_recipient=True))
    answered = (1, str(book.mail.action_id), [("reply", "received"), ("reminder", "sent")])
    found = await told()
    assert (found[0], found[1], sorted(found[2])) == (1, answered[1], sorted(answered[2]))
    (alert,) = (await house.get(company, "/alerts", book.heard, kind="reply"))["rows"]
    assert (alert["client_id"], alert["step"], alert["days"]) == ("411MUNOZ", "R1", 0)
    only = await house.get(company, "/activities", book.heard, kind="reply")
    assert [(row["kind"], row["actor"]) for row in only["rows"]] == [("reply", "debtor")]
    assert (await house.get(company, "/activities", book.heard, actor="user:nathalie"))["count"] == 0
    assert (await house.get(company, "/activities", book.heard, status="received"))["count"] == 1

    await book.say(ReplyHandled(**named))
    assert (await told())[:2] == (0, None)
    await book.say(ReplyReceived(**named, message_id="m", received_at=AT))
    assert (await told())[:2] == (1, str(book.mail.action_id))


async def test_what_a_machine_fetched_is_not_shown_as_opened(house: House, voices: Voices, company: str) -> None:
    """Rule 16.5: not green, whichever is told first; and it hides nothing that happened since."""
    book = Book(company, voices)
    named = {"action_id": book.mail.action_id, "client_id": "411MUNOZ", "message_id": "m"}
    await book.say(CompanyRegistered(name="Ateliers Delcourt"))
    await book.sync(line("FAC20114", "411MUNOZ", "8412.36", DAY))
    await book.say(ActionDue(action=book.mail))
    fetched = EmailOpened(**named, opened_at=AT, by_machine=True, machine="agent")
    await book.say(EmailSent(**named, sent_at=AT), fetched)

    async def shown() -> tuple[str, str]:
        page = await house.get(company, "/client", book.heard, client_id="411MUNOZ")
        return page["history"][0]["status"], page["history"][0]["colour"]

    assert await shown() == ("fetched", "blue")
    await book.say(EmailOpened(**named, opened_at=AT))
    assert await shown() == ("opened", "green")
    await book.say(fetched)
    assert await shown() == ("opened", "green")
    await book.say(EmailBounced(**named, status="5.2.2", permanent=False, kind="soft"), fetched)
    assert await shown() == ("bounced", "red")
