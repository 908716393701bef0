"""The next step of an entry, chosen by a person (rules 5.5, 5.6): R3 next means level R2, forced."""

from datetime import date

from contracts.dunning import LevelMove
from services.dunning.domain.scenario import REMINDERS, Plan, Scenario, level_name
from services.dunning.domain.state import EntryState

SET_BY_PERSON = "set_by_person"

ENTRY_UNKNOWN = "entry_unknown"
NO_SCENARIO = "no_scenario"
VARIANT_OFF = "variant_off"
STEP_NOT_ACTIVE = "step_not_active"
REMINDED_LATER = "reminded_later"
REFUSALS = (ENTRY_UNKNOWN, NO_SCENARIO, VARIANT_OFF, STEP_NOT_ACTIVE, REMINDED_LATER)


class LevelRefused(Exception):
    """The step cannot come next; ``reason`` is one of ``REFUSALS``."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The step cannot come next: {reason}.")
        self.reason = reason


def choices(scenario: Scenario | None, has_email: bool) -> tuple[str, ...]:
    """The reminders that may be chosen: those that the client's variant has switched on."""
    plan = None if scenario is None else scenario.plan(has_email)
    return () if plan is None else tuple(step.name for step in plan.after[0])


def plan_of(scenario: Scenario | None, has_email: bool) -> Plan:
    """Raises ``LevelRefused``: without a scenario that applies the level cannot be changed (rule 3.6)."""
    if scenario is None:
        raise LevelRefused(NO_SCENARIO)
    plan = scenario.plan(has_email)
    if plan is None:
        raise LevelRefused(VARIANT_OFF)
    return plan


def level_before(plan: Plan, step: str) -> int:
    """The level that an entry shows while ``step`` is to come next. Raises ``LevelRefused``."""
    if step not in REMINDERS or all(one.name != step for one in plan.after[0]):
        raise LevelRefused(STEP_NOT_ACTIVE)
    return REMINDERS.index(step)


def step_after(plan: Plan, level: int) -> str | None:
    """The active step that follows a level, ``None`` after the last one."""
    return plan.after[level][0].name if plan.after[level] else None


def chosen(
    entry: EntryState, plan: Plan, as_of: date, step: str, reminded_on: date | None = None
) -> LevelMove | None:
    """``step`` comes next for this entry; ``None`` when it does already. Raises ``LevelRefused``."""
    return _move(entry, level_before(plan, step), step, as_of, reminded_on)


def reached(
    entry: EntryState, plan: Plan, as_of: date, level: int, reminded_on: date | None = None
) -> LevelMove | None:
    """The entry was brought to ``level`` by another tool, last on ``reminded_on``; what follows comes next.

    Raises ``LevelRefused``.
    """
    return _move(entry, level, step_after(plan, level), as_of, reminded_on)


def _move(
    entry: EntryState, level: int, step: str | None, as_of: date, reminded_on: date | None
) -> LevelMove | None:
    if reminded_on is not None and reminded_on > as_of:
        raise LevelRefused(REMINDED_LATER)
    same = entry.level == level and entry.forced == (step is not None)
    if same and reminded_on in (None, entry.reminded_on):
        return None
    return LevelMove(
        entry_id=entry.entry_id,
        level_before=level_name(entry.level),
        level_after=level_name(level),
        next_step=step,
        reminded_on=reminded_on,
    )
