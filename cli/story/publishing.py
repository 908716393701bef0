"""A scenario as a story writes it, in the form that dunning publishes."""

from cli.story.format import StepLine, Variants
from contracts import dunning
from services.dunning.domain.scenario import THANKS
from services.dunning.domain.scenario_words import PAYMENT_DATE


def published(profile: str, variants: Variants, version: int = 1) -> dunning.ScenarioPublished:
    """The variant without e-mail follows from the other one where it is not written."""
    without: list[StepLine] = list(variants.without_email)
    if "without_email" not in variants.model_fields_set:
        for line in variants.with_email:
            starts = any(step.step != "notice" for step in without) or line.counted_from != "previous_step"
            if line.medium != "email" and line.step != "notice" and starts:
                without.append(line)
    return dunning.ScenarioPublished(
        profile=profile,
        version=version,
        with_email=tuple(_step(line) for line in variants.with_email),
        without_email=tuple(_step(line) for line in without),
        thanks_since=variants.thanks_since,
    )


def _step(line: StepLine) -> dunning.ScenarioStep:
    told = "counted_from" in line.model_fields_set
    return dunning.ScenarioStep(
        step=line.step,
        medium=line.medium,
        delay_days=line.delay,
        counted_from=PAYMENT_DATE if line.step == THANKS and not told else line.counted_from,
        mode=line.mode,
        template=line.template or (line.step if line.medium in {"email", "letter"} else None),
        ignorable=line.ignorable,
        enabled=line.enabled,
        end_of_month=line.end_of_month,
        from_end_of_month=line.from_end_of_month,
        calendar=line.calendar,
    )
