"""What a story knows while it is told."""

from dataclasses import dataclass, field
from datetime import date
from hashlib import md5
from uuid import UUID

from cli.story.format import (
    Story,
)
from cli.story.reading import Places
from contracts import dunning, ledger
from contracts.event import Event
from services.dunning.domain.calendar import CompanyDays
from services.dunning.domain.evolve import ClientBook, evolve
from services.dunning.domain.scenario import Scenario, level_name
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.verdicts import Decision


@dataclass
class ClientRound:
    """One client on one day: what was decided, and the actions open before it."""

    client_id: str
    decision: Decision
    open_before: frozenset[UUID]
    open_after: tuple[UUID, ...]
    ends: tuple[str, ...] = ()
    """The entries whose end was said (``DunningExhausted``)."""


@dataclass
class Round:
    on: date
    clients: list[ClientRound]


@dataclass
class Telling:
    """The whole state of a story while it is told."""

    story: Story
    places: Places
    policy: dunning.PolicyChanged
    published: dict[str, dunning.ScenarioPublished]
    books: dict[str, ClientBook] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    actions: dict[UUID, dunning.Action] = field(default_factory=dict)
    opened_on: dict[UUID, date] = field(default_factory=dict)
    withdrawn: list[tuple[date, UUID, str]] = field(default_factory=list)
    done: dict[date, list[UUID]] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    automatic: set[UUID] = field(default_factory=set)
    """Actions that left by themselves."""
    acted: list[UUID] = field(default_factory=list)
    """What a person did by criteria, the last time."""
    is_read: bool = True
    """Accounting is read every day, until the connector falls silent (rule 2.6)."""
    announced: set[str] = field(default_factory=set)
    """Payments that were said to be lettered."""
    facts: dict[str, list[tuple[date, Event]]] = field(default_factory=dict)
    """Everything said, by client, in order: what a backtest lives again."""

    @property
    def days(self) -> CompanyDays:
        return CompanyDays(self.policy.calendar, self.story.company.country)

    @property
    def scenarios(self) -> dict[str, Scenario]:
        """As they are compiled with the calendar of the day."""
        return {profile: load_scenario(one, self.days) for profile, one in self.published.items()}

    def say(self, client: str, event: Event, on: date) -> None:
        self.books[client] = evolve(self.books[client], event, on)
        self.facts.setdefault(client, []).append((on, event))

    def level(self, entry: str) -> str | None:
        stage = self.books[self.owners[entry]].stages.get(entry_id(entry))
        return None if stage is None else level_name(stage.level)


def entry_id(name: str) -> str:
    return md5(name.encode(), usedforsecurity=False).hexdigest()


def client_changed(client: str, email: str | None, profile: str | None, mode: str | None) -> Event:
    return ledger.ClientChanged(
        client_id=client, version=1, has_email=bool(email), profile=profile, payment_mode=mode
    )
