"""The pixel: the only address here that needs no token, since mailboxes have none. Its link is signed."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response
from sqlalchemy import text

from chassis import clock
from chassis.database import transaction
from chassis.eventlog import Cause, Said
from chassis.http import RunningDep
from contracts.notify import EmailOpened
from services.notify import openings, pixel, queries
from services.notify.settings import NotifySettings

router = APIRouter()

LOCK = text(
    """
    select client_id, message_id, at, opened_at, fetched_at from outcome
    where company = :company and action_id = :action_id and kind = 'sent' and opened_at is null
    for update
    """
)
"""Once a person opened it, nothing new is told."""
RECIPIENTS = text("select recipients from message where company = :company and action_id = :action_id")


@router.get("/o/{token}.gif")
async def opened(
    token: str, process: RunningDep, agent: Annotated[str, Header(alias="User-Agent")] = ""
) -> Response:
    """Says ``EmailOpened`` the first time a person loads it, and the first time a machine does. Always answers the
    same point, so that links cannot be tried out."""
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    answer = Response(pixel.GIF, media_type="image/gif", headers={"Cache-Control": "no-store"})
    try:
        company, action_id = pixel.read(settings.pixel_secret, token)
    except pixel.LinkRefused:
        return answer
    async with transaction(process.engine, company) as tx:
        sender = await queries.sender(tx, company, settings.default_sender_domain)
        row = (await tx.execute(LOCK, {"company": company, "action_id": action_id})).one_or_none()
        if row is None or not sender.track_opens:
            return answer
        # who took the agreement back after the message left, or was erased, is not told on
        recipients = await tx.scalar(RECIPIENTS, {"company": company, "action_id": action_id})
        agreed = await queries.consents(tx, company, [row.client_id])
        if not openings.all_consented(recipients or (), agreed.get(row.client_id, ())):
            return answer
        now = clock.now()
        found = openings.machine(agent, now - row.at)
        if found is not None and row.fetched_at is not None:
            return answer
        event = EmailOpened(
            action_id=action_id,
            client_id=row.client_id,
            message_id=row.message_id,
            opened_at=now,
            by_machine=None if found is None else True,
            machine=found,
        )
        today = clock.today(await queries.time_zone(tx, company))
        await process.say(tx)(company, [Said(event, row.client_id)], as_of=today, cause=Cause.new("debtor"))
    return answer
