"""Scenarios: what is said to a client, how, and when. Data, refused when loaded if it cannot work (rule 4)."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from contracts.dunning import ScenarioPublished, ScenarioStep

MAX_LEVEL = 7
NOTICE = "notice"
REMINDERS = tuple(f"R{level}" for level in range(1, MAX_LEVEL + 1))
STEP_NAMES = (NOTICE, *REMINDERS)
LEVEL_NAMES = (None, *REMINDERS)
MEDIA = ("email", "letter", "phone", "other")
MEDIA_WITH_TEMPLATE = ("email", "letter")
REFERENCES = ("due_date", "invoice_date", "previous_step")
MODES = ("manual", "automatic")
LONGEST_DELAY_DAYS = 3650


class Step(NamedTuple):
    """One active step, ready to be tested. ``level`` is 0 for the notice, else the level it brings (rule 5.3)."""

    name: str
    level: int
    medium: str
    delay: timedelta
    counted_from: str
    automatic: bool
    template: str | None
    ignorable: bool
    end_of_month: bool


class Plan(NamedTuple):
    """One variant, ready to be followed: its notice, and for each level the active steps that come after it."""

    notice: Step | None
    after: tuple[tuple[Step, ...], ...]


class Scenario(NamedTuple):
    """The scenario of one profile; a variant that is switched off is ``None`` (rule 4.1)."""

    profile: str
    version: int
    with_email: Plan | None
    without_email: Plan | None

    def plan(self, has_email: bool) -> Plan | None:
        """The variant is chosen from the client's data on the day of the decision (rule 4.2)."""
        return self.with_email if has_email else self.without_email


class ScenarioRefused(Exception):
    """A scenario that cannot work; each kind is a fact of its own, ``str()`` says it in a sentence."""


class UnknownStep(ScenarioRefused): ...


class UnknownMedium(ScenarioRefused): ...


class UnknownReference(ScenarioRefused): ...


class UnknownMode(ScenarioRefused): ...


class DelayOutOfRange(ScenarioRefused): ...


class StepsOutOfOrder(ScenarioRefused): ...


class FirstReminderCountsFromPreviousStep(ScenarioRefused): ...


class ReferenceDatesDiffer(ScenarioRefused): ...


class NoticeNotCountedFromDueDate(ScenarioRefused): ...


class EmailStepForClientsWithoutEmail(ScenarioRefused): ...


class TemplateMissing(ScenarioRefused): ...


class OnlyEmailIsAutomatic(ScenarioRefused): ...


class NoActiveStep(ScenarioRefused): ...


def load(published: ScenarioPublished) -> Scenario:
    """The scenario of an event, checked and compiled; raises a ``ScenarioRefused``."""
    with_email = _variant(published.profile, "with e-mail", published.with_email)
    without_email = _variant(published.profile, "without e-mail", published.without_email)
    for step in published.without_email:
        if step.medium == "email":
            raise EmailStepForClientsWithoutEmail(
                f"{published.profile}, without e-mail: {step.step} is an e-mail, which these clients cannot get."
            )
    on = (
        with_email if published.with_email_enabled else None,
        without_email if published.without_email_enabled else None,
    )
    if on == (None, None):
        raise NoActiveStep(f"{published.profile}: no variant is switched on.")
    return Scenario(published.profile, published.version, *on)


def _variant(profile: str, variant: str, steps: Sequence[ScenarioStep]) -> Plan | None:
    """``None`` for a variant without any step, which is the same as one that is switched off."""
    if not steps:
        return None
    where = f"{profile}, {variant}"
    for step in steps:
        _check_words(where, step)
    ranks = [STEP_NAMES.index(step.step) for step in steps]
    if any(rank >= following for rank, following in pairwise(ranks)):
        names = ", ".join(step.step for step in steps)
        raise StepsOutOfOrder(f"{where}: steps stand in order and once each, notice, R1 to R7; got {names}.")
    active = [step for step in steps if step.enabled]
    reminders = [step for step in active if step.step != NOTICE]
    references = {step.counted_from for step in reminders if step.counted_from != "previous_step"}
    if reminders and reminders[0].counted_from == "previous_step":
        raise FirstReminderCountsFromPreviousStep(
            f"{where}: {reminders[0].step} is the first reminder; no step before it can be counted from."
        )
    if len(references) > 1:
        raise ReferenceDatesDiffer(
            f"{where}: all steps count from one reference date, due date or invoice date, not both."
        )
    notices = [step for step in active if step.step == NOTICE]
    if references == {"invoice_date"}:
        notices = []  # choosing the invoice date for the first reminder switches the notice off (rule 4.8)
    if not notices and not reminders:
        raise NoActiveStep(f"{where}: no step is switched on.")
    compiled = [_compile(step) for step in reminders]
    return Plan(
        notice=_compile(notices[0]) if notices else None,
        after=tuple(tuple(step for step in compiled if step.level > level) for level in range(MAX_LEVEL + 1)),
    )


def _check_words(where: str, step: ScenarioStep) -> None:
    known: Iterable[tuple[type[ScenarioRefused], str, Sequence[str]]] = (
        (UnknownStep, step.step, STEP_NAMES),
        (UnknownMedium, step.medium, MEDIA),
        (UnknownReference, step.counted_from, REFERENCES),
        (UnknownMode, step.mode, MODES),
    )
    for refusal, word, words in known:
        if word not in words:
            raise refusal(f"{where}, {step.step}: {word!r} is not one of {', '.join(words)}.")
    if not 0 <= step.delay_days <= LONGEST_DELAY_DAYS:
        raise DelayOutOfRange(
            f"{where}, {step.step}: a delay is 0 to {LONGEST_DELAY_DAYS} days, not {step.delay_days}."
        )
    if step.step == NOTICE and (step.counted_from != "due_date" or step.end_of_month):
        raise NoticeNotCountedFromDueDate(f"{where}: the notice is counted back from the due date.")
    if step.medium in MEDIA_WITH_TEMPLATE and not step.template:
        raise TemplateMissing(f"{where}, {step.step}: an e-mail or a letter needs a template.")
    if step.mode == "automatic" and step.medium != "email":
        raise OnlyEmailIsAutomatic(f"{where}, {step.step}: only an e-mail can leave by itself.")


def _compile(step: ScenarioStep) -> Step:
    return Step(
        name=step.step,
        level=STEP_NAMES.index(step.step),
        medium=step.medium,
        delay=timedelta(days=step.delay_days),
        counted_from=step.counted_from,
        automatic=step.mode == "automatic",
        template=step.template,
        ignorable=step.ignorable,
        end_of_month=step.end_of_month,
    )


def level_name(level: int) -> str | None:
    """``None`` below R1 (rule 5.1)."""
    return LEVEL_NAMES[level]


def level_number(name: str | None) -> int:
    return STEP_NAMES.index(name) if name else 0
