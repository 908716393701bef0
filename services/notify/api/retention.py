"""Contents that have had their time: shown before they go (docs/adr/0056). The periods are chosen at ledger."""

from datetime import date
from typing import Any

from fastapi import APIRouter

from chassis.http import AsOfDep, CauseDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from services.notify import retention

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin"), WholeCompany])


@router.get("/retention/due")
async def get_due(company: CompanyDep, as_of: AsOfDep, tx: TxDep, on: date | None = None) -> dict[str, Any]:
    """How many of each kind a sweep would erase ``on`` a day, by default today's; nothing is changed."""
    day = on or as_of
    return {"as_of": day, "due": await retention.due(tx, company, day)}


@router.post("/retention/run")
async def run(company: CompanyDep, as_of: AsOfDep, process: RunningDep, cause: CauseDep) -> dict[str, Any]:
    """Erase them now rather than when the next day comes; ``erased`` counts by kind. Nothing brings them back."""
    return {"as_of": as_of, "erased": await retention.expire(process, company, as_of, cause)}
