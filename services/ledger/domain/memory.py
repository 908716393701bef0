"""What ledger remembers of a client: the fold of its own events.

Entries are accounting's: they stand in the state to be looked at, and no event of ledger changes them.
"""

from dataclasses import replace
from datetime import date
from typing import assert_never

from contracts.event import Event
from contracts.ledger import (
    ClientChanged,
    ClientResumed,
    ClientStopped,
    EntryResumed,
    EntryStopped,
    LetteringErrorCleared,
    LetteringErrorFound,
    PaymentLettered,
    ProfileAssigned,
    PromiseBroken,
    PromiseCancelled,
    PromiseKept,
    PromiseRecorded,
)
from contracts.terms import days_late
from services.ledger.domain.facts import ClientFacts, ClientState, Group, Promise, PromiseState, PromiseStatus


def status_of(promise: Promise, as_of: date) -> PromiseStatus:
    """What a person reads of a promise on a day: not late on the promised day itself (rules 1.10, 10.2, 10.5)."""
    match promise.state:
        case PromiseState.KEPT:
            return PromiseStatus.KEPT
        case PromiseState.CANCELLED:
            return PromiseStatus.CANCELLED
        case PromiseState.OPEN | PromiseState.BROKEN:
            late = days_late(promise.promised_on, as_of) > 0
            return PromiseStatus.LATE if late else PromiseStatus.EXPECTED
        case _:
            assert_never(promise.state)


def evolve(state: ClientState, event: Event) -> ClientState:  # noqa: PLR0911, PLR0912 - a case per event
    """The state after an event of ledger; events that leave no trace in it return it unchanged."""
    match event:
        case ClientStopped():
            return replace(state, stopped=True)
        case ClientResumed():
            return replace(state, stopped=False)
        case EntryStopped(entry_id=entry_id):
            return replace(state, stopped_entries=state.stopped_entries | {entry_id})
        case EntryResumed(entry_id=entry_id):
            return replace(state, stopped_entries=state.stopped_entries - {entry_id})
        case ProfileAssigned(profile=profile):
            return replace(state, chosen_profile=profile)
        case ClientChanged():
            facts = ClientFacts(**{name: getattr(event, name) for name in ClientFacts.__slots__})
            return replace(state, version=event.version, said=facts)
        case PromiseRecorded():
            promise = Promise(
                promise_id=event.promise_id,
                entry_id=event.entry_id,
                amount=event.amount,
                currency=event.currency,
                promised_on=event.promised_on,
            )
            return replace(state, promises={**state.promises, promise.promise_id: promise})
        case PromiseKept():
            return _with_promise(state, event, PromiseState.KEPT)
        case PromiseBroken():
            return _with_promise(state, event, PromiseState.BROKEN)
        case PromiseCancelled():
            return _with_promise(state, event, PromiseState.CANCELLED)
        case LetteringErrorFound(account=account, lettering=lettering, difference=difference):
            errors = {**state.lettering_errors, Group(account, lettering): difference}
            return replace(state, lettering_errors=errors)
        case LetteringErrorCleared(account=account, lettering=lettering):
            cleared = Group(account, lettering)
            errors = {group: known for group, known in state.lettering_errors.items() if group != cleared}
            return replace(state, lettering_errors=errors)
        case PaymentLettered(account=account, lettering=lettering, payments=payments):
            group = Group(account, lettering)
            return replace(state, lettered_payments={**state.lettered_payments, group: frozenset(payments)})
        case _:
            return state


def _with_promise(state: ClientState, event: PromiseCancelled, after: PromiseState) -> ClientState:
    promise = replace(state.promises[event.promise_id], state=after)
    return replace(state, promises={**state.promises, event.promise_id: promise})
