"""Two codes that are one client: what people said of the old one goes on with the new one (rule 5.9).

Accounting has moved the lines already, or moves them later: a merge may be said again, and carries what is left.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid5

from contracts.event import Event
from contracts.ledger import (
    ClientFlagged,
    ClientMerged,
    ClientResumed,
    ClientStopped,
    DisputeClosed,
    DisputeOpened,
    DocumentAttached,
    DocumentRemoved,
    EntryRepositioned,
    EntryResumed,
    EntryStopped,
    MergedEntry,
    ProfileAssigned,
    PromiseCancelled,
    PromiseKept,
    PromiseRecorded,
)
from services.ledger.domain.facts import ClientState, PromiseState
from services.ledger.domain.refusals import ClientAlreadyMerged, MergeIntoItself

CARRIED = UUID("3f7f0f42-6a55-4f0e-9a35-5f6d8f1c7a10")
"""Namespace of what is carried over, so that carrying it again makes nothing twice."""


@dataclass(frozen=True, slots=True)
class BookLine:
    """What of an accounting line stays the same when its client is renumbered."""

    entry_id: str
    kind: str
    journal: str
    piece: str
    entry_date: date
    amount: Decimal
    currency: str
    removed: bool = False


def moved(before: Iterable[BookLine], after: Iterable[BookLine]) -> dict[str, str]:
    """Which line of the old code is which of the new one: the same identity, else the only one of its kind.

    Only a line that is gone from the old code has moved. Lines that look alike are not guessed at.
    """
    old, new = list(before), list(after)
    standing = {line.entry_id for line in new}
    found = {line.entry_id: line.entry_id for line in old if line.entry_id in standing}
    like: dict[tuple[object, ...], list[str]] = defaultdict(list)
    alike: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for line in new:
        if line.entry_id not in found:
            like[_looks(line)].append(line.entry_id)
    for line in old:
        if line.removed and line.entry_id not in found:
            alike[_looks(line)].append(line.entry_id)
    for looks, entry_ids in alike.items():
        if len(entry_ids) == 1 and len(like.get(looks, ())) == 1:
            found[entry_ids[0]] = like[looks][0]
    return found


def _looks(line: BookLine) -> tuple[object, ...]:
    return line.kind, line.journal, line.piece, line.entry_date, line.amount, line.currency


def landing(client_id: str, merged_into: Mapping[str, str]) -> str:
    """The code that a code has become by now, over a chain of merges; itself when it stands alone."""
    while client_id in merged_into:
        client_id = merged_into[client_id]
    return client_id


@dataclass(frozen=True, slots=True)
class Merging:
    """``before`` is the old code's state, ``after`` the new one's; ``entries`` what ``moved`` found.

    ``merged_into`` are the merges that stand, old code to new; ``named`` the pairs of entries that merges of the
    old code named before; ``remaining`` that open lines still stand under the old code.
    """

    before: ClientState
    after: ClientState
    entries: Mapping[str, str]
    merged_into: Mapping[str, str]
    named: Collection[tuple[str, str]] = frozenset()
    remaining: bool = False
    documents: Mapping[UUID, UUID] = field(default_factory=dict)
    """What a document of a line that moved is called under the new code."""


def merge(wanted: Merging) -> tuple[list[Event], list[Event]]:
    """What is said of the old code, and of the new one.

    A pair of lines is named once: whoever hears it moves what he knows of the line, and would undo what was
    decided of the new one since.
    ``after`` is a code that stands (``landing``). Raises ``MergeIntoItself``, also round a circle, and
    ``ClientAlreadyMerged`` when the old code became another client.
    """
    old, new = wanted.before.client_id, wanted.after.client_id
    if landing(new, wanted.merged_into) == old:
        raise MergeIntoItself(old, new)
    known = wanted.merged_into.get(old)
    if known is not None and landing(known, wanted.merged_into) != new:
        raise ClientAlreadyMerged(old, known)
    ended, begun = _carried(wanted)
    if known is None:
        of_old, of_new = _client_marks(wanted)
        ended += of_old
        begun += of_new
    entries = tuple(
        MergedEntry(entry_id=one, into_entry_id=other)
        for one, other in sorted(wanted.entries.items())
        if (one, other) not in wanted.named
    )
    return [*ended, ClientMerged(client_id=old, into=new, entries=entries)], begun


def _carried(wanted: Merging) -> tuple[list[Event], list[Event]]:
    """What stands of the old code ends there, and begins here unless the new one has a word of its own."""
    before, after, entries = wanted.before, wanted.after, wanted.entries
    ended: list[Event] = []
    begun: list[Event] = []
    for promise in before.promises.values():
        carried = uuid5(CARRIED, f"{promise.promise_id}")
        if promise.state in (PromiseState.OPEN, PromiseState.BROKEN) and promise.entry_id in entries:
            about = {"client_id": before.client_id, "entry_id": promise.entry_id}
            ended.append(PromiseCancelled(promise_id=promise.promise_id, **about))
            begun.append(
                PromiseRecorded(
                    promise_id=carried,
                    client_id=after.client_id,
                    entry_id=entries[promise.entry_id],
                    amount=promise.amount,
                    currency=promise.currency,
                    promised_on=promise.promised_on,
                )
            )
            if _is_settled(after, entries[promise.entry_id]):
                # its lettering group was judged before the promise came, and is not again (rule 10.2)
                about = {"client_id": after.client_id, "entry_id": entries[promise.entry_id]}
                begun.append(PromiseKept(promise_id=carried, **about))
    open_after = {dispute.entry_id for dispute in after.disputes.values() if not dispute.closed}
    for dispute in before.disputes.values():
        if dispute.closed or (dispute.entry_id is not None and dispute.entry_id not in entries):
            continue
        target = None if dispute.entry_id is None else entries[dispute.entry_id]
        closed = {"dispute_id": dispute.dispute_id, "entry_id": dispute.entry_id}
        if dispute.entry_id is not None or not wanted.remaining:
            ended.append(DisputeClosed(client_id=before.client_id, **closed))
        carried = uuid5(CARRIED, f"{dispute.dispute_id}")
        if target not in open_after and carried not in after.disputes and not _is_settled(after, target):
            open_after.add(target)
            begun.append(
                DisputeOpened(
                    dispute_id=carried,
                    client_id=after.client_id,
                    entry_id=target,
                    reason=dispute.reason,
                )
            )
    of_old, of_new = _entry_marks(before, after, entries)
    with_documents = _documents(wanted)
    return [*ended, *of_old, *with_documents[0]], [*begun, *of_new, *with_documents[1]]


def _documents(wanted: Merging) -> tuple[list[Event], list[Event]]:
    """Documents of lines that moved; one that the new code has already is not attached twice."""
    ended: list[Event] = []
    begun: list[Event] = []
    for document_id, carried in wanted.documents.items():
        document = wanted.before.documents[document_id]
        old = {"client_id": wanted.before.client_id, "entry_id": document.entry_id}
        ended.append(DocumentRemoved(document_id=document_id, **old))
        if carried not in wanted.after.documents:
            begun.append(
                DocumentAttached(
                    document_id=carried,
                    client_id=wanted.after.client_id,
                    entry_id=wanted.entries[document.entry_id],
                    sha256=document.sha256,
                    bytes=document.bytes,
                )
            )
    return ended, begun


def _is_settled(after: ClientState, entry_id: str | None) -> bool:
    """Nobody opens a dispute on such a line by hand, nor stops it: a mark there would never be looked at again."""
    line = after.entries.get(entry_id) if entry_id is not None else None
    return line is not None and not line.open


def _entry_marks(
    before: ClientState, after: ClientState, entries: Mapping[str, str]
) -> tuple[list[Event], list[Event]]:
    """Stops and expected days of lines that moved and are still open; where both codes have one, the new one's
    stands."""
    ended: list[Event] = []
    begun: list[Event] = []
    for entry_id, resumes_on in before.stopped_entries.items():
        if entry_id in entries:
            ended.append(EntryResumed(client_id=before.client_id, entry_id=entry_id))
            target = {"client_id": after.client_id, "entry_id": entries[entry_id]}
            if entries[entry_id] not in after.stopped_entries and not _is_settled(after, entries[entry_id]):
                begun.append(EntryStopped(resumes_on=resumes_on, **target))
    for entry_id, expected_on in before.expected_on.items():
        if entry_id in entries:
            ended.append(EntryRepositioned(client_id=before.client_id, entry_id=entry_id, expected_on=None))
            target = {"client_id": after.client_id, "entry_id": entries[entry_id]}
            if entries[entry_id] not in after.expected_on and not _is_settled(after, entries[entry_id]):
                begun.append(EntryRepositioned(expected_on=expected_on, **target))
    return ended, begun


def _client_marks(wanted: Merging) -> tuple[list[Event], list[Event]]:
    """Stop, flag and profile go over with the first merge; where both codes have one, the new one's stands.

    While open lines remain under the old code its marks stay too: ended, a stopped client would be reminded.
    """
    before, after = wanted.before, wanted.after
    ended: list[Event] = []
    begun: list[Event] = []
    if before.stopped:
        ended.append(ClientResumed(client_id=before.client_id))
        if not after.stopped:
            begun.append(ClientStopped(client_id=after.client_id, resumes_on=before.resumes_on))
    if before.flagged:
        ended.append(ClientFlagged(client_id=before.client_id, flagged=False))
        if not after.flagged:
            begun.append(ClientFlagged(client_id=after.client_id))
    if before.chosen_profile is not None:
        ended.append(ProfileAssigned(client_id=before.client_id, profile=None))
        if after.chosen_profile is None:
            begun.append(ProfileAssigned(client_id=after.client_id, profile=before.chosen_profile))
    return [] if wanted.remaining else ended, begun
