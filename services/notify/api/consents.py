"""Whose opening of a message may be told: asked of people, off until somebody says yes."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import text

from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, requires
from chassis.problems import Problem
from contracts.event import ClientId
from services.notify import queries
from services.notify.api.bodies import Body
from services.notify.messages import is_usable_address
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}")

KNOWN = text("select 1 from client where company = :company and client_id = :client_id")
GIVE = text(
    "insert into opens_consent (company, client_id, email, given_by) values (:company, :client_id, :email, :by)"
    " on conflict do nothing"
)
TAKE_BACK = text(
    "delete from opens_consent where company = :company and client_id = :client_id and email = :email"
)


class Consent(Body):
    """``given``: the owner of the address agrees; false takes it back."""

    client_id: ClientId
    email: str = Field(min_length=3, max_length=320)
    given: bool


@router.get("/opens-consents")
async def get_consents(
    client_id: Annotated[ClientId, Query()], company: CompanyDep, tx: TxDep, process: RunningDep
) -> dict[str, Any]:
    """``tracked``: the company wants to know of openings; ``emails`` of those who agreed, in lower case."""
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    sender = await queries.sender(tx, company, settings.default_sender_domain)
    found = await queries.consents(tx, company, [client_id])
    return {
        "tracked": sender.track_opens and bool(settings.public_url and settings.pixel_secret),
        "emails": sorted(found.get(client_id, ())),
    }


@router.put("/opens-consents", dependencies=[requires("user")])
async def put_consent(body: Consent, company: CompanyDep, tx: TxDep, cause: CauseDep) -> dict[str, Any]:
    """Note that somebody agreed, or does not any more. Idempotent. Answers 404 ``client-unknown``, 422
    ``address-unusable``."""
    email = body.email.strip().lower()
    if not is_usable_address(email):
        raise Problem("address-unusable", "This is not one e-mail address", 422)
    whose = {"company": company, "client_id": body.client_id}
    if await tx.scalar(KNOWN, whose) is None:
        raise Problem("client-unknown", "There is no such client", 404, client_id=body.client_id)
    statement = GIVE if body.given else TAKE_BACK
    values = whose | {"email": email}
    await tx.execute(statement, values | ({"by": cause.actor} if body.given else {}))
    return {"client_id": body.client_id, "email": email, "given": body.given}
