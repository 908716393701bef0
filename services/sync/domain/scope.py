"""Which book a file shows: rows are only ever archived within their own book (rule 22.19)."""

import re
from datetime import date, timedelta

_STANDARD = re.compile(r"(\d{9})(?:\d{5})?FEC(\d{4})(\d\d)(\d\d)(?!\d)", re.IGNORECASE)
SAME_BOOK_SHARE = 0.5
"""A file whose name says nothing shows a known book when at least this share of its rows is already there."""


def book_by_name(filename: str) -> str | None:
    """``fec/<SIREN>/<closing date>`` out of the legal file name ``<SIREN>FEC<YYYYMMDD>``, else None."""
    found = _STANDARD.match(filename)
    if found is None:
        return None
    try:
        closing = date(int(found[2]), int(found[3]), int(found[4]))
    except ValueError:
        return None
    return f"fec/{found[1]}/{closing.isoformat()}"


def book_by_content(company: str, last_day: date, fiscal_year_start: str) -> str:
    """``fec/<company>/<closing date>``: the fiscal year, begun every ``MM-DD``, in which the last line falls."""
    month, day = (int(part) for part in fiscal_year_start.split("-"))
    start = date(last_day.year, month, min(day, 28) if month == 2 else day)
    following = start if start > last_day else start.replace(year=last_day.year + 1)
    return f"fec/{company}/{(following - timedelta(days=1)).isoformat()}"


def year_before(book: str, opening_day: date) -> str:
    """The book of the same series that closed the day before."""
    series, _, _ = book.rpartition("/")
    return f"{series}/{(opening_day - timedelta(days=1)).isoformat()}"


def day_after(book: str) -> date | None:
    """The first day of the fiscal year that follows a book; None when its name holds no closing date."""
    _, _, closing = book.rpartition("/")
    try:
        return date.fromisoformat(closing) + timedelta(days=1)
    except ValueError:
        return None


def is_same_book(rows_known: int, rows: int) -> bool:
    """Whether a file without a telling name shows a book of which it holds ``rows_known`` rows out of ``rows``."""
    return rows > 0 and rows_known >= rows * SAME_BOOK_SHARE
