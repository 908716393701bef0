"""Where a company is found: every table with a column ``company``, in the schema of every service, and what of it
is handed on.

Nothing is listed that can be asked of PostgreSQL: a table that is new tomorrow is exported, imported and deleted
without a word here. Listed is what must not leave, or would mean nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from cli.places import SERVICES
from contracts.subjects import SPEAKERS

HEARS = {
    "sync": ("ledger",),
    "ledger": ("sync",),
    "dunning": ("sync", "ledger", "notify"),
    "notify": ("sync", "ledger", "dunning"),
    "reporting": ("sync", "ledger", "dunning", "notify"),
}
"""Service: whose streams it hears, as it is wired."""

LOG = "event_log"
HOLD = "company_hold"

CONTENTS = frozenset(
    {
        ("ledger", "dispute_file", "content"),
        ("ledger", "document_file", "content"),
        ("notify", "attachment", "content"),
        ("notify", "letter", "pdf"),
        ("notify", "logo", "content"),
        ("notify", "message", "raw"),
        ("sync", "upload", "content"),
    }
)
"""Columns of bytes that are files. Bytes of any other column are taken for a sealed secret, and stay here."""

AGAIN = "it holds a secret, which no export tells: enter it again"
LEFT_OUT = {
    ("reporting", "subscriber"): "its secret is not handed on: add it again",
    ("reporting", "webhook"): "its secret is not handed on: add it again",
    ("reporting", "webhook_former_secret"): "its secret is not handed on: add it again",
    ("reporting", "webhook_position"): "a place in the streams of this installation",
    ("reporting", "webhook_delivery"): "what was told to webhooks",
    ("reporting", "standing"): "counted when it is asked for",
    ("reporting", "standing_day"): "counted when it is asked for",
    ("ledger", "command"): "answers kept for commands that are given twice; they name places in these logs",
    ("sync", "sample"): "files that wait for a person: send them again",
    ("sync", "upload"): "files that wait to be read: send them again",
    ("notify", "cash_report"): "what became of the daily reports of the last weeks",
    ("console", "api_key"): "its secret is not handed on: make it again",
    ("console", "cash_report"): "each person asks for the daily report again",
    ("console", "company_export"): "earlier exports: they are where they were fetched to",
    ("console", "company_export_part"): "earlier exports: they are where they were fetched to",
    ("console", "sending"): "what somebody was busy with",
    ("console", "unticked"): "what somebody was busy with",
}
"""Tables that are not handed on, and why."""

NAMED = {
    ("console", "api_key"): "name",
    ("reporting", "subscriber"): "name",
    ("reporting", "webhook"): "url",
    ("notify", "dkim_key"): "domain",
    ("notify", "mail_authorization"): "provider",
    ("notify", "mail_server"): "host",
    ("notify", "mailbox_account"): "host",
}
"""By what a person knows again what is to be entered again."""

ENDED = {
    "job": ("status in ('done', 'failed', 'in_doubt')", "work that waited: it is not carried out elsewhere"),
    "parked": ("skipped_at is not null", "events that could not be applied"),
    ("sync", "run"): ("status <> 'running'", "a run under way"),
    ("dunning", "round"): ("status = 'completed'", "a round under way"),
    ("dunning", "round_partition"): (
        "(company, as_of) in (select company, as_of from dunning.round where status = 'completed')",
        "a round under way",
    ),
    ("dunning", "simulation"): ("status in ('completed', 'cancelled', 'failed')", "a simulation under way"),
    ("dunning", "simulation_part"): (
        "(company, simulation_id) in (select company, simulation_id from dunning.simulation"
        " where status in ('completed', 'cancelled', 'failed'))",
        "a simulation under way",
    ),
    ("dunning", "simulation_difference"): (
        "(company, simulation_id) in (select company, simulation_id from dunning.simulation"
        " where status in ('completed', 'cancelled', 'failed'))",
        "a simulation under way",
    ),
}
"""Of work only what has ended is handed on: what is under way would go on elsewhere, and twice."""

NUMBERS = {
    ("ledger", "milestone", "number"): "sync",
    ("ledger", "touched_client", "number"): "sync",
    ("notify", "synced_lines", "number"): "sync",
    ("reporting", "fact", "number"): "ledger",
    ("reporting", "synced_account", "number"): "sync",
    ("reporting", "synced_partition", "number"): "sync",
}
"""Columns that hold the number of an event, in the partition that stands in ``p``, and whose event it is."""

TABLES = """
    select c.table_schema, c.table_name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.column_name = 'company' and t.table_type = 'BASE TABLE' and c.table_schema = any(%s)
    order by array_position(%s, c.table_schema::text), c.table_name
"""
COLUMNS = """
    select column_name, data_type, is_nullable = 'YES' from information_schema.columns
    where table_schema = %s and table_name = %s and is_generated = 'NEVER' order by ordinal_position
"""
KEY = """
    select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
    where i.indrelid = format('%%I.%%I', %s::text, %s::text)::regclass and i.indisprimary
    order by array_position(i.indkey::int2[], a.attnum)
"""
VERSION = "select version_num from {}"
CONNECTED = """
    select distinct usename::text from pg_stat_activity
    where datname = current_database() and usename = any(%s) order by 1
"""


class ServicesRun(Exception):
    """A service works while its rows are to be changed under it."""

    def __init__(self, roles: Sequence[str]) -> None:
        super().__init__(
            f"{', '.join(roles)} are connected to PostgreSQL: stop the services first, since what they hold in"
            " hand does not know of this"
        )


class TablesBeside(Exception):
    """Rows of the company stand in schemas beside the live ones, which a rebuild has left."""

    def __init__(self, schemas: Sequence[str]) -> None:
        told = []
        for schema in schemas:
            service, _, role = schema.rpartition("_")
            told.append(
                f"relance replay {service} --check" if role == "rebuild" else f"relance rebuild drop {service}"
            )
        super().__init__(
            f"a rebuild has left {', '.join(schemas)}, where rows of the company would stay: {', '.join(told)}"
        )


class CompanyMissing(Exception):
    """Nothing is kept of this company."""

    def __init__(self, company: str, known: Sequence[str]) -> None:
        there = f"there are {', '.join(known[:20])}" if known else "there is none"
        super().__init__(f"company {company} is not known here; {there}")


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    is_content: bool
    is_secret: bool
    is_nullable: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table in which companies have rows."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def left_out(self) -> str | None:
        """Why none of it is handed on."""
        if self.name == HOLD:
            return "that the company is at rest here"
        if (why := LEFT_OUT.get((self.schema, self.name))) is not None:
            return why
        return AGAIN if any(one.is_secret and not one.is_nullable for one in self.columns) else None

    @property
    def ended(self) -> tuple[str, str] | None:
        """Which of its rows have ended, as SQL, and what the others are."""
        return ENDED.get((self.schema, self.name)) or ENDED.get(self.name)

    @property
    def emptied(self) -> list[str]:
        """Columns whose secrets stay here."""
        return [one.name for one in self.columns if one.is_secret]

    @property
    def contents(self) -> list[str]:
        return [one.name for one in self.columns if one.is_content]

    def number_of(self, row_speaker: str | None = None) -> tuple[str, str] | None:
        """Which column holds the number of an event, and whose."""
        if self.name == "parked":
            return "pseq", row_speaker or ""
        found = [(column, who) for (*place, column), who in NUMBERS.items() if (*place,) == self.place]
        return found[0] if found else None

    @property
    def place(self) -> tuple[str, str]:
        return self.schema, self.name


def tables(connection: psycopg.Connection[Any]) -> list[Table]:
    """Every table in which a company may have rows, but the logs."""
    schemas = list(SERVICES)
    found = connection.execute(TABLES, [schemas, schemas]).fetchall()
    return [_table(connection, schema, name) for schema, name in found if name != LOG]


def _table(connection: psycopg.Connection[Any], schema: str, name: str) -> Table:
    columns = tuple(
        Column(
            column,
            is_content=kind == "bytea" and (schema, name, column) in CONTENTS,
            is_secret=kind == "bytea" and (schema, name, column) not in CONTENTS,
            is_nullable=nullable,
        )
        for column, kind, nullable in connection.execute(COLUMNS, [schema, name])
    )
    key = tuple(column for (column,) in connection.execute(KEY, [schema, name]))
    return Table(schema, name, columns, key)


def versions(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Service: the version of its schema."""
    return {
        service: str(_one(connection, sql.SQL(VERSION).format(sql.Identifier(service, "alembic_version"))))
        for service in SERVICES
    }


def derivations(connection: psycopg.Connection[Any]) -> dict[str, int | None]:
    """Service: by which version of its projection its rows are made; none where nobody has heard yet."""
    return {
        service: _one(connection, sql.SQL("select version from {}").format(sql.Identifier(service, "derivation")))
        for service in HEARS
    }


def companies(connection: psycopg.Connection[Any]) -> list[str]:
    """Those that ledger knows."""
    return [slug for (slug,) in connection.execute("select company from ledger.company order by 1")]


def rows_of(connection: psycopg.Connection[Any], company: str) -> dict[str, int]:
    """Table, or log: how many rows are the company's. Those without any are left out."""
    counted = {table.full_name: _count(connection, table.identifier, company) for table in tables(connection)} | {
        f"{speaker}.{LOG}": _count(connection, sql.Identifier(speaker, LOG), company) for speaker in SPEAKERS
    }
    return {name: rows for name, rows in counted.items() if rows}


def refuse_running(connection: psycopg.Connection[Any]) -> None:
    """Raises ``ServicesRun``."""
    # what PostgreSQL told earlier in a transaction it tells again
    connection.execute("select pg_stat_clear_snapshot()")
    roles = [f"{service}_{role}" for service in SERVICES for role in ("worker", "api", "owner")]
    found = [role for (role,) in connection.execute(CONNECTED, [roles])]
    if found:
        raise ServicesRun(found)


def refuse_beside(connection: psycopg.Connection[Any]) -> None:
    """Raises ``TablesBeside``."""
    names = [f"{service}_{role}" for service in SERVICES for role in ("next", "before", "rebuild")]
    found = connection.execute(
        "select nspname::text from pg_namespace where nspname = any(%s) order by 1", [names]
    )
    if schemas := [name for (name,) in found]:
        raise TablesBeside(schemas)


def _count(connection: psycopg.Connection[Any], identifier: sql.Identifier, company: str) -> int:
    query = sql.SQL("select count(*) from {} where company = %s").format(identifier)
    return int(_one(connection, query, [company]))


def _one(connection: psycopg.Connection[Any], query: sql.Composed, parameters: Sequence[Any] = ()) -> Any:
    found = connection.execute(query, parameters).fetchone()
    assert found is not None
    return found[0]
