"""Rule 5.6: a person chooses the next step of an entry; rule 5.5: or has it chosen with an action."""

import pytest

from contracts import dunning
from services.dunning.domain import sayings
from services.dunning.domain.levels import LevelRefused, choices, chosen, plan_of, reached
from services.dunning.domain.state import EntryState
from services.dunning.domain.verdicts import SilentMove
from tests.specs.dunning.given import (
    CLIENT,
    STANDARD,
    World,
    at_level,
    chosen_next,
    day,
    entry_id,
    given,
    invoice,
    previous,
    step,
)


def _entry(world: World, name: str = "F1") -> EntryState:
    return next(one for one in world.book.state().entries if one.entry_id == entry_id(name))


def test_choosing_r3_shows_r2_and_makes_r3_the_next_proposal():
    """Never reminded before, so R3 counts from the due date: eve, day."""
    world = given(invoice("F1", 100, "2025-03-10")).on("2025-03-01", chosen_next("F1", "R3", "2025-03-01"))
    assert world.level("F1") == "R2"
    assert _entry(world).forced
    world.when("2025-03-17").waits("F1", "R3", "2025-03-18").silent()
    world.when("2025-03-18").says(R3=(100, ["F1"]))


def test_speeding_up_counts_from_the_last_reminder_that_was_made():
    """R1 left on 18 March; R4 is chosen on the 20th: 8 days after the 18th, not after the choice."""
    world = given(invoice("F1", 100, "2025-03-10"), at_level("F1", "R1", "2025-03-18"))
    world.on("2025-03-20", chosen_next("F1", "R4", "2025-03-20"))
    world.when("2025-03-25").waits("F1", "R4", "2025-03-26")
    world.when("2025-03-26").says(R4=(100, ["F1"]))


def test_slowing_down_withdraws_the_proposal_and_proposes_the_chosen_step():
    world = given(invoice("F1", 100, "2025-03-10"), at_level("F1", "R3", "2025-03-18"))
    world.when("2025-03-26").says(R4=(100, ["F1"]))
    world.on("2025-03-27", chosen_next("F1", "R2", "2025-03-27"))
    assert world.level("F1") == "R1"
    world.when("2025-03-27").withdraws("superseded").says(R2=(100, ["F1"]))


def test_once_the_chosen_step_is_done_the_level_is_forced_no_more():
    world = given(invoice("F1", 100, "2025-03-10")).on("2025-03-01", chosen_next("F1", "R3", "2025-03-01"))
    world.when("2025-03-18").carried_out()
    assert (world.level("F1"), _entry(world).forced) == ("R3", False)
    world.when("2025-03-26").says(R4=(100, ["F1"]))


def test_a_chosen_step_gives_way_to_nothing():
    """Rule 4.9 lets a step to ignore pass; one that a person chose is not passed over."""
    steps = (step("R1", 8), previous("R2", 8, ignorable=True), previous("R3", 8))
    late = "2025-06-01"
    world = given(invoice("F1", 100, "2025-03-10"), at_level("F1", "R1", "2025-03-18"), steps=steps)
    world.when(late).says(R3=(100, ["F1"]))
    world.on(late, chosen_next("F1", "R2", late)).when(late).withdraws("superseded").says(R2=(100, ["F1"]))


def test_choosing_r1_leaves_out_the_notice():
    world = given(invoice("F1", 100, "2025-03-10")).on("2025-03-01", chosen_next("F1", "R1", "2025-03-01"))
    assert world.level("F1") is None
    world.when("2025-03-05").waits("F1", "R1", "2025-03-18").silent()


def test_the_day_of_a_reminder_made_elsewhere_counts():
    """Taken over from an older tool: R2 was made there on 12 March."""
    taken = chosen_next("F1", "R3", "2025-03-15", reminded_on="2025-03-12")
    world = given(invoice("F1", 100, "2025-01-10")).on("2025-03-15", taken)
    world.when("2025-03-19").waits("F1", "R3", "2025-03-20")
    world.when("2025-03-20").says(R3=(100, ["F1"]))


def test_only_active_steps_of_a_scenario_that_applies_may_be_chosen():
    """Rule 3.6: without a scenario the level cannot be changed."""
    world = given(invoice("F1", 100, "2025-03-10"), steps=(*STANDARD[:3], previous("R4", 8, "letter")))
    plan = plan_of(world.scenario, has_email=True)
    assert choices(world.scenario, has_email=True) == ("R1", "R2", "R4")
    entry, today = _entry(world), day("2025-03-15")
    with pytest.raises(LevelRefused) as refused:
        chosen(entry, plan, today, "R3")
    assert refused.value.reason == "step_not_active"
    with pytest.raises(LevelRefused) as refused:
        chosen(entry, plan, today, "R2", day("2025-03-16"))
    assert refused.value.reason == "reminded_later"
    with pytest.raises(LevelRefused) as refused:
        plan_of(None, has_email=True)
    assert refused.value.reason == "no_scenario"


def test_what_follows_a_level_reached_elsewhere_is_the_next_active_step():
    world = given(invoice("F1", 100, "2025-03-10"), steps=(*STANDARD[:3], previous("R4", 8, "letter")))
    plan, entry, today = plan_of(world.scenario, has_email=True), _entry(world), day("2025-03-15")
    move = reached(entry, plan, today, 2, day("2025-03-12"))
    assert move is not None
    assert (move.level_after, move.next_step, move.reminded_on) == ("R2", "R4", day("2025-03-12"))
    last = reached(entry, plan, today, 4)
    assert last is not None
    assert (last.level_after, last.next_step) == ("R4", None)


def test_the_same_choice_twice_changes_nothing():
    world = given(invoice("F1", 100, "2025-03-10")).on("2025-03-01", chosen_next("F1", "R3", "2025-03-01"))
    assert chosen(_entry(world), plan_of(world.scenario, has_email=True), day("2025-03-02"), "R3") is None


def _by_hand(**options: object) -> dunning.Action:
    fields: dict[str, object] = {
        "action_id": "0198a5b4-c3d2-71f0-8000-000000000001",
        "client_id": CLIENT,
        "profile": "Standard",
        "scenario_version": 1,
        "kind": "reminder",
        "step": "R3",
        "medium": "phone",
        "currency": "EUR",
        "amount": "100",
        "net_amount": "100",
        "book_net_amount": "100",
        "due_since": "2025-03-20",
        "entries": [
            {
                "entry_id": entry_id("F1"),
                "occurrence": 1,
                "amount": "100",
                "due_date": "2025-03-10",
                "level_before": "R2",
                "level_after": "R3",
            }
        ],
        "by_hand": True,
    }
    return dunning.Action.model_validate(fields | options)


def test_an_action_that_is_not_taken_into_account_moves_nothing():
    done = sayings.done(_by_hand(counts=False), {entry_id("F1"): "R2"}, day("2025-03-20"))
    assert done.levels == ()


def test_an_action_that_counts_moves_its_entries_one_step():
    done = sayings.done(_by_hand(), {entry_id("F1"): "R2"}, day("2025-03-20"))
    assert [(move.level_after, move.next_step) for move in done.levels] == [("R3", None)]


def test_with_another_next_step_chosen_a_level_may_fall():
    entries = [_by_hand().entries[0].model_copy(update={"level_after": "R1"})]
    done = sayings.done(_by_hand(next_step="R2", entries=entries), {entry_id("F1"): "R2"}, day("2025-03-20"))
    assert [(move.level_after, move.next_step) for move in done.levels] == [("R1", "R2")]


def moved(
    action: dunning.Action, level: str | None = None, *, known: bool = True
) -> tuple[str | None, str | None]:
    """Levels before and after, where the entry's level is ``level`` now, or nobody knows one."""
    (move,) = sayings.done(action, {entry_id("F1"): level} if known else {}, day("2025-03-20")).levels
    return move.level_before, move.level_after


def test_a_level_never_falls_by_a_message_that_comes_late():
    """Rule 5.3: the entry has gone on since it was proposed for R3."""
    assert moved(_by_hand(), "R2") == ("R2", "R3")
    assert moved(_by_hand(), "R3") == ("R3", "R3")
    assert moved(_by_hand(), "R4") == ("R4", "R4")
    assert moved(_by_hand(), known=False) == ("R2", "R3")


def test_what_reaches_no_level_has_none_afterwards():
    plain = _by_hand().entries[0].model_copy(update={"level_before": None, "level_after": None})
    assert moved(_by_hand(entries=[plain])) == (None, None)


@pytest.mark.parametrize("told", ["notice", "thanks"])
def test_a_notice_or_a_thank_you_leaves_the_level_and_the_next_step_as_they_are(told):
    """Rule 5.4: whatever the person had wished."""
    action = _by_hand(kind=told, step=told, next_step="R2")
    (move,) = sayings.done(action, {entry_id("F1"): "R4"}, day("2025-03-20")).levels
    assert (move.level_before, move.level_after, move.next_step) == ("R4", "R4", None)


def test_a_credit_that_goes_on_alone_says_from_where_to_where():
    """Rule 22.14."""
    said = sayings.advanced(CLIENT, [SilentMove(entry_id("A"), 1, 2)], day("2025-03-20"))
    assert said == dunning.LevelSet(
        client_id=CLIENT,
        reason="credit_alone",
        set_on=day("2025-03-20"),
        levels=(dunning.LevelMove(entry_id=entry_id("A"), level_before="R1", level_after="R2"),),
    )
