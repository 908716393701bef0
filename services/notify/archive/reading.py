"""What the archive holds of a client, and where the company's chain ends."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.archive.chain import Record

CODES = text(
    """
    with recursive code(client_id) as (
        select cast(:client_id as text)
        union
        select case when known.client_id = code.client_id then known.into_client_id else known.client_id end
        from client_merge known
        join code on known.client_id = code.client_id or known.into_client_id = code.client_id
        where known.company = :company
    )
    select client_id from code order by client_id
    """
)
"""All codes that are one client with this one (rule 5.9), itself included."""

OF_CLIENT = text("""
    select a.company, a.n, a.kind, a.client_id, a.action_id, a.body, a.hash, person.body as person
    from archive a left join archive_person person using (company, n)
    where a.company = :company and a.client_id = any(:client_ids) and a.n > :after
    order by a.n limit :limit
""")
HEAD = text("select n, hash from archive_head where company = :company and n > 0")
EVERY = 10_000_000


async def records_of(
    tx: AsyncConnection, company: str, client_id: str, after: int = 0, limit: int = EVERY
) -> tuple[list[str], list[Record]]:
    """The codes that are this client, and its records in the order in which they were sealed."""
    codes = list(await tx.scalars(CODES, {"company": company, "client_id": client_id}))
    asked = {"company": company, "client_ids": codes, "after": after, "limit": limit}
    return codes, [Record(**row._mapping) for row in await tx.execute(OF_CLIENT, asked)]


async def head_of(tx: AsyncConnection, company: str) -> tuple[int, str] | None:
    """Number and hash of the company's last record."""
    row = (await tx.execute(HEAD, {"company": company})).one_or_none()
    return None if row is None else (row.n, row.hash)
