"""What came back, and how the places it is read from fare."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import text

from chassis.http import CompanyDep, TxDep

router = APIRouter(prefix="/companies/{company}")

UNBOUND_DAYS = 30

PLACES = text("select place, read_at, trouble, trouble_since from mailbox where company = :company order by place")
COUNTS = text(
    """
    select kind, count(distinct digest) filter (where action_id is not null) as bound,
        count(distinct digest) filter (where action_id is null) as unbound
    from report
    where company = :company and read_at > now() - make_interval(days => :days)
    group by kind order by kind
    """
)


@router.get("/mailboxes")
async def mailboxes(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """``places`` with the instant of the last look, and since when which ``trouble`` keeps them from being read.

    ``last_days`` counts the mails of the last 30 days by kind; those ``unbound`` speak of no message of ours.
    """
    of_company = {"company": company}
    places = [dict(row) for row in (await tx.execute(PLACES, of_company)).mappings()]
    counts = (await tx.execute(COUNTS, of_company | {"days": UNBOUND_DAYS})).all()
    return {
        "places": places,
        "last_days": {row.kind: {"bound": row.bound, "unbound": row.unbound} for row in counts},
    }
