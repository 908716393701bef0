"""What sync says: facts read from accounting."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from contracts.event import Amount, ClientId, Currency, EntryId, Event, Fact


class SyncedEntry(Fact):
    """The state of one accounting line as the source shows it now.

    Exactly one of debit and credit differs from zero in a sane book, both are kept as read. ``book_amount`` is
    debit minus credit in the bookkeeping currency (rule 22.17). ``removed`` archives the line (rule 2.9).
    """

    entry_id: EntryId
    client_id: ClientId
    account: str
    kind: str
    """``invoice``, ``credit_note`` or ``payment``; other words may come and mean none of these."""
    journal: str
    piece: str
    entry_date: date
    invoice_date: date | None = None
    due_date: date
    debit: Amount
    credit: Amount
    currency: Currency
    book_amount: Amount
    payment_mode: str | None = None
    lettering: str | None = None
    lettered_on: date | None = None
    removed: bool = False


class SyncedClient(Fact):
    """A client as accounting knows it, without its personal data."""

    client_id: ClientId
    account: str
    currency: Currency | None = None
    profile: str | None = None
    category: str | None = None
    payment_mode: str | None = None
    salesperson: str | None = None
    """The code of who looks after the client, never a name: names go to ledger over HTTP."""
    removed: bool = False


class EntriesSynced(Event):
    """Lines of one company and one partition that are new, changed or gone: at most 500, only what changed."""

    speaker: ClassVar[str] = "sync"
    run_id: UUID
    source: str
    entries: tuple[SyncedEntry, ...]


class ClientsSynced(Event):
    """Clients of one company and one partition that are new, changed or gone.

    Their people were handed to ledger before this is said.
    """

    speaker: ClassVar[str] = "sync"
    run_id: UUID
    source: str
    clients: tuple[SyncedClient, ...]


class SyncStarted(Event):
    speaker: ClassVar[str] = "sync"
    run_id: UUID
    connector: str
    source: str


class SyncCompleted(Event):
    """A run ended well. ``positions`` says how far each speaker's partitions must be heard to know all of it:
    ``{"sync": {7: 42}, "ledger": {7: 12}}``.
    """

    speaker: ClassVar[str] = "sync"
    run_id: UUID
    connector: str
    source: str
    completed_at: datetime
    entries_read: int
    changed: int
    archived: int
    positions: dict[str, dict[int, int]]


class SyncFailed(Event):
    """A run ended with nothing applied; ``reason`` is a code, the texts stay in the run's history."""

    speaker: ClassVar[str] = "sync"
    run_id: UUID
    connector: str
    source: str
    reason: str


class ConnectorSilent(Event):
    speaker: ClassVar[str] = "sync"
    connector: str
    last_seen_at: datetime | None
