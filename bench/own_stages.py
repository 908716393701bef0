"""What the stages that several services share cost us: remembering a book, its labels on their way to ledger, and
its entries applied by every listener. Each alone, on servers of their own, with the code of the services."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import psycopg
from faststream.nats import NatsBroker
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.costs import TICKS
from chassis.auth import mint, read_key
from chassis.database import engine, transaction
from chassis.embedded import Stack
from chassis.http import create_app
from chassis.projection import ProjectionWorker
from chassis.running import Running
from chassis.service import Service
from services.sync import changes

PUT_SECONDS = 60
LISTENERS = ("ledger", "dunning", "notify", "reporting")
"""Who applies ``EntriesSynced``."""


class Cpu:
    """CPU seconds of this process and of others, by process id."""

    def __init__(self, *pids: int) -> None:
        self._pids = (os.getpid(), *pids)
        self._before = self._now()

    def _now(self) -> float:
        seconds = 0.0
        for pid in self._pids:
            fields = (
                Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            )
            seconds += (int(fields[11]) + int(fields[12])) / TICKS
        return seconds

    def us(self, entries: int) -> float:
        """Microseconds per entry since the beginning."""
        return round((self._now() - self._before) / entries * 1e6, 2)


@dataclass(frozen=True)
class Kept:
    """A staged book, remembered: what that took, and the labels that it told of."""

    remember_us: float
    read_labels_us: float
    labels: Sequence[str]


def service_of(stack: Stack, name: str) -> Service:
    """A service wired as its process would wire it."""
    knobs = {
        key.removeprefix("RELANCE_").lower(): value
        for key, value in stack.environment(name).items()
        if key.startswith("RELANCE_")
    }
    settings = getattr(import_module(f"services.{name}.settings"), f"{name.capitalize()}Settings")
    service: Service = import_module(f"services.{name}.main").build(settings(**knobs))
    return service


async def backend(log: AsyncEngine) -> int:
    """The process of the one connection that an engine of size 1 has."""
    async with transaction(log) as tx:
        return int((await tx.exec_driver_sql("select pg_backend_pid()")).scalar_one())


async def keep(connection: psycopg.AsyncConnection[Any], company: str, lines: int) -> Kept:
    """Compare the staged lines of a book that nothing is known of, read its labels, remember it."""
    spent = Cpu(connection.info.backend_pid)
    await changes.summarise(connection)
    await changes.compare(connection, company, "bench", ())
    compared = spent.us(lines)
    reading = Cpu(connection.info.backend_pid)
    labels = [told async for told in changes.labels(connection)]
    read = reading.us(lines)
    remembering = Cpu(connection.info.backend_pid)
    await changes.remember(connection, company, "bench")
    return Kept(round(compared + remembering.us(lines), 2), read, labels)


async def put_labels(stack: Stack, company: str, labels: Sequence[str], lines: int) -> float:
    """Hand labels to ledger as sync does, but for the network between; microseconds per line."""
    process = Running(service_of(stack, "ledger"))
    token = mint(read_key(stack.private_key_file), "service:sync", (company,), "admin")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(process)),
        base_url="http://ledger",
        headers=headers,
        timeout=PUT_SECONDS,
    ) as ledger:

        async def put(told: str) -> None:
            answer = await ledger.put(f"/companies/{company}/labels", content=f'{{"labels":{told}}}')
            answer.raise_for_status()

        await put("{}")
        async with process.api_engine.connect() as connection:
            found = await connection.exec_driver_sql(
                "select pid from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()"
                " union select pg_backend_pid()"
            )
            pids = [int(pid) for (pid,) in found]
        spent = Cpu(*pids)
        for told in labels:
            await put(told)
        us = spent.us(lines)
    await process.stop()
    return us


async def apply(
    stack: Stack, connection: psycopg.AsyncConnection[Any], nats_pid: int, events: int, entries: int
) -> Mapping[str, float]:
    """What each listener spends on hearing and applying everything that sync's stream holds; microseconds per
    entry."""
    return {name: await _applied(stack, connection, nats_pid, name, events, entries) for name in LISTENERS}


async def _applied(  # noqa: PLR0913, PLR0917 one caller
    stack: Stack, connection: psycopg.AsyncConnection[Any], nats_pid: int, name: str, events: int, entries: int
) -> float:
    service = service_of(stack, name)
    assert service.listening is not None
    # one connection, so that its backend is known
    rows = engine(stack.database_url(name, "worker"), name, size=1)
    broker = NatsBroker(stack.nats_url(name), logger=None)
    worker = ProjectionWorker(name, rows, broker, replace(service.listening, streams=("sync",)), service.events)
    reached = psycopg.sql.SQL("select coalesce(sum(pseq), 0) from {}.checkpoint where speaker = 'sync'").format(
        psycopg.sql.Identifier(name)
    )
    await broker.start()
    spent = Cpu(nats_pid, await backend(rows))
    running = asyncio.create_task(worker.run())
    while True:
        heard = await (await connection.execute(reached)).fetchone()
        await connection.commit()
        if heard is not None and heard[0] >= events:
            break
        await asyncio.sleep(0.05)
    us = spent.us(entries)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await broker.stop()
    await rows.dispose()
    return us
