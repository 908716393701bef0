"""The policy and the scenarios a company decides by: read, and changed whole, by administrators (rule 15.3)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, accepted, requires
from contracts.dunning import PolicyChanged, ScenarioPublished, ScenarioStep
from services.dunning.asking import LOCK_COMPANY
from services.dunning.domain import policy as policies
from services.dunning.domain import scenario as scenarios
from services.dunning.rulebook import published

router = APIRouter()

Threshold = Annotated[Decimal | None, Field(max_digits=18, decimal_places=4)]


class PolicyWanted(BaseModel):
    """The whole policy; what is not given takes its default."""

    model_config = ConfigDict(extra="forbid")

    mode: str = "item"
    netting: str = "same_level"
    default_profile: str = "Standard"
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


class StepWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    step: str
    medium: str
    delay_days: int
    counted_from: str = "due_date"
    mode: str = "manual"
    template: str | None = None
    ignorable: bool = False
    enabled: bool = True
    end_of_month: bool = False


class ScenarioWanted(BaseModel):
    """The whole scenario of a profile."""

    model_config = ConfigDict(extra="forbid")

    profile: str = Field(min_length=1, max_length=64)
    with_email: tuple[StepWanted, ...]
    without_email: tuple[StepWanted, ...]
    with_email_enabled: bool = True
    without_email_enabled: bool = True


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
    changed = PolicyChanged(version=before.version + 1, **body.model_dump())
    policies.load(changed)
    if changed.model_copy(update={"version": before.version}) == before:
        return accepted([], version=before.version)
    positions = await say(company, [Said(changed)], as_of=today, cause=cause)
    return accepted(positions, version=changed.version)


@router.get("/scenarios")
async def all_scenarios(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Every profile's scenario. A profile that is not here has none, and its clients are never proposed."""
    return {"scenarios": [one.model_dump(mode="json") for one in (await published(tx, company))[1]]}


@router.put("/scenarios", dependencies=[requires("admin")])
async def publish(
    body: ScenarioWanted, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Publish the scenario of a profile, whole. 422 names what cannot work; nothing changes then."""
    await say.tx.execute(LOCK_COMPANY, {"company": company})
    known = {one.profile: one for one in (await published(say.tx, company))[1]}
    before = known.get(body.profile)
    version = before.version + 1 if before else 1
    scenario = ScenarioPublished(
        profile=body.profile,
        version=version,
        with_email=_steps(body.with_email),
        without_email=_steps(body.without_email),
        with_email_enabled=body.with_email_enabled,
        without_email_enabled=body.without_email_enabled,
    )
    scenarios.load(scenario)
    if before is not None and scenario.model_copy(update={"version": before.version}) == before:
        return accepted([], version=before.version)
    positions = await say(company, [Said(scenario)], as_of=today, cause=cause)
    return accepted(positions, version=version)


def _steps(wanted: tuple[StepWanted, ...]) -> tuple[ScenarioStep, ...]:
    return tuple(ScenarioStep(**step.model_dump()) for step in wanted)
