"""The wiring of reporting: what it hears, serves and does by itself. It says nothing."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.jobs import JobWorker
from chassis.projection import Listening
from chassis.resealing import Sealed
from chassis.running import Running
from chassis.service import Service
from contracts.registry import EVENTS
from services.reporting import tables
from services.reporting.api import router
from services.reporting.handlers import reactions
from services.reporting.money import keep_counted
from services.reporting.people import QUEUE, refresh
from services.reporting.projection import PROJECT
from services.reporting.queries.standings import FORGET_STANDINGS
from services.reporting.settings import ReportingSettings
from services.reporting.subscribers.door import Door
from services.reporting.subscribers.rows import time_zone
from services.reporting.webhooks.collecting import Collector
from services.reporting.webhooks.rows import SIGNING
from services.reporting.webhooks.sending import Sender


async def today(tx: AsyncConnection, company: str) -> date:
    """The company's own day; of one not heard of yet, the day in Paris."""
    return clock.today(await time_zone(tx, company))


def build(settings: ReportingSettings) -> Service:
    async def fetch_names(running: Running) -> None:
        """Fetch from ledger the names of clients that changed."""
        ledger = running.neighbour("ledger")
        worker = JobWorker(
            running.engine, QUEUE, lambda jobs: refresh(running.engine, ledger, jobs), concurrency=1
        )
        await worker.run()

    async def keep_door(running: Running) -> None:
        """Let other systems into NATS."""
        await Door(running, settings).run()

    async def collect(running: Running) -> None:
        """Write down what webhooks are to be told."""
        await Collector(running, settings).run()

    async def deliver(running: Running) -> None:
        """Tell it."""
        await Sender(running.engine, settings).run()

    async def money(running: Running) -> None:
        """Count what is owed and what was done today, for those who watch."""
        await keep_counted(running, settings.money_every)

    return Service(
        name="reporting",
        speaks=False,
        settings=settings,
        events=EVENTS,
        listening=Listening(
            streams=("sync", "ledger", "dunning", "notify"),
            project=PROJECT,
            react=reactions(settings.names_per_job),
            tables=tables.DERIVED,
            on_replaced=FORGET_STANDINGS,
            bulk={"EntriesSynced": "entries", "ClientsChanged": "clients", "PaymentsLettered": "groups"},
        ),
        router=router,
        knows_clients=True,
        background={
            "names": fetch_names,
            "door": keep_door,
            "webhooks": collect,
            "deliveries": deliver,
            "money": money,
        },
        sealed=(
            Sealed("webhook", "secret", SIGNING),
            Sealed("webhook", "previous_secret", SIGNING),
            Sealed("webhook_former_secret", "secret", SIGNING),
        ),
        today=today,
    )
