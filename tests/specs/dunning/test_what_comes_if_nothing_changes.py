"""C18: what is foretold is decided on the very state that a round would leave behind."""

from uuid import UUID

import pytest

from contracts.event import Event
from services.dunning.domain.case import Case, cases
from services.dunning.domain.decision import decide
from services.dunning.domain.forward import after, coming
from services.dunning.domain.policy import load as load_policy
from tests.specs.dunning.given import (
    STANDARD,
    World,
    at_level,
    chosen_next,
    credit,
    day,
    entry_id,
    given,
    invoice,
    previous,
    scenario,
    step,
    stopped,
)
from tests.specs.dunning.test_explained_days import life

COPY = UUID(int=9)
LADDER = (step("R1", 8, copies=[COPY]), previous("R2", 8, "phone"), previous("R3", 8, "letter"))
LETTERS = (step("R1", 8, "letter"),)


def foreseen_and_recorded(world: World, *days: str) -> None:
    """Each day the state after a decision, foreseen, is the state of the facts that the round said."""
    for on in days:
        before = world.book.state()._replace(synced_on=day(on))
        decision = decide(before, load_policy(world.policy), world.scenario, day(on))
        foreseen = after(before, decision, day(on))
        world.when(on)
        assert foreseen._replace(synced_on=None) == world.book.state()._replace(synced_on=None), on


def world_of(*facts: Event, **policy: object) -> World:
    world = given(*facts).with_policy(**policy)
    world.published = scenario(*LADDER, without=LETTERS)
    return world


def test_proposals_stand_with_all_that_they_hold_and_a_day_without_any_changes_nothing():
    world = world_of(
        invoice("F", 100, "2025-03-10"), credit("A", 20, "2025-03-10"), invoice("G", 50, "2025-03-12")
    )
    foreseen_and_recorded(world, "2025-03-17", "2025-03-18", "2025-03-19", "2025-03-20")
    assert [opened.opened_on for opened in world.book.actions.values()] == [day("2025-03-20")]
    world.confirm_all("2025-03-20").on("2025-03-20", invoice("H", 9, "2025-03-13"))
    foreseen_and_recorded(world, "2025-03-21")
    assert len(world.book.actions) == 2, "what was confirmed stands beside what is new"


def test_what_leaves_by_itself_and_what_was_ticked_back_stand_as_they_are():
    world = world_of(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-11"), automatic_from="2025-01-01")
    world.published = scenario(step("R1", 8, mode="automatic"), without=LETTERS)
    foreseen_and_recorded(world, "2025-03-18")
    assert [opened.confirmed for opened in world.book.actions.values()] == [True]
    world.on("2025-03-19", stopped()).ticked_back("2025-03-19", "G")
    foreseen_and_recorded(world, "2025-03-21")
    assert {opened.accepted_reasons for opened in world.book.actions.values()} == {
        frozenset(),
        frozenset({"client_stopped"}),
    }


def test_what_is_withdrawn_is_gone_and_is_proposed_a_second_time_under_another_name():
    """Rule 22.12: going back to an earlier set counts on."""
    world = world_of(invoice("F", 100, "2025-03-10"))
    foreseen_and_recorded(world, "2025-03-18")
    world.on("2025-03-19", stopped())
    foreseen_and_recorded(world, "2025-03-19")
    assert world.book.actions == {}
    world.changed("2025-03-20", "F", debit=80, book_amount=80)
    world.on("2025-03-20", stopped(resumes_on="2025-03-20"))
    foreseen_and_recorded(world, "2025-03-20", "2025-03-21")
    assert world.book.entered == {(entry_id("F"), "R1"): 2}


def test_credits_that_stand_alone_go_on_and_messages_of_the_account_keep_their_mode():
    """Rules 6.2, 22.14."""
    world = world_of(credit("A", 20, "2025-03-10"), credit("B", 5, "2025-03-30"))
    foreseen_and_recorded(world, "2025-03-18", "2025-03-26", "2025-04-07")
    assert (world.level("A"), world.level("B")) == ("R3", "R1")
    account = world_of(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-12"), mode="account")
    foreseen_and_recorded(account, "2025-03-18")
    assert [opened.mode for opened in account.book.actions.values()] == ["account"]


def test_stale_data_is_read_again_by_tomorrow():
    """Rule 2.6: what could not leave by itself today, never read, leaves tomorrow."""
    world = world_of(invoice("F", 100, "2025-03-10"), automatic_from="2025-01-01").read_last(None)
    world.published = scenario(step("R1", 8, mode="automatic"), without=LETTERS)
    foretold = coming(world.book.state(), load_policy(world.policy), world.scenario, day("2025-03-20"))
    assert {name: tuple(one) for name, one in foretold.items()} == {entry_id("F"): (day("2025-03-21"), "R1")}


@pytest.mark.parametrize(
    ("on", "expected"), [("2025-03-17", ("2025-03-18", "R1")), ("2025-03-18", ("2025-03-18", "R1"))]
)
def test_the_first_day_and_the_step_are_foretold_and_what_never_comes_is_left_out(on, expected):
    world = world_of(invoice("F", 100, "2025-03-10"), invoice("X", 9, "2025-01-10"))
    world.on("2025-03-01", at_level("X", "R3", "2025-03-01"))
    foretold = coming(world.book.state(), load_policy(world.policy), world.scenario, day(on))
    assert {name: (one.on.isoformat(), one.step) for name, one in foretold.items()} == {entry_id("F"): expected}


# What an explanation sees of the open action


def case_of(one, on: str, name: str = "F1") -> Case:
    return cases(one.seen(on))[entry_id(name)]


def test_the_open_action_is_shown_while_it_stands_and_not_once_it_will_be_withdrawn():
    """Rules 8.1, 22.12: the client was stopped; the amount changed, so another action takes its place."""
    one = life(invoice("F1", 100, "2025-03-10"), steps=STANDARD)
    one.when("2025-03-18")
    standing = case_of(one, "2025-03-19")
    assert standing.action is not None
    assert standing.made is not None
    assert standing.made.action.action_id == standing.action.action_id
    one.changed("2025-03-19", "F1", debit=80, book_amount=80)
    assert (case_of(one, "2025-03-19").action, case_of(one, "2025-03-19").made) == (None, None)
    one.on("2025-03-19", stopped())
    assert (case_of(one, "2025-03-19").action, case_of(one, "2025-03-19").made) == (None, None)


def test_amounts_are_in_the_currency_of_the_entry_and_thresholds_in_that_of_the_books():
    """Rule 19.3."""
    one = life(invoice("F1", 100, "2025-03-10", currency="USD", book_amount=90), steps=STANDARD)
    seen = cases(one.seen("2025-03-18", home="CHF"))[entry_id("F1")]
    assert (seen.money(5).currency, seen.booked(5).currency) == ("USD", "CHF")
    chosen = life(invoice("F1", 100, "2025-03-10"), chosen_next("F1", "R3", "2025-03-01"), steps=STANDARD)
    assert case_of(chosen, "2025-03-17").trail[-1].on == day("2025-03-18")
