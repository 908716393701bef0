"""Accounting changes what was reminded of (5.9), letters, un-letters and takes payments back (5.8, 22.8)."""

from tests.specs.dunning.given import credit, given, invoice, previous, step

STEPS = (step("R1", 8), previous("R2", 8), step("R3", 30), previous("R4", 8))


def at_r1():
    """An invoice due on 10 March, reminded once on 20 March."""
    one = given(invoice("F", 1000, "2025-03-10"), steps=STEPS)
    one.when("2025-03-20").says(R1=(1000, ["F"]))
    return one.carry_out("2025-03-20")


def test_a_new_due_date_keeps_the_level():
    """Rule 5.9: and the day of a step that counts from the one before, as long as the entry is overdue by then."""
    one = at_r1().changed("2025-03-21", "F", due_date="2025-03-27")
    assert one.level("F") == "R1"
    one.when("2025-03-21").waits("F", "R2", "2025-03-28")
    one.when("2025-03-28").says(R2=(1000, ["F"]))


def test_a_step_counted_from_the_due_date_is_counted_anew():
    """Rule 5.9: only steps anchored on the due date move."""
    one = at_r1()
    one.when("2025-03-28").says(R2=(1000, ["F"]))
    one.carry_out("2025-03-28")
    one.when("2025-03-29").waits("F", "R3", "2025-04-09")
    one.changed("2025-04-01", "F", due_date="2025-03-31")
    assert one.level("F") == "R2"
    one.when("2025-04-29").waits("F", "R3", "2025-04-30")
    one.when("2025-04-30").says(R3=(1000, ["F"]))


def test_a_new_amount_keeps_the_level_and_redraws_what_was_proposed():
    """Rules 5.9, 22.9: the source itself gives a residual."""
    one = at_r1()
    one.when("2025-03-28").says(R2=(1000, ["F"]))
    one.changed("2025-03-29", "F", debit="400", book_amount="400")
    one.when("2025-03-29").says(R2=(400, ["F"])).withdraws("superseded")
    assert one.level("F") == "R1"


def test_a_partial_payment_is_a_credit_beside_the_invoice():
    """Rules 7.8, 22.9."""
    one = at_r1().on("2025-03-21", credit("P", 400, "2025-03-21"))
    one.when("2025-03-28").says(R2=(1000, ["F"]))
    assert one.level("F") == "R1"


def test_a_reversed_payment_reopens_the_invoice_at_its_level():
    """Rules 5.8, 22.8: the next step counts from the day it was reopened."""
    one = at_r1().on("2025-03-22", credit("P", 1000, "2025-03-22"))
    one.lettered("2025-03-22", "F", "P")
    one.when("2025-03-30").silent()
    one.lettered("2025-04-10", "F", "P", code=None).changed("2025-04-10", "P", removed=True)
    assert one.level("F") == "R1"
    one.when("2025-04-17").waits("F", "R2", "2025-04-18")
    one.when("2025-04-18").says(R2=(1000, ["F"]))


def test_a_payment_that_vanishes_under_its_lettering_makes_nobody_chase():
    """Rules 2.8, 22.8: the invoice still carries the code, so accounting thinks it paid."""
    one = at_r1().on("2025-03-22", credit("P", 1000, "2025-03-22"))
    one.lettered("2025-03-22", "F", "P").changed("2025-04-10", "P", removed=True)
    one.when("2025-04-20").silent().excluded("F", "lettering_error")
    one.lettered("2025-04-21", "F", code=None)
    one.when("2025-04-28").waits("F", "R2", "2025-04-29")


def test_lettering_again_ends_it_again():
    """Rule 5.8."""
    one = at_r1().on("2025-03-22", credit("P", 1000, "2025-03-22"))
    one.lettered("2025-03-22", "F", "P").lettered("2025-04-10", "F", "P", code=None)
    one.when("2025-04-18").says(R2=(1000, ["F"]))
    one.lettered("2025-04-19", "F", "P", code="B")
    one.when("2025-04-19").silent().withdraws("settled")
