"""What ledger knows of a client, what people ask of it and what it sees: frozen values, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from contracts.ledger import DISPUTE_REASONS
from services.ledger.domain.profiles import DELIVERED, Profiles


class PromiseState(StrEnum):
    """What has been said of a promise; whether an open one is late depends on the day (``status_of``)."""

    OPEN = "open"
    BROKEN = "broken"
    KEPT = "kept"
    CANCELLED = "cancelled"


class PromiseStatus(StrEnum):
    """What a person reads on a given day (rule 10.2)."""

    EXPECTED = "expected"
    LATE = "late"
    KEPT = "kept"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Promise:
    promise_id: UUID
    entry_id: str
    amount: Decimal
    currency: str
    promised_on: date
    state: PromiseState = PromiseState.OPEN


@dataclass(frozen=True, slots=True)
class Dispute:
    """Of one entry, or, without ``entry_id``, of the whole account; closed ones stay in the history."""

    dispute_id: UUID
    entry_id: str | None
    reason: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF attached to an entry (rule 19.6); ``bytes`` is its size."""

    document_id: UUID
    entry_id: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry as accounting shows it; ``amount`` is debit minus credit, ``open`` is that of rule 2.8."""

    entry_id: str
    amount: Decimal
    currency: str
    open: bool


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """What others may know of a client: the union of its people, accounting's facts and the chosen profile."""

    has_email: bool = False
    has_phone: bool = False
    has_address: bool = False
    language: str = "fr"
    profile: str | None = None
    category: str | None = None
    payment_mode: str | None = None
    removed: bool = False
    salesperson: str | None = None


class Group(NamedTuple):
    """Key of a lettering group within its client."""

    account: str
    lettering: str


class GroupLine(NamedTuple):
    """One entry of a lettering group; ``book_amount`` is debit minus credit in the bookkeeping currency."""

    entry_id: str
    kind: str
    entry_date: date
    book_amount: Decimal


@dataclass(frozen=True, slots=True)
class Announced:
    """What was said of a group's payments, and of the entries they settle."""

    payments: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClientState:
    """One client: ledger's own memory, then the entries that the fact at hand speaks of."""

    client_id: str
    version: int = 0
    said: ClientFacts = ClientFacts()
    stopped: bool = False
    resumes_on: date | None = None
    flagged: bool = False
    chosen_profile: str | None = None
    stopped_entries: Mapping[str, date | None] = field(default_factory=dict)
    """By entry, the day on which the stop ends by itself."""
    promises: Mapping[UUID, Promise] = field(default_factory=dict)
    disputes: Mapping[UUID, Dispute] = field(default_factory=dict)
    documents: Mapping[UUID, Document] = field(default_factory=dict)
    expected_on: Mapping[str, date] = field(default_factory=dict)
    """By entry, the day on which a person expects its money instead of the due date (rule 5.7)."""
    lettering_errors: Mapping[Group, Decimal] = field(default_factory=dict)
    lettered_payments: Mapping[Group, Announced] = field(default_factory=dict)
    entries: Mapping[str, EntryFacts] = field(default_factory=dict)


# Facts: what people ask for, then what ledger has seen.


@dataclass(frozen=True, slots=True)
class RecordPromise:
    """Without amount or date: the whole entry, seven days from now (rule 10.8)."""

    promise_id: UUID
    entry_id: str
    amount: Decimal | None = None
    promised_on: date | None = None
    not_after: date | None = None
    """The last day that a debtor may promise; ``None`` when a user writes the promise down (rule 10.9)."""


@dataclass(frozen=True, slots=True)
class CancelPromise:
    promise_id: UUID


@dataclass(frozen=True, slots=True)
class StopClient:
    """``resumes_on`` is the first day on which reminders may go again, ``None`` until a person resumes."""

    resumes_on: date | None = None


@dataclass(frozen=True, slots=True)
class ResumeClient:
    pass


@dataclass(frozen=True, slots=True)
class StopEntry:
    entry_id: str
    resumes_on: date | None = None


@dataclass(frozen=True, slots=True)
class ResumeEntry:
    entry_id: str


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """``reasons`` are those the company chooses from (rule 11.3)."""

    dispute_id: UUID
    reason: str
    entry_id: str | None = None
    reasons: tuple[str, ...] = DISPUTE_REASONS


@dataclass(frozen=True, slots=True)
class CloseDispute:
    dispute_id: UUID


@dataclass(frozen=True, slots=True)
class RepositionEntry:
    """``None`` gives the entry back to its due date."""

    entry_id: str
    expected_on: date | None


@dataclass(frozen=True, slots=True)
class FlagClient:
    flagged: bool = True


@dataclass(frozen=True, slots=True)
class AddNote:
    note_id: UUID
    entry_id: str | None = None
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachDocument:
    """Attaching what is attached already changes nothing."""

    document: Document


@dataclass(frozen=True, slots=True)
class RemoveDocument:
    document_id: UUID


@dataclass(frozen=True, slots=True)
class AssignProfile:
    """``None`` gives the choice back to accounting (rule 3.5). ``profiles`` are those to choose from."""

    profile: str | None
    profiles: Profiles = DELIVERED


@dataclass(frozen=True, slots=True)
class ErasePerson:
    """The person behind the client is to be forgotten everywhere."""


@dataclass(frozen=True, slots=True)
class ClientSeen:
    """People or accounting may have changed; the profile in ``facts`` is accounting's.

    ``person_changed`` says that texts changed which no event carries, so others must fetch the client again.
    """

    facts: ClientFacts
    person_changed: bool = False


class GroupSeen(NamedTuple):
    """A lettering group as a completed run left it; no lines: nothing carries the code any more."""

    group: Group
    lines: tuple[GroupLine, ...]


@dataclass(frozen=True, slots=True)
class DayCame:
    """A business day began."""


Command = (
    RecordPromise
    | CancelPromise
    | StopClient
    | ResumeClient
    | StopEntry
    | ResumeEntry
    | OpenDispute
    | CloseDispute
    | RepositionEntry
    | FlagClient
    | AddNote
    | AttachDocument
    | RemoveDocument
    | AssignProfile
    | ErasePerson
)
Fact = Command | ClientSeen | GroupSeen | DayCame
