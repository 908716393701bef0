"""Webhooks: add, change, try, replay, retry, rotate, remove, and what became of every event."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.delivered import Delivered
from chassis.guard import networks_of
from chassis.http import CallerDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from chassis.problems import Problem
from chassis.sealing import Seal, SealBroken
from services.reporting.api.subscribers import events_of, midnight
from services.reporting.settings import ReportingSettings
from services.reporting.subscribers.choosing import filters
from services.reporting.webhooks import rows
from services.reporting.webhooks.addresses import UrlRefused, check_url
from services.reporting.webhooks.collecting import structured
from services.reporting.webhooks.posting import Post, new_secret
from services.reporting.webhooks.rows import Webhook

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin"), WholeCompany])

MOST_WEBHOOKS = 50
"""Of one company: each is a reader of the streams."""


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Added(Body):
    """``events`` are names as the contract has them, or ``["*"]``."""

    url: str = Field(max_length=2000)
    events: list[str] = Field(default=["*"], max_length=200)


class Named(Body):
    webhook_id: UUID


class Changed(Named):
    url: str | None = Field(default=None, max_length=2000)
    events: list[str] | None = Field(default=None, max_length=200)
    active: bool | None = None


class Rotated(Named):
    overlap_hours: float = Field(default=24, ge=0, le=24 * 30)
    """How long events carry a signature by the secret before as well."""


class Replayed(Named):
    since: date


class Retried(Named):
    event_ids: list[UUID] | None = Field(default=None, max_length=1000)
    """Those put aside; by default all of them."""


def _settings(process: RunningDep) -> ReportingSettings:
    settings = process.settings
    assert isinstance(settings, ReportingSettings)
    return settings


SettingsDep = Annotated[ReportingSettings, Depends(_settings)]


def _sealing(settings: ReportingSettings) -> Seal:
    if not settings.sealing_key.strip():
        raise Problem(
            "webhooks-not-arranged", "This installation can keep no secret", 409,
            "RELANCE_SEALING_KEY of reporting is not set; relance credentials writes it",
        )  # fmt: skip
    return Seal(settings.sealing_key)


def _url(url: str, settings: ReportingSettings) -> str:
    try:
        return check_url(url, networks_of(settings.webhook_networks))
    except UrlRefused as refused:
        raise Problem("url-refused", "Webhooks cannot go there", 422, str(refused)) from None


async def _known(tx: AsyncConnection, company: str, webhook_id: UUID) -> Webhook:
    found = await rows.find(tx, company, webhook_id)
    if found is None:
        raise Problem("webhook-unknown", "There is no such webhook", 404, webhook_id=str(webhook_id))
    return found


def _shown(webhook: Webhook, counted: dict[str, tuple[int, datetime]]) -> dict[str, Any]:
    waiting = sum(counted.get(one, (0, None))[0] for one in ("waiting", "sending"))
    delivered = counted.get("done")
    return {
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "events": list(webhook.events),
        "active": webhook.active,
        "failures": webhook.failures,
        "resting_until": webhook.resting_until,
        "told": webhook.told,
        "created_at": webhook.created_at,
        "created_by": webhook.created_by,
        "previous_until": webhook.previous_until,
        "forgotten": webhook.forgotten,
        "forgotten_at": webhook.forgotten_at,
        "waiting": waiting,
        "dead": counted.get("dead", (0, None))[0],
        "delivered": delivered[0] if delivered else 0,
        "delivered_at": delivered[1] if delivered else None,
    }


@router.get("/webhooks")
async def webhooks(company: CompanyDep, tx: TxDep, settings: SettingsDep) -> dict[str, Any]:
    """Where events go by HTTP, and how that goes."""
    counted = await rows.counts(tx, company)
    found = await rows.of_company(tx, company)
    return {
        "webhooks": [_shown(one, counted.get(one.webhook_id, {})) for one in found],
        "can_keep_secrets": bool(settings.sealing_key.strip()),
    }


@router.get("/webhooks/deliveries")
async def deliveries(
    company: CompanyDep,
    tx: TxDep,
    webhook_id: UUID,
    status: Literal["waiting", "sending", "done", "dead"] | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """What became of every event, the latest first; ``status=dead`` are those put aside."""
    await _known(tx, company, webhook_id)
    asked = {"company": company, "webhook_id": webhook_id, "status": status, "limit": limit}
    return {"deliveries": [dict(row._mapping) for row in await tx.execute(rows.LISTED, asked)]}


@router.post("/webhooks", status_code=status.HTTP_201_CREATED)
async def add(
    body: Added, company: CompanyDep, tx: TxDep, settings: SettingsDep, who: CallerDep
) -> dict[str, Any]:
    """A new webhook, which is told what is said from now on. Its secret is in this answer and nowhere else."""
    seal, events, url = _sealing(settings), events_of(body.events), _url(body.url, settings)
    if len(await rows.of_company(tx, company)) >= MOST_WEBHOOKS:
        raise Problem("webhooks-too-many", f"A company has at most {MOST_WEBHOOKS} webhooks", 409)
    webhook_id, secret = uuid4(), new_secret()
    key = {"company": company, "webhook_id": webhook_id}
    told = {
        "url": url,
        "events": events,
        "secret": seal.seal(secret, company=company, purpose=rows.SIGNING),
        "created_by": who.subject,
    }
    await tx.execute(rows.ADD, key | told)
    await rows.hear(tx, company, webhook_id, list(filters(company, events)), clock.now())
    return {"webhook_id": webhook_id, "url": url, "events": events, "secret": secret}


@router.post("/webhooks/change")
async def change(body: Changed, company: CompanyDep, tx: TxDep, settings: SettingsDep) -> dict[str, Any]:
    """Another address, other events, rest or work. What is left out stays as it is; a rest is over."""
    webhook = await _known(tx, company, body.webhook_id)
    events = list(webhook.events) if body.events is None else events_of(body.events)
    told = {
        "url": webhook.url if body.url is None else _url(body.url, settings),
        "events": events,
        "active": webhook.active if body.active is None else body.active,
    }
    await tx.execute(rows.CHANGE, {"company": company, "webhook_id": body.webhook_id, **told})
    await rows.hear(tx, company, body.webhook_id, list(filters(company, events)), clock.now())
    return {"webhook_id": body.webhook_id, **told}


@router.post("/webhooks/rotate")
async def rotate(body: Rotated, company: CompanyDep, tx: TxDep, settings: SettingsDep) -> dict[str, Any]:
    """A new secret, in this answer and nowhere else. 409 ``former-secrets-too-many``."""
    seal = _sealing(settings)
    webhook = await _known(tx, company, body.webhook_id)
    overlap = timedelta(hours=body.overlap_hours)
    if overlap and len(webhook.former) >= rows.MOST_FORMER:
        raise Problem(
            "former-secrets-too-many",
            f"{rows.MOST_FORMER} former secrets sign still",
            409,
            "Wait until the first of them is over, or change it without an overlap: all of them end then.",
        )
    secret = new_secret()
    sealed = seal.seal(secret, company=company, purpose=rows.SIGNING)
    until = await rows.rotate(tx, company, body.webhook_id, sealed, overlap)
    return {"webhook_id": body.webhook_id, "secret": secret, "previous_until": until}


@router.post("/webhooks/remove")
async def remove(body: Named, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Nothing is delivered any more, and what waits is forgotten."""
    await _known(tx, company, body.webhook_id)
    await tx.execute(rows.REMOVE, {"company": company, "webhook_id": body.webhook_id})
    return {"webhook_id": body.webhook_id}


@router.post("/webhooks/replay")
async def replay(body: Replayed, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Everything from the beginning of that day on is delivered again, under the ids it had."""
    await _known(tx, company, body.webhook_id)
    since = await midnight(tx, company, body.since)
    key = {"company": company, "webhook_id": body.webhook_id}
    await tx.execute(rows.FROM_THE_START, key | {"since": since})
    return {"webhook_id": body.webhook_id, "since": since}


@router.post("/webhooks/retry")
async def retry(body: Retried, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Events put aside are tried again at once."""
    await _known(tx, company, body.webhook_id)
    asked = {"company": company, "webhook_id": body.webhook_id, "event_ids": body.event_ids}
    return {"webhook_id": body.webhook_id, "retried": (await tx.execute(rows.RETRY, asked)).rowcount}


@router.post("/webhooks/test")
async def test(
    body: Named, company: CompanyDep, tx: TxDep, settings: SettingsDep, who: CallerDep
) -> dict[str, Any]:
    """Send an event that says nothing, now and once; what the receiver answers."""
    webhook = await _known(tx, company, body.webhook_id)
    try:
        keys = webhook.keys(_sealing(settings))
    except SealBroken:
        raise Problem(
            "secret-sealed", "The secret was sealed by a key that is gone", 409, "rotate the secret"
        ) from None
    await tx.commit()
    began = clock.now()
    message_id, message = tried(company, who.subject)
    async with Post(settings) as post:
        outcome = await post.send(webhook.url, message_id, message, keys)
    seconds = (clock.now() - began).total_seconds()
    return {"ok": outcome.ok, "status": outcome.status, "told": outcome.told, "seconds": round(seconds, 3)}


def tried(company: str, actor: str) -> tuple[str, str]:
    """An event of the form of all others, whose type no service says; its id and text."""
    event = Delivered(
        speaker="reporting",
        type="WebhookTried",
        event_id=uuid4(),
        company=company,
        client_id=None,
        partition=0,
        number=0,
        as_of=clock.now().date(),
        occurred_at=clock.now(),
        actor=actor,
        correlation_id=uuid4(),
        body=b"{}",
    )
    return str(event.event_id), structured(event)
