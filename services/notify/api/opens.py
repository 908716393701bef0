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
from services.notify import pixel, queries
from services.notify.settings import NotifySettings

router = APIRouter()

MACHINES = ("googleimageproxy", "yahoomailproxy", "bot", "barracuda", "mimecast", "proofpoint")

LOCK = text(
    """
    select client_id, message_id from outcome
    where company = :company and action_id = :action_id and kind = 'sent' and opened_at is null
    for update
    """
)


@router.get("/o/{token}.gif")
async def opened(
    token: str, process: RunningDep, agent: Annotated[str, Header(alias="User-Agent")] = ""
) -> Response:
    """Says ``EmailOpened`` the first time. Always answers the same point, so that links cannot be tried out."""
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
        if row is not None and sender.track_opens:
            event = EmailOpened(
                action_id=action_id,
                client_id=row.client_id,
                message_id=row.message_id,
                opened_at=clock.now(),
                by_machine=True if any(name in agent.lower() for name in MACHINES) else None,
            )
            today = clock.today(await queries.time_zone(tx, company))
            say = process.say(tx)
            await say(company, [Said(event, row.client_id)], as_of=today, cause=Cause.new("debtor"))
    return answer
