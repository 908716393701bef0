"""Two versions of the same table, compared row by row in key order without holding either in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Table, Text

KEPT = "kept"
"""``Column(..., info={KEPT: True})``: not derived from events, so not compared."""

PAGE_ROWS = 5000
MOST_NAMED = 1000


@dataclass
class Comparison:
    """What differs. Each difference names table, key and column, with the value on both sides; a row that only one
    side has is named with column None and the side that lacks it as ``missing``."""

    rows: int = 0
    tables: dict[str, int] = field(default_factory=dict)
    differing: list[dict[str, Any]] = field(default_factory=list)
    differing_rows: int = 0

    def name(self, difference: dict[str, Any]) -> None:
        if len(self.differing) < MOST_NAMED:
            self.differing.append(difference)


@dataclass(frozen=True)
class Side:
    """One version of the tables: a connection inside a transaction, and the schema it reads."""

    connection: psycopg.AsyncConnection[Any]
    schema: str

    async def rows(self, table: Table) -> AsyncIterator[tuple[tuple[Any, ...], str]]:
        """Key and whole row, the row as PostgreSQL spells it, in key order."""
        keys = [column.name for column in table.primary_key]
        order = [
            sql.SQL('{} collate "C"').format(sql.Identifier(column.name))
            if isinstance(column.type, Text)
            else sql.Identifier(column.name)
            for column in table.primary_key
        ]
        query = sql.SQL("select {keys}, row({columns})::text from {table} order by {order}").format(
            keys=sql.SQL(", ").join(map(sql.Identifier, keys)),
            columns=sql.SQL(", ").join(map(sql.Identifier, compared(table))),
            table=sql.Identifier(self.schema, table.name),
            order=sql.SQL(", ").join(order),
        )
        async with self.connection.cursor(name=f"compare_{table.name}") as cursor:
            cursor.itersize = PAGE_ROWS
            await cursor.execute(query)
            async for row in cursor:
                yield row[:-1], row[-1]

    async def row(self, table: Table, key: Sequence[Any]) -> dict[str, str | None]:
        """One row, every compared column as text."""
        columns = compared(table)
        query = sql.SQL("select {columns} from {table} where {condition}").format(
            columns=sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns),
            table=sql.Identifier(self.schema, table.name),
            condition=sql.SQL(" and ").join(
                sql.SQL("{} = %s").format(sql.Identifier(column.name)) for column in table.primary_key
            ),
        )
        found = await (await self.connection.execute(query, list(key))).fetchone()
        assert found is not None
        return dict(zip(columns, found, strict=True))


def compared(table: Table) -> list[str]:
    """The columns that a rebuild must reproduce."""
    return [column.name for column in table.columns if not column.info.get(KEPT)]


async def compare(live: Side, rebuilt: Side, tables: Sequence[Table]) -> Comparison:
    """Compare every table; both sides must stand still, in a transaction."""
    comparison = Comparison()
    for table in tables:
        await _compare_table(live, rebuilt, table, comparison)
    return comparison


async def merged(
    live: Side, rebuilt: Side, table: Table
) -> AsyncIterator[tuple[tuple[Any, ...], str | None, str | None]]:
    """Every key of either side, in order, with the row of both; ``None`` for the side that has none."""
    left, right = live.rows(table), rebuilt.rows(table)
    ours, theirs = await anext(left, None), await anext(right, None)
    while ours is not None or theirs is not None:
        # the keys of both sides come in the same order, so the smaller one has no partner
        if theirs is None or (ours is not None and ours[0] < theirs[0]):
            assert ours is not None
            yield ours[0], ours[1], None
            ours = await anext(left, None)
        elif ours is None or theirs[0] < ours[0]:
            yield theirs[0], None, theirs[1]
            theirs = await anext(right, None)
        else:
            yield ours[0], ours[1], theirs[1]
            ours, theirs = await anext(left, None), await anext(right, None)


async def _compare_table(live: Side, rebuilt: Side, table: Table, comparison: Comparison) -> None:
    names = [column.name for column in table.primary_key]
    rows = 0
    async for key, ours, theirs in merged(live, rebuilt, table):
        rows += ours is not None
        if ours == theirs:
            continue
        comparison.differing_rows += 1
        if theirs is None:
            comparison.name(_missing(table, names, key, "rebuilt"))
        elif ours is None:
            comparison.name(_missing(table, names, key, "live"))
        else:
            await _name_columns(live, rebuilt, table, key, comparison)
    comparison.tables[table.name] = rows
    comparison.rows += rows


def _missing(table: Table, names: list[str], key: tuple[Any, ...], side: str) -> dict[str, Any]:
    return {"table": table.name, "key": spelled(names, key), "column": None, "missing": side}


async def _name_columns(
    live: Side, rebuilt: Side, table: Table, key: tuple[Any, ...], comparison: Comparison
) -> None:
    if len(comparison.differing) >= MOST_NAMED:
        return
    ours, theirs = await live.row(table, key), await rebuilt.row(table, key)
    named = spelled([column.name for column in table.primary_key], key)
    for column, value in ours.items():
        if value != theirs[column]:
            comparison.name(
                {
                    "table": table.name,
                    "key": named,
                    "column": column,
                    "live": value,
                    "rebuilt": theirs[column],
                }
            )


def spelled(names: list[str], key: tuple[Any, ...]) -> dict[str, Any]:
    """A key by its columns' names."""
    return {
        name: value if isinstance(value, int | str) else str(value) for name, value in zip(names, key, strict=True)
    }
