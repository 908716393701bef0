"""When money is expected: by week with its entries, and by month beside what came (rules 16.8, 16.9)."""

from datetime import date

from services.reporting.shapes.parts import Money, Shape


class ExpectedEntry(Shape):
    """An open line and the day its money is expected: the day it was moved to, else its due date."""

    entry_id: str
    client_id: str
    name: str
    piece: str | None
    due_date: date
    expected_on: date
    moved: bool
    days_late: int
    level: str | None
    amount: Money
    """Debit minus credit in the bookkeeping currency."""


class ExpectedEntries(Shape):
    """Open lines expected in a period, the earliest first; without bounds all of them."""

    as_of: date
    currency: str
    since: date | None
    until: date | None
    count: int
    amount: Money
    rows: list[ExpectedEntry]
    page: int
    size: int
    pages: int


class ForecastWeek(Shape):
    """What is expected from a Monday on; without ``week_start``, what was expected before the first week."""

    week_start: date | None
    count: int
    overdue: Money
    """Of lines whose due date has passed, wherever they were moved to."""
    upcoming: Money
    rows: list[ExpectedEntry]
    """The largest lines of the week, as many as were asked for."""


class ForecastMonth(Shape):
    """``received``: payments lettered in the month. What should have come in earlier months is of the month of
    the view."""

    month_start: date
    received: Money
    overdue: Money
    upcoming: Money


class ObjectiveMonth(Shape):
    month_start: date
    amount: Money


class Objective(Shape):
    """A curve of what should come in; only months that have an amount."""

    title: str
    months: list[ObjectiveMonth]


class Forecast(Shape):
    as_of: date
    currency: str
    count: int
    amount: Money
    """Everything open, whenever it is expected."""
    weeks: list[ForecastWeek]
    """First what is behind, then every week from that of the view on, also empty ones."""
    later_count: int
    later: Money
    """After the last week."""
    months: list[ForecastMonth]
    """Every month, also empty ones, oldest first."""
    objectives: list[Objective]
    """Of the whole company, so that who sees a part of the clients is told none."""
