"""Simulations: asked for, followed, cancelled, read as JSON and CSV. They decide on copies and say nothing."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from chassis.database import transaction
from chassis.http import AsOfDep, CallerDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from chassis.problems import Problem
from chassis.running import Running
from contracts.dunning import PolicyChanged, ScenarioPublished
from services.dunning.api.rules import PolicyWanted
from services.dunning.api.scenarios import ScenarioWanted
from services.dunning.domain.scenario import thanks_switched_on
from services.dunning.domain.tally import UNIT_COSTS
from services.dunning.rulebook import country_of, published
from services.dunning.simulations import results
from services.dunning.simulations.asking import Rulebooks, Wanted, ask, cancel, set_unit_costs, unit_costs

DAYS = 90
LONGEST_AHEAD_DAYS = 400
ROWS = 200
CSV = "text/csv; charset=utf-8"

router = APIRouter(dependencies=[WholeCompany])

Cost = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4)]
Rules = tuple[PolicyChanged, list[ScenarioPublished]]


class Costs(BaseModel):
    """What one contact costs by medium, in the bookkeeping currency."""

    model_config = ConfigDict(extra="forbid")

    email: Cost = UNIT_COSTS["email"]
    letter: Cost = UNIT_COSTS["letter"]
    phone: Cost = UNIT_COSTS["phone"]
    other: Cost = UNIT_COSTS["other"]


class SimulationWanted(BaseModel):
    """Ahead: ``days`` from today on. Behind: ``from`` and ``to``, both past.

    What is tried is the company's own rules, or those of ``like_company``, changed by ``policy`` (only what is
    given) and ``scenarios`` (whole, by profile; they replace or add); ``follows`` sends the clients of a profile
    to the scenario of another one. ``only_profile`` leaves the clients of other profiles out.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    days: int | None = Field(None, ge=1, le=LONGEST_AHEAD_DAYS)
    first_on: date | None = Field(None, alias="from")
    last_on: date | None = Field(None, alias="to")
    assume: Literal["nobody_pays", "habits"] = "nobody_pays"
    policy: PolicyWanted | None = None
    scenarios: tuple[ScenarioWanted, ...] = ()
    like_company: str | None = None
    follows: dict[str, str] = Field(default_factory=dict)
    only_profile: str | None = None

    def period(self, today: date) -> Wanted:
        """Which days these are. Raises ``Problem``, ``PeriodRefused``."""
        asked = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
        asked["assume"] = self.assume
        if self.first_on is None and self.last_on is None:
            last = today + timedelta(days=(self.days or DAYS) - 1)
            wanted = Wanted("ahead", today, last, asked)
        elif self.first_on is not None and self.last_on is not None and self.days is None:
            wanted = Wanted("behind", self.first_on, self.last_on, asked)
        else:
            raise Problem("period-unclear", "Give days for a period ahead, or from and to for the past", 422)
        wanted.check(today)
        return wanted


@router.post("/simulations", status_code=202, dependencies=[requires("user")])
async def simulate(  # noqa: PLR0913, PLR0917 what a request brings
    body: SimulationWanted, company: CompanyDep, tx: TxDep, today: AsOfDep, who: CallerDep, process: RunningDep
) -> dict[str, Any]:
    """Ask what would be sent. Worked on in the background; nothing is said or changed by it.

    409 when five of the company wait already; 422 names what cannot work.
    """
    wanted = body.period(today)
    now = await published(tx, company)
    base = now if body.like_company is None else await _rules_of(process, who, body.like_company)
    rules = Rulebooks(now, _tried(base, body, today), await country_of(tx, company), body.follows)
    simulation_id = await ask(tx, company, who.subject, wanted, rules)
    return {"simulation_id": simulation_id, "from": wanted.first_on, "to": wanted.last_on}


async def _rules_of(process: Running, who: Any, company: str) -> Rules:
    if not who.may_see(company):
        raise Problem("company-unknown", "There is no such company for this caller", 404, company=company[:32])
    async with transaction(process.api_engine, company) as tx:
        return await published(tx, company)


def _tried(base: Rules, body: SimulationWanted, today: date) -> Rules:
    policy, scenarios = base
    if body.policy is not None:
        changes = body.policy.model_dump(exclude_unset=True)
        policy = PolicyChanged.model_validate({**policy.model_dump(), **changes})
    known = {one.profile: one for one in scenarios}
    for draft in body.scenarios:
        before = known.get(draft.profile)
        version = 1 if before is None else before.version
        scenario = ScenarioPublished.model_validate({"version": version, **draft.model_dump()})
        if thanks_switched_on(scenario):
            since = None if before is None else before.thanks_since
            scenario = scenario.model_copy(update={"thanks_since": since or today})
        known[draft.profile] = scenario
    return policy, [known[profile] for profile in sorted(known)]


@router.get("/simulations")
async def mine(company: CompanyDep, tx: TxDep, who: CallerDep, everybody: bool = False) -> dict[str, Any]:
    """The caller's latest, or for administrators everybody's."""
    all_of_them = everybody and who.is_at_least("admin")
    rows = await results.latest(tx, company, who.subject, all_of_them)
    return {"simulations": [_head(row) for row in rows]}


@router.get("/simulations/{simulation_id}")
async def simulation(simulation_id: UUID, company: CompanyDep, tx: TxDep, who: CallerDep) -> dict[str, Any]:
    """How far it is (``parts_done`` of ``parts``), and once it is completed its ``result``."""
    row = await _own(tx, company, simulation_id, who)
    costs = await unit_costs(tx, company)
    return {
        **_head(row),
        "reason": row["reason"],
        "seconds": round(float(row["seconds"]), 3),
        "assumptions": _assumptions(row),
        "result": None if row["result"] is None else results.told(row["result"], costs),
    }


@router.post("/simulations/{simulation_id}/cancel", dependencies=[requires("user")])
async def stop(simulation_id: UUID, company: CompanyDep, tx: TxDep, who: CallerDep) -> dict[str, Any]:
    """Stop working on it; one that has ended stays as it is."""
    await _own(tx, company, simulation_id, who)
    return {"cancelled": await cancel(tx, company, simulation_id)}


@router.get("/simulations/{simulation_id}/differences")
async def differences(  # noqa: PLR0913, PLR0917 a page of a list
    simulation_id: UUID,
    company: CompanyDep,
    tx: TxDep,
    who: CallerDep,
    kind: Literal["more", "fewer", "earlier", "later", "other"] | None = None,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = ROWS,
) -> dict[str, Any]:
    """Clients who would get something else than by the current rules, by code; ``next`` names the last one shown
    while there are more."""
    await _own(tx, company, simulation_id, who)
    wanted = results.Wanted(kind, after, limit + 1)
    rows = await results.differences(tx, company, simulation_id, wanted)
    more = len(rows) > limit
    return {"clients": rows[:limit], "next": rows[limit - 1]["client_id"] if more else None}


@router.get("/simulations/{simulation_id}/csv")
async def as_csv(
    simulation_id: UUID,
    company: CompanyDep,
    tx: TxDep,
    who: CallerDep,
    holds: Literal["calendar", "differences"] = "calendar",
) -> Response:
    """The calendar, or every contact that only one of the two has, as CSV with a semicolon."""
    row = await _own(tx, company, simulation_id, who)
    if row["result"] is None:
        raise Problem("simulation-not-done", "The simulation has no result", 409)
    if holds == "calendar":
        head = ("date", "step", "medium", "contacts", "entries", "amount")
        calendar = results.told(row["result"], await unit_costs(tx, company))["calendar"]
        body = _csv(head, ([one["on"], *(one[name] for name in head[1:])] for one in calendar))
    else:
        body = _csv(DIFFERENCE_COLUMNS, [line async for line in _difference_lines(tx, company, simulation_id)])
    name = f"simulation-{row['first_on']}-{row['last_on']}-{holds}.csv"
    return Response(body, media_type=CSV, headers={"Content-Disposition": f'attachment; filename="{name}"'})


DIFFERENCE_COLUMNS = ("client", "rules", "date", "step", "medium", "amount", "currency", "entries", "kinds")


async def _difference_lines(tx: Any, company: str, simulation_id: UUID) -> Any:
    after = ""
    while True:
        page = await results.differences(tx, company, simulation_id, results.Wanted(None, after, 1000))
        for client in page:
            for rules, contacts in (("current", client["lost"]), ("tried", client["gained"])):
                for one in contacts:
                    where = (one["on"], one["step"], one["medium"], one["amount"], one["currency"])
                    yield [client["client_id"], rules, *where, one["entries"], " ".join(client["kinds"])]
        if len(page) < 1000:
            return
        after = page[-1]["client_id"]


def _csv(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    output = io.StringIO()
    writer = csv.writer(output, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([[_harmless(value) for value in line] for line in lines])
    return output.getvalue()


def _harmless(value: object) -> object:
    """A client's code that a spreadsheet would take for a formula is text."""
    return (
        f"'{value}"
        if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"} and not _number(value)
        else value
    )


def _number(value: str) -> bool:
    return value.lstrip("-").replace(".", "", 1).isdigit()


@router.get("/contact-costs")
async def costs(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """What one contact costs by medium."""
    return {medium: format(cost, "f") for medium, cost in (await unit_costs(tx, company)).items()}


@router.put("/contact-costs", dependencies=[requires("admin")])
async def set_costs(body: Costs, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Set them all; what is not given takes its default. Counts for results read from now on."""
    await set_unit_costs(tx, company, body.model_dump())
    return await costs(company, tx)


async def _own(tx: Any, company: str, simulation_id: UUID, who: Any) -> RowMapping:
    """Of the caller, or any for administrators; else it is not known."""
    row = await results.one(tx, company, simulation_id)
    if row is None or (row["asked_by"] != who.subject and not who.is_at_least("admin")):
        raise Problem("simulation-unknown", "There is no such simulation, or it is no longer kept", 404)
    return row


def _head(row: RowMapping) -> dict[str, Any]:
    return {
        "simulation_id": row["simulation_id"],
        "kind": row["kind"],
        "from": row["first_on"],
        "to": row["last_on"],
        "status": row["status"],
        "parts": row["parts"],
        "parts_done": row["parts_done"],
        "asked_by": row["asked_by"],
        "asked_at": row["asked_at"],
        "asked": row["asked"],
    }


def _assumptions(row: RowMapping) -> list[str]:
    """What the result rests on."""
    if row["kind"] == "behind":
        return ["done_same_day", "facts_as_they_came"]
    if row["asked"]["assume"] == "habits":
        known = row["facts"].get("company_delay") is not None
        return ["done_same_day", "habits" if known else "nobody_ever_paid"]
    return ["done_same_day", "nobody_pays"]
