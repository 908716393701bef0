"""Rule 22.19: which book a file shows, and which books may be years of one another."""

from datetime import date

import pytest

from services.sync.domain.scope import book_by_content, day_after, kin


@pytest.mark.parametrize(
    ("last_day", "start", "book"),
    [
        ("2024-12-31", "01-01", "fec/acme/2024-12-31"),
        ("2025-01-01", "01-01", "fec/acme/2025-12-31"),
        ("2025-03-31", "04-01", "fec/acme/2025-03-31"),
        ("2025-04-01", "04-01", "fec/acme/2026-03-31"),
        ("2025-02-27", "02-29", "fec/acme/2025-02-27"),
        ("2025-02-28", "02-29", "fec/acme/2026-02-27"),
        ("2025-01-30", "01-31", "fec/acme/2025-01-30"),
    ],
)
def test_a_file_without_a_telling_name_shows_the_fiscal_year_of_its_last_line(last_day, start, book):
    """Rule 22.19: the eve of a fiscal year and its first day; 29 February stands for the 28th."""
    assert book_by_content("acme", date.fromisoformat(last_day), start) == book


def test_years_of_one_siren_are_kin_and_unnamed_files_may_be():
    """Rule 22.19: the surest first; another SIREN is another entity."""
    known = [
        "fec/222222222/2024-12-31",
        "fec/acme/2023-12-31",
        "fec/111111111/2024-12-31",
        "fec/111111111/2023-12-31",
    ]
    assert kin("fec/111111111/2025-12-31", known, "acme") == [
        "fec/111111111/2024-12-31",
        "fec/111111111/2023-12-31",
        "fec/acme/2023-12-31",
    ]
    assert kin("fec/acme/2025-12-31", known, "acme") == [
        "fec/acme/2023-12-31",
        "fec/222222222/2024-12-31",
        "fec/111111111/2024-12-31",
        "fec/111111111/2023-12-31",
    ]


@pytest.mark.parametrize(
    ("book", "first"),
    [
        ("fec/111111111/2024-12-31", date(2025, 1, 1)),
        ("fec/acme/2024-02-28", date(2024, 2, 29)),
        ("sage/main", None),
        ("fec/acme/2024-13-31", None),
    ],
)
def test_the_year_after_a_book_begins_the_day_after_its_closing(book, first):
    """Rule 22.19."""
    assert day_after(book) == first
