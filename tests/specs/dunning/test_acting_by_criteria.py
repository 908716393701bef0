"""Rule 9.8: clients chosen by what they are, and what a message to each of them would speak of."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.dunning.domain.by_criteria import NO_EMAIL_ADDRESS, REMINDED_TODAY, Candidate, candidates
from services.dunning.domain.by_hand import Composed, Plans, compose, never_acceptable
from services.dunning.domain.policy import load
from tests.specs.dunning.given import (
    World,
    at_level,
    client,
    credit,
    day,
    entry_id,
    entry_stopped,
    given,
    given_without_scenario,
    invoice,
    promise,
    step,
    stopped,
)

TODAY = "2025-03-20"


def found(world: World, on: str = TODAY, medium: str = "email") -> list[Candidate]:
    return candidates(world.book.state(), load(world.policy), world.scenario, day(on), medium)


def only(world: World, on: str = TODAY, medium: str = "email") -> Candidate:
    (candidate,) = found(world, on, medium)
    return candidate


def spoken(candidate: Candidate) -> set[str]:
    return {entry.entry_id for entry in candidate.entries}


def acted(world: World, candidate: Candidate, medium: str = "email") -> Plans:
    composed = Composed(UUID(int=9), candidate.entries, "reminder", medium, by_criteria=True)
    return compose(world.book.state(), load(world.policy), world.scenario, day(TODAY), composed)


def test_what_is_late_is_spoken_of_whatever_day_its_step_comes_to():
    """Rule 9.8: late by a day is enough; what falls due today or later is not late."""
    world = given(
        invoice("late", 100, "2025-03-19"), invoice("today", 50, "2025-03-20"), invoice("ahead", 10, "2025-03-21")
    )
    candidate = only(world)
    assert spoken(candidate) == {entry_id("late")}
    assert (candidate.net_amount, candidate.days_late, candidate.level) == (1_000_000, 1, 0)
    assert candidate.reasons == ()


@pytest.mark.parametrize(("on", "days"), [("2025-03-10", None), ("2025-03-11", 1), ("2025-03-12", 2)])
def test_a_client_is_found_from_the_day_after_the_due_date(on, days):
    """Rule 9.8, eve, day, day after."""
    rows = found(given(invoice("F1", 100, "2025-03-10")), on)
    assert [row.days_late for row in rows] == ([] if days is None else [days])


def test_the_row_shows_the_highest_level_the_latest_reminder_and_the_oldest_delay():
    """Rules 5.2, 9.8."""
    world = given(
        invoice("F1", 100, "2025-01-10"),
        invoice("F2", 50, "2025-02-20"),
        at_level("F1", "R2", "2025-02-01"),
        at_level("F2", "R1", "2025-03-01"),
    )
    candidate = only(world)
    assert (candidate.level, candidate.reminded_on, candidate.days_late) == (2, day("2025-03-01"), 69)


def test_the_totals_count_as_in_a_scenario():
    """Rules 8.8, 8.12, 9.8: below the minimum or above the maximum is not ticked, equal to it is."""
    for minimum, maximum, reasons in (
        ("100.01", None, ("below_minimum",)),
        ("100", "100", ()),
        (None, "99.99", ("above_maximum",)),
    ):
        world = given(invoice("F1", 100, "2025-03-10")).with_policy(
            minimum_per_reminder=minimum, maximum_per_reminder=maximum
        )
        candidate = only(world)
        assert candidate.reasons == reasons
        assert candidate.can_include


def test_a_creditor_client_is_listed_unticked_or_not_at_all():
    """Rules 8.7, 9.8, 22.3."""
    world = given(invoice("F1", 100, "2025-03-10"), credit("A1", 300, "2025-06-10"))
    assert only(world).reasons == ("creditor_client",)
    assert found(world.with_policy(creditors_hidden=True)) == []


def test_a_stopped_client_stays_listed_and_may_be_ticked_back():
    """Rules 8.1, 8.15, 9.8."""
    candidate = only(given(invoice("F1", 100, "2025-03-10"), stopped()))
    assert (candidate.reasons, candidate.can_include) == (("client_stopped",), True)


def test_an_excluded_entry_is_left_out_of_the_message_and_the_others_go():
    """Rules 8.2, 8.5, 9.8."""
    world = given(
        invoice("F1", 100, "2025-03-10"),
        invoice("F2", 50, "2025-03-10"),
        invoice("F3", 20, "2025-03-10"),
        entry_stopped("F2"),
        promise("F3", "2025-03-25"),
    ).with_policy(promises_exclude=True)
    candidate = only(world)
    assert spoken(candidate) == {entry_id("F1")}
    assert {left.entry.entry_id: left.reasons for left in candidate.left_out} == {
        entry_id("F2"): ("entry_stopped",),
        entry_id("F3"): ("promise_ahead",),
    }
    assert (candidate.amount, candidate.net_amount) == (100_0000, 100_0000)
    assert candidate.reasons == ()


def test_where_every_entry_is_excluded_the_client_is_listed_with_their_reasons():
    """Rules 8.15, 9.8: ticked back, it speaks of those entries."""
    candidate = only(given(invoice("F1", 100, "2025-03-10"), entry_stopped("F1")))
    assert (candidate.reasons, candidate.can_include) == (("entry_stopped",), True)
    assert spoken(candidate) == {entry_id("F1")}


@pytest.mark.parametrize(("netting", "net"), [("same_level", 600_000), ("account", 600_000), ("none", 1_000_000)])
def test_late_credits_are_netted_as_the_policy_says(netting, net):
    """Rules 7.2, 9.8."""
    world = given(invoice("F1", 100, "2025-03-01"), credit("A1", 40, "2025-03-05")).with_policy(netting=netting)
    assert only(world).net_amount == net


def test_nothing_is_asked_for_where_credits_eat_up_the_debits():
    """Rules 9.8, 22.10: and nobody ticks it back."""
    world = given(
        invoice("F1", 100, "2025-03-01"), credit("A1", 100, "2025-03-05"), invoice("F2", 50, "2025-04-01")
    )
    candidate = only(world)
    assert "net_not_positive" in candidate.reasons
    assert not candidate.can_include


def test_one_message_speaks_of_one_currency():
    """Rules 9.8, 19.3."""
    world = given(
        invoice("F1", 100, "2025-03-01"), invoice("F2", 80, "2025-03-01", currency="USD", book_amount=75)
    )
    assert [(one.currency, spoken(one)) for one in found(world)] == [
        ("EUR", {entry_id("F1")}),
        ("USD", {entry_id("F2")}),
    ]


def test_what_was_reminded_today_is_not_reminded_again():
    """Rules 9.8, 22.11: never two reminders of one entry on one day; the day after it is free."""
    world = given(invoice("F1", 100, "2025-03-01"), at_level("F1", "R1", TODAY))
    candidate = only(world)
    assert (REMINDED_TODAY in candidate.reasons, candidate.can_include) == (True, False)
    assert (candidate.entries, candidate.amount, candidate.net_amount) == ((), 100_0000, 100_0000)
    tomorrow = str(day(TODAY) + timedelta(days=1))
    assert REMINDED_TODAY not in only(world, tomorrow).reasons


def test_a_client_without_an_address_gets_no_mail_but_may_be_called():
    """Rule 9.8."""
    world = given(client(email=False), invoice("F1", 100, "2025-03-01"))
    assert only(world).reasons == (NO_EMAIL_ADDRESS,)
    assert not only(world).can_include
    assert only(world, medium="phone").reasons == ()


def test_a_profile_without_a_scenario_is_left_to_a_person():
    """Rules 3.6, 8.9, 9.8: listed unticked; ticked back, the action stands in the history only."""
    world = given_without_scenario(invoice("F1", 100, "2025-03-01"))
    candidate = only(world)
    assert (candidate.reasons, candidate.can_include) == (("no_scenario",), True)
    assert not acted(world, candidate).action.counts


def test_what_is_done_is_what_was_shown_with_all_that_speaks_against_it():
    """Rule 9.8: the reasons come back from the plan, so that whatever is new refuses."""
    world = given(invoice("F1", 100, "2025-03-01"), stopped()).with_policy(minimum_per_reminder="500")
    candidate = only(world)
    planned = acted(world, candidate)
    assert planned.reasons == candidate.reasons == ("below_minimum", "client_stopped")
    assert planned.action.by_hand
    composed = Composed(UUID(int=9), candidate.entries, "reminder", "email", by_criteria=True)
    assert never_acceptable(planned.reasons, composed) == []
    assert never_acceptable(("client_stopped", REMINDED_TODAY), composed) == [REMINDED_TODAY]


@pytest.mark.parametrize(("medium", "reasons"), [("email", (NO_EMAIL_ADDRESS,)), ("letter", ()), ("phone", ())])
def test_who_has_no_address_is_written_no_mail_and_no_person_may_do_it_all_the_same(medium, reasons):
    """Rule 9.8: what is listed is what the action says."""
    world = given(invoice("F1", 100, "2025-03-01"), client(email=False))
    candidate = only(world, medium=medium)
    assert candidate.reasons == acted(world, candidate, medium).reasons == reasons
    composed = Composed(UUID(int=9), candidate.entries, "reminder", medium, by_criteria=True)
    assert never_acceptable(reasons, composed) == list(reasons)


def test_a_message_names_the_oldest_first_and_tells_debits_and_what_is_asked_for():
    younger, older = sorted(("F1", "F2"), key=entry_id)
    world = given(
        invoice(younger, 30, "2025-03-02"), credit("A1", 20, "2025-03-03"), invoice(older, 100, "2025-03-01")
    )
    candidate = only(world)
    assert [one.entry_id for one in candidate.entries] == [entry_id(older), entry_id(younger), entry_id("A1")]
    assert (candidate.amount, candidate.net_amount) == (130_0000, 110_0000)


def test_lines_about_nothing_find_no_client_and_are_not_spoken_of_alone():
    """Rules 9.8, 22.10."""
    assert found(given(invoice("Z", 0, "2025-03-01"))) == []
    world = given(invoice("Z", 0, "2025-01-01"), invoice("F1", 100, "2025-03-01"), entry_stopped("F1"))
    candidate = only(world)
    assert (candidate.days_late, candidate.amount) == (19, 100_0000)
    assert {left.entry.entry_id for left in candidate.left_out} == set()


# What lies in the entry and in the client (rules 8.1, 8.3, 8.7, 22.7, 22.26, 22.27)


@pytest.mark.parametrize(("on", "held"), [("2025-03-19", True), ("2025-03-20", True), ("2025-03-21", False)])
def test_an_invoice_within_its_days_of_tolerance_is_left_out(on, held):
    """Rule 22.26: ten days after the 10th of March, the last of them included; without tolerance, none."""
    world = given(invoice("F1", 100, "2025-03-10"), invoice("F2", 50, "2025-02-10")).with_policy(tolerance_days=10)
    candidate = only(world, on)
    assert spoken(candidate) == ({entry_id("F2")} if held else {entry_id("F1"), entry_id("F2")})
    assert [left.reasons for left in candidate.left_out] == ([("within_tolerance_days",)] if held else [])
    assert only(world.with_policy(tolerance_days=0), on).left_out == ()


def test_every_reason_of_an_entry_is_told_with_its_days_of_tolerance():
    world = given(invoice("F1", 100, "2025-03-10"), entry_stopped("F1")).with_policy(tolerance_days=10)
    assert only(world).reasons == ("entry_stopped", "within_tolerance_days")


def test_an_entry_that_pays_as_its_client_does_is_left_out_where_that_needs_nobody():
    """Rules 8.3, 14.3."""
    world = given(client(payment_mode="PRLV"), invoice("F1", 100, "2025-03-01"))
    assert only(world.with_policy(automatic_payment_modes=["PRLV"])).reasons == ("automatic_payment_mode",)


@pytest.mark.parametrize(("late", "held"), [("49.99", True), ("50.00", True), ("50.01", False)])
def test_a_client_whose_late_total_is_tolerated_is_not_ticked(late, held):
    """Rule 22.26: what falls due today is not late."""
    world = given(invoice("F1", late, "2025-03-01"), invoice("F2", 900, TODAY)).with_policy(tolerance_amount="50")
    assert only(world).reasons == (("within_tolerance_amount",) if held else ())


@pytest.mark.parametrize(("on", "held"), [("2025-03-19", True), ("2025-03-20", False), ("2025-03-21", False)])
def test_a_stop_holds_a_client_back_until_the_day_it_ends(on, held):
    """Rules 8.1, 22.20."""
    world = given(invoice("F1", 100, "2025-03-01"), stopped("2025-03-20"))
    assert only(world, on).reasons == (("client_stopped",) if held else ())


def test_credits_that_are_left_out_until_they_are_due_make_nobody_a_creditor_before():
    """Rule 7.5: due on the 20th, they count from the 21st."""
    world = given(invoice("F1", 100, "2025-03-01"), credit("A1", 300, TODAY))
    world.with_policy(upcoming_credits_excluded=True)
    assert only(world).reasons == ()
    assert "creditor_client" in only(world, "2025-03-21").reasons


def test_a_client_that_is_never_reminded_is_not_ticked():
    """Rule 22.27."""
    world = given(invoice("F1", 100, "2025-03-01")).with_own_policy("2025-03-01", never=True)
    assert only(world).reasons == ("never_reminded",)


@pytest.mark.parametrize(
    ("email", "flags", "reasons"),
    [
        (True, {"with_email_enabled": False}, ("variant_off",)),
        (True, {"without_email_enabled": False}, ()),
        (False, {"without_email_enabled": False}, ("variant_off",)),
        (False, {"with_email_enabled": False}, ()),
    ],
)
def test_a_client_whose_variant_is_switched_off_is_not_ticked(email, flags, reasons):
    """Rules 4.1, 4.2."""
    world = given(client(email=email), invoice("F1", 100, "2025-03-01")).under(step("R1", 8), **flags)
    assert only(world, medium="phone").reasons == reasons


@pytest.mark.parametrize(
    ("called", "until"), [("2025-03-15", None), ("2025-03-16", "2025-03-21"), ("2025-03-20", "2025-03-25")]
)
def test_a_client_contacted_within_the_days_between_two_contacts_is_not_ticked(called, until):
    """Rule 22.7: five days; the day on which they are over is told."""
    world = given(invoice("F1", 100, "2025-03-01")).with_policy(contact_gap_days=5).called(called)
    candidate = only(world)
    assert candidate.until == (None if until is None else day(until))
    assert candidate.reasons == (() if until is None else ("contacted_recently",))


@pytest.mark.parametrize(("called", "until"), [("2025-03-19", None), (TODAY, "2025-03-21")])
def test_one_contact_a_day_is_enough_whatever_the_policy(called, until):
    candidate = only(given(invoice("F1", 100, "2025-03-01")).called(called))
    assert candidate.until == (None if until is None else day(until))
    assert candidate.reasons == (() if until is None else ("contacted_recently",))


def test_what_is_about_to_leave_is_not_said_twice():
    """Rule 9.8: confirmed, it is on its way; proposed only, it is not."""
    world = given(invoice("F1", 100, "2025-03-12"), steps=[step("R1", 8, "phone")])
    world.when(TODAY)
    assert only(world).reasons == ()
    world.confirm_all(TODAY)
    assert only(world).reasons == (REMINDED_TODAY,)
