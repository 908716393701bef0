"""What a customer line is: invoice, credit note or payment, when it falls due, and what names it."""

import re
from datetime import date, timedelta
from enum import StrEnum
from hashlib import blake2b

from services.sync.domain.lines import UNITS, JournalSide

DEFAULT_TERM_DAYS = 30
_OPENING_CODES = frozenset({"AN", "ANC", "ANO", "RAN", "AND"})
_OPENING_LABEL = re.compile(r"nouveaux?\b|\brep(?:ort|rise)s?\b|\bopening\b", re.IGNORECASE)


class Nature(StrEnum):
    """What a journal holds for customers."""

    SALES = "sales"
    CASH = "cash"
    OPENING = "opening"


def nature_of(code: str, side: JournalSide) -> Nature:
    """A journal of balances brought forward is known by its name; any other by the side most of its customer
    lines are on."""
    if code.upper() in _OPENING_CODES or _OPENING_LABEL.search(side.label):
        return Nature.OPENING
    return Nature.SALES if side.debits > side.credits else Nature.CASH


def kind_of(nature: Nature, *, is_credit: bool) -> str:
    """A debit is an invoice; a credit is a credit note among sales, else a payment."""
    if not is_credit:
        return "invoice"
    return "credit_note" if nature is Nature.SALES else "payment"


def due_date(dated: date, term_days: int, *, is_credit: bool) -> date:
    """Invoices fall due after the payment term; payments and credit notes on their own date (rule 22.18)."""
    return dated if is_credit else dated + timedelta(days=term_days)


def decimals(units: int) -> str:
    """Units as a decimal string with at least two decimals: ``12345600`` is ``1234.56``."""
    if units < 0:
        return f"-{decimals(-units)}"
    text = str(units) if units >= UNITS else f"{units:05d}"
    return f"{text[:-4]}.{text[-4:-2]}" if text[-2:] == "00" else f"{text[:-4]}.{text[-4:]}"


def digest(text: str) -> str:
    """128 bits of BLAKE2b as 32 hexadecimal digits."""
    return blake2b(text.encode(), digest_size=16).hexdigest()
