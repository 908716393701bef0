"""Disputes (11), flags (16.6) and the day on which money is expected (5.7)."""

from uuid import UUID

import pytest

from contracts.ledger import (
    DISPUTE_REASONS,
    ClientFlagged,
    DisputeClosed,
    DisputeOpened,
    EntryRepositioned,
    NoteAdded,
)
from services.ledger.domain import AddNote, CloseDispute, FlagClient, OpenDispute, RepositionEntry
from services.ledger.domain.refusals import (
    ClientAlreadyFlagged,
    ClientNotFlagged,
    DisputeAlreadyClosed,
    DisputeAlreadyOpen,
    EntryAlreadyLettered,
    EntryNotRepositioned,
    ExpectedInThePast,
    UnknownDispute,
    UnknownDisputeReason,
    UnknownEntry,
)
from tests.specs.ledger.given import CLIENT, CREDIT, DAY, DAY_AFTER, EVE, INVOICE, entry, given

DISPUTE, OTHER = UUID(int=11), UUID(int=12)
OF_ENTRY = DisputeOpened(dispute_id=DISPUTE, client_id=CLIENT, entry_id=INVOICE, reason="price")
OF_ACCOUNT = DisputeOpened(dispute_id=OTHER, client_id=CLIENT, reason="delivery")
CLOSED = DisputeClosed(dispute_id=DISPUTE, client_id=CLIENT, entry_id=INVOICE)


def test_a_client_contests_an_entry_or_its_account() -> None:
    """Rule 11.1."""
    given().when(OpenDispute(DISPUTE, "price", INVOICE)).then(OF_ENTRY)
    given(OF_ENTRY).when(OpenDispute(OTHER, "delivery")).then(OF_ACCOUNT)


@pytest.mark.parametrize("reason", DISPUTE_REASONS)
def test_the_delivered_reasons(reason: str) -> None:
    """Rule 11.3."""
    assert given().when(OpenDispute(DISPUTE, reason)).events()


def test_a_company_has_its_own_reasons() -> None:
    """Rule 11.3: the list can be edited."""
    own = ("Pénalités refusées",)
    assert given().when(OpenDispute(DISPUTE, own[0], reasons=own)).events()
    refusal = given().when(OpenDispute(DISPUTE, "price", reasons=own)).refused(UnknownDisputeReason)
    assert vars(refusal) == {"client_id": CLIENT, "reason": "price", "reasons": own}


def test_one_dispute_at_a_time_on_one_thing() -> None:
    """Rule 11.1."""
    refusal = given(OF_ENTRY).when(OpenDispute(OTHER, "quality", INVOICE)).refused(DisputeAlreadyOpen)
    assert vars(refusal) == {"client_id": CLIENT, "entry_id": INVOICE, "dispute_id": DISPUTE}
    given(OF_ACCOUNT).when(OpenDispute(DISPUTE, "quality")).refused(DisputeAlreadyOpen)
    again = given(OF_ENTRY, CLOSED).when(OpenDispute(OTHER, "quality", INVOICE)).events()
    assert again == [DisputeOpened(dispute_id=OTHER, client_id=CLIENT, entry_id=INVOICE, reason="quality")]


def test_nobody_contests_what_is_settled_or_unknown() -> None:
    given(entries=[entry(open=False)]).when(OpenDispute(DISPUTE, "price", INVOICE)).refused(EntryAlreadyLettered)
    given(entries=[]).when(OpenDispute(DISPUTE, "price", INVOICE)).refused(UnknownEntry)


def test_a_credit_may_be_contested() -> None:
    assert given(entries=[entry(CREDIT, "-10")]).when(OpenDispute(DISPUTE, "price", CREDIT)).events()


def test_a_dispute_is_closed_once_also_when_its_entry_left_accounting() -> None:
    given(OF_ENTRY).when(CloseDispute(DISPUTE)).then(CLOSED)
    given(OF_ENTRY, entries=[]).when(CloseDispute(DISPUTE)).then(CLOSED)
    given(OF_ENTRY, CLOSED).when(CloseDispute(DISPUTE)).refused(DisputeAlreadyClosed)
    given().when(CloseDispute(DISPUTE)).refused(UnknownDispute)


def test_money_is_expected_on_another_day() -> None:
    """Rule 5.7."""
    expected = EntryRepositioned(client_id=CLIENT, entry_id=INVOICE, expected_on=DAY_AFTER)
    back = EntryRepositioned(client_id=CLIENT, entry_id=INVOICE)
    given().when(RepositionEntry(INVOICE, DAY_AFTER), on=DAY).then(expected)
    given(expected).when(RepositionEntry(INVOICE, DAY_AFTER), on=DAY).then()
    given(expected).when(RepositionEntry(INVOICE, None), on=DAY).then(back)
    given(expected, back).when(RepositionEntry(INVOICE, None), on=DAY).refused(EntryNotRepositioned)


def test_money_is_expected_today_or_later_and_on_open_entries() -> None:
    """Rule 5.7."""
    given().when(RepositionEntry(INVOICE, EVE), on=DAY).refused(ExpectedInThePast)
    assert given().when(RepositionEntry(INVOICE, DAY), on=DAY).events()
    given(entries=[entry(open=False)]).when(RepositionEntry(INVOICE, DAY)).refused(EntryAlreadyLettered)
    given(entries=[]).when(RepositionEntry(INVOICE, DAY)).refused(UnknownEntry)


def test_a_client_is_flagged_and_unflagged() -> None:
    """Rule 16.6."""
    flagged, unflagged = ClientFlagged(client_id=CLIENT), ClientFlagged(client_id=CLIENT, flagged=False)
    given().when(FlagClient()).then(flagged)
    given(flagged).when(FlagClient()).refused(ClientAlreadyFlagged)
    given(flagged).when(FlagClient(flagged=False)).then(unflagged)
    given().when(FlagClient(flagged=False)).refused(ClientNotFlagged)


def test_a_note_names_those_it_calls_on() -> None:
    """Rule 15.7."""
    note = NoteAdded(note_id=UUID(int=5), client_id=CLIENT, mentions=("user:7",))
    given().when(AddNote(UUID(int=5), mentions=("user:7",))).then(note)
