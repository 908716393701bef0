"""Which book a file shows: rows are only ever archived within their own book (rule 22.19)."""

import re
from collections.abc import Collection
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


def kin(book: str, others: Collection[str], company: str) -> list[str]:
    """Those of the ``others`` that can be years of the same accounts, the surest first: of the same series, else
    of files whose name says nothing. Another SIREN is another entity."""
    series, unnamed = _series(book), f"fec/{company}"
    same = [other for other in others if _series(other) == series]
    return same + [other for other in others if other not in same and unnamed in {series, _series(other)}]


def _series(book: str) -> str:
    return book.rpartition("/")[0]


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
