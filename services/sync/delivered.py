"""A delivery on its way into the database: JSON lines to temporary tables, checked line by line."""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from contracts.subjects import partition_of
from services.sync import keyed, keyed_people
from services.sync.changes import Connection
from services.sync.domain.fields import LONGEST_VALUE, NONE_FILLED, members, salesperson_code
from services.sync.domain.problems import Problem
from services.sync.domain.receivables import digest, due_date
from services.sync.domain.records import (
    RECORD,
    AnyRecord,
    ClientRecord,
    EndRecord,
    EntryRecord,
    GoneRecord,
    KeysRecord,
    PassRecord,
    TotalsRecord,
    TroubleRecord,
)

LINES_AT_ONCE = 2_000
PROBLEMS_AT_MOST = 100
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""What no text of PostgreSQL can hold, as JSON writes it."""
Show = Callable[[int], Awaitable[None]]


@dataclass
class Delivered:
    """What a delivery said of itself, once it was read whole."""

    lines: int = 0
    entries: int = 0
    clients: int = 0
    has_keys: bool = False
    totals: TotalsRecord | None = None
    end: EndRecord | None = None
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


class Taking:
    """Takes one delivery in: of one company and source."""

    def __init__(self, connection: Connection, company: str, source: str, term_days: int) -> None:
        self._connection = connection
        self._company = company
        self._source = source
        self._term_days = term_days
        self._partitions: dict[str, int] = {}
        self._pass = 0
        self._rows: dict[str, list[tuple[Any, ...]]] = {"delivered_entry": [], "delivered_client": []}
        self._keys: list[tuple[str]] = []
        self.delivered = Delivered()

    async def read(self, path: Path, show: Show) -> Delivered:
        """Put everything aside. Problems are collected; the rest of an unreadable delivery is not looked at."""
        await keyed.stage(self._connection)
        await keyed_people.stage(self._connection)
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                self._take(number, line)
                if len(self.delivered.errors) >= PROBLEMS_AT_MOST:
                    break
                if number % LINES_AT_ONCE == 0:
                    await self._write()
                    await show(number)
        await self._write()
        found = self.delivered
        if found.end is None:
            self._error(found.lines, "delivery_cut")
        elif found.end.records != found.lines - 1:
            self._error(found.lines, "delivery_incomplete", told=f"{found.end.records}", read=f"{found.lines - 1}")
        return found

    def _error(self, line: int, code: str, **details: str) -> None:
        self.delivered.errors.append(Problem(line, "", code, details))

    def _take(self, number: int, line: bytes) -> None:
        self.delivered.lines = number
        if self.delivered.end is not None:
            self._error(number, "delivery_incomplete", told=f"{self.delivered.end.records}", read=f"{number}")
            return
        if NUL.search(line):
            self._error(number, "record_invalid", fault="NUL")
            return
        try:
            record = RECORD.validate_json(line)
        except ValidationError as invalid:
            # the input itself may hold names: only the place and the kind of the first fault are told
            fault = invalid.errors(include_input=False, include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in fault["loc"][1:])
            self.delivered.errors.append(Problem(number, place, "record_invalid", {"fault": fault["type"]}))
            return
        self._put_aside(number, record)

    def _put_aside(self, number: int, record: AnyRecord) -> None:
        found = self.delivered
        match record:
            case EntryRecord():
                found.entries += 1
                self._rows["delivered_entry"].append(self._entry(number, record))
            case GoneRecord():
                row = (number, self._pass, record.key, True, *[None] * 11)
                self._rows["delivered_entry"].append(row)
            case ClientRecord():
                found.clients += 1
                self._rows["delivered_client"].append(self._client(number, record))
            case KeysRecord():
                found.has_keys = True
                self._keys += [(key,) for key in record.keys]
            case PassRecord():
                self._pass += 1
            case TroubleRecord():
                found.warnings.append(Problem(number, "", record.code, dict(record.details)))
            case TotalsRecord():
                found.totals = record
            case EndRecord():
                found.end = record

    async def _write(self) -> None:
        tables = {"delivered_entry": keyed.COLUMNS, "delivered_client": keyed_people.COLUMNS}
        for table, columns in tables.items():
            rows = self._rows[table]
            if rows:
                async with self._connection.cursor().copy(
                    f"copy {table} ({', '.join(columns)}) from stdin"
                ) as copy:
                    for row in rows:
                        await copy.write_row(row)
                rows.clear()
        if self._keys:
            async with self._connection.cursor().copy("copy delivered_key (key) from stdin") as copy:
                for key in self._keys:
                    await copy.write_row(key)
            self._keys.clear()

    def _partition(self, client_id: str) -> int:
        p = self._partitions.get(client_id)
        if p is None:
            p = self._partitions[client_id] = partition_of(self._company, client_id)
        return p

    def _entry(self, number: int, record: EntryRecord) -> tuple[Any, ...]:
        """``entry`` is the JSON of ``SyncedEntry`` but for its id and its removal."""
        dated = record.invoice_date or record.entry_date
        due = record.due_date or due_date(dated, self._term_days, is_credit=record.credit > 0)
        entry = _members(
            {
                "client_id": record.client_id,
                "account": record.account,
                "kind": record.kind,
                "journal": record.journal,
                "piece": record.piece,
                "entry_date": _iso(record.entry_date),
                "invoice_date": _iso(dated),
                "due_date": _iso(due),
                "debit": f"{record.debit:f}",
                "credit": f"{record.credit:f}",
                "currency": record.currency,
                "book_amount": f"{record.book_amount:f}",
                "payment_mode": record.payment_mode,
                "lettering": record.lettering,
                "lettered_on": _iso(record.lettered_on),
            }
        )
        fields = members(sorted(record.fields.items()))
        return (
            number,
            self._pass,
            record.key,
            False,
            digest(f"{self._source}\x1f{record.key}"),
            digest(entry),
            digest(record.label),
            self._partition(record.client_id),
            record.client_id,
            record.lettering is None,
            record.book_amount,
            record.label,
            entry,
            fields,
            digest(fields) if fields != NONE_FILLED else None,
        )

    def _client(self, number: int, record: ClientRecord) -> tuple[Any, ...]:
        """``client`` is the JSON of ``SyncedClient`` but for its removal, ``person`` what ledger's people take."""
        name = (record.sales_person or "").strip()
        seller = (record.sales_person_code or "").strip() or salesperson_code(name)
        client = _members(
            {
                "client_id": record.client_id,
                "account": record.account,
                "currency": record.currency,
                "profile": record.profile,
                "category": record.category,
                "payment_mode": record.payment_mode,
                **({"salesperson": seller} if seller else {}),
            }
        )
        filled = {field: value[:LONGEST_VALUE] for field, value in sorted(record.fields.items()) if value}
        person = to_json(
            {
                "name": record.name or record.client_id,
                "emails": record.emails,
                "phones": record.phones,
                "address": record.address or None,
                "contact_name": record.contact_name,
                "language": record.language,
                **({"fields": filled} if filled else {}),
                **({"salesperson": {"code": seller, "name": name}} if seller and name else {}),
            }
        ).decode()
        contacts = to_json(
            [
                {
                    "key": contact.key,
                    "name": contact.name,
                    "department": contact.service or contact.function,
                    "email": next(iter(contact.emails), ""),
                    "phone": next(iter(contact.phones), ""),
                }
                for contact in record.contacts
            ]
        ).decode()
        return (
            number,
            self._pass,
            record.client_id,
            self._partition(record.client_id),
            digest(client),
            digest(person + contacts),
            len(record.contacts),
            client,
            person,
            contacts,
        )


def _members(values: dict[str, Any]) -> str:
    """JSON members without the braces around them."""
    return to_json(values).decode()[1:-1]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def lines(records: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Records as the lines of a delivery."""
    for record in records:
        yield to_json(record) + b"\n"
