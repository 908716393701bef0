"""How amounts, dates and counts are written on screen, in each language (Babel's formats, Inter's spacing)."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

NO_BREAK = "\u00a0"
NARROW_NO_BREAK = "\u202f"
MINUS = "\u2212"
LOCALES = {"fr": "fr_FR", "en": "en_GB"}

Number = Decimal | int | str


def _on_screen(text: str) -> str:
    """U+00A0 between thousands (U+202F is too thin in Inter) and a real minus sign."""
    return text.replace(NARROW_NO_BREAK, NO_BREAK).replace("-", MINUS)


def as_decimal(amount: Number) -> Decimal:
    return amount if isinstance(amount, Decimal) else Decimal(amount)


def as_day(value: date | str) -> date:
    """A date, or the day of an ISO text."""
    return value if isinstance(value, date) else date.fromisoformat(value[:10])


def as_moment(value: datetime | str) -> datetime:
    """An instant with its zone; one without is in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def day_written(text: str) -> date | None:
    """A day as browsers send it, or as people write it; ``None`` when it is neither."""
    written = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text.strip())
    try:
        if written:
            return date(int(written[3]), int(written[2]), int(written[1]))
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def amount_written(text: str) -> Decimal | None:
    """``1 250,40`` or ``1250.40`` as an amount; ``None`` when it is none."""
    plain = re.sub(r"[\s\u00a0\u202f€]", "", text).replace(",", ".")
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


@dataclass(frozen=True)
class Formats:
    """The formats of one language."""

    language: str

    @property
    def locale(self) -> Locale:
        return Locale.parse(LOCALES[self.language])

    def money(self, amount: Number, currency: str) -> str:
        """Where entries are listed: ``29 448,55 €``."""
        return _on_screen(format_currency(as_decimal(amount), currency, locale=self.locale))

    def whole_money(self, amount: Number, currency: str) -> str:
        """On overviews: ``1 284 617 €``."""
        whole = as_decimal(amount).quantize(Decimal(1), ROUND_HALF_UP)
        pattern = self.locale.currency_formats["standard"].pattern.replace("0.00", "0").split(";")[0]
        return _on_screen(format_currency(whole, currency, pattern, locale=self.locale, currency_digits=False))

    def amount(self, amount: Number) -> str:
        """In a column whose currency stands elsewhere: ``29 448,55``."""
        return _on_screen(format_decimal(as_decimal(amount), "#,##0.00", locale=self.locale))

    def whole(self, amount: Number) -> str:
        """A count, or a whole amount: ``1 284 617``."""
        return _on_screen(
            format_decimal(as_decimal(amount).quantize(Decimal(1), ROUND_HALF_UP), "#,##0", locale=self.locale)
        )

    def percent(self, part: Number, total: Number) -> str:
        """The share of ``part`` in ``total``: ``75 %``; a dash when there is no total."""
        if not as_decimal(total):
            return "–"
        share = (100 * as_decimal(part) / as_decimal(total)).quantize(Decimal(1), ROUND_HALF_UP)
        return _on_screen(f"{share}{NO_BREAK}%" if self.language == "fr" else f"{share}%")

    def day(self, value: date | str) -> str:
        """In tables: ``24/11/26``."""
        return as_day(value).strftime("%d/%m/%y")

    def full_day(self, value: date | str) -> str:
        """In sentences: ``24/11/2026``."""
        return as_day(value).strftime("%d/%m/%Y")

    def short_day(self, value: date | str) -> str:
        """On charts: ``24/11``."""
        return as_day(value).strftime("%d/%m")

    def long_day(self, value: date | str) -> str:
        """In titles: ``mardi 24 novembre 2026``."""
        return format_date(as_day(value), "EEEE d MMMM y", locale=self.locale)

    def month_name(self, value: date | str) -> str:
        """Of a period: ``novembre 2026``."""
        return format_date(as_day(value), "MMMM y", locale=self.locale)

    def moment(self, value: datetime | str, time_zone: str) -> str:
        """``24/11/2026 08:17`` in the company's time zone."""
        return as_moment(value).astimezone(ZoneInfo(time_zone)).strftime("%d/%m/%Y %H:%M")

    def day_count(self, days: int) -> str:
        """Days late (rule 1.8): ``25 j``, or ``−8 j`` before the due date."""
        unit = "j" if self.language == "fr" else "d"
        return _on_screen(f"{days}{NO_BREAK}{unit}")
