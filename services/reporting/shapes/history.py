"""What was done and stated."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.reporting.shapes.parts import Money, Shape


class ActivityPiece(Shape):
    entry_id: str
    piece: str | None


class Activity(Shape):
    """One line of the history.

    ``kind``: notice, reminder, thanks (actions confirmed by a person or decided automatically); promise, payment,
    stop, resume, note, profile, dispute, dispute_closed, expected, flag, merged,
    lettering_error (facts).
    ``status`` and its colour: created grey; sent, done, posted blue; opened green; failed, bounced, in_doubt,
    withheld, withdrawn red; facts: expected blue, late red, kept green, cancelled grey, recorded grey, received
    green.
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
