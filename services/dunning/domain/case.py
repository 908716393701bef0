"""One entry as its explanation sees it: the decision about it, and everything that decision was made of."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from services.dunning.domain.decision import decide_openly
from services.dunning.domain.looks import Draft, Look
from services.dunning.domain.memory import ActionMade, Memory
from services.dunning.domain.openly import Openly
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Scenario
from services.dunning.domain.state import ClientState, EntryState, OpenAction
from services.dunning.domain.triggers import Pending, Stage, Trail, pending
from services.dunning.domain.verdicts import Due, Verdict
from services.dunning.domain.wording import Money


class Seen(NamedTuple):
    """A client decided openly on one day. ``home`` is the bookkeeping currency, which thresholds compare in."""

    as_of: date
    client: ClientState
    policy: Policy
    scenario: Scenario | None
    home: str
    memory: Memory
    openly: Openly

    @property
    def profile(self) -> str:
        return self.client.profile or self.policy.default_profile


class Case(NamedTuple):
    """``trail`` tells how the day of the entry's own next step was found; ``draft`` is the message it stands in
    or would stand in, ``action`` the open action that holds it already.
    """

    seen: Seen
    entry: EntryState
    verdict: Verdict
    look: Look
    trail: tuple[Stage, ...]
    draft: Draft | None
    action: OpenAction | None

    @property
    def found(self) -> Pending | None:
        """The entry's own next step."""
        return self.look.pending

    @property
    def made(self) -> ActionMade | None:
        """The open action that holds it, as it was said."""
        return None if self.action is None else self.seen.memory.actions.get(self.action.action_id)

    def money(self, amount: int) -> Money:
        """In the entry's currency."""
        return Money(amount, self.entry.currency)

    def booked(self, amount: int) -> Money:
        """In the bookkeeping currency."""
        return Money(amount, self.seen.home)


def see(  # noqa: PLR0913 - a decision, and what its explanation tells besides
    client: ClientState,
    policy: Policy,
    scenario: Scenario | None,
    as_of: date,
    *,
    home: str = "EUR",
    memory: Memory | None = None,
) -> Seen:
    """The decision of that day, made openly."""
    openly = decide_openly(client, policy, scenario, as_of)
    return Seen(as_of, client, policy, scenario, home, memory or Memory(), openly)


def cases(seen: Seen) -> dict[str, Case]:
    """By entry, in the order of the client's entries."""
    drafts: Mapping[str, Draft] = {
        member.entry.entry_id: drawn
        for grouped in seen.openly.grouped
        for drawn in grouped.drafts
        for member in drawn.members
    }
    held = {entry.entry_id: action for action in seen.client.open_actions for entry in action.entries}
    found = {}
    for entry in seen.client.entries:
        verdict = seen.openly.decision.verdicts[entry.entry_id]
        action = held.get(entry.entry_id)
        if action is not None and not (isinstance(verdict, Due) and verdict.action_id == action.action_id):
            action = None  # it will be withdrawn
        trail: Trail = []
        if seen.openly.plan is not None:
            pending(entry, seen.openly.plan, seen.as_of, trail)
        look = seen.openly.looks[entry.entry_id]
        found[entry.entry_id] = Case(seen, entry, verdict, look, tuple(trail), drafts.get(entry.entry_id), action)
    return found
