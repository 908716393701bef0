"""When a step of an entry is due (rules 4.6 to 4.12, 22.8, 22.11)."""

from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

from services.dunning.domain.scenario import Plan, Step
from services.dunning.domain.state import EntryState

ONE_DAY = timedelta(days=1)


class Pending(NamedTuple):
    """The next step of an entry and the first day on which it is due."""

    step: Step
    on: date


def pending(entry: EntryState, plan: Plan, as_of: date) -> Pending | None:
    """``None`` when no step follows: nothing is switched on for it, or the last step is done (rule 4.10)."""
    notice = plan.notice
    if (
        notice is None
        or as_of > entry.due_date  # the notice has lapsed (rule 4.11)
        or entry.level
        or entry.amount <= 0
        or entry.noticed_on is not None
    ):
        return pending_reminder(entry, plan, as_of)
    reminder = pending_reminder(entry, plan, as_of)
    if reminder is not None and reminder.on <= as_of:
        return reminder
    on = entry.due_date - notice.delay
    if entry.reopened_on is not None and entry.reopened_on > on:
        on = entry.reopened_on
    if on > entry.due_date:  # it would come only after it has lapsed
        return reminder
    return Pending(notice, on)


def pending_reminder(entry: EntryState, plan: Plan, as_of: date) -> Pending | None:
    """The next reminder, whatever the notice; a step to ignore gives way once the next one is due (rule 4.9)."""
    steps = plan.after[entry.level]
    if not steps:
        return None
    earliest = _day_after_last_step(entry)
    on = _due_on(steps[0], entry, entry.reminded_on)
    if earliest is not None and on < earliest:
        on = earliest
    if not steps[0].ignorable:
        return Pending(steps[0], on)
    chosen = Pending(steps[0], on)
    for step in steps[1:]:
        on = _due_on(step, entry, on)  # an ignored step counts as done on the day it fell due
        if earliest is not None and on < earliest:
            on = earliest
        if on <= as_of:
            chosen = Pending(step, on)
        if not step.ignorable:
            break
    return chosen


def next_change(entry: EntryState, plan: Plan, as_of: date, found: Pending) -> date | None:
    """A day after ``as_of`` before which the pending step of this entry neither changes nor becomes due."""
    if found.on > as_of:
        return found.on
    if found.step.level == 0:  # R1 comes on the due date at the earliest, the notice lapses after it
        return entry.due_date if entry.due_date > as_of else entry.due_date + ONE_DAY
    if not found.step.ignorable:
        return None
    previous_on = found.on
    days = []
    for step in plan.after[found.step.level]:
        previous_on = _due_on(step, entry, previous_on)
        days.append(previous_on)
        if not step.ignorable:
            break
    return min((day for day in days if day > as_of), default=None)


def _day_after_last_step(entry: EntryState) -> date | None:
    """Never two steps of one entry on the same day (example 21.1, rule 22.11)."""
    last = entry.reminded_on
    if entry.noticed_on is not None and (last is None or entry.noticed_on > last):
        last = entry.noticed_on
    return None if last is None else last + ONE_DAY


def _due_on(step: Step, entry: EntryState, previous_on: date | None) -> date:
    if step.counted_from == "previous_step":
        reference = previous_on or entry.due_date
    elif step.counted_from == "due_date":
        reference = entry.due_date
    else:
        reference = entry.counted_on
    if entry.reopened_on is not None and entry.reopened_on > reference:
        reference = entry.reopened_on
    on = reference + step.delay
    if step.end_of_month:
        return on.replace(day=monthrange(on.year, on.month)[1])
    return on
