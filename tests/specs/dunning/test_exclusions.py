"""Rules 2.8, 8.1 to 8.5, 8.8, 8.12 to 8.17, 10.4 to 10.6, 14.3, 22.10, 22.17: why a due step is not proposed."""

from datetime import date

import pytest

from contracts.event import Event
from tests.specs.dunning.given import (
    World,
    client,
    credit,
    entry_resumed,
    entry_stopped,
    given,
    given_without_scenario,
    invoice,
    promise,
    promise_cancelled,
    resumed,
    step,
    stopped,
)

R1_ONLY = (step("R1", 8),)


def world(*facts: Event) -> World:
    return given(*facts, steps=R1_ONLY)


def test_a_stopped_client_keeps_his_step_and_gets_it_when_resumed():
    """Rules 8.1, 8.17."""
    one = world(invoice("F", 100, "2025-03-10"), stopped())
    one.when("2025-03-17").waits("F", "R1", "2025-03-18")
    one.when("2025-03-18").silent().excluded("F", "client_stopped", step="R1")
    one.on("2025-03-20", resumed()).when("2025-03-20").says(R1=(100, ["F"]))


def test_a_stopped_entry_leaves_the_rest_remindable():
    """Rule 8.2."""
    one = world(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10"), entry_stopped("F"))
    one.when("2025-03-18").says(R1=(50, ["G"])).excluded("F", "entry_stopped")
    one.on("2025-03-19", entry_resumed("F"))
    one.when("2025-03-19").says(R1=(150, ["F", "G"])).withdraws("superseded")


def test_an_automatic_payment_mode_is_not_reminded():
    """Rules 8.3, 14.2, 14.3: the entry's mode, else the client's, else manual."""
    one = world(
        client(payment_mode="PRL"),
        invoice("F", 100, "2025-03-10"),
        invoice("G", 50, "2025-03-10", payment_mode="CHQ"),
    ).with_policy(automatic_payment_modes=["PRL"])
    one.when("2025-03-18").says(R1=(50, ["G"])).excluded("F", "automatic_payment_mode")


@pytest.mark.parametrize(("amount", "kept"), [("19.99", False), ("20.00", True), ("20.01", True)])
def test_an_entry_below_its_threshold_is_dropped_and_equal_is_kept(amount, kept):
    """Rules 8.4, 8.12."""
    one = world(invoice("F", amount, "2025-03-10")).with_policy(minimum_per_entry="20")
    decided = one.when("2025-03-18")
    if kept:
        decided.says(R1=(amount, ["F"]))
    else:
        decided.silent().excluded("F", "below_entry_minimum")


def test_a_small_credit_is_never_dropped():
    """Rule 8.14."""
    one = world(invoice("F", 100, "2025-03-10"), credit("A", 5, "2025-03-10"))
    one.with_policy(minimum_per_entry="20").when("2025-03-18").says(R1=(95, ["A", "F"]))


def test_the_total_is_taken_after_the_entries_are_dropped():
    """Example 21.8: 15 dropped, 20 + 25 = 45 < 50, not sent; exactly 50 is sent."""
    limits = {"minimum_per_entry": "20", "minimum_per_reminder": "50", "maximum_per_reminder": "5000"}
    small = [invoice("A", 15, "2025-03-10"), invoice("B", 20, "2025-03-10")]
    one = world(*small, invoice("C", 25, "2025-03-10")).with_policy(**limits)
    decided = one.when("2025-03-18").silent()
    decided.excluded("A", "below_entry_minimum").excluded("B", "below_minimum").excluded("C", "below_minimum")
    one = world(*small, invoice("C", 30, "2025-03-10")).with_policy(**limits)
    one.when("2025-03-18").says(R1=(50, ["B", "C"]))


@pytest.mark.parametrize(("amount", "sent"), [("4999.99", True), ("5000.00", True), ("5000.01", False)])
def test_a_total_above_the_maximum_is_held(amount, sent):
    """Rule 8.8, example 21.8."""
    one = world(invoice("F", amount, "2025-03-10")).with_policy(maximum_per_reminder="5000")
    decided = one.when("2025-03-18")
    if sent:
        decided.says(R1=(amount, ["F"]))
    else:
        decided.silent().excluded("F", "above_maximum")


def test_thresholds_compare_bookkeeping_amounts():
    """Rules 19.3, 22.17."""
    one = world(invoice("F", 100, "2025-03-10", currency="USD", book_amount="45"))
    one.with_policy(minimum_per_reminder="50").when("2025-03-18").silent().excluded("F", "below_minimum")


def test_a_promise_ahead_excludes_until_its_day():
    """Rules 8.5, 10.4, 10.5, example 21.6."""
    one = given(invoice("F", 1260, "2025-06-04"), promise("F", "2025-06-20"), steps=R1_ONLY)
    one.with_policy(promises_exclude=True)
    one.when("2025-06-11").waits("F", "R1", "2025-06-12")
    one.when("2025-06-12").silent().excluded("F", "promise_ahead")
    one.when("2025-06-19").silent().excluded("F", "promise_ahead")
    one.when("2025-06-20").says(R1=(1260, ["F"]))


def test_one_late_promise_makes_the_entry_remindable_though_another_is_ahead():
    """Rule 10.4, example 21.6."""
    one = given(
        invoice("F", 1260, "2025-06-04"), promise("F", "2025-06-15"), promise("F", "2025-06-30"), steps=R1_ONLY
    ).with_policy(promises_exclude=True)
    eve = one.when("2025-06-15").silent().excluded("F", "promise_ahead")
    assert eve.decision.next_on == date(2025, 6, 16), "the day on which the first is late is looked at"
    one.when("2025-06-16").says(R1=(1260, ["F"]))


def test_promises_do_not_exclude_unless_the_option_is_on():
    """Rule 10.4."""
    world(invoice("F", 100, "2025-03-10"), promise("F", "2025-12-31")).when("2025-03-18").says(R1=(100, ["F"]))


def test_a_cancelled_promise_excludes_no_more():
    one = world(invoice("F", 100, "2025-03-10"), promise("F", "2025-12-31")).with_policy(promises_exclude=True)
    one.when("2025-03-18").silent()
    one.on("2025-03-19", promise_cancelled("F", "2025-12-31")).when("2025-03-19").says(R1=(100, ["F"]))


def test_a_lettering_error_never_makes_us_chase_a_paid_invoice():
    """Rule 2.8."""
    one = world(invoice("F", 100, "2025-03-10")).lettered("2025-03-11", "F")
    one.when("2025-03-18").silent().excluded("F", "lettering_error")


def test_all_the_reasons_are_given():
    one = world(
        client(payment_mode="PRL"),
        invoice("F", 10, "2025-03-10"),
        promise("F", "2025-04-01"),
        entry_stopped("F"),
        stopped(),
    ).with_policy(promises_exclude=True, minimum_per_entry="20", automatic_payment_modes=["PRL"])
    one.when("2025-03-18").silent().excluded(
        "F",
        "client_stopped",
        "entry_stopped",
        "promise_ahead",
        "automatic_payment_mode",
        "below_entry_minimum",
    )


def test_a_stopped_client_also_learns_that_his_total_is_too_small():
    one = world(invoice("F", 10, "2025-03-10"), stopped()).with_policy(minimum_per_reminder="50")
    one.when("2025-03-18").excluded("F", "client_stopped", "below_minimum")


def test_nothing_is_asked_when_credits_leave_nothing():
    """Rules 7.7, 8.7, 22.10: the eve of one cent, zero, below."""
    for amount, reasons in (
        ("99.99", []),
        ("100.00", ["net_not_positive"]),
        ("100.01", ["net_not_positive", "creditor_client"]),
    ):
        one = world(invoice("F", 100, "2025-03-10"), credit("A", amount, "2025-03-10"))
        decided = one.when("2025-03-18")
        if reasons:
            decided.silent().excluded("F", *reasons).excluded("A", *reasons)
        else:
            decided.says(R1=("0.01", ["A", "F"]))


def test_a_message_that_asks_for_nothing_is_also_below_the_minimum():
    """All the reasons are named, not the first."""
    one = world(invoice("F", 100, "2025-03-10"), credit("A", 100, "2025-03-10"))
    one.with_policy(minimum_per_reminder="50").when("2025-03-18").excluded(
        "F", "net_not_positive", "below_minimum"
    )


def test_a_profile_without_scenario_is_never_proposed():
    """Rules 3.6, 8.9."""
    given_without_scenario(invoice("F", 100, "2025-03-10")).when("2025-12-31").silent().no_step("F", "no_scenario")
