"""Sync alone on real servers: its importer run by hand, ledger replaced by one that keeps what it is given."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from json import loads
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from chassis import clock
from chassis.database import transaction
from chassis.delivered import Delivered
from chassis.embedded import Stack
from chassis.http_client import NeighbourUnreachable
from chassis.jobs import JobWorker, NewJob, enqueue
from chassis.running import Running
from contracts.ledger import CompanyRegistered
from services.sync import queries, runs
from services.sync.connectors.fec import Fec
from services.sync.connectors.mapped import Mapped
from services.sync.imports import QUEUE, Importer
from services.sync.main import build
from services.sync.projection import on_company
from services.sync.settings import SyncSettings

AS_OF = date(2026, 11, 20)


@dataclass
class LedgerDouble:
    """Takes people as ledger does, and can be away."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    is_away: bool = False

    async def post(self, path: str, *, company: str, json: dict[str, Any], **_: Any) -> dict[str, Any]:
        if self.is_away:
            raise NeighbourUnreachable("ledger", "http://ledger")
        self.calls.append({"path": path, "company": company, **json})
        return {"positions": [f"ledger/3/{len(self.calls)}"]}

    async def put(self, path: str, *, company: str, content: bytes, **_: Any) -> dict[str, Any]:
        return await self.post(path, company=company, json=loads(content))

    async def close(self) -> None:
        """Nothing to close."""

    def people(self) -> dict[str, dict[str, Any]]:
        return {client["client_id"]: client for call in self.calls for client in call.get("clients", [])}

    def labels(self) -> dict[str, str]:
        return {entry_id: label for call in self.calls for entry_id, label in call.get("labels", {}).items()}


@dataclass
class Sync:
    """Sync's process without its loops."""

    running: Running
    ledger: LedgerDouble
    importer: Importer

    async def register(self, company: str, currency: str = "EUR", **more: Any) -> None:
        event = CompanyRegistered(name="Essai", currency=currency, **more)
        heard = Delivered.of(event, company=company, client_id=None, as_of=AS_OF)
        async with transaction(self.running.engine) as tx:
            await on_company(tx, [heard])

    async def ask(self, company: str, content: bytes, name: str = "900000003FEC20261231.txt", **more: Any) -> UUID:
        """Queue an import, as the HTTP command does."""
        run_id = uuid4()
        run = {
            "company": company, "run_id": run_id, "connector": "fec", "file": name, "email_domain": None,
            "as_of": AS_OF, "actor": "test", "correlation_id": uuid4(), **more,
        }  # fmt: skip
        async with transaction(self.running.engine) as tx:
            await runs.open_run(tx, run)
            for part in range(0, max(len(content), 1), runs.PART_BYTES):
                piece = content[part : part + runs.PART_BYTES]
                await runs.keep_part(tx, company, run_id, part // runs.PART_BYTES, piece)
            payload = {"run_id": str(run_id), "requested_at": clock.now().isoformat()}
            await enqueue(tx, QUEUE, [NewJob(run_id, company, payload, key=company)])
        return run_id

    def worker(self) -> JobWorker:
        return JobWorker(self.running.engine, QUEUE, self.importer, batch=1, back_off_seconds=0, lease_seconds=300)

    async def carry_out(self) -> None:
        """Everything that is queued and due."""
        worker = self.worker()
        while True:
            if not await worker.step():
                return

    async def run(self, company: str, run_id: UUID, language: str = "en") -> dict[str, Any]:
        async with transaction(self.running.engine) as tx:
            found = await queries.run(tx, company, run_id, language)
        assert found is not None
        return found

    async def mapped(
        self, company: str, name: str, mapping: dict[str, Any], content: bytes | Path, *args: Any, **more: Any
    ) -> dict[str, Any]:
        """Import by a mapping and answer the ended run."""
        more = {"connector": "mapped", "mapping_name": name, "mapping": mapping} | more
        return await self.imported(company, content, *(args or ("file.csv",)), **more)

    async def imported(self, company: str, content: bytes | Path, *args: Any, **more: Any) -> dict[str, Any]:
        """Import and answer the ended run."""
        if isinstance(content, Path):
            args = args or (content.name,)
            content = content.read_bytes()  # noqa: ASYNC240 a small local file
        run_id = await self.ask(company, content, *args, **more)
        await self.carry_out()
        return await self.run(company, run_id)

    async def said(self, company: str) -> list[dict[str, Any]]:
        """Events of a company in the log: ``{p, pseq, type, body}``."""
        async with transaction(self.running.engine) as tx:
            rows = await tx.execute(
                text("select p, pseq, type, body from event_log where company = :company order by p, pseq"),
                {"company": company},
            )
            return [dict(row._mapping) for row in rows]

    async def entries_said(self, company: str) -> list[dict[str, Any]]:
        return [
            entry
            for event in await self.said(company)
            if event["type"] == "EntriesSynced"
            for entry in event["body"]["entries"]
        ]


@pytest.fixture
async def sync(stack: Stack) -> AsyncIterator[Sync]:
    settings = SyncSettings(
        database_url=stack.database_url("sync", "worker"),
        api_database_url=stack.database_url("sync", "api"),
    )
    running = Running(build(settings))
    ledger = LedgerDouble()
    running._neighbours["ledger"] = ledger  # type: ignore[assignment]
    yield Sync(running, ledger, Importer(running, {"fec": Fec(), "mapped": Mapped()}, people_per_call=2_000))
    await running.stop()
