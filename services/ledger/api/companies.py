"""The companies whose receivables are followed."""

from dataclasses import asdict, replace
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import text

from chassis.auth import EVERY_COMPANY
from chassis.database import transaction
from chassis.eventlog import Said
from chassis.http import AsOfDep, CallerDep, CauseDep, CompanyDep, RunningDep, SayDep, TxDep, accepted, requires
from chassis.scopes import for_keys
from contracts.event import Currency
from services.ledger import queries
from services.ledger.domain import CompanySettings, decide_company
from services.ledger.domain.refusals import UnknownCompany

router = APIRouter()

LOCK = text("select pg_advisory_xact_lock(hashtextextended(:company, 0))")
SEEN = text(
    """
    select company, name, time_zone, currency, country, fiscal_year_start, dispute_reasons
    from company
    where :every or company = any(:companies)
    order by company
    """
)


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name} is not an IANA time zone")
    return name


class Wanted(BaseModel):
    """``time_zone`` is an IANA name, ``fiscal_year_start`` is ``MM-DD``.

    Without ``dispute_reasons`` those that stand stay; a new company begins with the delivered ones (rule 11.3).
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "Europe/Paris"
    currency: Currency = "EUR"
    country: str = Field("FR", pattern=r"^[A-Z]{2}$")
    fiscal_year_start: str = Field("01-01", pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")
    dispute_reasons: list[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(
        None, min_length=1, max_length=50
    )


@router.put("/companies/{company}", dependencies=[requires("admin")])
async def put_company(
    body: Wanted, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Register a company or change its settings; the same settings again change nothing."""
    await say.tx.execute(LOCK, {"company": company})
    known = await queries.company_settings(say.tx, company)
    wanted = CompanySettings(**body.model_dump(exclude={"dispute_reasons"}))
    reasons = tuple(dict.fromkeys(body.dispute_reasons or (known or wanted).dispute_reasons))
    events = decide_company(known, replace(wanted, dispute_reasons=reasons))
    positions = await say(company, [Said(event) for event in events], as_of=as_of, cause=cause)
    return accepted(positions)


@router.get("/companies/{company}")
@for_keys("read:clients")
async def get_company(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The company's settings; ``profiles`` are the names that people read, by the word that events know."""
    settings = await queries.company_settings(tx, company)
    if settings is None:
        raise UnknownCompany(company)
    known = await queries.profiles(tx, company)
    return {
        "company": company,
        **asdict(settings),
        "profiles": {one.profile: one.name for one in known.profiles},
        "default_profile": known.default,
    }


@router.get("/companies")
async def get_companies(process: RunningDep, who: CallerDep) -> dict[str, Any]:
    """Those that the caller may see: ``{"companies": [...]}``."""
    every = EVERY_COMPANY in who.companies
    async with transaction(process.engine) as tx:
        rows = await tx.execute(SEEN, {"every": every, "companies": list(who.companies)})
        return {"companies": [dict(row._mapping) for row in rows]}
