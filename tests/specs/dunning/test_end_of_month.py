"""Both readings of the end of month, and the rounds of a month (rule 4.7 and what companies ask for)."""

import pytest

from tests.specs.dunning.given import given, invoice, previous, step


def test_the_result_is_pushed_to_the_end_of_its_month():
    """Due date + 30 days, end of month: 10 April + 30 is 10 May, so 31 May."""
    world = given(invoice("F", 100, "2026-04-10"), steps=[step("R1", 30, end_of_month=True)])
    world.when("2026-05-30").silent().waits("F", "R1", "2026-05-31")
    world.when("2026-05-31").says(R1=(100, ["F"]))


def test_the_reference_is_pushed_to_the_end_of_its_month():
    """End of month of the due date + 30 days: 30 April + 30 is 30 May."""
    world = given(invoice("F", 100, "2026-04-10"), steps=[step("R1", 30, from_end_of_month=True)])
    world.when("2026-05-29").silent().waits("F", "R1", "2026-05-30")
    world.when("2026-05-30").says(R1=(100, ["F"]))


@pytest.mark.parametrize(
    ("due", "on"), [("2026-01-31", "2026-03-02"), ("2028-02-01", "2028-03-30"), ("2026-12-31", "2027-01-30")]
)
def test_short_months_leap_years_and_the_turn_of_the_year(due, on):
    given(invoice("F", 100, due), steps=[step("R1", 30, from_end_of_month=True)]).when(due).waits("F", "R1", on)


def test_both_together():
    """Rule 4.19: the reference to the end of its month, days after it, then to the end of that month."""
    steps = [step("R1", 10, from_end_of_month=True, end_of_month=True)]
    given(invoice("F", 100, "2026-04-10"), steps=steps).when("2026-04-10").waits("F", "R1", "2026-05-31")


def test_the_rounds_of_a_month():
    """Due date + 10, end of month of the due date + 30, previous reminder + 10."""
    steps = [step("R1", 10), step("R2", 30, from_end_of_month=True), previous("R3", 10)]
    world = given(invoice("F", 100, "2026-04-10"), steps=steps)
    world.when("2026-04-20").says(R1=(100, ["F"])).carried_out()
    world.when("2026-05-29").silent().waits("F", "R2", "2026-05-30")
    world.when("2026-05-30").says(R2=(100, ["F"])).world.carry_out("2026-06-02")
    world.when("2026-06-03").waits("F", "R3", "2026-06-12")
    world.when("2026-06-12").says(R3=(100, ["F"]))


def test_counted_from_the_invoice_date_too():
    line = invoice("F", 100, "2026-05-10", invoice_date="2026-04-03")
    steps = [step("R1", 45, counted_from="invoice_date", from_end_of_month=True)]
    given(line, steps=steps).when("2026-05-10").waits("F", "R1", "2026-06-14")


def test_from_the_end_of_the_month_of_the_previous_reminder():
    world = given(
        invoice("F", 100, "2026-04-10"), steps=[step("R1", 8), previous("R2", 5, from_end_of_month=True)]
    )
    world.when("2026-04-18").carried_out()
    world.when("2026-04-19").waits("F", "R2", "2026-05-05")
