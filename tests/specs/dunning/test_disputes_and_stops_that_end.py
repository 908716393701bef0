"""Disputes (8.10, 22.5), stops with an end (8.1, 8.2, 8.17), promises that stand again (10.2, 22.8)."""

from contracts.event import Event
from contracts.ledger import PromiseKept
from tests.specs.dunning.given import (
    CLIENT,
    World,
    day,
    dispute_closed,
    disputed,
    entry_id,
    entry_stopped,
    given,
    invoice,
    promise,
    promise_reopened,
    step,
    stopped,
)

R1_ONLY = (step("R1", 8),)
DISPUTES_STOP = {"disputes_exclude": True}


def world(*facts: Event, **policy: object) -> World:
    return given(*facts, steps=R1_ONLY).with_policy(**policy)


def test_a_dispute_alone_stops_no_reminder():
    """Rules 8.10, 22.5: the option is off unless ticked."""
    world(invoice("F", 100, "2025-03-10"), disputed("F")).when("2025-03-18").says(R1=(100, ["F"]))
    world(invoice("F", 100, "2025-03-10"), disputed()).when("2025-03-18").says(R1=(100, ["F"]))


def test_where_disputes_stop_reminders_the_contested_entry_waits_and_the_rest_goes():
    """Rules 8.17, 22.5."""
    facts = [invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10"), disputed("F")]
    one = world(*facts, **DISPUTES_STOP)
    one.when("2025-03-18").says(R1=(50, ["G"])).excluded("F", "disputed")
    one.on("2025-03-19", dispute_closed("F")).when("2025-03-19").says(R1=(150, ["F", "G"]))


def test_a_dispute_of_the_account_holds_back_every_entry():
    """Rules 11.1, 22.5."""
    facts = [invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10"), disputed()]
    one = world(*facts, **DISPUTES_STOP)
    one.when("2025-03-18").silent().excluded("F", "disputed").excluded("G", "disputed")
    one.on("2025-03-19", dispute_closed()).when("2025-03-19").says(R1=(150, ["F", "G"]))


def test_the_option_may_be_switched_at_any_time():
    one = world(invoice("F", 100, "2025-03-10"), disputed("F"), **DISPUTES_STOP)
    one.when("2025-03-18").silent()
    one.with_policy(disputes_exclude=False).when("2025-03-18").says(R1=(100, ["F"]))


def test_a_dispute_that_comes_withdraws_what_was_proposed():
    """Rule 22.5."""
    one = world(invoice("F", 100, "2025-03-10"), **DISPUTES_STOP)
    one.when("2025-03-18").says(R1=(100, ["F"]))
    one.on("2025-03-19", disputed("F")).when("2025-03-19").silent().withdraws("disputed")


def test_a_stop_with_an_end_holds_until_the_day_before():
    """Rules 8.1, 8.17: nobody needs to resume; the step is due at once."""
    one = world(invoice("F", 100, "2025-03-10"), stopped("2025-03-20"))
    decided = one.when("2025-03-18").silent().excluded("F", "client_stopped")
    assert decided.decision.next_on == day("2025-03-20")
    one.when("2025-03-19").silent().excluded("F", "client_stopped")
    one.when("2025-03-20").says(R1=(100, ["F"]))


def test_an_entrys_stop_ends_alike():
    """Rules 8.2, 8.17."""
    one = world(invoice("F", 100, "2025-03-10"), entry_stopped("F", "2025-03-20"))
    decided = one.when("2025-03-19").silent().excluded("F", "entry_stopped")
    assert decided.decision.next_on == day("2025-03-20")
    one.when("2025-03-20").says(R1=(100, ["F"]))


def test_a_stop_may_get_another_end():
    """Rule 8.1: what was said last counts."""
    one = world(invoice("F", 100, "2025-03-10"), stopped("2025-03-19"), stopped())
    one.when("2025-03-20").silent().excluded("F", "client_stopped")


def test_a_promise_stands_again_with_the_payment_taken_back():
    """Rules 10.2, 10.5, 22.8: ahead it holds the entry back, late it does not."""
    kept = PromiseKept(promise_id=promise("F", "2025-03-25").promise_id, client_id=CLIENT, entry_id=entry_id("F"))
    one = world(invoice("F", 100, "2025-03-10"), promise("F", "2025-03-25"), promises_exclude=True)
    one.lettered("2025-03-12", "F").on("2025-03-12", kept)
    one.lettered("2025-03-14", "F", code=None).on("2025-03-14", promise_reopened("F", "2025-03-25"))
    one.when("2025-03-24").silent().excluded("F", "promise_ahead")
    one.when("2025-03-25").says(R1=(100, ["F"]))
