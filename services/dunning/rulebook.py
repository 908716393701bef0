"""What a company decides by: its policy and its scenarios, as last published."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.dunning import PolicyChanged, ScenarioPublished
from services.dunning.domain import policy as policies
from services.dunning.domain import scenario as scenarios
from services.dunning.domain.calendar import EVERY_DAY, CompanyDays
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Scenario
from services.dunning.domain.state import ClientState

POLICY = text("select body from policy where company = :company")
COUNTRY = text("select country from company where company = :company")
SCENARIOS = text("select body from scenario where company = :company order by profile")


class CompanyUnknown(Exception):
    """Dunning has not heard of this company."""

    def __init__(self, company: str) -> None:
        super().__init__("Dunning has not heard of this company.")
        self.company = company


@dataclass(frozen=True)
class Rulebook:
    """``mark`` changes with every change of the rules: decisions made under another mark are to be made again.
    ``thanks`` where payments may be thanked for.
    """

    policy: Policy
    scenarios: dict[str, Scenario]
    mark: str
    days: CompanyDays
    thanks: bool

    def scenario_of(self, state: ClientState) -> Scenario | None:
        return self.scenarios.get(state.profile or self.policy.default_profile)


async def published(tx: AsyncConnection, company: str) -> tuple[PolicyChanged, list[ScenarioPublished]]:
    """Raises ``CompanyUnknown``."""
    body = await tx.scalar(POLICY, {"company": company})
    if body is None:
        raise CompanyUnknown(company)
    rows = await tx.scalars(SCENARIOS, {"company": company})
    return PolicyChanged.model_validate(body), [ScenarioPublished.model_validate(row) for row in rows]


async def rulebook(tx: AsyncConnection, company: str) -> Rulebook:
    """Raises ``CompanyUnknown``."""
    policy, scenario_list = await published(tx, company)
    return compiled(policy, scenario_list, await country_of(tx, company))


def compiled(policy: PolicyChanged, scenario_list: Sequence[ScenarioPublished], country: str) -> Rulebook:
    """Policy and scenarios as they were published, ready to decide by. ``country`` is whose holidays count."""
    days = CompanyDays(policy.calendar, country)
    versions = [f"{one.profile} {one.version}" for one in scenario_list]
    return Rulebook(
        policies.load(policy),
        {one.profile: scenarios.load(one, days) for one in scenario_list},
        " ".join([days.country, f"policy {policy.version}", *versions]),
        days,
        any(one.thanks_since is not None for one in scenario_list),
    )


async def country_of(tx: AsyncConnection, company: str) -> str:
    """Whose public holidays count; France for a company that was not heard of yet."""
    country: str | None = await tx.scalar(COUNTRY, {"company": company})
    return country or EVERY_DAY.country


async def company_days(tx: AsyncConnection, company: str, policy: PolicyChanged) -> CompanyDays:
    """The company's calendar, and the country whose holidays count."""
    return CompanyDays(policy.calendar, await country_of(tx, company))
