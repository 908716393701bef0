"""How one FEC is written: separator, line ends, dates, decimal mark. Each is one choice for the whole file."""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.sync.connectors.fec.columns import Columns
from services.sync.domain.lines import UNITS

SEPARATORS = ("\t", "|")
WRONG_SEPARATORS = (";", ",")
SEPARATOR_NAMES = {"\t": "TAB", "|": "|", ";": ";", ",": ","}
SIDES = {"D": 1, "+": 1, "+1": 1, "1": 1, "C": -1, "-": -1, "-1": -1}
DATE_COLUMNS = ("EcritureDate", "PieceDate", "DateLet", "ValidDate", "EcheanceDate")
AMOUNT_COLUMNS = ("Debit", "Credit", "Montant", "Montantdevise")
EARLIEST, LATEST = date(1950, 1, 1), date(2100, 12, 31)
REMEMBERED_TEXTS = 50_000

COMPACT, DASHED = "YYYYMMDD", "YYYY-MM-DD"
_DATES = {COMPACT: re.compile(r"(\d{4})(\d\d)(\d\d)"), DASHED: re.compile(r"(\d{4})-(\d\d)-(\d\d)")}


@dataclass(frozen=True)
class Dialect:
    separator: str
    crlf: bool
    quoted: bool
    dates: str = COMPACT
    decimal: str = ","

    def split(self, line: str) -> list[str]:
        if self.quoted:
            return next(csv.reader([line], delimiter=self.separator), [])
        return line.split(self.separator)


def separator_of(header: str) -> str | None:
    """The separator that the header uses most, right or wrong; None when it has none."""
    best = max((*SEPARATORS, *WRONG_SEPARATORS), key=header.count)
    return best if header.count(best) else None


def likely_formats(rows: Iterable[list[str]], columns: Columns) -> tuple[str, str]:
    """The date format and the decimal mark that most values of a sample have."""
    dates: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    date_places = [columns.at[name] for name in DATE_COLUMNS if name in columns.at]
    amount_places = [columns.at[name] for name in AMOUNT_COLUMNS if name in columns.at]
    for row in rows:
        for place in date_places:
            text = row[place].strip() if place < len(row) else ""
            dates.update(name for name, form in _DATES.items() if form.fullmatch(text))
        for place in amount_places:
            text = row[place] if place < len(row) else ""
            marks.update(mark for mark in ",." if mark in text)
    return (
        max(_DATES, key=lambda name: dates[name]),
        max(",.", key=lambda mark: marks[mark]),
    )


class Dates(dict[str, str | None]):
    """Text to ISO date, ``""`` for an empty one, None for what is no date in the file's format."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = _DATES[form]

    def __missing__(self, text: str) -> str | None:
        if len(self) > REMEMBERED_TEXTS:
            self.clear()
        self[text] = value = self._parse(text.strip())
        return value

    def _parse(self, text: str) -> str | None:
        if not text or text == "00000000":
            return ""
        found = self._form.fullmatch(text)
        if found is None or not found[0].isascii():
            return None
        try:
            day = date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            return None
        return day.isoformat() if EARLIEST <= day <= LATEST else None


class Amounts(dict[str, int | None]):
    """Text to units, 0 for an empty one, None for what is no amount with the file's decimal mark.

    At most four decimals; a second mark or a thousands separator is refused, since guessing would be a
    thousandfold error.
    """

    def __init__(self, mark: str) -> None:
        super().__init__()
        self._form = re.compile(rf"([+-]?)0*(\d{{1,14}})(?:\{mark}(\d{{1,4}}))?", re.ASCII)
        self._mark = mark

    def __missing__(self, text: str) -> int | None:
        if len(self) > REMEMBERED_TEXTS:
            self.clear()
        self[text] = value = self._parse(text.strip())
        return value

    def _parse(self, text: str) -> int | None:
        if not text:
            return 0
        whole, _, part = text.partition(self._mark)
        if len(part) == 2 and len(whole) < 14 and whole.isdigit() and part.isdigit() and text.isascii():
            return int(whole + part) * 100
        found = self._form.fullmatch(text)
        if found is None:
            return None
        sign, whole, part = found.groups()
        units = int(whole) * UNITS + int((part or "").ljust(4, "0"))
        return -units if sign == "-" else units
