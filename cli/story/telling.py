"""Tells a story: each day's facts go through the very functions that the service decides with."""

from collections.abc import Iterator
from datetime import date

from cli.story.format import (
    Happening,
    Nothing,
    Rounds,
    StepLine,
    Story,
    Variants,
)
from cli.story.happening import Happens
from cli.story.reading import Places
from cli.story.state import Telling, client_changed
from contracts import dunning
from services.dunning.defaults import delivered_scenarios
from services.dunning.domain import policy as policies
from services.dunning.domain.evolve import ClientBook
from services.dunning.domain.scenario import THANKS, ScenarioRefused
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.scenario_words import PAYMENT_DATE


def begin(story: Story, places: Places) -> Telling:
    """Checks policy and scenarios as the service would; raises ``StoryRefused``."""
    try:
        policies.load(story.company)
    except policies.PolicyRefused as refusal:
        raise places.refuse(("company",), str(refusal)) from refusal
    published = {}
    if story.scenarios is None:
        published = {one.profile: one for one in delivered_scenarios()}
    for profile, variants in (story.scenarios or {}).items():
        try:
            published[profile] = _published(profile, variants)
            load_scenario(published[profile])
        except ScenarioRefused as refusal:
            raise places.refuse(("scenarios", profile), str(refusal)) from refusal
    telling = Telling(story, places, story.company, published)
    for name, client in story.clients.items():
        telling.books[name] = ClientBook("story", name)
        telling.say(name, client_changed(name, client.email, client.profile, client.payment_mode), date.min)
    return telling


def tell(telling: Telling) -> Iterator[tuple[date, Happening, tuple[str | int, ...]]]:
    """Lives the days one thing at a time, giving each back once it has happened."""
    regular = telling.story.rounds
    round_days = frozenset(() if regular is None else regular.days())
    for on in sorted(round_days | set(telling.story.days)):
        for number, happening in enumerate(telling.story.days.get(on, ())):
            word = happening.word()
            assert word is not None
            path = ("days", on.isoformat(), number, word)
            Happens(telling, on, path).live(happening)
            yield on, happening, path
        if regular is not None and on in round_days:
            yield from _round(telling, regular, on)


def _round(telling: Telling, regular: Rounds, on: date) -> Iterator[tuple[date, Happening, tuple[str | int, ...]]]:
    """The day's regular round, and what is done of it the same day."""
    things = [Happening(round=Nothing())]
    if regular.carry_out is not None:
        things.append(Happening(carry_out=regular.carry_out))
    for happening in things:
        path = ("rounds", str(happening.word()))
        Happens(telling, on, path).live(happening)
        yield on, happening, path


def _published(profile: str, variants: Variants) -> dunning.ScenarioPublished:
    without: list[StepLine] = list(variants.without_email)
    if "without_email" not in variants.model_fields_set:
        for line in variants.with_email:
            starts = any(step.step != "notice" for step in without) or line.counted_from != "previous_step"
            if line.medium != "email" and line.step != "notice" and starts:
                without.append(line)
    return dunning.ScenarioPublished(
        profile=profile,
        version=1,
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
