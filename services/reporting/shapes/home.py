"""The home page."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.reporting.shapes.clients import Debtor, Slice, Totals
from services.reporting.shapes.parts import Medium, Money, Shape


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


AlertKind = Literal["mail", "reply", "late_action", "missing_contact", "stopped_late"]


class Alert(Shape):
    """One thing to look at. ``on`` is the day of the failure or the answer, the day the action was due, or that of
    the stop."""

    kind: AlertKind
    client_id: str
    name: str
    action_id: UUID | None
    medium: str | None
    step: str | None
    amount: Money
    """In the bookkeeping currency."""
    on: date
    days: int
    """Since ``on``."""
    detail: str | None
    """A reason code where there is one."""


class Alerts(Shape):
    """Rule 15.5. ``counts`` are of every kind, whichever rows were asked for."""

    late_after: int
    counts: dict[str, int]
    rows: list[Alert]


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
