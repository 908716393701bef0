"""How a ledger spec reads: ``given(history).when(fact, on=day).then(events)``."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from contracts.event import Event
from services.ledger.domain import ClientState, EntryFacts, Fact, decide, evolve
from services.ledger.domain.refusals import Refusal

CLIENT = "411DUPONT"
INVOICE = "a" * 32
CREDIT = "c" * 32
PROMISE = UUID(int=1)
EVE, DAY, DAY_AFTER = date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 11)


def entry(entry_id: str = INVOICE, amount: str = "1250.40", *, open: bool = True) -> EntryFacts:
    return EntryFacts(entry_id=entry_id, amount=Decimal(amount), currency="EUR", open=open)


@dataclass(frozen=True)
class Outcome:
    state: ClientState
    fact: Fact
    on: date

    def events(self) -> list[Event]:
        return decide(self.state, self.fact, self.on)

    def then(self, *events: Event) -> None:
        assert self.events() == list(events)

    def refused(self, refusal: type[Refusal]) -> Refusal:
        """It names all that it is about."""
        with pytest.raises(refusal) as told:
            decide(self.state, self.fact, self.on)
        known = {"client_id": CLIENT, "as_of": self.on}
        for name, value in vars(told.value).items():
            if name in known:
                assert value == known[name], (name, value)
            else:
                assert value is not None or getattr(self.fact, name, value) is None, (name, value)
        return told.value


@dataclass(frozen=True)
class Given:
    state: ClientState

    def when(self, fact: Fact, on: date = DAY) -> Outcome:
        return Outcome(self.state, fact, on)


def given(*history: Event, entries: Iterable[EntryFacts] = (entry(),)) -> Given:
    state = ClientState(CLIENT, entries={known.entry_id: known for known in entries})
    for event in history:
        state = evolve(state, event)
    return Given(state)
