"""Dunning on a real PostgreSQL: it hears events, makes rounds and answers over HTTP, all in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import md5
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from chassis.auth import mint, read_key
from chassis.database import transaction
from chassis.delivered import Cause, Delivered
from chassis.embedded import Stack
from chassis.http import create_app
from chassis.listening import project_all, react_all
from chassis.running import Running
from contracts import dunning, ledger, sync
from contracts.event import Event
from contracts.subjects import partition_of
from services.dunning.asking import open_round
from services.dunning.main import build
from services.dunning.rounds import Rounds
from services.dunning.settings import DunningSettings

RUN = UUID(int=1)


def entry_id(name: str) -> str:
    return md5(name.encode()).hexdigest()


def line(client: str, name: str, amount: object, due: str, **options: object) -> sync.SyncedEntry:
    """A debit, or a credit when the amount is below zero."""
    value = Decimal(str(amount))
    fields: dict[str, object] = {
        "entry_id": entry_id(name),
        "client_id": client,
        "account": "411",
        "kind": "invoice" if value > 0 else "payment",
        "journal": "VE",
        "piece": name,
        "entry_date": due,
        "due_date": due,
        "debit": max(value, Decimal(0)),
        "credit": max(-value, Decimal(0)),
        "currency": "EUR",
        "book_amount": value,
    }
    return sync.SyncedEntry.model_validate(fields | options)


def client_changed(client: str, email: bool = True, **options: Any) -> ledger.ClientChanged:
    return ledger.ClientChanged(client_id=client, version=1, has_email=email, **options)


def synced() -> sync.SyncCompleted:
    """Accounting was read well."""
    return sync.SyncCompleted(
        run_id=RUN,
        connector="test",
        source="test",
        completed_at=datetime(2025, 1, 1, tzinfo=UTC),
        entries_read=0,
        changed=0,
        archived=0,
        positions={},
    )


@dataclass
class House:
    stack: Stack
    company: str
    process: Running
    numbers: Counter[tuple[str, int]] = field(default_factory=Counter)
    app: FastAPI | None = None
    past: list[Delivered] = field(default_factory=list)
    """Everything it has heard, in order."""

    @classmethod
    def on(cls, stack: Stack, company: str) -> House:
        settings = DunningSettings(
            database_url=stack.database_url("dunning", "worker"),
            api_database_url=stack.database_url("dunning", "api"),
            nats_url=stack.nats_url("dunning"),
            token_public_key_file=stack.public_key_file,
            allow_as_of=True,
            round_wait_seconds=1,
        )
        return cls(stack, company, Running(build(settings)))

    async def registered(self) -> House:
        await self.hear("2025-01-01", ledger.CompanyRegistered(name="Acme"))
        return self

    async def hear(self, as_of: str, *events: Event) -> None:
        """These facts of one day, applied as the projection worker does. ``EntriesSynced`` is cut by partition."""
        delivered: list[Delivered] = []
        for event in events:
            for client, part in _parts(self.company, event):
                p = partition_of(self.company, client)
                self.numbers[event.speaker, p] += 1
                delivered.append(
                    Delivered.of(
                        part,
                        company=self.company,
                        client_id=None if isinstance(part, sync.EntriesSynced) else client,
                        as_of=date.fromisoformat(as_of),
                        number=self.numbers[event.speaker, p],
                        partition=p,
                    )
                )
        self.past += delivered
        listening = self.process.service.listening
        assert listening is not None
        async with transaction(self.process.engine) as tx:
            await project_all(tx, listening.project, delivered)
            await react_all(self.process.say(tx), listening.react, delivered)

    async def books(self, as_of: str, *lines: sync.SyncedEntry) -> None:
        await self.hear(as_of, sync.EntriesSynced(run_id=RUN, source="test", entries=lines))

    def rounds(self, chunk_entries: int = 2000, lanes: int = 2) -> Rounds:
        return Rounds(self.process.engine, self.process.say, chunk_entries, lanes)

    async def open_round(self, as_of: str) -> bool:
        async with transaction(self.process.engine) as tx:
            return await open_round(tx, self.company, date.fromisoformat(as_of), Cause.new("user:test"))

    async def round(self, as_of: str) -> None:
        await self.open_round(as_of)
        await self.rounds().run(self.company, date.fromisoformat(as_of))

    def token(self, role: str = "admin", company: str | None = None) -> str:
        key = read_key(self.stack.private_key_file)
        return mint(key, "user:test", [company or self.company], role)  # type: ignore[arg-type]

    def http(self, role: str = "admin", **headers: str) -> httpx.AsyncClient:
        self.app = self.app or create_app(self.process)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=f"http://dunning/companies/{self.company}",
            headers={"Authorization": f"Bearer {self.token(role)}", **headers},
        )

    async def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.process.engine.connect() as connection:
            found = await connection.execute(text(statement), {"company": self.company, **parameters})
            return [dict(row) for row in found.mappings()]

    async def said(self, *types: str) -> list[dict[str, Any]]:
        """What dunning said about the company, in the order of its log."""
        return await self.rows(
            "select type, client_id, as_of, body from event_log where company = :company"
            " and (type = any(:types) or cardinality(cast(:types as text[])) = 0) order by occurred_at, p, pseq",
            types=list(types),
        )

    async def verdicts(self) -> dict[str, tuple[Any, ...]]:
        """Every stored verdict by the entry's piece."""
        found = await self.rows(
            "select e.piece, v.status, v.step, v.next_on, v.reasons from verdict v"
            " join entry e using (company, client_id, entry_id) where company = :company order by 1"
        )
        return {row["piece"]: (row["status"], row["step"], row["next_on"], tuple(row["reasons"])) for row in found}

    async def proposals(self) -> list[dict[str, Any]]:
        return await self.rows(
            "select * from action where company = :company and status = 'proposed' order by client_id, step"
        )


def _parts(company: str, event: Event) -> Sequence[tuple[str | None, Event]]:
    if isinstance(event, sync.EntriesSynced):
        by_partition: dict[int, list[sync.SyncedEntry]] = {}
        for one in event.entries:
            by_partition.setdefault(partition_of(company, one.client_id), []).append(one)
        return [
            (lines[0].client_id, event.model_copy(update={"entries": tuple(lines)}))
            for lines in by_partition.values()
        ]
    return [(getattr(event, "client_id", None), event)]


def scenario(*steps: dict[str, Any], without: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """The body of ``PUT /scenarios`` for the profile Standard."""
    return {"profile": "Standard", "with_email": list(steps), "without_email": list(without)}


def new_company() -> str:
    return f"t{uuid4().hex[:12]}"


__all__ = ["House", "client_changed", "dunning", "entry_id", "line", "new_company", "scenario", "synced"]
