"""Promises, receipts, due items, search and the values of filters."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.reporting.shapes.clients import ClientField, Salesperson
from services.reporting.shapes.parts import Money, Shape


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


class DisputeLine(Shape):
    """One dispute of an entry, or, without ``entry_id``, of the whole account (rule 11.1)."""

    dispute_id: UUID
    client_id: str
    name: str
    entry_id: str | None
    piece: str | None
    reason: str
    opened_on: date
    opened_by: str
    days_open: int
    """Up to the day it was closed, else up to the day of the view."""
    closed_on: date | None
    closed_by: str | None
    level: str | None
    amount: Money
    """What is contested and open: the entry, or all the client owes; bookkeeping currency."""
    due: Money
    """All the client owes."""


class Disputes(Shape):
    as_of: date
    currency: str
    count: int
    amount: Money
    """Contested in all; an entry inside a contested account counts once."""
    due: Money
    """Due by the clients concerned, each counted once (rule 11.2)."""
    rows: list[DisputeLine]
    page: int
    size: int
    pages: int


class TimelineEvent(Shape):
    """Something about a flagged client (rule 16.6).

    ``kind``: due (an entry falls due), promise_due, action (waits), and the kinds of the history.
    """

    on: date
    client_id: str
    name: str
    kind: str
    step: str | None
    medium: str | None
    detail: str | None
    piece: str | None
    amount: Money | None
    currency: str | None


class Timeline(Shape):
    """The events of flagged clients; each list at most 50, nearest day first."""

    as_of: date
    flagged: int
    """How many clients are flagged."""
    ahead: list[TimelineEvent]
    """Today and the next 7 days."""
    week: list[TimelineEvent]
    """The last 7 days."""
    month: list[TimelineEvent]
    """The last 30 days, without the last 7."""


class Mention(Shape):
    """A note that calls on a user (rule 15.7); its words are ledger's."""

    note_id: UUID
    client_id: str
    name: str
    entry_id: str | None
    piece: str | None
    on: date
    at: datetime
    by: str


class Mentions(Shape):
    """The latest first, at most 50."""

    as_of: date
    rows: list[Mention]


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
    automatic: bool
    """Its reminders may leave by themselves (rule 22.13)."""


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


class FieldOptions(ClientField):
    """``values`` are what the field holds, sorted; empty where there are more than a hundred."""

    values: list[str]


class Options(Shape):
    """What the filters offer, sorted; levels are those of the published scenarios."""

    profiles: list[str]
    categories: list[str]
    payment_modes: list[str]
    levels: list[str]
    actors: list[str]
    salespeople: list[Salesperson]
    """By name."""
    fields: list[FieldOptions]
    """The free fields of clients that stand in lists, in their order."""
