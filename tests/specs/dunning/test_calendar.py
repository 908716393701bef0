"""Rule 4.16: a step that falls on a closed day comes on the next open one; 22.11: a missed day is caught up."""

from datetime import date

import pytest

from contracts.dunning import SendingCalendar
from services.dunning.domain.calendar import (
    CompanyDays,
    calendar,
    holidays_between,
    impossible,
    not_before,
    uncovered_since,
)
from tests.specs.dunning.given import client, day, given, invoice, previous, resumed, step, stopped

WORKDAYS = SendingCalendar(weekdays=(1, 2, 3, 4, 5))
FRENCH = SendingCalendar(weekdays=(1, 2, 3, 4, 5), skip_holidays=True)
MONTHLY = SendingCalendar(weekdays=(1, 2, 3, 4, 5), month_days=(5, 20))


@pytest.mark.parametrize(
    ("rules", "falls_on", "comes_on"),
    [
        (WORKDAYS, "2026-04-03", "2026-04-03"),  # a Friday
        (WORKDAYS, "2026-04-04", "2026-04-06"),
        (WORKDAYS, "2026-04-05", "2026-04-06"),
        (FRENCH, "2026-04-04", "2026-04-07"),  # the sixth is Easter Monday
        (FRENCH, "2026-04-30", "2026-04-30"),
        (FRENCH, "2026-05-01", "2026-05-04"),  # Labour Day, a Friday
        (MONTHLY, "2026-04-04", "2026-04-06"),  # the fifth is a Sunday
        (MONTHLY, "2026-04-06", "2026-04-06"),
        (MONTHLY, "2026-04-07", "2026-04-20"),
        (MONTHLY, "2026-04-21", "2026-05-05"),
        (SendingCalendar(month_days=(31,)), "2026-02-03", "2026-02-28"),
        (SendingCalendar(month_days=(31,), weekdays=(1,)), "2026-03-01", "2026-03-02"),  # February's, moved
        (SendingCalendar(month_days=(31,)), "2026-12-31", "2026-12-31"),
    ],
)
def test_the_next_open_day(rules, falls_on, comes_on):
    found = calendar(CompanyDays(rules))
    assert found is not None
    assert found.next_open(day(falls_on)) == day(comes_on)


def test_a_company_without_a_calendar_reminds_every_day():
    assert calendar(CompanyDays()) is None
    assert calendar(CompanyDays(SendingCalendar(weekdays=(), month_days=()))) is None


def test_a_step_has_what_it_says_otherwise_and_the_rest_from_the_company():
    company = CompanyDays(SendingCalendar(weekdays=(1, 2, 3, 4, 5), month_days=(5,), not_before="08:00"))
    saturday_too = calendar(company, SendingCalendar(weekdays=(1, 2, 3, 4, 5, 6)))
    assert saturday_too is not None
    assert saturday_too.next_open(day("2026-09-05")) == day("2026-09-05")  # a Saturday
    assert calendar(company, SendingCalendar(weekdays=(), month_days=())) is None
    assert not_before(company, SendingCalendar(weekdays=())) == "08:00"
    assert not_before(company, SendingCalendar(not_before="18:30")) == "18:30"
    assert not_before(CompanyDays()) is None


@pytest.mark.parametrize(
    ("company", "step", "comes_on"),
    [
        (True, None, "2026-07-15"),
        (True, True, "2026-07-15"),
        (True, False, "2026-07-14"),
        (False, None, "2026-07-14"),
        (False, True, "2026-07-15"),
        (False, False, "2026-07-14"),
    ],
)
def test_a_step_says_for_itself_whether_holidays_are_left_out(company, step, comes_on):
    """Rule 4.16: the fourteenth of July 2026 is a Tuesday."""
    workdays = (1, 2, 3, 4, 5)
    found = calendar(
        CompanyDays(SendingCalendar(weekdays=workdays, skip_holidays=company), "FR"),
        SendingCalendar(skip_holidays=step),
    )
    assert found is not None
    assert found.next_open(day("2026-07-13")) == day("2026-07-13")
    assert found.next_open(day("2026-07-14")) == day(comes_on)
    assert found.next_open(day("2026-07-15")) == day("2026-07-15")


def test_holidays_are_those_of_the_company_s_country():
    fourteenth = date(2026, 7, 14)
    french = calendar(CompanyDays(SendingCalendar(skip_holidays=True), "FR"))
    german = calendar(CompanyDays(SendingCalendar(skip_holidays=True), "DE"))
    assert french is not None
    assert german is not None
    assert (french.next_open(fourteenth), german.next_open(fourteenth)) == (date(2026, 7, 15), fourteenth)
    assert holidays_between("FR", date(2026, 7, 1), date(2026, 7, 31)) == [fourteenth]
    assert holidays_between("XX", date(2026, 1, 1), date(2026, 12, 31)) == []


@pytest.mark.parametrize(
    ("rules", "part"),
    [
        ({"weekdays": (0,)}, "weekdays"),
        ({"weekdays": (8,)}, "weekdays"),
        ({"month_days": (32,)}, "month_days"),
        ({"not_before": "8:00"}, "not_before"),
        ({"not_before": "24:00"}, "not_before"),
        ({"weekdays": (1, 7), "month_days": (1, 31), "not_before": "23:59"}, None),
        ({"weekdays": tuple(range(1, 8)), "month_days": tuple(range(1, 32)), "not_before": "00:00"}, None),
    ],
)
def test_an_impossible_calendar_is_named(rules, part):
    assert impossible(SendingCalendar.model_validate(rules)) == part


# F is due on Thursday 26 March 2026; R1 eight days later falls on Friday 3 April, nine days later on Saturday.


def on_workdays(delay=9, **options):
    world = given(invoice("F", 100, "2026-03-26"), steps=[step("R1", delay, **options)])
    return world.with_policy(calendar=WORKDAYS.model_dump())


def test_a_step_that_falls_on_a_closed_day_comes_on_the_next_open_one():
    world = on_workdays()
    world.when("2026-04-03").silent().waits("F", "R1", "2026-04-06")
    world.when("2026-04-04").silent().waits("F", "R1", "2026-04-06")
    world.when("2026-04-06").says(R1=(100, ["F"]))


def test_a_step_that_falls_on_an_open_day_comes_on_it():
    world = on_workdays(8)
    world.when("2026-04-02").silent().waits("F", "R1", "2026-04-03")
    world.when("2026-04-03").says(R1=(100, ["F"]))


def test_what_a_person_was_asked_on_friday_stays_over_the_weekend():
    """Rule 4.20."""
    world = on_workdays(8)
    world.when("2026-04-03").says(R1=(100, ["F"]))
    world.when("2026-04-04").silent().due("F").withdraws()
    world.when("2026-04-06").silent().due("F").withdraws()


def test_what_was_paid_over_the_weekend_leaves_the_proposal_which_stays_for_the_rest():
    world = on_workdays(8).on("2026-03-01", invoice("G", 40, "2026-03-26"))
    world.when("2026-04-03").says(R1=(140, ["F", "G"]))
    world.lettered("2026-04-04", "G", code="A").changed("2026-04-04", "G", removed=True)
    world.when("2026-04-04").says(R1=(100, ["F"])).withdraws("superseded")


def test_what_becomes_due_by_a_late_import_waits_for_an_open_day():
    world = on_workdays(8)
    world.when("2026-04-03").says(R1=(100, ["F"]))
    world.on("2026-04-04", invoice("G", 40, "2026-03-20"))
    world.when("2026-04-04").silent().due("F").waits("G", "R1", "2026-04-06")
    world.when("2026-04-06").says(R1=(140, ["F", "G"])).withdraws("superseded")


def test_nothing_leaves_by_itself_on_a_closed_day():
    """A stop that ends on Saturday: the reminder, due since Friday, leaves on Monday."""
    world = on_workdays(8, mode="automatic").on("2026-04-02", stopped())
    world.when("2026-04-03").silent().excluded("F", "client_stopped")
    world.on("2026-04-04", resumed()).when("2026-04-04").silent().waits("F", "R1", "2026-04-06")
    world.when("2026-04-06").says(R1=(100, ["F"]))
    assert next(iter(world.said.values())).due_since == day("2026-04-03")


def test_monthly_rounds():
    """Rule 4.20: a company that reminds on the 5th and the 20th only."""
    world = given(invoice("F", 100, "2026-03-26"), steps=[step("R1", 8, mode="automatic"), previous("R2", 8)])
    world.with_policy(calendar=MONTHLY.model_dump())
    world.when("2026-04-05").silent().waits("F", "R1", "2026-04-06")
    world.when("2026-04-06").says(R1=(100, ["F"])).carried_out()
    world.when("2026-04-07").silent().waits("F", "R2", "2026-04-20")
    world.when("2026-04-20").says(R2=(100, ["F"]))


def test_a_monthly_round_that_was_missed_is_caught_up_on_the_next_working_day():
    """Rules 22.11, 4.20: the machine was off on Monday 20 April and came back on Saturday."""
    world = given(invoice("F", 100, "2026-04-08"), steps=[step("R1", 8, mode="automatic")])
    world.with_policy(calendar=MONTHLY.model_dump())
    world.when("2026-04-17").silent().waits("F", "R1", "2026-04-20")
    world.when("2026-04-25", since="2026-04-18").silent().waits("F", "R1", "2026-04-27")
    world.when("2026-04-27", since="2026-04-18").says(R1=(100, ["F"]))


def test_an_entry_that_comes_between_two_monthly_rounds_waits_for_the_next_one():
    world = given(client(), steps=[step("R1", 8, mode="automatic")]).with_policy(calendar=MONTHLY.model_dump())
    world.on("2026-04-22", invoice("F", 100, "2026-03-26"))
    world.when("2026-04-22", since="2026-04-22").silent().waits("F", "R1", "2026-05-05")
    world.when("2026-05-05", since="2026-05-05").says(R1=(100, ["F"]))


def test_rounds_on_closed_days_cover_nothing():
    company = CompanyDays(WORKDAYS)
    friday, saturday, sunday, monday = (date(2026, 4, number) for number in (3, 4, 5, 6))
    assert uncovered_since(monday, [friday, saturday, sunday], company) == saturday
    assert uncovered_since(monday, [saturday, sunday], company) == monday
    assert uncovered_since(monday, [friday, monday], company) == saturday
    assert uncovered_since(monday, [sunday], CompanyDays()) == monday


def test_never_two_steps_of_one_entry_on_one_day_and_the_day_after_is_an_open_one():
    """R1 left on Friday so late that R2 is due at once: it waits for the next day, which is Monday."""
    world = on_workdays(8).under(step("R1", 8), step("R2", 8))
    world.when("2026-04-03").carried_out()
    world.when("2026-04-04").silent().waits("F", "R2", "2026-04-06")
    world.when("2026-04-06").says(R2=(100, ["F"]))


def test_a_notice_moved_past_the_due_date_lapses():
    """Rules 4.6, 4.11: it would come on Monday, when F is late."""
    world = given(invoice("F", 100, "2026-04-05"), steps=[step("notice", 1), step("R1", 8)])
    world.with_policy(calendar=WORKDAYS.model_dump())
    world.when("2026-04-04").silent().waits("F", "R1", "2026-04-13")


def test_a_notice_moved_before_the_due_date_comes():
    world = given(invoice("F", 100, "2026-04-09"), steps=[step("notice", 5), step("R1", 8)])
    world.with_policy(calendar=WORKDAYS.model_dump())
    world.when("2026-04-04").silent().waits("F", "notice", "2026-04-06")
    world.when("2026-04-06").says(notice=(100, ["F"]))


def test_in_the_account_mode_the_whole_message_waits():
    world = on_workdays().with_policy(mode="account", calendar=WORKDAYS.model_dump())
    world.on("2026-03-01", invoice("G", 40, "2026-04-01"))
    world.when("2026-04-04").silent().waits("F", "R1", "2026-04-06").waits("G", "R1", "2026-04-06")
    world.when("2026-04-06").says(R1=(140, ["F", "G"]))
