"""What was said of one client, by whom and when: what a decision need not know and an explanation tells."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from contracts import dunning, ledger
from contracts.event import Event


class Told(NamedTuple):
    """A fact as it was said: its business date, who caused it, the instant it was recorded and its place."""

    event: Event
    on: date
    by: str = "system"
    at: datetime | None = None
    position: str = ""


class Since(NamedTuple):
    """Since when something holds, and by whom."""

    on: date
    by: str


class PromiseMade(NamedTuple):
    promise_id: UUID
    entry_id: str
    amount: Decimal
    currency: str
    promised_on: date
    since: Since


class DisputeOpen(NamedTuple):
    """``entry_id`` is ``None`` for the whole account."""

    dispute_id: UUID
    entry_id: str | None
    reason: str
    since: Since


class ActionMade(NamedTuple):
    """``confirmed`` by a person, or at once when the step is automatic."""

    action: dunning.Action
    opened: Since
    confirmed: Since | None


@dataclass
class Memory:
    """Grows with every fact heard, in the order of each speaker."""

    stop: Since | None = None
    entry_stops: dict[str, Since] = field(default_factory=dict)
    promises: dict[UUID, PromiseMade] = field(default_factory=dict)
    disputes: dict[UUID, DisputeOpen] = field(default_factory=dict)
    errors: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    actions: dict[UUID, ActionMade] = field(default_factory=dict)
    expected_on: dict[str, date] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def hear(self, told: Told) -> None:  # noqa: PLR0912 - a case per event
        event, since = told.event, Since(told.on, told.by)
        match event:
            case ledger.ClientStopped():
                self.stop = since
            case ledger.ClientResumed():
                self.stop = None
            case ledger.EntryStopped():
                self.entry_stops[event.entry_id] = since
            case ledger.EntryResumed():
                self.entry_stops.pop(event.entry_id, None)
            case ledger.PromiseRecorded():  # one that stands again too
                made = (event.promise_id, event.entry_id, event.amount, event.currency, event.promised_on, since)
                self.promises[event.promise_id] = PromiseMade(*made)
            case ledger.PromiseBroken():
                pass  # late, and still a promise
            case ledger.PromiseCancelled():  # kept ones too
                self.promises.pop(event.promise_id, None)
            case ledger.DisputeOpened():
                self.disputes[event.dispute_id] = DisputeOpen(
                    event.dispute_id, event.entry_id, event.reason, since
                )
            case ledger.DisputeClosed():
                self.disputes.pop(event.dispute_id, None)
            case ledger.LetteringErrorFound():
                self.errors[event.account, event.lettering] = event.difference
            case ledger.LetteringErrorCleared():
                self.errors.pop((event.account, event.lettering), None)
            case ledger.EntryRepositioned():
                if event.expected_on is None:
                    self.expected_on.pop(event.entry_id, None)
                else:
                    self.expected_on[event.entry_id] = event.expected_on
            case ledger.NoteAdded():
                if event.entry_id is not None:
                    self.notes[event.entry_id] = self.notes.get(event.entry_id, 0) + 1
            case _:
                self._hear_own(event, since)

    def _hear_own(self, event: Event, since: Since) -> None:
        match event:
            case dunning.ActionProposed():
                self.actions[event.action.action_id] = ActionMade(event.action, since, None)
            case dunning.ActionDue():
                before = self.actions.get(event.action.action_id)
                action = event.action if before is None else before.action
                opened = since if before is None else before.opened
                self.actions[event.action.action_id] = ActionMade(action, opened, since)
            case dunning.ActionWithdrawn() | dunning.ActionDone():
                self.actions.pop(event.action_id, None)
            case dunning.ActionExcluded():
                for entry in event.entries:
                    if entry.reasons:
                        self.excluded[entry.entry_id] = entry.reasons
                    else:
                        self.excluded.pop(entry.entry_id, None)
            case _:
                pass


def remember(history: Iterable[Told]) -> Memory:
    memory = Memory()
    for told in history:
        memory.hear(told)
    return memory
