"""Rules 3.6, 5.6, 8.15, 8.17, 12: what is refused names its reason; what another version said is still told."""

from uuid import UUID

import pytest

from services.dunning.domain.by_hand import EntriesUnknown, ReasonsNotAccepted
from services.dunning.domain.calendar import holidays_between
from services.dunning.domain.explain import explain_reason
from services.dunning.domain.levels import LevelRefused, choices, chosen, plan_of, reached
from services.dunning.domain.scenario import load
from services.dunning.domain.state import HeldEntry, OpenAction, PaidGroup, PaidLine
from services.dunning.domain.thanks import thanks_stand
from tests.specs.dunning.given import at_level, day, given, invoice, scenario, step

TODAY = day("2025-03-20")


def test_refusals_of_what_a_person_composed_hold_what_they_are_about():
    assert EntriesUnknown(("a", "b")).entry_ids == ["a", "b"]
    assert ReasonsNotAccepted(("client_stopped",)).reasons == ["client_stopped"]


def test_a_reason_that_another_version_of_the_engine_said_is_told_in_plain_words():
    told = explain_reason("waits_for_rain")
    assert (told.code, told.rule, told.text) == ("waits_for_rain", "8.17", "Waits for rain.")
    assert explain_reason("waits_for_rain", "fr").text == "Waits for rain."


# The next step chosen by a person (rules 3.6, 5.6)


def two_variants(**flags: bool):
    return load(scenario(step("R2", 8), without=[step("R1", 8, "letter"), step("R3", 9, "letter")], **flags))


def test_the_steps_that_may_come_next_are_those_of_the_variant():
    assert choices(two_variants(), True) == ("R2",)
    assert choices(two_variants(), False) == ("R1", "R3")
    assert choices(two_variants(with_email_enabled=False), True) == ()
    assert choices(None, True) == ()


def test_without_a_scenario_or_its_variant_no_level_changes():
    assert plan_of(two_variants(), False).after[0][0].name == "R1"
    for found, has_email, reason in (
        (None, True, "no_scenario"),
        (two_variants(with_email_enabled=False), True, "variant_off"),
    ):
        with pytest.raises(LevelRefused, match=reason) as refused:
            plan_of(found, has_email)
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("reminded_on", "refused"), [("2025-03-19", False), ("2025-03-20", False), ("2025-03-21", True)]
)
def test_a_reminder_of_another_tool_was_today_at_the_latest(reminded_on, refused):
    world = given(invoice("F", 100, "2025-03-10"), at_level("F", "R1", "2025-03-18"))
    (entry,) = world.book.state().entries
    assert world.scenario is not None
    plan = world.scenario.plan(True)
    assert plan is not None
    if refused:
        with pytest.raises(LevelRefused, match="reminded_later"):
            reached(entry, plan, TODAY, 2, day(reminded_on))
        return
    move = reached(entry, plan, TODAY, 2, day(reminded_on))
    assert move is not None
    assert (move.level_before, move.level_after, move.next_step) == ("R1", "R2", "R3")
    assert move.reminded_on == day(reminded_on)


def test_the_first_step_of_a_scenario_may_be_chosen_and_one_that_is_off_may_not():
    world = given(invoice("F", 100, "2025-03-10"))
    (entry,) = world.book.state().entries
    plan = two_variants().plan(False)
    assert plan is not None
    first = chosen(entry, plan, TODAY, "R1")
    assert first is not None
    assert (first.level_before, first.level_after, first.next_step) == (None, None, "R1")
    with pytest.raises(LevelRefused, match="step_not_active"):
        chosen(entry, plan, TODAY, "R2")


# A thank-you that a person confirmed (rule 12)


def group(settled: bool = True, amount: int = 100) -> PaidGroup:
    return PaidGroup(TODAY, settled, (PaidLine("F", "EUR", amount, amount, TODAY),))


def confirmed(medium: str) -> OpenAction:
    held = (HeldEntry("F", 1, 100, TODAY),)
    return OpenAction(UUID(int=1), "thanks", medium, "thanks", "EUR", "item", True, frozenset(), held)


def test_a_confirmed_thank_you_stands_while_its_payment_does_and_nothing_is_against():
    client = given().book.state()
    assert thanks_stand(confirmed("letter"), client._replace(paid=(group(amount=1), group())), ())
    assert not thanks_stand(confirmed("letter"), client._replace(paid=(group(),)), ("client_stopped",))
    assert not thanks_stand(confirmed("letter"), client._replace(paid=(group(settled=False),)), ())
    assert not thanks_stand(confirmed("letter"), client._replace(paid=(group(amount=1),)), ())
    assert not thanks_stand(confirmed("letter"), client._replace(paid=()), ())
    assert thanks_stand(confirmed("email"), client._replace(paid=()), ("client_stopped",)), "left to the last look"


# Public holidays (rule 4.16)


def test_holidays_are_listed_with_both_ends_of_the_period():
    assert holidays_between("FR", day("2025-12-25"), day("2026-01-01")) == [day("2025-12-25"), day("2026-01-01")]
    assert holidays_between("FR", day("2025-12-26"), day("2025-12-31")) == []
    assert holidays_between("XX", day("2025-12-25"), day("2026-01-01")) == []
