"""Rows that nobody knows yet, put straight into the table they belong to.

COPY into the table itself costs a third less than laying items out and inserting from there, and half of an
insert that looks for conflicts. PostgreSQL refuses it to a role that row-level security is applied to; a worker
sees every company, so its role may bypass it (``chassis.database``). Where it may not, the longer way is taken.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from msgspec.structs import astuple
from psycopg import sql

from chassis.delivered import Delivered
from chassis.heard_rows import COLUMNS
from chassis.items import FEW_ROWS, NOTHING, Told, escaped

Connection = psycopg.AsyncConnection[Any]
log = logging.getLogger(__name__)


@dataclass
class NewRows:
    """How items become rows of ``table``: ``row`` answers what stands in ``columns``, as texts that PostgreSQL can
    read, tabs between; null is ``NOTHING``, a boolean ``t`` or ``f``. ``of_event`` are the columns before them, by
    what they hold of the event (``heard_rows.COLUMNS``).

    Every line of accounting passes here once per service that listens: a row is one text made at once, never a
    list of values."""

    table: str
    columns: tuple[str, ...]
    row: Callable[[Any], str]
    of_event: Mapping[str, str] = field(default_factory=lambda: {"company": "company", "p": "p"})
    _allowed: bool = field(default=True, init=False)

    async def copy(self, connection: Connection, told: Told) -> bool | None:
        """Put the items in. False, and nothing done, when one of them is there already; None when this way is not
        for them: too few, or not allowed to this role."""
        if not self._allowed or sum(len(items) for _, items in told) < FEW_ROWS:
            return None
        text = self._spelled(told)
        statement = sql.SQL("copy {} ({}) from stdin with (null {})").format(
            sql.Identifier(self.table),
            sql.SQL(", ").join(map(sql.Identifier, (*self.of_event, *self.columns))),
            sql.Literal(NOTHING),
        )
        await connection.execute("savepoint before_new_rows")
        try:
            async with connection.cursor().copy(statement) as copy:
                await copy.write(text)
        except psycopg.errors.UniqueViolation:
            await connection.execute("rollback to savepoint before_new_rows")
            return False
        except psycopg.errors.FeatureNotSupported:
            await connection.execute("rollback to savepoint before_new_rows")
            self._allowed = False
            log.warning("row-level security is applied to this role: rows go in the longer way")
            return None
        await connection.execute("release savepoint before_new_rows")
        return True

    def _spelled(self, told: Told) -> str:
        row = self.row
        rows: list[str] = []
        for event, items in told:
            head = self._head(event)
            rows += [head + row(item) for item in items]
        text = "\n".join(rows)
        tabs = len(rows) * (len(self.of_event) + len(self.columns) - 1)
        if "\\" in text or "\r" in text or text.count("\t") != tabs or text.count("\n") != max(0, len(rows) - 1):
            rows = [f"{self._head(event)}{row(_with_escapes(item))}" for event, items in told for item in items]
            text = "\n".join(rows)
        return text

    def _head(self, event: Delivered) -> str:
        return "".join([f"{escaped(str(COLUMNS[name][1](event)))}\t" for name in self.of_event.values()])


def _with_escapes(item: Any) -> Any:
    """The same item, its texts as COPY wants them."""
    return type(item)(*(escaped(value) if isinstance(value, str) else value for value in astuple(item)))
