"""One client lived day by day with every service running; what is told of each day is kept as it was told then."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from sqlalchemy import make_url

from chassis.auth import mint, read_key
from chassis.database import engine, transaction
from chassis.delivered import Cause, Said
from chassis.eventlog import Say
from cli.stack import RunningStack
from contracts import sync
from contracts.subjects import partition_of
from tests.integration.dunning.house import entry_id, line

CLIENT = "K1"
HEARS = {
    "ledger": ("sync",),
    "dunning": ("sync", "ledger", "notify"),
    "notify": ("sync", "ledger", "dunning"),
    "reporting": ("sync", "ledger", "dunning", "notify"),
}


@dataclass
class Life:
    """``on`` is the day being lived: the business date of every command."""

    houses: RunningStack
    company: str
    on: date = date.min
    lines: dict[str, sync.SyncedEntry] = field(default_factory=dict)
    days: dict[date, dict[str, Any]] = field(default_factory=dict)

    async def ask(self, service: str, method: str, path: str, **options: Any) -> Any:
        key = read_key(self.houses.embedded.private_key_file)
        token = mint(key, "user:test", [self.company], "system", minutes=60)
        headers = {"Authorization": f"Bearer {token}", "Relance-As-Of": self.on.isoformat()}
        base = f"{self.houses.url(service)}/companies/{self.company}"
        async with httpx.AsyncClient(timeout=60, headers=headers) as http:
            answer = await http.request(method, f"{base}{path}", **options)
        assert answer.is_success, (path, answer.text)
        return answer.json()

    async def tell(self, command: str, **fact: Any) -> Any:
        """A person's statement to ledger, once ledger knows what accounting gave."""
        await self.settled()
        whom = {} if {"dispute_id", "promise_id"} & fact.keys() else {"client_id": CLIENT}
        return await self.ask("ledger", "POST", f"/{command}", json={**whom, **fact})

    async def books(self, *lines: sync.SyncedEntry) -> None:
        """Accounting gives these lines."""
        self.lines |= {one.piece: one for one in lines}
        run = uuid4()
        event = sync.EntriesSynced(run_id=run, source="test", entries=lines)
        speaker = engine(self.houses.embedded.database_url("sync", "worker"), "sync")
        async with transaction(speaker) as tx:
            said = [Said(event, None, partition_of(self.company, CLIENT))]
            cause = Cause.new("system:sync")
            (position,) = await Say("sync", tx)(self.company, said, as_of=self.on, cause=cause)
        completed = sync.SyncCompleted(
            run_id=run,
            connector="test",
            source="test",
            completed_at=datetime(2025, 3, 1, tzinfo=UTC),
            entries_read=len(lines),
            changed=len(lines),
            archived=0,
            positions={"sync": {position.partition: position.number}},
        )
        async with transaction(speaker) as tx:
            await Say("sync", tx)(self.company, [Said(completed)], as_of=self.on, cause=cause)
        await speaker.dispose()

    async def changed(self, *pieces: str, **fields: Any) -> None:
        await self.books(*(self.lines[piece].model_copy(update=fields) for piece in pieces))

    async def round(self) -> None:
        await self.settled()
        await self.ask("dunning", "POST", "/rounds", json={"as_of": self.on.isoformat()})
        for _ in range(300):
            if (await self.ask("dunning", "GET", f"/rounds/{self.on}"))["status"] == "completed":
                return
            await asyncio.sleep(0.1)
        raise TimeoutError(f"the round of {self.on}")

    async def carry_out(self) -> None:
        """Every proposal is confirmed, and the call made."""
        tasks = await self.ask("dunning", "GET", "/tasks", params={"as_of": self.on.isoformat()})
        ids = [row["action_id"] for group in tasks["groups"] for row in group["rows"] if row["action_id"]]
        await self.ask("dunning", "POST", "/confirm", json={"action_ids": ids, "as_of": self.on.isoformat()})
        await self.settled()
        for action_id in ids:
            body = {"action_id": action_id, "outcome": "reached", "comment": ""}
            await self.ask("notify", "POST", "/complete-task", json=body)
        await self.settled()

    async def settled(self) -> None:
        """Everybody has heard everything."""
        url = make_url(self.houses.embedded.superuser_url).set(drivername="postgresql")
        lag = " union all ".join(
            f"select h.p from {speaker}.partition_head h left join {service}.checkpoint c"
            f" on c.speaker = '{speaker}' and c.p = h.p where h.seq > coalesce(c.pseq, 0)"
            for service, speakers in HEARS.items()
            for speaker in speakers
        )
        lag += " union all select p from ledger.milestone"  # lettering groups still to be judged
        quiet = 0
        async with await psycopg.AsyncConnection.connect(
            url.render_as_string(hide_password=False), autocommit=True
        ) as connection:
            for _ in range(600):
                left = await (await connection.execute(f"select count(*) from ({lag}) behind")).fetchone()  # type: ignore[arg-type]
                quiet = quiet + 1 if left == (0,) else 0
                if quiet == 2:  # what a reaction said meanwhile is heard as well
                    return
                await asyncio.sleep(0.05)
        raise TimeoutError("somebody does not listen")

    async def explained(self, as_of: date | None = None) -> dict[str, Any]:
        """In both languages with the history, and the statement."""
        asked = {"client_id": CLIENT, "history": "true"} | ({"as_of": as_of.isoformat()} if as_of else {})
        told = {
            language: await self.ask("dunning", "GET", "/explain", params={**asked, "language": language})
            for language in ("fr", "en")
        }
        on = {"client_id": CLIENT} | ({"as_of": as_of.isoformat()} if as_of else {})
        told["statement"] = await self.ask("dunning", "GET", "/statement", params=on)
        return told

    async def evening(self) -> None:
        """What is told at the end of the day, and what reporting shows."""
        await self.settled()
        told = await self.explained()
        told["page"] = await self.ask("reporting", "GET", "/client", params={"client_id": CLIENT})
        self.days[self.on] = told


async def begin(houses: RunningStack, company: str, on: date) -> Life:
    """A company that calls, with one client."""
    life = Life(houses, company, on)
    await life.ask("ledger", "PUT", "", json={"name": "Acme"})
    await life.settled()
    steps = [
        {"step": "R1", "medium": "phone", "delay_days": 3},
        {"step": "R2", "medium": "phone", "delay_days": 5, "counted_from": "previous_step"},
        {"step": "R3", "medium": "phone", "delay_days": 5, "counted_from": "previous_step"},
    ]
    scenario = {"profile": "Standard", "with_email": steps, "without_email": steps}
    await life.ask("dunning", "PUT", "/scenarios", json=scenario)
    policy = {"promises_exclude": True, "disputes_exclude": True, "minimum_per_entry": "50"}
    await life.ask("dunning", "PUT", "/policy", json=policy)
    people = [{"client_id": CLIENT, "name": "Munoz", "emails": ["munoz@example.org"]}]
    await life.ask("ledger", "POST", "/people", json={"source": "test", "clients": people, "labels": []})
    return life


__all__ = ["CLIENT", "Life", "begin", "entry_id", "line"]
