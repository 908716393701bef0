"""The legal archive: what it holds of a client, and whether it is as it was sealed."""

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.http import CompanyDep, RunningDep, TxDep, WholeCompany, requires
from contracts.event import ClientId
from services.notify.api.bodies import Body
from services.notify.api.personal import CODES
from services.notify.archive.archivist import Archivist
from services.notify.archive.verifying import verify

router = APIRouter(prefix="/companies/{company}")

OF_CLIENT = text("""
    select a.n, a.body, a.hash, person.body as person
    from archive a left join archive_person person using (company, n)
    where a.company = :company and a.client_id = any(:client_ids) and a.n > :after
    order by a.n limit :limit
""")
HEAD = text("select n, hash from archive_head where company = :company")


class Known(Body):
    """A record that somebody wrote down before, of a collection file or an earlier verification."""

    n: int = Field(ge=1)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class Wanted(Body):
    """``contents`` false leaves out what takes longest: comparing what was sent with its digest."""

    known: Known | None = None
    contents: bool = True


@router.get("/archive")
async def get_archive(
    client_id: Annotated[ClientId, Query()],
    company: CompanyDep,
    tx: TxDep,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> dict[str, Any]:
    """The records of a client under all its codes, in the order in which they were sealed.

    ``body`` is the record to the letter, ``hash`` its SHA-256; ``person`` what it has the digest of, ``null`` once
    the person was erased. ``head`` is the last record of the whole company.
    """
    codes = list(await tx.scalars(CODES, {"company": company, "client_id": client_id}))
    rows = await tx.execute(OF_CLIENT, {"company": company, "client_ids": codes, "after": after, "limit": limit})
    records = [
        json.loads(row.body) | {"hash": row.hash, "body": row.body, "person_body": row.person} | told(row.person)
        for row in rows
    ]
    return {"client_id": client_id, "client_ids": codes, "records": records, "head": await head(tx, company)}


def told(person: str | None) -> dict[str, Any]:
    """What a record tells of a person, without the salt."""
    if person is None:
        return {"person": None}
    return {"person": {name: value for name, value in json.loads(person).items() if name != "salt"}}


async def head(tx: AsyncConnection, company: str) -> dict[str, Any] | None:
    row = (await tx.execute(HEAD, {"company": company})).one_or_none()
    return {"n": row.n, "hash": row.hash} if row is not None and row.n else None


@router.post("/archive/verify", dependencies=[requires("admin"), WholeCompany])
async def post_verify(body: Wanted, company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """Walk the company's archive from its first record, compare what was sent with what was sealed, and name the
    first record that is not as it was: ``broken`` with its number ``n`` and ``why``, or ``null``.

    ``known``: the record of this number must have this hash, or the chain was made anew since.
    """
    await Archivist(process).catch_up()
    known = None if body.known is None else (body.known.n, body.known.hash)
    done = await verify(tx, company, known=known, contents=body.contents)
    return asdict(done)
