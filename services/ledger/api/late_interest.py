"""What a company claims of businesses that pay late (rules 18.2, 18.3): its terms, and the published rates."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints, field_validator, model_validator
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, accepted, requires
from contracts.late_interest import FIXED_INDEMNITY_EUR, Rates, delivered_rates, half_year
from contracts.ledger import HalfYearRates, LateInterestChosen, LateInterestTerms
from services.ledger.api.stating import Body

router = APIRouter(prefix="/companies/{company}")

LOCK = text("select pg_advisory_xact_lock(hashtextextended('late interest ' || :company, 0))")
TERMS = text("select terms from late_interest_terms where company = :company")
CATEGORIES = text(
    """
    select category, count(*) as clients from client where company = :company and not removed
    group by category order by category nulls last
    """
)

Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
Category = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class RatesWanted(Body):
    """Percent a year, from a 1 January or a 1 July on."""

    starts_on: date
    refinancing: Percent
    legal: Percent

    @field_validator("starts_on")
    @classmethod
    def _begins_a_half_year(cls, day: date) -> date:
        if day != half_year(day):
            raise ValueError(f"a half-year begins on 1 January or 1 July, not on {day}")
        return day


class TermsWanted(Body):
    """As ``LateInterestTerms``. ``rates`` are the company's own, which go before those that are delivered."""

    basis: Literal["refinancing", "legal", "contract"] = "refinancing"
    contract_rate: Percent | None = None
    debtors: Literal["unsaid", "only", "all_but"] = "unsaid"
    categories: list[Category] = Field(default_factory=list, max_length=500)
    rates: list[RatesWanted] = Field(default_factory=list, max_length=200)

    @model_validator(mode="after")
    def _is_whole(self) -> "TermsWanted":
        if self.basis == "contract" and self.contract_rate is None:
            raise ValueError("contract_rate is missing: percent a year, as agreed")
        if self.debtors == "only" and not self.categories:
            raise ValueError("categories are missing: those whose clients are businesses")
        days = [one.starts_on for one in self.rates]
        if twice := sorted({day for day in days if days.count(day) > 1}):
            raise ValueError(f"the half-year from {twice[0]} stands twice")
        return self

    def terms(self) -> LateInterestTerms:
        rates = sorted(self.rates, key=lambda one: one.starts_on)
        told = self.model_dump(exclude={"rates", "categories"})
        return LateInterestTerms(
            **told,
            categories=tuple(sorted(set(self.categories))),
            rates=tuple(HalfYearRates(**one.model_dump()) for one in rates),
        )


async def terms_of(tx: AsyncConnection, company: str) -> LateInterestTerms:
    """What the company said last; that nothing is claimed where it never said anything."""
    return LateInterestTerms.model_validate(await tx.scalar(TERMS, {"company": company}) or {})


@router.get("/late-interest")
async def get_late_interest(company: CompanyDep, as_of: AsOfDep, tx: TxDep) -> dict[str, Any]:
    """The terms; the rates of every half-year, newest first, and what they make claim; the clients' categories."""
    terms = await terms_of(tx, company)
    rates = Rates(terms)
    own = {one.starts_on for one in terms.rates}
    delivered = {one.starts_on for one in delivered_rates()}
    today = half_year(as_of)
    missing = [] if any(one.starts_on >= today for one in rates.known) else [{"starts_on": today}]
    categories = await tx.execute(CATEGORIES, {"company": company})
    return {
        "terms": terms.model_dump(mode="json"),
        "indemnity": str(FIXED_INDEMNITY_EUR),
        "half_years": [
            *({**one, "percent": str(rates.on(today).percent), "provisional": True} for one in missing),
            *(
                {
                    **one.model_dump(mode="json"),
                    "percent": str(rates.of(one)),
                    "own": one.starts_on in own,
                    "delivered": one.starts_on in delivered,
                }
                for one in reversed(rates.known)
            ),
        ],
        "categories": [{"category": row.category, "clients": row.clients} for row in categories],
    }


@router.put("/late-interest", dependencies=[requires("admin")])
async def put_late_interest(
    body: TermsWanted, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Say the whole of the terms; the same again changes nothing. Messages that left keep what they said."""
    await say.tx.execute(LOCK, {"company": company})
    wanted = body.terms()
    if wanted == await terms_of(say.tx, company):
        return accepted([])
    said = LateInterestChosen(**wanted.model_dump())
    return accepted(await say(company, [Said(said)], as_of=as_of, cause=cause))
