"""The days of a scenario on one invoice that nobody pays: what an editor shows while one types."""

from datetime import date, timedelta
from typing import NamedTuple

from services.dunning.domain.scenario import Plan
from services.dunning.domain.state import EntryState
from services.dunning.domain.triggers import CLOSED_DAY, Trail, end_of_month, pending

_EXAMPLE = EntryState("example", "EUR", 1, 1, date.min, date.min)
"""Whatever an invoice is called and is about, its days are those of its dates."""


class Stop(NamedTuple):
    """A step and its day, when every step before it is done on its own day. ``moved_from`` is the day on which it
    would fall were every day open; ``days_late`` are counted from the due date, below zero before it.
    """

    step: str
    medium: str
    automatic: bool
    on: date
    moved_from: date | None
    days_late: int
    not_before: str | None


def timeline(plan: Plan, invoice_date: date, due_date: date) -> list[Stop]:
    """Through the very triggers that decide. The thank-you is not on it: it hangs on a payment."""
    entry = _EXAMPLE._replace(due_date=due_date, counted_on=invoice_date)
    stops: list[Stop] = []
    as_of = date.min
    while True:
        trail: Trail = []
        found = pending(entry, plan, as_of, trail)
        if found is None:
            return stops
        step, as_of = found.step, found.on
        stops.append(
            Stop(
                step.name,
                step.medium,
                step.automatic,
                as_of,
                _before_the_calendar(trail),
                (as_of - due_date).days,
                step.not_before if step.automatic else None,
            )
        )
        if step.level:
            entry = entry._replace(level=step.level, reminded_on=as_of)
        else:
            entry = entry._replace(noticed_on=as_of)


def _before_the_calendar(trail: Trail) -> date | None:
    """The day that a calendar moved, which the stage before it had found."""
    return trail[-2].on if trail[-1].code == CLOSED_DAY else None


def example_dates(today: date) -> tuple[date, date]:
    """An invoice of the first of this month, due thirty days after its end."""
    first = today.replace(day=1)
    return first, end_of_month(end_of_month(first) + timedelta(days=30))
