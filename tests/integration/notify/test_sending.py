"""From ``ActionDue`` to a mail and ``EmailSent``: once, or never with a reason (Correctness 4, rules 8, 22.16)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from email import policy
from email.parser import BytesParser
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import transaction
from chassis.embedded import Stack
from chassis.eventlog import Said
from contracts.dunning import ActionWithdrawn
from contracts.ledger import ClientResumed, ClientStopped, DisputeOpened, EntryStopped, PromiseRecorded
from services.notify import recording
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import House, MailServer, People, Voices, action, living, synced, until


async def test_a_due_action_becomes_one_mail_and_one_event(house: House, company: str) -> None:
    invoice, payment = synced("FAC1", "C1", "1250.40"), synced("REG1", "C1", "-250.40")
    await house.voices.book(company, [invoice, payment])
    reminder = action(company, "C1", [invoice, payment])
    await house.voices.due(company, reminder)

    (sent,) = await house.until_said(company, "EmailSent")
    assert sent["action_id"] == str(reminder.action_id)
    assert sent["message_id"] == f"<{reminder.action_id}@relance.example>"
    (mail,) = house.mails.to(f"c1@{company}.example")
    assert mail.message_id == sent["message_id"]
    raw = house.mails.store.raw(mail.id)
    assert raw is not None
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert message["Subject"] == "C1 Solde échu\u00a0: 1\u00a0000,00\u00a0€"
    assert message["Auto-Submitted"] == "auto-generated"

    kept = await house.get(company, "/message", action_id=str(reminder.action_id))
    assert "FAC1" in kept["text"]
    assert "1\u00a0250,40\u00a0€" in kept["html"]
    assert kept["status"] == "sent"
    progress = await house.get(company, "/sending", as_of="2026-03-10")
    assert (progress["total"], progress["sent"], progress["finished"]) == (1, 1, True)

    await house.voices.due(company, reminder)
    await asyncio.sleep(0.5)
    assert len(house.mails.to(f"c1@{company}.example")) == 1


async def test_a_stop_heard_after_the_decision_holds_the_message_back_until_it_is_lifted(
    house: House, company: str
) -> None:
    invoice = synced("FAC1", "C1", "100")
    reminder = action(company, "C1", [invoice])
    await house.voices.book(company, [invoice])
    await house.get(
        company, "/templates", await house.voices.say(company, [Said(ClientStopped(client_id="C1"), "C1")])
    )
    await house.voices.due(company, reminder)
    (withheld,) = await house.until_said(company, "MessageWithheld")
    assert withheld["reason"] == "client_stopped"
    assert house.mails.to(f"c1@{company}.example") == []
    progress = await house.get(company, "/sending", as_of="2026-03-10")
    assert [trouble["reason"] for trouble in progress["troubles"]] == ["client_stopped"]

    resumed = await house.voices.say(company, [Said(ClientResumed(client_id="C1"), "C1")])
    await house.get(company, "/templates", resumed)
    withdrawn = ActionWithdrawn(action_id=reminder.action_id, client_id="C1", reason="client_stopped")
    await house.voices.say(company, [Said(withdrawn, "C1")])
    await house.voices.due(company, reminder)
    await house.until_said(company, "EmailSent")
    assert len(house.mails.to(f"c1@{company}.example")) == 1


async def test_an_invoice_paid_after_the_decision_is_not_chased(house: House, company: str) -> None:
    invoice = synced("FAC1", "C1", "100")
    await house.voices.book(company, [invoice])
    paid = await house.voices.book(company, [invoice.model_copy(update={"lettering": "A"})])
    await house.get(company, "/templates", paid)
    await house.voices.due(company, action(company, "C1", [invoice]))
    (withheld,) = await house.until_said(company, "MessageWithheld")
    assert withheld["reason"] == "entry_lettered"


async def test_a_message_waits_until_notify_has_heard_of_its_entries(house: House, company: str) -> None:
    invoice = synced("FAC1", "C1", "100")
    await house.voices.due(company, action(company, "C1", [invoice]))
    await asyncio.sleep(0.5)
    assert await house.said(company) == []
    await house.voices.book(company, [invoice])
    await house.until_said(company, "EmailSent")


async def test_a_client_without_an_address_fails_with_that_reason(house: House, company: str) -> None:
    house.people.emails |= {"NOMAIL": [], "BADMAIL": ["not an address", "x@y\r\nBcc: z@z.example"]}
    lines = [synced("F1", "NOMAIL", "10"), synced("F2", "BADMAIL", "10")]
    await house.voices.book(company, lines)
    await house.voices.due(company, *(action(company, line.client_id, [line]) for line in lines))
    failed = await house.until_said(company, "EmailFailed", 2)
    assert {(one["client_id"], one["reason"]) for one in failed} == {
        ("NOMAIL", "no_email_address"),
        ("BADMAIL", "no_email_address"),
    }


async def test_people_are_fetched_in_bulk_and_kept_by_version(house: House, company: str) -> None:
    lines = [synced(f"F{n}", f"C{n}", "10") for n in range(30)]
    await house.voices.book(company, lines)
    asked = house.people.asked
    heard = await house.voices.due(company, *(action(company, line.client_id, [line]) for line in lines))
    await house.until_said(company, "EmailSent", 30)
    assert house.people.asked - asked <= len(heard) // 2
    before = house.people.asked
    again = [action(company, line.client_id, [line], step="R2") for line in lines]
    await house.voices.due(company, *again)
    await house.until_said(company, "EmailSent", 60)
    assert house.people.asked == before


async def test_a_mailbox_that_does_not_exist_fails_for_good(house: House, company: str) -> None:
    house.mails.behave(reject_recipients={f"*@{company}.example": "550 5.1.1 No such user"})
    invoice = synced("FAC1", "C1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "C1", [invoice]))
    (failed,) = await house.until_said(company, "EmailFailed")
    assert (failed["reason"], failed["status"]) == ("recipients_refused", "550 5.1.1")
    assert "user" not in str(failed).lower()  # the server's words may name people


async def test_a_mail_server_that_puts_off_gets_the_message_later_once(house: House, company: str) -> None:
    house.mails.behave(reject_next=3, reject_answer="451 4.3.0 Busy")
    invoice = synced("FAC1", "C1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "C1", [invoice]))
    await house.until_said(company, "EmailSent")
    assert len(house.mails.to(f"c1@{company}.example")) == 1
    assert house.mails.handler.behaviour.reject_next == 0


async def test_a_mail_server_that_is_down_is_waited_for_and_named(house: House, company: str) -> None:
    await house.mails.close()
    invoice = synced("FAC1", "C1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "C1", [invoice]))
    await until(house.process.health.hindered_by)
    assert "mail server" in house.process.health.hindered_by()
    progress = await house.get(company, "/sending")
    assert (progress["waiting"], progress["finished"]) == (1, False)
    assert "mail server" in progress["hindered_by"]
    await house.mails.open()
    await house.until_said(company, "EmailSent")
    assert house.process.health.hindered_by() == {}


async def test_ledger_being_down_delays_messages_and_is_named(house: House, company: str) -> None:
    neighbour = house.process.neighbour("ledger")
    url, neighbour.url, neighbour.patience = neighbour.url, "http://127.0.0.1:9", 0.1
    invoice = synced("FAC1", "C1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "C1", [invoice]))
    await until(lambda: "people" in house.process.health.hindered_by())
    neighbour.url = url
    await house.until_said(company, "EmailSent")


async def test_an_answer_that_never_comes_leaves_the_message_in_doubt_for_a_person(
    house: House, company: str
) -> None:
    house.mails.behave(delay_seconds=10)
    lines = [synced("F1", "C1", "10"), synced("F2", "C2", "20")]
    await house.voices.book(company, lines)
    actions = [action(company, line.client_id, [line]) for line in lines]
    await house.voices.due(company, *actions)
    doubts = await house.until_said(company, "EmailInDoubt", 2)
    house.mails.behave()
    await asyncio.sleep(0.5)
    assert house.mails.to(f"c1@{company}.example") == []  # never sent again by itself
    progress = await house.get(company, "/sending", as_of="2026-03-10")
    assert (progress["in_doubt"], progress["finished"]) == (2, True)
    assert {UUID(doubt["action_id"]) for doubt in doubts} == {one.action_id for one in actions}

    async def resolve(one: UUID, decided: str) -> int:
        body = {"action_id": str(one), "as": decided}
        return (await house.call(company, "POST", "/resolve-doubt", json=body)).status_code

    assert await resolve(actions[0].action_id, "sent") == 200
    assert await resolve(actions[1].action_id, "resend") == 200
    assert await resolve(actions[0].action_id, "resend") == 409
    await house.until_said(company, "EmailSent", 2)
    assert house.mails.to(f"c1@{company}.example") == []
    assert len(house.mails.to(f"c2@{company}.example")) == 1


async def test_a_connection_cut_after_the_message_was_kept_is_in_doubt_not_sent_twice(
    house: House, company: str
) -> None:
    house.mails.behave(drop_next=1)
    invoice = synced("FAC1", "C1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "C1", [invoice]))
    await house.until_said(company, "EmailInDoubt")
    await asyncio.sleep(0.5)
    assert len(house.mails.to(f"c1@{company}.example")) == 1


async def test_a_message_whose_lease_ended_while_it_waited_is_sent_all_the_same(
    house: House, company: str
) -> None:
    """A process that was held up must not take for done what it may no longer decide about."""
    await house.mails.close()
    invoice = synced("FAC1", "C1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "C1", [invoice]))
    await until(house.process.health.hindered_by)
    expire = text("update job set until = now() - interval '1 second' where company = :company")
    async with transaction(house.process.engine) as tx:
        await tx.execute(expire, {"company": company})
    await house.mails.open()
    await house.until_said(company, "EmailSent")
    await asyncio.sleep(0.5)
    assert len(await house.said(company)) == 1
    assert len(house.mails.to(f"c1@{company}.example")) == 1


async def test_what_is_known_of_a_message_that_left_outlives_a_database_that_does_not_answer(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[bool] = []
    usual = recording.Recorder.transaction

    @asynccontextmanager
    async def refusing(recorder: recording.Recorder) -> AsyncIterator[AsyncConnection]:
        if house.mails.store.count() and not refused:
            refused.append(True)
            raise ConnectionRefusedError
        async with usual(recorder) as tx:
            yield tx

    monkeypatch.setattr(recording.Recorder, "transaction", refusing)
    invoice = synced("FAC1", "C1", "100")
    await house.voices.book(company, [invoice])
    await house.voices.due(company, action(company, "C1", [invoice]))
    await house.until_said(company, "EmailSent")
    assert refused
    assert [one["type"] for one in await house.said(company)] == ["EmailSent"]


async def test_messages_to_a_domain_that_wants_few_let_the_others_pass(  # noqa: PLR0917 - fixtures
    settings: NotifySettings, stack: Stack, voices: Voices, people: People, mails: MailServer, company: str
) -> None:
    slow = [synced(f"S{n}", f"S{n}", "10") for n in range(3)]
    quick = [synced(f"Q{n}", f"Q{n}", "10") for n in range(5)]
    people.emails |= {line.client_id: [f"{line.client_id}@slow.example"] for line in slow}
    await voices.book(company, [*slow, *quick])
    limited = settings.model_copy(update={"messages_per_second_and_domain": 0.3, "smtp_connections": 1})
    async with living(limited, stack, voices, people, mails) as house:
        await voices.due(company, *(action(company, line.client_id, [line]) for line in slow))
        await until(lambda: mails.store.count() == 1)
        people.emails |= {line.client_id: [f"{line.client_id}@{line.client_id}.example"] for line in quick}
        await voices.due(company, *(action(company, line.client_id, [line]) for line in quick))
        await house.until_said(company, "EmailSent", 8)
        async with transaction(house.process.engine) as tx:
            rows = await tx.execute(
                text("select attempts from job where company = :company"), {"company": company}
            )
            attempts = {row.attempts for row in rows}
    arrived = [mail.recipients[0].partition("@")[2] == "slow.example" for mail in mails.store.list(limit=100)][
        ::-1
    ]
    assert (arrived[0], arrived[-1], sum(arrived)) == (True, True, 3)
    assert False in arrived[: arrived.index(True, 1)]
    assert attempts == {1}  # waiting for one's turn is no failure


async def test_a_promise_or_a_dispute_since_the_decision_holds_the_message_back(
    house: House, company: str
) -> None:
    """Rule 22.32: the company chose neither option; what was there before the decision changes nothing."""
    lines = [synced(f"F{n}", f"C{n}", "10") for n in range(5)]
    before = [
        Said(_promise("C0", lines[0].entry_id), "C0"),
        Said(_dispute("C1", None), "C1"),
    ]
    await house.voices.book(company, lines)
    await house.get(company, "/templates", await house.voices.say(company, before))
    await house.mails.close()
    await house.voices.due(company, *(action(company, line.client_id, [line]) for line in lines))
    await until(house.process.health.hindered_by)
    since = [
        Said(_promise("C2", lines[2].entry_id), "C2"),
        Said(_dispute("C3", lines[3].entry_id), "C3"),
        Said(_dispute("C4", None), "C4"),
    ]
    await house.get(company, "/templates", await house.voices.say(company, since))
    await house.mails.open()
    withheld = await house.until_said(company, "MessageWithheld", 3)
    assert {(one["client_id"], one["reason"]) for one in withheld} == {
        ("C2", "promised_since"),
        ("C3", "disputed_since"),
        ("C4", "disputed_since"),
    }
    sent = await house.until_said(company, "EmailSent", 2)
    assert {one["client_id"] for one in sent} == {"C0", "C1"}


async def test_what_changed_since_a_message_was_written_is_seen_at_the_door(house: House, company: str) -> None:
    """It waits, written, for a mail server that is away: nothing of what it was judged by counts any more."""
    lines = [synced(f"F{n}", f"C{n}", "10") for n in range(6)]
    await house.voices.book(company, lines)
    await house.mails.close()
    reminders = [action(company, line.client_id, [line]) for line in lines]
    await house.voices.due(company, *reminders)
    await until(house.process.health.hindered_by)
    since = [
        Said(ClientStopped(client_id="C0"), "C0"),
        Said(EntryStopped(client_id="C1", entry_id=lines[1].entry_id), "C1"),
        Said(ActionWithdrawn(action_id=reminders[2].action_id, client_id="C2", reason="client_stopped"), "C2"),
    ]
    heard = await house.voices.say(company, since)
    heard += await house.voices.book(company, [lines[3].model_copy(update={"lettering": "A"})])
    heard += await house.voices.book(company, [synced("F4", "C4", "12")])
    await house.get(company, "/templates", heard)
    await house.mails.open()
    withheld = await house.until_said(company, "MessageWithheld", 5)
    assert {(one["client_id"], one["reason"]) for one in withheld} == {
        ("C0", "client_stopped"),
        ("C1", "entry_stopped"),
        ("C2", "action_withdrawn"),
        ("C3", "entry_lettered"),
        ("C4", "entry_changed"),
    }
    (sent,) = await house.until_said(company, "EmailSent")
    assert sent["client_id"] == "C5"


def _promise(client_id: str, entry_id: str) -> PromiseRecorded:
    return PromiseRecorded(
        promise_id=uuid4(),
        client_id=client_id,
        entry_id=entry_id,
        amount=Decimal(10),
        currency="EUR",
        promised_on=date(2026, 4, 1),
    )


def _dispute(client_id: str, entry_id: str | None) -> DisputeOpened:
    return DisputeOpened(dispute_id=uuid4(), client_id=client_id, entry_id=entry_id, reason="price")
