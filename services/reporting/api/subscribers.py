"""Other systems that subscribe: add, list, rotate, replay, remove."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, status
from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.embedded_config import SUBSCRIBERS_API
from chassis.http import CallerDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from chassis.problems import Problem
from chassis.running import Running
from contracts.subjects import stream
from services.reporting.settings import ReportingSettings
from services.reporting.subscribers import durables, rows
from services.reporting.subscribers.choosing import EventUnknown, chosen
from services.reporting.subscribers.door import inbox_of, show_out
from services.reporting.subscribers.rows import Subscriber

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin"), WholeCompany])

log = logging.getLogger(__name__)
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Added(Body):
    """``events`` are names as the contract has them, or ``["*"]``; ``since`` is the first day to hear, by default
    from now on."""

    name: Name
    events: list[str] = Field(default=["*"], max_length=200)
    since: date | None = None


class Named(Body):
    name: Name


class Rotated(Named):
    overlap_hours: float = Field(default=24, ge=0, le=24 * 30)
    """How long the secret before is still good."""


class Replayed(Named):
    since: date


def events_of(names: list[str]) -> list[str]:
    """Answers 422 to names that nobody says."""
    try:
        return chosen(names)
    except EventUnknown as unknown:
        raise Problem(
            "event-unknown", "There is no such event", 422, str(unknown), events=unknown.events
        ) from None


def arranged(process: RunningDep) -> ReportingSettings:
    """Answers 409 where the installation lets no other system into NATS."""
    settings = process.settings
    assert isinstance(settings, ReportingSettings)
    if not settings.doorkeeper_url or not settings.doorkeeper_key:
        raise Problem(
            "subscribers-not-arranged", "This installation lets nobody into NATS", 409,
            "RELANCE_DOORKEEPER_URL and RELANCE_DOORKEEPER_KEY are not set; relance credentials writes both",
        )  # fmt: skip
    return settings


SettingsDep = Annotated[ReportingSettings, Depends(arranged)]


async def bus_of(process: Running) -> Client:
    """Answers 503 while NATS is not there."""
    try:
        return await process.bus()
    except (TimeoutError, OSError, NatsError) as away:
        raise Problem("nats-away", "NATS does not answer", 503) from away


@asynccontextmanager
async def reaching_nats() -> AsyncIterator[None]:
    """What NATS does not do ends the request by 503, and nothing is changed."""
    try:
        yield
    except (TimeoutError, OSError, NatsError) as away:
        raise Problem("nats-away", "NATS does not answer", 503) from away


async def _shown_out(settings: ReportingSettings, user: str) -> dict[str, Any]:
    """How many connections were ended. What NATS does not do now the doorkeeper does within
    ``RELANCE_MEND_SECONDS``: the command is done either way."""
    try:
        return {"connections_ended": await show_out(settings.doorkeeper_url, user)}
    except (TimeoutError, OSError, NatsError) as away:
        log.warning("connections are ended later", extra={"user": user, "error": type(away).__name__})
        return {"connections_ended": None}


async def midnight(tx: AsyncConnection, company: str, day: date) -> datetime:
    """When that day began for the company."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(await rows.time_zone(tx, company)))


async def _known(tx: AsyncConnection, company: str, name: str) -> Subscriber:
    found = await rows.find(tx, company, name, locked=True)
    if found is None:
        raise Problem("subscriber-unknown", "There is no such subscriber", 404, name=name)
    return found


def connecting(settings: ReportingSettings, subscriber: Subscriber, secret: str | None = None) -> dict[str, Any]:
    """Everything that a program needs to subscribe, as ``docs/guide/subscribing.md`` reads it."""
    parts = urlsplit(settings.nats_url)
    told = {
        "url": settings.subscribers_url or f"{parts.scheme}://{parts.hostname}:{parts.port or 4222}",
        "user": subscriber.user,
        "password": secret,
        "inbox_prefix": inbox_of(subscriber.user),
        "api_prefix": SUBSCRIBERS_API,
        "consumers": [{"stream": stream(speaker), "durable": subscriber.user} for speaker in subscriber.subjects],
    }
    return {name: value for name, value in told.items() if value is not None}


def _shown(subscriber: Subscriber, places: dict[str, durables.Place]) -> dict[str, Any]:
    heard = [place.heard_at for place in places.values() if place.heard_at]
    return {
        "name": subscriber.name,
        "user": subscriber.user,
        "events": list(subscriber.events),
        "since": subscriber.since,
        "created_at": subscriber.created_at,
        "created_by": subscriber.created_by,
        "rotated_at": subscriber.rotated_at,
        "previous_until": subscriber.previous_until,
        "waiting": sum(place.waiting for place in places.values()),
        "unacknowledged": sum(place.unacknowledged for place in places.values()),
        "heard_at": max(heard, default=None),
    }


@router.get("/subscribers")
async def subscribers(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """Who subscribes to what, and how far each has come."""
    found = await rows.of_company(tx, company)
    if not found:
        return {"subscribers": []}
    bus = await bus_of(process)
    return {"subscribers": [_shown(one, await durables.places(bus, one)) for one in found]}


@router.post("/subscribers", status_code=status.HTTP_201_CREATED)
async def add(  # noqa: PLR0913, PLR0917 - one parameter per need
    body: Added, company: CompanyDep, tx: TxDep, process: RunningDep, settings: SettingsDep, who: CallerDep
) -> dict[str, Any]:
    """A new subscriber. Its secret is in this answer and nowhere else."""
    bus = await bus_of(process)
    since = clock.now() if body.since is None else await midnight(tx, company, body.since)
    secret = await rows.add(tx, company, body.name, events_of(body.events), since, who.subject)
    if secret is None:
        raise Problem("subscriber-exists", "There is a subscriber of this name", 409, name=body.name)
    subscriber = await _known(tx, company, body.name)
    async with reaching_nats():
        await durables.unmake(bus, subscriber.user)  # of one that was removed while NATS was away
        await durables.make(bus, subscriber)
    return {"name": body.name, "events": list(subscriber.events), "since": since} | {
        "connect": connecting(settings, subscriber, secret)
    }


@router.post("/subscribers/rotate")
async def rotate(body: Rotated, company: CompanyDep, tx: TxDep, settings: SettingsDep) -> dict[str, Any]:
    """A new secret, in this answer and nowhere else. Without an overlap, connections by the one before are ended:
    how many, or null while NATS does not answer, when it happens a little later."""
    subscriber = await _known(tx, company, body.name)
    secret = await rows.rotate(tx, company, body.name, timedelta(hours=body.overlap_hours))
    ended = {}
    if body.overlap_hours == 0:
        await tx.commit()
        ended = await _shown_out(settings, subscriber.user)
    return {"name": body.name, "connect": connecting(settings, subscriber, secret)} | ended


@router.post("/subscribers/replay")
async def replay(
    body: Replayed, company: CompanyDep, tx: TxDep, process: RunningDep, settings: SettingsDep
) -> dict[str, Any]:
    """Everything from the beginning of that day on is heard again, and what comes after it as well."""
    bus = await bus_of(process)
    subscriber = await _known(tx, company, body.name)
    since = await midnight(tx, company, body.since)
    await tx.execute(rows.SINCE, {"company": company, "name": body.name, "since": since})
    async with reaching_nats():
        await durables.unmake(bus, subscriber.user)
        await durables.make(bus, await _known(tx, company, body.name))
    return {"name": body.name, "since": since, "connect": connecting(settings, subscriber)}


@router.post("/subscribers/remove")
async def remove(
    body: Named, company: CompanyDep, tx: TxDep, process: RunningDep, settings: SettingsDep
) -> dict[str, Any]:
    """From here on it hears nothing and comes in no more. ``connections_ended`` is null when NATS does not answer:
    they end a little later. Answers 503 ``nats-away`` before anything is changed."""
    bus = await bus_of(process)
    subscriber = await _known(tx, company, body.name)
    await tx.execute(rows.REMOVE, {"company": company, "name": body.name})
    async with reaching_nats():
        await durables.unmake(bus, subscriber.user)
    await tx.commit()
    return {"name": body.name} | await _shown_out(settings, subscriber.user)
