"""One part of a simulation, worked on in a process of its own: some partitions of a company, from a snapshot.

The process may write nothing: its transaction is read-only. It has a low priority, and ends with its parent.
"""

import asyncio
import gc
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from multiprocessing import parent_process
from threading import Thread
from typing import Any

import nats
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import database, logs, past
from chassis.envelope import Heard
from chassis.trust import trusting
from contracts import dunning
from contracts.dunning import PolicyChanged, ScenarioPublished
from contracts.registry import EVENTS
from services.dunning.domain import policy as policies
from services.dunning.domain import scenario as scenarios
from services.dunning.domain.arrivals import Coming, Payments, paid_by_habit
from services.dunning.domain.calendar import CompanyDays
from services.dunning.domain.history import Fact, begin, by_client
from services.dunning.domain.simulation import Company, Contact, Rules, live
from services.dunning.domain.state import ClientState
from services.dunning.domain.tally import Difference, Tally, differ
from services.dunning.states import load

NICENESS = 10
CHUNK_CLIENTS = 1000
MOST_UNDECIDED = 20

log = logging.getLogger(__name__)

CLIENTS = text(
    "select client_id from schedule where company = :company and p = any(cast(:ps as smallint[])) order by p,"
    " client_id"
)
HABITS = text(
    "select asked.client_id, percentile_disc(0.5) within group (order by s.paid_on - e.due_date)"
    " from unnest(cast(:clients as text[])) asked(client_id)"
    " cross join lateral (select account, lettering, max(counted_on) as paid_on from entry"
    "   where company = :company and client_id = asked.client_id and not removed and lettering is not null"
    "   and amount < 0 and kind = 'payment' group by account, lettering offset 0) s"
    " join entry e on e.company = :company and e.client_id = asked.client_id and e.account = s.account"
    "   and e.lettering = s.lettering and e.amount > 0 and not e.removed"
    " group by asked.client_id"
)
"""The median delay of each client's lettered invoices (rule 17.2): day of the last payment less the due date."""


@dataclass(frozen=True)
class Task:
    """What a part is: plain values, since it goes to another process. Rules are JSON texts of
    ``{"policy", "scenarios", "follows", "country"}``; ``before`` is ``None`` where nothing is compared."""

    database_url: str
    nats_url: str
    company: str
    partitions: tuple[int, ...]
    kind: str
    first_on: date
    last_on: date
    before: str | None
    after: str
    habits: bool = False
    company_delay: int | None = None
    only_profile: str | None = None
    opened: Mapping[str, date] = field(default_factory=dict)


@dataclass
class Part:
    """What it gave. Calendars are rows of a ``Tally``."""

    counts: dict[str, int]
    calendar: list[list[object]]
    current_calendar: list[list[object]] | None
    really: list[list[object]] | None
    differences: list[tuple[str, Difference]]
    undecided: list[str]


def begin_process() -> None:
    """First thing in the process: yield to the round and the API, and never outlive the service."""
    logs.write_json_lines("dunning", "INFO")
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(1_000_000, 50, 100)  # many tuples and no cycles
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.join,), daemon=True).start()


def _end_with(join: Any) -> None:
    join()
    os._exit(0)


def work(task: Task) -> Part:
    """Runs in the process, one part after another."""
    return asyncio.run(_work(task))


@lru_cache(maxsize=8)
def company_under(rules: str) -> Company:
    """Rules as they are stored with a simulation, checked when it was asked for. Kept from part to part."""
    stored = json.loads(rules)
    policy = PolicyChanged.model_validate(stored["policy"])
    days = CompanyDays(policy.calendar, stored["country"])
    loaded = [scenarios.load(ScenarioPublished.model_validate(one), days) for one in stored["scenarios"]]
    return Company(Rules(policies.load(policy), {one.profile: one for one in loaded}, stored["follows"]))


async def _work(task: Task) -> Part:
    working = _Working(task)
    if task.kind == "behind":
        async for some in _histories(task):
            working.live_again(some)
    else:
        async with _snapshot(task) as tx:
            clients = list(await tx.scalars(CLIENTS, {"company": task.company, "ps": list(task.partitions)}))
            for start in range(0, len(clients), CHUNK_CLIENTS):
                chunk = clients[start : start + CHUNK_CLIENTS]
                known = await load(tx, task.company, chunk)
                habits = await _habits(tx, task, chunk) if task.habits else {}
                working.live_on([one.state for one in known.values()], habits)
    return working.part()


@asynccontextmanager
async def _snapshot(task: Task) -> AsyncIterator[AsyncConnection]:
    engine = database.engine(task.database_url, "dunning", size=1, application="dunning simulation")
    try:
        async with engine.connect() as connection:
            await connection.execute(text("set transaction isolation level repeatable read, read only"))
            yield connection
            await connection.rollback()
    finally:
        await engine.dispose()


async def _habits(tx: AsyncConnection, task: Task, clients: Sequence[str]) -> dict[str, int]:
    rows = await tx.execute(HABITS, {"company": task.company, "clients": list(clients)})
    return {client_id: int(days) for client_id, days in rows}


class _Working:
    """Grows with every client of the part."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.after = company_under(task.after)
        self.before = None if task.before is None else company_under(task.before)
        self.tally = Tally()
        self.current = Tally()
        self.really: dict[tuple[str, str, str], int] = {}
        self.differences: list[tuple[str, Difference]] = []
        self.counts = {"clients": 0, "entries": 0, "paid": 0, "late_already": 0}
        self.undecided: list[str] = []

    def live_on(self, clients: Sequence[ClientState], habits: Mapping[str, int]) -> None:
        """From now on, paying by habit or not at all."""
        task = self.task
        for client in clients:
            if not (client.entries or client.open_actions or client.paid) or not self._is_asked_for(client):
                continue
            paid: dict[str, date] = {}
            if task.habits:
                delay = habits.get(client.client_id, task.company_delay)
                paid = paid_by_habit(client.entries, delay, task.first_on)
                debits = sum(entry.amount > 0 for entry in client.entries)
                self.counts["paid"] += sum(on <= task.last_on for on in paid.values())
                self.counts["late_already"] += debits - len(paid)
            self._live(client, Payments(paid), Payments(paid))

    def live_again(self, facts: Mapping[str, list[Fact]]) -> None:
        """What was, decided anew."""
        for client_id, some in facts.items():
            client, history = begin(self.task.company, client_id, some, self.task.first_on)
            if self._is_asked_for(client):
                self._count_really(some)
                self._live(client, history, history.fork())

    def _is_asked_for(self, client: ClientState) -> bool:
        wanted = self.task.only_profile
        profile = client.profile or self.after.rules.policy.default_profile
        return wanted is None or profile == wanted

    def _count_really(self, facts: Sequence[Fact]) -> None:
        for on, event in facts:
            if isinstance(event, dunning.ActionDone) and self.task.first_on <= on <= self.task.last_on:
                cell = (on.isoformat(), event.step, event.medium)
                self.really[cell] = self.really.get(cell, 0) + 1

    def _live(self, client: ClientState, coming: Coming, again: Coming) -> None:
        """One client by both rules. One that cannot be decided stops nobody, and is named."""
        self.counts["clients"] += 1
        self.counts["entries"] += len(client.entries)
        period = (self.task.first_on, self.task.last_on)
        try:
            contacts = live(client, coming, self.after, *period)
            current = None if self.before is None else live(client, again, self.before, *period)
        except Exception:
            log.exception("client not simulated", extra={"company": client.company, "client_id": client.client_id})
            self.undecided.append(client.client_id)
            return
        self.tally.add(contacts)
        if current is not None:
            self._compare(client.client_id, current, contacts)

    def _compare(self, client_id: str, current: list[Contact], contacts: list[Contact]) -> None:
        self.current.add(current)
        difference = differ(current, contacts)
        if difference is not None:
            self.differences.append((client_id, difference))

    def part(self) -> Part:
        compared = self.before is not None
        counts = {
            **self.counts,
            "contacted": self.tally.clients,
            "contacted_now": self.current.clients,
            "undecided": len(self.undecided),
        }
        really = [[*cell, count] for cell, count in sorted(self.really.items())]
        return Part(
            counts,
            self.tally.rows(),
            self.current.rows() if compared else None,
            really if self.task.kind == "behind" else None,
            self.differences,
            self.undecided[:MOST_UNDECIDED],
        )


async def _histories(task: Task) -> AsyncIterator[dict[str, list[Fact]]]:
    """The facts of every client, partition by partition; order inside a speaker, sync before ledger on a day."""
    bus = await nats.connect(
        task.nats_url, name="dunning-simulation", max_reconnect_attempts=3, **trusting(task.nats_url)
    )
    try:
        for partition in task.partitions:
            events: list[Fact] = []
            for speaker in ("sync", "ledger", "dunning"):
                said = past.said_about(bus, speaker, task.company, EVENTS, partitions=(partition,))
                async for part in said:
                    events.extend(_facts(part))
            yield by_client(events, task.opened)
    finally:
        with suppress(nats.errors.Error):
            await bus.close()


def _facts(part: Sequence[Heard]) -> Iterator[Fact]:
    for heard in part:
        if heard.event is not None and heard.event.model is not None:
            yield heard.event.as_of, heard.event.parse()
