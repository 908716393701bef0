"""Stops (8.1, 8.2), profiles (3.5) and notes."""

from datetime import date
from uuid import UUID

import pytest

from contracts.ledger import (
    ClientChanged,
    ClientResumed,
    ClientStopped,
    EntryResumed,
    EntryStopped,
    NoteAdded,
    ProfileAssigned,
)
from services.ledger.domain import (
    AddNote,
    AssignProfile,
    ClientFacts,
    ClientSeen,
    CompanySettings,
    DayCame,
    ResumeClient,
    ResumeEntry,
    StopClient,
    StopEntry,
    decide_company,
)
from services.ledger.domain.refusals import (
    ClientAlreadyStopped,
    ClientNotStopped,
    EntryAlreadyStopped,
    EntryNotStopped,
    StopEndsInThePast,
    UnknownEntry,
)
from tests.specs.ledger.given import CLIENT, DAY, DAY_AFTER, EVE, INVOICE, given

STOPPED, RESUMED = ClientStopped(client_id=CLIENT), ClientResumed(client_id=CLIENT)
ENTRY_STOPPED = EntryStopped(client_id=CLIENT, entry_id=INVOICE)
ENTRY_RESUMED = EntryResumed(client_id=CLIENT, entry_id=INVOICE)


def test_a_person_stops_and_resumes_a_client() -> None:
    """Rule 8.1."""
    given().when(StopClient()).then(STOPPED)
    given(STOPPED).when(ResumeClient()).then(RESUMED)
    given(STOPPED, RESUMED).when(StopClient()).then(STOPPED)


def test_a_stop_that_stands_is_not_said_again() -> None:
    """Rule 8.1."""
    given(STOPPED).when(StopClient()).refused(ClientAlreadyStopped)
    given().when(ResumeClient()).refused(ClientNotStopped)


def test_an_entry_is_stopped_alone() -> None:
    """Rule 8.2."""
    given().when(StopEntry(INVOICE)).then(ENTRY_STOPPED)
    given(ENTRY_STOPPED).when(StopClient()).then(STOPPED)
    given(ENTRY_STOPPED).when(ResumeEntry(INVOICE)).then(ENTRY_RESUMED)
    given(ENTRY_STOPPED).when(StopEntry(INVOICE)).refused(EntryAlreadyStopped)
    given(STOPPED).when(ResumeEntry(INVOICE)).refused(EntryNotStopped)
    given(entries=[]).when(StopEntry(INVOICE)).refused(UnknownEntry)


def until(day: date) -> ClientStopped:
    return ClientStopped(client_id=CLIENT, resumes_on=day)


def test_a_stop_may_have_an_end() -> None:
    """Rule 8.1: reminders resume on that day, without anybody's doing."""
    given().when(StopClient(DAY_AFTER), on=DAY).then(until(DAY_AFTER))
    given(until(DAY)).when(DayCame(), on=EVE).then()
    given(until(DAY)).when(DayCame(), on=DAY).then(RESUMED)
    given(until(DAY)).when(DayCame(), on=DAY_AFTER).then(RESUMED)
    given(until(DAY), RESUMED).when(DayCame(), on=DAY_AFTER).then()
    given(STOPPED).when(DayCame(), on=DAY_AFTER).then()


def test_a_client_that_is_resumed_is_as_if_it_had_never_been_stopped() -> None:
    assert given(until(DAY), RESUMED).state == given().state


def test_a_stop_that_ends_today_or_before_is_none() -> None:
    given().when(StopClient(DAY), on=DAY).refused(StopEndsInThePast)
    refusal = given().when(StopEntry(INVOICE, EVE), on=DAY).refused(StopEndsInThePast)
    assert vars(refusal) == {"client_id": CLIENT, "resumes_on": EVE, "as_of": DAY}


def test_a_stop_that_stands_may_get_another_end() -> None:
    """Rule 8.1."""
    given(STOPPED).when(StopClient(DAY_AFTER), on=DAY).then(until(DAY_AFTER))
    given(until(DAY_AFTER)).when(StopClient(), on=DAY).then(STOPPED)
    given(until(DAY_AFTER)).when(StopClient(DAY_AFTER), on=DAY).refused(ClientAlreadyStopped)


def test_the_stop_of_an_entry_ends_alike() -> None:
    """Rule 8.2."""
    stopped = EntryStopped(client_id=CLIENT, entry_id=INVOICE, resumes_on=DAY)
    given().when(StopEntry(INVOICE, DAY), on=EVE).then(stopped)
    given(stopped).when(DayCame(), on=EVE).then()
    given(stopped).when(DayCame(), on=DAY).then(ENTRY_RESUMED)
    given(stopped, entries=[]).when(DayCame(), on=DAY).then(ENTRY_RESUMED)
    given(stopped).when(StopEntry(INVOICE, DAY), on=EVE).refused(EntryAlreadyStopped)


def test_an_entry_that_left_accounting_can_still_be_resumed() -> None:
    """Rule 2.9: stops survive a full export."""
    given(ENTRY_STOPPED, entries=[]).when(ResumeEntry(INVOICE)).then(ENTRY_RESUMED)


def changed(version: int, facts: ClientFacts) -> ClientChanged:
    values = {name: getattr(facts, name) for name in ClientFacts.__slots__}
    return ClientChanged(client_id=CLIENT, version=version, **values)


def test_a_new_client_is_always_told() -> None:
    given().when(ClientSeen(ClientFacts())).then(changed(1, ClientFacts()))


def test_facts_that_did_not_change_are_not_said_again() -> None:
    facts = ClientFacts(has_email=True, category="B2B")
    given(changed(1, facts)).when(ClientSeen(facts)).then()
    with_phone = ClientFacts(has_email=True, has_phone=True, category="B2B")
    given(changed(1, facts)).when(ClientSeen(with_phone)).then(changed(2, with_phone))


def test_a_changed_name_makes_a_new_version_without_telling_the_name() -> None:
    facts = ClientFacts(has_email=True)
    given(changed(3, facts)).when(ClientSeen(facts, person_changed=True)).then(changed(4, facts))


@pytest.mark.parametrize("from_accounting", [None, "Export", "Internal"])
def test_the_profile_a_user_chose_wins_over_accounting(from_accounting: str | None) -> None:
    """Rule 3.5."""
    chosen = ProfileAssigned(client_id=CLIENT, profile="Key account")
    given(changed(1, ClientFacts(profile="Export")), chosen).when(
        ClientSeen(ClientFacts(profile=from_accounting))
    ).then(changed(2, ClientFacts(profile="Key account")))


def test_a_removed_choice_gives_the_profile_back_to_accounting() -> None:
    """Rule 3.5."""
    chosen = ProfileAssigned(client_id=CLIENT, profile="Key account")
    removed = ProfileAssigned(client_id=CLIENT, profile=None)
    given(changed(1, ClientFacts(profile="Key account")), chosen).when(AssignProfile(None)).then(removed)
    given(changed(1, ClientFacts(profile="Key account")), chosen, removed).when(
        ClientSeen(ClientFacts(profile="Export"))
    ).then(changed(2, ClientFacts(profile="Export")))


def test_choosing_the_same_profile_changes_nothing() -> None:
    given(ProfileAssigned(client_id=CLIENT, profile="Export")).when(AssignProfile("Export")).then()


def test_a_note_is_said_without_its_text() -> None:
    note = UUID(int=9)
    given().when(AddNote(note)).then(NoteAdded(note_id=note, client_id=CLIENT))
    given().when(AddNote(note, INVOICE)).then(NoteAdded(note_id=note, client_id=CLIENT, entry_id=INVOICE))
    given(entries=[]).when(AddNote(note, INVOICE)).refused(UnknownEntry)


def test_a_company_is_registered_once_then_changed() -> None:
    first, second = CompanySettings("Acme"), CompanySettings("Acme", currency="CHF")
    assert [type(event).__name__ for event in decide_company(None, first)] == ["CompanyRegistered"]
    assert decide_company(first, first) == []
    (event,) = decide_company(first, second)
    assert (type(event).__name__, event.model_dump()["currency"]) == ("CompanyChanged", "CHF")


def test_a_note_leaves_no_trace_in_what_is_decided_by() -> None:
    said = NoteAdded(note_id=UUID(int=1), client_id=CLIENT, entry_id=INVOICE)
    assert given(STOPPED, said).state == given(STOPPED).state
