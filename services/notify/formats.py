"""Amounts and dates as a debtor reads them, by language and medium."""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from babel.dates import format_date
from babel.numbers import format_currency

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
    text = format_currency(value, currency, locale=LOCALES[language]).replace("-", MINUS)
    return text if medium == "letter" else text.replace(NARROW_SPACE, NO_BREAK_SPACE)


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
