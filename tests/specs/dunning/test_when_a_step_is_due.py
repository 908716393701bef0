"""Rules 4.6 to 4.12, 22.8, 22.11: when a step is due."""

from datetime import date

import pytest

from contracts import dunning
from services.dunning.domain.triggers import Trail, pending
from tests.specs.dunning.given import (
    CLIENT,
    World,
    at_level,
    client,
    credit,
    day,
    entry_id,
    given,
    invoice,
    previous,
    step,
)

LADDER = (step("R1", 8), previous("R2", 8))
B_TWICE = (step("R1", 8), step("R2", 16))


def test_r1_is_due_from_its_day_on_never_before():
    """Rule 4.12: the eve, the day, the day after."""
    world = given(invoice("F", 100, "2025-03-10"), steps=[step("R1", 8)])
    world.when("2025-03-17").silent().waits("F", "R1", "2025-03-18")
    world.when("2025-03-18").says(R1=(100, ["F"]))
    given(invoice("F", 100, "2025-03-10"), steps=[step("R1", 8)]).when("2025-03-19").says(R1=(100, ["F"]))


def test_an_old_invoice_without_reminder_starts_at_r1():
    """Rule 4.9: 200 days late, R1 and not R5."""
    given(invoice("F", 100, "2025-03-10")).when("2025-09-26").says(R1=(100, ["F"]))


def test_the_next_step_counts_from_the_day_the_previous_was_really_done():
    """Example 21.1."""
    world = given(invoice("F", 10000, "2025-03-10"))
    world.when("2025-03-01").silent().waits("F", "notice", "2025-03-02")
    world.when("2025-03-02").says(notice=(10000, ["F"])).carried_out()
    world.when("2025-03-17").silent().waits("F", "R1", "2025-03-18")
    world.when("2025-03-18").says(R1=(10000, ["F"]))
    world.carry_out("2025-03-20")
    assert world.level("F") == "R1"
    world.when("2025-03-27").silent().waits("F", "R2", "2025-03-28")
    world.when("2025-03-28").says(R2=(10000, ["F"]))


def test_days_after_the_due_date_also_wait_for_the_previous_reminder():
    """Rule 4.7 (b), example 21.1's variant."""
    world = given(invoice("F", 10000, "2025-03-10"), steps=B_TWICE)
    world.when("2025-03-18").says(R1=(10000, ["F"]))
    world.carry_out("2025-03-20")
    world.when("2025-03-25").silent().waits("F", "R2", "2025-03-26")
    world.when("2025-03-26").says(R2=(10000, ["F"]))


def test_never_two_steps_of_one_entry_on_one_day():
    """Example 21.1: R1 left on 01/04 only, R2 was due on 26/03, so it comes on 02/04 (rule 22.11)."""
    world = given(invoice("F", 10000, "2025-03-10"), steps=B_TWICE)
    world.when("2025-04-01").says(R1=(10000, ["F"])).carried_out()
    world.when("2025-04-01").silent().waits("F", "R2", "2025-04-02")
    world.when("2025-04-02").says(R2=(10000, ["F"]))


def test_a_notice_and_a_reminder_never_share_a_day():
    world = given(invoice("F", 100, "2025-03-10"), steps=[step("notice", 8), step("R1", 0)])
    world.when("2025-03-09").says(notice=(100, ["F"]))
    world.carry_out("2025-03-10")
    world.when("2025-03-10").silent().waits("F", "R1", "2025-03-11")


def test_due_since_counts_from_the_day_the_step_became_due():
    """Rule 1.10; example 21.2: R1 on 01/11/2016, R2 = R1 + 8; on 29/01/2019 due since 811 days."""
    world = given(invoice("F", 100, "2016-10-01"), at_level("F", "R1", "2016-11-01"))
    decided = world.when("2019-01-29").says(R2=(100, ["F"]))
    assert (day("2019-01-29") - decided.decision.actions[0].due_since).days == 811


def test_an_unfinished_proposal_is_not_escalated():
    """Peers' rule: a draft that nobody sent holds the next step back."""
    world = given(invoice("F", 100, "2025-03-10"), steps=B_TWICE)
    first = world.when("2025-03-18").says(R1=(100, ["F"]))
    later = world.when("2025-06-01").silent().withdraws()
    assert later.verdict("F") == first.verdict("F")


def test_the_notice_lapses_once_the_due_date_has_passed():
    """Rule 4.11: it does not hold R1 up."""
    world = given(invoice("F", 100, "2025-03-10"))
    world.when("2025-03-10").says(notice=(100, ["F"]))
    world.when("2025-03-11").silent().withdraws("superseded").waits("F", "R1", "2025-03-18")


def test_a_disabled_step_is_passed_over():
    """Rule 4.10."""
    steps = [step("R1", 8), previous("R2", 8, enabled=False), previous("R3", 5)]
    world = given(invoice("F", 100, "2025-03-10"), steps=steps)
    world.when("2025-03-18").says(R1=(100, ["F"])).carried_out()
    world.when("2025-03-22").waits("F", "R3", "2025-03-23")
    world.when("2025-03-23").says(R3=(100, ["F"])).carried_out()
    world.when("2026-03-23").silent().no_step("F", "exhausted")
    assert world.level("F") == "R3"


def test_a_step_to_ignore_gives_way_once_the_next_is_due():
    """Rule 4.9: undone, it counts as done on the day it fell due."""
    steps = [step("R1", 8), previous("R2", 8, "phone", ignorable=True), previous("R3", 10)]
    world = given(invoice("F", 100, "2025-03-10"), steps=steps)
    world.when("2025-03-18").says(R1=(100, ["F"])).carried_out()
    world.when("2025-03-26").says(R2=(100, ["F"]))
    world.when("2025-04-04").silent().withdraws()
    world.when("2025-04-05").says(R3=(100, ["F"])).withdraws("superseded")


def test_the_end_of_the_month_is_reached_on_its_last_day():
    steps = [step("R1", 30, end_of_month=True)]
    world = given(invoice("F", 100, "2025-01-10"), steps=steps)
    world.when("2025-02-27").waits("F", "R1", "2025-02-28")
    world.when("2025-02-28").says(R1=(100, ["F"]))


def test_the_variant_follows_the_address_and_the_level_stays():
    """Rule 4.2."""
    world = given(client(email=False), invoice("F", 100, "2025-03-10"))
    assert world.when("2025-03-18").decision.actions[0].medium == "letter"
    world.carry_out("2025-03-18")
    world.on("2025-03-19", client(email=True))
    world.when("2025-03-25").waits("F", "R2", "2025-03-26")


def test_a_variant_switched_off_reminds_nobody():
    """Rule 4.1."""
    world = given(client(email=False), invoice("F", 100, "2025-03-10"))
    world.under(step("R1", 8), without_email_enabled=False)
    world.when("2025-04-01").silent().no_step("F", "variant_off")


def test_a_new_due_date_moves_only_what_counts_from_it():
    """Rule 5.9: the level stays."""
    world = given(invoice("F", 100, "2025-03-10"))
    world.when("2025-03-18").says(R1=(100, ["F"])).carried_out()
    world.changed("2025-03-19", "F", due_date=date(2025, 3, 25))
    world.when("2025-03-25").waits("F", "R2", "2025-03-26")
    world.changed("2025-03-25", "F", due_date=date(2025, 3, 26))
    world.when("2025-03-26").silent().waits("F", "R2", "2025-03-27")
    world = given(invoice("F", 100, "2025-03-10"), steps=B_TWICE)
    world.when("2025-03-18").says(R1=(100, ["F"])).carried_out()
    world.changed("2025-03-19", "F", due_date=date(2025, 6, 1))
    world.when("2025-03-26").waits("F", "R2", "2025-06-17")


def test_an_entry_that_is_reopened_keeps_its_level_and_counts_from_that_day():
    """Rules 5.8, 22.8."""
    world = given(invoice("F", 100, "2025-03-10"), credit("P", 100, "2025-03-20"))
    world.when("2025-03-18").says(R1=(100, ["F"])).carried_out()
    world.lettered("2025-03-21", "F", "P")
    assert world.when("2025-04-01").silent().decision.verdicts == {}
    world.lettered("2025-04-10", "F", "P", code=None)
    world.when("2025-04-17").waits("F", "R2", "2025-04-18")
    assert world.level("F") == "R1"


def test_a_notice_that_could_only_come_after_the_due_date_is_not_awaited():
    """Rule 4.11 with 5.8: accounting un-lettered the invoice on a day ahead of the round's, after the due date."""
    world = given(invoice("F", 100, "2025-03-10"), credit("P", 100, "2025-03-20"))
    world.lettered("2025-03-01", "F", "P")
    world.lettered("2025-03-12", "F", "P", code=None)
    world.when("2025-03-09").waits("F", "R1", "2025-03-20")
    world.when("2025-03-10").waits("F", "R1", "2025-03-20")
    world.when("2025-03-11").waits("F", "R1", "2025-03-20")


# The way to a day, as an explanation tells it


def way(world: World, on: str) -> list[tuple[object, ...]]:
    """Code, day, days and step of each stage of the only entry."""
    (entry,) = world.book.state().entries
    assert world.scenario is not None
    plan = world.scenario.plan(True)
    assert plan is not None
    trail: Trail = []
    found = pending(entry, plan, day(on), trail)
    assert found == pending(entry, plan, day(on)), "asking for the way changes nothing"
    assert found is not None
    assert trail[-1].on == found.on
    return [(stage.code, stage.on.isoformat(), stage.days, stage.step) for stage in trail]


def stage(code: str, on: str, days: int = 0, step_name: str | None = None) -> tuple[object, ...]:
    return (code, on, days, step_name)


def test_the_way_to_a_day_tells_that_the_step_waits_for_the_new_due_date():
    """Rule 5.9: R2 would come on the 26th of March; accounting moved the due date to the 31st."""
    world = given(invoice("F", 100, "2025-03-31"), at_level("F", "R1", "2025-03-18"), steps=LADDER)
    assert way(world, "2025-03-20") == [
        stage("previous_step", "2025-03-18"),
        stage("delay", "2025-03-26", 8),
        stage("not_overdue", "2025-04-01"),
    ]


def test_the_way_to_a_day_tells_both_ends_of_months():
    """Rule 4.19."""
    steps = [step("R1", 10, from_end_of_month=True, end_of_month=True)]
    assert way(given(invoice("F", 100, "2026-04-10"), steps=steps), "2026-04-10") == [
        stage("due_date", "2026-04-10"),
        stage("from_end_of_month", "2026-04-30"),
        stage("delay", "2026-05-10", 10),
        stage("end_of_month", "2026-05-31"),
    ]


@pytest.mark.parametrize(
    ("reminded", "comes_on", "waits"),
    [("2025-03-24", "2025-03-26", False), ("2025-03-25", "2025-03-26", False), ("2025-03-26", "2025-03-27", True)],
)
def test_the_way_to_a_day_tells_that_a_step_waits_for_the_day_after_the_last_one_only_where_it_does(
    reminded, comes_on, waits
):
    """Rule 22.11, example 21.1: R2 comes sixteen days after the due date."""
    world = given(invoice("F", 100, "2025-03-10"), at_level("F", "R1", reminded), steps=B_TWICE)
    told = [stage("due_date", "2025-03-10"), stage("delay", "2025-03-26", 16)]
    assert way(world, reminded) == told + ([stage("one_step_a_day", comes_on)] if waits else [])


@pytest.mark.parametrize(
    ("reopened", "from_then"), [("2025-03-09", False), ("2025-03-10", False), ("2025-03-11", True)]
)
def test_the_way_to_a_day_begins_where_an_entry_was_reopened_after_its_own_date(reopened, from_then):
    """Rule 22.8."""
    world = given(invoice("F", 100, "2025-03-10", lettering="A"), steps=[step("R1", 8)])
    world.on(reopened, invoice("F", 100, "2025-03-10"))
    begins = stage("reopened", reopened) if from_then else stage("due_date", "2025-03-10")
    comes_on = "2025-03-19" if from_then else "2025-03-18"
    assert way(world, reopened) == [begins, stage("delay", comes_on, 8)]
    world.when("2025-03-12").waits("F", "R1", comes_on)


@pytest.mark.parametrize(
    ("reopened", "comes_on"), [("2025-03-01", None), ("2025-03-02", None), ("2025-03-03", "2025-03-03")]
)
def test_the_way_to_a_notice_goes_back_from_the_due_date_or_on_to_the_day_of_reopening(reopened, comes_on):
    """Rules 4.6, 22.8."""
    world = given(invoice("F", 100, "2025-03-10", lettering="A"))
    world.on(reopened, invoice("F", 100, "2025-03-10"))
    told = [stage("due_date", "2025-03-10"), stage("delay", "2025-03-02", -8)]
    assert way(world, "2025-03-01") == told + ([stage("reopened", comes_on)] if comes_on else [])


def test_the_way_to_a_notice_tells_the_closed_day_that_it_was_moved_from():
    """Rules 4.6, 4.16: the second of March 2025 is a Sunday."""
    world = given(invoice("F", 100, "2025-03-10")).with_policy(calendar={"weekdays": (1, 2, 3, 4, 5)})
    assert way(world, "2025-03-01") == [
        stage("due_date", "2025-03-10"),
        stage("delay", "2025-03-02", -8),
        stage("closed_day", "2025-03-03"),
    ]


def test_the_way_to_a_step_that_another_gave_way_to_begins_there():
    """Rule 4.9: R2 fell due on the 26th of March, R3 ten days later."""
    steps = [step("R1", 8), previous("R2", 8, "phone", ignorable=True), previous("R3", 10)]
    world = given(invoice("F", 100, "2025-03-10"), at_level("F", "R1", "2025-03-18"), steps=steps)
    told = [stage("previous_step", "2025-03-18"), stage("delay", "2025-03-26", 8)]
    assert way(world, "2025-04-04") == told
    assert way(world, "2025-04-05") == [
        stage("step_ignored", "2025-03-26", 0, "R2"),
        stage("previous_step", "2025-03-26"),
        stage("delay", "2025-04-05", 10),
    ]


# Notices at their edges (rules 4.6, 4.11)


def test_a_notice_without_a_delay_comes_on_the_due_date_itself():
    world = given(invoice("F", 100, "2025-03-10"), steps=[step("notice", 0), step("R1", 8)])
    world.when("2025-03-09").silent().waits("F", "notice", "2025-03-10")
    world.when("2025-03-10").says(notice=(100, ["F"]))
    world.when("2025-03-11").silent().withdraws("superseded").waits("F", "R1", "2025-03-18")


def test_a_notice_that_is_open_on_the_due_date_gives_way_to_a_reminder_of_that_day():
    steps = [step("notice", 8), step("R1", 0)]
    world = given(invoice("F", 100, "2025-03-10"), steps=steps)
    assert world.when("2025-03-09").says(notice=(100, ["F"])).decision.next_on == day("2025-03-10")
    world.when("2025-03-10").says(R1=(100, ["F"])).withdraws("superseded")
    given(invoice("F", 100, "2025-03-10"), steps=steps).when("2025-03-11").says(R1=(100, ["F"]))


# The next day on which anything may be otherwise (habit 17)


def next_on(world: World, on: str) -> str | None:
    found = world.when(on).decision.next_on
    return found and found.isoformat()


def test_a_step_that_may_be_passed_over_is_looked_at_again_when_the_one_after_it_is_due():
    """Rule 4.9: R2 on the 26th of March, R3 ten days later, R4, which gives way to nothing, eight after that."""
    steps = [
        step("R1", 8),
        previous("R2", 8, "phone", ignorable=True),
        previous("R3", 10, ignorable=True),
        previous("R4", 8, "letter"),
        step("R5", 1, "letter"),
    ]
    world = given(invoice("F", 100, "2025-03-10"), at_level("F", "R1", "2025-03-18"), steps=steps)
    days = ("2025-03-25", "2025-03-26", "2025-04-04", "2025-04-05", "2025-04-12", "2025-04-13", "2025-04-14")
    assert [next_on(world, on) for on in days] == [
        "2025-03-26", "2025-04-05", "2025-04-05", "2025-04-13", "2025-04-13", None, None,
    ]  # fmt: skip
    assert world.when("2025-04-14").due("F").verdict("F").step == "R4"  # type: ignore[union-attr]


def test_a_last_step_that_may_be_passed_over_stands_since_none_comes_after_it():
    """Rule 4.10."""
    world = given(invoice("F", 100, "2025-03-10"), steps=[step("R1", 8, ignorable=True)])
    assert next_on(world, "2025-03-18") is None
    world.when("2025-06-18").silent().withdraws().due("F")


def test_a_notice_is_looked_at_again_when_it_lapses_or_a_reminder_is_due():
    """Rule 4.11."""
    world = given(invoice("F", 100, "2025-03-10"))
    assert [next_on(world, on) for on in ("2025-03-01", "2025-03-02", "2025-03-10", "2025-03-11")] == [
        "2025-03-02", "2025-03-11", "2025-03-11", "2025-03-18",
    ]  # fmt: skip


def test_a_notice_is_looked_at_again_tomorrow_where_a_level_was_taken_back_today():
    """Rules 5.6, 22.11: R1, due on the due date, comes on the day after what a person did."""
    back = dunning.LevelMove(entry_id=entry_id("F"), level_before="R1", level_after=None)
    taken_back = dunning.LevelSet(client_id=CLIENT, reason="set", set_on=day("2025-03-09"), levels=(back,))
    steps = [step("notice", 8), step("R1", 0, ignorable=True), step("R2", 30)]
    world = given(invoice("F", 100, "2025-03-09"), at_level("F", "R1", "2025-03-02"), taken_back, steps=steps)
    assert next_on(world, "2025-03-09") == "2025-03-10"
    world.when("2025-03-10").says(R1=(100, ["F"]))
