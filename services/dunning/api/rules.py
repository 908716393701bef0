"""The policy a company decides by: read, and changed whole, by administrators (rule 15.3)."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, accepted, requires
from chassis.problems import Problem
from contracts.dunning import PolicyChanged
from services.dunning.api.scenarios import CalendarWanted
from services.dunning.asking import LOCK_COMPANY
from services.dunning.domain import policy as policies
from services.dunning.domain.calendar import calendar, holidays_between, knows_holidays_of
from services.dunning.rulebook import company_days, published

router = APIRouter()

Threshold = Annotated[Decimal | None, Field(max_digits=18, decimal_places=4)]


class PolicyWanted(BaseModel):
    """The whole policy; what is not given takes its default. The default profile is chosen among the profiles, at
    ledger, and only repeated here."""

    model_config = ConfigDict(extra="forbid")

    mode: str = "item"
    netting: str = "same_level"
    default_profile: str | None = None
    minimum_per_entry: Threshold = None
    minimum_per_reminder: Threshold = None
    maximum_per_reminder: Threshold = None
    promises_exclude: bool = False
    automatic_payment_modes: tuple[str, ...] = ()
    disputes_exclude: bool = False
    creditors_hidden: bool = False
    upcoming_credits_excluded: bool = False
    contact_gap_days: int = 0
    automatic_from: date | None = None
    stale_after_days: int = 1
    tolerance_days: int = 0
    tolerance_amount: Threshold = None
    calendar: CalendarWanted = CalendarWanted()


@router.get("/policy")
async def policy(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The policy as last set, with its version."""
    return (await published(tx, company))[0].model_dump(mode="json")


@router.put("/policy", dependencies=[requires("admin")])
async def set_policy(
    body: PolicyWanted, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Change the policy; the next round looks at every client again. 422 names what cannot work."""
    await say.tx.execute(LOCK_COMPANY, {"company": company})
    before, _ = await published(say.tx, company)
    if body.default_profile not in (None, before.default_profile):
        detail = "Choose it among the profiles: POST /choose-default-profile at ledger."
        raise Problem("default-profile-chosen-elsewhere", "The default profile is not changed here", 409, detail)
    wanted = body.model_dump() | {"default_profile": before.default_profile}
    changed = PolicyChanged(version=before.version + 1, **wanted)
    policies.load(changed)
    if changed.model_copy(update={"version": before.version}) == before:
        return accepted([], version=before.version)
    positions = await say(company, [Said(changed)], as_of=today, cause=cause)
    return accepted(positions, version=changed.version)


@router.get("/calendar")
async def sending_calendar(
    company: CompanyDep, tx: TxDep, today: AsOfDep, days: Annotated[int, Query(ge=1, le=800)] = 366
) -> dict[str, Any]:
    """The company's sending calendar (rule 4.16), the holidays of its country, and its next open days.

    ``holidays_known`` is false where the public holidays of the country are not known: none are left out then.
    """
    of = await company_days(tx, company, (await published(tx, company))[0])
    until = today + timedelta(days=days)
    found = calendar(of)
    following = (today + timedelta(days=number) for number in range(days))
    return {
        "calendar": of.calendar.model_dump(mode="json"),
        "country": of.country,
        "holidays_known": knows_holidays_of(of.country),
        "holidays": holidays_between(of.country, today, until),
        "open_days": list(islice((day for day in following if found is None or found.next_open(day) == day), 20)),
    }
