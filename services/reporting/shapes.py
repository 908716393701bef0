"""The JSON that reporting answers, one model per endpoint.

Every endpoint stands under ``/companies/{company}`` and is a GET; ``as_of`` (ISO date, default: the company's
business date) decides what is late, paid or stale. Amounts are exact decimal strings with at least two decimals,
in the bookkeeping currency unless a ``currency`` stands beside them; rounding is left to whoever displays them
(rule 1.7). Dates are ISO dates, instants ISO 8601 in UTC. Lists never hold more than ``size`` rows.

Errors are problem+json: 400 for a parameter that means nothing, 403 for a foreign company, 404 for an unknown
client.

==================  ==============================================================================  ===========
endpoint            parameters (all optional unless marked !)                                       answers
==================  ==============================================================================  ===========
/home               as_of                                                                           Home
/who-owes-what      as_of, stopped (true|false), level (R1..R7|none, repeatable), profile           WhoOwesWhat
                    (repeatable), payment_mode (repeatable), category (repeatable), q,
                    late (true|false), balance (debtor|creditor|all; debtor), slices ("30,60"),
                    sort (name|profile|level|last_reminder|overdue|upcoming|total|slice1..sliceN;
                    prefix "-" = descending; -overdue), page (1), size (15, at most 500),
                    format (json|csv|xlsx), language (fr|en, of csv and xlsx headings)
/client             client_id!, as_of, statement_on (the statement as of a past day)                ClientPage
/clients            as_of, q, stopped, level, profile, category, payment_mode, sort, page, size,    WhoOwesWhat
                    format: as /who-owes-what with every client, also those who owe nothing
                    (balance=all)
/activities         as_of, client_id, actor, medium, kind, status (each repeatable), since, until,  Activities
                    sort (-on|on), page, size, format
/promises           as_of, status (late|expected|kept|cancelled, repeatable; late and expected),    Promises
                    client_id, page, size, format
/receipts           as_of, client_id, since, until (the fiscal year), page, size, format            Receipts
/due-items          as_of, client_id, medium, step, page, size, format: entries of pending actions  DueItems
/search             q! (two characters or more), limit (8): names, codes, pieces                    Found
/options            values that the filters can take                                                Options
==================  ==============================================================================  ===========
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainSerializer

_CENT = Decimal("0.01")


def exact(amount: Decimal) -> str:
    """The amount as a plain decimal string, never rounded, with at least two decimals: ``"1250.40"``."""
    cents = amount.quantize(_CENT)
    return format(cents if cents == amount else amount.normalize(), "f")


Money = Annotated[Decimal, PlainSerializer(exact, return_type=str, when_used="json")]

Medium = Literal["email", "letter", "phone", "other"]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Owed(Shape):
    """Sums over debit-balance accounts only, net of the open credits of the same slice (rules 1.4, 1.5)."""

    total: Money
    clients: int
    overdue: Money
    overdue_clients: int
    """Of these clients, those whose overdue is above zero."""
    upcoming: Money
    upcoming_clients: int


class Week(Shape):
    week_start: date
    """A Monday; the first and the last week may be cut by the period."""
    amount: Money


class Paid(Shape):
    """Everything credited in the 90 days up to ``as_of`` that lie in its fiscal year (rule 1.6)."""

    since: date
    amount: Money
    weeks: list[Week]
    """Every calendar week that the period touches, oldest first, empty ones included."""


class MediumToRemind(Shape):
    medium: Medium
    actions: int
    amount: Money


class ToRemind(Shape):
    """Client x step actions waiting for a person: proposed, or due as a call, letter or other task (rule 9.5)."""

    amount: Money
    """Net of credits, in the bookkeeping currency."""
    actions: int
    clients: int
    media: list[MediumToRemind]
    """Always the four media in the order phone, letter, email, other."""


class AgeingBucket(Shape):
    """``key``: over_90, from_61_to_90, from_31_to_60, from_1_to_30 (days late), in_0_to_30, in_31_to_60,
    after_60 (days ahead; due today is not late). In this order; their sum is ``owed.total``.
    """

    key: str
    overdue: bool
    amount: Money


class Share(Shape):
    """One payment mode or profile; ``key`` is ``None`` where accounting gives none."""

    key: str | None
    overdue: Money
    upcoming: Money
    overdue_share: float | None
    """Overdue over overdue + upcoming, 0..1; ``None`` when that sum is not positive."""


class Slice(Shape):
    """One overdue slice in days late, both bounds included; ``to_days`` is ``None`` in the oldest (rule 16.1)."""

    key: str
    """``over_60``, ``from_31_to_60``, ``from_1_to_30`` with the usual bounds."""
    from_days: int
    to_days: int | None


class Debtor(Shape):
    """A client with its amounts, as listed in "who owes what"."""

    client_id: str
    name: str
    """The code where the name is not known (yet)."""
    profile: str | None
    category: str | None
    payment_mode: str | None
    has_email: bool
    has_phone: bool
    stopped_on: date | None
    """Set when a person stopped the client (rule 8.1)."""
    level: str | None
    """Highest level of its open entries."""
    last_reminder_on: date | None
    slices: list[Money]
    """Aligned with the page's ``slices``: oldest first."""
    overdue: Money
    upcoming: Money
    total: Money
    notes: int
    """How many notes were written on the client and its entries."""


class Totals(Shape):
    slices: list[Money]
    overdue: Money
    upcoming: Money
    total: Money


class LetteringError(Shape):
    """Debits minus credits of one (account, client, code) differ (rule 2.8)."""

    client_id: str
    name: str
    account: str
    lettering: str
    difference: Money


class ClientAmount(Shape):
    client_id: str
    name: str
    amount: Money
    on: date | None = None
    detail: str | None = None
    """A reason code where there is one."""


class Check(Shape):
    """One line of "to check"; ``clients`` holds the first five, largest amount first."""

    count: int
    amount: Money
    clients: list[ClientAmount]


class Checks(Shape):
    lettering_errors: list[LetteringError]
    """The first five; the count is beside."""
    lettering_error_count: int
    failed_emails: Check
    """Mails of the last 30 days that failed or bounced."""
    emails_in_doubt: Check
    late_without_contact: Check
    """Clients with an overdue amount and neither e-mail nor phone."""
    late_promises: Check
    stopped_for_long: Check
    """Clients stopped for more than 60 days who are late."""
    stale: bool
    """No successful synchronisation, or the last one is more than a day before ``as_of`` (rule 2.6)."""
    count: int
    """How many of these lines have something to show."""


class LastSync(Shape):
    on: date
    """Business date of the run."""
    completed_at: datetime
    connector: str
    source: str
    entries_read: int
    changed: int
    archived: int


class Home(Shape):
    as_of: date
    currency: str
    owed: Owed
    paid: Paid
    to_remind: ToRemind
    ageing: list[AgeingBucket]
    slices: list[Slice]
    top: list[Debtor]
    """The ten largest overdue clients."""
    top_totals: Totals
    by_payment_mode: list[Share]
    """Largest overdue first; the sums equal ``owed``."""
    by_profile: list[Share]
    checks: Checks
    last_sync: LastSync | None
    last_round_on: date | None


class WhoOwesWhat(Shape):
    as_of: date
    currency: str
    slices: list[Slice]
    clients: int
    """Rows over all pages after filtering."""
    overdue_clients: int
    stopped_clients: int
    totals: Totals
    """Over all pages after filtering."""
    rows: list[Debtor]
    page: int
    size: int
    pages: int


class PromiseLine(Shape):
    """``status``: expected (also on the promised day), late, kept, cancelled (rules 10.2, 10.5)."""

    promise_id: UUID
    client_id: str
    name: str
    entry_id: str
    piece: str | None
    amount: Money
    currency: str
    promised_on: date
    days_late: int
    """Plain day difference, negative while ahead (rule 1.10)."""
    status: Literal["expected", "late", "kept", "cancelled"]
    recorded_on: date
    level: str | None
    overdue: Money
    """The client's overdue amount."""


class Promises(Shape):
    as_of: date
    currency: str
    count: int
    amount: Money
    overdue: Money
    """Overdue of the clients concerned, each counted once (rule 10.7)."""
    rows: list[PromiseLine]
    page: int
    size: int
    pages: int


class EntryPromise(Shape):
    promise_id: UUID
    amount: Money
    currency: str
    promised_on: date
    status: Literal["expected", "late", "kept", "cancelled"]


class StatementEntry(Shape):
    """One accounting line. ``badge`` is the colour of its day badge (rule 1.9): ``upcoming`` (blue, a debit not
    due), ``late`` (orange, a debit overdue), ``settled`` (green, a lettered debit or any credit).
    """

    entry_id: str
    account: str
    kind: str
    journal: str
    piece: str
    entry_date: date
    invoice_date: date | None
    due_date: date
    days_late: int
    """As-of date minus due date, may be negative (rule 1.8); for a settled entry, settlement date minus due
    date."""
    badge: Literal["upcoming", "late", "settled"]
    debit: Money
    credit: Money
    currency: str
    book_amount: Money
    """Debit minus credit in the bookkeeping currency."""
    payment_mode: str | None
    lettering: str | None
    lettered_on: date | None
    open: bool
    """Unlettered, or its lettering does not balance."""
    lettering_error: Money | None
    level: str | None
    stopped_on: date | None
    promises: list[EntryPromise]
    """Those neither kept nor cancelled, earliest first."""
    notes: int
    excluded: list[str]
    """Why it is due for a step and not reminded."""
    pending_action_id: UUID | None


class Statement(Shape):
    """Lettered lines included, ordered by due date; totals over the open ones."""

    on: date
    entries: list[StatementEntry]
    debit: Money
    credit: Money
    balance: Money
    truncated: bool
    """More than 2,000 lines: the oldest lettered ones are left out."""


class PendingAction(Shape):
    """An action proposed to a person, or due and not carried out yet."""

    action_id: UUID
    kind: Literal["notice", "reminder", "thanks"]
    step: str
    medium: str
    status: Literal["proposed", "due"]
    due_since: date
    days_since: int
    amount: Money
    net_amount: Money
    currency: str
    entry_ids: list[str]


class ContactSummary(Shape):
    """Messages and contacts of one kind that were carried out."""

    actions: int
    last_on: date | None


class ActivityPiece(Shape):
    entry_id: str
    piece: str | None


class Activity(Shape):
    """One line of the history.

    ``kind``: notice, reminder, thanks (actions confirmed by a person or decided automatically); promise, payment,
    stop, resume, note, profile, lettering_error (facts).
    ``status`` and its colour: created grey; sent, done blue; opened green; failed, bounced, in_doubt, withheld,
    withdrawn red; facts: expected blue, late red, kept green, cancelled grey, recorded grey, received green.
    ``actor`` is as the event names it (``user:…``, ``system:…``). Payments stand on the day they were made;
    without ``client_id`` they only come with ``kind=payment``, since receipts have a page of their own.
    """

    activity_id: str
    on: date
    at: datetime
    client_id: str
    name: str
    kind: str
    medium: str | None
    step: str | None
    status: str
    colour: Literal["grey", "blue", "green", "red"]
    status_at: datetime | None
    """When it came to this status, if later than ``at``."""
    detail: str | None
    """Reason or outcome code, lettering code, profile."""
    promised_on: date | None
    actor: str
    amount: Money | None
    currency: str | None
    pieces: list[ActivityPiece]
    action_id: UUID | None


class Activities(Shape):
    as_of: date
    count: int
    rows: list[Activity]
    page: int
    size: int
    pages: int


class ClientPage(Shape):
    as_of: date
    currency: str
    client_id: str
    name: str
    known: bool
    """False while the client's name has not been fetched from ledger."""
    profile: str | None
    category: str | None
    payment_mode: str | None
    has_email: bool
    has_phone: bool
    has_address: bool
    stopped_on: date | None
    stopped_by: str | None
    amount_due: Money
    overdue: Money
    upcoming: Money
    paid: Money
    paid_since: date
    overdue_entries: int
    upcoming_entries: int
    overdue_since: date | None
    """Due date of the oldest overdue debit."""
    next_due_date: date | None
    """Next due date of an open debit, today included."""
    last_payment_on: date | None
    average_delay_days: int | None
    """Settlement date minus due date of the debits settled in the fiscal year, weighted by amount (rule 17.2)."""
    score: Literal["A", "B", "C", "D", "E"] | None
    dso_days: int | None
    """Amount due ÷ invoiced in the last 365 days × 365 (rule 17.3)."""
    level: str | None
    next_level: str | None
    """Step of the reminder that waits, else the one that follows ``level`` in the client's scenario."""
    has_scenario: bool
    """False when the client's profile has no scenario (rule 3.6)."""
    notice: ContactSummary
    reminder: ContactSummary
    thanks: ContactSummary
    pending: list[PendingAction]
    notes: int
    promises: list[PromiseLine]
    statement: Statement
    history: list[Activity]
    """The latest 100; the rest through ``/activities?client_id=``."""
    history_count: int
    previous_client_id: str | None
    next_client_id: str | None
    """Neighbours in alphabetical order."""


class Receipt(Shape):
    """One credit line (rule 16.2); ``nature`` is ``payment`` or ``credit_note`` or another kind as read."""

    entry_id: str
    on: date
    client_id: str
    name: str
    nature: str
    payment_mode: str | None
    piece: str
    level: str | None
    amount: Money


class Receipts(Shape):
    as_of: date
    currency: str
    since: date
    until: date
    count: int
    amount: Money
    rows: list[Receipt]
    page: int
    size: int
    pages: int


class DueItem(Shape):
    """One entry of a pending action (rule 16.3)."""

    entry_id: str
    client_id: str
    name: str
    piece: str | None
    due_date: date
    days_late: int
    step: str
    medium: str
    due_since: date
    level: str | None
    amount: Money
    currency: str
    action_id: UUID


class DueItems(Shape):
    as_of: date
    count: int
    rows: list[DueItem]
    page: int
    size: int
    pages: int


class FoundClient(Shape):
    client_id: str
    name: str
    profile: str | None
    stopped: bool


class FoundPiece(Shape):
    entry_id: str
    client_id: str
    name: str
    piece: str
    due_date: date
    amount: Money
    """Debit minus credit in the bookkeeping currency."""
    open: bool


class Found(Shape):
    q: str
    clients: list[FoundClient]
    pieces: list[FoundPiece]


class Options(Shape):
    """What the filters offer, sorted; levels are those of the published scenarios."""

    profiles: list[str]
    categories: list[str]
    payment_modes: list[str]
    levels: list[str]
    actors: list[str]
