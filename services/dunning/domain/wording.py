"""Values as sentences hold them, in French and English, and as machines read them."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from babel.dates import format_date
from babel.numbers import format_currency

from services.dunning.domain.amounts import amount_text, decimal
from services.dunning.domain.scenario import NOTICE

LOCALES = {"fr": "fr_FR", "en": "en_GB"}
DAY_PATTERNS = {"fr": "dd/MM/y", "en": "d MMM y"}
STEPS_IN_FRENCH = {NOTICE: "prévenance", "thanks": "remerciement"}
MEDIA = {
    "email": ("e-mail", "e-mail"),
    "letter": ("letter", "courrier"),
    "phone": ("call", "appel"),
    "other": ("other contact", "autre action"),
}


class Money(NamedTuple):
    """Ten-thousandths of a currency unit."""

    amount: int
    currency: str


class Days(NamedTuple):
    """A length, with its unit."""

    number: int


class StepName(NamedTuple):
    step: str


class Medium(NamedTuple):
    medium: str


class Actor(NamedTuple):
    """Who did it, as the event names it: never written into a sentence, since names of people live elsewhere."""

    name: str


Value = date | Money | Days | StepName | Medium | Actor | str | int
Facts = Mapping[str, Value | None]


def written(value: Value, language: str) -> str:
    """In a sentence of that language; unknown languages read English."""
    language = language if language in LOCALES else "en"
    match value:
        case date():
            return str(format_date(value, DAY_PATTERNS[language], locale=LOCALES[language]))
        case Money(amount, currency):
            shown = format_currency(decimal(amount), currency, locale=LOCALES[language])
            return shown.replace("\u202f", "\u00a0")
        case Days(number):
            one, many = ("jour", "jours") if language == "fr" else ("day", "days")
            return f"{number} {one if number == 1 else many}"
        case StepName(step):
            return STEPS_IN_FRENCH.get(step, step) if language == "fr" else step
        case Medium(medium):
            return MEDIA.get(medium, (medium, medium))[language == "fr"]
        case _:
            return str(value)


def for_machines(value: Value) -> Any:
    """JSON-ready: ISO dates, amounts as decimal strings with their currency."""
    match value:
        case date():
            return value.isoformat()
        case Money(amount, currency):
            return {"amount": amount_text(amount), "currency": currency}
        case Days(number):
            return number
        case StepName(name) | Medium(name) | Actor(name):
            return name
        case _:
            return value
