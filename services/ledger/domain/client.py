"""Decisions about one client: a fact is answered with events, or refused."""

from dataclasses import fields, replace
from datetime import date
from operator import attrgetter
from typing import Any, assert_never
from uuid import UUID

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
    NoteAdded,
    PersonErased,
    ProfileAssigned,
)
from services.ledger.domain import lettering, promising
from services.ledger.domain.facts import (
    AddNote,
    AssignProfile,
    AttachDocument,
    CancelPromise,
    ClientFacts,
    ClientSeen,
    ClientState,
    CloseDispute,
    DayCame,
    ErasePerson,
    Fact,
    FlagClient,
    GroupSeen,
    OpenDispute,
    RecordPromise,
    RemoveDocument,
    RepositionEntry,
    ResumeClient,
    ResumeEntry,
    StopClient,
    StopEntry,
)
from services.ledger.domain.refusals import (
    ClientAlreadyFlagged,
    ClientAlreadyStopped,
    ClientNotFlagged,
    ClientNotStopped,
    DisputeAlreadyClosed,
    DisputeAlreadyOpen,
    EntryAlreadyLettered,
    EntryAlreadyStopped,
    EntryNotRepositioned,
    EntryNotStopped,
    ExpectedInThePast,
    StopEndsInThePast,
    UnknownDispute,
    UnknownDisputeReason,
    UnknownDocument,
    UnknownEntry,
    UnknownProfile,
)

FACTS = tuple(field.name for field in fields(ClientFacts))
VALUES = attrgetter(*FACTS)


def decide(state: ClientState, fact: Fact, as_of: date) -> list[Event]:  # noqa: PLR0911, PLR0912 - a case per fact
    """The events that a fact brings about on a day.

    Raises a ``Refusal`` when a person asks for what cannot be; facts that are merely seen are never refused.
    """
    if isinstance(fact, GroupSeen):  # a first import brings hundreds of thousands
        return lettering.judge(state, fact)
    match fact:
        case RecordPromise():
            return promising.record(state, fact, as_of)
        case CancelPromise():
            return promising.cancel(state, fact)
        case StopClient():
            return _stop_client(state, fact, as_of)
        case ResumeClient():
            if not state.stopped:
                raise ClientNotStopped(state.client_id)
            return [ClientResumed(client_id=state.client_id)]
        case StopEntry():
            return _stop_entry(state, fact, as_of)
        case ResumeEntry(entry_id):
            if entry_id not in state.stopped_entries:
                raise EntryNotStopped(state.client_id, entry_id)
            return [EntryResumed(client_id=state.client_id, entry_id=entry_id)]
        case OpenDispute():
            return _open_dispute(state, fact)
        case CloseDispute():
            return _close_dispute(state, fact)
        case RepositionEntry():
            return _reposition(state, fact, as_of)
        case FlagClient(flagged):
            if flagged == state.flagged:
                raise (ClientAlreadyFlagged if flagged else ClientNotFlagged)(state.client_id)
            return [ClientFlagged(client_id=state.client_id, flagged=flagged)]
        case AddNote(note_id, entry_id, mentions):
            _must_know(state, entry_id)
            return [
                NoteAdded(note_id=note_id, client_id=state.client_id, entry_id=entry_id, mentions=mentions),
            ]
        case AssignProfile(profile, profiles):
            if profile is not None and not profiles.has(profile):
                raise UnknownProfile(profile)
            if profile == state.chosen_profile:
                return []
            return [ProfileAssigned(client_id=state.client_id, profile=profile)]
        case AttachDocument():
            return _attach(state, fact)
        case RemoveDocument(document_id):
            return [_removed(state, document_id)]
        case ErasePerson():
            removed = [_removed(state, document_id) for document_id in state.documents]
            return [*removed, PersonErased(client_id=state.client_id, version=state.version + 1)]
        case ClientSeen():
            return _seen(state, fact)
        case DayCame():
            return [*promising.broken(state, as_of), *_stops_over(state, as_of)]
        case _:
            assert_never(fact)


def _must_know(state: ClientState, entry_id: str | None) -> None:
    if entry_id is not None and entry_id not in state.entries:
        raise UnknownEntry(state.client_id, entry_id)


def _must_be_ahead(state: ClientState, resumes_on: date | None, as_of: date) -> None:
    if resumes_on is not None and resumes_on <= as_of:
        raise StopEndsInThePast(state.client_id, resumes_on, as_of)


def _stop_client(state: ClientState, wanted: StopClient, as_of: date) -> list[Event]:
    """A stop that stands may get another end (rule 8.1)."""
    if state.stopped and wanted.resumes_on == state.resumes_on:
        raise ClientAlreadyStopped(state.client_id)
    _must_be_ahead(state, wanted.resumes_on, as_of)
    return [ClientStopped(client_id=state.client_id, resumes_on=wanted.resumes_on)]


def _stop_entry(state: ClientState, wanted: StopEntry, as_of: date) -> list[Event]:
    """As for a client (rule 8.2)."""
    _must_know(state, wanted.entry_id)
    stops = state.stopped_entries
    if wanted.entry_id in stops and wanted.resumes_on == stops[wanted.entry_id]:
        raise EntryAlreadyStopped(state.client_id, wanted.entry_id)
    _must_be_ahead(state, wanted.resumes_on, as_of)
    return [EntryStopped(client_id=state.client_id, entry_id=wanted.entry_id, resumes_on=wanted.resumes_on)]


def _stops_over(state: ClientState, as_of: date) -> list[Event]:
    """Stops end by themselves on their day; others need a person."""
    over: list[Event] = []
    if state.stopped and state.resumes_on is not None and state.resumes_on <= as_of:
        over.append(ClientResumed(client_id=state.client_id))
    over += [
        EntryResumed(client_id=state.client_id, entry_id=entry_id)
        for entry_id, resumes_on in state.stopped_entries.items()
        if resumes_on is not None and resumes_on <= as_of
    ]
    return over


def _open_dispute(state: ClientState, wanted: OpenDispute) -> list[Event]:
    """One dispute at a time on an entry, and one on the account beside them (rules 11.1, 11.3)."""
    _must_know(state, wanted.entry_id)
    if wanted.entry_id is not None and not state.entries[wanted.entry_id].open:
        raise EntryAlreadyLettered(state.client_id, wanted.entry_id)
    if wanted.reason not in wanted.reasons:
        raise UnknownDisputeReason(state.client_id, wanted.reason, wanted.reasons)
    for known in state.disputes.values():
        if known.entry_id == wanted.entry_id and not known.closed:
            raise DisputeAlreadyOpen(state.client_id, wanted.entry_id, known.dispute_id)
    return [
        DisputeOpened(
            dispute_id=wanted.dispute_id,
            client_id=state.client_id,
            entry_id=wanted.entry_id,
            reason=wanted.reason,
        )
    ]


def _close_dispute(state: ClientState, wanted: CloseDispute) -> list[Event]:
    known = state.disputes.get(wanted.dispute_id)
    if known is None:
        raise UnknownDispute(wanted.dispute_id)
    if known.closed:
        raise DisputeAlreadyClosed(state.client_id, wanted.dispute_id)
    return [DisputeClosed(dispute_id=known.dispute_id, client_id=state.client_id, entry_id=known.entry_id)]


def _attach(state: ClientState, wanted: AttachDocument) -> list[Event]:
    document = wanted.document
    _must_know(state, document.entry_id)
    if document.document_id in state.documents:
        return []
    return [
        DocumentAttached(
            document_id=document.document_id,
            client_id=state.client_id,
            entry_id=document.entry_id,
            sha256=document.sha256,
            bytes=document.bytes,
        )
    ]


def _removed(state: ClientState, document_id: UUID) -> Event:
    known = state.documents.get(document_id)
    if known is None:
        raise UnknownDocument(document_id)
    return DocumentRemoved(document_id=document_id, client_id=state.client_id, entry_id=known.entry_id)


def _reposition(state: ClientState, wanted: RepositionEntry, as_of: date) -> list[Event]:
    """Forecasts move, the reminder cycle does not (rule 5.7)."""
    _must_know(state, wanted.entry_id)
    known = state.expected_on.get(wanted.entry_id)
    if wanted.expected_on is None and known is None:
        raise EntryNotRepositioned(state.client_id, wanted.entry_id)
    if wanted.expected_on == known:
        return []
    if wanted.expected_on is not None:
        if not state.entries[wanted.entry_id].open:
            raise EntryAlreadyLettered(state.client_id, wanted.entry_id)
        if wanted.expected_on < as_of:
            raise ExpectedInThePast(state.client_id, wanted.entry_id, wanted.expected_on, as_of)
    return [EntryRepositioned(client_id=state.client_id, entry_id=wanted.entry_id, expected_on=wanted.expected_on)]


def _seen(state: ClientState, seen: ClientSeen) -> list[Event]:
    """A person's choice of profile wins over accounting's until it is removed (rule 3.5)."""
    facts = seen.facts
    if state.chosen_profile is not None:
        facts = replace(facts, profile=state.chosen_profile)
    if state.version and facts == state.said and not seen.person_changed:
        return []
    return [ClientChanged(client_id=state.client_id, version=state.version + 1, **_told(facts))]


def _told(facts: ClientFacts) -> dict[str, Any]:
    """Flat, and the values as they are: a book has as many of these as clients."""
    return dict(zip(FACTS, VALUES(facts), strict=True))
