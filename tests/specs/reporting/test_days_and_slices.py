"""Periods, slices, badges and statuses of the pages."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from services.reporting.queries.checks import is_stale
from services.reporting.queries.client import next_level, score
from services.reporting.queries.home import weeks
from services.reporting.queries.promises import promise_status
from services.reporting.queries.statement import badge, settled_on
from services.reporting.queries.view import Page, View, fiscal_year_start
from services.reporting.queries.who_owes_what import slices
from services.reporting.shapes import exact

DAY = date(2026, 11, 24)


def on(day: date, fiscal_year: str = "01-01") -> View:
    return View("acme", day, "EUR", fiscal_year_start(day, fiscal_year), "Standard", {})


@pytest.mark.parametrize(
    ("day", "start", "begins"),
    [
        (date(2026, 9, 30), "10-01", date(2025, 10, 1)),
        (date(2026, 10, 1), "10-01", date(2026, 10, 1)),
        (date(2026, 10, 2), "10-01", date(2026, 10, 1)),
        (date(2026, 12, 31), "01-01", date(2026, 1, 1)),
        (date(2028, 2, 28), "02-29", date(2027, 3, 1)),
        (date(2028, 2, 29), "02-29", date(2028, 2, 29)),
    ],
)
def test_a_fiscal_year_begins_on_its_day(day: date, start: str, begins: date) -> None:
    assert fiscal_year_start(day, start) == begins


def test_paid_covers_ninety_days_with_today() -> None:
    """Rule 1.6."""
    assert (DAY - on(DAY).paid_since).days == 89


def test_paid_covers_twenty_days_on_day_twenty_of_the_year() -> None:
    """Rule 1.6."""
    day = date(2026, 1, 20)
    assert (day - on(day).paid_since).days + 1 == 20


def test_every_week_of_the_period_has_a_bar_also_an_empty_one() -> None:
    amounts = {date(2026, 11, 9): Decimal(5)}
    bars = weeks(date(2026, 11, 4), DAY, amounts)
    assert [(bar.week_start.isoformat(), bar.amount) for bar in bars] == [
        ("2026-11-02", 0),
        ("2026-11-09", 5),
        ("2026-11-16", 0),
        ("2026-11-23", 0),
    ]


def test_slices_go_from_the_oldest_to_the_youngest() -> None:
    """Rule 16.1: 0-30 = 1..30, 30-60 = 31..60, over 60 = 61 and more."""
    assert [(part.key, part.from_days, part.to_days) for part in slices((30, 60))] == [
        ("over_60", 61, None),
        ("from_31_to_60", 31, 60),
        ("from_1_to_30", 1, 30),
    ]


@pytest.mark.parametrize(("days", "status"), [(-1, "expected"), (0, "expected"), (1, "late")])
def test_a_promise_is_late_from_the_day_after(days: int, status: str) -> None:
    """Rules 10.2, 10.5."""
    assert promise_status("open", DAY - timedelta(days=days), DAY) == status


@pytest.mark.parametrize("recorded", ["kept", "cancelled"])
def test_a_promise_that_ended_is_never_late(recorded: str) -> None:
    """Rule 10.2."""
    assert promise_status(recorded, DAY - timedelta(days=9), DAY) == recorded


@pytest.mark.parametrize(
    ("credit", "settled", "days", "colour"),
    [
        (False, False, -1, "upcoming"),
        (False, False, 0, "upcoming"),
        (False, False, 1, "late"),
        (False, True, 1, "settled"),
        (True, False, 1, "settled"),
        (True, True, -1, "settled"),
    ],
)
def test_the_badge_is_blue_orange_or_green(credit: bool, settled: bool, days: int, colour: str) -> None:
    """Rule 1.9."""
    assert badge(credit, settled, DAY - timedelta(days=days), DAY) == colour


class Line(NamedTuple):
    account: str
    lettering: str | None
    entry_date: date


def test_a_group_is_settled_when_its_last_line_is_there() -> None:
    lines = [
        Line("411", "AA", date(2026, 1, 5)),
        Line("411", "AA", date(2026, 2, 7)),
        Line("411", None, date(2026, 3, 1)),
        Line("412", "AA", date(2026, 1, 1)),
    ]
    assert settled_on(lines) == {("411", "AA"): date(2026, 2, 7), ("412", "AA"): date(2026, 1, 1)}


@pytest.mark.parametrize(
    ("delay", "letter"),
    [("0", "A"), ("0.1", "B"), ("15", "B"), ("15.1", "C"), ("30", "C"), ("60", "D"), ("60.1", "E"), ("-4", "A")],
)
def test_the_score_follows_the_average_delay(delay: str, letter: str) -> None:
    """Rule 17.2."""
    assert score(Decimal(delay)) == letter


def step(name: str, **more: Any) -> dict[str, Any]:
    return {"step": name, **more}


@pytest.mark.parametrize(
    ("level", "expected"), [(None, "R1"), ("R1", "R3"), ("R3", None)], ids=["none yet", "R2 is off", "the last"]
)
def test_the_next_level_follows_in_the_scenario(level: str | None, expected: str | None) -> None:
    steps = [step("notice"), step("R1"), step("R2", enabled=False), step("R3"), step("thanks")]
    assert next_level(level, steps, []) == expected


@pytest.mark.parametrize(("days", "stale"), [(0, False), (1, False), (2, True)])
def test_accounts_are_stale_from_the_second_day_without_a_run(days: int, stale: bool) -> None:
    """Rule 2.6, in whole business days."""
    assert is_stale(DAY - timedelta(days=days), DAY) is stale


def test_accounts_never_read_are_stale() -> None:
    assert is_stale(None, DAY)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "0.00"), ("1250.4", "1250.40"), ("1250.4000", "1250.40"), ("0.125", "0.125"), ("-1E+3", "-1000.00")],
)
def test_amounts_are_exact_with_two_decimals_at_least(amount: str, text: str) -> None:
    """Rule 1.7: rounding is for the display."""
    assert exact(Decimal(amount)) == text


@pytest.mark.parametrize(("count", "pages"), [(0, 0), (15, 1), (16, 2)])
def test_pages_are_counted(count: int, pages: int) -> None:
    assert Page(1, 15).shape(count)["pages"] == pages
