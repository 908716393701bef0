"""Files of debtors that have had their time (docs/adr/0056): counted, and erased when a day begins."""

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Cause, Said, Say
from contracts.ledger import FilesExpired, RetentionPeriods
from contracts.retention import kept_since

PERIODS = text("select periods from retention where company = :company")
AGED = """
    from dispute_file aged where aged.company = :company and aged.kept_at < :before
        and aged.client_id not in (
            with recursive code(client_id) as (
                (select client_id from legal_hold where company = :company
                union select client_id from dispute where company = :company and closed_on is null)
                union
                select case when known.client_id = code.client_id then known.into_client_id
                    else known.client_id end
                from client_merge known
                join code on known.client_id = code.client_id or known.into_client_id = code.client_id
                where known.company = :company
            )
            select client_id from code)
"""
"""Never of a client that is held, or that contests anything, under any of its codes."""
COUNT = text(f"select count(*) {AGED}")
ERASE = text(
    f"delete from dispute_file where company = :company and file_id in (select aged.file_id {AGED})"  # noqa: S608
)


async def periods_of(tx: AsyncConnection, company: str) -> RetentionPeriods:
    """What the company said last; what comes with the program where it never said anything."""
    return RetentionPeriods.model_validate(await tx.scalar(PERIODS, {"company": company}) or {})


async def due(tx: AsyncConnection, company: str, as_of: date) -> int:
    """How many files have had their time on ``as_of``."""
    asked = await _asked(tx, company, as_of)
    return 0 if asked is None else int(await tx.scalar(COUNT, asked))


async def expire(say: Say, company: str, as_of: date, cause: Cause) -> int:
    """Erase them; answers how many, which is said as well. Again on the same day it finds nothing."""
    asked = await _asked(say.tx, company, as_of)
    if asked is None:
        return 0
    erased = (await say.tx.execute(ERASE, asked)).rowcount
    if erased:
        await say(company, [Said(FilesExpired(files=erased))], as_of=as_of, cause=cause)
    return erased


async def _asked(tx: AsyncConnection, company: str, as_of: date) -> dict[str, Any] | None:
    before = kept_since(as_of, (await periods_of(tx, company)).files)
    return None if before is None else {"company": company, "before": before}
