"""Rows of Sage tables to records: pure, one function per kind of row."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from services.sync.domain.receivables import Nature, kind_of

EMPTY_YEAR = 1753
"""Sage writes 1 January 1753 where there is no date."""
CREDIT = 1
SALES_JOURNAL, OPENING_LABEL = 1, re.compile(r"nouveaux?\b|\breports?\b", re.IGNORECASE)
SMALLEST = Decimal("0.0001")
CENT = Decimal("0.01")
DAYS_REMEMBERED = 10_000
_MAILS = re.compile(r"[;,\s]+")
_LANGUAGE = re.compile(r"^[A-Za-z]{2}$")
Row = Mapping[str, Any]


@dataclass
class Parameters:
    """The small tables that rows refer to by number."""

    currency: str = "EUR"
    """Of the company, as an ISO code."""
    currency_number: int = 0
    currencies: Mapping[int, str] = field(default_factory=dict)
    modes: Mapping[int, str] = field(default_factory=dict)
    journals: Mapping[str, Nature] = field(default_factory=dict)
    sales_people: Mapping[int, str] = field(default_factory=dict)
    services: Mapping[int, str] = field(default_factory=dict)
    exercises: Sequence[date] = ()
    entry_fields: Sequence[str] = ()
    client_fields: Sequence[str] = ()
    """Names of the custom fields that rows carry, as ``field_<name>``."""
    unknown_currencies: set[int] = field(default_factory=set)
    """Numbers met in rows that name no ISO code; such rows count in the bookkeeping currency alone."""

    def iso(self, number: int) -> str | None:
        """The ISO code of a currency number, None for the bookkeeping currency and for an unknown one."""
        if number in (0, self.currency_number):
            return None
        if number not in self.currencies:
            self.unknown_currencies.add(number)
        code = self.currencies.get(number)
        return None if code == self.currency else code


def text(value: Any) -> str:
    """A text without padding and NULs."""
    if value is None:
        return ""
    told = value if isinstance(value, str) else str(value)
    return told.replace("\x00", "").strip() if "\x00" in told else told.strip()


def day(value: datetime | date | None) -> date | None:
    """A date; 1753 is none."""
    if value is None or value.year <= EMPTY_YEAR:
        return None
    return value.date() if isinstance(value, datetime) else value


def amount(value: Any) -> Decimal:
    """An amount with two decimals at least and four at most."""
    exact = value if isinstance(value, Decimal) else Decimal(value or 0)
    rounded = exact.quantize(CENT, ROUND_HALF_EVEN)
    return rounded if rounded == exact else exact.quantize(SMALLEST, ROUND_HALF_EVEN).normalize()


def nature_of(kind: int | None, label: str) -> Nature:
    """What a journal holds: JO_Type 1 is sales, and one of balances brought forward is known by its name."""
    if kind == SALES_JOURNAL:
        return Nature.SALES
    return Nature.OPENING if OPENING_LABEL.search(label) else Nature.CASH


@lru_cache(DAYS_REMEMBERED)
def entry_day(month: datetime | date, number: int | None) -> str:
    """JM_Date is the first of the month, EC_Jour the day in it; answered as ISO writes it."""
    first = month.date() if isinstance(month, datetime) else month
    return (first + timedelta(days=max(number or 1, 1) - 1)).isoformat()


@lru_cache(DAYS_REMEMBERED)
def iso_day(value: datetime | date | None) -> str | None:
    """A date as ISO writes it; 1753 is none."""
    told = day(value)
    return told.isoformat() if told else None


def entry(row: Row, parameters: Parameters) -> dict[str, Any]:
    """An ``EntryRecord``: sides from EC_Sens, a negative amount on the other side; settled only by EC_Lettre = 1,
    since a pre-lettering writes a code as well."""
    booked = amount(row["EC_Montant"])
    is_credit = (row["EC_Sens"] == CREDIT) != (booked < 0)
    plain = f"{abs(booked):f}"
    own = plain
    iso = parameters.iso(row["N_Devise"] or 0)
    if iso:
        foreign = abs(amount(row["EC_Devise"]))
        if foreign:
            own = f"{foreign:f}"
        else:
            iso = None  # an exchange difference, or a line entered in the company's currency alone
    happened = entry_day(row["JM_Date"], row["EC_Jour"])
    journal = text(row["JO_Num"])
    return {
        "record": "entry",
        "key": str(row["EC_No"]),
        "client_id": text(row["CT_Num"]),
        "account": text(row["CG_Num"]),
        "kind": kind_of(parameters.journals.get(journal, Nature.CASH), is_credit=is_credit and booked != 0),
        "journal": journal,
        "piece": text(row["EC_RefPiece"]) or text(row["EC_Piece"]),
        "entry_date": happened,
        "invoice_date": happened,
        "due_date": iso_day(row["EC_Echeance"]),
        "debit": "0.00" if is_credit else own,
        "credit": own if is_credit else "0.00",
        "currency": iso or parameters.currency,
        "book_amount": f"-{plain}" if is_credit and booked else plain,
        "payment_mode": parameters.modes.get(row["N_Reglement"] or 0),
        "lettering": (text(row["EC_Lettrage"]) or None) if row["EC_Lettre"] == 1 else None,
        "label": text(row["EC_Intitule"]),
        "fields": fields(row, parameters.entry_fields),
    }


def fields(row: Row, names: Sequence[str]) -> dict[str, str]:
    """Custom fields that hold something, by name."""
    return {name: value for name in names if (value := text(row[f"field_{name}"]))}


def mails(value: Any) -> list[str]:
    """The addresses of a column: several may stand in it."""
    return [one for one in _MAILS.split(text(value)) if "@" in one]


def contact(row: Row, parameters: Parameters) -> dict[str, Any]:
    """A ``Contact`` of F_CONTACTT."""
    phones = [text(row["CT_Telephone"]), text(row["CT_TelPortable"])]
    return {
        "key": str(row["CT_No"]),
        "name": f"{text(row['CT_Prenom'])} {text(row['CT_Nom'])}".strip(),
        "service": parameters.services.get(row["N_Service"] or 0, ""),
        "function": text(row["CT_Fonction"]),
        "emails": mails(row["CT_EMail"]),
        "phones": [phone for phone in phones if phone],
    }


def client(
    row: Row, parameters: Parameters, contacts: Iterable[dict[str, Any]], modes: Sequence[int]
) -> dict[str, Any]:
    """A ``ClientRecord`` of F_COMPTET, its contacts and its payment modes. A client without an address of its own
    is reached at that of its first contact."""
    address = {
        "street": text(row["CT_Adresse"]),
        "complement": text(row["CT_Complement"]),
        "postcode": text(row["CT_CodePostal"]),
        "city": text(row["CT_Ville"]),
        "region": text(row["CT_CodeRegion"]),
        "country": text(row["CT_Pays"]),
    }
    language = text(row["CT_LangueISO2"])
    phone = text(row["CT_Telephone"])
    contacts = list(contacts)
    reached: list[str] = next((one["emails"] for one in contacts if one["emails"]), [])
    return {
        "record": "client",
        "client_id": text(row["CT_Num"]),
        "account": text(row["CG_NumPrinc"]),
        "currency": parameters.iso(row["N_Devise"] or 0) or parameters.currency,
        "profile": text(row.get("profile")) or None,
        "category": text(row.get("category")) or None,
        "payment_mode": next((parameters.modes[mode] for mode in modes if mode in parameters.modes), None),
        "name": text(row["CT_Intitule"]),
        "emails": mails(row["CT_EMail"]) or reached,
        "phones": [phone] if phone else [],
        "address": {part: line for part, line in address.items() if line},
        "contact_name": text(row["CT_Contact"]) or None,
        "language": language.lower() if _LANGUAGE.match(language) else None,
        "sales_person": parameters.sales_people.get(row["CO_No"] or 0) or None,
        "sales_person_code": str(row["CO_No"]) if row["CO_No"] else None,
        "contacts": contacts,
        "fields": fields(row, parameters.client_fields),
    }
