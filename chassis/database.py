"""PostgreSQL: one schema and three roles per service, all SQL unqualified, the search path says which schema.

Roles of a service: ``<service>_owner`` runs migrations and rebuilds, ``<service>_worker`` does the work,
``<service>_api`` has the same rights but sees one company only, by row-level security, which the worker bypasses:
PostgreSQL refuses COPY to whomever it is applied to.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chassis import lists
from chassis.derivation import OtherVersion
from chassis.portfolio import confine, written
from chassis.tables import install

if TYPE_CHECKING:
    from alembic.operations import Operations

__all__ = [
    "ROLES",
    "AsyncConnection",
    "AsyncEngine",
    "at_once",
    "confine",
    "driver",
    "engine",
    "ensure_database",
    "grant",
    "install",
    "is_transient",
    "migrate",
    "transaction",
]

ROLES = ("owner", "worker", "api")

SEE = text(
    "select set_config('relance.company', :company, true), set_config('relance.portfolio', :portfolio, true)"
)

lists.install()

TRANSIENT_STATES = ("08", "40", "53", "55", "57")
"""SQLSTATE classes that say "try again": connection, rollback, resources, lock not available, intervention."""


def _connect_args(schema: str) -> dict[str, Any]:
    settings = {
        "search_path": schema,
        "timezone": "UTC",
        "jit": "off",  # compiling costs more than our short statements
        # taken as it is used: staged lines of a book stay in memory, not in files that are read again and again
        "temp_buffers": "64MB",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    }
    return {
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        "connect_timeout": 5,
    }


def engine(url: str, schema: str, *, size: int = 10, application: str | None = None) -> AsyncEngine:
    """An engine whose connections see one schema. ``url`` is ``postgresql+psycopg://...``.

    ``size`` is the most connections it opens, each when it is first needed. All of them are kept: one that closes
    after use is opened again a moment later under load, and logging in costs more than most transactions.
    """
    return create_async_engine(
        url,
        connect_args=_connect_args(schema) | {"application_name": application or schema},
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,
        pool_recycle=1800,
    )


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, company: str | None = None, portfolio: Sequence[str] | None = None
) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed at the end, rolled back on an exception.

    With ``company`` the row-level security of the api role lets this transaction see that company alone, and of it
    the clients of ``portfolio`` (``chassis.portfolio``), which are all of them by default.
    """
    async with engine.begin() as tx:
        if company is not None:
            await tx.execute(SEE, {"company": company, "portfolio": written(portfolio)})
        yield tx


def at_once(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, each statement committed by itself: half the questions to PostgreSQL where one statement is
    all that a transaction holds."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


async def driver(tx: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """The psycopg connection under a transaction, for COPY and binary parameters."""
    raw = await tx.get_raw_connection()
    return cast("psycopg.AsyncConnection[Any]", raw.driver_connection)


def is_transient(error: BaseException) -> bool:
    """Whether trying the same again may help: lost connection, deadlock, serialization, shutting down, tables that
    are another version's until they change places."""
    if isinstance(error, OtherVersion):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(cause, psycopg.Error):
        state = cause.sqlstate
        if state is None:
            return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
        return state[:2] in TRANSIENT_STATES
    return isinstance(cause, OSError | TimeoutError)


def grant(op: "Operations | ModuleType", service: str) -> None:
    """Give the service's roles their rights on every table of the current schema; last step of a migration
    that creates tables. Idempotent.

    The log only grows: nobody but the owner may change or remove an event, or a row of a table whose comment is
    ``append only``. Every table with a ``company``
    column shows the api role one company only (architecture, Correctness 7); the worker's policy is the
    constant true, which the planner drops.
    """
    bind = op.get_bind()
    worker, api = f"{service}_worker", f"{service}_api"
    schema = bind.scalar(text("select current_schema()"))
    run = bind.exec_driver_sql
    run(f'grant usage on schema "{schema}" to {worker}, {api}')
    run(f'grant select, insert, update, delete on all tables in schema "{schema}" to {worker}, {api}')
    run(f'grant truncate on all tables in schema "{schema}" to {worker}')
    run(f'grant usage, select on all sequences in schema "{schema}" to {worker}, {api}')
    for table in ("event_log", *_append_only(bind)):
        run(f'revoke update, delete, truncate on "{schema}"."{table}" from {worker}, {api}')
    if bind.scalar(text("select to_regclass('alembic_version')")):
        run(f"revoke insert, update, delete, truncate on alembic_version from {worker}, {api}")
    if bind.scalar(text("select to_regclass('derivation')")):
        run(f"revoke insert, delete, truncate on derivation from {worker}, {api}")
        run(f"revoke update on derivation from {api}")
    for table in _unprotected(bind):
        run(f'alter table "{table}" enable row level security')
        run(f'create policy worker on "{table}" to {worker} using (true) with check (true)')
        mine = "company = current_setting('relance.company', true)"
        run(f'create policy company on "{table}" to {api} using ({mine}) with check ({mine})')


def _append_only(bind: Connection) -> list[str]:
    found = bind.execute(
        text(
            "select c.relname from pg_class c where c.relnamespace = current_schema()::regnamespace"
            " and c.relkind in ('r', 'p') and obj_description(c.oid, 'pg_class') = 'append only' order by 1"
        )
    )
    return [row.relname for row in found]


def _unprotected(bind: Connection) -> list[str]:
    found = bind.execute(
        text(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')"
            " and a.attname = 'company' and not a.attisdropped and not c.relrowsecurity order by 1"
        )
    )
    return [row.relname for row in found]


def migrate(service_module: str | ModuleType, url: str, schema: str) -> None:
    """Bring a schema to the head of ``<service_module>/migrations/versions``; safe to run from many replicas.

    The version table lives inside the schema, so that a shadow schema migrates on its own.
    """
    # slow to import, and a running service does not migrate
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    module = import_module(service_module) if isinstance(service_module, str) else service_module
    folder = Path(next(iter(module.__path__))) / "migrations"
    script = ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
    migration_engine = create_engine(url, connect_args=_connect_args(schema), poolclass=NullPool)
    with migration_engine.begin() as connection:
        connection.exec_driver_sql(f'create schema if not exists "{schema}"')
        connection.execute(text("select pg_advisory_xact_lock(hashtext(:schema))"), {"schema": schema})
        with EnvironmentContext(
            Config(), script, fn=lambda revision, _: script._upgrade_revs("head", cast("str", revision))
        ) as environment:
            environment.configure(
                connection=connection, version_table="alembic_version", version_table_schema=schema
            )
            environment.run_migrations()
    migration_engine.dispose()


def ensure_database(
    superuser_url: str,
    services: Iterable[str],
    *,
    database: str | None = None,
    passwords: Mapping[str, str] | None = None,
) -> None:
    """Create what is missing: the database (by default the one the url names), and per service its schema and
    roles. ``passwords`` gives a password per role name; without one a role can only log in where the server
    trusts it. Existing roles keep their password unless one is given.
    """
    url = make_url(superuser_url)
    name = database or url.database or "relance"
    kwargs = url.set(drivername="postgresql").translate_connect_args(username="user", database="dbname")
    kwargs |= {key: str(value) for key, value in url.query.items()}
    with psycopg.connect(**(kwargs | {"dbname": "postgres"}), autocommit=True) as admin:
        if not admin.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            admin.execute(
                sql.SQL("create database {} encoding 'UTF8' template template0").format(sql.Identifier(name))
            )
    with psycopg.connect(**(kwargs | {"dbname": name})) as admin:
        admin.execute("select pg_advisory_xact_lock(hashtext('relance roles'))")
        for service in services:
            for role in ROLES:
                _ensure_role(admin, f"{service}_{role}", (passwords or {}).get(f"{service}_{role}"))
            worker = sql.Identifier(f"{service}_worker")
            admin.execute(sql.SQL("alter role {} bypassrls").format(worker))
            owner, schema = sql.Identifier(f"{service}_owner"), sql.Identifier(service)
            admin.execute(sql.SQL("create schema if not exists {} authorization {}").format(schema, owner))
            # a rebuild makes the schema beside itself
            admin.execute(sql.SQL("grant create on database {} to {}").format(sql.Identifier(name), owner))


def _ensure_role(admin: psycopg.Connection[Any], role: str, password: str | None) -> None:
    if not admin.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
        admin.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
    if password is not None:
        admin.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(password)))
