"""The legal archive: what it holds of a client, and whether it is as it was sealed."""

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from chassis.http import CompanyDep, RunningDep, TxDep, WholeCompany, requires
from contracts.event import ClientId
from services.notify.api.bodies import Body
from services.notify.archive.archivist import Archivist
from services.notify.archive.chain import Record
from services.notify.archive.reading import head_of, records_of
from services.notify.archive.verifying import verify

router = APIRouter(prefix="/companies/{company}")


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
    codes, records = await records_of(tx, company, client_id, after, limit)
    head = await head_of(tx, company)
    return {
        "client_id": client_id,
        "client_ids": codes,
        "records": [_told(record) for record in records],
        "head": None if head is None else {"n": head[0], "hash": head[1]},
    }


def _told(record: Record) -> dict[str, Any]:
    """A record to the letter, and taken apart; what it tells of a person without the salt."""
    person = None if record.person is None else json.loads(record.person)
    body: dict[str, Any] = json.loads(record.body)
    return body | {
        "hash": record.hash,
        "body": record.body,
        "person_body": record.person,
        "person": person and {name: value for name, value in person.items() if name != "salt"},
    }


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
