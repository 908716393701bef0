"""Clients with what they owe."""

from datetime import date

from services.reporting.shapes.parts import Money, Shape


class Slice(Shape):
    """One overdue slice in days late, both bounds included; ``to_days`` is ``None`` in the oldest (rule 16.1)."""

    key: str
    """``over_60``, ``from_31_to_60``, ``from_1_to_30`` with the usual bounds."""
    from_days: int
    to_days: int | None


class ClientField(Shape):
    """A free field that the company lists (rule 19.4), ``tag1`` to ``tag10``, with its title."""

    field: str
    title: str


class Salesperson(Shape):
    code: str
    name: str
    """The code where the name is not known."""


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
    flagged: bool
    disputed: bool
    """It has an open dispute, of an entry or of its account."""
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
    salesperson: Salesperson | None
    """Who looks after the client."""
    fields: dict[str, str]
    """What its listed free fields hold, by field; those that hold nothing are left out."""


class Totals(Shape):
    slices: list[Money]
    overdue: Money
    upcoming: Money
    total: Money


class WhoOwesWhat(Shape):
    as_of: date
    currency: str
    slices: list[Slice]
    fields: list[ClientField]
    """The free fields that stand as columns, in their order."""
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
