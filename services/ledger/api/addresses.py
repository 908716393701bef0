"""Addresses that mails came back from: marked by notify, which read the proof, and cleared by people (rule 22.31).

A mark is on the address, not on the client: another address is written to at once, whoever brings it. A client
none of whose addresses is left has none for its scenario (rule 4.2), which others learn as ``has_email``.
"""

from itertools import groupby
from typing import Any

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.http import accepted, requires
from services.ledger import queries
from services.ledger.api.contacts import Line
from services.ledger.api.stating import Body, OfClient, StatingDep
from services.ledger.domain.refusals import UnknownClient
from services.ledger.handlers import changed_clients

router = APIRouter(prefix="/companies/{company}")

OF_CLIENT = text(
    "select email, reason, marked_at from dead_address"
    " where company = :company and client_id = :client_id order by email"
)

MARK = text(
    """
    insert into dead_address (company, client_id, email, reason)
    select :company, :client_id, lower(:email), :reason
    where exists (select from person where company = :company and client_id = :client_id
            and exists (select from unnest(emails) told(email) where lower(told.email) = lower(:email)))
        or exists (select from contact where company = :company and client_id = :client_id
            and not gone and not removed and lower(coalesce(edited ->> 'email', email)) = lower(:email))
    on conflict do nothing
    """
)
"""Only an address that is the client's: that of a colleague in copy is nobody's concern here."""

CLEAR = text(
    "delete from dead_address where company = :company and client_id = :client_id and email = lower(:email)"
)


class OfAddress(OfClient):
    email: Line = Field(min_length=3)


class Mark(OfAddress):
    """``reason`` is a code of notify's."""

    reason: str = Field(pattern=r"^[a-z_]{1,40}$")


class Marks(Body):
    marks: list[Mark] = Field(max_length=1000)


async def unreachable(tx: AsyncConnection, company: str, client_id: str) -> list[dict[str, Any]]:
    """The marked addresses of a client, with the reason and the instant."""
    rows = await tx.execute(OF_CLIENT, {"company": company, "client_id": client_id})
    return [dict(row._mapping) for row in rows]


@router.post("/mark-addresses", dependencies=[requires("admin")])
async def mark_addresses(body: Marks, stating: StatingDep) -> dict[str, Any]:
    """Addresses that do not exist. Answers ``marked``, how many were not yet; the same again changes nothing."""
    company, tx = stating.company, stating.tx
    marks = sorted(body.marks, key=lambda mark: mark.client_id)
    await queries.lock_clients(tx, company, sorted({mark.client_id for mark in marks}))
    changed: list[str] = []
    marked = 0
    for client_id, group in groupby(marks, key=lambda mark: mark.client_id):
        new = 0
        for mark in group:
            new += (await tx.execute(MARK, mark.model_dump() | {"company": company})).rowcount
        marked += new
        changed += [client_id] if new else []
    said = await changed_clients(tx, company, changed, stating.as_of, person_changed=True)
    positions = await stating.say(company, said, as_of=stating.as_of, cause=stating.cause)
    return accepted(positions, marked=marked)


@router.post("/clear-address")
async def clear_address(body: OfAddress, stating: StatingDep) -> dict[str, Any]:
    """A person says that the address is right after all: it is written to again. Answers ``cleared``."""
    company, tx = stating.company, stating.tx
    if not await queries.lock_clients(tx, company, [body.client_id]):
        raise UnknownClient(body.client_id)
    cleared = (await tx.execute(CLEAR, body.model_dump() | {"company": company})).rowcount
    changed = [body.client_id] if cleared else []
    said = await changed_clients(tx, company, changed, stating.as_of, person_changed=True)
    return accepted(await stating.say(company, said, as_of=stating.as_of, cause=stating.cause), cleared=cleared)
