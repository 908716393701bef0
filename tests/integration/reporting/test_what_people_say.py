"""Disputes, stops that end, flags and expected days on the pages (rules 5.7, 8.1, 10.2, 11, 16.6)."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest_asyncio

from contracts.ledger import (
    ClientFlagged,
    ClientMerged,
    ClientStopped,
    DisputeClosed,
    DisputeOpened,
    EntryRepositioned,
    EntryStopped,
    NoteAdded,
    PromiseKept,
    PromiseReopened,
)
from tests.integration.reporting.conftest import DAY, House, Names, Voices
from tests.integration.reporting.test_pages import Book, entry_id

OF_ENTRY, OF_ACCOUNT = uuid4(), uuid4()


@pytest_asyncio.fixture
async def book(company: str, voices: Voices, ledger_names: Names) -> Book:
    """Munoz contests FAC20156 (3960.48), its account is followed; the Hôtel du Parc contests all it owes."""
    ledger_names.know(company, "411MUNOZ", "Munoz S.A.")
    ledger_names.know(company, "411PARC", "Hôtel du Parc")
    made = Book(company, voices)
    await made.fill()
    opened = DisputeOpened(
        dispute_id=OF_ENTRY, client_id="411MUNOZ", entry_id=entry_id("FAC20156"), reason="quality"
    )
    await made.say(opened, on=date(2026, 11, 10), actor="user:nathalie")
    await made.say(DisputeOpened(dispute_id=OF_ACCOUNT, client_id="411PARC", reason="delivery"), on=DAY)
    await made.say(ClientFlagged(client_id="411MUNOZ"), on=DAY)
    return made


async def test_the_client_page_shows_its_disputes_and_its_flag(house: House, book: Book) -> None:
    """Rules 11.1, 16.6."""
    page = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ")
    (dispute,) = page["disputes"]
    assert page["flagged"] is True
    assert (dispute["reason"], dispute["piece"], dispute["amount"]) == ("quality", "FAC20156", "3960.48")
    assert (dispute["opened_by"], dispute["days_open"]) == ("user:nathalie", 14)
    lines = {line["piece"]: line for line in page["statement"]["entries"]}
    assert lines["FAC20156"]["dispute_reason"] == "quality"
    assert lines["FAC20114"]["dispute_id"] is None
    kinds = [(line["kind"], line["detail"]) for line in page["history"]]
    assert ("dispute", "quality") in kinds
    assert ("flag", None) in kinds


async def test_the_list_of_disputes_counts_each_client_once(house: House, book: Book) -> None:
    """Rule 11.2."""
    of_invoice = DisputeOpened(
        dispute_id=uuid4(), client_id="411PARC", entry_id=entry_id("FAC30001"), reason="price"
    )
    await book.say(of_invoice, on=DAY)
    listed = await house.get(book.company, "/disputes", book.heard)
    assert (listed["count"], listed["amount"], listed["due"]) == (3, "11276.48", "23458.55")
    assert [row["client_id"] for row in listed["rows"]] == ["411MUNOZ", "411PARC", "411PARC"]
    by_reason = await house.get(book.company, "/disputes", book.heard, reason="delivery")
    assert [(row["client_id"], row["amount"]) for row in by_reason["rows"]] == [("411PARC", "7316.00")]
    file = await house.ask(book.company, "/disputes", book.heard, format="csv")
    assert "Motif" in file.text
    assert "FAC20156" in file.text


async def test_a_closed_dispute_leaves_the_list_and_stays_on_the_page(house: House, book: Book) -> None:
    closed = DisputeClosed(dispute_id=OF_ENTRY, client_id="411MUNOZ", entry_id=entry_id("FAC20156"))
    await book.say(closed, on=date(2026, 11, 20), actor="user:paul")
    listed = await house.get(book.company, "/disputes", book.heard)
    assert [row["client_id"] for row in listed["rows"]] == ["411PARC"]
    page = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ")
    (dispute,) = page["disputes"]
    assert (dispute["closed_on"], dispute["closed_by"], dispute["days_open"]) == ("2026-11-20", "user:paul", 10)
    both = await house.get(book.company, "/disputes", book.heard, status=["open", "closed"])
    assert both["count"] == 2


async def test_who_owes_what_marks_them(house: House, book: Book) -> None:
    found = await house.get(book.company, "/who-owes-what", book.heard)
    marks = {row["client_id"]: (row["flagged"], row["disputed"]) for row in found["rows"]}
    assert marks == {"411MUNOZ": (True, True), "411PARC": (False, True)}


async def test_a_stop_says_when_it_ends(house: House, book: Book) -> None:
    """Rules 8.1, 8.2."""
    until = DAY + timedelta(days=10)
    await book.say(
        ClientStopped(client_id="411MUNOZ", resumes_on=until),
        EntryStopped(client_id="411MUNOZ", entry_id=entry_id("FAC20233"), resumes_on=until),
    )
    page = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ")
    assert (page["stopped_on"], page["resumes_on"]) == (str(DAY), str(until))
    lines = {line["piece"]: line for line in page["statement"]["entries"]}
    assert lines["FAC20233"]["resumes_on"] == str(until)


async def test_money_expected_on_another_day_stands_beside_the_due_date(house: House, book: Book) -> None:
    """Rule 5.7."""
    invoice = entry_id("FAC20233")
    expected = EntryRepositioned(client_id="411MUNOZ", entry_id=invoice, expected_on=date(2026, 12, 20))
    await book.say(expected)
    page = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ")
    lines = {line["piece"]: line for line in page["statement"]["entries"]}
    assert (lines["FAC20233"]["due_date"], lines["FAC20233"]["expected_on"]) == ("2026-12-02", "2026-12-20")
    await book.say(EntryRepositioned(client_id="411MUNOZ", entry_id=invoice))
    page = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ")
    assert {line["expected_on"] for line in page["statement"]["entries"]} == {None}


async def test_a_promise_stands_again_when_its_payment_is_taken_back(house: House, book: Book) -> None:
    """Rules 10.2, 22.8."""
    invoice = entry_id("FAC20114")
    await book.say(PromiseKept(promise_id=book.promise_id, client_id="411MUNOZ", entry_id=invoice))
    assert (await house.get(book.company, "/promises", book.heard))["count"] == 0
    again = PromiseReopened(
        promise_id=book.promise_id,
        client_id="411MUNOZ",
        entry_id=invoice,
        amount=Decimal("5000.00"),
        currency="EUR",
        promised_on=date(2026, 11, 23),
    )
    await book.say(again)
    (promise,) = (await house.get(book.company, "/promises", book.heard))["rows"]
    assert (promise["status"], promise["days_late"]) == ("late", 1)


async def test_a_note_calls_on_a_colleague(house: House, book: Book) -> None:
    """Rule 15.7."""
    note = NoteAdded(
        note_id=uuid4(), client_id="411MUNOZ", entry_id=entry_id("FAC20114"), mentions=("user:paul", "user:zoe")
    )
    await book.say(note, actor="user:nathalie")
    (mention,) = (await house.get(book.company, "/mentions", book.heard, user="user:paul"))["rows"]
    assert (mention["client_id"], mention["piece"], mention["by"]) == ("411MUNOZ", "FAC20114", "user:nathalie")
    assert (await house.get(book.company, "/mentions", book.heard, user="user:nathalie"))["rows"] == []


async def test_the_history_of_an_old_code_goes_on_with_the_new_one(house: House, book: Book) -> None:
    """Rule 5.9."""
    await book.say(ClientMerged(client_id="411PARC", into="411MUNOZ"), on=DAY)
    new = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ")
    assert (new["merged_into"], new["merged_from"]) == (None, ["411PARC"])
    assert ("411PARC", "merged", "411MUNOZ") in [
        (line["client_id"], line["kind"], line["detail"]) for line in new["history"]
    ]
    old = await house.get(book.company, "/client", book.heard, client_id="411PARC")
    assert old["merged_into"] == "411MUNOZ"


async def test_the_timeline_follows_flagged_clients_alone(house: House, book: Book) -> None:
    """Rule 16.6: what comes in 7 days, what came in 7, what came in 30."""
    timeline = await house.get(book.company, "/timeline", book.heard)
    assert timeline["flagged"] == 1
    ahead = [(event["kind"], event["piece"], event["on"]) for event in timeline["ahead"]]
    assert ahead == [("action", None, str(DAY)), ("due", "FAC20300", str(DAY))]
    week = [(event["kind"], event["on"]) for event in timeline["week"]]
    assert ("reminder", "2026-11-18") in week
    month = [(event["kind"], event["detail"]) for event in timeline["month"]]
    assert month == [("dispute", "quality")]
    every = [*timeline["ahead"], *timeline["week"], *timeline["month"]]
    assert {event["client_id"] for event in every} == {"411MUNOZ"}
    await book.say(ClientFlagged(client_id="411MUNOZ", flagged=False))
    assert await house.get(book.company, "/timeline", book.heard) == {
        "as_of": str(DAY),
        "flagged": 0,
        "ahead": [],
        "week": [],
        "month": [],
    }


async def test_the_history_follows_a_client_over_a_chain_of_codes(house: House, book: Book) -> None:
    """Rule 5.9."""
    for old, into in (("411MUNOZ", "411PARC"), ("411PARC", "411LAST")):
        await book.say(ClientMerged(client_id=old, into=into), on=DAY)
    await book.say(ClientFlagged(client_id="411LAST"), on=DAY)
    page = await house.get(book.company, "/client", book.heard, client_id="411LAST")
    assert page["merged_from"] == ["411MUNOZ", "411PARC"]
    assert ("dispute", "quality") in [(line["kind"], line["detail"]) for line in page["history"]]
