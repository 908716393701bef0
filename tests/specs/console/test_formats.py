"""How amounts and dates are written on screen."""

from datetime import date
from decimal import Decimal

import pytest

from services.console.formatting import Formats, amount_written
from services.console.language import with_french_spaces
from services.console.rendering import segments

FRENCH, ENGLISH = Formats("fr"), Formats("en")


def test_french_amounts_keep_their_thousands_together_with_a_no_break_space() -> None:
    assert FRENCH.money("29448.55", "EUR") == "29\u00a0448,55\u00a0€"
    assert FRENCH.whole_money("1284617.49", "EUR") == "1\u00a0284\u00a0617\u00a0€"
    assert FRENCH.amount("1234.5") == "1\u00a0234,50"


def test_english_amounts_are_written_the_english_way() -> None:
    assert ENGLISH.money("29448.55", "EUR") == "€29,448.55"
    assert ENGLISH.whole_money("1284617.50", "EUR") == "€1,284,618"


def test_a_negative_amount_has_a_real_minus_sign() -> None:
    assert FRENCH.amount("-640.32") == "\u2212640,32"
    assert FRENCH.day_count(-8) == "\u22128\u00a0j"


def test_half_a_unit_is_rounded_away_from_zero_on_overviews() -> None:
    assert [FRENCH.whole(Decimal(text)) for text in ("0.49", "0.50", "1.50")] == ["0", "1", "2"]


def test_a_share_of_nothing_is_a_dash() -> None:
    assert FRENCH.percent("3", "4") == "75\u00a0%"
    assert FRENCH.percent("3", "0") == "–"


def test_dates_are_short_in_tables_and_long_in_titles() -> None:
    day = date(2026, 11, 24)
    assert FRENCH.day(day) == "24/11/26"
    assert FRENCH.full_day("2026-11-24") == "24/11/2026"
    assert FRENCH.long_day(day) == "mardi 24 novembre 2026"
    assert ENGLISH.long_day(day) == "Tuesday 24 November 2026"


def test_an_instant_is_shown_in_the_time_zone_of_the_company() -> None:
    assert FRENCH.moment("2026-11-24T07:17:00+00:00", "Europe/Paris") == "24/11/2026 08:17"
    assert FRENCH.moment("2026-07-01T23:30:00Z", "Europe/Paris") == "02/07/2026 01:30"


def test_no_line_breaks_before_high_french_punctuation() -> None:
    assert with_french_spaces("Pourquoi ? « Oui » : 5 %") == "Pourquoi\u00a0? «\u00a0Oui\u00a0»\u00a0: 5\u00a0%"
    assert with_french_spaces("de %(first)s à %(last)s") == "de %(first)s à %(last)s"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1 250,40", Decimal("1250.40")),
        ("1\u00a0250,40 €", Decimal("1250.40")),
        ("1250.40", Decimal("1250.40")),
        ("mille", None),
        ("NaN", None),
        ("", None),
    ],
)
def test_a_person_writes_an_amount_as_on_the_screen(written: str, amount: Decimal | None) -> None:
    assert amount_written(written) == amount


def test_a_bar_shows_every_positive_amount_and_never_overflows() -> None:
    drawn = segments([("late", "1000000"), ("due", "1"), ("ok", "-5")])
    assert [name for name, _, _ in drawn] == ["late", "due"]
    assert drawn[-1][1] + drawn[-1][2] <= 1000
    assert drawn[-1][2] > 0


def test_a_bar_may_grow_from_the_right() -> None:
    ((_, start, length),) = segments([("late", "25")], 100, right=True)
    assert (start, length) == (750, 250)


def test_a_bar_of_nothing_is_empty() -> None:
    assert segments([("late", "0")]) == []
    assert segments([("late", "5")], 0) == []
