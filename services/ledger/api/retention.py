"""How long a company keeps contents, and clients of whom nothing ends by itself (docs/adr/0056)."""

from datetime import date
from typing import Any

from fastapi import APIRouter
from sqlalchemy import text

from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, WholeCompany, accepted, requires
from chassis.problems import Problem
from contracts.ledger import LegalHoldLifted, LegalHoldPlaced, Months, RetentionChosen, RetentionPeriods
from services.ledger import retention
from services.ledger.api.stating import Body, OfClient, StatingDep
from services.ledger.domain.refusals import UnknownClient

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin"), WholeCompany])

LOCK = text("select pg_advisory_xact_lock(hashtextextended('retention ' || :company, 0))")
HOLDS = text("select client_id, placed_on, placed_by from legal_hold where company = :company order by client_id")
HELD = text("select client_id from legal_hold where company = :company and client_id = :client_id")
KNOWN = text("select client_id from client where company = :company and client_id = :client_id for update")


class PeriodsWanted(Body):
    """As ``RetentionPeriods``: months, null keeps until somebody erases."""

    messages: Months | None
    answers: Months | None
    reports: Months | None
    files: Months | None
    archive: Months | None


@router.get("/retention")
async def get_retention(company: CompanyDep, as_of: AsOfDep, tx: TxDep, on: date | None = None) -> dict[str, Any]:
    """``periods`` in months, those that come with the program (``delivered``), the ``holds``, and how many
    ``files`` are ``due``: the next day that begins erases them; ``on`` another day, those of that one."""
    periods = await retention.periods_of(tx, company)
    return {
        "periods": RetentionPeriods.model_validate(periods.model_dump()).model_dump(),
        "delivered": RetentionPeriods().model_dump(),
        "holds": [dict(row._mapping) for row in await tx.execute(HOLDS, {"company": company})],
        "due": {"files": await retention.due(tx, company, on or as_of)},
    }


@router.put("/retention")
async def put_retention(
    body: PeriodsWanted, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Say all periods; the same again changes nothing. 422 ``archive-shorter`` when the archive, which proves what
    was sent, would forget before the contents do."""
    if body.archive is not None and (body.messages is None or body.archive < body.messages):
        raise Problem("archive-shorter", "The archive may not forget before the messages do", 422)
    await say.tx.execute(LOCK, {"company": company})
    wanted = RetentionPeriods(**body.model_dump())
    before = await retention.periods_of(say.tx, company)
    if wanted.model_dump() == RetentionPeriods.model_validate(before.model_dump()).model_dump():
        return accepted([])
    said = RetentionChosen(**wanted.model_dump())
    return accepted(await say(company, [Said(said)], as_of=as_of, cause=cause))


@router.post("/hold-contents")
async def hold_contents(body: OfClient, stating: StatingDep) -> dict[str, Any]:
    """Nothing of this client ends by itself until it is released. Again it changes nothing."""
    return await _held(body.client_id, stating, wanted=True)


@router.post("/release-contents")
async def release_contents(body: OfClient, stating: StatingDep) -> dict[str, Any]:
    """The periods count for this client again. Again it changes nothing."""
    return await _held(body.client_id, stating, wanted=False)


async def _held(client_id: str, stating: StatingDep, *, wanted: bool) -> dict[str, Any]:
    of_client = {"company": stating.company, "client_id": client_id}
    if (await stating.tx.execute(KNOWN, of_client)).one_or_none() is None:
        raise UnknownClient(client_id)
    if ((await stating.tx.execute(HELD, of_client)).one_or_none() is not None) == wanted:
        return accepted([])
    event = (LegalHoldPlaced if wanted else LegalHoldLifted)(client_id=client_id)
    said = [Said(event, client_id)]
    return accepted(await stating.say(stating.company, said, as_of=stating.as_of, cause=stating.cause))
