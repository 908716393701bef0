"""Decisions about one client: a fact is answered with events, or refused."""

from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar, assert_never

from contracts.event import Event
from contracts.ledger import (
    ClientChanged,
    ClientResumed,
    ClientStopped,
    EntryResumed,
    EntryStopped,
    LetteringErrorCleared,
    LetteringErrorFound,
    NoteAdded,
    PaymentLettered,
    ProfileAssigned,
    PromiseBroken,
    PromiseCancelled,
    PromiseKept,
    PromiseRecorded,
)
from contracts.terms import lettering_difference
from services.ledger.domain.facts import (
    AddNote,
    AssignProfile,
    CancelPromise,
    ClientSeen,
    ClientState,
    DayCame,
    EntryFacts,
    Fact,
    Group,
    GroupSeen,
    Promise,
    PromiseState,
    PromiseStatus,
    RecordPromise,
    ResumeClient,
    ResumeEntry,
    StopClient,
    StopEntry,
)
from services.ledger.domain.memory import status_of
from services.ledger.domain.refusals import (
    ClientAlreadyStopped,
    ClientNotStopped,
    EntryAlreadyLettered,
    EntryAlreadyStopped,
    EntryIsACredit,
    EntryNotStopped,
    PromiseAlreadyCancelled,
    PromiseAlreadyKept,
    PromiseInThePast,
    PromiseOfNothing,
    UnknownEntry,
    UnknownPromise,
)

DEFAULT_PROMISE_DAYS = 7

AboutPromise = TypeVar("AboutPromise", bound=PromiseCancelled)


def decide(state: ClientState, fact: Fact, as_of: date) -> list[Event]:  # noqa: PLR0911, PLR0912 - a case per fact
    """The events that a fact brings about on a day.

    Raises a ``Refusal`` when a person asks for what cannot be; facts that are merely seen are never refused.
    """
    match fact:
        case RecordPromise():
            return [_promise(state, fact, as_of)]
        case CancelPromise(promise_id):
            promise = state.promises.get(promise_id)
            if promise is None:
                raise UnknownPromise(promise_id)
            if promise.state is PromiseState.KEPT:
                raise PromiseAlreadyKept(state.client_id, promise_id)
            if promise.state is PromiseState.CANCELLED:
                raise PromiseAlreadyCancelled(state.client_id, promise_id)
            return [_about(PromiseCancelled, state, promise)]
        case StopClient():
            if state.stopped:
                raise ClientAlreadyStopped(state.client_id)
            return [ClientStopped(client_id=state.client_id)]
        case ResumeClient():
            if not state.stopped:
                raise ClientNotStopped(state.client_id)
            return [ClientResumed(client_id=state.client_id)]
        case StopEntry(entry_id):
            _entry(state, entry_id)
            if entry_id in state.stopped_entries:
                raise EntryAlreadyStopped(state.client_id, entry_id)
            return [EntryStopped(client_id=state.client_id, entry_id=entry_id)]
        case ResumeEntry(entry_id):
            if entry_id not in state.stopped_entries:
                raise EntryNotStopped(state.client_id, entry_id)
            return [EntryResumed(client_id=state.client_id, entry_id=entry_id)]
        case AddNote(note_id, entry_id):
            if entry_id is not None:
                _entry(state, entry_id)
            return [NoteAdded(note_id=note_id, client_id=state.client_id, entry_id=entry_id)]
        case AssignProfile(profile):
            if profile == state.chosen_profile:
                return []
            return [ProfileAssigned(client_id=state.client_id, profile=profile)]
        case ClientSeen():
            return _seen(state, fact)
        case GroupSeen():
            difference = lettering_difference(line.book_amount for line in fact.lines)
            settled = difference == 0 and fact.lines
            return [
                *_lettering(state, fact.group, difference),
                *(_payments(state, fact) if settled else ()),
                *(_promises_kept(state, fact) if settled else ()),
            ]
        case DayCame():
            return [
                _about(PromiseBroken, state, promise)
                for promise in state.promises.values()
                if promise.state is PromiseState.OPEN
                and status_of(promise, as_of) is PromiseStatus.LATE
                and promise.entry_id in state.entries
                and state.entries[promise.entry_id].open
            ]
        case _:
            assert_never(fact)


def _entry(state: ClientState, entry_id: str) -> EntryFacts:
    if entry_id not in state.entries:
        raise UnknownEntry(state.client_id, entry_id)
    return state.entries[entry_id]


def _promise(state: ClientState, wanted: RecordPromise, as_of: date) -> PromiseRecorded:
    """Several promises may stand on one entry (rule 10.1); today is not the past."""
    entry = _entry(state, wanted.entry_id)
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
    return PromiseRecorded(
        promise_id=wanted.promise_id,
        client_id=state.client_id,
        entry_id=entry.entry_id,
        amount=amount,
        currency=entry.currency,
        promised_on=promised_on,
    )


def _about(event: type[AboutPromise], state: ClientState, promise: Promise) -> AboutPromise:
    return event(promise_id=promise.promise_id, client_id=state.client_id, entry_id=promise.entry_id)


def _seen(state: ClientState, seen: ClientSeen) -> list[Event]:
    """A person's choice of profile wins over accounting's until it is removed (rule 3.5)."""
    facts = seen.facts
    if state.chosen_profile is not None:
        facts = replace(facts, profile=state.chosen_profile)
    if state.version and facts == state.said and not seen.person_changed:
        return []
    return [ClientChanged(client_id=state.client_id, version=state.version + 1, **asdict(facts))]


def _lettering(state: ClientState, group: Group, difference: Decimal) -> list[Event]:
    """Said when the difference of a group appears, changes or goes (rule 2.8)."""
    if difference == state.lettering_errors.get(group, 0):
        return []
    if difference == 0:
        return [LetteringErrorCleared(client_id=state.client_id, account=group.account, lettering=group.lettering)]
    return [
        LetteringErrorFound(
            client_id=state.client_id,
            account=group.account,
            lettering=group.lettering,
            difference=difference,
        )
    ]


def _payments(state: ClientState, seen: GroupSeen) -> list[Event]:
    """In a balanced group a payment is announced once, with all that its group settles.

    A payment taken back is a debit that settles nothing.
    """
    paying = [line for line in seen.lines if line.kind == "payment" and line.book_amount < 0]
    payments = sorted(line.entry_id for line in paying)
    settled = sorted(line.entry_id for line in seen.lines if line.kind != "payment" and line.book_amount > 0)
    known = state.lettered_payments.get(seen.group, frozenset())
    if not settled or known.issuperset(payments):
        return []
    return [
        PaymentLettered(
            client_id=state.client_id,
            account=seen.group.account,
            lettering=seen.group.lettering,
            payments=tuple(payments),
            settled=tuple(settled),
            paid_on=max(line.entry_date for line in paying),
        )
    ]


def _promises_kept(state: ClientState, seen: GroupSeen) -> list[Event]:
    """In a balanced group promises are kept, broken ones too (rule 10.2)."""
    settled = {line.entry_id for line in seen.lines}
    return [
        _about(PromiseKept, state, promise)
        for promise in state.promises.values()
        if promise.state in (PromiseState.OPEN, PromiseState.BROKEN) and promise.entry_id in settled
    ]
