"""A line of a customer account, as any connector reads it."""

from dataclasses import dataclass
from typing import NamedTuple

UNITS = 10_000
"""Amounts are read as whole numbers of 1/10,000 of the currency."""


class Line(NamedTuple):
    """One line of a customer account as read: texts trimmed, dates ISO, amounts in units, ``""`` for nothing.

    ``debit`` and ``credit`` are in ``currency``, positive, one of them zero; ``book`` is debit minus credit in
    the bookkeeping currency. ``key`` is the source's own, where it has one; ``kind`` is said by sources that know
    it, of the others the journal tells.
    """

    number: int
    client_id: str
    account: str
    journal: str
    entry_number: str
    entry_date: str
    piece: str
    piece_date: str
    due_date: str
    label: str
    debit: int
    credit: int
    currency: str
    book: int
    lettering: str
    lettered_on: str
    key: str = ""
    kind: str = ""
    payment_mode: str = ""
    fields: str = ""
    """The free fields as a JSON object; empty where the source says nothing of them."""


@dataclass
class JournalSide:
    """How a journal uses customer accounts: number of debits and of credits, and what its name says."""

    label: str = ""
    debits: int = 0
    credits: int = 0
