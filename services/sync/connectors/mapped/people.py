"""Rows of a mapped file to clients, and to those who answer for them."""

import re
from collections.abc import Iterator
from typing import Any

from services.sync.connectors import ClientDetails, Read, Rules
from services.sync.connectors.mapped.entries import CURRENCY_NAMES, LONGEST_CLIENT, NO_WORDS, whole_number
from services.sync.connectors.mapped.mapping import Mapping, folded
from services.sync.domain.fields import CLIENT_FIELDS
from services.sync.domain.fields import salesperson_code as code_of_salesperson
from services.sync.domain.lines import Line
from services.sync.domain.problems import Findings, shown

LONGEST_TEXT = 500
LONGEST_CODE = 100
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
_BETWEEN = re.compile(r"[;,\s]+")
_LANGUAGE = re.compile(r"[a-z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


class _People:
    """What rows of clients and of contacts have alike."""

    def __init__(self, mapping: Mapping, rules: Rules, findings: Findings, read: Read) -> None:
        self._mapping = mapping
        self._findings = findings
        self._read = read
        self._account = rules.accounts[0]

    def _column(self, field: str) -> str:
        return self._mapping.columns.get(field) or self._mapping.constants.get(field, field)

    def _wrong(self, number: int, field: str, code: str, **details: str) -> None:
        column = self._column(field)
        self._findings.fatal(number, column, code, column=column, **details)

    def _client(self, number: int, code: str) -> str:
        client_id = whole_number(code) if "client_id" in self._mapping.whole_numbers else code
        if not client_id:
            self._wrong(number, "client_id", "field_empty")
        elif len(client_id) > LONGEST_CLIENT:
            self._wrong(number, "client_id", "client_too_long", most=str(LONGEST_CLIENT))
            return ""
        return client_id

    def _emails(self, number: int, text: str) -> list[str]:
        """The addresses of a cell; what is none is told and left out."""
        emails = []
        for part in filter(None, _BETWEEN.split(text)):
            if _EMAIL.fullmatch(part) and len(part) <= LONGEST_TEXT:
                emails.append(part)
            else:
                column = self._column("email")
                self._findings.remark(number, column, "email_invalid", column=column)
        return emails

    def _language(self, number: int, text: str) -> str | None:
        language = text[:2].lower()
        if not text:
            return None
        if _LANGUAGE.fullmatch(language) is None:
            self._wrong(number, "language", "language_unknown", value=shown(text))
            return None
        return language


class ClientRows(_People):
    """Takes rows in the order of ``CLIENT_FIELDS``. A column that is mapped speaks even when it is empty."""

    def take(self, number: int, fields: tuple[str, ...]) -> Iterator[Line]:
        (
            code, name, account, profile, category, payment_mode, currency, language, contact_name, email, phone,
            mobile, address, address_2, postcode, city, country, salesperson, salesperson_code, *tags,
        ) = (text.strip()[:LONGEST_TEXT] for text in fields)  # fmt: skip
        client_id = self._client(number, code)
        if not client_id:
            return iter(())
        if client_id in self._read.names:
            self._wrong(number, "client_id", "client_twice")
            return iter(())
        currency = CURRENCY_NAMES.get(currency.upper(), currency.upper())
        if currency and _CURRENCY.fullmatch(currency) is None:
            self._wrong(number, "currency", "currency_unknown", value=shown(currency))
        self._read.names[client_id] = {name: 1}
        if self._mapping.told("account"):
            self._read.accounts[client_id] = account
        told = {"line1": address, "line2": address_2, "postcode": postcode, "city": city, "country": country}
        lines = {part: text for part, text in told.items() if text}
        seller = salesperson_code[:LONGEST_CODE] or code_of_salesperson(salesperson)
        person: dict[str, Any] = {
            "emails": self._emails(number, email),
            "phones": list(dict.fromkeys(filter(None, (phone, mobile)))),
            "address": lines or None,
            "contact_name": contact_name or None,
            "language": self._language(number, language),
            "fields": {tag: text for tag, text in zip(CLIENT_FIELDS, tags, strict=True) if text},
            "salesperson": {"code": seller, "name": salesperson} if salesperson and seller else None,
        }
        said = {
            field: text if self._mapping.told(field) else None
            for field, text in (
                ("profile", profile), ("category", category), ("payment_mode", payment_mode),
                ("currency", currency),
            )
        }  # fmt: skip
        if self._mapping.told("salesperson") or self._mapping.told("salesperson_code"):
            said["salesperson"] = seller
        self._read.details[client_id] = ClientDetails(
            person={part: told for part, told in person.items() if told}, **said
        )
        return iter(())


class ContactRows(_People):
    """Takes rows in the order of ``CONTACT_FIELDS``. A client may have several contacts, each with its own
    address; the one marked as default, else the first, is who the client's letters and mails go to."""

    def __init__(self, mapping: Mapping, rules: Rules, findings: Findings, read: Read) -> None:
        super().__init__(mapping, rules, findings, read)
        self._chosen: set[str] = set()

    def take(self, number: int, fields: tuple[str, ...]) -> Iterator[Line]:
        code, name, department, email, phone, mobile, language, is_default = (
            text.strip()[:LONGEST_TEXT] for text in fields
        )
        client_id = self._client(number, code)
        if not client_id:
            return iter(())
        self._read.names.setdefault(client_id, {"": 1})
        person = self._read.details.setdefault(client_id, ClientDetails(person={"contacts": []})).person
        emails = self._emails(number, email)
        phones = [one for one in (phone, mobile) if one]
        person["contacts"].append(
            {
                "key": _unused(person["contacts"], (emails[0] if emails else name or "".join(phones)).lower()),
                "name": name,
                "department": department,
                "email": emails[0] if emails else "",
                "phone": phones[0] if phones else "",
            }
        )
        chosen = is_default != "" and folded(is_default) not in NO_WORDS
        if client_id not in self._chosen and (chosen or "emails" not in person):
            told = {"emails": emails, "phones": phones, "contact_name": name}
            person |= {part: held for part, held in told.items() if held}
            if spoken := self._language(number, language):
                person["language"] = spoken
        if chosen:
            self._chosen.add(client_id)
        return iter(())


def _unused(contacts: list[dict[str, str]], key: str) -> str:
    """What names a contact within its client: two of one address are told apart by their order."""
    taken = {contact["key"] for contact in contacts}
    named, number = key or "-", 1
    while named in taken:
        number += 1
        named = f"{key} {number}"
    return named
