"""The items of bulk events as rows of a temporary table, for SQL to go on from.

Taken apart here and put in by COPY they cost a third of what ``json_to_recordset`` takes, and each is read once
however many statements need it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from operator import attrgetter
from typing import Any

import msgspec
import psycopg
from msgspec.structs import astuple
from psycopg import sql
from pydantic_core import from_json, to_json

from chassis.delivered import Delivered

Connection = psycopg.AsyncConnection[Any]

NOTHING = "\x1f"
"""Null in the text of COPY: not ``\\N``, so that a backslash always means a text to escape."""

PLACE = {"company": "text", "p": "smallint", "number": "bigint", "as_of": "date", "n": "integer"}
"""What every row has besides its item: its event, and its place among all items heard."""

Told = Sequence[tuple[Delivered, Sequence[Any]]]
"""Events, each with its items: objects with a member per column."""

_CLIENT_OF = attrgetter("client_id")

FEW_ROWS = 50
"""So few rows are not worth a try."""


@dataclass(frozen=True)
class Items:
    """What the member ``listed`` of a bulk event lists. ``columns`` names members of an item and their PostgreSQL
    type: texts, or what can be read from a text; a missing one is null, a missing boolean false. Arrays are of
    identifiers, which need no quotes.

    ``table`` is the temporary table's name, as statements write it: its columns make it, so that a connection kept
    through an upgrade meets no table of another form.
    """

    listed: str
    columns: Mapping[str, str]
    table: str = field(init=False)
    _texts: tuple[str, ...] = field(init=False, repr=False)
    _flags: tuple[str, ...] = field(init=False, repr=False)
    _arrays: tuple[str, ...] = field(init=False, repr=False)
    _decoder: msgspec.json.Decoder[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        form = sha256(repr([*PLACE.items(), *self.columns.items()]).encode()).hexdigest()[:12]
        object.__setattr__(self, "table", f"heard_{self.listed}_{form}")
        flags = tuple(name for name, kind in self.columns.items() if kind == "boolean")
        object.__setattr__(self, "_flags", flags)
        arrays = tuple(name for name, kind in self.columns.items() if kind.endswith("[]"))
        object.__setattr__(self, "_arrays", arrays)
        texts = tuple(name for name in self.columns if name not in {*flags, *arrays})
        object.__setattr__(self, "_texts", texts)
        item = msgspec.defstruct(
            "Item",
            [(name, str | None, None) for name in texts]
            + [(name, bool, False) for name in flags]
            + [(name, list[str], msgspec.field(default_factory=list)) for name in arrays],
            gc=False,
        )
        bulk = msgspec.defstruct("Bulk", [("items", list[item], msgspec.field(name=self.listed))], gc=False)  # type: ignore[valid-type]
        object.__setattr__(self, "_decoder", msgspec.json.Decoder(bulk))

    def told(self, heard: Sequence[Delivered]) -> Told:
        """The items of these events as objects; nothing when one is not written as is usual."""
        try:
            return [(event, self._decoder.decode(event.body).items) for event in heard]
        except msgspec.ValidationError:  # a number where a text is usual
            return []

    def told_anyhow(self, heard: Sequence[Delivered]) -> Told:
        """The items of these events as objects, also of those that write a number where a text is usual."""
        try:
            return [(event, self._decoder.decode(event.body).items) for event in heard]
        except msgspec.ValidationError:
            return [(event, self._loosely(event)) for event in heard]

    def _loosely(self, event: Delivered) -> list[Any]:
        plain = [
            {name: str(item[name]) for name in self._texts if item.get(name) is not None}
            | {name: bool(item.get(name)) for name in self._flags}
            | {name: item.get(name) or [] for name in self._arrays}
            for item in from_json(event.body)[self.listed]
        ]
        bulk: list[Any] = self._decoder.decode(to_json({self.listed: plain})).items
        return bulk

    async def lay_out(self, connection: Connection, heard: Sequence[Delivered]) -> int:
        """Put the items of these events into the table, which is empty again after the transaction; how many."""
        columns = {**PLACE, **self.columns}
        await connection.execute(
            sql.SQL("create temp table if not exists {} ({}) on commit delete rows").format(
                sql.Identifier(self.table),
                sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()
                ),
            )
        )
        await connection.execute(sql.SQL("delete from {}").format(sql.Identifier(self.table)))
        count, text = self._spelled(heard)
        statement = sql.SQL("copy {} ({}) from stdin with (null {})").format(
            sql.Identifier(self.table),
            sql.SQL(", ").join(map(sql.Identifier, self._order())),
            sql.Literal(NOTHING),
        )
        async with connection.cursor().copy(statement) as copy:
            await copy.write(text)
        return count

    def _order(self) -> list[str]:
        return [*PLACE, *self._texts, *self._flags, *self._arrays]

    def _spelled(self, heard: Sequence[Delivered]) -> tuple[int, str]:
        try:
            rows = self._plain(heard)
        except msgspec.ValidationError:  # a number where a text is usual
            rows = self._escaped(heard)
            return len(rows), "\n".join(rows)
        text = "\n".join(rows)
        tabs = len(rows) * (len(PLACE) + len(self.columns) - 1)
        if "\\" in text or "\r" in text or text.count("\t") != tabs or text.count("\n") != max(0, len(rows) - 1):
            text = "\n".join(self._escaped(heard))
        return len(rows), text

    def _plain(self, heard: Sequence[Delivered]) -> list[str]:
        """The rows as they are, were nothing to escape: every line of accounting passes here once per service that
        listens, so items are decoded into tuples of known form."""
        rows: list[str] = []
        width = len(self._texts)
        flagged = width + len(self._flags)
        for event in heard:
            head = f"{event.company}\t{event.partition}\t{event.number}\t{event.as_of}\t"
            for item in self._decoder.decode(event.body).items:
                told = astuple(item)
                values = [NOTHING if value is None else value for value in told[:width]]
                values += ["t" if flag else "f" for flag in told[width:flagged]]
                values += [array(ids) for ids in told[flagged:]]
                rows.append(f"{head}{len(rows)}\t" + "\t".join(values))
        return rows

    def _escaped(self, heard: Sequence[Delivered]) -> list[str]:
        rows: list[str] = []
        for event in heard:
            head = f"{event.company}\t{event.partition}\t{event.number}\t{event.as_of}\t"
            for item in from_json(event.body)[self.listed]:
                values = [NOTHING if item.get(name) is None else escaped(str(item[name])) for name in self._texts]
                values += ["t" if item.get(name) else "f" for name in self._flags]
                values += [array(item.get(name) or ()) for name in self._arrays]
                rows.append(f"{head}{len(rows)}\t" + "\t".join(values))
        return rows


def clients_of(told: Told) -> dict[tuple[str, int, str], int]:
    """Company, partition and ``client_id`` of all items, sorted, each with the last number that names it."""
    last: dict[tuple[str, int, str], int] = {}
    for event, items in told:
        for client_id in set(map(_CLIENT_OF, items)):
            last[event.company, event.partition, client_id] = event.number
    return dict(sorted(last.items()))


def array(ids: Iterable[str]) -> str:
    """Identifiers as an array that PostgreSQL reads."""
    return "{" + ",".join(ids) + "}"


def escaped(text: str) -> str:
    """A text as COPY wants it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


async def insert_new(
    connection: Connection, statement: str, rows: int, parameters: Mapping[str, Any] | None = None
) -> bool:
    """Run an insert that knows no conflict, half the price of one that does; False, and nothing done, when a row
    is already there, or there are too few ``rows`` for it to pay."""
    if rows < FEW_ROWS:
        return False
    await connection.execute("savepoint before_new_rows")
    try:
        await connection.execute(statement.encode(), parameters, prepare=False)
    except psycopg.errors.UniqueViolation:
        await connection.execute("rollback to savepoint before_new_rows")
        return False
    await connection.execute("release savepoint before_new_rows")
    return True
