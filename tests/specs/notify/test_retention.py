"""How long contents are kept (rule 22.34): whole months, the last day included."""

from datetime import UTC, date, datetime

import pytest

from contracts.ledger import RetentionPeriods
from contracts.retention import kept_from, kept_since


@pytest.mark.parametrize(
    ("as_of", "first"),
    [
        ("2031-03-30", "2026-03-30"),
        ("2031-03-31", "2026-03-31"),
        ("2031-04-01", "2026-04-01"),
        ("2029-02-28", "2024-02-28"),
        ("2028-02-29", "2023-02-28"),
        ("2031-01-31", "2026-01-31"),
    ],
)
def test_five_years_are_counted_by_the_calendar(as_of: str, first: str) -> None:
    assert kept_from(date.fromisoformat(as_of), 60) == date.fromisoformat(first)


def test_a_month_that_is_shorter_ends_with_its_last_day() -> None:
    assert [kept_from(date(2027, 3, day), 1) for day in (28, 29, 31)] == [date(2027, 2, 28)] * 3
    assert kept_from(date(2027, 1, 15), 1) == date(2026, 12, 15)


def test_what_left_on_the_eve_has_had_its_time_and_what_left_on_the_day_has_not() -> None:
    since = kept_since(date(2031, 3, 31), 60)
    assert since is not None
    assert datetime(2026, 3, 30, 23, 59, tzinfo=UTC) < since <= datetime(2026, 3, 31, tzinfo=UTC)
    assert kept_since(date(2031, 3, 31), None) is None


def test_the_program_comes_with_the_periods_of_the_law() -> None:
    """Five years to claim what is owed (C. com. L110-4), ten for the records (C. com. L123-22)."""
    assert RetentionPeriods().model_dump() == {
        "messages": 60, "answers": 60, "reports": 12, "files": 60, "archive": 120,
    }  # fmt: skip
