"""Tells a story: each day's facts go through the very functions that the service decides with."""

from collections.abc import Iterator
from datetime import date

from cli.story.format import Happening, Nothing, Rounds, Story
from cli.story.happening import Happens
from cli.story.publishing import published
from cli.story.reading import Places
from cli.story.state import Telling, client_changed
from services.dunning.defaults import delivered_scenarios
from services.dunning.domain import policy as policies
from services.dunning.domain.evolve import ClientBook
from services.dunning.domain.scenario import ScenarioRefused
from services.dunning.domain.scenario import load as load_scenario


def begin(story: Story, places: Places) -> Telling:
    """Checks policy and scenarios as the service would; raises ``StoryRefused``."""
    try:
        policies.load(story.company)
    except policies.PolicyRefused as refusal:
        raise places.refuse(("company",), str(refusal)) from refusal
    scenarios = {}
    if story.scenarios is None:
        scenarios = {one.profile: one for one in delivered_scenarios()}
    for profile, variants in (story.scenarios or {}).items():
        try:
            scenarios[profile] = published(profile, variants)
            load_scenario(scenarios[profile])
        except ScenarioRefused as refusal:
            raise places.refuse(("scenarios", profile), str(refusal)) from refusal
    telling = Telling(story, places, story.company, scenarios)
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
