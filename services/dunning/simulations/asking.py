"""Asking for a simulation: what is tried, against what, over which days. Checked whole before anything is kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.job_queue import NewJob, enqueue
from contracts.dunning import PolicyChanged, ScenarioPublished
from services.dunning.domain import policy as policies
from services.dunning.domain import scenario as scenarios
from services.dunning.domain.calendar import CompanyDays
from services.dunning.domain.tally import UNIT_COSTS

QUEUE = "simulations"
MOST_WAITING = 5
LONGEST_DAYS = 800

LOCK = text("select from policy where company = :company for update")
WAITING = text("select count(*) from simulation where company = :company and status in ('waiting', 'running')")
KEEP = text(
    "insert into simulation (company, simulation_id, asked_by, kind, first_on, last_on, asked, rules)"
    " values (:company, :simulation_id, :asked_by, :kind, :first_on, :last_on, cast(:asked as jsonb),"
    " cast(:rules as jsonb))"
)
CANCEL = text(
    "update simulation set status = 'cancelled', ended_at = clock_timestamp()"
    " where company = :company and simulation_id = :simulation_id and status in ('waiting', 'running')"
)
COSTS = text("select email, letter, phone, other from contact_cost where company = :company")
SET_COSTS = text(
    "insert into contact_cost (company, email, letter, phone, other)"
    " values (:company, :email, :letter, :phone, :other)"
    " on conflict (company) do update set email = excluded.email, letter = excluded.letter,"
    " phone = excluded.phone, other = excluded.other"
)


class PeriodRefused(Exception):
    """A period that no simulation can have; the text says which one it can."""


class SimulationsWaiting(Exception):
    """So many simulations of the company wait already that another one would come much later."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} simulations of this company are not done yet; wait for one, or cancel it.")
        self.waiting = waiting


class ProfileWithoutScenario(Exception):
    """Clients were to follow a scenario that is not there."""

    def __init__(self, profile: str) -> None:
        super().__init__(f"{profile} has no scenario to follow.")
        self.profile = profile


@dataclass(frozen=True)
class Rulebooks:
    """What the company decides by now, and what is tried. ``follows`` sends a profile's clients to the scenario
    of another one."""

    now: tuple[PolicyChanged, list[ScenarioPublished]]
    tried: tuple[PolicyChanged, list[ScenarioPublished]]
    country: str
    follows: Mapping[str, str] = field(default_factory=dict)

    def checked(self) -> dict[str, Any]:
        """As they are stored, ``before`` only where it differs. Raises ``PolicyRefused``, ``ScenarioRefused``,
        ``ProfileWithoutScenario``."""
        policy, published = self.tried
        policies.load(policy)
        for one in published:
            scenarios.load(one, CompanyDays(policy.calendar, self.country))
        known = {one.profile for one in published}
        for target in self.follows.values():
            if target not in known:
                raise ProfileWithoutScenario(target)
        before = {**_stored(*self.now, {}), "country": self.country}
        after = {**_stored(policy, published, self.follows), "country": self.country}
        return {"before": None if before == after else before, "after": after}


def _stored(
    policy: PolicyChanged, published: list[ScenarioPublished], follows: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "policy": policy.model_dump(mode="json"),
        "scenarios": [one.model_dump(mode="json") for one in published],
        "follows": dict(follows),
    }


@dataclass(frozen=True)
class Wanted:
    """A simulation somebody wants. ``asked`` is kept with it as it came, to be shown again."""

    kind: str
    first_on: date
    last_on: date
    asked: Mapping[str, Any]

    def check(self, today: date) -> None:
        """Raises ``PeriodRefused``."""
        if self.last_on < self.first_on:
            raise PeriodRefused("The period ends before it begins.")
        if (self.last_on - self.first_on).days >= LONGEST_DAYS:
            raise PeriodRefused(f"A period has at most {LONGEST_DAYS} days.")
        if self.kind == "behind" and self.last_on > today:
            raise PeriodRefused(f"The past ends today, {today}.")


async def ask(tx: AsyncConnection, company: str, asked_by: str, wanted: Wanted, rules: Rulebooks) -> UUID:
    """Keep it and put it into the queue. Raises ``SimulationsWaiting`` and what ``Rulebooks.checked`` does."""
    checked = rules.checked()
    await tx.execute(LOCK, {"company": company})
    waiting = await tx.scalar(WAITING, {"company": company}) or 0
    if waiting >= MOST_WAITING:
        raise SimulationsWaiting(waiting)
    simulation_id = uuid4()
    await tx.execute(
        KEEP,
        {
            "company": company,
            "simulation_id": simulation_id,
            "asked_by": asked_by,
            "kind": wanted.kind,
            "first_on": wanted.first_on,
            "last_on": wanted.last_on,
            "asked": json.dumps(wanted.asked),
            "rules": json.dumps(checked),
        },
    )
    await enqueue(tx, QUEUE, [job(company, simulation_id)])
    return simulation_id


def job(company: str, simulation_id: UUID, part: int | None = None) -> NewJob:
    """Without a part, the one that prepares the others."""
    payload: dict[str, Any] = {"simulation_id": str(simulation_id), "part": part}
    return NewJob(uuid5(simulation_id, f"part {part}"), company, payload)


async def cancel(tx: AsyncConnection, company: str, simulation_id: UUID) -> bool:
    """False when it had ended already. Parts in hand end for nothing; the others are not begun."""
    cancelled = await tx.execute(CANCEL, {"company": company, "simulation_id": simulation_id})
    return cancelled.rowcount == 1


async def unit_costs(tx: AsyncConnection, company: str) -> dict[str, Decimal]:
    """What one contact costs by medium, in the bookkeeping currency."""
    row = (await tx.execute(COSTS, {"company": company})).mappings().one_or_none()
    return dict(UNIT_COSTS) if row is None else {medium: row[medium] for medium in UNIT_COSTS}


async def set_unit_costs(tx: AsyncConnection, company: str, costs: Mapping[str, Decimal]) -> None:
    await tx.execute(SET_COSTS, {"company": company, **costs})
