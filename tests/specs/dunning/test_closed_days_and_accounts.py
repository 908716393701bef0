"""Rules 4.16, 6.2 to 6.6, 7.2, 12.4, 22.7, 22.11, 22.14, 22.26: what waits, for which day, and beside what."""

import pytest

from contracts import dunning
from contracts.dunning import SendingCalendar
from services.dunning.domain import sayings
from services.dunning.domain.verdicts import Due, Excluded, NotDue
from tests.specs.dunning.given import (
    CLIENT,
    World,
    at_level,
    chosen_next,
    credit,
    day,
    disputed,
    entry_id,
    entry_stopped,
    given,
    given_without_scenario,
    invoice,
    previous,
    scenario,
    step,
    stopped,
)
from tests.specs.dunning.test_thank_you import announced, payment, thankful, thanks

WORKDAYS = SendingCalendar(weekdays=(1, 2, 3, 4, 5)).model_dump()
R1_ONLY = (step("R1", 8),)
LADDER = (step("R1", 8), step("R2", 16), step("R3", 24))


# Closed days keep what a person was asked, less what was paid since (rule 4.16)
# The 4th and 5th of April 2026 are a weekend.


def asked_on_friday(*more: object, **policy: object) -> World:
    facts = (invoice("F", 100, "2026-03-26"), invoice("G", 40, "2026-03-26"))
    world = given(*facts, *more, on="2026-03-01", steps=R1_ONLY)  # type: ignore[arg-type]
    world.with_policy(calendar=WORKDAYS, **policy)
    world.when("2026-04-03").says(R1=(140, ["F", "G"]))
    return world


def test_what_was_asked_on_friday_is_still_asked_on_saturday():
    world = asked_on_friday()
    saturday = world.when("2026-04-04").silent().withdraws().due("F", "G")
    (held,) = world.book.actions
    assert saturday.verdict("F") == Due("R1", held)


def test_on_a_closed_day_the_proposal_shrinks_by_what_was_paid():
    world = asked_on_friday().changed("2026-04-04", "G", removed=True)
    saturday = world.when("2026-04-04").says(R1=(100, ["F"]))
    assert [one.reason for one in saturday.decision.withdrawals] == ["superseded"]
    (planned,) = saturday.decision.actions
    assert saturday.verdict("F") == Due("R1", planned.action_id)
    assert planned.entries[0].level_after == 1


def test_on_a_closed_day_what_is_left_may_be_too_little():
    world = asked_on_friday(minimum_per_reminder="50").changed("2026-04-04", "F", removed=True)
    saturday = world.when("2026-04-04").silent().withdraws("below_minimum")
    assert saturday.verdict("G") == Excluded("R1", ("below_minimum",))


def test_on_a_closed_day_what_is_new_waits_for_the_next_open_one_beside_what_was_asked():
    world = asked_on_friday().on("2026-04-04", invoice("H", 7, "2026-03-25"))
    saturday = world.when("2026-04-04").silent().withdraws().due("F", "G").waits("H", "R1", "2026-04-06")
    assert saturday.decision.next_on == day("2026-04-06")
    world.when("2026-04-06").says(R1=(147, ["F", "G", "H"])).withdraws("superseded")


def test_a_proposal_in_another_currency_does_not_open_the_day():
    world = asked_on_friday().on("2026-04-04", invoice("U", 9, "2026-03-25", currency="USD", book_amount=8))
    world.when("2026-04-04").silent().withdraws().due("F").waits("U", "R1", "2026-04-06")


def test_an_account_of_followers_shrinks_on_a_closed_day_as_the_account_does():
    """Rule 6.4: G came along with the R2 of F and goes one step on."""
    world = given(invoice("F", 100, "2026-03-18"), invoice("G", 40, "2026-03-30"), invoice("H", 1, "2026-03-30"))
    world.under(*LADDER).with_policy(calendar=WORKDAYS, mode="account")
    world.on("2026-03-26", at_level("F", "R1", "2026-03-26"))
    world.when("2026-04-03").says(R2=(141, ["F", "G", "H"]))
    (planned,) = world.changed("2026-04-04", "H", removed=True).when("2026-04-04").decision.actions
    assert {entry.entry_id: entry.level_after for entry in planned.entries} == {entry_id("F"): 2, entry_id("G"): 1}


# The account (rules 6.2 to 6.6)


def test_an_account_of_two_currencies_is_two_messages_each_with_its_own_day():
    facts = (
        invoice("E", 100, "2025-03-20"),
        invoice("F", 50, "2025-03-10", currency="GBP", book_amount=60),
        invoice("U", 40, "2025-03-10", currency="USD", book_amount=36),
    )
    world = given(*facts, steps=LADDER).with_policy(mode="account")
    decided = world.when("2025-03-21").waits("E", "R1", "2025-03-28")
    assert {action.currency for action in decided.decision.actions} == {"GBP", "USD"}
    assert decided.due("F", "U").decision.next_on == day("2025-03-28")


def test_an_account_that_waits_waits_for_the_first_day_of_its_highest_entries():
    facts = (invoice("F", 100, "2025-03-12"), invoice("G", 50, "2025-03-10"), invoice("H", 1, "2025-03-11"))
    world = given(*facts, steps=LADDER).with_policy(mode="account")
    decided = world.when("2025-03-13")
    for name in ("F", "G", "H"):
        decided.waits(name, "R1", "2025-03-18")


def test_the_highest_step_that_is_due_is_the_step_of_the_account():
    """F may pass over R2, which fell due too: both are at R1 of the level."""
    steps = (step("R1", 8), step("R2", 16, ignorable=True), step("R3", 24))
    world = given(invoice("F", 100, "2025-03-01"), invoice("G", 50, "2025-03-10"), steps=steps)
    world.with_policy(mode="account")
    world.on("2025-03-09", at_level("F", "R1", "2025-03-09"), at_level("G", "R1", "2025-03-18"))
    world.when("2025-03-26").says(R3=(150, ["F", "G"]))


def test_entries_below_the_highest_level_do_not_lead():
    world = given(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-01"), steps=LADDER)
    world.with_policy(mode="account").on("2025-03-18", at_level("F", "R1", "2025-03-18"))
    world.when("2025-03-20").silent().waits("F", "R2", "2025-03-26").waits("G", "R2", "2025-03-26")


def test_who_was_reminded_today_waits_for_the_next_open_day_while_the_others_are_reminded():
    """Friday the 3rd of April 2026: F was reminded today, G comes to the same step."""
    steps = (step("R1", 8), step("R2", 9))
    world = given(invoice("F", 100, "2026-03-25"), invoice("G", 40, "2026-03-25"), on="2026-03-01", steps=steps)
    world.with_policy(mode="account")
    world.on("2026-04-03", at_level("F", "R1", "2026-04-03"), at_level("G", "R1", "2026-04-02"))
    today = world.when("2026-04-03")
    assert today.verdict("F") == NotDue("R2", day("2026-04-04"))
    assert today.says(R2=(40, ["G"])).decision.next_on == day("2026-04-04")
    closed = given(invoice("F", 100, "2026-03-25"), invoice("G", 40, "2026-03-25"), on="2026-03-01", steps=steps)
    closed.with_policy(mode="account", calendar=WORKDAYS)
    closed.on("2026-04-03", at_level("F", "R1", "2026-04-03"), at_level("G", "R1", "2026-04-02"))
    assert closed.when("2026-04-03").verdict("F") == NotDue("R2", day("2026-04-06"))


def test_an_account_with_no_step_left_says_whether_there_ever_was_one():
    world = given(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-11"), steps=R1_ONLY)
    world.with_policy(mode="account").when("2025-03-18").carried_out()
    world.when("2025-03-19").no_step("F", "exhausted").no_step("G", "exhausted")
    facts = (credit("A", 5, "2025-03-10"), credit("B", 5, "2025-03-11", currency="USD", book_amount=-4))
    lone = given(*facts, invoice("U", 50, "2025-03-01", currency="USD", book_amount=45), steps=R1_ONLY)
    lone.with_policy(mode="account")
    lone.when("2025-03-12").no_step("A", "no_step").says(R1=(45, ["B", "U"]))


def test_a_barred_entry_is_excluded_beside_the_message_of_its_currency_only():
    facts = (
        invoice("F", 100, "2025-03-10"),
        invoice("G", 50, "2025-03-10"),
        invoice("U", 40, "2025-03-16", currency="USD", book_amount=36),
    )
    world = given(*facts, disputed("G"), disputed("U"), steps=R1_ONLY)
    world.with_policy(mode="account", disputes_exclude=True)
    decided = world.when("2025-03-18").says(R1=(100, ["F"])).excluded("G", "disputed", step="R1")
    decided.waits("U", "R1", "2025-03-24")


# Netting by item (rules 7.2, 22.14)


def test_every_overdue_credit_goes_to_the_highest_message_of_its_currency():
    facts = (
        invoice("F", 300, "2025-02-20"),
        credit("A", 10, "2025-03-01"),
        credit("B", 20, "2025-03-10"),
        invoice("U", 80, "2025-02-20", currency="USD", book_amount=72),
        credit("V", 5, "2025-03-01", currency="USD", book_amount=-4),
    )
    world = given(*facts, steps=LADDER).with_policy(netting="account")
    world.on("2025-02-28", at_level("F", "R2", "2025-03-08"))
    decided = world.when("2025-03-18")
    assert {
        (action.step, action.currency, action.net_amount // 10_000, len(action.entries))
        for action in decided.decision.actions
    } == {("R3", "EUR", 270, 3), ("R1", "USD", 75, 2)}


@pytest.mark.parametrize("amount", [30, 0])
def test_a_credit_moves_to_the_highest_message_from_the_day_after_its_due_date(amount):
    """A credit that counts from its invoice date comes to R1 before it is due; so does a line about nothing."""
    steps = (step("R1", 8, counted_from="invoice_date"), previous("R2", 8))
    facts = (
        invoice("F", 100, "2025-03-01", invoice_date="2025-02-01"),
        credit("A", amount, "2025-03-10", invoice_date="2025-03-01"),
    )
    world = given(*facts, steps=steps).with_policy(netting="account")
    world.on("2025-02-10", at_level("F", "R1", "2025-03-01"))
    assert world.when("2025-03-10").says(R2=(100, ["F"])).decision.next_on == day("2025-03-11")
    world.when("2025-03-11").says(R2=(100 - amount, ["A", "F"])).withdraws("superseded")


def test_the_account_is_looked_at_again_when_a_line_falls_late_and_not_when_the_stop_of_one_ends_before():
    """Rules 6.6, 8.2: F falls due on the 20th of March; its stop ends on the 12th."""
    world = given(invoice("F", 100, "2025-03-20"), entry_stopped("F", "2025-03-12"), steps=LADDER)
    world.with_policy(mode="account")
    for on in ("2025-03-10", "2025-03-19", "2025-03-20"):
        assert world.when(on).silent().waits("F", "R1", "2025-03-28").decision.next_on == day("2025-03-21"), on
    item = given(invoice("F", 100, "2025-03-10"), entry_stopped("F", "2025-03-15"), steps=LADDER)
    assert item.when("2025-03-12").silent().waits("F", "R1", "2025-03-18").decision.next_on == day("2025-03-18")


def test_what_is_held_back_for_its_own_reasons_wakes_when_its_step_gives_way_to_the_next():
    """Rules 4.9, 8.17: R2 is due on the 26th of March, R3, to which it gives way, ten days later."""
    steps = (step("R1", 8), previous("R2", 8, "phone", ignorable=True), previous("R3", 10))
    world = given(invoice("F", 100, "2025-03-10"), at_level("F", "R1", "2025-03-18"), disputed("F"), steps=steps)
    world.with_policy(disputes_exclude=True)
    for on, name, wakes in (
        ("2025-04-04", "R2", day("2025-04-05")),
        ("2025-04-05", "R3", None),
        ("2025-04-06", "R3", None),
    ):
        held = world.when(on).silent().excluded("F", "disputed", step=name)
        assert held.decision.sleeping == {entry_id("F"): wakes}


def test_credits_beside_a_notice_stay_where_they_are():
    """A notice is no message to net with: level 0 is never the highest."""
    world = given(
        invoice("F", 100, "2025-03-20"), credit("A", 30, "2025-03-01"), steps=(step("notice", 8), *LADDER)
    )
    world.with_policy(netting="account")
    decided = world.when("2025-03-12").says(notice=(100, ["F"]))
    decided.excluded("A", "net_not_positive", step="R1")


def test_a_credit_waits_where_a_debit_comes_and_goes_on_where_none_does():
    world = given(credit("A", 50, "2025-03-01"), invoice("F", 100, "2025-06-01"), steps=LADDER)
    world.when("2025-03-09").excluded("A", "net_not_positive", step="R1")
    alone = given(credit("A", 50, "2025-03-01"), steps=LADDER)
    moved = alone.when("2025-03-09").waits("A", "R2", "2025-03-17")
    assert moved.decision.next_on == day("2025-03-17")
    last = given(credit("A", 50, "2025-03-01"), steps=R1_ONLY)
    last.when("2025-03-09").no_step("A", "exhausted")


def test_a_stopped_clients_credit_names_its_step():
    world = given(credit("A", 50, "2025-03-01"), stopped(), steps=LADDER)
    world.when("2025-03-09").excluded("A", "client_stopped", "net_not_positive", step="R1")


# Tolerance of amounts holds no notice (rule 22.26)


def test_a_late_total_within_tolerance_holds_reminders_and_no_notice():
    facts = (invoice("F", 100, "2025-03-10"), invoice("G", 900, "2025-03-26"))
    world = given(*facts, steps=(step("notice", 8), *LADDER)).with_policy(tolerance_amount="200")
    world.when("2025-03-18").says(notice=(900, ["G"])).excluded("F", "within_tolerance_amount")
    world.when("2025-03-19").silent().withdraws().due("G")


def test_a_notice_that_was_ticked_back_stands_whatever_reminders_tolerate():
    world = given(invoice("G", 900, "2025-03-26"), stopped(), steps=(step("notice", 8), *LADDER))
    world.with_policy(tolerance_amount="2000").when("2025-03-18").excluded("G", "client_stopped", step="notice")
    world.ticked_back("2025-03-18", "G")
    world.when("2025-03-19").silent().withdraws().due("G")


# Thank-yous beside one another (rules 12, 22.7)


def two_payments(**policy: object) -> World:
    world = thankful(thanks())
    world.with_policy(**policy)
    world.on("2025-04-01", invoice("G", 40, "2025-04-21"), invoice("H", 30, "2025-04-22"))
    world.on("2025-05-02", payment("P", 100, "2025-05-02"), payment("Q", 40, "2025-05-03"))
    world.lettered("2025-05-04", "F", "P", code="A").lettered("2025-05-04", "G", "Q", code="B")
    world.on("2025-05-04", announced("2025-05-02", ["P"], ["F"], "A"))
    return world.on("2025-05-04", announced("2025-05-03", ["Q"], ["G"], "B"))


def test_a_payment_that_waits_does_not_keep_another_from_its_thanks():
    world = two_payments()
    first = world.when("2025-05-05").says(thanks=(100, ["F", "P"]))
    assert first.decision.next_on == day("2025-05-06")
    world.when("2025-05-06").says(thanks=(40, ["G", "Q"]))


def test_of_two_payments_the_one_that_waits_or_has_lapsed_keeps_no_other_from_its_thanks_in_whatever_order():
    """Rule 12.3: P, of the 2nd of May, from the 5th to the 4th of June; Q a day later; Q is heard of first."""
    world = thankful(thanks()).on("2025-04-01", invoice("G", 40, "2025-04-21"))
    world.on("2025-05-02", payment("P", 100, "2025-05-02"), payment("Q", 40, "2025-05-03"))
    world.lettered("2025-05-04", "F", "P", code="A").lettered("2025-05-04", "G", "Q", code="B")
    world.on("2025-05-04", announced("2025-05-03", ["Q"], ["G"], "B"), announced("2025-05-02", ["P"], ["F"], "A"))
    world.when("2025-05-05").says(thanks=(100, ["F", "P"]))
    two_payments().when("2025-06-05").says(thanks=(40, ["G", "Q"]))


def test_a_thank_you_made_automatic_does_not_wait_for_a_person_any_more():
    """Rule 22.13."""
    world = two_payments()
    world.when("2025-05-05").says(thanks=(100, ["F", "P"]))
    automatic = scenario(thanks(mode="automatic"), without=[step("R1", 8, "letter")])
    world.published = automatic.model_copy(update={"thanks_since": day("2025-01-01")})
    world.with_policy(automatic_from="2025-01-01")
    (action,) = world.when("2025-05-05").withdraws("superseded").decision.actions
    assert action.automatic


def test_a_payment_lettered_on_a_closed_day_is_thanked_on_the_next_open_one():
    """Rule 4.16: due on Thursday the 8th of May, heard of on Saturday."""
    world = thankful(thanks()).with_policy(calendar=WORKDAYS)
    world.on("2025-05-05", payment("P", 100, "2025-05-05")).lettered("2025-05-10", "F", "P")
    world.on("2025-05-10", announced("2025-05-05", ["P"], ["F"]))
    assert world.when("2025-05-10").silent().decision.next_on == day("2025-05-12")
    world.when("2025-05-12").says(thanks=(100, ["F", "P"]))


def test_a_reminder_of_the_same_round_puts_off_no_thank_you():
    """Rule 22.29: the payment is heard of after the reminder of that day was made."""
    world = thankful(step("R1", 8, "phone"), thanks()).with_policy(contact_gap_days=5)
    world.on("2025-04-01", invoice("G", 40, "2025-04-27"))
    world.on("2025-05-02", payment("P", 100, "2025-05-02")).lettered("2025-05-04", "F", "P")
    world.when("2025-05-05").says(R1=(40, ["G"])).carried_out()
    world.on("2025-05-05", announced("2025-05-02", ["P"], ["F"]))
    world.when("2025-05-05").says(thanks=(100, ["F", "P"]))


def test_a_thank_you_that_was_confirmed_is_not_said_again_and_keeps_no_other_from_being_said():
    world = two_payments()
    world.when("2025-05-05").confirmed()
    world.when("2025-05-06").says(thanks=(40, ["G", "Q"])).withdraws()
    world.when("2025-05-07").silent().withdraws()


@pytest.mark.parametrize(("on", "thanked"), [("2025-05-06", False), ("2025-05-07", True)])
def test_a_thank_you_waits_for_the_days_between_contacts(on, thanked):
    world = two_payments(contact_gap_days=5).called("2025-05-02")
    decided = world.when(on)
    assert bool(decided.decision.actions) == thanked
    if not thanked:
        assert decided.decision.next_on == day("2025-05-07")


def test_a_proposal_is_withdrawn_on_the_day_after_its_last():
    """Rule 12.3: paid on the 2nd of May, thanked until the 4th of June."""
    world = thankful(thanks())
    world.on("2025-05-02", payment("P", 100, "2025-05-02")).lettered("2025-05-04", "F", "P")
    world.on("2025-05-04", announced("2025-05-02", ["P"], ["F"]))
    world.when("2025-05-05").says(thanks=(100, ["F", "P"]))
    assert world.when("2025-06-04").withdraws().decision.next_on == day("2025-06-05")
    world.when("2025-06-05").withdraws("thanks_lapsed")


def test_another_medium_or_template_is_another_thank_you():
    world = two_payments()
    world.when("2025-05-05")
    for other in (step("thanks", 3, "letter", "payment_date"), thanks(template="warm")):
        changed = scenario(other, without=[step("R1", 8, "letter")])
        world.published = changed.model_copy(update={"thanks_since": day("2025-01-01")})
        assert len(world.when("2025-05-05").withdraws("superseded").decision.actions) == 1


# What is said of exclusions (rule 8.17)


def test_exclusions_are_said_when_they_change_and_when_they_end():
    held, other = Excluded("R1", ("client_stopped",)), Excluded("R1", ("disputed",), day("2025-04-01"))
    verdicts = {"b" * 32: held, "a" * 32: other, "c" * 32: NotDue("R1", day("2025-03-18"))}
    changed = sayings.changed_exclusions(verdicts, {"b" * 32: held, "c" * 32: held, "d" * 32: other})
    assert [(one.entry_id[0], one.step, one.reasons, one.until) for one in changed] == [
        ("a", "R1", ("disputed",), day("2025-04-01")),
        ("c", "R1", (), None),
        ("d", "R1", (), None),
    ]
    assert sayings.changed_exclusions({"b" * 32: held}, {"b" * 32: held}) == []
    due, second = NotDue("R1", day("2025-03-18")), Excluded("R2", ("disputed",))
    never_said = sayings.changed_exclusions({"b" * 32: held, "a" * 32: second, "e" * 32: due}, {"b" * 32: other})
    assert [(one.entry_id[0], one.step) for one in never_said] == [("a", "R2"), ("b", "R1")]
    assert sayings.changed_exclusions({}, {}) == []
    later = Excluded("R1", ("client_stopped",), day("2025-04-01"))
    assert len(sayings.changed_exclusions({"b" * 32: later}, {"b" * 32: held})) == 1


def test_what_is_said_of_exclusions_is_what_their_contract_reads():
    changed = [
        sayings.Change("a" * 32, "R1", ("contacted_recently", "disputed"), day("2025-04-01")),
        sayings.Change("b" * 32, "R2", (), None),
    ]
    said = sayings.excluded(CLIENT, changed)
    assert isinstance(said, dunning.ActionExcluded)
    assert dunning.ActionExcluded.model_validate_json(said.model_dump_json()) == said
    assert said.client_id == CLIENT
    assert [(one.entry_id, one.step, one.reasons, one.until) for one in said.entries] == changed


def test_on_a_closed_day_what_was_asked_is_measured_without_what_is_new():
    """G alone is below the minimum, with H it would not be: H was asked of nobody yet."""
    world = asked_on_friday(minimum_per_reminder="50").changed("2026-04-04", "F", removed=True)
    world.on("2026-04-04", invoice("H", 20, "2026-03-25"))
    saturday = world.when("2026-04-04").silent().waits("H", "R1", "2026-04-06").withdraws("below_minimum")
    assert saturday.verdict("G") == Excluded("R1", ("below_minimum",))
    world.when("2026-04-06").says(R1=(60, ["G", "H"]))


def test_on_a_closed_day_what_was_asked_is_kept_under_its_own_name():
    world = asked_on_friday().on("2026-04-04", invoice("H", 7, "2026-03-25"))
    (held,) = world.book.actions
    assert world.when("2026-04-04").verdict("F") == Due("R1", held)


def test_a_proposal_of_another_step_does_not_open_the_day():
    """R2 was asked on Friday for G; F, long due for R1, is heard of on Saturday."""
    world = given(invoice("G", 40, "2026-03-18"), on="2026-03-01", steps=LADDER)
    world.with_policy(calendar=WORKDAYS).on("2026-03-26", at_level("G", "R1", "2026-03-26"))
    world.when("2026-04-03").says(R2=(40, ["G"]))
    saturday = world.on("2026-04-04", invoice("F", 100, "2026-03-25")).when("2026-04-04")
    saturday.silent().withdraws().due("G").waits("F", "R1", "2026-04-06")


def test_what_was_asked_at_another_step_or_in_another_currency_waits_for_the_open_day():
    """A person had R1 come next for F; accounting changed the currency of G."""
    world = given(invoice("F", 100, "2026-03-18"), invoice("G", 40, "2026-03-18"), on="2026-03-01", steps=LADDER)
    world.with_policy(calendar=WORKDAYS).on("2026-03-26", at_level("F", "R1", "2026-03-26"))
    world.when("2026-04-03").says(R1=(40, ["G"]), R2=(100, ["F"]))
    world.on("2026-04-04", chosen_next("F", "R1", "2026-04-03", reminded_on="2026-03-26"))
    world.changed("2026-04-04", "G", currency="USD")
    saturday = world.when("2026-04-04").silent().withdraws("superseded", "superseded")
    saturday.waits("F", "R1", "2026-04-06").waits("G", "R1", "2026-04-06")


def test_a_step_made_automatic_over_the_weekend_asks_nobody_any_more_and_leaves_on_the_open_day():
    """Rules 4.20, 22.13: asked on Friday; on Saturday nothing leaves by itself."""
    world = asked_on_friday().under(step("R1", 8, mode="automatic")).with_policy(automatic_from="2026-01-01")
    saturday = world.when("2026-04-04").silent().withdraws("superseded")
    saturday.waits("F", "R1", "2026-04-06").waits("G", "R1", "2026-04-06")
    (action,) = world.when("2026-04-06").says(R1=(140, ["F", "G"])).decision.actions
    assert action.automatic


def test_a_confirmed_reminder_keeps_no_payment_from_its_thanks():
    world = thankful(step("R1", 8), thanks())
    world.on("2025-04-28", invoice("G", 40, "2025-04-20"))
    world.when("2025-04-28").confirmed()
    world.on("2025-05-02", payment("P", 100, "2025-05-02")).lettered("2025-05-04", "F", "P")
    world.on("2025-05-04", announced("2025-05-02", ["P"], ["F"]))
    world.when("2025-05-05").says(thanks=(100, ["F", "P"]))


def test_what_was_proposed_to_a_client_who_was_stopped_and_is_never_reminded_tells_the_stop():
    """Rules 8.1, 22.27: all that speaks against the client counts, the first by its name is told."""
    world = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY)
    world.when("2025-03-18").says(R1=(100, ["F"]))
    world.on("2025-03-19", stopped()).with_own_policy("2025-03-19", never=True)
    world.when("2025-03-19").silent().withdraws("client_stopped").no_step("F", "never_reminded")


def test_in_the_account_a_step_that_comes_before_the_due_date_waits_for_the_day_after_it():
    """Rules 4.8, 6.6: R1 eight days after the invoice of the first of March, due on the twentieth."""
    steps = (step("R1", 8, counted_from="invoice_date"),)
    world = given(invoice("F", 100, "2025-03-20", invoice_date="2025-03-01"), steps=steps)
    world.with_policy(mode="account")
    world.when("2025-03-10").silent().waits("F", "R1", "2025-03-21")
    world.when("2025-03-20").silent().waits("F", "R1", "2025-03-21")
    world.when("2025-03-21").says(R1=(100, ["F"]))


def test_what_bars_a_line_from_the_account_is_told_with_what_speaks_against_its_client():
    """Rules 6.2, 8.1: all the reasons of each."""
    facts = (invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10"), disputed("G"), stopped())
    world = given(*facts, steps=R1_ONLY).with_policy(mode="account", disputes_exclude=True)
    decided = world.when("2025-03-18").silent().excluded("F", "client_stopped", step="R1")
    decided.excluded("G", "client_stopped", "disputed", step="R1")


def test_where_no_scenario_applies_a_decision_names_no_version():
    """Rule 3.6."""
    without = (
        given_without_scenario(invoice("F", 100, "2025-03-10")).when("2025-03-18").no_step("F", "no_scenario")
    )
    assert without.decision.scenario_version == 0
    assert given(invoice("F", 100, "2025-03-10")).when("2025-03-18").decision.scenario_version == 1
