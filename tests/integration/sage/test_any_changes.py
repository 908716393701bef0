"""Whatever happens in a base, and whenever it is read: what is said and remembered is its last state."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.embedded import Stack
from chassis.running import Running
from cli.sage_base.changing import Accountant
from cli.sage_base.filling import fill
from services.sync.connectors.sage100.source import open_base
from services.sync.increments import Incrementer
from services.sync.main import build
from services.sync.settings import SyncSettings
from tests.integration.sage.conftest import Base, Reader, with_assumed_due_dates
from tests.integration.sync.conftest import LedgerDouble, Sync

KINDS = (
    "new_invoice", "lettered", "unlettered", "prelettered", "amount_changed", "due_date_changed", "deleted",
    "client_renamed", "client_renumbered", "contact_added", "contact_removed", "label_changed",
    "moved_to_another_account",
)  # fmt: skip

days = st.lists(
    st.tuples(
        st.lists(st.sampled_from(KINDS), max_size=8),
        st.sampled_from([None, "incremental", "incremental", "check", "full"]),
    ),
    max_size=5,
)
"""Changes of a day, and the sync at its end, if any."""


@pytest.fixture(scope="module")
def stack_urls(stack: Stack) -> tuple[str, str, str]:
    return stack.superuser_url, stack.database_url("sync", "worker"), stack.database_url("sync", "api")


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=days, seed=st.integers(0, 10**6))
def test_any_changes_in_any_syncs_end_in_the_last_state(
    stack_urls: tuple[str, str, str], history: list[tuple[list[str], str | None]], seed: int
) -> None:
    asyncio.run(live(stack_urls, history, seed))


async def live(urls: tuple[str, str, str], history: list[tuple[list[str], str | None]], seed: int) -> None:
    superuser, worker, api = urls
    dsn = superuser.replace("postgresql+psycopg://", "postgresql://")
    company = f"h{uuid4().hex[:12]}"
    base = Base(dsn, superuser, f"sage_{company}")
    with psycopg.connect(dsn) as connection:
        fill(connection, base.schema, 60, seed=seed)
    running = Running(build(SyncSettings(database_url=worker, api_database_url=api)))
    ledger = LedgerDouble()
    running._neighbours["ledger"] = ledger  # type: ignore[assignment]
    incrementer = Incrementer(running, {"sage100": open_base}, {}, people_per_call=2_000, patience=30)
    reader = Reader(Sync(running, ledger, incrementer), incrementer, base, {"db_schema": base.schema})
    try:
        await reader.connect(company)
        for kinds, mode in [*history, ([], "incremental")]:
            day = base.stamp()
            with base.open() as connection:
                accountant = Accountant(connection, base.random, day)
                for kind in kinds:
                    accountant.kinds[kind]()
            if mode is not None:
                run = await reader.synced(company, mode)
                assert run["status"] == "completed", run["errors"]
        await holds(reader, company)
        again = await reader.synced(company)
        assert (again["changed"], again["archived"]) == (0, 0)
    finally:
        await running.stop()
        with psycopg.connect(dsn) as connection:
            connection.execute(f"drop schema {base.schema} cascade")


async def holds(reader: Reader, company: str) -> None:
    """The events replayed, and what ledger was handed, are the base."""
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())
    assert await reader.clients(company) == reader.base.clients()
    assert await reader.contacts(company) == reader.base.contacts()
