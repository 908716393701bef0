"""What should come in, month by month: up to three curves that an administrator types (rule 16.9)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints, field_validator, model_validator
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, WholeCompany, accepted, requires
from contracts.ledger import CashObjectivesChosen
from contracts.objectives import CashObjective, CashObjectives, MonthlyAmount
from services.ledger.api.stating import Body

router = APIRouter(prefix="/companies/{company}", dependencies=[WholeCompany])

LOCK = text("select pg_advisory_xact_lock(hashtextextended('cash objectives ' || :company, 0))")
OBJECTIVES = text("select objectives from cash_objective where company = :company")

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Money = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2)]


class MonthWanted(Body):
    month: date
    amount: Money

    @field_validator("month")
    @classmethod
    def _is_a_first_day(cls, day: date) -> date:
        if day.day != 1:
            raise ValueError(f"a month is named by its first day, not by {day}")
        return day


class CurveWanted(Body):
    title: Title
    months: list[MonthWanted] = Field(default_factory=list, max_length=240)

    @model_validator(mode="after")
    def _says_each_month_once(self) -> "CurveWanted":
        days = [one.month for one in self.months]
        if twice := sorted({day for day in days if days.count(day) > 1}):
            raise ValueError(f"the month from {twice[0]} stands twice")
        return self


class ObjectivesWanted(Body):
    curves: list[CurveWanted] = Field(default_factory=list, max_length=3)

    @model_validator(mode="after")
    def _titles_differ(self) -> "ObjectivesWanted":
        titles = [one.title for one in self.curves]
        if len(set(titles)) < len(titles):
            raise ValueError("two curves have one title")
        return self

    def told(self) -> CashObjectives:
        """Months in their order, those without an amount left out."""
        return CashObjectives(
            curves=tuple(
                CashObjective(
                    title=curve.title,
                    months=tuple(
                        MonthlyAmount(month=one.month, amount=one.amount)
                        for one in sorted(curve.months, key=lambda one: one.month)
                        if one.amount
                    ),
                )
                for curve in self.curves
            )
        )


async def objectives_of(tx: AsyncConnection, company: str) -> CashObjectives:
    """What the company said last; no curve where it never said anything."""
    return CashObjectives.model_validate(await tx.scalar(OBJECTIVES, {"company": company}) or {})


@router.get("/cash-objectives")
async def get_cash_objectives(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The curves as they are now."""
    return (await objectives_of(tx, company)).model_dump(mode="json")


@router.put("/cash-objectives", dependencies=[requires("admin")])
async def put_cash_objectives(
    body: ObjectivesWanted, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Say the whole of the objectives; the same again changes nothing."""
    await say.tx.execute(LOCK, {"company": company})
    wanted = body.told()
    if wanted == await objectives_of(say.tx, company):
        return accepted([])
    said = CashObjectivesChosen(**wanted.model_dump())
    return accepted(await say(company, [Said(said)], as_of=as_of, cause=cause))
