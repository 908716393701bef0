"""Rules 5.3, 5.4, 5.8, 22.12, 22.16: proposals, confirmations, and what becomes of them."""

from datetime import date
from decimal import Decimal
from itertools import permutations
from uuid import UUID, uuid5

import pytest

from contracts import dunning, notify
from services.dunning.domain.by_hand import Composed, compose
from services.dunning.domain.identity import action_id
from services.dunning.domain.policy import load as load_policy
from tests.specs.dunning.given import (
    CLIENT,
    World,
    chosen_next,
    credit,
    day,
    entry_id,
    entry_stopped,
    given,
    invoice,
    previous,
    resumed,
    scenario,
    step,
    stopped,
)

LADDER = (step("R1", 8), previous("R2", 8, "phone"))


def test_an_unchanged_proposal_is_kept_silently():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    first = world.when("2025-01-09").says(R1=(100, ["F"]))
    second = world.when("2025-01-10").silent().withdraws()
    assert first.verdict("F") == second.verdict("F")


def test_another_set_of_entries_is_another_action():
    """Rule 22.12: withdrawn and proposed anew."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    first = world.when("2025-01-09").decision.actions[0]
    world.on("2025-01-10", invoice("G", 50, "2025-01-02"))
    second = world.when("2025-01-10").says(R1=(150, ["F", "G"])).withdraws("superseded").decision.actions[0]
    assert first.action_id != second.action_id
    assert {entry.occurrence for entry in second.entries} == {1, 2}


def test_going_back_to_an_earlier_set_never_names_the_same_action():
    """Rule 22.12: (entry, step, occurrence) is unique over all actions."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    first = world.when("2025-01-09").decision.actions[0]
    world.on("2025-01-10", stopped()).when("2025-01-10").silent().withdraws("client_stopped")
    world.on("2025-01-11", resumed())
    again = world.when("2025-01-11").says(R1=(100, ["F"])).decision.actions[0]
    assert again.action_id != first.action_id
    assert again.entries[0].occurrence == 2


def test_an_action_has_the_same_name_in_every_version_of_the_software():
    """Rule 22.12: what was proposed before is not proposed again by those who come later."""
    named = uuid5(UUID("5f6d4c1e-6d0b-5b7e-9a3e-2f0b7c8d9e10"), f"acme 2 C1 R1 EUR {'a' * 32}:1,{'b' * 32}:2")
    for entries in permutations([("a" * 32, 1), ("b" * 32, 2)]):
        assert action_id("acme", "C1", "R1", "EUR", entries) == named


def test_a_settled_entry_takes_its_proposal_with_it():
    """Rule 5.8."""
    world = given(invoice("F", 100, "2025-01-01"), credit("P", 100, "2025-01-05"), steps=LADDER)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.lettered("2025-01-10", "F", "P").when("2025-01-10").silent().withdraws("settled")


def test_an_amount_that_changed_is_asked_anew():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.on("2025-01-10", invoice("F", 80, "2025-01-01"))
    world.when("2025-01-10").says(R1=(80, ["F"])).withdraws("superseded")


def test_a_confirmed_e_mail_is_on_its_way_and_stands():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").confirmed()
    world.on("2025-01-09", stopped(), invoice("G", 50, "2025-01-01"))
    world.when("2025-01-10").silent().withdraws().due("F").excluded("G", "client_stopped")


def test_a_confirmed_call_is_withdrawn_when_its_client_is_stopped():
    """Habit 8: looked at twice."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").carried_out()
    world.when("2025-01-17").says(R2=(100, ["F"])).confirmed()
    world.when("2025-01-18").silent().withdraws().due("F")
    world.on("2025-01-19", stopped()).when("2025-01-19").silent().withdraws("client_stopped")


def test_a_failed_message_leaves_the_level_and_reopens_the_step():
    """Rule 22.16."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    first = world.when("2025-01-09").decision.actions[0]
    world.confirm_all("2025-01-09")
    failed = dunning.ActionWithdrawn(action_id=first.action_id, client_id=CLIENT, reason="email_failed")
    world.on("2025-01-09", failed)
    assert world.level("F") is None
    again = world.when("2025-01-10").says(R1=(100, ["F"])).decision.actions[0]
    assert again.action_id != first.action_id


def test_a_notice_does_not_change_the_level():
    """Rule 5.4."""
    world = given(invoice("F", 100, "2025-03-10"))
    world.when("2025-03-02").says(notice=(100, ["F"])).carried_out()
    assert world.level("F") is None
    world.when("2025-03-03").silent().waits("F", "R1", "2025-03-18")


def test_every_entry_of_the_message_reaches_its_level():
    """Rule 5.3."""
    world = given(invoice("F", 100, "2025-01-01"), credit("A", 10, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").says(R1=(90, ["A", "F"])).carried_out()
    assert (world.level("F"), world.level("A")) == ("R1", "R1")


def test_an_automatic_step_is_due_at_once_and_a_manual_one_is_proposed():
    """Rule 4.15."""
    world = given(invoice("F", 100, "2025-01-01"), steps=[step("R1", 8, mode="automatic")])
    world.with_policy(automatic_from="2025-01-01")
    decided = world.when("2025-01-09").says(R1=(100, ["F"]))
    assert decided.decision.actions[0].automatic
    world.when("2025-01-10").silent().due("F")


def test_a_step_made_automatic_does_not_wait_for_a_person_any_more():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.under(step("R1", 8, mode="automatic")).with_policy(automatic_from="2025-01-01")
    decided = world.when("2025-01-10").says(R1=(100, ["F"])).withdraws("superseded")
    assert decided.decision.actions[0].automatic


# What a person confirmed is looked at again on each day, until it is done (habit 8)


def confirmed_call(**policy: object) -> World:
    """The R1 of F and G is a call, due on the 9th of January; a person took it on."""
    world = given(invoice("F", 100, "2025-01-01"), invoice("G", 50, "2025-01-01"), steps=(step("R1", 8, "phone"),))
    world.with_policy(**policy).when("2025-01-09").says(R1=(150, ["F", "G"])).confirmed()
    return world


def test_a_confirmed_call_stands_on_its_day_and_after_it():
    world = confirmed_call()
    world.when("2025-01-09").silent().withdraws().due("F", "G")
    world.when("2025-01-10").silent().withdraws().due("F", "G")


@pytest.mark.parametrize("changed", ["F", "G"])
def test_a_confirmed_call_about_an_amount_that_changed_is_taken_back_and_proposed_anew(changed):
    world = confirmed_call().changed("2025-01-10", changed, debit=Decimal(80), book_amount=Decimal(80))
    assert world.when("2025-01-10").withdraws("superseded").messages().keys() == {"R1"}


@pytest.mark.parametrize(("settled", "paid", "left"), [("F", 100, "G"), ("G", 50, "F")])
def test_a_confirmed_call_about_an_entry_that_was_settled_is_taken_back(settled, paid, left):
    """Rule 5.8: what is left is proposed anew."""
    world = confirmed_call().on("2025-01-10", credit("P", paid, "2025-01-10")).lettered("2025-01-10", settled, "P")
    world.when("2025-01-10").says(R1=(150 - paid, [left])).withdraws("superseded")


def test_a_confirmed_call_whose_every_entry_was_settled_is_taken_back_as_settled():
    world = confirmed_call().on("2025-01-10", credit("P", 150, "2025-01-10"))
    world.lettered("2025-01-10", "F", "G", "P").when("2025-01-10").silent().withdraws("settled")


def test_a_confirmed_call_is_taken_back_when_one_of_its_entries_is_stopped():
    """Rule 8.2: the other one is proposed by itself."""
    world = confirmed_call().on("2025-01-10", entry_stopped("G"))
    world.when("2025-01-10").says(R1=(100, ["F"])).withdraws("entry_stopped").excluded("G", "entry_stopped")


def test_a_confirmed_call_is_taken_back_when_a_person_chose_another_step():
    """Rule 5.6: R2 is to come next, from today on."""
    world = confirmed_call().under(step("R1", 8, "phone"), step("R2", 8, "phone"))
    world.on("2025-01-10", chosen_next("F", "R2", "2025-01-10"))
    world.when("2025-01-10").says(R2=(100, ["F"]), R1=(50, ["G"])).withdraws("superseded")


def test_a_confirmed_call_is_taken_back_when_its_step_comes_later_or_no_more():
    """Rule 4.10: the scenario changed under it."""
    confirmed_call().under(step("R1", 10, "phone")).when("2025-01-10").silent().withdraws("superseded").waits(
        "F", "R1", "2025-01-11"
    )
    gone = confirmed_call().under(step("notice", 8)).when("2025-01-10").silent()
    gone.withdraws("superseded").no_step("F", "no_step")


def test_a_confirmed_call_of_the_account_asks_for_no_step_of_each_entry():
    """Rule 6.5: followers come along before they are due themselves."""
    world = given(invoice("F", 100, "2025-01-01"), invoice("G", 50, "2025-01-05"), steps=(step("R1", 8, "phone"),))
    world.with_policy(mode="account").when("2025-01-09").says(R1=(150, ["F", "G"])).confirmed()
    world.when("2025-01-10").silent().withdraws().due("F", "G")


def test_a_confirmed_notice_by_telephone_goes_with_its_day_in_either_mode():
    """Rule 4.11."""
    for mode in ("item", "account"):
        world = given(invoice("F", 100, "2025-01-20"), steps=(step("notice", 8, "phone"), step("R1", 8)))
        world.with_policy(mode=mode).when("2025-01-12").says(notice=(100, ["F"])).confirmed()
        world.when("2025-01-20").silent().withdraws().due("F")
        world.when("2025-01-21").silent().withdraws("superseded").waits("F", "R1", "2025-01-28")


def test_what_was_ticked_back_goes_when_the_grouping_is_switched():
    """Rule 22.15: nobody has confirmed it yet."""
    world = given(invoice("F", 100, "2025-01-01"), stopped(), steps=LADDER)
    world.when("2025-01-09").silent()
    world.ticked_back("2025-01-09", "F")
    world.when("2025-01-10").silent().withdraws().due("F")
    world.with_policy(mode="account").when("2025-01-10").silent().withdraws("mode_switched")


# What a person composed stands whatever its step and reasons, while it is still true (rules 5.5, 8.16, 22.29)


def by_hand(world: World, on: str, *names: str, **options: object) -> World:
    """A person took it upon themselves to call about these entries."""
    state, ids = world.book.state(), {entry_id(name) for name in names}
    entries = tuple(one for one in state.entries if one.entry_id in ids)
    composed = Composed(UUID(int=77), entries, "reminder", "phone", **options)  # type: ignore[arg-type]
    planned = compose(state, load_policy(world.policy), world.scenario, day(on), composed)
    world.said[planned.action.action_id] = planned.action
    return world.on(on, dunning.ActionDue(action=planned.action))


def test_a_call_by_hand_stands_before_its_step_and_on_a_stopped_client():
    """Rule 8.16."""
    world = given(invoice("F", 100, "2025-01-20"), invoice("G", 50, "2025-01-20"), stopped(), steps=LADDER)
    by_hand(world, "2025-01-09", "F", "G").when("2025-01-10").silent().withdraws().due("F", "G")


@pytest.mark.parametrize("changed", ["F", "G"])
def test_a_call_by_hand_goes_when_any_amount_that_it_is_about_changed(changed):
    world = given(invoice("F", 100, "2025-01-20"), invoice("G", 50, "2025-01-20"), steps=LADDER)
    by_hand(world, "2025-01-09", "F", "G").changed("2025-01-10", changed, debit=Decimal(80))
    world.when("2025-01-10").silent().withdraws("superseded")


def test_a_call_by_hand_puts_off_what_the_round_of_its_day_proposes():
    """Rule 22.29: it is of no round, though it was made on the day of one."""
    world = given(invoice("F", 100, "2025-01-01"), invoice("G", 50, "2025-01-20"), steps=LADDER)
    world.with_policy(contact_gap_days=5).when("2025-01-09").says(R1=(100, ["F"]))
    (proposed,) = world.book.actions
    by_hand(world, "2025-01-09", "G")
    (called,) = world.book.actions.keys() - {proposed}
    world.carry_out_one("2025-01-09", called).when("2025-01-09").silent().withdraws("contacted_recently")
    world.when("2025-01-13").silent().excluded("F", "contacted_recently", until="2025-01-14")
    world.when("2025-01-14").says(R1=(100, ["F"]))


def test_a_step_chosen_with_a_call_counts_from_the_day_of_the_call():
    """Rule 5.5: R2 is to follow, eight days after."""
    steps = (step("R1", 8), previous("R2", 8), previous("R3", 8))
    world = given(invoice("F", 100, "2025-01-01"), steps=steps)
    world.when("2025-01-09").carried_out()
    by_hand(world, "2025-01-12", "F", next_step="R2").carry_out("2025-01-12")
    world.when("2025-01-19").silent().waits("F", "R2", "2025-01-20")
    world.when("2025-01-20").says(R2=(100, ["F"]))


def test_a_contact_told_again_with_an_earlier_day_keeps_its_later_one():
    """Streams are heard in any order: the days between two contacts (22.7) count from the last."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER).with_policy(contact_gap_days=5)
    for on in ("2025-01-08", "2025-01-06"):
        logged = notify.CallLogged(
            action_id=UUID(int=5), client_id=CLIENT, outcome="reached", done_on=date.fromisoformat(on)
        )
        world.on("2025-01-08", logged)
    world.when("2025-01-12").silent().excluded("F", "contacted_recently", until="2025-01-13")
    world.when("2025-01-13").says(R1=(100, ["F"]))


def test_a_notice_that_leaves_takes_nothing_of_what_people_chose_of_the_entry():
    """Rule 22.13: it was opted in before."""
    steps = (step("notice", 8), step("R1", 8, mode="automatic"))
    world = given(invoice("F", 100, "2025-01-20"), steps=steps).chosen("2025-01-02", "F", True)
    world.when("2025-01-12").says(notice=(100, ["F"])).carried_out()
    (reminder,) = world.when("2025-01-28").says(R1=(100, ["F"])).decision.actions
    assert reminder.automatic


# A proposal that says anything else than what would be proposed now is withdrawn and made anew (rule 22.12)

COPY = UUID(int=9)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (step("R1", 8, "phone"), step("R1", 8, "other")),
        (step("R1", 8), step("R1", 8, template="calm")),
        (step("R1", 8), step("R1", 8, copies=[COPY])),
    ],
    ids=["medium", "template", "copies"],
)
def test_another_medium_template_or_copy_is_another_message(before, after):
    letters = [step("R1", 8, "letter")]
    world = given(invoice("F", 100, "2025-01-01"))
    world.published = scenario(before, without=letters)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.published = scenario(after, without=letters)
    world.when("2025-01-10").says(R1=(100, ["F"])).withdraws("superseded")
    world.when("2025-01-11").silent().withdraws()


def test_another_currency_of_the_same_amount_is_another_message():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.changed("2025-01-10", "F", currency="USD")
    world.when("2025-01-10").says(R1=(100, ["F"])).withdraws("superseded")


def test_another_step_of_the_same_medium_and_template_is_another_message():
    """Rule 5.6: a person chose that R2 comes next."""
    calls = (step("R1", 8, "phone"), step("R2", 8, "phone"))
    world = given(invoice("F", 100, "2025-01-01"), steps=calls)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.on("2025-01-10", chosen_next("F", "R2", "2025-01-10"))
    world.when("2025-01-10").says(R2=(100, ["F"])).withdraws("superseded")


def test_a_due_date_that_moved_within_the_days_that_are_past_is_asked_for_anew():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.changed("2025-01-10", "F", due_date="2025-01-02")
    world.when("2025-01-10").says(R1=(100, ["F"])).withdraws("superseded")
