"""Links to debtors' own pages: made, taken back, and exchanged for a token of least right (rule 13.8)."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.auth import Caller
from chassis.database import transaction
from chassis.http import AS_OF_HEADER, AsOfDep, CauseDep, CompanyDep, RunningDep, TxDep, requires
from chassis.problems import Problem
from contracts.event import ClientId
from services.notify import links, queries
from services.notify.api.bodies import Body
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("user")])
door = APIRouter()
"""The only addresses besides the pixel's that need no token: the link is what is shown there."""

KNOWN = text("select removed from client where company = :company and client_id = :client_id")
ACCESS = text(
    "select generation, revoked_by, revoked_at from link_access"
    " where company = :company and client_id = :client_id"
)


class OfClient(Body):
    client_id: ClientId


class Shown(Body):
    """What stands behind ``/d/`` in the address."""

    link: str = Field(min_length=1, max_length=300)


def _knobs(process: RunningDep) -> NotifySettings:
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    return settings


async def _must_know(tx: AsyncConnection, company: str, client_id: str) -> None:
    if (await tx.execute(KNOWN, {"company": company, "client_id": client_id})).one_or_none() is None:
        raise Problem("client-unknown", "There is no such client", 404, client_id=client_id)


@router.get("/debtor-links")
async def access(
    client_id: Annotated[ClientId, Query()], company: CompanyDep, tx: TxDep, process: RunningDep
) -> dict[str, Any]:
    """``offered``: links can be made here; ``revoked_at``, ``revoked_by``: the last time links were taken back."""
    settings = _knobs(process)
    row = (await tx.execute(ACCESS, {"company": company, "client_id": client_id})).one_or_none()
    return {
        "offered": bool(settings.space_url and settings.link_secret),
        "days": settings.link_days,
        "revoked_at": row.revoked_at if row else None,
        "revoked_by": row.revoked_by if row else None,
    }


@router.post("/debtor-links")
async def make(
    body: OfClient, company: CompanyDep, tx: TxDep, as_of: AsOfDep, process: RunningDep
) -> dict[str, Any]:
    """A link to hand on by other means than our mails: ``{url, expires_on}``. 409 where no space is offered."""
    settings = _knobs(process)
    if not (settings.space_url and settings.link_secret):
        raise Problem("space-not-offered", "This installation has no pages for debtors", 409)
    await _must_know(tx, company, body.client_id)
    known = await links.generations(tx, company, [body.client_id])
    link = links.new(company, body.client_id, as_of, settings.link_days, known.get(body.client_id, 0))
    return {"url": links.url(settings.space_url, settings.link_secret, link), "expires_on": link.expires_on}


@router.post("/debtor-links/revoke")
async def revoke(body: OfClient, company: CompanyDep, tx: TxDep, cause: CauseDep) -> dict[str, Any]:
    """Every link that this client was ever given ends now; those in later mails are good."""
    await _must_know(tx, company, body.client_id)
    await links.revoke(tx, company, body.client_id, cause.actor)
    return {"client_id": body.client_id}


@door.post("/debtor-links/open")
async def open_link(
    body: Shown, process: RunningDep, asked: Annotated[date | None, Header(alias=AS_OF_HEADER)] = None
) -> dict[str, Any]:
    """Exchange a link for a token that reads and answers for its client, good for minutes.

    Answers ``{company, client_id, token, expires_on}``; 404 ``link-forged``, 410 ``link-expired``,
    ``link-revoked``.
    """
    settings = _knobs(process)
    try:
        link = links.read(settings.link_secret, body.link)
    except links.LinkForged as forged:
        raise Problem("link-forged", "There is no such link", 404) from forged
    async with transaction(process.engine, link.company) as tx:
        today = clock.today(await queries.time_zone(tx, link.company))
        if link.is_over(asked if asked and settings.allow_as_of else today):
            raise Problem("link-expired", "This link is too old", 410, expired_on=link.expires_on)
        client_id = await links.now_called(tx, link.company, link.client_id)
        row = (await tx.execute(KNOWN, {"company": link.company, "client_id": client_id})).one_or_none()
        good = await links.generations(tx, link.company, {link.client_id, client_id})
    if row is None or row.removed or link.generation < good.get(link.client_id, 0):
        raise Problem("link-revoked", "This link was taken back", 410)
    if client_id != link.client_id and good.get(client_id, 0):
        # taken back under the new code: links of the old one are older than that or cannot be told from it
        raise Problem("link-revoked", "This link was taken back", 410)
    who = Caller("debtor", (link.company,), "debtor", client_id=client_id)
    return {
        "company": link.company,
        "client_id": client_id,
        "token": process.signer().token(who),
        "expires_on": link.expires_on,
    }
