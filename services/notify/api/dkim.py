"""The key that a company signs its messages with (DKIM), and whether its domain shows it."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import text

from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from chassis.problems import Problem
from chassis.sealing import Seal, SealMissing
from services.notify import signing
from services.notify.api.bodies import Body
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin"), WholeCompany])

SAVED = text(
    "select domain, selector, public_key, active, changed_by, changed_at from dkim_key where company = :company"
)
SAVE = text(
    """
    insert into dkim_key (company, domain, selector, private_key, public_key, changed_by)
    values (:company, :domain, :selector, :private_key, :public_key, :changed_by)
    on conflict (company) do update set domain = excluded.domain, selector = excluded.selector,
        private_key = excluded.private_key, public_key = excluded.public_key, active = false,
        changed_by = excluded.changed_by, changed_at = now()
    """
)
ACTIVATE = text(
    "update dkim_key set active = :active, changed_by = :changed_by, changed_at = now() where company = :company"
)
FORGET = text("delete from dkim_key where company = :company")

LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Domain = Annotated[str, Field(max_length=253, pattern=rf"^({LABEL}\.)+{LABEL}$")]
Selector = Annotated[str, Field(pattern=rf"^{LABEL}$")]


class NewKey(Body):
    """A new key pair for a domain; it signs nothing until it is switched on."""

    domain: Domain
    selector: Selector = "relance"


class Switch(Body):
    """``unseen``: switch it on although DNS does not show the key, as where this process cannot see the DNS."""

    active: bool
    unseen: bool = False


@router.get("/dkim")
async def get_dkim(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """``key`` is null without one; else its domain, and the TXT record that the domain has to show."""
    row = (await tx.execute(SAVED, {"company": company})).mappings().one_or_none()
    if row is None:
        return {"key": None}
    record = {
        "name": signing.record_name(row["selector"], row["domain"]),
        "value": signing.record_value(row["public_key"]),
    }
    return {"key": dict(row) | {"record": record}}


@router.put("/dkim")
async def put_dkim(
    body: NewKey, company: CompanyDep, tx: TxDep, process: RunningDep, cause: CauseDep
) -> dict[str, Any]:
    """Make a key in place of the one there is. Answers 409 ``secrets-not-kept`` without a sealing key."""
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    private, public = await asyncio.to_thread(signing.new_key)
    try:
        sealed = Seal(settings.sealing_key).seal(private, company=company, purpose=signing.SIGNING_KEY)
    except SealMissing as missing:
        raise Problem(
            "secrets-not-kept",
            "This installation cannot keep private keys",
            409,
            "Its operator sets RELANCE_SEALING_KEY for notify.",
        ) from missing
    values = {"company": company, "changed_by": cause.actor, "private_key": sealed, "public_key": public}
    await tx.execute(SAVE, values | body.model_dump())
    return await get_dkim(company, tx)


@router.post("/dkim/switch")
async def switch_dkim(body: Switch, company: CompanyDep, tx: TxDep, cause: CauseDep) -> dict[str, Any]:
    """Sign from now on, or no more. Answers 409 ``dkim-not-published`` while DNS does not show the key: mails
    signed with a key that nobody can look up fare worse than unsigned ones."""
    found = (await get_dkim(company, tx))["key"]
    if found is None:
        raise Problem("dkim-unknown", "The company has no key", 404)
    if body.active and not body.unseen:
        records = await asyncio.to_thread(signing.look_up, found["record"]["name"])
        if not signing.is_published(records, found["public_key"]):
            raise Problem("dkim-not-published", "DNS does not show this key", 409, record=found["record"])
    await tx.execute(ACTIVATE, {"company": company, "active": body.active, "changed_by": cause.actor})
    return await get_dkim(company, tx)


@router.delete("/dkim")
async def delete_dkim(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Forget the key; messages leave unsigned."""
    if not (await tx.execute(FORGET, {"company": company})).rowcount:
        raise Problem("dkim-unknown", "The company has no key", 404)
    return {"deleted": True}
