"""Amounts and dates as a debtor reads them, by language and medium."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Literal

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision

Medium = Literal["email", "letter"]

LOCALES = {"fr": "fr_FR", "en": "en_GB"}
MINUS = "\u2212"
NARROW_SPACE = "\u202f"
NO_BREAK_SPACE = "\u00a0"


def language_of(language: str | None) -> str:
    """The language that messages are written in: ours for the client's, French when we have none."""
    short = (language or "fr").lower()[:2]
    return short if short in LOCALES else "fr"


@lru_cache(maxsize=16384)
def amount(value: Decimal, currency: str, language: str, medium: Medium = "email") -> str:
    """``1 300,00 €``: thousands by U+202F in letters and U+00A0 on screens and in mails."""
    text = _shape(currency, language).filled(value).replace("-", MINUS)
    return text if medium == "letter" else text.replace(NARROW_SPACE, NO_BREAK_SPACE)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What stands around and between the digits of amounts."""

    precision: int
    group: str
    point: str
    positive: tuple[str, str]
    negative: tuple[str, str]

    def filled(self, value: Decimal) -> str:
        rounded = value.quantize(Decimal(1).scaleb(-self.precision), rounding=ROUND_HALF_EVEN)
        digits = f"{abs(rounded):,f}".translate({ord(","): self.group, ord("."): self.point})
        before, after = self.negative if value < 0 else self.positive
        return f"{before}{digits}{after}"


@lru_cache(maxsize=256)
def _shape(currency: str, language: str) -> _Shape:
    """Read off a sample: Babel looks its patterns up for every amount, which takes most of writing a message."""
    sample, negative = (
        format_currency(Decimal(value), currency, locale=LOCALES[language]) for value in (1234567, -1234567)
    )
    first, last = sample.index("1"), sample.index("567") + 3
    precision = get_currency_precision(currency)
    end = last + (precision + 1 if precision else 0)
    start = negative.index("1")
    return _Shape(
        precision,
        sample[first + 1 : sample.index("2")],
        sample[last] if precision else "",
        (sample[:first], sample[end:]),
        (negative[:start], negative[start + end - first :]),
    )


@lru_cache(maxsize=4096)
def short_date(day: date) -> str:
    """``21/11/2026``, the same in every language we write."""
    return day.strftime("%d/%m/%Y")


@lru_cache(maxsize=1024)
def long_date(day: date, language: str) -> str:
    """``21 novembre 2026``; the first of a French month is ``1er``."""
    text = format_date(day, format="long", locale=LOCALES[language])
    return f"1er{text[1:]}" if language == "fr" and day.day == 1 else text


def days(count: int, language: str) -> str:
    """``20 j`` or ``20 d``."""
    return f"{count}{NO_BREAK_SPACE}{'j' if language == 'fr' else 'd'}"
