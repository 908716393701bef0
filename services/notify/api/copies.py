"""The people who get copies of a step (rule 4.14): the addresses stay here, steps and actions carry their ids."""

from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import text

from chassis.http import CauseDep, CompanyDep, TxDep, requires
from chassis.problems import Problem
from services.notify.api.bodies import Body
from services.notify.api.sender import Email, Line

router = APIRouter(prefix="/companies/{company}")

NAMES = UUID("3f0c5a52-2a7e-5c07-9f3e-6f1d7f0f5c11")
ALL = text(
    "select copy_id, email, name, user_id, changed_by, changed_at from copy_address"
    " where company = :company order by name, email"
)
SAVE = text(
    """
    insert into copy_address (company, copy_id, email, name, user_id, changed_by)
    values (:company, :copy_id, :email, :name, :user_id, :changed_by)
    on conflict (company, copy_id) do update set email = excluded.email, name = excluded.name,
        changed_by = excluded.changed_by, changed_at = now()
    """
)
FORGET = text("delete from copy_address where company = :company and copy_id = :copy_id")


class CopyWanted(Body):
    """A user of the account, whose address may change later, or a typed address, which is its own name."""

    email: Email = Field(min_length=3)
    name: Line = ""
    user_id: str | None = Field(default=None, max_length=64)


@router.get("/copies", dependencies=[requires("user")])
async def copies(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Everybody in the address book of this company."""
    rows = await tx.execute(ALL, {"company": company})
    return {"copies": [dict(row) for row in rows.mappings()]}


@router.put("/copies", dependencies=[requires("admin")])
async def save(body: CopyWanted, company: CompanyDep, tx: TxDep, cause: CauseDep) -> dict[str, Any]:
    """Enter an address; the same user, or the same typed address, keeps its id."""
    named = f"user {body.user_id}" if body.user_id else f"email {body.email.lower()}"
    copy_id = uuid5(NAMES, f"{company} {named}")
    values = body.model_dump() | {"company": company, "copy_id": copy_id, "changed_by": cause.actor}
    await tx.execute(SAVE, values)
    return {"copy_id": copy_id}


@router.delete("/copies", dependencies=[requires("admin")])
async def forget(company: CompanyDep, tx: TxDep, copy_id: Annotated[UUID, Query()]) -> dict[str, Any]:
    """Take an address out: steps that name it copy it no more. 404 when it is not there."""
    gone = await tx.execute(FORGET, {"company": company, "copy_id": copy_id})
    if not gone.rowcount:
        raise Problem("copy-unknown", "There is no such address", 404)
    return {"copy_id": copy_id}
