"""What a service measures about its log, its listening and its jobs; shown at ``/metrics``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge
from psycopg.errors import InvalidSchemaName, UndefinedColumn, UndefinedTable
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import clock
from chassis.beside.place import looked_at
from chassis.cancellation import heed_cancellation
from chassis.database import driver, is_transient
from chassis.derivation import LIVE_VERSION, VERSION_OPTION

log = logging.getLogger(__name__)

PENDING = Gauge(
    "relance_projection_pending_events",
    "Events of a stream that this process has not applied yet",
    ["service", "stream"],
    registry=None,
)
LAG = Gauge(
    "relance_projection_lag_seconds",
    "Age of the newest event applied while others wait; 0 when none waits",
    ["service", "stream"],
    registry=None,
)
IN_HAND = Gauge(
    "relance_projection_in_hand_seconds",
    "For how long the batch of a stream that is being applied has been; 0 when none is",
    ["service", "stream"],
    registry=None,
)
APPLIED = Counter("relance_projection_events", "Events applied", ["service", "stream"], registry=None)
REFUSED = Counter(
    "relance_projection_batches_refused",
    "Batches not applied: gap, fenced or failed",
    ["service", "stream", "reason"],
    registry=None,
)
UNPUBLISHED_AGE = Gauge(
    "relance_relay_unpublished_age_seconds",
    "Age of the oldest event that is not in the stream yet; 0 when all are",
    ["service"],
    registry=None,
)
PUBLISHED = Counter("relance_relay_events", "Events put into the stream", ["service"], registry=None)
RELAY_REFUSES = Gauge(
    "relance_relay_refuses",
    "1 while the relay refuses to publish because the stream and the log disagree",
    ["service"],
    registry=None,
)
PARKED = Gauge("relance_parked_keys", "Keys whose events are parked", ["service", "speaker"], registry=None)
JOBS = Gauge("relance_jobs", "Jobs that are not done", ["service", "queue", "status"], registry=None)
JOBS_WAITING = Gauge(
    "relance_jobs_waiting_seconds",
    "For how long the oldest job that nobody has taken could have been; 0 when none waits",
    ["service", "queue"],
    registry=None,
)
VERSION = Gauge(
    "relance_projection_version",
    "Version of the projection that makes the live tables",
    ["service"],
    registry=None,
)
WAITS_FOR_SWITCH = Gauge(
    "relance_waits_for_switch",
    "1 while the live tables are made by another version of the projection than this process has",
    ["service"],
    registry=None,
)
BESIDE_BEHIND = Gauge(
    "relance_rebuild_behind_events",
    "Events that the live tables have applied and those beside have not; what is beside is next or before",
    ["service", "beside"],
    registry=None,
)
BESIDE_HEARD = Gauge(
    "relance_rebuild_heard_events",
    "Events that the tables beside have applied, of those that the live ones have",
    ["service", "beside"],
    registry=None,
)
BESIDE_AGE = Gauge(
    "relance_rebuild_age_seconds",
    "For how long tables have stood beside the live ones",
    ["service", "beside"],
    registry=None,
)
HINDERED = Gauge(
    "relance_hindered", "1 while something outside hinders a part of a process", ["service", "part"], registry=None
)

METRICS = (
    PENDING,
    LAG,
    IN_HAND,
    APPLIED,
    REFUSED,
    UNPUBLISHED_AGE,
    PUBLISHED,
    RELAY_REFUSES,
    PARKED,
    JOBS,
    JOBS_WAITING,
    VERSION,
    WAITS_FOR_SWITCH,
    BESIDE_BEHIND,
    BESIDE_HEARD,
    BESIDE_AGE,
    HINDERED,
)


def register(registry: CollectorRegistry) -> None:
    """Show these measures in a registry."""
    for metric in METRICS:
        registry.register(metric)


COUNT_PARKED = text(
    "select speaker, count(distinct (company, key)) as keys from parked where skipped_at is null group by speaker"
)
COUNT_JOBS = text(
    "select queue, status, count(*) as jobs, extract(epoch from max(now() - run_at)) as waiting"
    " from job where status <> 'done' group by queue, status"
)


async def refresh(service: str, engine: AsyncEngine) -> None:
    """Read the gauges that live in tables."""
    async with engine.connect() as connection:
        parked = (await connection.execute(COUNT_PARKED)).all()
        jobs = (await connection.execute(COUNT_JOBS)).all()
        version = await connection.scalar(LIVE_VERSION)
        try:
            beside = await looked_at(await driver(connection), service)
        except (InvalidSchemaName, UndefinedTable):
            beside = None  # switched to or dropped this very moment
    if version is not None:
        VERSION.labels(service).set(version)
    own = engine.get_execution_options().get(VERSION_OPTION)
    WAITS_FOR_SWITCH.labels(service).set(None not in {version, own} and version != own)
    for gauge in (BESIDE_BEHIND, BESIDE_HEARD, BESIDE_AGE):
        gauge.clear()
    if beside is not None:
        BESIDE_BEHIND.labels(service, beside.role).set(beside.events_behind)
        BESIDE_HEARD.labels(service, beside.role).set(sum(beside.heard.values()))
        BESIDE_AGE.labels(service, beside.role).set(max(0.0, (clock.now() - beside.since).total_seconds()))
    PARKED.clear()
    for row in parked:
        PARKED.labels(service, row.speaker).set(row.keys)
    JOBS.clear()
    JOBS_WAITING.clear()
    for row in jobs:
        JOBS.labels(service, row.queue, row.status).set(row.jobs)
        if row.status == "ready":
            JOBS_WAITING.labels(service, row.queue).set(max(0.0, float(row.waiting)))


def tell_hindrances(service: str, hindered_by: Iterable[str]) -> None:
    """Show the parts that work less well than they should, and no other."""
    HINDERED.clear()
    for part in hindered_by:
        HINDERED.labels(service, part).set(1)


def schema_is_behind(error: Exception) -> bool:
    """A table, or a column of one, is not there yet: the migration of this version has not run."""
    return isinstance(error, DBAPIError) and isinstance(error.orig, UndefinedTable | UndefinedColumn)


async def keep_fresh(service: str, engine: AsyncEngine, *, seconds: float = 5) -> None:
    """Refresh the gauges until cancelled."""
    while True:
        heed_cancellation()
        try:
            await refresh(service, engine)
        except Exception as error:
            # a process that waits for its schema to be made must not end since nothing can be counted yet
            if not (is_transient(error) or schema_is_behind(error)):
                raise
            log.warning("measures not refreshed", extra={"error": str(error)})
        await asyncio.sleep(seconds)
