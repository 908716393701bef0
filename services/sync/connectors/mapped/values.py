"""Texts of a file to dates and amounts, in the forms that a mapping names."""

import re
from collections.abc import Mapping
from datetime import date

from services.sync.domain.lines import UNITS

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)
REMEMBERED_TEXTS = 50_000
LIKELY_SHARE = 0.8
"""Of the texts of a sample: the rest may be what is wrong with the file."""
TWO_DIGIT_YEARS_FROM = 70
"""``70`` is 1970, ``69`` is 2069, as spreadsheets read it."""

_TIME = r"(?:[T ][\d:.]+Z?)?"
_PARTS = {"YYYY": r"(?P<y>\d{4})", "YY": r"(?P<y>\d\d)", "MM": r"(?P<m>\d\d?)", "DD": r"(?P<d>\d\d?)"}
_ISO = re.compile(rf"(?P<y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d){_TIME}", re.ASCII)


def date_pattern(form: str) -> re.Pattern[str]:
    """What a date written as ``DD/MM/YYYY`` and the like looks like."""
    if form == "YYYYMMDD":
        return re.compile(r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)(?:\.0)?", re.ASCII)
    pattern = re.sub(r"YYYY|YY|MM|DD", lambda part: _PARTS[part[0]], form.replace(".", r"\."))
    return re.compile(pattern + _TIME, re.ASCII)


def day_of(found: re.Match[str]) -> date | None:
    """The day behind a match, None when the calendar has no such day."""
    year = int(found["y"])
    if len(found["y"]) == 2:
        year += 1900 if year >= TWO_DIGIT_YEARS_FROM else 2000
    try:
        return date(year, int(found["m"]), int(found["d"]))
    except ValueError:
        return None


class DateTexts(dict[str, str | None]):
    """Text to ISO date, ``""`` for an empty one, None for what is no date in the form; ISO is always understood,
    since cells of a workbook come as such."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._pattern = date_pattern(form)

    def __missing__(self, text: str) -> str | None:
        if len(self) > REMEMBERED_TEXTS:
            self.clear()
        self[text] = value = self._parse(text.strip())
        return value

    def _parse(self, text: str) -> str | None:
        if not text or not text.strip("0/.-"):
            return ""
        found = self._pattern.fullmatch(text) or _ISO.fullmatch(text)
        day = day_of(found) if found else None
        return day.isoformat() if day and EARLIEST <= day <= LATEST else None


class AmountTexts(dict[str, int | None]):
    """Text to units, 0 for an empty one, None for what is no amount with the file's marks.

    Thousands separators must stand where they belong: a misplaced one would be a thousandfold error. A minus may
    follow the number, a negative one may stand in brackets, a currency sign may stand on either side.
    """

    def __init__(self, decimal: str, thousands: str) -> None:
        super().__init__()
        mark, group = re.escape(decimal), re.escape(thousands)
        grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d{{1,14}}" if thousands else r"\d{1,14}"
        self._form = re.compile(rf"(?P<whole>{grouped})(?:{mark}(?P<part>\d*))?", re.ASCII)
        self._thousands = thousands
        self._blank = thousands == " "

    def __missing__(self, text: str) -> int | None:
        if len(self) > REMEMBERED_TEXTS:
            self.clear()
        self[text] = value = self._parse(text)
        return value

    def _parse(self, text: str) -> int | None:
        text = re.sub("[\u00a0\u202f]", " ", text).strip().strip("€$£").strip()
        if not text:
            return 0
        negative = False
        if text.startswith("(") and text.endswith(")"):
            negative, text = True, text[1:-1].strip()
        for place in ("start", "end"):
            sign = text[:1] if place == "start" else text[-1:]
            if sign and sign in "+-\u2212":
                negative ^= sign != "+"
                text = (text[1:] if place == "start" else text[:-1]).strip()
        found = self._form.fullmatch(text)
        if found is None:
            return None
        part = (found["part"] or "").rstrip("0")
        if len(part) > 4:
            return None
        whole = found["whole"].replace(self._thousands, "") if self._thousands else found["whole"]
        units = int(whole) * UNITS + int(part.ljust(4, "0"))
        return -units if negative else units


def best_form(texts: list[str], forms: Mapping[str, re.Pattern[str]]) -> str | None:
    """The form that fits most texts, the first in order among equals; None when each fits too few."""
    fits = {
        form: sum(day_of(found) is not None for text in texts if (found := pattern.fullmatch(text)))
        for form, pattern in forms.items()
    }
    best = max(fits, key=lambda form: fits[form])
    return best if texts and fits[best] >= len(texts) * LIKELY_SHARE else None
