"""Everything that is wrong with a scenario, told at once (rules 4.1, 4.4, 4.5, 4.7, 4.8, 4.15)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from contracts.dunning import ScenarioPublished, ScenarioStep
from services.dunning.domain import scenario_refusals as refusals
from services.dunning.domain.calendar import impossible
from services.dunning.domain.scenario_refusals import ScenarioRefused
from services.dunning.domain.scenario_words import (
    LONGEST_DELAY_DAYS,
    LONGEST_THANKS_DELAY_DAYS,
    MEDIA,
    MEDIA_WITH_TEMPLATE,
    MODES,
    NOTICE,
    PAYMENT_DATE,
    PREVIOUS_STEP,
    REFERENCES,
    REMINDERS,
    STEP_NAMES,
    THANKS,
)


def check(published: ScenarioPublished) -> list[ScenarioRefused]:
    """Nothing when the scenario can work. What is switched off is checked too, since it may be switched on."""
    found = [
        *_variant(published.profile, "with_email", published.with_email, published.with_email_enabled),
        *_variant(published.profile, "without_email", published.without_email, published.without_email_enabled),
        *(
            refusals.EmailStepForClientsWithoutEmail(published.profile, "without_email", step.step)
            for step in published.without_email
            if step.medium == "email"
        ),
    ]
    with_email = published.with_email_enabled and published.with_email
    if not with_email and not (published.without_email_enabled and published.without_email):
        found.append(refusals.NoActiveVariant(published.profile))
    return found


def _variant(profile: str, variant: str, steps: Sequence[ScenarioStep], on: bool) -> list[ScenarioRefused]:
    if not steps:
        return []
    found = [problem for step in steps for problem in _step(profile, variant, step)]
    if any(step.step not in STEP_NAMES or step.counted_from not in REFERENCES for step in steps):
        return found
    found += _order(profile, variant, steps)
    active = [step for step in steps if step.enabled]
    found += _references(profile, variant, active)
    if on and not active:
        found.append(refusals.NoActiveStep(profile, variant))
    return found


def _step(profile: str, variant: str, step: ScenarioStep) -> Iterator[ScenarioRefused]:
    known: Iterable[tuple[type[ScenarioRefused], str, Sequence[str]]] = (
        (refusals.UnknownStep, step.step, STEP_NAMES),
        (refusals.UnknownMedium, step.medium, MEDIA),
        (refusals.UnknownReference, step.counted_from, REFERENCES),
        (refusals.UnknownMode, step.mode, MODES),
    )
    for refusal, word, words in known:
        if word not in words:
            yield refusal(profile, variant, step.step, value=word)
    where = (profile, variant, step.step)
    most = LONGEST_THANKS_DELAY_DAYS if step.step == THANKS else LONGEST_DELAY_DAYS
    if not 0 <= step.delay_days <= most:
        yield refusals.DelayOutOfRange(*where, value=step.delay_days, most=most)
    moved = step.end_of_month or step.from_end_of_month
    if step.step == NOTICE and (step.counted_from != "due_date" or moved):
        yield refusals.NoticeNotCountedFromDueDate(*where)
    if step.step == THANKS and (step.counted_from != PAYMENT_DATE or moved):
        yield refusals.ThanksNotCountedFromPayment(*where)
    if step.step in REMINDERS and step.counted_from == PAYMENT_DATE:
        yield refusals.OnlyThanksCountFromPayment(*where)
    if step.medium in MEDIA_WITH_TEMPLATE and not step.template:
        yield refusals.TemplateMissing(*where)
    if step.mode == "automatic" and step.medium != "email":
        yield refusals.OnlyEmailIsAutomatic(*where)
    if step.copies and step.medium != "email":
        yield refusals.OnlyEmailHasCopies(*where)
    if step.calendar is not None and (part := impossible(step.calendar)) is not None:
        yield refusals.CalendarImpossible(*where, part=part)


def _order(profile: str, variant: str, steps: Sequence[ScenarioStep]) -> Iterator[ScenarioRefused]:
    for step, following in pairwise(steps):
        if STEP_NAMES.index(step.step) >= STEP_NAMES.index(following.step):
            names = ", ".join(one.step for one in steps)
            yield refusals.StepsOutOfOrder(profile, variant, following.step, names=names)


def _references(profile: str, variant: str, active: Sequence[ScenarioStep]) -> Iterator[ScenarioRefused]:
    reminders = [step for step in active if step.step in REMINDERS]
    if reminders and reminders[0].counted_from == PREVIOUS_STEP:
        yield refusals.FirstReminderCountsFromPreviousStep(profile, variant, reminders[0].step)
    counted = [step for step in reminders if step.counted_from not in (PREVIOUS_STEP, PAYMENT_DATE)]
    for step in counted[1:]:
        if step.counted_from != counted[0].counted_from:
            yield refusals.ReferenceDatesDiffer(profile, variant, step.step)
