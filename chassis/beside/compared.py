"""What the last comparison found, kept in the schema beside it and gone with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from chassis.beside.differences import TableDifference
from chassis.beside.place import Beside
from chassis.derived import Connection

TABLE = "comparison"
"""In no schema but one beside: the command that compares makes it, and owns it."""

MAKE = """
    create table if not exists {} (one boolean primary key default true check (one),
        at timestamptz not null, found jsonb not null)
"""
KEEP = """
    insert into {} (at, found) values (clock_timestamp(), %s)
    on conflict (one) do update set at = excluded.at, found = excluded.found
"""


async def keep_comparison(
    connection: Connection, service: str, schema: str, tables: Sequence[TableDifference], *, parked_alike: bool
) -> None:
    """Numbers and names of columns; keys of rows would name clients, and stay with who typed the command."""
    found = {
        "parked_alike": parked_alike,
        "tables": [
            {
                "table": one.table,
                "live": one.live,
                "beside": one.beside,
                "equal": one.equal,
                "only_live": one.only_live,
                "only_beside": one.only_beside,
                "differing": one.differing,
                "columns": one.columns,
            }
            for one in tables
        ],
    }
    name = sql.Identifier(schema, TABLE)
    async with connection.transaction():
        await connection.execute(sql.SQL(MAKE).format(name))
        await connection.execute(
            sql.SQL("grant select on {} to {}").format(name, sql.Identifier(f"{service}_worker"))
        )
        await connection.execute(sql.SQL(KEEP).format(name), [Jsonb(found)])


async def last_compared(connection: Connection, beside: Beside) -> dict[str, Any] | None:
    """``at``, ``parked_alike`` and ``tables``; ``None`` when nobody has compared since these tables stand there:
    what was found before a switch was said of the two sides the other way round."""
    there = await (await connection.execute("select to_regclass(%s)", [f"{beside.schema}.{TABLE}"])).fetchone()
    if there is None or there[0] is None:
        return None
    query = sql.SQL("select at, found from {} where at >= %s").format(sql.Identifier(beside.schema, TABLE))
    row = await (await connection.execute(query, [beside.since])).fetchone()
    if row is None:
        return None
    at: datetime = row[0]
    return {"at": at, **row[1]}
