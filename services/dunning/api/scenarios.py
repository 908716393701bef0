"""Scenarios: read, tried out, published whole by administrators (rule 15.3), carried from company to company."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, accepted, requires
from contracts.dunning import PortableStep, ScenarioPublished, ScenarioStep, SendingCalendar
from services.dunning import queries
from services.dunning.asking import LOCK_COMPANY
from services.dunning.domain import scenario as scenarios
from services.dunning.domain.calendar import CompanyDays
from services.dunning.domain.scenario import thanks_switched_on
from services.dunning.domain.scenario_changes import changes
from services.dunning.domain.timeline import example_dates, timeline
from services.dunning.rulebook import company_days, country_of, published

router = APIRouter()

FORMAT: Literal["relance.scenarios"] = "relance.scenarios"


class CalendarWanted(SendingCalendar):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepExported(PortableStep):
    """A step as it may be carried to another company: copies are people of one company, and stay there."""

    model_config = ConfigDict(extra="forbid")

    calendar: CalendarWanted | None = None


class StepWanted(StepExported):
    copies: tuple[UUID, ...] = Field(default=(), max_length=20)


class ScenarioExported(BaseModel):
    """The whole scenario of a profile."""

    model_config = ConfigDict(extra="forbid")

    profile: str = Field(min_length=1, max_length=64)
    with_email: tuple[StepExported, ...]
    without_email: tuple[StepExported, ...]
    with_email_enabled: bool = True
    without_email_enabled: bool = True


class ScenarioWanted(ScenarioExported):
    with_email: tuple[StepWanted, ...]
    without_email: tuple[StepWanted, ...]


class ScenariosExported(BaseModel):
    """What ``GET /scenarios/export`` answers and ``POST /scenarios/import`` takes."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["relance.scenarios"] = FORMAT
    version: Literal[1] = 1
    scenarios: tuple[ScenarioExported, ...] = Field(min_length=1, max_length=100)


class ScenarioTried(BaseModel):
    """A scenario that is being written, and the invoice to show it on; an invented one when no dates are given."""

    model_config = ConfigDict(extra="forbid")

    scenario: ScenarioWanted
    calendar: CalendarWanted | None = None
    invoice_date: date | None = None
    due_date: date | None = None


@router.get("/scenarios")
async def all_scenarios(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Every profile's scenario. A profile that is not here has none, and its clients are never proposed."""
    return {"scenarios": [one.model_dump(mode="json") for one in (await published(tx, company))[1]]}


@router.put("/scenarios", dependencies=[requires("admin")])
async def publish(
    body: ScenarioWanted, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Publish the scenario of a profile, whole: a new version. Entries keep their levels and their days.

    422 names everything that cannot work, with the remedy, in French and English; nothing changes then.
    """
    await say.tx.execute(LOCK_COMPANY, {"company": company})
    policy, known = await published(say.tx, company)
    new = _next_version(body, known, today)
    scenarios.load(new, await company_days(say.tx, company, policy))
    if new in known:
        return accepted([], version=new.version)
    positions = await say(company, [Said(new)], as_of=today, cause=cause)
    return accepted(positions, version=new.version)


@router.post("/scenarios/check")
async def check(body: ScenarioTried, company: CompanyDep, tx: TxDep, today: AsOfDep) -> dict[str, Any]:
    """Nothing is changed: ``problems`` that it has, ``changes`` since the version in force, and its days on an
    invoice that nobody pays.
    """
    policy, known = await published(tx, company)
    days = CompanyDays(body.calendar or policy.calendar, await country_of(tx, company))
    before = _of(body.scenario.profile, known)
    new = _next_version(body.scenario, known, today)
    problems = scenarios.check(new)
    invented_on, invented_due = example_dates(today)
    invoice_date, due_date = body.invoice_date or invented_on, body.due_date or invented_due
    return {
        "possible": not problems,
        "problems": [problem.as_problem() for problem in problems],
        "version": new.version,
        "changes": [change._asdict() for change in changes(before, new)],
        "invoice_date": invoice_date,
        "due_date": due_date,
        "timeline": _timelines(new, days, invoice_date, due_date),
    }


def _timelines(
    new: ScenarioPublished, days: CompanyDays, invoice_date: date, due_date: date
) -> dict[str, list[dict[str, Any]] | None]:
    """Each column by itself, so that a mistake in one leaves the other readable; ``None`` where it cannot work."""
    found: dict[str, list[dict[str, Any]] | None] = {}
    for variant in ("with_email", "without_email"):
        alone = new.model_copy(
            update={
                "with_email": getattr(new, variant),
                "without_email": (),
                "with_email_enabled": True,
                "without_email_enabled": False,
            }
        )
        if scenarios.check(alone):
            found[variant] = [] if not getattr(new, variant) else None
            continue
        plan = scenarios.load(alone, days).with_email
        found[variant] = (
            [] if plan is None else [stop._asdict() for stop in timeline(plan, invoice_date, due_date)]
        )
    return found


@router.get("/scenarios/versions")
async def versions(
    company: CompanyDep, tx: TxDep, profile: Annotated[str, Query(min_length=1, max_length=64)]
) -> dict[str, Any]:
    """Every version of a profile's scenario, the latest first, with who published it and what it changed."""
    rows = await queries.scenario_versions(tx, company, profile)
    answer: list[dict[str, Any]] = []
    before: ScenarioPublished | None = None
    for row in rows:
        one = ScenarioPublished.model_validate(row["body"])
        answer.append(
            {
                "version": one.version,
                "set_on": row["set_on"],
                "said_at": row["said_at"],
                "actor": row["actor"],
                "changes": [change._asdict() for change in changes(before, one)] if before else [],
                "scenario": one.model_dump(mode="json"),
            }
        )
        before = one
    return {"profile": profile, "versions": answer[::-1]}


@router.get("/scenarios/export")
async def export(
    company: CompanyDep,
    tx: TxDep,
    profile: Annotated[list[str] | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """The scenarios of these profiles, or all, as a file for another company; without copies."""
    _, known = await published(tx, company)
    chosen = [one for one in known if profile is None or one.profile in profile]
    exported = [ScenarioExported.model_validate(_carried(one)) for one in chosen]
    return {"format": FORMAT, "version": 1, "scenarios": [one.model_dump(mode="json") for one in exported]}


@router.post("/scenarios/import", dependencies=[requires("admin")])
async def import_all(  # noqa: PLR0913, PLR0917 - what a command may say
    body: ScenariosExported,
    company: CompanyDep,
    today: AsOfDep,
    say: SayDep,
    cause: CauseDep,
    dry_run: Annotated[bool, Query()] = False,
) -> dict[str, Any]:
    """Publish what an export holds: all of it or, when one scenario cannot work, nothing (422).

    ``imported`` tells per profile the version and its changes; a scenario that is the same changes nothing.
    ``templates`` are those referred to, for whoever keeps templates to check. Steps keep the copies that the
    company's own version of them has.
    """
    await say.tx.execute(LOCK_COMPANY, {"company": company})
    policy, known = await published(say.tx, company)
    days = await company_days(say.tx, company, policy)
    new = [_next_version(_with_own_copies(one, known), known, today) for one in body.scenarios]
    if doubles := {one.profile for one in new if [other.profile for other in new].count(one.profile) > 1}:
        raise ProfileTwice(sorted(doubles))
    for one in new:
        scenarios.load(one, days)
    said = [] if dry_run else [Said(one) for one in new if one not in known]
    positions = await say(company, said, as_of=today, cause=cause)
    return accepted(
        positions,
        dry_run=dry_run,
        imported=[
            {
                "profile": one.profile,
                "version": one.version,
                "changes": [change._asdict() for change in changes(_of(one.profile, known), one)],
            }
            for one in new
        ],
        templates=_templates(new),
    )


class ProfileTwice(Exception):
    """A file names a profile twice: nobody knows which of the two is meant."""

    def __init__(self, profiles: list[str]) -> None:
        super().__init__(f"Named twice in this file: {', '.join(profiles)}. Leave each profile once.")
        self.profiles = profiles


def _next_version(wanted: ScenarioExported, known: list[ScenarioPublished], today: date) -> ScenarioPublished:
    """What would be published; the very version in force when nothing changes."""
    before = _of(wanted.profile, known)
    new = ScenarioPublished(
        profile=wanted.profile,
        version=before.version + 1 if before else 1,
        with_email=_steps(wanted.with_email),
        without_email=_steps(wanted.without_email),
        with_email_enabled=wanted.with_email_enabled,
        without_email_enabled=wanted.without_email_enabled,
    )
    if thanks_switched_on(new):
        since = before.thanks_since if before is not None and thanks_switched_on(before) else None
        new = new.model_copy(update={"thanks_since": since or today})
    if before is not None and new.model_copy(update={"version": before.version}) == before:
        return before
    return new


def _steps(wanted: tuple[StepExported, ...]) -> tuple[ScenarioStep, ...]:
    return tuple(ScenarioStep(**step.model_dump()) for step in wanted)


def _of(profile: str, known: list[ScenarioPublished]) -> ScenarioPublished | None:
    return next((one for one in known if one.profile == profile), None)


def _carried(one: ScenarioPublished) -> dict[str, Any]:
    body = one.model_dump(mode="json", exclude={"version", "thanks_since"})
    for variant in ("with_email", "without_email"):
        body[variant] = [{key: value for key, value in step.items() if key != "copies"} for step in body[variant]]
    return body


def _with_own_copies(wanted: ScenarioExported, known: list[ScenarioPublished]) -> ScenarioWanted:
    before = _of(wanted.profile, known)
    body = wanted.model_dump()
    for variant in ("with_email", "without_email"):
        own = {step.step: step.copies for step in getattr(before, variant)} if before is not None else {}
        for step in body[variant]:
            step["copies"] = own.get(step["step"], ()) if step["medium"] == "email" else ()
    return ScenarioWanted.model_validate(body)


def _templates(new: list[ScenarioPublished]) -> list[dict[str, str]]:
    named = {
        (step.medium, step.template)
        for one in new
        for step in (*one.with_email, *one.without_email)
        if step.template
    }
    return [{"medium": medium, "template": template} for medium, template in sorted(named)]
