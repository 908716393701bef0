"""Scenarios: what is said to a client, how, and when. Data, refused when loaded if it cannot work (rule 4)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from contracts.dunning import ScenarioPublished, ScenarioStep
from services.dunning.domain.calendar import EVERY_DAY, Calendar, CompanyDays, calendar, not_before
from services.dunning.domain.scenario_checks import check
from services.dunning.domain.scenario_refusals import ScenarioRefused
from services.dunning.domain.scenario_words import (
    LEVEL_NAMES,
    MAX_LEVEL,
    NOTICE,
    REMINDERS,
    STEP_NAMES,
    THANKS,
)

__all__ = [
    "LEVEL_NAMES",
    "MAX_LEVEL",
    "NOTICE",
    "REMINDERS",
    "STEP_NAMES",
    "THANKS",
    "Plan",
    "Scenario",
    "ScenarioRefused",
    "Step",
    "check",
    "level_name",
    "level_number",
    "load",
    "thanks_switched_on",
]


class Step(NamedTuple):
    """One active step, ready to be tested.

    ``level`` is 0 for the notice and the thank-you, else the level it brings (rules 5.3, 5.4). ``calendar`` is
    ``None`` when every day is open; ``not_before`` a local time. ``before_due`` is true where the variant counts
    from the invoice date, so that a reminder may come before the due date (rules 4.8, 5.9).
    """

    name: str
    level: int
    medium: str
    delay: timedelta
    counted_from: str
    automatic: bool
    template: str | None
    ignorable: bool
    end_of_month: bool
    from_end_of_month: bool = False
    calendar: Calendar | None = None
    not_before: str | None = None
    copies: tuple[UUID, ...] = ()
    before_due: bool = False


class Plan(NamedTuple):
    """One variant, ready to be followed: its notice, and for each level the active steps that come after it.

    ``thanks`` is for payments dated after ``thanks_since`` (rule 12.3).
    """

    notice: Step | None
    after: tuple[tuple[Step, ...], ...]
    thanks: Step | None = None
    thanks_since: date | None = None


class Scenario(NamedTuple):
    """The scenario of one profile; a variant that is switched off is ``None`` (rule 4.1)."""

    profile: str
    version: int
    with_email: Plan | None
    without_email: Plan | None

    def plan(self, has_email: bool) -> Plan | None:
        """The variant is chosen from the client's data on the day of the decision (rule 4.2)."""
        return self.with_email if has_email else self.without_email


def load(published: ScenarioPublished, company: CompanyDays = EVERY_DAY) -> Scenario:
    """The scenario of an event, checked and compiled with the company's calendar.

    Raises a ``ScenarioRefused``, whose ``problems`` are all that was found.
    """
    found = check(published)
    if found:
        found[0].problems = [problem.as_problem() for problem in found]
        raise found[0]
    return Scenario(
        published.profile,
        published.version,
        _plan(published, published.with_email, company) if published.with_email_enabled else None,
        _plan(published, published.without_email, company) if published.without_email_enabled else None,
    )


def _plan(published: ScenarioPublished, steps: Sequence[ScenarioStep], company: CompanyDays) -> Plan | None:
    """``None`` for a variant without any step, which is the same as one that is switched off."""
    if not steps:
        return None
    by_invoice_date = any(
        step.counted_from == "invoice_date" for step in steps if step.enabled and step.step in REMINDERS
    )
    active = [_compile(step, company, by_invoice_date) for step in steps if step.enabled]
    reminders = [step for step in active if step.level]
    notice = next((step for step in active if step.name == NOTICE), None)
    if by_invoice_date:
        notice = None  # choosing the invoice date for the first reminder switches the notice off (rule 4.8)
    return Plan(
        notice=notice,
        after=tuple(tuple(step for step in reminders if step.level > level) for level in range(MAX_LEVEL + 1)),
        thanks=next((step for step in active if step.name == THANKS), None),
        thanks_since=published.thanks_since,
    )


def _compile(step: ScenarioStep, company: CompanyDays, before_due: bool) -> Step:
    return Step(
        name=step.step,
        level=STEP_NAMES.index(step.step) if step.step in REMINDERS else 0,
        medium=step.medium,
        delay=timedelta(days=step.delay_days),
        counted_from=step.counted_from,
        automatic=step.mode == "automatic",
        template=step.template,
        ignorable=step.ignorable,
        end_of_month=step.end_of_month,
        from_end_of_month=step.from_end_of_month,
        calendar=calendar(company, step.calendar),
        not_before=not_before(company, step.calendar),
        copies=step.copies,
        before_due=before_due,
    )


def thanks_switched_on(published: ScenarioPublished) -> bool:
    """Whether anybody is thanked by this scenario."""
    return any(
        step.step == THANKS and step.enabled
        for steps, on in (
            (published.with_email, published.with_email_enabled),
            (published.without_email, published.without_email_enabled),
        )
        for step in steps
        if on
    )


def level_name(level: int) -> str | None:
    """``None`` below R1 (rule 5.1)."""
    return LEVEL_NAMES[level]


def level_number(name: str | None) -> int:
    return STEP_NAMES.index(name) if name else 0
