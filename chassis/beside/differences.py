"""What a new version of the tables makes otherwise: counted table by table, with keys and columns.

Values are left out: an operator reads this, and which column of which row differs is enough to look it up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from chassis.comparing import Side, merged, spelled

LOOKED_INTO = 1000
"""Differing rows of a table whose columns are looked at."""


@dataclass
class TableDifference:
    """One table: rows of the live side, of the other, equal ones, those of one side only, and differing ones.
    ``columns`` counts in how many of the first thousand differing rows a column differs."""

    table: str
    live: int = 0
    beside: int = 0
    equal: int = 0
    only_live: int = 0
    only_beside: int = 0
    differing: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        return self.equal == self.live == self.beside


async def table_differences(
    live: Side, beside: Side, tables: Sequence[Table], *, most_keys: int = 10
) -> list[TableDifference]:
    """Compare every table; both sides must stand still, in a transaction."""
    return [await _of_table(live, beside, table, most_keys) for table in tables]


async def _of_table(live: Side, beside: Side, table: Table, most_keys: int) -> TableDifference:
    found = TableDifference(table.name)
    names = [column.name for column in table.primary_key]
    async for key, ours, theirs in merged(live, beside, table):
        found.live += ours is not None
        found.beside += theirs is not None
        if ours == theirs:
            found.equal += 1
            continue
        told: dict[str, Any] = {"key": spelled(names, key)}
        if theirs is None:
            found.only_live += 1
            told["only"] = "live"
        elif ours is None:
            found.only_beside += 1
            told["only"] = "beside"
        else:
            found.differing += 1
            if found.differing <= LOOKED_INTO:
                told["columns"] = await _columns(live, beside, table, key)
                for column in told["columns"]:
                    found.columns[column] = found.columns.get(column, 0) + 1
        if len(found.keys) < most_keys:
            found.keys.append(told)
    return found


async def _columns(live: Side, beside: Side, table: Table, key: tuple[Any, ...]) -> list[str]:
    ours, theirs = await live.row(table, key), await beside.row(table, key)
    return [column for column, value in ours.items() if value != theirs[column]]
