"""Two codes that are one client: what was said goes on (rule 5.9)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid5

import pytest

from contracts.event import Event
from contracts.ledger import (
    ClientFlagged,
    ClientMerged,
    ClientResumed,
    ClientStopped,
    DisputeClosed,
    DisputeOpened,
    DocumentAttached,
    DocumentRemoved,
    EntryRepositioned,
    EntryResumed,
    EntryStopped,
    MergedEntry,
    ProfileAssigned,
    PromiseCancelled,
    PromiseKept,
    PromiseRecorded,
)
from services.ledger.domain import ClientState, EntryFacts, evolve
from services.ledger.domain.merging import CARRIED, BookLine, Merging, landing, merge, moved
from services.ledger.domain.refusals import ClientAlreadyMerged, MergeIntoItself

OLD, NEW = "411OLD", "411NEW"
INVOICE, OTHER, SAME = "a" * 32, "b" * 32, "c" * 32
PROMISE, DISPUTE, DOCUMENT, CARRIED_DOCUMENT = (UUID(int=n) for n in (1, 2, 3, 4))
DAY = date(2026, 3, 10)


def line(entry_id: str, piece: str, amount: str = "100", **more: object) -> BookLine:
    fields: dict[str, object] = {
        "kind": "invoice",
        "journal": "VE",
        "piece": piece,
        "entry_date": DAY,
        "amount": Decimal(amount),
        "currency": "EUR",
        **more,
    }
    return BookLine(entry_id=entry_id, **fields)  # type: ignore[arg-type]


def state(client_id: str, *history: Event) -> ClientState:
    known = ClientState(client_id)
    for event in history:
        known = evolve(known, event)
    return known


def merged(
    before: list[Event], after: list[Event], entries: dict[str, str], known: dict[str, str] | None = None
) -> tuple[list[Event], list[Event]]:
    return merge(Merging(state(OLD, *before), state(NEW, *after), entries, known or {}))


def promise(promise_id: UUID = PROMISE, client_id: str = OLD, entry_id: str = INVOICE) -> PromiseRecorded:
    return PromiseRecorded(
        promise_id=promise_id,
        client_id=client_id,
        entry_id=entry_id,
        amount=Decimal(40),
        currency="EUR",
        promised_on=DAY,
    )


def dispute(entry_id: str | None, dispute_id: UUID = DISPUTE, client_id: str = OLD) -> DisputeOpened:
    return DisputeOpened(dispute_id=dispute_id, client_id=client_id, entry_id=entry_id, reason="price")


def test_a_line_is_found_again_by_its_identity_or_by_its_looks() -> None:
    before = [line(SAME, "F1"), line(INVOICE, "F2", "50", removed=True)]
    after = [line(SAME, "F1"), line(OTHER, "F2", "50")]
    assert moved(before, after) == {SAME: SAME, INVOICE: OTHER}


def test_lines_that_look_alike_are_not_guessed_at() -> None:
    twins = [line(INVOICE, "F1", removed=True), line(SAME, "F1", removed=True)]
    assert moved(twins, [line(OTHER, "F1")]) == {}
    assert moved([line(INVOICE, "F1", removed=True)], [line(OTHER, "F1", "99")]) == {}


def test_a_line_that_stands_under_the_old_code_has_not_moved_whatever_the_new_one_has() -> None:
    assert moved([line(INVOICE, "F1")], [line(OTHER, "F1")]) == {}


def test_a_merge_names_the_lines_that_moved() -> None:
    """Rule 22.24."""
    of_old, of_new = merged([], [], {INVOICE: OTHER})
    entry = MergedEntry(entry_id=INVOICE, into_entry_id=OTHER)
    assert of_old == [ClientMerged(client_id=OLD, into=NEW, entries=(entry,))]
    assert of_new == []


def test_open_promises_end_with_the_old_code_and_begin_with_the_new_one() -> None:
    kept = PromiseKept(promise_id=UUID(int=9), client_id=OLD, entry_id=INVOICE)
    of_old, of_new = merged([promise(), promise(UUID(int=9)), kept], [], {INVOICE: OTHER})
    assert of_old[:-1] == [PromiseCancelled(promise_id=PROMISE, client_id=OLD, entry_id=INVOICE)]
    assert of_new == [promise(uuid5(CARRIED, f"{PROMISE}"), NEW, OTHER)]


def test_what_is_on_lines_that_did_not_move_stays() -> None:
    stopped = EntryStopped(client_id=OLD, entry_id=INVOICE)
    of_old, of_new = merged([promise(), dispute(INVOICE), stopped], [], {})
    assert (of_old, of_new) == ([ClientMerged(client_id=OLD, into=NEW)], [])


def test_disputes_stops_and_marks_are_carried() -> None:
    said = [
        dispute(None),
        EntryStopped(client_id=OLD, entry_id=INVOICE, resumes_on=DAY),
        EntryRepositioned(client_id=OLD, entry_id=INVOICE, expected_on=DAY),
        ClientStopped(client_id=OLD, resumes_on=DAY),
        ClientFlagged(client_id=OLD),
        ProfileAssigned(client_id=OLD, profile="Export"),
    ]
    of_old, of_new = merged(said, [], {INVOICE: OTHER})
    assert of_old[:-1] == [
        DisputeClosed(dispute_id=DISPUTE, client_id=OLD),
        EntryResumed(client_id=OLD, entry_id=INVOICE),
        EntryRepositioned(client_id=OLD, entry_id=INVOICE, expected_on=None),
        ClientResumed(client_id=OLD),
        ClientFlagged(client_id=OLD, flagged=False),
        ProfileAssigned(client_id=OLD, profile=None),
    ]
    assert of_new == [
        dispute(None, uuid5(CARRIED, f"{DISPUTE}"), NEW),
        EntryStopped(client_id=NEW, entry_id=OTHER, resumes_on=DAY),
        EntryRepositioned(client_id=NEW, entry_id=OTHER, expected_on=DAY),
        ClientStopped(client_id=NEW, resumes_on=DAY),
        ClientFlagged(client_id=NEW),
        ProfileAssigned(client_id=NEW, profile="Export"),
    ]


def test_where_both_codes_have_a_word_the_new_ones_stands() -> None:
    said = [dispute(None), ClientStopped(client_id=OLD), ProfileAssigned(client_id=OLD, profile="Export")]
    own: list[Event] = [
        dispute(None, UUID(int=3), NEW),
        ClientStopped(client_id=NEW, resumes_on=DAY),
        ProfileAssigned(client_id=NEW, profile="Internal"),
    ]
    assert merged(said, own, {})[1] == []


def test_saying_it_again_carries_only_what_is_left() -> None:
    of_old, of_new = merged([promise()], [], {INVOICE: OTHER})
    again = merged([promise(), *of_old[:-1]], of_new, {INVOICE: OTHER}, {OLD: NEW})
    assert again == ([of_old[-1]], [])


def test_saying_it_again_undoes_nothing_that_was_decided_since() -> None:
    said: list[Event] = [
        dispute(None),
        EntryStopped(client_id=OLD, entry_id=INVOICE),
        EntryRepositioned(client_id=OLD, entry_id=INVOICE, expected_on=DAY),
        ClientStopped(client_id=OLD),
        ClientFlagged(client_id=OLD),
        ProfileAssigned(client_id=OLD, profile="Export"),
    ]
    of_old, of_new = merged(said, [], {INVOICE: OTHER})
    since: list[Event] = [
        DisputeClosed(dispute_id=uuid5(CARRIED, f"{DISPUTE}"), client_id=NEW),
        EntryResumed(client_id=NEW, entry_id=OTHER),
        EntryRepositioned(client_id=NEW, entry_id=OTHER, expected_on=None),
        ClientResumed(client_id=NEW),
        ClientFlagged(client_id=NEW, flagged=False),
        ProfileAssigned(client_id=NEW, profile=None),
    ]
    again = merged([*said, *of_old[:-1]], [*of_new, *since], {INVOICE: OTHER}, {OLD: NEW})
    assert again == ([of_old[-1]], [])


def test_marks_of_the_account_stay_with_the_old_code_while_open_lines_remain_there() -> None:
    said: list[Event] = [dispute(None), ClientStopped(client_id=OLD), ClientFlagged(client_id=OLD)]
    begun = [
        dispute(None, uuid5(CARRIED, f"{DISPUTE}"), NEW),
        ClientStopped(client_id=NEW),
        ClientFlagged(client_id=NEW),
    ]
    name = ClientMerged(client_id=OLD, into=NEW)
    early = merge(Merging(state(OLD, *said), state(NEW), {}, {}, remaining=True))
    assert early == ([name], begun), "the lines that accounting moves later are still not reminded"
    since = [DisputeClosed(dispute_id=uuid5(CARRIED, f"{DISPUTE}"), client_id=NEW), ClientResumed(client_id=NEW)]
    again = merge(Merging(state(OLD, *said), state(NEW, *begun, *since), {}, {OLD: NEW}))
    assert again == ([DisputeClosed(dispute_id=DISPUTE, client_id=OLD), name], [])


def test_a_pair_of_lines_is_named_once() -> None:
    wanted = Merging(state(OLD), state(NEW), {INVOICE: OTHER, SAME: SAME}, {OLD: NEW}, {(INVOICE, OTHER)})
    entry = MergedEntry(entry_id=SAME, into_entry_id=SAME)
    assert merge(wanted) == ([ClientMerged(client_id=OLD, into=NEW, entries=(entry,))], [])


@pytest.mark.parametrize("is_open", [True, False])
def test_a_promise_carried_onto_a_settled_line_is_kept(is_open: bool) -> None:
    """Rule 10.2."""
    line_after = EntryFacts(OTHER, Decimal(40), "EUR", is_open)
    after = replace(state(NEW), entries={OTHER: line_after})
    _, of_new = merge(Merging(state(OLD, promise()), after, {INVOICE: OTHER}, {}))
    carried = uuid5(CARRIED, f"{PROMISE}")
    kept = [] if is_open else [PromiseKept(promise_id=carried, client_id=NEW, entry_id=OTHER)]
    assert of_new == [promise(carried, NEW, OTHER), *kept]


@pytest.mark.parametrize("known", [{NEW: OLD}, {NEW: "411X", "411X": OLD}])
def test_no_merge_goes_round(known: dict[str, str]) -> None:
    with pytest.raises(MergeIntoItself) as told:
        merged([], [], {}, known)
    assert vars(told.value) == {"client_id": OLD, "into": NEW}


def test_a_code_becomes_one_client() -> None:
    with pytest.raises(MergeIntoItself):
        merge(Merging(state(OLD), state(OLD), {}, {}))
    with pytest.raises(ClientAlreadyMerged) as told:
        merged([], [], {}, {OLD: "411X"})
    assert vars(told.value) == {"client_id": OLD, "into": "411X"}


def test_a_code_that_became_another_client_leads_to_where_it_went() -> None:
    chain = {"411B": "411C", "411C": "411D"}
    assert [landing(code, chain) for code in ("411A", "411B", "411C", "411D")] == ["411A", "411D", "411D", "411D"]


def test_a_merge_said_again_after_its_target_moved_on_carries_to_the_new_target() -> None:
    known = {OLD: "411B", "411B": NEW}
    of_old, of_new = merged([ClientStopped(client_id=OLD)], [], {INVOICE: OTHER}, known)
    assert of_new == []
    (said,) = of_old
    assert isinstance(said, ClientMerged)
    assert said.into == NEW


@pytest.mark.parametrize("is_open", [True, False])
def test_marks_of_a_line_that_was_settled_meanwhile_end_and_do_not_begin_again(is_open: bool) -> None:
    """Nobody opens a dispute on a settled line, nor stops it (rules 8.2, 11.1)."""
    before = [
        DisputeOpened(dispute_id=DISPUTE, client_id=OLD, entry_id=INVOICE, reason="price"),
        EntryStopped(client_id=OLD, entry_id=INVOICE),
        EntryRepositioned(client_id=OLD, entry_id=INVOICE, expected_on=DAY),
    ]
    after = replace(state(NEW), entries={OTHER: EntryFacts(OTHER, Decimal(100), "EUR", is_open)})
    of_old, of_new = merge(Merging(state(OLD, *before), after, {INVOICE: OTHER}, {}))
    assert of_old[:-1] == [
        DisputeClosed(dispute_id=DISPUTE, client_id=OLD, entry_id=INVOICE),
        EntryResumed(client_id=OLD, entry_id=INVOICE),
        EntryRepositioned(client_id=OLD, entry_id=INVOICE, expected_on=None),
    ]
    begun = [
        dispute(OTHER, uuid5(CARRIED, f"{DISPUTE}"), NEW),
        EntryStopped(client_id=NEW, entry_id=OTHER),
        EntryRepositioned(client_id=NEW, entry_id=OTHER, expected_on=DAY),
    ]
    assert of_new == (begun if is_open else [])


def test_of_two_disputes_of_one_line_one_goes_on_and_a_closed_one_keeps_no_other_from_it() -> None:
    """Rule 22.24: one closed, one on a line that stays, then two on a line that moved and one on another."""
    closed, staying, first, second, third = (UUID(int=n) for n in range(21, 26))
    before = [
        dispute(INVOICE, closed),
        DisputeClosed(dispute_id=closed, client_id=OLD, entry_id=INVOICE),
        dispute("d" * 32, staying),
        dispute(INVOICE, first),
        dispute(INVOICE, second),
        dispute(SAME, third),
    ]
    of_old, of_new = merged(before, [], {INVOICE: OTHER, SAME: SAME})
    assert of_old[:-1] == [
        DisputeClosed(dispute_id=first, client_id=OLD, entry_id=INVOICE),
        DisputeClosed(dispute_id=second, client_id=OLD, entry_id=INVOICE),
        DisputeClosed(dispute_id=third, client_id=OLD, entry_id=SAME),
    ]
    assert of_new == [
        dispute(OTHER, uuid5(CARRIED, f"{first}"), NEW),
        dispute(SAME, uuid5(CARRIED, f"{third}"), NEW),
    ]


@pytest.mark.parametrize("known_there", [False, True])
def test_a_document_follows_its_line_and_is_not_attached_twice(known_there: bool) -> None:
    attached = {"sha256": "0" * 64, "bytes": 9}
    before = state(OLD, DocumentAttached(document_id=DOCUMENT, client_id=OLD, entry_id=INVOICE, **attached))
    there = DocumentAttached(document_id=CARRIED_DOCUMENT, client_id=NEW, entry_id=OTHER, **attached)
    after = state(NEW, there) if known_there else state(NEW)
    wanted = Merging(before, after, {INVOICE: OTHER}, {}, documents={DOCUMENT: CARRIED_DOCUMENT})
    of_old, of_new = merge(wanted)
    assert DocumentRemoved(document_id=DOCUMENT, client_id=OLD, entry_id=INVOICE) in of_old
    assert of_new == ([] if known_there else [there])
