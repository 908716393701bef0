"""What ledger says: what people state about clients, and what it finds true of their accounts."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.event import Amount, ClientId, Currency, EntryId, Event, Fact
from contracts.objectives import CashObjectives

DISPUTE_REASONS = (
    "price", "quantity", "quality", "delivery", "missing_order_number", "invoice_not_received",
    "credit_note_expected", "other",
)  # fmt: skip
"""The delivered reasons of a dispute; a company may have others (rule 11.3)."""


DELIVERED_PROFILES = ("Standard", "Export", "Grand Compte", "Interne")
DEFAULT_PROFILE = "Standard"
"""The profiles that a company begins with, and which of them is the default (rules 3.1, 3.2)."""


class CompanyRegistered(Event):
    """A company whose receivables are followed. ``fiscal_year_start`` is ``MM-DD``.

    ``dispute_reasons`` are those that people choose from: delivered codes, or the company's own words (rule 11.3).
    """

    speaker: ClassVar[str] = "ledger"
    name: str
    time_zone: str = "Europe/Paris"
    currency: Currency = "EUR"
    country: str = "FR"
    fiscal_year_start: str = "01-01"
    dispute_reasons: tuple[str, ...] = DISPUTE_REASONS


class CompanyChanged(CompanyRegistered):
    """The whole new state of the company's settings."""


class NamedField(Fact):
    """What a company calls one free field (rule 19.4). ``field`` is ``tag1`` to ``tag10``."""

    field: str
    title: str
    listed: bool = True
    """It stands as a column and a filter in the lists."""


class FieldsNamed(Event):
    """The free fields a company uses: at most 10 of its clients, ``tag1`` to ``tag3`` of its entries (rule 22.6).

    The whole list as it is now. What the fields hold may be personal and stays in ledger.
    """

    speaker: ClassVar[str] = "ledger"
    client: tuple[NamedField, ...] = ()
    entry: tuple[NamedField, ...] = ()


class HalfYearRates(Fact):
    """Published rates, percent a year, of the half-year from ``starts_on``, a 1 January or a 1 July."""

    starts_on: date
    refinancing: Amount
    """Of the main refinancing operations of the European Central Bank."""
    legal: Amount
    """Legal interest towards professionals."""


class LateInterestTerms(Fact):
    """What a company claims of businesses that pay late (rules 18.2, 18.3): shown, never posted.

    ``basis``: the refinancing rate and ten points, three times the legal rate, or ``contract_rate`` in percent.
    ``debtors`` says who is a business: clients of these ``categories`` alone, or all but them; nothing is claimed
    while it is unsaid. ``rates`` go before those that the program knows.
    """

    basis: Literal["refinancing", "legal", "contract"] = "refinancing"
    contract_rate: Amount | None = None
    debtors: Literal["unsaid", "only", "all_but"] = "unsaid"
    categories: tuple[str, ...] = ()
    rates: tuple[HalfYearRates, ...] = ()


class LateInterestChosen(LateInterestTerms, Event):
    """The whole of a company's terms as they are now."""

    speaker: ClassVar[str] = "ledger"


class CashObjectivesChosen(CashObjectives, Event):
    """The whole of a company's objectives as they are now."""

    speaker: ClassVar[str] = "ledger"


Months = Annotated[int, Field(ge=1, le=1200)]


class RetentionPeriods(Fact):
    """Months that contents are kept, ``None`` until somebody erases them (rule 22.34): ``messages`` as they left,
    ``answers``, addresses in ``reports`` that came back, ``files`` of debtors, persons in the ``archive``."""

    messages: Months | None = 60
    answers: Months | None = 60
    reports: Months | None = 12
    files: Months | None = 60
    archive: Months | None = 120


class RetentionChosen(RetentionPeriods, Event, must_be_heard="periods"):
    """The whole of a company's periods as they are now."""

    speaker: ClassVar[str] = "ledger"


class LegalHoldPlaced(Event, must_be_heard="hold"):
    """Nothing of this client ends by itself from now on: its contents may be needed as proof."""

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId


class LegalHoldLifted(Event, must_be_heard="hold"):
    """The periods count for this client again."""

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId


class FilesExpired(Event):
    """So many files of debtors had their time and were erased."""

    speaker: ClassVar[str] = "ledger"
    files: int


class ChangedClient(Fact):
    """What others may know of a client without knowing the person.

    ``version`` grows with every change of the client's people or facts; whoever shows or writes to the client
    fetches what it needs from ledger once per version.
    """

    client_id: ClientId
    version: int
    has_email: bool = False
    has_phone: bool = False
    has_address: bool = False
    language: str = "fr"
    profile: str | None = None
    category: str | None = None
    payment_mode: str | None = None
    removed: bool = False
    salesperson: str | None = None
    """The code of who looks after the client, by which access is given (rule 15.2); the name is ledger's."""


class ClientChanged(ChangedClient, Event):
    """What others may know of a client without knowing the person.

    ``version`` grows with every change of the client's people or facts; whoever shows or writes to the client
    fetches what it needs from ledger once per version.
    """

    speaker: ClassVar[str] = "ledger"


class ClientsChanged(Event):
    """Clients of one company and one partition that changed together, each once: at most 500.

    Means what as many ``ClientChanged`` would; said instead of them where a source told of many clients.
    """

    speaker: ClassVar[str] = "ledger"
    clients: tuple[ChangedClient, ...]


class PersonErased(Event, must_be_heard="erasure"):
    """The person behind a client is to be forgotten: whoever keeps a copy of its data deletes it.

    What was done stays, without the person. ``version`` counts with those of ``ClientChanged``.
    """

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    version: int


class PromiseRecorded(Event):
    speaker: ClassVar[str] = "ledger"
    promise_id: UUID
    client_id: ClientId
    entry_id: EntryId
    amount: Amount
    currency: Currency
    promised_on: date


class PromiseCancelled(Event):
    speaker: ClassVar[str] = "ledger"
    promise_id: UUID
    client_id: ClientId
    entry_id: EntryId


class PromiseKept(PromiseCancelled):
    """The entry was lettered (rule 10.2)."""


class PromiseReopened(PromiseRecorded):
    """The payment that kept the promise was taken back: the entry is open again, and the promise with it (rules
    10.2, 22.8). Late at once when its day has passed.
    """


class PromiseBroken(PromiseCancelled):
    """The promised day has passed and the entry is still open (rule 10.2)."""


class ClientStopped(Event, must_be_heard="stop"):
    """A person decided that this client is not to be reminded (rule 8.1).

    From ``resumes_on`` on it may be reminded again, without anybody's doing; ``None`` until a person resumes. Said
    again with another day, the latter counts.
    """

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    resumes_on: date | None = None


class ClientResumed(Event):
    """A person took the stop back, or its last day has passed."""

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId


class EntryStopped(Event, must_be_heard="stop"):
    """A person decided that this entry is not to be reminded (rule 8.2). ``resumes_on`` as for a client."""

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    entry_id: EntryId
    resumes_on: date | None = None


class EntryResumed(Event):
    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    entry_id: EntryId


class DisputeOpened(Event, must_be_heard="contested"):
    """The client contests an entry, or, without ``entry_id``, its whole account (rule 11.1).

    ``reason`` is one of the company's dispute reasons. A dispute alone stops no reminder (rules 8.10, 22.5).
    """

    speaker: ClassVar[str] = "ledger"
    dispute_id: UUID
    client_id: ClientId
    entry_id: EntryId | None = None
    reason: str


class DisputeClosed(Event):
    speaker: ClassVar[str] = "ledger"
    dispute_id: UUID
    client_id: ClientId
    entry_id: EntryId | None = None


class EntryRepositioned(Event):
    """A person expects the money on another day than the due date: forecasts move, reminders do not (rule 5.7).

    ``None`` gives the entry back to its due date.
    """

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    entry_id: EntryId
    expected_on: date | None = None


class ClientFlagged(Event):
    """A person follows this client closely, or no longer does: its events stand on the home page (rule 16.6)."""

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    flagged: bool = True


class NoteAdded(Event):
    """A note was written; its text stays in ledger. ``mentions`` are the users it calls on (``user:…``)."""

    speaker: ClassVar[str] = "ledger"
    note_id: UUID
    client_id: ClientId
    entry_id: EntryId | None = None
    mentions: tuple[str, ...] = ()


class DocumentAttached(Event):
    """A PDF, most often the invoice itself, was attached to an entry (rule 19.6).

    Its name and its content stay in ledger. The same content on the same entry is the same document.
    """

    speaker: ClassVar[str] = "ledger"
    document_id: UUID
    client_id: ClientId
    entry_id: EntryId
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: int


class DocumentRemoved(Event):
    """The document is not kept any more: a person took it away, or the person behind its client was erased."""

    speaker: ClassVar[str] = "ledger"
    document_id: UUID
    client_id: ClientId
    entry_id: EntryId


class ProfileAssigned(Event):
    """A person's choice of profile; ``None`` gives the choice back to accounting (rule 3.5)."""

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    profile: str | None


class ProfileNamed(Fact):
    """``profile`` is the word that events and scenarios know it by for ever, ``name`` what people read."""

    profile: str
    name: str


class ProfilesChanged(Event):
    """The profiles of a company, whole (rules 3.1 to 3.3); one that never changed them has the delivered ones.

    ``default_profile`` is that of clients of whom nobody says one. ``taken_over`` names, for each profile that was
    deleted, the one that has its clients now.
    """

    speaker: ClassVar[str] = "ledger"
    profiles: tuple[ProfileNamed, ...]
    default_profile: str
    taken_over: dict[str, str] = Field(default_factory=dict)


class MergedEntry(Fact):
    """One line of accounting that left the old code and stands under the new one."""

    entry_id: EntryId
    into_entry_id: EntryId


class ClientMerged(Event, must_be_heard="merged"):
    """A person said that two codes are one client (rule 5.9): what was said and done of ``client_id`` goes on with
    ``into``, to which ``entries`` have moved in accounting.
    """

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    into: ClientId
    entries: tuple[MergedEntry, ...] = ()


class LetteredGroup(Fact):
    """A balanced group of one (account, client, code) with the payments it holds and what they settle."""

    client_id: ClientId
    account: str
    lettering: str
    payments: tuple[EntryId, ...]
    settled: tuple[EntryId, ...]
    paid_on: date


class PaymentLettered(LetteredGroup, Event):
    """A balanced lettering group came to hold payments that were not announced yet."""

    speaker: ClassVar[str] = "ledger"


class PaymentsLettered(Event):
    """Balanced lettering groups of one company and one partition that came to hold payments, each once: at most
    500.

    Means what as many ``PaymentLettered`` would; said instead of them where a run lettered many.
    """

    speaker: ClassVar[str] = "ledger"
    groups: tuple[LetteredGroup, ...]


class LetteringErrorFound(Event):
    """Debits and credits of one (account, client, code) differ (rule 2.8); ``difference`` is debits - credits."""

    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    account: str
    lettering: str
    difference: Amount


class LetteringErrorCleared(Event):
    speaker: ClassVar[str] = "ledger"
    client_id: ClientId
    account: str
    lettering: str
