"""The codes that are one client: merges that stand, followed from code to code (rule 5.9)."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

LOCK_MERGES = text("select pg_advisory_xact_lock(hashtextextended('merges ' || :company, 0))")

EARLIER = """
    with recursive code(client_id) as (
        select cast(:client_id as text)
        union
        select old.client_id from client_merge old join code on old.into_client_id = code.client_id
        where old.company = :company
    )
    select client_id from code
"""
"""A client's own code and all that became it, also by way of others."""

OF_ONE_CLIENT = text(
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


async def lock_merges(tx: AsyncConnection, company: str) -> None:
    """Until the end of the transaction nobody else merges clients of a company or erases a person behind several.

    Taken before any client is locked: else an erasure could miss a code that becomes the client beside it.
    """
    await tx.execute(LOCK_MERGES, {"company": company})


async def codes_of_client(tx: AsyncConnection, company: str, client_id: str) -> list[str]:
    """All codes that are one client with this one, itself included: those it became and those that became it."""
    return list(await tx.scalars(OF_ONE_CLIENT, {"company": company, "client_id": client_id}))
