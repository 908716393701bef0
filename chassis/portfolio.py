"""Callers who see some of a company's clients only: by row-level security, beside that of companies (rule 15.2).

A transaction of the api role says whose clients it sees (``chassis.database.transaction``); every row that speaks
of a client asks whether that client is one of them. So a query that forgets to narrow itself shows nothing more,
and a command about a foreign client finds nothing to lock and may say nothing.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from alembic.operations import Operations

EVERYBODY = "*"
SETTING = "current_setting('relance.portfolio', true)"

# compared as text from a subquery, so that the planner takes it for rare and leaves everybody's plans as they are
LIMITED = f"(select case {SETTING} when '{EVERYBODY}' then 'all' else 'some' end) = 'some'"
CODES = f"array(select jsonb_array_elements_text(coalesce(nullif(nullif({SETTING}, ''), '*'), '[]')::jsonb))"

VISIBLE = text("select client_id from client where company = :company and client_id = any(cast(:ids as text[]))")
IS_LIMITED = text(f"select coalesce({SETTING}, '') like '[%'")


def written(portfolio: Sequence[str] | None) -> str:
    """The setting for these codes; ``None`` is everybody. Without the setting nobody is seen."""
    return EVERYBODY if portfolio is None else json.dumps(list(portfolio))


async def visible(tx: AsyncConnection, company: str, client_ids: Collection[str]) -> set[str]:
    """Those of the clients that this transaction may see."""
    asked = {"company": company, "ids": sorted(client_ids)}
    return set(await tx.scalars(VISIBLE, asked))


async def is_limited(tx: AsyncConnection) -> bool:
    """Whether this transaction sees a part of the clients; what it adds up is then true for its caller alone."""
    return bool(await tx.scalar(IS_LIMITED))


def confine(
    op: "Operations | ModuleType", service: str, code: str, *, parents: Mapping[str, tuple[str, str]] | None = None
) -> None:
    """Show the service's api role only rows of clients in the caller's portfolio; last step of a migration that
    creates tables which speak of clients. Idempotent.

    ``code`` is the column of ``client`` that portfolios name. A table with ``company`` and ``client_id`` asks for
    the client; ``parents`` names those that follow another table instead: ``{"note_text": ("note", "note_id")}``.
    """
    bind = op.get_bind()
    limit = bind.exec_driver_sql
    api = f"{service}_api"
    for table in _open(bind, ("company", "client_id")):
        if table == "client":
            shown = f"not ({LIMITED} and ({code} is null or {code} <> all({CODES})))"
        else:
            known = (
                f'select from client c where c.company = "{table}".company and c.client_id = "{table}".client_id'
            )
            shown = f"client_id is null or not ({LIMITED} and not exists ({known}))"
        limit(f'create policy portfolio on "{table}" as restrictive to {api} using ({shown}) with check ({shown})')
    for table, (parent, key) in (parents or {}).items():
        if table in _open(bind, ("company", key)):
            known = f'select from {parent} o where o.company = "{table}".company and o.{key} = "{table}".{key}'
            shown = f"not ({LIMITED} and not exists ({known}))"
            limit(
                f'create policy portfolio on "{table}" as restrictive to {api} using ({shown}) with check (true)'
            )


def _open(bind: Connection, columns: tuple[str, str]) -> list[str]:
    """Tables of the schema that hold these columns and have no such policy yet."""
    found = bind.execute(
        text(
            "select c.relname from pg_class c where c.relnamespace = current_schema()::regnamespace"
            " and c.relkind in ('r', 'p') and c.relrowsecurity"
            " and not exists (select from pg_policy y where y.polrelid = c.oid and y.polname = 'portfolio')"
            " and (select count(*) from pg_attribute a where a.attrelid = c.oid and not a.attisdropped"
            " and a.attname = any(:columns)) = 2 order by 1"
        ),
        {"columns": list(columns)},
    )
    return [row.relname for row in found]
