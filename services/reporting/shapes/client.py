"""The page of one client."""

from datetime import date
from typing import Literal
from uuid import UUID

from services.reporting.shapes.history import Activity
from services.reporting.shapes.lists import DisputeLine, PromiseLine
from services.reporting.shapes.parts import Money, Shape


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
    forced_step: str | None
    """The step that a person chose to come next."""
    stopped_on: date | None
    resumes_on: date | None
    expected_on: date | None
    """The day on which a person expects the money instead of the due date (rule 5.7)."""
    dispute_id: UUID | None
    dispute_reason: str | None
    """Of its open dispute."""
    promises: list[EntryPromise]
    """Those neither kept nor cancelled, earliest first."""
    notes: int
    excluded: list[str]
    """Why it is due for a step and not reminded."""
    automatic: bool | None
    """What a person chose about reminders that leave by themselves; ``None``: what the policy says."""
    leaves_by_itself: bool
    """An open debit whose automatic reminders need nobody's consent (rule 22.13)."""
    pending_action_id: UUID | None


class InterestPeriod(Shape):
    """Days of one balance and one rate, both ends counted; ``rate`` is percent a year."""

    from_on: date
    to_on: date
    days: int
    balance: Money
    rate: Money
    interest: Money
    """Rounded to four decimals; the invoice is rounded over the exact ones."""
    provisional: bool


class InterestClaim(Shape):
    """What the law adds to one invoice that was late (rules 18.2, 18.3); ``indemnity`` is in euros."""

    entry_id: str
    piece: str
    due_date: date
    currency: str
    interest: Money
    indemnity: Money
    periods: list[InterestPeriod]


class InterestSum(Shape):
    currency: str
    interest: Money


class LateInterest(Shape):
    """Late interest on the day of the statement: shown beside the account, never posted, in no total.

    ``debtor`` ``unsaid``: the company has not said which clients are businesses, so nothing is claimed.
    ``provisional``: the published rates of a half-year are not known yet, those before it are taken.
    """

    debtor: Literal["business", "consumer", "unsaid"]
    sums: list[InterestSum]
    indemnity: Money
    provisional: bool
    claims: list[InterestClaim]
    """By invoice, oldest due first."""


class Statement(Shape):
    """Lettered lines included, ordered by due date; totals over the open ones."""

    on: date
    entries: list[StatementEntry]
    debit: Money
    credit: Money
    balance: Money
    truncated: bool
    """More than 2,000 lines: the oldest lettered ones are left out."""
    late_interest: LateInterest


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
    resumes_on: date | None
    """The day on which the stop ends by itself."""
    flagged: bool
    replied_on: date | None
    """The last answer that nobody has seen to (rule 22.33); ``replied_to`` is the message's action."""
    replied_to: UUID | None
    merged_into: str | None
    """The code that this client became (rule 5.9)."""
    merged_from: list[str]
    """Codes that became this client; their history is part of its own."""
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
    disputes: list[DisputeLine]
    """Open ones first, then the closed."""
    statement: Statement
    history: list[Activity]
    """The latest 100; the rest through ``/activities?client_id=``."""
    history_count: int
    previous_client_id: str | None
    next_client_id: str | None
    """Neighbours in alphabetical order."""
