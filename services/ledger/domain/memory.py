"""What ledger remembers of a client: the fold of its own events.

Entries are accounting's: they stand in the state to be looked at, and no event of ledger changes them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar, assert_never

from contracts.event import Event
from contracts.ledger import (
    ClientChanged,
    ClientFlagged,
    ClientResumed,
    ClientStopped,
    DisputeClosed,
    DisputeOpened,
    DocumentAttached,
    DocumentRemoved,
    EntryRepositioned,
    EntryResumed,
    EntryStopped,
    LetteringErrorCleared,
    LetteringErrorFound,
    PaymentLettered,
    PersonErased,
    ProfileAssigned,
    PromiseBroken,
    PromiseCancelled,
    PromiseKept,
    PromiseRecorded,
)
from contracts.terms import days_late
from services.ledger.domain.facts import (
    Announced,
    ClientFacts,
    ClientState,
    Dispute,
    Document,
    Group,
    Promise,
    PromiseState,
    PromiseStatus,
)

Key = TypeVar("Key")
Value = TypeVar("Value")


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
        case ClientStopped(resumes_on=resumes_on):
            return replace(state, stopped=True, resumes_on=resumes_on)
        case ClientResumed():
            return replace(state, stopped=False, resumes_on=None)
        case EntryStopped(entry_id=entry_id, resumes_on=resumes_on):
            return replace(state, stopped_entries={**state.stopped_entries, entry_id: resumes_on})
        case EntryResumed(entry_id=entry_id):
            return replace(state, stopped_entries=_without(state.stopped_entries, entry_id))
        case DisputeOpened(dispute_id=dispute_id, entry_id=disputed, reason=reason):
            dispute = Dispute(dispute_id, disputed, reason)
            return replace(state, disputes={**state.disputes, dispute_id: dispute})
        case DisputeClosed(dispute_id=dispute_id):
            closed = replace(state.disputes[dispute_id], closed=True)
            return replace(state, disputes={**state.disputes, dispute_id: closed})
        case DocumentAttached(document_id=document_id):
            document = Document(document_id, event.entry_id, event.sha256, event.bytes)
            return replace(state, documents={**state.documents, document_id: document})
        case DocumentRemoved(document_id=document_id):
            return replace(state, documents=_without(state.documents, document_id))
        case EntryRepositioned(entry_id=entry_id):
            others = _without(state.expected_on, entry_id)
            if event.expected_on is None:
                return replace(state, expected_on=others)
            return replace(state, expected_on={**others, entry_id: event.expected_on})
        case ClientFlagged(flagged=flagged):
            return replace(state, flagged=flagged)
        case ProfileAssigned(profile=profile):
            return replace(state, chosen_profile=profile)
        case ClientChanged():
            facts = ClientFacts(**{name: getattr(event, name) for name in ClientFacts.__slots__})
            return replace(state, version=event.version, said=facts)
        case PersonErased(version=version):
            return replace(state, version=version)
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
            return replace(state, lettering_errors=_without(state.lettering_errors, cleared))
        case PaymentLettered(account=account, lettering=lettering, payments=payments, settled=settled):
            group = Group(account, lettering)
            known = state.lettered_payments.get(group, Announced())
            told = Announced(known.payments.union(payments), known.settled.union(settled))
            return replace(state, lettered_payments={**state.lettered_payments, group: told})
        case _:
            return state


def _with_promise(state: ClientState, event: PromiseCancelled, after: PromiseState) -> ClientState:
    promise = replace(state.promises[event.promise_id], state=after)
    return replace(state, promises={**state.promises, event.promise_id: promise})


def _without(known: Mapping[Key, Value], key: Key) -> dict[Key, Value]:
    return {one: value for one, value in known.items() if one != key}
