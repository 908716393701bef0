"""The wiring of sync: what it hears, says, serves and does by itself."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.jobs import JobWorker
from chassis.listening import Listening
from chassis.running import Running
from chassis.service import Service
from contracts.registry import EVENTS
from services.sync import queries, samples, tables
from services.sync.api import router
from services.sync.attempts import MOST_LOSSES
from services.sync.connectors.fec import Fec
from services.sync.connectors.kinds import LIVE
from services.sync.connectors.mapped import Mapped
from services.sync.handlers import REACT
from services.sync.imports import QUEUE, Importer
from services.sync.increments import QUEUE as INCREMENTS
from services.sync.increments import Incrementer
from services.sync.inlets.fetching import QUEUE as FETCHES
from services.sync.inlets.fetching import Fetcher
from services.sync.inlets.slots import keep_time
from services.sync.judging import judged
from services.sync.projection import PROJECT
from services.sync.settings import SyncSettings
from services.sync.silence import Watch

DEFAULT_TIME_ZONE = "Europe/Paris"
PATIENT_ATTEMPTS = 1_000
"""Attempts at a run while the database or ledger is away; see ``attempts`` for when a run is given up."""


async def today(tx: AsyncConnection, company: str) -> date:
    """The company's own day; of one not registered yet, the day in Paris."""
    return clock.today(await queries.time_zone(tx, company) or DEFAULT_TIME_ZONE)


def build(settings: SyncSettings) -> Service:
    async def carry_out_imports(running: Running) -> None:
        """Read the files that were sent, one after another per company."""
        connectors = {connector.name: connector for connector in (Fec(), Mapped())}
        importer = Importer(running, connectors, settings.people_per_call)
        worker = JobWorker(
            running.engine,
            QUEUE,
            importer,
            batch=1,
            concurrency=settings.imports_at_once,
            max_attempts=PATIENT_ATTEMPTS,
            given_up=importer.give_up,
            most_losses=MOST_LOSSES,
        )
        await running.work("imports", worker)

    async def carry_out_increments(running: Running) -> None:
        """Take in what live bases deliver."""
        incrementer = Incrementer(
            running, LIVE, settings.source_addresses, settings.people_per_call, settings.source_patience_seconds
        )
        worker = JobWorker(
            running.engine,
            INCREMENTS,
            incrementer,
            batch=1,
            concurrency=settings.bases_at_once,
            max_attempts=PATIENT_ATTEMPTS,
            given_up=incrementer.give_up,
            most_losses=MOST_LOSSES,
        )
        await running.work("increments", worker)

    async def watch_connectors(running: Running) -> None:
        """Notice connectors that fall silent and deliveries that stop half way."""
        await Watch(running, settings, LIVE, today).run()

    async def fetch_files(running: Running) -> None:
        """Look into inlets as slots and people ask for it."""
        worker = JobWorker(
            running.engine, FETCHES, Fetcher(running), batch=1, concurrency=settings.fetches_at_once
        )
        await running.work("fetches", worker)

    return Service(
        name="sync",
        settings=settings,
        events=EVENTS,
        listening=Listening(streams=("ledger",), project=PROJECT, react=REACT, tables=tables.DERIVED),
        router=router,
        judged=judged(settings),
        background={
            "imports": carry_out_imports,
            "increments": carry_out_increments,
            "connectors": watch_connectors,
            "fetches": fetch_files,
            "slots": keep_time,
            "samples": samples.keep_clean,
        },
        today=today,
    )
