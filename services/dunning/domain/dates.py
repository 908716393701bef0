"""What the dates of entries say, worked out once for all that share them: a round and a simulation ask for
hundreds of thousands of entries, of very few kinds.
"""

from datetime import date
from operator import itemgetter
from typing import NamedTuple

from services.dunning.domain.scenario import Plan
from services.dunning.domain.state import EntryState
from services.dunning.domain.triggers import Pending, next_change, pending
from services.dunning.domain.verdicts import EXHAUSTED, NO_STEP, NoStep, NotDue

MOST_REMEMBERED = 300_000


class Coming(NamedTuple):
    """The next step of an entry on a day, and the later day before which that stays what it is.

    ``asleep`` is what is decided of the entry where nothing else matters: its step comes later, or none does.
    """

    pending: Pending | None
    changes_on: date | None
    asleep: NotDue | NoStep | None


_what_counts = itemgetter(
    *map(
        EntryState._fields.index,
        ("due_date", "counted_on", "level", "reminded_on", "noticed_on", "reopened_on", "forced"),
    )
)


class Dates:
    """``pending`` and ``next_change`` of one plan on one day."""

    __slots__ = ("_as_of", "_known", "plan")

    def __init__(self, plan: Plan, as_of: date) -> None:
        self.plan = plan
        self._as_of = as_of
        self._known: dict[tuple[tuple[object, ...], bool], Coming] = {}

    def of(self, entry: EntryState) -> Coming:
        key = (_what_counts(entry), entry.amount > 0)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._look(entry)
            _remembered.grow()
        return known

    def _look(self, entry: EntryState) -> Coming:
        found = pending(entry, self.plan, self._as_of)
        if found is None:
            return Coming(None, None, NoStep(EXHAUSTED if entry.level else NO_STEP))
        asleep = NotDue(found.step.name, found.on) if found.on > self._as_of else None
        return Coming(found, next_change(entry, self.plan, self._as_of, found), asleep)


class _Remembered:
    """By plan object and day; all is forgotten at once when it has become much."""

    def __init__(self) -> None:
        self._dates: dict[tuple[int, date], Dates] = {}
        self._count = 0

    def of(self, plan: Plan, as_of: date) -> Dates:
        key = (id(plan), as_of)  # a plan that is kept here cannot lend its place to another one
        known = self._dates.get(key)
        if known is None:
            known = self._dates[key] = Dates(plan, as_of)
            self.grow()
        return known

    def grow(self) -> None:
        self._count += 1
        if self._count > MOST_REMEMBERED:
            self._dates.clear()
            self._count = 0


_remembered = _Remembered()
dates_of = _remembered.of
"""The ``Dates`` of a plan on a day."""
