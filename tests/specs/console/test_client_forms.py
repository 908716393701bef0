"""What forms on the client page mean: instalments (10.1), mentions (15.7)."""

from datetime import date
from decimal import Decimal

import pytest

from services.console.pages.client_commands import instalments, mentioned

MEMBERS = {"1": "Nathalie Ferrand", "2": "Paul Durant", "3": "Paul Petit-Jean"}


def test_an_amount_is_cut_in_equal_months_and_the_first_takes_the_rest() -> None:
    parts = instalments(Decimal("1000.00"), date(2026, 11, 30), 3)
    assert parts == [
        (Decimal("333.34"), date(2026, 11, 30)),
        (Decimal("333.33"), date(2026, 12, 30)),
        (Decimal("333.33"), date(2027, 1, 30)),
    ]
    assert instalments(Decimal("10"), date(2026, 1, 1), 1) == [(Decimal("10"), date(2026, 1, 1))]


def test_a_month_too_short_gives_its_last_day() -> None:
    assert [on for _, on in instalments(Decimal("30"), date(2027, 1, 31), 3)] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
    ]


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("@Durant passe les voir jeudi", ["user:2"]),
        ("Vu avec @nathalie ferrand et @Petit-Jean", ["user:1", "user:3"]),
        ("@Nathalie, @Nathalie !", ["user:1"]),
        ("@Paul", []),
        ("Paul Durant sans arobase, ou compta@durant.example", ["user:2"]),
        ("@Personne", []),
    ],
)
def test_a_note_calls_on_those_it_names(text: str, called: list[str]) -> None:
    """A first name that two members share calls on nobody."""
    assert mentioned(text, MEMBERS) == called
