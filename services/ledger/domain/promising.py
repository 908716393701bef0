"""Promises: given, broken by the day, kept by the money, open again when the money is taken back (rule 10)."""

from datetime import date, timedelta
from typing import TypeVar

from contracts.event import Event
from contracts.ledger import PromiseBroken, PromiseCancelled, PromiseKept, PromiseRecorded, PromiseReopened
from services.ledger.domain.facts import (
    CancelPromise,
    ClientState,
    GroupSeen,
    Promise,
    PromiseState,
    PromiseStatus,
    RecordPromise,
)
from services.ledger.domain.memory import status_of
from services.ledger.domain.refusals import (
    EntryAlreadyLettered,
    EntryAlreadyPromised,
    EntryIsACredit,
    PromiseAlreadyCancelled,
    PromiseAlreadyKept,
    PromiseInThePast,
    PromiseOfNothing,
    PromiseTooFar,
    UnknownEntry,
    UnknownPromise,
)

DEFAULT_PROMISE_DAYS = 7

AboutPromise = TypeVar("AboutPromise", bound=PromiseCancelled)


def record(state: ClientState, wanted: RecordPromise, as_of: date) -> list[Event]:
    """Several promises may stand on one entry (rule 10.1); today is not the past."""
    entry = state.entries.get(wanted.entry_id)
    if entry is None:
        raise UnknownEntry(state.client_id, wanted.entry_id)
    if not entry.open:
        raise EntryAlreadyLettered(state.client_id, entry.entry_id)
    if entry.amount <= 0:
        raise EntryIsACredit(state.client_id, entry.entry_id)
    amount = entry.amount if wanted.amount is None else wanted.amount
    if amount <= 0:
        raise PromiseOfNothing(state.client_id, entry.entry_id, amount)
    promised_on = wanted.promised_on or as_of + timedelta(days=DEFAULT_PROMISE_DAYS)
    if promised_on < as_of:
        raise PromiseInThePast(state.client_id, entry.entry_id, promised_on, as_of)
    if wanted.not_after is not None:
        _must_be_allowed(state, wanted, promised_on, as_of)
    return [
        PromiseRecorded(
            promise_id=wanted.promise_id,
            client_id=state.client_id,
            entry_id=entry.entry_id,
            amount=amount,
            currency=entry.currency,
            promised_on=promised_on,
        )
    ]


def _must_be_allowed(state: ClientState, wanted: RecordPromise, promised_on: date, as_of: date) -> None:
    """What a debtor promises has a last day, and waits until an earlier promise is late or over (rule 10.9)."""
    assert wanted.not_after is not None
    if promised_on > wanted.not_after:
        raise PromiseTooFar(state.client_id, wanted.entry_id, promised_on, wanted.not_after)
    for known in state.promises.values():
        if known.entry_id == wanted.entry_id and status_of(known, as_of) is PromiseStatus.EXPECTED:
            raise EntryAlreadyPromised(state.client_id, wanted.entry_id, known.promised_on)


def cancel(state: ClientState, wanted: CancelPromise) -> list[Event]:
    promise = state.promises.get(wanted.promise_id)
    if promise is None:
        raise UnknownPromise(wanted.promise_id)
    if promise.state is PromiseState.KEPT:
        raise PromiseAlreadyKept(state.client_id, wanted.promise_id)
    if promise.state is PromiseState.CANCELLED:
        raise PromiseAlreadyCancelled(state.client_id, wanted.promise_id)
    return [_about(PromiseCancelled, state, promise)]


def broken(state: ClientState, as_of: date) -> list[Event]:
    """The promises whose day has passed on an entry that is still open (rule 10.2)."""
    return [
        _about(PromiseBroken, state, promise)
        for promise in state.promises.values()
        if promise.state is PromiseState.OPEN
        and status_of(promise, as_of) is PromiseStatus.LATE
        and promise.entry_id in state.entries
        and state.entries[promise.entry_id].open
    ]


def kept(state: ClientState, seen: GroupSeen) -> list[Event]:
    """In a balanced group promises are kept, broken ones too (rule 10.2)."""
    if not state.promises:  # as of nearly all clients
        return []
    settled = {line.entry_id for line in seen.lines}
    return [
        _about(PromiseKept, state, promise)
        for promise in state.promises.values()
        if promise.state in (PromiseState.OPEN, PromiseState.BROKEN) and promise.entry_id in settled
    ]


def reopened(state: ClientState) -> list[Event]:
    """Kept means lettered: the promises of entries that are open again stand again (rules 10.2, 22.8)."""
    return [
        PromiseReopened(
            promise_id=promise.promise_id,
            client_id=state.client_id,
            entry_id=promise.entry_id,
            amount=promise.amount,
            currency=promise.currency,
            promised_on=promise.promised_on,
        )
        for promise in state.promises.values()
        if promise.state is PromiseState.KEPT
        and promise.entry_id in state.entries
        and state.entries[promise.entry_id].open
    ]


def _about(event: type[AboutPromise], state: ClientState, promise: Promise) -> AboutPromise:
    return event(promise_id=promise.promise_id, client_id=state.client_id, entry_id=promise.entry_id)
