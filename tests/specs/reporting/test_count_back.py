"""DSO by counting back (rule 17.3): whole months of sales, the latest first, and of the last one a part."""

from datetime import date
from decimal import Decimal

import pytest

from services.reporting.queries.payers import count_back, months_back

NOVEMBER, OCTOBER, SEPTEMBER = (24, Decimal(100)), (31, Decimal(200)), (30, Decimal(50))


@pytest.mark.parametrize(
    ("receivables", "days"),
    [
        ("0", 0),
        ("-5", 0),
        ("50", 12),
        ("99", Decimal("23.76")),
        ("100", 24),
        ("101", Decimal("24.155")),
        ("300", 55),
        ("325", 70),
        ("350", 85),
    ],
)
def test_months_are_counted_until_the_receivables_are_used_up(receivables: str, days: int | Decimal) -> None:
    """Rule 17.3: just below a month's sales, exactly, just above."""
    assert count_back(Decimal(receivables), [NOVEMBER, OCTOBER, SEPTEMBER]) == days


def test_a_month_without_sales_counts_its_days() -> None:
    """Rule 17.3: and one of credit notes alone makes the receivables no larger."""
    assert count_back(Decimal(150), [(24, Decimal(0)), (31, Decimal(-10)), (30, Decimal(300))]) == 70


def test_receivables_older_than_every_month_have_no_days() -> None:
    assert count_back(Decimal("350.01"), [NOVEMBER, OCTOBER, SEPTEMBER]) is None


def test_of_the_current_month_the_days_that_passed_count() -> None:
    assert months_back(date(2026, 3, 10), 4) == [
        (date(2026, 3, 1), 10),
        (date(2026, 2, 1), 28),
        (date(2026, 1, 1), 31),
        (date(2025, 12, 1), 31),
    ]
