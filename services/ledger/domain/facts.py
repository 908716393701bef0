"""What ledger knows of a client, what people ask of it and what it sees: frozen values, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


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


@dataclass(frozen=True, slots=True)
class Group:
    """Key of a lettering group within its client."""

    account: str
    lettering: str


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One entry of a lettering group; ``book_amount`` is debit minus credit in the bookkeeping currency."""

    entry_id: str
    kind: str
    entry_date: date
    book_amount: Decimal


@dataclass(frozen=True, slots=True)
class ClientState:
    """One client: ledger's own memory, then the entries that the fact at hand speaks of."""

    client_id: str
    version: int = 0
    said: ClientFacts = ClientFacts()
    stopped: bool = False
    chosen_profile: str | None = None
    stopped_entries: frozenset[str] = frozenset()
    promises: Mapping[UUID, Promise] = field(default_factory=dict)
    lettering_errors: Mapping[Group, Decimal] = field(default_factory=dict)
    lettered_payments: Mapping[Group, frozenset[str]] = field(default_factory=dict)
    entries: Mapping[str, EntryFacts] = field(default_factory=dict)


# Facts: what people ask for, then what ledger has seen.


@dataclass(frozen=True, slots=True)
class RecordPromise:
    """Without amount or date: the whole entry, seven days from now (rule 10.8)."""

    promise_id: UUID
    entry_id: str
    amount: Decimal | None = None
    promised_on: date | None = None


@dataclass(frozen=True, slots=True)
class CancelPromise:
    promise_id: UUID


@dataclass(frozen=True, slots=True)
class StopClient:
    pass


@dataclass(frozen=True, slots=True)
class ResumeClient:
    pass


@dataclass(frozen=True, slots=True)
class StopEntry:
    entry_id: str


@dataclass(frozen=True, slots=True)
class ResumeEntry:
    entry_id: str


@dataclass(frozen=True, slots=True)
class AddNote:
    note_id: UUID
    entry_id: str | None = None


@dataclass(frozen=True, slots=True)
class AssignProfile:
    """``None`` gives the choice back to accounting (rule 3.5)."""

    profile: str | None


@dataclass(frozen=True, slots=True)
class ClientSeen:
    """People or accounting may have changed; the profile in ``facts`` is accounting's.

    ``person_changed`` says that texts changed which no event carries, so others must fetch the client again.
    """

    facts: ClientFacts
    person_changed: bool = False


@dataclass(frozen=True, slots=True)
class GroupSeen:
    """A lettering group as a completed run left it; no lines: nothing carries the code any more."""

    group: Group
    lines: tuple[GroupLine, ...]


@dataclass(frozen=True, slots=True)
class DayCame:
    """A business day began."""


Command = (
    RecordPromise | CancelPromise | StopClient | ResumeClient | StopEntry | ResumeEntry | AddNote | AssignProfile
)
Fact = Command | ClientSeen | GroupSeen | DayCame
