"""The wiring of ledger: what it hears, says, serves and does by itself."""

import asyncio
import logging
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import transaction
from chassis.derivation import OtherVersion
from chassis.eventlog import Cause
from chassis.projection import Listening
from chassis.running import Running
from chassis.service import Service
from contracts.registry import EVENTS
from services.ledger import queries, tables
from services.ledger.api import router
from services.ledger.domain.refusals import Refusal, Unknown
from services.ledger.handlers import ACTOR, REACT, begin_day
from services.ledger.projection import PROJECT
from services.ledger.settings import LedgerSettings
from services.ledger.settling import JUDGE_ALL_AGAIN, settle

DEFAULT_TIME_ZONE = "Europe/Paris"
DAYS = text(
    "select company, time_zone, as_of from company left join day_passed using (company)"
    " where not exists (select from company_hold held where held.company = company.company) order by company"
)

log = logging.getLogger(__name__)


async def today(tx: AsyncConnection, company: str) -> date:
    """The company's own day; of one not registered yet, the day in Paris."""
    settings = await queries.company_settings(tx, company)
    return clock.today(settings.time_zone if settings else DEFAULT_TIME_ZONE)


def build(settings: LedgerSettings) -> Service:
    async def settle_runs(running: Running) -> None:
        """Judge lettering groups as soon as a run is heard whole."""
        while True:
            if not await settle(running):
                await asyncio.sleep(settings.settle_pause_seconds)

    async def begin_days(running: Running) -> None:
        """Begin each company's day once it has come in its time zone."""
        while True:
            await begin_days_that_came(running)
            await asyncio.sleep(settings.day_pause_seconds)

    background = {"settle": settle_runs}
    if settings.day_begins_alone and not settings.allow_as_of:
        background["days"] = begin_days
    return Service(
        name="ledger",
        settings=settings,
        events=EVENTS,
        listening=Listening(
            streams=("sync",),
            project=PROJECT,
            react=REACT,
            tables=tables.DERIVED,
            on_replaced=JUDGE_ALL_AGAIN,
            bulk={"EntriesSynced": "entries", "ClientsSynced": "clients"},
        ),
        router=router,
        knows_clients=True,
        asked_by={"sync": {"system"}, "reporting": {"system"}, "notify": {"system", "debtor"}},
        asks={
            "sync": {"/people", "/contacts", "/labels", "/entry-fields"},
            "reporting": {"/people/query"},
        },
        background=background,
        today=today,
        refusals={Unknown: 404, Refusal: 409},
    )


async def begin_days_that_came(running: Running) -> None:
    """One transaction per company, so that one company's trouble stops no other; its day is tried again in the
    next round, and until then told as a hindrance."""
    async with transaction(running.engine) as tx:
        days = list(await tx.execute(DAYS))
    failed = []
    for day in days:
        as_of = clock.today(day.time_zone)
        if day.as_of is None or day.as_of < as_of:
            told = {"company": day.company, "as_of": str(as_of)}
            try:
                async with transaction(running.engine) as tx:
                    begun = await begin_day(running.say(tx), day.company, as_of, Cause.new(ACTOR))
            except OtherVersion:
                raise  # it is the same for each of them, and no trouble: the release before does the work
            except Exception:
                log.exception("a day did not begin", extra=told)
                failed.append(day.company)
                continue
            log.info("a day began", extra={**told, "broken": begun.broken, "resumed": begun.resumed})
    left = f"the day has not begun in {', '.join(failed)}; tried again" if failed else None
    running.health.hindrance("days", left)
