"""Rules 4.4 to 4.6, 5.1, 6.3, 6.4, 7.3, 7.4, 8.13, 10.6, 22.1, 22.2: levels, steps, and what a message holds."""

import pytest

from services.dunning.domain import scenario as scenarios
from services.dunning.domain import scenario_refusals as refusals
from tests.specs.dunning.given import (
    at_level,
    credit,
    entry_stopped,
    given,
    invoice,
    previous,
    promise,
    scenario,
    step,
    stopped,
)

SEVEN = (step("R1", 8), *(previous(f"R{level}", 8) for level in range(2, 8)))


def test_the_level_lies_on_each_entry():
    """Rule 5.1: two entries of one client, one reminded, one not."""
    world = given(invoice("F", 100, "2025-01-01"), steps=SEVEN)
    world.when("2025-01-09").says(R1=(100, ["F"])).carried_out()
    world.on("2025-01-10", invoice("G", 50, "2025-01-10"))
    assert (world.level("F"), world.level("G")) == ("R1", None)


def test_seven_reminders_follow_one_another_and_no_eighth():
    """Rules 4.4, 22.2: R1 to R7, then nothing more."""
    world = given(invoice("F", 100, "2025-01-01"), steps=SEVEN)
    days = ["2025-01-09", "2025-01-17", "2025-01-25", "2025-02-02", "2025-02-10", "2025-02-18", "2025-02-26"]
    for number, on in enumerate(days, start=1):
        world.when(on).says(**{f"R{number}": (100, ["F"])}).carried_out()
        assert world.level("F") == f"R{number}"
    world.when("2025-03-06").silent().no_step("F", "exhausted")
    with pytest.raises(refusals.UnknownStep):
        scenarios.load(scenario(*SEVEN, previous("R8", 8)))


def test_a_single_active_step_is_enough_and_none_is_not():
    """Rule 4.4: at least one active step; a notice alone will do."""
    world = given(invoice("F", 100, "2025-03-10"), steps=[step("notice", 8)])
    world.when("2025-03-02").says(notice=(100, ["F"])).carried_out()
    world.when("2025-03-11").silent().no_step("F", "no_step")
    with pytest.raises(refusals.NoActiveStep):
        scenarios.load(scenario(step("notice", 8, enabled=False)))


@pytest.mark.parametrize(
    ("medium", "template", "possible"),
    [
        ("email", "R1", True),
        ("email", None, False),
        ("letter", "R1", True),
        ("letter", None, False),
        ("phone", None, True),
        ("other", None, True),
    ],
)
def test_what_is_written_needs_a_template_and_what_is_said_does_not(medium, template, possible):
    """Rule 4.5."""
    written = scenario(step("R1", 8, medium, template=template), without=[step("R1", 8, "letter")])
    if possible:
        assert scenarios.load(written).with_email is not None
    else:
        with pytest.raises(refusals.TemplateMissing):
            scenarios.load(written)


def test_the_notice_comes_its_days_before_the_due_date():
    """Rule 4.6: J-8 of 10/03 is 02/03; the eve nothing, the day after it still stands."""
    world = given(invoice("F", 100, "2025-03-10"))
    world.when("2025-03-01").silent().waits("F", "notice", "2025-03-02")
    first = world.when("2025-03-02").says(notice=(100, ["F"]))
    assert world.when("2025-03-03").silent().verdict("F") == first.verdict("F")


def test_switching_to_the_account_and_back_loses_no_level():
    """Rule 6.3."""
    world = given(invoice("F", 100, "2025-01-01"), invoice("G", 50, "2025-01-06"), steps=SEVEN)
    world.when("2025-01-09").says(R1=(100, ["F"])).carried_out()
    world.with_policy(mode="account")
    world.when("2025-01-17").says(R2=(150, ["F", "G"])).carried_out()
    assert (world.level("F"), world.level("G")) == ("R2", "R1")
    world.with_policy(mode="item")
    world.when("2025-01-25").says(R3=(100, ["F"]), R2=(50, ["G"]))


def test_followers_of_an_account_advance_by_one_and_never_above_the_message():
    """Rule 6.4: the leading entry reaches the level of the message; each line keeps its own."""
    world = given(
        invoice("F", 100, "2025-01-01"),
        invoice("G", 50, "2025-01-01"),
        invoice("H", 20, "2025-01-01"),
        at_level("F", "R2", "2025-02-01"),
        at_level("G", "R2", "2025-02-05"),
        steps=SEVEN,
    ).with_policy(mode="account")
    world.when("2025-02-09").says(R3=(170, ["F", "G", "H"])).carried_out()
    assert [world.level(name) for name in "FGH"] == ["R3", "R3", "R1"]


def test_credits_walk_the_clock_of_debits():
    """Rule 7.3: from their own due date; they meet at R1 only when both have come to it."""
    facts = [invoice("F", 100, "2025-01-01"), credit("A", 30, "2025-01-05")]
    world = given(*facts, steps=SEVEN)
    world.when("2025-01-09").says(R1=(100, ["F"])).waits("A", "R1", "2025-01-13")
    later = given(*facts, steps=SEVEN)
    later.when("2025-01-12").says(R1=(100, ["F"]))
    given(*facts, steps=SEVEN).when("2025-01-13").says(R1=(70, ["A", "F"]))


def test_the_account_takes_every_overdue_credit_and_none_that_is_not_due():
    """Rule 7.4: the due date itself, the day after."""
    facts = [invoice("F", 100, "2025-01-01"), credit("A", 30, "2025-01-09")]
    on_its_day = given(*facts, steps=SEVEN).with_policy(mode="account")
    on_its_day.when("2025-01-09").says(R1=(100, ["F"]))
    the_day_after = given(*facts, steps=SEVEN).with_policy(mode="account")
    the_day_after.when("2025-01-10").says(R1=(70, ["A", "F"]))


def test_the_total_compared_is_that_of_the_reminder_without_what_was_excluded():
    """Rule 8.13: 60 at R1 passes a minimum of 50 although 40 of the client's 100 are at R2; a stopped line that
    would have carried the total over the minimum does not count.
    """
    world = given(
        invoice("F", 60, "2025-01-01"),
        invoice("G", 40, "2025-01-01"),
        at_level("G", "R1", "2025-01-01"),
        steps=SEVEN,
    ).with_policy(minimum_per_reminder="50")
    world.when("2025-01-09").says(R1=(60, ["F"])).excluded("G", "below_minimum", step="R2")
    other = given(
        invoice("F", 30, "2025-01-01"), invoice("G", 30, "2025-01-01"), entry_stopped("G"), steps=SEVEN
    ).with_policy(minimum_per_reminder="50")
    other.when("2025-01-09").silent().excluded("F", "below_minimum").excluded("G", "entry_stopped")


def test_a_promise_of_one_cent_holds_the_whole_entry_back():
    """Rule 10.6: the promise of a specification is of 1.00; its amount does not matter."""
    world = given(invoice("F", 5000, "2025-01-01"), promise("F", "2025-01-20"), steps=SEVEN)
    world.with_policy(promises_exclude=True)
    world.when("2025-01-19").silent().excluded("F", "promise_ahead")
    world.when("2025-01-20").says(R1=(5000, ["F"]))


def test_a_stopped_client_stays_listed_with_the_reason_and_never_leaves_by_itself():
    """Rule 22.1: an automatic step too."""
    world = given(invoice("F", 100, "2025-01-01"), stopped(), steps=[step("R1", 8, mode="automatic")])
    world.when("2025-01-09").silent().excluded("F", "client_stopped", step="R1")
    world.when("2025-06-30").silent().excluded("F", "client_stopped", step="R1")


def test_an_entry_at_the_end_of_its_scenario_silences_no_later_one():
    """Rule 22.30: it comes along, and the highest entry that still has a step leads."""
    two = (step("R1", 8), previous("R2", 8))
    world = given(
        invoice("Old", 100, "2025-01-01"),
        invoice("New", 50, "2025-03-01"),
        at_level("Old", "R2", "2025-02-01"),
        steps=two,
    ).with_policy(mode="account")
    world.when("2025-03-08").silent().waits("New", "R1", "2025-03-09").waits("Old", "R1", "2025-03-09")
    world.when("2025-03-09").says(R1=(150, ["New", "Old"])).carried_out()
    assert (world.level("Old"), world.level("New")) == ("R2", "R1")
    world.when("2025-03-17").says(R2=(150, ["New", "Old"])).carried_out()
    world.when("2025-04-17").silent().no_step("New", "exhausted").no_step("Old", "exhausted")


def test_a_due_date_moved_after_r1_is_waited_for():
    """Rule 5.9: R2 counts from R1, yet nobody is reminded on the new due date or before it."""
    world = given(invoice("F", 100, "2025-01-01"), steps=SEVEN)
    world.when("2025-01-09").says(R1=(100, ["F"])).carried_out()
    world.changed("2025-01-10", "F", due_date="2025-02-10")
    world.when("2025-01-17").silent().waits("F", "R2", "2025-02-11")
    world.when("2025-02-10").silent().waits("F", "R2", "2025-02-11")
    world.when("2025-02-11").says(R2=(100, ["F"]))


def test_a_scenario_that_counts_from_the_invoice_date_may_speak_before_the_due_date():
    """Rules 4.7, 5.9."""
    steps = [step("R1", 5, counted_from="invoice_date"), previous("R2", 5)]
    world = given(invoice("F", 100, "2025-03-01", invoice_date="2025-01-01"), steps=steps)
    world.when("2025-01-06").says(R1=(100, ["F"])).carried_out()
    world.when("2025-01-11").says(R2=(100, ["F"]))
