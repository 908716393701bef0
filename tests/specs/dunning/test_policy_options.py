"""Rules 2.6, 7.5, 8.7, 21.8, 22.3, 22.7, 22.13, 22.15, 22.26 to 22.29: what a policy adds, day by day."""

import pytest

from contracts import dunning
from tests.specs.dunning.given import (
    CLIENT,
    World,
    at_level,
    credit,
    day,
    disputed,
    given,
    invoice,
    previous,
    step,
    stopped,
)

R1_ONLY = (step("R1", 8),)
CALLS = (step("R1", 8, "phone"), previous("R2", 8, "phone"))
AUTOMATIC = (step("R1", 8, mode="automatic"),)


# Clients in credit (rules 8.7, 22.3) and credits not yet due (7.5)


@pytest.mark.parametrize(("amount", "reminded"), [("999.99", True), ("1000.00", True), ("1000.01", False)])
def test_a_client_in_credit_is_never_reminded(amount, reminded):
    """The credit is not at the step of the invoice, so the message alone would ask for all of it."""
    world = given(invoice("F", 1000, "2025-03-10"), credit("A", amount, "2025-03-12"), steps=R1_ONLY)
    decided = world.when("2025-03-18")
    if reminded:
        decided.says(R1=(1000, ["F"]))
    else:
        decided.silent().excluded("F", "creditor_client")


def test_a_credit_that_makes_the_balance_comes_and_goes():
    """Rules 8.7, 8.17: the step stays; the proposal goes and comes."""
    world = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY)
    world.when("2025-03-18").says(R1=(100, ["F"]))
    world.on("2025-03-19", credit("A", 300, "2025-06-30"))
    world.when("2025-03-19").silent().withdraws("creditor_client").excluded("F", "creditor_client")
    world.changed("2025-03-20", "A", removed=True)
    world.when("2025-03-20").says(R1=(100, ["F"]))


def test_credits_not_yet_due_may_be_left_out_until_their_day_has_passed():
    """Rule 7.5: neither the message nor the balance of the account knows them before."""
    facts = (invoice("F", 100, "2025-03-10"), credit("A", 300, "2025-03-20"))
    given(*facts, steps=R1_ONLY).when("2025-03-18").silent().excluded("F", "creditor_client")
    world = given(*facts, steps=R1_ONLY).with_policy(upcoming_credits_excluded=True)
    assert world.when("2025-03-18").says(R1=(100, ["F"])).decision.next_on is not None
    world.when("2025-03-20").silent().due("F")
    world.when("2025-03-21").silent().withdraws("creditor_client").excluded("F", "creditor_client")


def test_a_credit_that_counts_from_its_invoice_date_waits_for_its_due_date():
    """Rule 7.5."""
    steps = (step("R1", 8, counted_from="invoice_date"),)
    facts = (
        invoice("F", 100, "2025-03-10", invoice_date="2025-03-01"),
        credit("A", 30, "2025-03-20", invoice_date="2025-03-01"),
    )
    given(*facts, steps=steps).when("2025-03-12").says(R1=(70, ["A", "F"]))
    world = given(*facts, steps=steps).with_policy(upcoming_credits_excluded=True)
    world.when("2025-03-12").says(R1=(100, ["F"])).excluded("A", "credit_not_due")
    world.when("2025-03-20").silent().excluded("A", "credit_not_due")
    world.when("2025-03-21").says(R1=(70, ["A", "F"])).withdraws("superseded")


# Tolerance (rule 22.26)


def test_nothing_is_late_for_reminding_during_the_days_of_tolerance():
    world = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY).with_policy(tolerance_days=10)
    world.when("2025-03-17").waits("F", "R1", "2025-03-18")
    world.when("2025-03-18").silent().excluded("F", "within_tolerance_days", step="R1")
    world.when("2025-03-20").silent().excluded("F", "within_tolerance_days")
    world.when("2025-03-21").says(R1=(100, ["F"]))


def test_tolerance_holds_no_notice_and_no_credit():
    facts = (invoice("F", 100, "2025-03-10"), invoice("G", 70, "2025-02-20"), credit("A", 10, "2025-02-20"))
    world = given(*facts).with_policy(tolerance_days=18)
    world.when("2025-03-10").says(notice=(100, ["F"])).excluded("G", "within_tolerance_days")
    world.when("2025-03-11").says(R1=(60, ["A", "G"])).withdraws("superseded")


def test_in_account_mode_an_invoice_within_tolerance_neither_leads_nor_comes_along():
    world = given(invoice("F", 100, "2025-03-01"), invoice("G", 50, "2025-03-12"), steps=R1_ONLY)
    world.with_policy(mode="account", tolerance_days=7)
    world.when("2025-03-19").says(R1=(100, ["F"])).excluded("G", "within_tolerance_days")
    world.when("2025-03-20").says(R1=(150, ["F", "G"])).withdraws("superseded")


@pytest.mark.parametrize(("amount", "reminded"), [("49.99", False), ("50.00", False), ("50.01", True)])
def test_a_client_whose_late_total_is_within_the_tolerance_is_not_reminded(amount, reminded):
    world = given(invoice("F", amount, "2025-03-10"), invoice("G", 900, "2025-06-30"), steps=R1_ONLY)
    decided = world.with_policy(tolerance_amount="50").when("2025-03-18")
    if reminded:
        decided.says(R1=(amount, ["F"]))
    else:
        decided.silent().excluded("F", "within_tolerance_amount")


def test_the_late_total_grows_with_each_due_date():
    world = given(invoice("F", 40, "2025-03-10"), invoice("G", 900, "2025-03-25"), steps=R1_ONLY)
    world.with_policy(tolerance_amount="50")
    decided = world.when("2025-03-18").excluded("F", "within_tolerance_amount")
    assert decided.decision.next_on.isoformat() == "2025-03-26"
    world.when("2025-03-25").silent().excluded("F", "within_tolerance_amount")
    world.when("2025-03-26").says(R1=(40, ["F"]))


def test_an_invoice_counts_in_the_late_total_once_its_days_of_tolerance_are_over():
    """F is late beyond them, G is within them until the 20th of March included: both together exceed the total."""
    world = given(invoice("F", 40, "2025-02-20"), invoice("G", 60, "2025-03-10"), steps=R1_ONLY)
    world.with_policy(tolerance_days=10, tolerance_amount="50")
    decided = world.when("2025-03-18").silent().excluded("F", "within_tolerance_amount")
    assert decided.decision.next_on == day("2025-03-21")
    world.when("2025-03-20").silent().excluded("F", "within_tolerance_amount")
    world.when("2025-03-21").says(R1=(100, ["F", "G"]))


def test_a_credit_is_deducted_from_the_late_total_from_the_day_after_its_own():
    """Its client's days of tolerance are for invoices."""
    world = given(invoice("F", 60, "2025-02-20"), credit("A", 20, "2025-03-10"), steps=R1_ONLY)
    world.with_policy(tolerance_days=10, tolerance_amount="50")
    decided = world.when("2025-03-10").says(R1=(60, ["F"]))
    assert decided.decision.next_on == day("2025-03-11")
    world.when("2025-03-11").silent().excluded("F", "within_tolerance_amount").withdraws("within_tolerance_amount")


def test_a_confirmed_call_goes_once_what_is_late_is_tolerated_and_a_confirmed_notice_stays():
    """A payment came in: what is left is 20, of 50 that are tolerated."""
    calls = (step("notice", 8, "phone"), step("R1", 8, "phone"))
    world = given(invoice("F", 100, "2025-03-10"), invoice("N", 500, "2025-03-26"), steps=calls)
    world.with_policy(tolerance_amount="50").when("2025-03-18").says(R1=(100, ["F"]), notice=(500, ["N"]))
    world.confirm_all("2025-03-18").on("2025-03-19", credit("P", 80, "2025-03-18"))
    later = world.when("2025-03-19").silent().withdraws("within_tolerance_amount").due("N")
    later.excluded("F", "within_tolerance_amount")


def test_a_client_may_have_a_tolerance_of_its_own():
    world = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY).with_policy(tolerance_days=10)
    world.with_own_policy("2025-03-01", tolerance_days=0, tolerance_amount="100")
    world.when("2025-03-18").silent().excluded("F", "within_tolerance_amount")
    world.with_own_policy("2025-03-19", tolerance_days=0)
    world.when("2025-03-19").says(R1=(100, ["F"]))
    world.with_own_policy("2025-03-20").when("2025-03-20").silent().withdraws("within_tolerance_days")


# Never reminded (rule 22.27)


def test_a_client_that_is_never_reminded_is_not_proposed_at_all():
    world = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY)
    world.when("2025-03-18").says(R1=(100, ["F"]))
    world.with_own_policy("2025-03-19", never=True)
    world.when("2025-03-19").silent().withdraws("never_reminded").no_step("F", "never_reminded")
    world.with_own_policy("2025-03-20").when("2025-03-20").says(R1=(100, ["F"]))


def test_a_client_may_follow_the_scenario_of_another_profile():
    world = given(invoice("F", 100, "2025-03-10"))
    assert world.book.state().profile is None
    world.with_own_policy("2025-03-01", profile="Export")
    assert world.book.state().profile == "Export"


# Delay between contacts (rules 22.7, 22.29)


def world_of_calls(*names: str) -> World:
    """One invoice that comes to R1 on the 18th of March and one on the 20th, five days between contacts."""
    world = given(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-12"), steps=CALLS)
    return world.with_policy(contact_gap_days=5)


def test_a_step_that_comes_too_soon_after_a_contact_is_put_off_with_its_date():
    world = world_of_calls()
    world.when("2025-03-18").says(R1=(100, ["F"])).carried_out()
    world.when("2025-03-20").silent().excluded("G", "contacted_recently", step="R1", until="2025-03-23")
    world.when("2025-03-22").silent().excluded("G", "contacted_recently", until="2025-03-23")
    world.when("2025-03-23").says(R1=(50, ["G"]))


def test_without_the_option_steps_follow_their_own_clock():
    world = world_of_calls().with_policy(contact_gap_days=0)
    world.when("2025-03-18").carried_out()
    world.when("2025-03-20").says(R1=(50, ["G"]))


def test_all_messages_of_one_round_are_one_contact():
    """Rules 22.7, 22.29: both are open from the same day; carrying out one leaves the other where it is."""
    world = given(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10"), steps=CALLS)
    world.with_policy(contact_gap_days=5).on("2025-03-01", at_level("G", "R1", "2025-03-10"))
    first = world.when("2025-03-18").says(R1=(100, ["F"]), R2=(50, ["G"]))
    one = next(action for action in first.decision.actions if action.step == "R1")
    world.carry_out_one("2025-03-19", one.action_id)
    world.when("2025-03-20").silent().withdraws().due("G")


def test_a_call_of_a_persons_own_accord_puts_off_what_is_proposed():
    world = world_of_calls()
    world.when("2025-03-18").says(R1=(100, ["F"]))
    world.called("2025-03-19")
    world.when("2025-03-19").silent().withdraws("contacted_recently")
    world.when("2025-03-23").silent().excluded("F", "contacted_recently", until="2025-03-24")
    world.when("2025-03-24").says(R1=(150, ["F", "G"]))


@pytest.mark.parametrize(("on", "free"), [("2025-03-18", False), ("2025-03-19", False), ("2025-03-20", True)])
def test_contacts_made_under_a_merged_code_count_for_the_code_that_stays(on, free):
    """Rules 22.7, 22.24: contacted on the 15th under the old code, free on the 20th, five days later."""
    contact = dunning.ContactTakenOver(contacted_on=day("2025-03-15"), round_on=day("2025-03-14"))
    taken = dunning.HistoryTakenOver(client_id=CLIENT, from_client_id="OLD", contacts=(contact,))
    world = world_of_calls().with_policy(contact_gap_days=5).on("2025-03-16", taken)
    assert bool(world.when(on).decision.actions) is free


def test_the_contact_of_a_merged_code_in_the_same_round_is_the_same_contact():
    """Rule 22.29: what one round proposed to both codes stays open when a part of it is carried out."""
    world = world_of_calls().with_policy(contact_gap_days=5)
    world.when("2025-03-18")
    contact = dunning.ContactTakenOver(contacted_on=day("2025-03-18"), round_on=day("2025-03-18"))
    world.on("2025-03-18", dunning.HistoryTakenOver(client_id=CLIENT, from_client_id="OLD", contacts=(contact,)))
    world.when("2025-03-18").silent().withdraws()


@pytest.mark.parametrize(
    ("on", "reasons", "until"),
    [
        ("2025-03-22", ("client_stopped", "contacted_recently"), "2025-03-23"),
        ("2025-03-23", ("client_stopped",), None),
        ("2025-03-24", ("client_stopped",), None),
    ],
)
def test_an_exclusion_has_a_day_for_the_sake_of_a_contact_only(on, reasons, until):
    """Rule 22.7: called on the 18th, free from the 23rd on; what else speaks against it has no such day."""
    world = world_of_calls().called("2025-03-18").on("2025-03-18", stopped())
    world.when(on).silent().excluded("F", *reasons, until=until)


def test_the_last_contact_counts():
    world = world_of_calls().called("2025-03-14").called("2025-03-16")
    world.when("2025-03-18").silent().excluded("F", "contacted_recently", until="2025-03-21")
    world.when("2025-03-21").says(R1=(150, ["F", "G"]))


# What may leave by itself (rules 2.6, 4.18, 21.8, 22.13, 22.28)


def test_an_automatic_step_is_proposed_to_a_person_until_somebody_switches_it_on():
    world = given(invoice("F", 100, "2025-03-10"), steps=AUTOMATIC)
    decided = world.when("2025-03-18").says(R1=(100, ["F"]))
    assert not decided.decision.actions[0].automatic
    world.with_policy(automatic_from="2025-01-01")
    switched_on = world.when("2025-03-19").says(R1=(100, ["F"])).withdraws("superseded")
    assert switched_on.decision.actions[0].automatic


@pytest.mark.parametrize(
    ("since", "automatic"), [("2025-03-09", True), ("2025-03-10", True), ("2025-03-11", False)]
)
def test_only_invoices_of_the_activation_day_or_later_leave_by_themselves(since, automatic):
    world = given(invoice("F", 100, "2025-03-10", invoice_date="2025-03-10"), steps=AUTOMATIC)
    decided = world.with_policy(automatic_from=since).when("2025-03-18").says(R1=(100, ["F"]))
    assert decided.decision.actions[0].automatic is automatic


def test_an_entry_is_opted_in_where_nothing_is_switched_on_and_out_where_it_is():
    world = given(invoice("F", 100, "2025-03-10"), steps=AUTOMATIC).chosen("2025-03-01", "F", True)
    assert world.when("2025-03-18").decision.actions[0].automatic
    world = given(invoice("F", 100, "2025-03-10"), steps=AUTOMATIC).with_policy(automatic_from="2025-01-01")
    world.chosen("2025-03-01", "F", False)
    assert not world.when("2025-03-18").decision.actions[0].automatic
    world.chosen("2025-03-19", "F", None)
    assert world.when("2025-03-19").withdraws("superseded").decision.actions[0].automatic


def test_one_invoice_that_may_not_has_the_whole_message_proposed():
    world = given(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10"), steps=AUTOMATIC)
    world.with_policy(automatic_from="2025-01-01").chosen("2025-03-01", "G", False)
    decided = world.when("2025-03-18").says(R1=(150, ["F", "G"]))
    assert not decided.decision.actions[0].automatic


def test_a_credit_has_no_say_in_what_leaves_by_itself():
    facts = (invoice("F", 100, "2025-03-10"), credit("A", 10, "2025-03-10", invoice_date="2024-01-01"))
    world = given(*facts, steps=AUTOMATIC).with_policy(automatic_from="2025-01-01")
    assert world.when("2025-03-18").says(R1=(90, ["A", "F"])).decision.actions[0].automatic


@pytest.mark.parametrize(("read", "leaves"), [("2025-03-18", True), ("2025-03-17", True), ("2025-03-16", False)])
def test_nothing_leaves_by_itself_on_stale_data(read, leaves):
    """Rule 2.6: 24 hours by default, by business dates."""
    world = given(invoice("F", 100, "2025-03-10"), steps=AUTOMATIC).with_policy(automatic_from="2025-01-01")
    decided = world.read_last(read).when("2025-03-18")
    if leaves:
        assert decided.says(R1=(100, ["F"])).decision.actions[0].automatic
    else:
        decided.silent().excluded("F", "stale_data", step="R1")
        assert decided.decision.next_on.isoformat() == "2025-03-19"
        world.read_last("2025-03-19").when("2025-03-19").says(R1=(100, ["F"]))


def test_a_company_that_was_never_read_sends_nothing_by_itself_and_the_window_may_be_wider():
    world = given(invoice("F", 100, "2025-03-10"), steps=AUTOMATIC).with_policy(automatic_from="2025-01-01")
    world.read_last(None).when("2025-03-18").silent().excluded("F", "stale_data")
    world.read_last("2025-03-16").with_policy(stale_after_days=3)
    world.when("2025-03-19").says(R1=(100, ["F"]))


def test_stale_data_holds_back_no_step_that_waits_for_a_person():
    world = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY).read_last(None)
    world.when("2025-03-18").says(R1=(100, ["F"]))


@pytest.mark.parametrize(("amount", "leaves"), [("4999.99", True), ("5000.00", True), ("5000.01", False)])
def test_above_the_maximum_an_automatic_message_is_held_for_a_person(amount, leaves):
    """Example 21.8."""
    world = given(invoice("F", amount, "2025-03-10"), steps=AUTOMATIC)
    world.with_policy(automatic_from="2025-01-01", maximum_per_reminder="5000")
    decided = world.when("2025-03-18")
    if leaves:
        assert decided.says(R1=(amount, ["F"])).decision.actions[0].automatic
        return
    decided.silent().excluded("F", "above_maximum")
    ticked = world.ticked_back("2025-03-18", "F")
    assert not ticked.automatic
    assert ticked.accepted_reasons == ("above_maximum",)
    world.when("2025-03-19").silent().withdraws().due("F")


# All the reasons, and ticking back (rules 8.15, 22.7)


def test_everything_that_holds_an_entry_back_is_named_at_once():
    world = given(
        invoice("F", 10, "2025-03-10"), credit("A", 90, "2025-06-30"), stopped(), disputed("F"), steps=AUTOMATIC
    )
    world.with_policy(
        disputes_exclude=True, minimum_per_entry="20", tolerance_days=30, tolerance_amount="50", contact_gap_days=5
    )
    world.called("2025-03-17").when("2025-03-18").silent().excluded(
        "F",
        "below_entry_minimum",
        "client_stopped",
        "creditor_client",
        "disputed",
        "within_tolerance_amount",
        "within_tolerance_days",
    )


def test_a_message_is_held_back_by_its_client_its_total_its_day_and_its_data():
    world = given(invoice("F", 10, "2025-03-10"), stopped(), steps=AUTOMATIC)
    world.with_policy(automatic_from="2025-01-01", minimum_per_reminder="50", contact_gap_days=5)
    world.called("2025-03-17").read_last(None).when("2025-03-18").silent().excluded(
        "F", "below_minimum", "client_stopped", "contacted_recently", "stale_data", until="2025-03-22"
    )


def test_a_person_may_remind_all_the_same_and_the_proposal_stands():
    """Rule 8.15: a client in credit, one contacted yesterday, one within tolerance."""
    world = given(invoice("F", 100, "2025-03-10"), credit("A", 900, "2025-06-30"), steps=R1_ONLY)
    world.with_policy(contact_gap_days=5, tolerance_days=30).called("2025-03-17")
    world.when("2025-03-18").silent()
    ticked = world.ticked_back("2025-03-18", "F")
    assert set(ticked.accepted_reasons) >= {"creditor_client", "within_tolerance_days"}
    world.called("2025-03-19").when("2025-03-19").silent().withdraws().due("F")


# Grouping switched at any time (rule 22.15)


def test_switching_the_grouping_withdraws_what_nobody_confirmed_and_keeps_what_somebody_did():
    world = given(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10"), steps=CALLS)
    world.on("2025-03-01", at_level("G", "R1", "2025-03-10"))
    world.when("2025-03-18").says(R1=(100, ["F"]), R2=(50, ["G"]))
    world.with_policy(mode="account")
    world.when("2025-03-19").says(R2=(150, ["F", "G"])).withdraws("mode_switched", "mode_switched")
    world.confirm_all("2025-03-19").with_policy(mode="item")
    world.when("2025-03-20").silent().withdraws().due("F", "G")


# After the last step


def test_the_end_is_said_once_for_each_stay_there():
    """Said again only once the level was lowered and the end is reached anew."""
    world = given(invoice("F", 100, "2025-03-10"), steps=CALLS)
    world.when("2025-03-18").carried_out()
    world.when("2025-03-26").carried_out()
    assert world.when("2025-03-27").no_step("F", "exhausted").ends == 1
    assert world.when("2025-03-28").no_step("F", "exhausted").ends == 0
    world.on("2025-03-28", at_level("F", "R2", "2025-03-28", before="R2"))
    assert world.when("2025-03-28").no_step("F", "exhausted").ends == 0, "set again to where it was"
    world.lettered("2025-03-29", "F").when("2025-03-29")
    world.lettered("2025-03-30", "F", code=None)
    assert world.when("2025-03-30").no_step("F", "exhausted").ends == 0
    world.under(*CALLS, previous("R3", 8, "phone")).when("2025-04-20").carried_out()
    assert world.when("2025-04-21").no_step("F", "exhausted").ends == 0
    world.under(*CALLS).on("2025-04-22", at_level("F", "R1", "2025-04-22", before="R3"))
    assert world.when("2025-04-22").waits("F", "R2", "2025-04-30").ends == 0
    world.when("2025-04-30").carried_out()
    assert world.when("2025-05-01").no_step("F", "exhausted").ends == 1
    assert world.when("2025-05-02").no_step("F", "exhausted").ends == 0
