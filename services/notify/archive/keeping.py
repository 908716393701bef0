"""Records go into the chain of their company, one writer at a time, and never out of it."""

import os
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from services.notify.archive.chain import BEGINNING, SALT_BYTES, Fact, Record, seal_all

BEGIN = text("insert into archive_head (company, n, hash) values (:company, 0, :hash) on conflict do nothing")
HEAD = text("select n, hash from archive_head where company = :company for update")
MOVE = text("update archive_head set n = :n, hash = :hash where company = :company")

KEEP = """
    insert into archive (company, n, kind, client_id, action_id, body, hash)
    select %(company)s, n, kind, client_id, action_id, body, hash
    from unnest(%(ns)b::bigint[], %(kinds)b::text[], %(clients)b::text[], %(actions)b::uuid[], %(bodies)b::text[],
        %(hashes)b::text[]) as r(n, kind, client_id, action_id, body, hash)
"""
KEEP_PEOPLE = """
    insert into archive_person (company, n, client_id, body)
    select %(company)s, n, client_id, body
    from unnest(%(ns)b::bigint[], %(clients)b::text[], %(bodies)b::text[]) as r(n, client_id, body)
"""
EXPIRE = text("delete from archive_person where company = :company and n = any(:ns)")
FORGET = text("""
    delete from archive_person using archive
    where archive.company = :company and archive.client_id = any(:client_ids)
        and archive_person.company = archive.company and archive_person.n = archive.n
""")


async def hold(tx: AsyncConnection, company: str) -> tuple[int, str]:
    """The last record's number and hash; until the transaction ends nobody else adds one.

    To be called before what is to be sealed is read, and after every other lock: an erasure holds it as well, so
    that nothing of a person is sealed that was read before and kept after.
    """
    await tx.execute(BEGIN, {"company": company, "hash": BEGINNING})
    row = (await tx.execute(HEAD, {"company": company})).one()
    return row.n, row.hash


async def append(
    tx: AsyncConnection, company: str, facts: Sequence[Fact], head: tuple[int, str] | None = None
) -> list[Record]:
    """Seal these in their order, behind ``head`` as ``hold`` answered it, or behind the last one."""
    if not facts:
        return []
    after = head or await hold(tx, company)
    noise = os.urandom(SALT_BYTES * len(facts))
    salts = [noise[SALT_BYTES * n : SALT_BYTES * (n + 1)] for n in range(len(facts))]
    records = seal_all(company, after, facts, salts)
    connection = await driver(tx)
    await connection.execute(
        KEEP,
        {
            "company": company,
            "ns": [record.n for record in records],
            "kinds": [record.kind for record in records],
            "clients": [record.client_id for record in records],
            "actions": [record.action_id for record in records],
            "bodies": [record.body for record in records],
            "hashes": [record.hash for record in records],
        },
    )
    people: list[Any] = [record for record in records if record.person is not None]
    if people:
        columns = {
            "company": company,
            "ns": [record.n for record in people],
            "clients": [record.client_id for record in people],
            "bodies": [record.person for record in people],
        }
        await connection.execute(KEEP_PEOPLE, columns)
    await tx.execute(MOVE, {"company": company, "n": records[-1].n, "hash": records[-1].hash})
    return records


async def expire_people(tx: AsyncConnection, company: str, numbers: Sequence[int]) -> None:
    """Forget what these records tell of persons; that it had its time is sealed by the caller."""
    if numbers:
        await hold(tx, company)
        await tx.execute(EXPIRE, {"company": company, "ns": list(numbers)})


async def forget(tx: AsyncConnection, company: str, erasures: Sequence[Fact]) -> None:
    """Forget what the archive tells of persons, and seal that it was forgotten (docs/adr/0045)."""
    head = await hold(tx, company)
    clients = [fact.client_id for fact in erasures]
    await tx.execute(FORGET, {"company": company, "client_ids": clients})
    await append(tx, company, erasures, head)
