"""A client whose facts are remembered as they are told, so that a day can be explained and its statement read."""

from dataclasses import dataclass, field
from datetime import date

from contracts import dunning
from contracts.event import Event
from services.dunning.domain.case import Seen, see
from services.dunning.domain.memory import Memory, Told, remember
from services.dunning.domain.policy import load as load_policy
from tests.specs.dunning.given import Day, World, day, entry_id


@dataclass
class Life(World):
    """``World`` with a memory. What its rounds propose and what people confirm is remembered as well."""

    told: list[Told] = field(default_factory=list)

    def on(self, text: str, *facts: Event) -> "Life":
        self.told += [Told(fact, day(text), "user:anna") for fact in facts]
        super().on(text, *facts)
        return self

    def when(self, text: str, since: str | None = None) -> Day:
        decided = super().when(text, since)
        for planned in decided.decision.actions:
            self.told.append(Told(dunning.ActionProposed(action=self.said[planned.action_id]), day(text)))
        return decided

    def confirm_all(self, text: str) -> "Life":
        for action_id, opened in self.book.actions.items():
            if not opened.confirmed:
                due = dunning.ActionDue(action=self.said[action_id])
                self.told.append(Told(due, day(text), "user:bert"))
        super().confirm_all(text)
        return self

    def memory(self) -> Memory:
        return remember(self.told)

    def seen(self, text: str, home: str = "EUR") -> Seen:
        """The decision of that day with all that is known, to be explained."""
        policy = load_policy(self.policy)
        state = self.book.state()._replace(synced_on=date.fromisoformat(text))
        return see(state, policy, self.scenario, day(text), home=home, memory=self.memory())

    def name(self, identity: str) -> str:
        return next((name for name in self.names.values() if entry_id(name) == identity), identity)
