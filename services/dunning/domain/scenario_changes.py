"""What a new version of a scenario changes, step by step: for its preview and for its history."""

from typing import Any, NamedTuple

from contracts.dunning import ScenarioPublished, ScenarioStep
from services.dunning.domain.scenario_words import STEP_NAMES

VARIANTS = ("with_email", "without_email")


class Change(NamedTuple):
    """``step`` and ``field`` are ``None`` where the whole column, or the whole step, came or went."""

    variant: str
    step: str | None
    field: str | None
    before: Any
    after: Any


def changes(before: ScenarioPublished | None, after: ScenarioPublished) -> list[Change]:
    """In the order in which the steps stand; nothing when both say the same."""
    found: list[Change] = []
    for variant in VARIANTS:
        was_on = before is not None and getattr(before, f"{variant}_enabled")
        is_on = getattr(after, f"{variant}_enabled")
        if before is not None and was_on != is_on:
            found.append(Change(variant, None, "enabled", was_on, is_on))
        found += _steps(variant, () if before is None else getattr(before, variant), getattr(after, variant))
    return found


def _steps(variant: str, before: tuple[ScenarioStep, ...], after: tuple[ScenarioStep, ...]) -> list[Change]:
    was = {step.step: step.model_dump(mode="json") for step in before}
    now = {step.step: step.model_dump(mode="json") for step in after}
    found = []
    for name in sorted(was.keys() | now.keys(), key=_rank):
        if name not in now:
            found.append(Change(variant, name, None, was[name], None))
        elif name not in was:
            found.append(Change(variant, name, None, None, now[name]))
        else:
            found += [
                Change(variant, name, field, was[name][field], value)
                for field, value in now[name].items()
                if was[name][field] != value
            ]
    return found


def _rank(name: str) -> int:
    return STEP_NAMES.index(name) if name in STEP_NAMES else len(STEP_NAMES)
