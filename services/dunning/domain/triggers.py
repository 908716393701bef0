"""When a step of an entry is due (rules 4.6 to 4.12, 22.8, 22.11)."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from services.dunning.domain.scenario import Plan, Step
from services.dunning.domain.state import EntryState

ONE_DAY = timedelta(days=1)


DUE_DATE = "due_date"
INVOICE_DATE = "invoice_date"
PREVIOUS_STEP = "previous_step"
REOPENED = "reopened"
DELAY = "delay"
FROM_END_OF_MONTH = "from_end_of_month"
END_OF_MONTH = "end_of_month"
NOT_OVERDUE = "not_overdue"
CLOSED_DAY = "closed_day"
ONE_STEP_A_DAY = "one_step_a_day"
STEP_IGNORED = "step_ignored"
STAGES = (
    DUE_DATE,
    INVOICE_DATE,
    PREVIOUS_STEP,
    REOPENED,
    DELAY,
    FROM_END_OF_MONTH,
    END_OF_MONTH,
    NOT_OVERDUE,
    CLOSED_DAY,
    ONE_STEP_A_DAY,
    STEP_IGNORED,
)


class Stage(NamedTuple):
    """One thing that made the day of a step: what it is, and the day it led to. ``days`` belong to a delay."""

    code: str
    on: date
    days: int = 0
    step: str | None = None


Trail = list[Stage]
"""Filled while the day is found, for whoever wants to know why (an explanation); its last day is the day found."""


class Pending(NamedTuple):
    """The next step of an entry and the first day on which it is due."""

    step: Step
    on: date


def pending(entry: EntryState, plan: Plan, as_of: date, trail: Trail | None = None) -> Pending | None:
    """``None`` when no step follows: nothing is switched on for it, or the last step is done (rule 4.10)."""
    notice = plan.notice
    if (
        notice is None
        or as_of > entry.due_date  # the notice has lapsed (rule 4.11)
        or entry.level
        or entry.amount <= 0
        or entry.noticed_on is not None
        or entry.forced  # a person wants a reminder next (rule 5.6)
    ):
        return pending_reminder(entry, plan, as_of, trail)
    reminder = pending_reminder(entry, plan, as_of, trail)
    if reminder is not None and reminder.on <= as_of:
        return reminder
    on = entry.due_date - notice.delay
    way = None if trail is None else [Stage(DUE_DATE, entry.due_date), Stage(DELAY, on, -notice.delay.days)]
    if entry.reopened_on is not None and entry.reopened_on > on:
        on = entry.reopened_on
        if way is not None:
            way.append(Stage(REOPENED, on))
    on = _open_day(notice, on, way)
    if on > entry.due_date:  # it would come only after it has lapsed
        return reminder
    if trail is not None and way is not None:
        trail[:] = way
    return Pending(notice, on)


def pending_reminder(entry: EntryState, plan: Plan, as_of: date, trail: Trail | None = None) -> Pending | None:
    """The next reminder, whatever the notice; a step to ignore gives way once the next one is due (rule 4.9)."""
    steps = plan.after[entry.level]
    if not steps:
        return None
    earliest = _day_after_last_step(entry)
    on = _due_on(steps[0], entry, entry.reminded_on, earliest, trail)
    if not steps[0].ignorable or entry.forced:  # what a person chose gives way to nothing (rule 5.6)
        return Pending(steps[0], on)
    chosen = Pending(steps[0], on)
    for ignored, step in pairwise(steps):
        way = None if trail is None else [Stage(STEP_IGNORED, on, step=ignored.name)]
        on = _due_on(step, entry, on, earliest, way)  # as if done on the day it fell due
        if on <= as_of:
            chosen = Pending(step, on)
            if trail is not None and way is not None:
                trail[:] = way
        if not step.ignorable:
            break
    return chosen


def _not_before(earliest: date | None, on: date, trail: Trail | None) -> date:
    if earliest is None or on >= earliest:
        return on
    if trail is not None:
        trail.append(Stage(ONE_STEP_A_DAY, earliest))
    return earliest


def _open_day(step: Step, on: date, trail: Trail | None) -> date:
    """A step that falls on a closed day comes on the next open one (rule 4.16)."""
    if step.calendar is None:
        return on
    opens = step.calendar.next_open(on)
    if trail is not None and opens != on:
        trail.append(Stage(CLOSED_DAY, opens))
    return opens


def next_change(entry: EntryState, plan: Plan, as_of: date, found: Pending) -> date | None:
    """A day after ``as_of`` before which the pending step of this entry neither changes nor becomes due."""
    if found.on > as_of:
        return found.on
    if found.step.level == 0:  # the notice gives way to a reminder that is due, and lapses after the due date
        coming = _days_until_one_stands(plan.after[0], entry, None)  # no first reminder counts from one before
        return min([*coming, entry.due_date + ONE_DAY])
    if not found.step.ignorable or entry.forced:
        return None
    # of those that may follow none is due: it would have been chosen
    return min(_days_until_one_stands(plan.after[found.step.level], entry, found.on), default=None)


def _days_until_one_stands(steps: Iterable[Step], entry: EntryState, previous_on: date | None) -> list[date]:
    """When each of these steps is due if those before it are ignored, up to the first that cannot be."""
    earliest = _day_after_last_step(entry)
    days = []
    for step in steps:
        previous_on = _due_on(step, entry, previous_on, earliest)
        days.append(previous_on)
        if not step.ignorable:
            break
    return days


def _day_after_last_step(entry: EntryState) -> date | None:
    """Never two steps of one entry on the same day (example 21.1, rule 22.11)."""
    last = entry.reminded_on
    if entry.noticed_on is not None and (last is None or entry.noticed_on > last):
        last = entry.noticed_on
    return None if last is None else last + ONE_DAY


def _due_on(
    step: Step,
    entry: EntryState,
    previous_on: date | None,
    earliest: date | None,
    trail: Trail | None = None,
) -> date:
    code = step.counted_from
    if code == PREVIOUS_STEP:
        reference = previous_on or entry.due_date
        if previous_on is None:
            code = DUE_DATE
    elif code == DUE_DATE:
        reference = entry.due_date
    else:
        reference = entry.counted_on
    if entry.reopened_on is not None and entry.reopened_on > reference:
        reference, code = entry.reopened_on, REOPENED
    if trail is not None:
        trail.append(Stage(code, reference))
    if step.from_end_of_month:
        reference = end_of_month(reference)
        if trail is not None:
            trail.append(Stage(FROM_END_OF_MONTH, reference))
    on = reference + step.delay
    if trail is not None:
        trail.append(Stage(DELAY, on, step.delay.days))
    if step.end_of_month:
        on = end_of_month(on)
        if trail is not None:
            trail.append(Stage(END_OF_MONTH, on))
    if on <= entry.due_date and previous_on is not None and step.counted_from == PREVIOUS_STEP:
        on = _once_overdue(step, entry, on, trail)
    return _open_day(step, _not_before(earliest, on, trail), trail)


def _once_overdue(step: Step, entry: EntryState, on: date, trail: Trail | None) -> date:
    """Accounting moved the due date past a step that counts from the one before: nobody is reminded of what is not
    due yet (rule 5.9), unless the scenario counts from the invoice date or a person chose the step.
    """
    if step.before_due or entry.forced:
        return on
    overdue = entry.due_date + ONE_DAY
    if trail is not None:
        trail.append(Stage(NOT_OVERDUE, overdue))
    return overdue


def end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
