"""When the daily report leaves, and which day's actions it tells (rule 15.4)."""

from datetime import date, datetime

import pytest

from services.console.cash_reports import is_due, working_day_before

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("local", "sent_for", "due"),
    [
        ("2026-11-20T06:59", None, False),
        ("2026-11-20T07:00", None, True),
        ("2026-11-20T23:30", date(2026, 11, 19), True),
        ("2026-11-20T07:01", FRIDAY, False),
        ("2026-11-21T07:00", FRIDAY, False),
        ("2026-11-22T07:00", FRIDAY, False),
        ("2026-11-23T06:59", FRIDAY, False),
        ("2026-11-23T07:00", FRIDAY, True),
    ],
)
def test_it_leaves_once_a_working_day_from_its_hour_on(local: str, sent_for: date | None, due: bool) -> None:
    """Rule 15.4: the hour before, the hour, later the same day, the weekend, Monday."""
    assert is_due(7, sent_for, datetime.fromisoformat(local)) is due


@pytest.mark.parametrize(
    ("day", "since"),
    [
        (date(2026, 11, 24), date(2026, 11, 23)),
        (date(2026, 11, 23), FRIDAY),
        (date(2026, 11, 22), FRIDAY),
        (date(2026, 11, 21), FRIDAY),
        (FRIDAY, date(2026, 11, 19)),
    ],
)
def test_mondays_report_tells_of_friday_on(day: date, since: date) -> None:
    """Rule 15.4."""
    assert working_day_before(day) == since
