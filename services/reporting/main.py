"""The wiring of reporting: what it hears, serves and does by itself. It says nothing."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.jobs import JobWorker
from chassis.projection import Listening
from chassis.running import Running
from chassis.service import Service
from contracts.registry import EVENTS
from services.reporting import tables
from services.reporting.api import router
from services.reporting.handlers import reactions
from services.reporting.people import QUEUE, refresh
from services.reporting.projection import PROJECT
from services.reporting.settings import ReportingSettings

DEFAULT_TIME_ZONE = "Europe/Paris"
TIME_ZONE = text("select time_zone from followed_company where company = :company")


async def today(tx: AsyncConnection, company: str) -> date:
    """The company's own day; of one not heard of yet, the day in Paris."""
    return clock.today(await tx.scalar(TIME_ZONE, {"company": company}) or DEFAULT_TIME_ZONE)


def build(settings: ReportingSettings) -> Service:
    async def fetch_names(running: Running) -> None:
        """Fetch from ledger the names of clients that changed."""
        ledger = running.neighbour("ledger")
        worker = JobWorker(
            running.engine, QUEUE, lambda jobs: refresh(running.engine, ledger, jobs), concurrency=1
        )
        await worker.run()

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
            bulk={"EntriesSynced": "entries", "ClientsChanged": "clients", "PaymentsLettered": "groups"},
        ),
        router=router,
        knows_clients=True,
        background={"names": fetch_names},
        today=today,
    )
