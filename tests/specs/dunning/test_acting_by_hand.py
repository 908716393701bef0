"""Rules 5.4, 5.5, 8.16, 9.1: what a person composes for entries of their choice."""

from uuid import UUID

import pytest

from services.dunning.domain.by_hand import (
    Composed,
    CurrenciesDiffer,
    NothingToAsk,
    Plans,
    compose,
    never_acceptable,
)
from services.dunning.domain.levels import LevelRefused
from services.dunning.domain.policy import load
from tests.specs.dunning.given import (
    World,
    at_level,
    credit,
    day,
    entry_id,
    given,
    given_without_scenario,
    invoice,
    promise,
    step,
    stopped,
)

WISH = UUID(int=7)
TODAY = "2025-03-20"


def _by_hand(world: World, *names: str, **options: object) -> Plans:
    ids = {entry_id(name) for name in names}
    fields: dict[str, object] = {"kind": "reminder", "medium": "email", **options}
    state = world.book.state()
    entries = tuple(entry for entry in state.entries if entry.entry_id in ids)
    composed = Composed(WISH, entries, **fields)  # type: ignore[arg-type]
    return compose(state, load(world.policy), world.scenario, day(TODAY), composed)


def _levels(planned: Plans) -> dict[str, tuple[str | None, str | None]]:
    return {one.entry_id: (one.level_before, one.level_after) for one in planned.action.entries}


def test_each_entry_passes_to_its_own_next_step():
    """Rule 5.5: one at R1, one never reminded, one not yet due: each goes one step on."""
    world = given(
        invoice("F1", 100, "2025-02-10"), invoice("F2", 50, "2025-03-10"), invoice("F3", 10, "2025-06-10")
    ).on("2025-03-01", at_level("F1", "R1", "2025-03-01"))
    planned = _by_hand(world, "F1", "F2", "F3")
    assert _levels(planned) == {
        entry_id("F1"): ("R1", "R2"),
        entry_id("F2"): (None, "R1"),
        entry_id("F3"): (None, "R1"),
    }
    assert (planned.action.step, str(planned.action.net_amount)) == ("R2", "160.00")
    assert planned.choices == ("R1", "R2", "R3", "R4", "R5")


@pytest.mark.parametrize(
    ("due", "step_name", "after"),
    [("2025-03-03", "R2", "R2"), ("2025-03-02", "R3", "R3"), ("2025-03-01", "R3", "R3")],
)
def test_a_step_that_is_passed_over_by_the_day_of_the_call_is_passed_over_by_the_call(due, step_name, after):
    """Rules 4.9, 5.5: R3 comes eighteen days after the due date, R2, which gives way, ten."""
    steps = [step("R1", 2), step("R2", 10, ignorable=True), step("R3", 18, "phone")]
    world = given(invoice("F1", 100, due), steps=steps).on("2025-03-05", at_level("F1", "R1", "2025-03-05"))
    planned = _by_hand(world, "F1")
    assert (planned.action.step, _levels(planned)[entry_id("F1")]) == (step_name, ("R1", after))


def test_the_next_step_may_be_another_one():
    world = given(invoice("F1", 100, "2025-02-10"), at_level("F1", "R3", "2025-03-01"))
    planned = _by_hand(world, "F1", next_step="R2")
    assert (_levels(planned)[entry_id("F1")], planned.action.next_step) == (("R3", "R1"), "R2")
    with pytest.raises(LevelRefused):
        _by_hand(world, "F1", next_step="R7")


@pytest.mark.parametrize("options", [{"counts": False}, {"kind": "notice"}, {"kind": "thanks"}])
def test_what_is_not_taken_into_account_moves_no_level(options: dict[str, object]):
    """Rules 5.4, 5.5."""
    world = given(invoice("F1", 100, "2025-02-10"), at_level("F1", "R3", "2025-03-01"))
    assert _levels(_by_hand(world, "F1", **options))[entry_id("F1")] == ("R3", "R3")


def test_without_a_scenario_nothing_is_taken_into_account():
    """Rule 3.6: the level cannot be changed."""
    planned = _by_hand(given_without_scenario(invoice("F1", 100, "2025-02-10")), "F1")
    assert not planned.action.counts
    assert _levels(planned)[entry_id("F1")] == (None, None)


def test_after_the_last_step_the_level_stays():
    planned = _by_hand(given(invoice("F1", 100, "2024-02-10"), at_level("F1", "R5", "2025-01-01")), "F1")
    assert (_levels(planned)[entry_id("F1")], planned.action.step) == (("R5", "R5"), "R5")


def test_a_stopped_client_may_be_written_to_with_a_warning():
    """Rule 8.16: all the reasons are told, and those that the person accepts let the last look pass."""
    world = given(invoice("F1", 10, "2025-02-10"), stopped(), promise("F1", "2025-04-01"))
    world.with_policy(promises_exclude=True, minimum_per_entry="20")
    planned = _by_hand(world, "F1")
    assert planned.reasons == ("below_entry_minimum", "client_stopped", "promise_ahead")
    assert planned.action.accepted_reasons == planned.reasons


def test_the_eve_of_the_day_on_which_a_stop_ends_still_warns():
    eve = given(invoice("F1", 10, "2025-02-10"), stopped("2025-03-21"))
    on_the_day = given(invoice("F1", 10, "2025-02-10"), stopped("2025-03-20"))
    assert _by_hand(eve, "F1").reasons == ("client_stopped",)
    assert _by_hand(on_the_day, "F1").reasons == ()


def test_a_message_never_asks_for_nothing_but_a_call_may_be_about_anything():
    """Rule 22.10."""
    world = given(invoice("F1", 100, "2025-02-10"), credit("A1", 100, "2025-02-10"))
    for medium in ("email", "letter"):
        with pytest.raises(NothingToAsk):
            _by_hand(world, "F1", "A1", medium=medium)
    assert str(_by_hand(world, "F1", "A1", medium="phone").action.net_amount) == "0.00"


def test_one_message_speaks_of_one_currency():
    """Rule 19.3."""
    world = given(invoice("F1", 100, "2025-02-10"), invoice("F2", 100, "2025-02-10", currency="USD"))
    with pytest.raises(CurrenciesDiffer):
        _by_hand(world, "F1", "F2")


def test_nobody_writes_about_an_invoice_that_may_be_paid():
    """Rule 2.8: but one may call about it."""
    composed = Composed(WISH, (), "reminder", "email")
    assert never_acceptable(["lettering_error", "client_stopped"], composed) == ["lettering_error"]
    assert never_acceptable(["lettering_error"], composed._replace(medium="phone")) == []


def test_the_same_wish_is_the_same_action_and_another_wish_another():
    world = given(invoice("F1", 100, "2025-02-10"))
    first, again = _by_hand(world, "F1"), _by_hand(world, "F1", medium="letter")
    assert first.action.action_id == again.action.action_id
    other = Composed(UUID(int=8), world.book.state().entries, "reminder", "email")
    planned = compose(world.book.state(), load(world.policy), world.scenario, day(TODAY), other)
    assert planned.action.action_id != first.action.action_id
