"""Tables of two schemas change places, inside a transaction of the owner.

A table takes its indexes, constraints, rights and policies along. What speaks of it from elsewhere does not
follow: views and the policies of other tables know tables by what they are, not by their names. Those are written
anew from their own text, and afterwards nothing of one schema may depend on anything of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from chassis.derived import Connection

PASSING = "relance_passing"
"""Schema that holds one table for the moment; it is gone with the transaction's end."""

POLICIES = """
    select c.relname, y.polname, pg_get_expr(y.polqual, y.polrelid), pg_get_expr(y.polwithcheck, y.polrelid)
    from pg_policy y join pg_class c on c.oid = y.polrelid
    where c.relnamespace = %(schema)s::regnamespace and exists (
        select from pg_depend d join pg_class other on other.oid = d.refobjid
        where d.classid = 'pg_policy'::regclass and d.objid = y.oid and d.refclassid = 'pg_class'::regclass
            and d.refobjid <> y.polrelid and other.relnamespace = c.relnamespace)
    order by 1, 2
"""

VIEWS = """
    select c.relname, pg_get_viewdef(c.oid), array_to_string(c.reloptions, ', ')
    from pg_class c where c.relnamespace = %(schema)s::regnamespace and c.relkind = 'v' order by c.oid
"""

SPEAKING = """
    select distinct c.relname
    from pg_depend d join pg_class t on t.oid = d.refobjid and d.refclassid = 'pg_class'::regclass
    left join pg_policy y on d.classid = 'pg_policy'::regclass and y.oid = d.objid
    left join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
    join pg_class c on c.oid = coalesce(y.polrelid, w.ev_class)
    where t.relnamespace = %(schema)s::regnamespace and t.relname = any(%(tables)s)
        and c.relnamespace = t.relnamespace
    order by 1
"""

ENTANGLED = """
    with member as (
        select oid, relnamespace as place, 'pg_class'::regclass as class, relname::text as name from pg_class
        union all select y.oid, c.relnamespace, 'pg_policy'::regclass, c.relname || ', policy ' || y.polname
            from pg_policy y join pg_class c on c.oid = y.polrelid
        union all select w.oid, c.relnamespace, 'pg_rewrite'::regclass, c.relname::text
            from pg_rewrite w join pg_class c on c.oid = w.ev_class
        union all select n.oid, c.relnamespace, 'pg_constraint'::regclass, c.relname || ', ' || n.conname
            from pg_constraint n join pg_class c on c.oid = n.conrelid
        union all select g.oid, c.relnamespace, 'pg_trigger'::regclass, c.relname || ', trigger ' || g.tgname
            from pg_trigger g join pg_class c on c.oid = g.tgrelid
        union all select a.oid, c.relnamespace, 'pg_attrdef'::regclass, c.relname::text
            from pg_attrdef a join pg_class c on c.oid = a.adrelid
        union all select oid, pronamespace, 'pg_proc'::regclass, proname::text from pg_proc
        union all select oid, typnamespace, 'pg_type'::regclass, typname::text from pg_type
        union all select oid, stxnamespace, 'pg_statistic_ext'::regclass, stxname::text from pg_statistic_ext
    )
    select mine.place::regnamespace::text || '.' || mine.name || ' on '
        || other.place::regnamespace::text || '.' || other.name
    from pg_depend d
    join member mine on mine.class = d.classid and mine.oid = d.objid
    join member other on other.class = d.refclassid and other.oid = d.refobjid
    where mine.place <> other.place and mine.place = any(%(places)s::regnamespace[])
        and other.place = any(%(places)s::regnamespace[])
    order by 1 limit 5
"""


class Entangled(Exception):
    """Something of one schema would depend on the other: nothing was switched."""

    def __init__(self, what: Sequence[str]) -> None:
        super().__init__("the schemas cannot be told apart: " + "; ".join(what))


@dataclass(frozen=True)
class _Texts:
    """What is written in terms of other tables, as one would write it inside the schema."""

    policies: list[tuple[str, str, str | None, str | None]]
    views: list[tuple[str, str, str | None]]


async def speaking_of(connection: Connection, schema: str, tables: Sequence[str]) -> list[str]:
    """Tables and views of the schema that are written in terms of these tables."""
    found = await connection.execute(SPEAKING, {"schema": schema, "tables": list(tables)})
    return [row[0] for row in await found.fetchall()]


async def swap(connection: Connection, live: str, beside: str, tables: Sequence[str]) -> None:
    """Exchange these tables between two schemas of the same migration. Everything is locked by the caller. Raises
    ``Entangled``."""
    texts = {schema: await _texts(connection, schema) for schema in (live, beside)}
    speaking = {schema: set(await speaking_of(connection, schema, tables)) for schema in (live, beside)}
    passing = sql.Identifier(PASSING)
    await connection.execute(sql.SQL("create schema {}").format(passing))
    for table in tables:
        moves = ((live, PASSING), (beside, live), (PASSING, beside))
        for origin, place in moves:
            await connection.execute(
                sql.SQL("alter table {} set schema {}").format(
                    sql.Identifier(origin, table), sql.Identifier(place)
                )
            )
    await connection.execute(sql.SQL("drop schema {}").format(passing))
    moved = set(tables)
    for schema, other in ((live, beside), (beside, live)):
        await _see(connection, schema)
        # a policy came along with its table, so its text is the one it had over there
        policies = [one for one in texts[other].policies if one[0] in moved]
        policies += [one for one in texts[schema].policies if one[0] in speaking[schema] - moved]
        for table, name, using, checking in policies:
            await _rewrite_policy(connection, schema, table, name, using, checking)
        for name, definition, options in texts[schema].views:
            if name not in speaking[schema]:
                continue
            await connection.execute(
                sql.SQL("create or replace view {}{} as {}").format(
                    sql.Identifier(schema, name),
                    sql.SQL(f" with ({options})" if options else ""),
                    sql.SQL(definition),
                )
            )
    await _see(connection, live)
    await ensure_apart(connection, live, beside)


async def ensure_apart(connection: Connection, live: str, beside: str) -> None:
    """Raises ``Entangled`` when anything of one schema depends on anything of the other."""
    found = await (await connection.execute(ENTANGLED, {"places": [live, beside]})).fetchall()
    if found:
        raise Entangled([row[0] for row in found])


async def _texts(connection: Connection, schema: str) -> _Texts:
    await _see(connection, schema)
    policies = await (await connection.execute(POLICIES, {"schema": schema})).fetchall()
    views = await (await connection.execute(VIEWS, {"schema": schema})).fetchall()
    return _Texts([tuple(row) for row in policies], [tuple(row) for row in views])


async def _see(connection: Connection, schema: str) -> None:
    """Names are read, and told, as those of this schema."""
    await connection.execute("select set_config('search_path', quote_ident(%s), true)", [schema])


async def _rewrite_policy(  # noqa: PLR0913, PLR0917 all of a policy
    connection: Connection, schema: str, table: str, name: str, using: str | None, checking: str | None
) -> None:
    clauses = [
        sql.SQL("{} ({})").format(sql.SQL(word), sql.SQL(expression))
        for word, expression in (("using", using), ("with check", checking))
        if expression is not None
    ]
    await connection.execute(
        sql.SQL("alter policy {} on {} {}").format(
            sql.Identifier(name), sql.Identifier(schema, table), sql.SQL(" ").join(clauses)
        )
    )
