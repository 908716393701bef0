"""Who writes for a company: names, addresses, footer, bank details."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from psycopg.types.json import Jsonb
from pydantic import AfterValidator, Field, model_validator
from sqlalchemy import text

from chassis.database import driver
from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, requires
from services.notify import queries
from services.notify.api.bodies import Body
from services.notify.messages import is_usable_address
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}")

SENDER = text("select body from sender where company = :company")

SAVE_SENDER = """
    insert into sender (company, body, changed_by) values (%(company)s, %(body)s, %(changed_by)s)
    on conflict (company) do update set
        body = excluded.body, changed_by = excluded.changed_by, changed_at = now()
"""


def _address(value: str) -> str:
    if value and not is_usable_address(value):
        raise ValueError("not an e-mail address")
    return value


def _web(value: str) -> str:
    if value and not value.startswith(("https://", "http://")):
        raise ValueError("not a web address")
    return value


Line = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
Email = Annotated[str, Field(max_length=300), AfterValidator(_address)]
Web = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x20\x7f]*$"), AfterValidator(_web)]


class SenderBody(Body):
    """What is left empty gets its default."""

    name: Line = ""
    email: Email = ""
    reply_to: Email = ""
    phone: Line = ""
    company_name: Line = ""
    company_address: str = Field("", max_length=1000)
    footer: str = Field("", max_length=2000)
    bank_details: Line = ""
    payment_url: Web = ""
    invoices_url: Web = ""
    track_opens: bool = False
    attach_invoices: bool = False
    link_invoices: bool = False
    personal_from: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> "SenderBody":
        if self.attach_invoices and self.link_invoices:
            raise ValueError("documents are attached or linked, not both")
        return self


@router.get("/sender")
async def get_sender(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """Who writes for the company: ``saved`` as it was put, ``used`` with the defaults. ``space_offered``: clients
    have pages of their own, which links can lead to."""
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    used = await queries.sender(tx, company, settings.default_sender_domain)
    saved = await tx.scalar(SENDER, {"company": company})
    # what an older version saved besides would be refused when it is put again
    known = {name: saved[name] for name in SenderBody.model_fields if name in saved} if saved else None
    offered = bool(settings.space_url and settings.link_secret)
    return {"saved": known, "used": asdict(used), "space_offered": offered}


@router.put("/sender", dependencies=[requires("admin")])
async def put_sender(body: SenderBody, company: CompanyDep, tx: TxDep, cause: CauseDep) -> dict[str, Any]:
    """Set who writes for the company. Messages already written keep their sender."""
    connection = await driver(tx)
    saved = body.model_dump(mode="json")
    await connection.execute(SAVE_SENDER, {"company": company, "body": Jsonb(saved), "changed_by": cause.actor})
    return saved
