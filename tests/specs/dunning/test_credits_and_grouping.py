"""Rules 6.1 to 6.6, 7.1 to 7.4, 19.3, 22.4, 22.14, 22.15: which entries share a message, and what it asks."""

import pytest

from tests.specs.dunning.given import (
    at_level,
    credit,
    entry_stopped,
    given,
    invoice,
    previous,
    step,
    stopped,
)

LADDER = (step("R1", 8), *(previous(f"R{level}", 8) for level in range(2, 8)))


def test_different_levels_make_different_messages_on_one_day():
    """Rule 6.1: five at R4, one at R3, one at R1 make three messages."""
    facts = [invoice(name, 10, "2025-01-01") for name in "ABCDEFG"]
    levels = [at_level(name, "R3", "2025-02-01") for name in "ABCDE"] + [at_level("F", "R2", "2025-02-01")]
    given(*facts, *levels, steps=LADDER).when("2025-03-01").says(
        R4=(50, list("ABCDE")), R3=(10, ["F"]), R1=(10, ["G"])
    )


def test_a_credit_is_netted_only_in_a_message_of_its_own_level():
    """Rule 7.2, example 21.4: 1 300 - 200 = 1 100; the other credit stands alone and asks for nothing."""
    world = given(
        invoice("A", 800, "2025-01-01"),
        invoice("B", 500, "2025-01-01"),
        credit("C", 200, "2025-01-01"),
        credit("D", 100, "2025-01-01"),
        *(at_level(name, "R1", "2025-02-01") for name in "ABC"),
        steps=LADDER,
    )
    decided = world.when("2025-02-09").says(R2=(1100, ["A", "B", "C"]))
    assert decided.decision.actions[0].amount == 1300_0000
    decided.waits("D", "R2", "2025-02-17")
    assert world.level("D") == "R1"


def test_a_lone_credit_waits_where_a_debit_will_come():
    """Rule 22.14: an invoice that is not due yet comes to R1 too."""
    world = given(credit("A", 50, "2025-03-01"), invoice("F", 100, "2025-04-01"), steps=LADDER)
    world.when("2025-03-09").silent().excluded("A", "net_not_positive", step="R1")
    world.when("2025-04-09").says(R1=(50, ["A", "F"]))


def test_a_lone_credit_waits_at_the_step_that_a_debit_has_come_to_by_passing_others_over():
    """Rules 4.9, 22.14: F comes to R3 on the 19th of March; from then on nobody comes to R2."""
    steps = (step("R1", 2), step("R2", 10, ignorable=True), step("R3", 18))
    facts = (invoice("F", 100, "2025-03-01"), entry_stopped("F"), credit("A", 50, "2025-03-08"))
    world = given(*facts, steps=steps)
    world.on("2025-03-05", at_level("F", "R1", "2025-03-03"), at_level("A", "R1", "2025-03-10"))
    world.when("2025-03-18").silent().excluded("A", "net_not_positive", step="R2")
    world.when("2025-03-19").silent().waits("A", "R3", "2025-03-26")


def test_a_credit_alone_advances_one_level_a_day_at_most():
    """Rule 22.14, with the guard of 22.11."""
    world = given(credit("A", 50, "2025-01-01"), steps=[step("R1", 8), step("R2", 16), step("R3", 24)])
    for on, level in (("2025-03-01", "R1"), ("2025-03-02", "R2"), ("2025-03-03", "R3")):
        world.when(on).silent()
        assert world.level("A") == level
    world.when("2025-03-04").silent().no_step("A", "exhausted")


def test_a_stopped_clients_credit_does_not_move():
    """Rule 8.17."""
    world = given(credit("A", 50, "2025-01-01"), stopped(), steps=LADDER)
    world.when("2025-03-01").excluded("A", "client_stopped", "net_not_positive")
    assert world.level("A") is None


def test_a_credit_never_enters_a_notice():
    """Rule 7.1."""
    facts = [invoice("F", 100, "2025-03-10"), credit("A", 30, "2025-03-10")]
    given(*facts).when("2025-03-02").says(notice=(100, ["F"])).waits("A", "R1", "2025-03-18")


def test_a_partial_payment_stands_beside_its_invoice():
    """Rule 7.8, example 21.3: item mode asks for 1 000 while the credit is not at R1 yet."""
    facts = [invoice("F", 1000, "2025-03-31"), credit("P", 400, "2025-04-05")]
    given(*facts).when("2025-04-08").says(R1=(1000, ["F"])).waits("P", "R1", "2025-04-13")
    account = given(*facts).with_policy(mode="account")
    decided = account.when("2025-04-08").says(R1=(600, ["F", "P"]))
    assert decided.decision.actions[0].amount == 1000_0000


def test_netting_none_lists_credits_without_deducting_them():
    """Rule 7.2."""
    world = given(invoice("F", 100, "2025-01-01"), credit("A", 30, "2025-01-01")).with_policy(netting="none")
    world.when("2025-02-01").says(R1=(100, ["A", "F"]))


def test_netting_account_puts_overdue_credits_into_the_highest_message():
    """Rule 7.2."""
    world = given(
        invoice("F", 100, "2025-01-01"),
        invoice("G", 100, "2025-01-01"),
        credit("A", 30, "2025-01-01"),
        at_level("G", "R2", "2025-01-20"),
        steps=LADDER,
    ).with_policy(netting="account")
    world.when("2025-02-01").says(R1=(100, ["F"]), R3=(70, ["A", "G"])).carried_out()
    assert world.level("A") == "R3"


def test_one_message_per_currency():
    """Rule 19.3."""
    world = given(invoice("F", 100, "2025-01-01"), invoice("U", 70, "2025-01-01", currency="USD"), steps=LADDER)
    decided = world.when("2025-02-01")
    assert {(one.step, one.currency, one.net_amount) for one in decided.decision.actions} == {
        ("R1", "EUR", 100_0000),
        ("R1", "USD", 70_0000),
    }


def test_the_account_is_reminded_as_a_whole_at_its_highest_level():
    """Rules 6.2, 6.6, example 21.5: 300 + 200 + 100 - 50 = 550, the upcoming invoice stays out."""
    facts = [
        invoice("F1", 300, "2025-01-01"),
        invoice("F2", 200, "2025-01-01"),
        invoice("F3", 100, "2025-01-01"),
        credit("A", 50, "2025-01-01"),
        invoice("F4", 900, "2025-12-31"),
        at_level("F1", "R4", "2025-02-01"),
        at_level("F2", "R3", "2025-02-01"),
        at_level("F3", "R1", "2025-02-01"),
    ]
    world = given(*facts, steps=LADDER).with_policy(mode="account")
    world.when("2025-02-08").silent().waits("F3", "R5", "2025-02-09")
    world.when("2025-02-09").says(R5=(550, ["A", "F1", "F2", "F3"])).waits("F4", "R1", "2026-01-08")
    world.carry_out("2025-02-09")
    assert [world.level(name) for name in ("F1", "F2", "F3", "A")] == ["R5", "R4", "R2", "R1"]
    given(*facts, steps=LADDER).when("2025-02-09").says(R5=(300, ["F1"]), R4=(200, ["F2"]), R2=(100, ["F3"]))


def test_the_account_takes_young_overdue_entries_along():
    """Rules 6.5, 22.4."""
    facts = [invoice("F", 100, "2025-01-01"), invoice("G", 50, "2025-01-08"), invoice("H", 20, "2025-01-09")]
    world = given(*facts, steps=LADDER).with_policy(mode="account")
    world.when("2025-01-09").says(R1=(150, ["F", "G"])).waits("H", "R1", "2025-01-17")


def test_an_excluded_entry_never_leads_the_account():
    """Rule 22.15."""
    world = given(
        invoice("F", 100, "2025-01-01"),
        invoice("G", 50, "2025-01-01"),
        at_level("F", "R3", "2025-01-15"),
        entry_stopped("F"),
        steps=LADDER,
    ).with_policy(mode="account")
    world.when("2025-02-01").says(R1=(50, ["G"])).excluded("F", "entry_stopped")


def test_switching_the_mode_withdraws_what_nobody_confirmed():
    """Rule 22.15."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-02-01").says(R1=(100, ["F"]))
    world.with_policy(mode="account")
    world.when("2025-02-02").says(R1=(100, ["F"])).withdraws("mode_switched")


# A line about nothing, as books hold some: it asks for nothing, and is waited for by nobody (rules 7.7, 22.10)


def test_a_line_about_nothing_is_no_invoice_to_be_reminded():
    """No notice, no message of its own; like a credit that stands alone it goes on."""
    world = given(invoice("Z", 0, "2025-03-10"))
    world.when("2025-03-02").silent().waits("Z", "R1", "2025-03-18")
    world.when("2025-03-18").silent().waits("Z", "R2", "2025-03-26")


@pytest.mark.parametrize("order", ["FZ", "ZF"])
def test_a_line_about_nothing_neither_shares_nor_takes_the_notice_of_an_invoice_of_the_same_days(order):
    """Rule 4.6: whichever of them is looked at first."""
    lines = {"F": invoice("F", 100, "2025-03-10"), "Z": invoice("Z", 0, "2025-03-10")}
    world = given(*(lines[name] for name in order))
    world.when("2025-03-01").silent().waits("F", "notice", "2025-03-02").waits("Z", "R1", "2025-03-18")
    world.when("2025-03-02").says(notice=(100, ["F"])).waits("Z", "R1", "2025-03-18")
    world.when("2025-03-03").silent().due("F").waits("Z", "R1", "2025-03-18")


def test_a_credit_does_not_wait_for_a_line_about_nothing():
    """Rule 22.14."""
    world = given(credit("A", 50, "2025-03-01"), invoice("Z", 0, "2025-06-01"), steps=LADDER)
    world.when("2025-03-09").silent().waits("A", "R2", "2025-03-17")


def test_a_line_about_nothing_leads_no_account_and_no_credit_is_netted_with_it():
    """Rules 6.2, 7.2."""
    facts = (invoice("Z", 0, "2025-03-01"), at_level("Z", "R2", "2025-03-01"), invoice("F", 100, "2025-03-10"))
    account = given(*facts, steps=LADDER).with_policy(mode="account")
    account.when("2025-03-18").says(R1=(100, ["F", "Z"]))
    netted = given(*facts, credit("A", 30, "2025-03-05"), steps=LADDER).with_policy(netting="account")
    netted.when("2025-03-18").says(R1=(70, ["A", "F", "Z"]))


def test_a_line_about_nothing_has_no_say_in_what_leaves_by_itself_and_is_not_tolerated():
    """Rules 22.26, 22.28: it was invoiced before the activation day."""
    facts = (invoice("Z", 0, "2025-03-10", invoice_date="2024-01-01"), invoice("F", 100, "2025-03-10"))
    world = given(*facts, steps=[step("R1", 8, mode="automatic")]).with_policy(automatic_from="2025-01-01")
    assert world.when("2025-03-18").says(R1=(100, ["F", "Z"])).decision.actions[0].automatic
    tolerant = given(*facts, steps=[step("R1", 8)]).with_policy(tolerance_days=10)
    tolerant.when("2025-03-18").silent().excluded("F", "within_tolerance_days").excluded("Z", "net_not_positive")


def test_a_line_about_nothing_is_not_too_small():
    """Rule 8.4 is about debits."""
    world = given(invoice("Z", 0, "2025-03-10"), invoice("F", 100, "2025-03-10"), steps=LADDER)
    world.with_policy(minimum_per_entry="20").when("2025-03-18").says(R1=(100, ["F", "Z"]))
