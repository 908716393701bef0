"""How the company's clients pay: its DSO by two methods, and the score of each payer (rules 17.1 to 17.3)."""

from datetime import date
from typing import Literal

from services.reporting.shapes.parts import Money, Shape


class Payer(Shape):
    """A client who settled something in the fiscal year."""

    client_id: str
    name: str
    score: Literal["A", "B", "C", "D", "E"]
    average_delay_days: int
    """Settlement date minus due date, weighted by amount; negative before the due date."""
    settled: Money
    overdue: Money
    """Open now and past its due date, net of credits."""


class ScoreShare(Shape):
    score: Literal["A", "B", "C", "D", "E"]
    clients: int
    settled: Money


class Payers(Shape):
    """The slowest first."""

    as_of: date
    currency: str
    since: date
    """First day of the fiscal year, whose settlements count."""
    receivables: Money
    invoiced: Money
    """Invoices of the last 365 days."""
    dso_days: int | None
    """Receivables ÷ invoiced × 365."""
    count_back_days: int | None
    """Days of the latest months whose sales make up the receivables; none when three years do not."""
    average_delay_days: int | None
    scores: list[ScoreShare]
    """Every letter, also those that nobody has."""
    count: int
    amount: Money
    """Settled by the clients of the list."""
    overdue: Money
    rows: list[Payer]
    page: int
    size: int
    pages: int
