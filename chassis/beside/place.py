"""Where the other tables are, what they hold and how far they have heard.

``<service>_next`` holds a version that is being built, ``<service>_before`` the one that was live until the last
switch. Both are whole schemas of the service, made by its migrations: with checkpoints, leases and parked events
of their own, so that the same worker that hears for the live tables hears for them. Of the tables that no event
gives they hold empty ones, which are never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg import sql

from chassis.derived import Connection, Vector, heard_by_live

Role = Literal["next", "before"]
ROLES: tuple[Role, ...] = ("next", "before")

FOUND = """
    select nspname from pg_namespace where nspname = any(%s) and to_regclass(quote_ident(nspname) || '.derivation')
    is not null
"""

BEHIND = """
    select h.speaker, sum(h.pseq)::bigint, sum(greatest(h.pseq - coalesce(b.pseq, 0), 0))::bigint
    from ({heard}) h left join {beside}.checkpoint b using (speaker, p) group by h.speaker order by h.speaker
"""


def schema_of(service: str, role: Role) -> str:
    """Name of the schema beside, e.g. ``ledger_next``."""
    return f"{service}_{role}"


@dataclass(frozen=True)
class Beside:
    """What stands beside the live tables. ``behind`` counts, by speaker, the events that the live tables know and
    these do not."""

    service: str
    role: Role
    version: int | None
    since: datetime
    heard: Mapping[str, int]
    behind: Mapping[str, int]
    parked: int
    builders: int

    @property
    def schema(self) -> str:
        return schema_of(self.service, self.role)

    @property
    def events_behind(self) -> int:
        return sum(self.behind.values())


async def role_found(connection: Connection, service: str) -> Role | None:
    """Which of the two schemas there is; never both."""
    names = {schema_of(service, role): role for role in ROLES}
    found = await (await connection.execute(FOUND, [list(names)])).fetchone()
    return names[found[0]] if found else None


async def version_of(connection: Connection, schema: str) -> int | None:
    """By which version of the projection the tables of a schema are made."""
    query = sql.SQL("select version from {}").format(sql.Identifier(schema, "derivation"))
    row = await (await connection.execute(query)).fetchone()
    return row[0] if row else None


async def made_by(connection: Connection, schema: str) -> tuple[int | None, datetime | None]:
    """By which version of the projection the tables of a schema are made, and since when they stand there."""
    query = sql.SQL("select version, since from {}").format(sql.Identifier(schema, "derivation"))
    row = await (await connection.execute(query)).fetchone()
    return (row[0], row[1]) if row else (None, None)


async def revision_of(connection: Connection, schema: str) -> str | None:
    """The last migration of a schema."""
    query = sql.SQL("select version_num from {}").format(sql.Identifier(schema, "alembic_version"))
    row = await (await connection.execute(query)).fetchone()
    return row[0] if row else None


async def looked_at(connection: Connection, service: str) -> Beside | None:
    """What stands beside, if anything does."""
    role = await role_found(connection, service)
    if role is None:
        return None
    schema = sql.Identifier(schema_of(service, role))
    row = await (
        await connection.execute(
            sql.SQL(
                "select version, since,"
                " (select count(distinct (speaker, company, key)) from {0}.parked where skipped_at is null),"
                " (select count(*) from {0}.worker where seen > now() - interval '10 seconds') from {0}.derivation"
            ).format(schema)
        )
    ).fetchone()
    assert row is not None
    behind = sql.SQL(BEHIND).format(heard=heard_by_live(service), beside=schema)
    counted = await (await connection.execute(behind)).fetchall()
    return Beside(
        service=service,
        role=role,
        version=row[0],
        since=row[1],
        heard={speaker: heard - missing for speaker, heard, missing in counted},
        behind={speaker: missing for speaker, _, missing in counted},
        parked=row[2],
        builders=row[3],
    )


async def beside_vector(connection: Connection, schema: str, speakers: Sequence[str]) -> dict[str, dict[int, int]]:
    """How far the tables beside are, of every speaker by checkpoint."""
    found: dict[str, dict[int, int]] = {speaker: {} for speaker in speakers}
    query = sql.SQL("select speaker, p, pseq from {} where pseq > 0").format(sql.Identifier(schema, "checkpoint"))
    for speaker, p, number in await (await connection.execute(query)).fetchall():
        if speaker in found:
            found[speaker][p] = number
    return found


def missing(wanted: Vector, known: Vector) -> int:
    """How many events lead from one vector to another."""
    return sum(
        max(0, number - known.get(speaker, {}).get(p, 0))
        for speaker, numbers in wanted.items()
        for p, number in numbers.items()
    )
