"""C18: by whom and since when things hold, whatever was heard before; and dates that are worked out once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from contracts import dunning, ledger
from contracts.event import Event
from services.dunning.domain import dates
from services.dunning.domain.memory import Memory, Since, Told, remember
from services.dunning.domain.scenario import load
from tests.specs.dunning.given import (
    CLIENT,
    STANDARD,
    day,
    dispute_closed,
    disputed,
    entry_id,
    entry_resumed,
    given,
    invoice,
    promise_cancelled,
    resumed,
    scenario,
    stopped,
)

ON = day("2025-03-18")


def remembered(*events: Event) -> Memory:
    return remember(Told(event, ON, "user:anna") for event in events)


@pytest.mark.parametrize(
    "event",
    [
        resumed(),
        entry_resumed("F"),
        promise_cancelled("F", "2025-04-01"),
        dispute_closed("F"),
        ledger.LetteringErrorCleared(client_id=CLIENT, account="411", lettering="A"),
        ledger.EntryRepositioned(client_id=CLIENT, entry_id=entry_id("F")),
        dunning.ActionExcluded(
            client_id=CLIENT, entries=(dunning.ExcludedEntry(entry_id=entry_id("F"), step="R1", reasons=()),)
        ),
    ],
    ids=lambda event: type(event).__name__,
)
def test_the_end_of_what_was_never_heard_of_changes_nothing(event):
    """What was said before the oldest fact that is kept may end after it."""
    assert remembered(event) == Memory()


def test_a_dispute_is_remembered_under_its_own_name_with_its_author():
    opened = disputed("F")
    (dispute,) = remembered(opened).disputes.values()
    assert dispute == (opened.dispute_id, entry_id("F"), "price", Since(ON, "user:anna"))  # type: ignore[attr-defined]


def test_a_stop_is_remembered_until_it_ends():
    assert remembered(stopped()).stop == Since(ON, "user:anna")
    assert remembered(stopped(), resumed()).stop is None


def test_a_confirmed_action_keeps_what_its_proposal_said():
    """A confirmation leaves out the days that the proposal told."""
    world = given(invoice("F", 100, "2025-03-10"))
    world.when("2025-03-18")
    (proposed,) = world.said.values()
    bare = tuple(line.model_copy(update={"due_on": None}) for line in proposed.entries)
    confirmed = dunning.ActionDue(action=proposed.model_copy(update={"entries": bare}))
    (made,) = remembered(dunning.ActionProposed(action=proposed), confirmed).actions.values()
    assert made.action.entries[0].due_on == ON
    assert made.confirmed == Since(ON, "user:anna")
    (automatic,) = remembered(confirmed).actions.values()
    assert automatic.action == confirmed.action


def test_a_lettering_error_is_remembered_with_what_is_missing():
    found = ledger.LetteringErrorFound(client_id=CLIENT, account="411", lettering="A", difference=Decimal("0.01"))
    assert remembered(found).errors == {("411", "A"): Decimal("0.01")}


def test_dates_that_are_forgotten_are_worked_out_again_alike(monkeypatch):
    """All is forgotten whenever three were worked out, in the midst of a plan."""
    plan = load(scenario(*STANDARD)).plan(True)
    assert plan is not None
    facts = [invoice(f"F{number}", 100, (ON - timedelta(days=number)).isoformat()) for number in range(12)]
    entries = given(*facts).book.state().entries
    plenty = [dates.dates_of(plan, ON).of(entry) for entry in entries]
    monkeypatch.setattr(dates, "MOST_REMEMBERED", 3)
    short = dates._Remembered()
    monkeypatch.setattr(dates, "_remembered", short)
    assert [short.of(plan, ON).of(entry) for entry in entries] == plenty
    assert len({short.of(plan, ON + timedelta(days=number)) for number in range(3)}) == 3
