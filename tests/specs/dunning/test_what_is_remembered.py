"""What is heard of a client, of it alone or in bulk, in whatever order; by whom and since when it holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from contracts import dunning, ledger, notify
from contracts.event import Event
from services.dunning.domain import dates
from services.dunning.domain.memory import Memory, Since, Told, remember
from services.dunning.domain.scenario import load
from tests.specs.dunning.given import (
    CLIENT,
    STANDARD,
    World,
    at_level,
    client,
    day,
    dispute_closed,
    disputed,
    entry_id,
    entry_resumed,
    given,
    invoice,
    promise,
    promise_cancelled,
    resumed,
    scenario,
    step,
    stopped,
)
from tests.specs.dunning.test_open_actions import by_hand
from tests.specs.dunning.test_thank_you import announced, payment, thankful, thanks

ON = day("2025-03-18")


def remembered(*events: Event) -> Memory:
    return remember(Told(event, ON, "user:anna") for event in events)


@pytest.mark.parametrize(
    "event",
    [
        resumed(),
        entry_resumed("F"),
        promise_cancelled("F", "2025-04-01"),
        dispute_closed("F"),
        ledger.LetteringErrorCleared(client_id=CLIENT, account="411", lettering="A"),
        ledger.EntryRepositioned(client_id=CLIENT, entry_id=entry_id("F")),
        dunning.ActionExcluded(
            client_id=CLIENT, entries=(dunning.ExcludedEntry(entry_id=entry_id("F"), step="R1", reasons=()),)
        ),
    ],
    ids=lambda event: type(event).__name__,
)
def test_the_end_of_what_was_never_heard_of_changes_nothing(event):
    """What was said before the oldest fact that is kept may end after it."""
    assert remembered(event) == Memory()


def test_a_dispute_is_remembered_under_its_own_name_with_its_author():
    opened = disputed("F")
    (dispute,) = remembered(opened).disputes.values()
    assert dispute == (opened.dispute_id, entry_id("F"), "price", Since(ON, "user:anna"))  # type: ignore[attr-defined]


def test_a_stop_is_remembered_until_it_ends():
    assert remembered(stopped()).stop == Since(ON, "user:anna")
    assert remembered(stopped(), resumed()).stop is None


def test_who_was_resumed_is_as_who_was_never_stopped():
    """Rule 8.1: nothing stays of a stop, nor of the day on which it would have ended."""
    assert given(stopped("2025-04-01"), resumed()).book == given().book


def test_a_confirmed_action_keeps_what_its_proposal_said():
    """A confirmation leaves out the days that the proposal told."""
    world = given(invoice("F", 100, "2025-03-10"))
    world.when("2025-03-18")
    (proposed,) = world.said.values()
    bare = tuple(line.model_copy(update={"due_on": None}) for line in proposed.entries)
    confirmed = dunning.ActionDue(action=proposed.model_copy(update={"entries": bare}))
    (made,) = remembered(dunning.ActionProposed(action=proposed), confirmed).actions.values()
    assert made.action.entries[0].due_on == ON
    assert made.confirmed == Since(ON, "user:anna")
    (automatic,) = remembered(confirmed).actions.values()
    assert automatic.action == confirmed.action


def test_a_lettering_error_is_remembered_with_what_is_missing():
    found = ledger.LetteringErrorFound(client_id=CLIENT, account="411", lettering="A", difference=Decimal("0.01"))
    assert remembered(found).errors == {("411", "A"): Decimal("0.01")}


# The account of a client (rules 2.8, 4.2, 5.9, 10.5, 22.7, 22.12)


def listening(world: World) -> World:
    """Lettering errors are those that ledger finds, as in production."""
    world.book = replace(world.book, errors=frozenset())
    return world


def test_what_ledger_says_of_a_lettering_counts_until_it_says_otherwise():
    """Rule 2.8: the lines themselves would balance, or would not."""
    found = {"client_id": CLIENT, "account": "411", "lettering": "A"}
    world = listening(given(invoice("F", 100, "2025-03-10"), steps=(step("R1", 8),)))
    world.lettered("2025-03-11", "F")
    assert world.when("2025-03-18").silent().decision.verdicts == {}
    world.on("2025-03-19", ledger.LetteringErrorFound(**found, difference=Decimal(100)))
    world.when("2025-03-19").silent().excluded("F", "lettering_error")
    world.on("2025-03-20", ledger.LetteringErrorCleared(**found))
    assert world.when("2025-03-20").silent().decision.verdicts == {}
    alone = given(invoice("F", 100, "2025-03-10")).on("2025-03-11", ledger.LetteringErrorCleared(**found))
    alone.on("2025-03-11", ledger.LetteringErrorFound(**found, difference=Decimal(1)))
    assert alone.book.errors is None, "where nobody listens, lines are judged by themselves"


def test_what_is_said_of_many_clients_counts_for_this_one_if_it_is_among_them():
    mine = ledger.ChangedClient(client_id=CLIENT, version=2, has_email=True, profile="Export", payment_mode="VIR")
    other = ledger.ChangedClient(client_id="C2", version=2, has_email=False)
    world = given(client(email=False)).on("2025-03-01", ledger.ClientsChanged(clients=(other,)))
    state = world.book.state()
    assert (state.has_email, state.profile, state.payment_mode) == (False, None, None)
    state = world.on("2025-03-02", ledger.ClientsChanged(clients=(other, mine))).book.state()
    assert (state.has_email, state.profile, state.payment_mode) == (True, "Export", "VIR")


def test_payments_that_are_announced_in_bulk_are_thanked_client_by_client():
    world = thankful(thanks()).on("2025-05-02", payment("P", 100, "2025-05-02")).lettered("2025-05-04", "F", "P")
    group = ledger.LetteredGroup.model_validate(announced("2025-05-02", ["P"], ["F"]).model_dump())
    other = group.model_copy(update={"client_id": "C2", "payments": ("f" * 32,)})
    world.on("2025-05-04", ledger.PaymentsLettered(groups=(other, group)))
    world.when("2025-05-05").says(thanks=(100, ["F", "P"]))


def test_the_profile_that_a_person_chose_is_that_of_the_client_until_it_is_given_back():
    """Rule 3.5."""
    world = given(client(profile="Export"))
    assigned = ledger.ProfileAssigned(client_id=CLIENT, profile="VIP")
    assert world.on("2025-03-01", assigned).book.state().profile == "VIP"
    back = ledger.ProfileAssigned(client_id=CLIENT, profile=None)
    assert world.on("2025-03-02", back).book.state().profile == "Export"


def test_a_broken_promise_is_still_a_promise():
    """Rule 10.5: late, it makes the entry remindable although another one is ahead."""
    late, ahead = promise("F", "2025-03-12"), promise("F", "2025-03-30")
    world = given(invoice("F", 100, "2025-03-10"), late, ahead, steps=(step("R1", 8),))
    about = {"promise_id": late.promise_id, "client_id": CLIENT, "entry_id": entry_id("F")}  # type: ignore[attr-defined]
    world.with_policy(promises_exclude=True).on("2025-03-13", ledger.PromiseBroken(**about))
    world.when("2025-03-18").says(R1=(100, ["F"]))


def contacts_of(world: World) -> list[tuple[str, str | None]]:
    return [
        (one.on.isoformat(), None if one.round_on is None else one.round_on.isoformat())
        for one in world.book.state().contacts
    ]


def sent(action_id: UUID) -> notify.EmailSent:
    at = datetime(2025, 3, 18, 8, tzinfo=UTC)
    return notify.EmailSent(action_id=action_id, client_id=CLIENT, message_id="<1@example.org>", sent_at=at)


def test_a_mail_that_left_is_a_contact_of_its_round_and_the_last_day_of_a_round_counts():
    """Rules 22.7, 22.29: two messages of the round of the 18th, heard of in the wrong order."""
    world = given(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10"))
    world.on("2025-03-01", at_level("G", "R1", "2025-03-10"))
    world.when("2025-03-18")
    first, second = world.book.actions
    world.on("2025-03-21", sent(first)).on("2025-03-19", sent(second))
    assert contacts_of(world) == [("2025-03-21", "2025-03-18")]


@pytest.mark.parametrize("done_on", [None, "2025-03-19"])
def test_a_call_that_a_round_proposed_is_a_contact_of_that_round(done_on):
    """Rules 22.7, 22.29: on the day of the call, which may be told later."""
    world = given(invoice("F", 100, "2025-03-10"), steps=(step("R1", 8, "phone"),))
    world.when("2025-03-18")
    (proposed,) = world.book.actions
    made = notify.CallLogged(
        action_id=proposed, client_id=CLIENT, outcome="reached", done_on=done_on and day(done_on)
    )
    world.on("2025-03-20", made)
    assert contacts_of(world) == [(done_on or "2025-03-20", "2025-03-18")]


def test_contacts_of_two_merged_codes_are_those_of_the_last_day_of_each_round():
    """Rule 22.24: the later of the two counts, whichever is heard of last."""
    world = given()
    for code, on in (("OLD", "2025-03-21"), ("OLDER", "2025-03-19")):
        contact = dunning.ContactTakenOver(contacted_on=day(on), round_on=day("2025-03-18"))
        world.on(
            "2025-03-22", dunning.HistoryTakenOver(client_id=CLIENT, from_client_id=code, contacts=(contact,))
        )
    assert contacts_of(world) == [("2025-03-21", "2025-03-18")]


def test_the_last_two_rounds_of_contacts_are_told_latest_first_and_a_round_before_what_was_done_by_hand():
    contacts = [
        dunning.ContactTakenOver(contacted_on=day("2025-03-21"), round_on=None),
        dunning.ContactTakenOver(contacted_on=day("2025-03-21"), round_on=day("2025-03-18")),
        dunning.ContactTakenOver(contacted_on=day("2025-03-14"), round_on=day("2025-03-14")),
    ]
    taken = dunning.HistoryTakenOver(client_id=CLIENT, from_client_id="OLD", contacts=tuple(contacts))
    assert contacts_of(given().on("2025-03-22", taken)) == [("2025-03-21", "2025-03-18"), ("2025-03-21", None)]


def test_a_notice_that_left_under_the_old_code_is_not_sent_again_and_takes_no_level():
    """Rule 5.9: of a renumbered client."""
    told = dunning.NoticedEntry(entry_id=entry_id("F"), noticed_on=day("2025-03-02"))
    unknown = dunning.NoticedEntry(entry_id=entry_id("N"), noticed_on=day("2025-03-02"))
    moved = dunning.LevelSet(
        client_id=CLIENT, reason="renumbered", set_on=day("2025-03-03"), levels=(), noticed=(told, unknown)
    )
    facts = (invoice("F", 100, "2025-03-10"), invoice("N", 50, "2025-03-10"))
    world = given(*facts).chosen("2025-03-01", "F", True).on("2025-03-03", moved)
    world.when("2025-03-04").silent().waits("F", "R1", "2025-03-18").waits("N", "R1", "2025-03-18")
    assert {entry.noticed_on for entry in world.book.state().entries} == {day("2025-03-02")}
    assert {entry.automatic for entry in world.book.state().entries} == {True, None}


def test_the_end_of_a_scenario_is_known_of_the_entry_it_was_said_of():
    ended = dunning.DunningExhausted(client_id=CLIENT, entry_id=entry_id("F"))
    assert given(ended).book.exhausted() == {entry_id("F")}


def test_a_confirmation_keeps_the_day_on_which_the_action_was_proposed():
    """Rule 22.29: it is of the round of that day."""
    world = given(invoice("F", 100, "2025-03-10"), steps=(step("R1", 8, "phone"),))
    world.when("2025-03-18")
    world.confirm_all("2025-03-20")
    assert [(one.confirmed, one.opened_on) for one in world.book.actions.values()] == [(True, day("2025-03-18"))]


def test_a_message_that_counts_for_nothing_still_has_had_its_name():
    """Rules 5.5, 22.12: the proposal of the same entry and step is its second occurrence."""
    world = given(invoice("F", 100, "2025-03-10"), steps=(step("R1", 8),))
    by_hand(world, "2025-03-12", "F", counts=False)
    assert world.book.actions == {}
    (planned,) = world.when("2025-03-18").says(R1=(100, ["F"])).decision.actions
    assert [line.occurrence for line in planned.entries] == [2]


# Dates are worked out once


def test_dates_that_are_forgotten_are_worked_out_again_alike(monkeypatch):
    """All is forgotten whenever three were worked out, in the midst of a plan."""
    plan = load(scenario(*STANDARD)).plan(True)
    assert plan is not None
    facts = [invoice(f"F{number}", 100, (ON - timedelta(days=number)).isoformat()) for number in range(12)]
    entries = given(*facts).book.state().entries
    plenty = [dates.dates_of(plan, ON).of(entry) for entry in entries]
    monkeypatch.setattr(dates, "MOST_REMEMBERED", 3)
    short = dates._Remembered()
    monkeypatch.setattr(dates, "_remembered", short)
    assert [short.of(plan, ON).of(entry) for entry in entries] == plenty
    assert len({short.of(plan, ON + timedelta(days=number)) for number in range(3)}) == 3
