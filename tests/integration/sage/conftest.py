"""A Sage base in tables of the real shapes, a sync that reads it, and an independent look at both."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from chassis.database import transaction
from chassis.embedded import Stack
from chassis.jobs import JobWorker
from chassis.running import Running
from cli.sage_base.changing import Accountant
from cli.sage_base.filling import LAST_WRITTEN_AT, fill
from services.sync import connecting, runs
from services.sync.connectors.live import LiveSource
from services.sync.connectors.sage100.source import open_base
from services.sync.domain.records import Mode
from services.sync.increments import QUEUE, Incrementer
from services.sync.main import build
from services.sync.settings import SyncSettings
from tests.integration.sync.conftest import AS_OF, LedgerDouble, Sync

NAME = "bijou"


@dataclass
class Base:
    """One Sage base: a schema of its own."""

    dsn: str
    url: str
    schema: str
    day: datetime = LAST_WRITTEN_AT
    random: Random = field(default_factory=lambda: Random(5))

    @contextmanager
    def open(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.dsn) as connection:
            connection.execute(f"set search_path to {self.schema}")
            yield connection

    def change(self, times: int) -> dict[str, int]:
        """A day of accounting: changes of every kind in turn."""
        self.day += timedelta(days=1)
        with self.open() as connection:
            return Accountant(connection, self.random, self.day).make(times)

    def run(self, statement: str, *values: Any) -> None:
        """One change by hand, stamped as Sage does when it says ``%(at)s``."""
        self.day += timedelta(days=1)
        with self.open() as connection:
            connection.execute(statement, values)

    def stamp(self) -> datetime:
        self.day += timedelta(days=1)
        return self.day

    def entries(self) -> dict[str, tuple[Any, ...]]:
        """What customers' lines say, by number: read with SQL of its own, as an accountant would."""
        with self.open() as connection:
            rows = connection.execute("""
                select e."EC_No"::text, e."CT_Num", e."CG_Num",
                    case e."EC_Sens" when 0 then e."EC_Montant" else -e."EC_Montant" end::numeric(18, 2),
                    case when e."N_Devise" in (0, 1) then 'EUR' else 'USD' end,
                    (e."JM_Date" + (e."EC_Jour" - 1) * interval '1 day')::date,
                    nullif(e."EC_Echeance"::date, '1753-01-01'),
                    case when e."EC_Lettre" = 1 then e."EC_Lettrage" end, m."R_Intitule"
                from "F_ECRITUREC" e join "F_COMPTET" c on c."CT_Num" = e."CT_Num" and c."CT_Type" = 0
                    left join "P_REGLEMENT" m on m."cbIndice" = e."N_Reglement"
                where e."CG_Num" like '411%' and (e."EC_ANType" = 0 or e."JM_Date" < '2025-01-01')
            """).fetchall()
        return {row[0]: row[1:] for row in rows}

    def clients(self) -> dict[str, str]:
        with self.open() as connection:
            return dict(
                connection.execute(
                    """select "CT_Num", "CT_Intitule" from "F_COMPTET" where "CT_Type" = 0"""
                ).fetchall()
            )

    def contacts(self) -> dict[str, set[str]]:
        """Keys of the contacts of each client that has any."""
        with self.open() as connection:
            rows = connection.execute("""select "CT_Num", "CT_No"::text from "F_CONTACTT" """).fetchall()
        found: dict[str, set[str]] = {}
        for client, key in rows:
            found.setdefault(client, set()).add(key)
        return found


@dataclass
class Reader:
    """Sync's process without its loops, reading one base."""

    sync: Sync
    incrementer: Incrementer
    base: Base
    options: dict[str, Any]

    async def connect(self, company: str, **more: Any) -> None:
        """Register the company and its connector."""
        await self.sync.register(company)
        chosen = {"kind": "sage100", "source": f"sage100/{NAME}", "place": "sync", "options": self.options, **more}
        async with transaction(self.sync.running.engine) as tx:
            await connecting.save(tx, company, NAME, chosen)

    async def ask(self, company: str, mode: Mode) -> UUID:
        """Queue a sync, as the HTTP command does."""
        run_id = uuid4()
        run = {
            "company": company, "run_id": run_id, "connector": "sage100", "file": f"sage100/{NAME}",
            "email_domain": None, "as_of": AS_OF, "actor": "test", "correlation_id": uuid4(),
        }  # fmt: skip
        async with transaction(self.sync.running.engine) as tx:
            await runs.open_run(tx, run)
            await connecting.queue(tx, await connecting.find(tx, company, NAME), run_id, mode)
        return run_id

    async def synced(self, company: str, mode: Mode = "incremental", language: str = "en") -> dict[str, Any]:
        """Carry one sync out and answer the ended run."""
        run_id = await self.ask(company, mode)
        self.incrementer._addresses = {f"{company}/{NAME}": self.base.url}
        worker = JobWorker(
            self.sync.running.engine, QUEUE, self.incrementer, batch=1, back_off_seconds=0, lease_seconds=300
        )
        while await worker.step():
            pass
        return await self.sync.run(company, run_id, language)

    async def entries(self, company: str) -> dict[str, tuple[Any, ...]]:
        """The events of the company folded, by the source's number: what any listener ends with."""
        state: dict[tuple[str, str], dict[str, Any]] = {}
        for entry in await self.sync.entries_said(company):
            state[entry["client_id"], entry["entry_id"]] = entry
        live = {entry_id: entry for (_, entry_id), entry in state.items() if not entry["removed"]}
        count = sum(not entry["removed"] for entry in state.values())
        assert count == len(live), "an entry stands with two clients"
        numbers = await self._numbers(company)
        assert set(live) == set(numbers), "what sync remembers is not what its events say"
        return {numbers[entry_id]: _said(entry) for entry_id, entry in live.items()}

    async def _numbers(self, company: str) -> dict[str, str]:
        async with transaction(self.sync.running.engine) as tx:
            connection = await tx.get_raw_connection()
            rows = await (
                await connection.driver_connection.execute(  # type: ignore[union-attr]
                    "select replace(entry_id::text, '-', ''), key from keyed_entry"
                    " where company = %s and not removed",
                    (company,),
                )
            ).fetchall()
        return dict(rows)

    async def clients(self, company: str) -> dict[str, str]:
        """Clients that are said and not gone, with the name ledger was given."""
        said: dict[str, bool] = {}
        for event in await self.sync.said(company):
            if event["type"] == "ClientsSynced":
                said |= {client["client_id"]: client["removed"] for client in event["body"]["clients"]}
        people = self.sync.ledger.people()
        return {client: people[client]["name"] for client, removed in said.items() if not removed}

    async def contacts(self, company: str) -> dict[str, set[str]]:
        """Keys of the contacts ledger was last given of each client that is not gone."""
        found: dict[str, set[str]] = {}
        for call in self.sync.ledger.calls:
            if call["path"] == "/contacts":
                found |= {client: set() for client in call["client_ids"]}
                for contact in call["contacts"]:
                    found[contact["client_id"]].add(contact["key"])
        live = await self.clients(company)
        return {client: keys for client, keys in found.items() if keys and client in live}


def _said(entry: dict[str, Any]) -> tuple[Any, ...]:
    """An entry as the independent look shows it; without a due date of its own it falls due after the term."""
    from datetime import date
    from decimal import Decimal

    day, due = date.fromisoformat(entry["entry_date"]), date.fromisoformat(entry["due_date"])
    assumed = day + timedelta(days=30) if Decimal(entry["debit"]) else day
    return (
        entry["client_id"], entry["account"], Decimal(entry["book_amount"]).quantize(Decimal("0.01")),
        entry["currency"], day, None if due == assumed else due, entry["lettering"], entry["payment_mode"],
    )  # fmt: skip


def with_assumed_due_dates(entries: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """The base's lines, those due on the day the term would give shown without a due date, as ``_said`` does."""
    shown = {}
    for number, (client, account, amount, currency, day, due, lettering, mode) in entries.items():
        assumed = day + timedelta(days=30) if amount > 0 else day
        shown[number] = (
            client, account, amount, currency, day, None if due in (assumed, None) else due, lettering, mode,
        )  # fmt: skip
    return shown


@pytest.fixture
def base(stack: Stack, company: str) -> Iterator[Base]:
    """A base of about 600 customer lines."""
    dsn = stack.superuser_url.replace("postgresql+psycopg://", "postgresql://")
    schema = f"sage_{company}"
    with psycopg.connect(dsn) as connection:
        fill(connection, schema, 600)
    yield Base(dsn, stack.superuser_url, schema)
    with psycopg.connect(dsn) as connection:
        connection.execute(f"drop schema {schema} cascade")


@pytest.fixture
async def reader(stack: Stack, base: Base) -> AsyncIterator[Reader]:
    settings = SyncSettings(
        database_url=stack.database_url("sync", "worker"),
        api_database_url=stack.database_url("sync", "api"),
    )
    running = Running(build(settings))
    ledger = LedgerDouble()
    running._neighbours["ledger"] = ledger  # type: ignore[assignment]
    kinds = {"sage100": open_base}
    incrementer = Incrementer(running, kinds, {}, people_per_call=2_000, patience=30)
    options = {"db_schema": base.schema, "profile_column": "CT_Statistique01"}
    yield Reader(Sync(running, ledger, incrementer), incrementer, base, options)
    await running.stop()


__all__ = ["Base", "LiveSource", "Reader", "with_assumed_due_dates"]
