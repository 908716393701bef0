"""Every service's tables change places: rights, row-level security, indexes and views are as before, and what was
concluded from the old rows is concluded anew."""

from importlib import import_module
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from chassis.beside.place import looked_at
from chassis.beside.stages import Stages
from chassis.embedded import Stack
from chassis.service import Service

DERIVING = ("sync", "ledger", "dunning", "notify", "reporting")

CATALOG = """
    select 'table', c.relname, c.relkind::text, array(select unnest(c.relacl)::text order by 1)::text,
        c.relrowsecurity::text, c.reloptions::text, obj_description(c.oid, 'pg_class')
    from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'v')
    union all
    select 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
        pg_get_expr(d.adbin, d.adrelid), a.attgenerated::text
    from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on (d.adrelid, d.adnum)
        = (c.oid, a.attnum)
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'v') and a.attnum > 0
    union all
    select 'index', tablename, indexname, replace(indexdef, schemaname || '.', ''), null, null, null
    from pg_indexes where schemaname = current_schema()
    union all
    select 'constraint', c.relname, n.conname, pg_get_constraintdef(n.oid), null, null, null
    from pg_constraint n join pg_class c on c.oid = n.conrelid
    where c.relnamespace = current_schema()::regnamespace
    union all
    select 'policy', c.relname, y.polname, pg_get_expr(y.polqual, y.polrelid),
        pg_get_expr(y.polwithcheck, y.polrelid), y.polpermissive::text, y.polcmd::text
    from pg_policy y join pg_class c on c.oid = y.polrelid
    where c.relnamespace = current_schema()::regnamespace
    union all
    select 'view', c.relname, pg_get_viewdef(c.oid), null, null, null, null
    from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind = 'v'
    union all
    select 'trigger', c.relname, g.tgname, g.tgfoid::regprocedure::text, null, null, null
    from pg_trigger g join pg_class c on c.oid = g.tgrelid
    where c.relnamespace = current_schema()::regnamespace and not g.tgisinternal
    order by 1, 2, 3, 4
"""

CONCLUDED = {
    "dunning": (
        "insert into schedule (company, p, client_id, next_on) values ('asleep', 1, 'C1', '2099-01-01')",
        "select next_on::text from schedule where company = 'asleep'",
        "-infinity",
    ),
    "reporting": (
        "insert into standing_day (company, as_of, numbers, made_at) values ('asleep', '2026-01-01', '{}', now())",
        "select count(*)::text from standing_day where company = 'asleep'",
        "0",
    ),
}
"""What was concluded from the old rows, how to find it, and what is left of it after a switch."""


def service_of(name: str, stack: Stack) -> Service:
    knobs = {key.removeprefix("RELANCE_").lower(): value for key, value in stack.environment(name).items()}
    settings = getattr(import_module(f"services.{name}.settings"), f"{name.capitalize()}Settings")
    built: Service = import_module(f"services.{name}.main").build(settings(**knobs))
    return built


def connected(stack: Stack, service: str, role: str) -> psycopg.Connection[Any]:
    url = make_url(stack.database_url(service, role)).set(drivername="postgresql")
    return psycopg.connect(
        url.render_as_string(hide_password=False), autocommit=True, options=f"-c search_path={service}"
    )


def catalog(stack: Stack, service: str) -> list[tuple[Any, ...]]:
    with connected(stack, service, "owner") as owner:
        return owner.execute(CATALOG).fetchall()


@pytest.mark.parametrize("name", DERIVING)
async def test_after_a_switch_and_back_everything_is_as_it_was(stack: Stack, name: str) -> None:
    service = service_of(name, stack)
    assert service.listening is not None
    settings = service.settings
    stages = Stages(
        name,
        f"services.{name}",
        service.listening,
        service.events,
        settings.owner_database_url,
        settings.nats_url,
    )
    before = catalog(stack, name)
    with connected(stack, name, "owner") as owner:
        # an entry that a hand put there, and that no event gives
        corrupt, look, left = CONCLUDED.get(name, ("select 1", "select '1'", "1"))
        owner.execute(corrupt)
        await stages.prepare()
        await stages.switch("next")
        assert catalog(stack, name) == before
        assert owner.execute(look).fetchone() == (left,)
        for role in ("worker", "api"):
            with connected(stack, name, role) as reader:
                reader.execute(
                    "select set_config('relance.company', 'acme', false),"
                    " set_config('relance.portfolio', '[\"X\"]', false)"
                )
                for table in service.listening.tables:
                    reader.execute(f'select * from "{table.name}" limit 1')
        await stages.switch("before")
        assert catalog(stack, name) == before
        await stages.drop()
        assert catalog(stack, name) == before
        owner.execute("update derivation set version = null")
        for kept in ("schedule", "standing_day"):
            if kept in corrupt:
                owner.execute(f"delete from {kept} where company = 'asleep'")
    async with stages.connection() as connection:
        assert await looked_at(connection, name) is None
