"""The day's tasks by medium and step, excluded rows included, and what a person does with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, accepted
from chassis.scopes import for_keys
from contracts.dunning import ScenarioPublished, ScenarioStep
from contracts.terms import days_late
from services.dunning import confirming, queries
from services.dunning.actions import plain
from services.dunning.confirming import Confirmed, Occasion
from services.dunning.domain.exclusions import CREDITOR_CLIENT, NEVER_ACCEPTED
from services.dunning.domain.explain import explain_reason
from services.dunning.domain.sayings import kind_of
from services.dunning.domain.scenario import NOTICE, STEP_NAMES, level_name
from services.dunning.rulebook import published

MEDIA = ("email", "phone", "letter", "other")
ZERO = Decimal(0)

router = APIRouter()

Row = dict[str, Any]
Key = tuple[str, str, str, bool]
"""Medium, step, profile, whether the clients have an e-mail address."""


@router.get("/tasks")
@for_keys("read:actions")
async def tasks(
    company: CompanyDep,
    tx: TxDep,
    today: AsOfDep,
    as_of: Annotated[date | None, Query()] = None,
    language: Annotated[str, Query(max_length=8)] = "fr",
) -> dict[str, Any]:
    """Open actions and excluded entries, grouped by medium, step, profile and variant (rules 8, 9.4).

    An excluded row has no ``action_id`` and is not ticked; ``can_include`` says whether a person may tick it back,
    ``until`` when its client is free to be contacted again. Creditor clients are left out where the policy hides
    them (rule 22.3).
    """
    as_of = as_of or today
    policy, published_scenarios = await published(tx, company)
    scenarios = {one.profile: one for one in published_scenarios}
    groups: dict[Key, list[Row]] = {}
    actions, held = await queries.open_actions(tx, company, as_of)
    for action in actions:
        key = (action["medium"], action["step"], action["profile"], action["has_email"])
        groups.setdefault(key, []).append(_action_row(action, held.get(action["action_id"], []), as_of))
    looking = Looking(as_of, language, policy.default_profile, scenarios)
    excluded = await queries.excluded(tx, company)
    if policy.creditors_hidden:
        excluded = [entry for entry in excluded if CREDITOR_CLIENT not in entry["reasons"]]
    for key, row in _excluded_rows(excluded, looking):
        groups.setdefault(key, []).append(row)
    last = await queries.last_round(tx, company)
    return {
        "as_of": as_of,
        "last_round": None if last is None else {"as_of": last["as_of"], "status": last["status"]},
        "groups": [_group(key, rows, scenarios) for key, rows in sorted(groups.items(), key=_order)],
    }


@dataclass(frozen=True)
class Looking:
    """What the rows are seen by."""

    as_of: date
    language: str
    default_profile: str
    scenarios: dict[str, ScenarioPublished]

    def medium(self, profile: str, step: str, has_email: bool) -> str:
        """How the step would be carried out; ``other`` when the scenario does not have it any more."""
        found = _step(self.scenarios.get(profile), step, has_email)
        return "other" if found is None else found.medium


def _order(group: tuple[Key, list[Row]]) -> tuple[object, ...]:
    medium, step, profile, has_email = group[0]
    return MEDIA.index(medium), STEP_NAMES.index(step), profile, not has_email


def _group(key: Key, rows: list[Row], scenarios: dict[str, ScenarioPublished]) -> dict[str, Any]:
    medium, step, profile, has_email = key
    actions = [row for row in rows if row["action_id"] is not None]
    return {
        "medium": medium,
        "step": step,
        "kind": kind_of(step),
        "profile": profile,
        "has_email": has_email,
        **_timing(scenarios.get(profile), step, has_email),
        "actions": len(actions),
        "excluded": len(rows) - len(actions),
        "rows": rows,
    }


def _active(scenario: ScenarioPublished | None, has_email: bool) -> list[ScenarioStep]:
    if scenario is None:
        return []
    return [one for one in (scenario.with_email if has_email else scenario.without_email) if one.enabled]


def _step(scenario: ScenarioPublished | None, step: str, has_email: bool) -> ScenarioStep | None:
    return next((one for one in _active(scenario, has_email) if one.step == step), None)


def _timing(scenario: ScenarioPublished | None, step: str, has_email: bool) -> dict[str, Any]:
    found = _step(scenario, step, has_email)
    if found is None:
        return {"delay_days": None, "counted_from": None, "previous_step": None}
    active = _active(scenario, has_email)
    before = [one.step for one in active[: active.index(found)] if one.step != NOTICE]
    return {
        "delay_days": found.delay_days,
        "counted_from": found.counted_from,
        "previous_step": before[-1] if before else None,
    }


def _action_row(action: RowMapping, held: Iterable[RowMapping], as_of: date) -> Row:
    lines = list(held)
    return {
        "action_id": action["action_id"],
        "client_id": action["client_id"],
        "status": action["status"],
        "ticked": action["status"] == "proposed",
        "can_include": False,
        "currency": action["currency"],
        "amount": str(plain(action["amount"])),
        "net_amount": str(plain(action["net_amount"])),
        "due_since": action["due_since"],
        "days_since": days_late(action["due_since"], as_of),
        "opened_on": action["opened_on"],
        "level_before": max((line["level_before"] for line in lines if line["level_before"]), default=None),
        "reasons": [],
        "accepted_reasons": action["accepted_reasons"],
        "entries": [_line(line, as_of, line["level_before"], []) for line in lines],
    }


def _excluded_rows(entries: Iterable[RowMapping], looking: Looking) -> Iterable[tuple[Key, Row]]:
    """One row per client, step and currency, as the action would have been."""
    together: dict[tuple[str, str, str], list[RowMapping]] = {}
    for entry in entries:
        together.setdefault((entry["client_id"], entry["step"], entry["currency"]), []).append(entry)
    for (client_id, step, currency), lines in together.items():
        first = lines[0]
        reasons = sorted({reason for line in lines for reason in line["reasons"]})
        until = max((line["until"] for line in lines if line["until"]), default=None)
        levels = [line["level"] for line in lines]
        profile = first["profile"] or looking.default_profile
        key = (looking.medium(profile, step, first["has_email"]), step, profile, first["has_email"])
        yield (
            key,
            {
                "action_id": None,
                "client_id": client_id,
                "status": "excluded",
                "ticked": False,
                "can_include": not NEVER_ACCEPTED.intersection(reasons),
                "currency": currency,
                "amount": str(plain(sum((line["amount"] for line in lines if line["amount"] > 0), start=ZERO))),
                "net_amount": str(plain(sum((line["amount"] for line in lines), start=ZERO))),
                "due_since": None,
                "days_since": None,
                "opened_on": None,
                "level_before": level_name(max(levels)),
                "reasons": reasons,
                "until": until,
                "explanations": [
                    explain_reason(reason, looking.language, until=until)._asdict() for reason in reasons
                ],
                "accepted_reasons": [],
                "entries": [
                    _line(line, looking.as_of, level_name(line["level"]), line["reasons"]) for line in lines
                ],
            },
        )


def _line(line: RowMapping, as_of: date, level: str | None, reasons: list[str]) -> dict[str, Any]:
    return {
        "entry_id": line["entry_id"],
        "piece": line["piece"],
        "kind": line["kind"],
        "amount": str(plain(line["amount"])),
        "due_date": line["due_date"],
        "days_late": days_late(line["due_date"], as_of),
        "level_before": level,
        "reasons": reasons,
    }


class ActionsNamed(BaseModel):
    """``as_of`` in the body is the day the person looks at; the header or the company's day otherwise."""

    action_ids: list[UUID] = Field(max_length=10_000)
    as_of: date | None = None


class ToConfirm(ActionsNamed):
    draft_id: UUID | None = None


class ToInclude(BaseModel):
    client_id: str = Field(min_length=1, max_length=64)
    entry_ids: list[str] = Field(min_length=1, max_length=1000)
    step: str | None = None
    as_of: date | None = None


def _answer(done: Confirmed, word: str) -> dict[str, Any]:
    refused = [{"action_id": action_id, "reason": reason} for action_id, reason in done.refused]
    return accepted(done.positions, **{word: done.confirmed}, refused=refused)


@router.post("/confirm")
async def confirm(
    body: ToConfirm, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Make proposals due: they are looked at again, under lock. Refused ones name the reason: a rule's, or
    ``unknown``, ``due``, ``done``, ``withdrawn``.
    """
    occasion = Occasion(company, body.as_of or today, cause)
    return _answer(await confirming.confirm(say, occasion, body.action_ids, body.draft_id), "confirmed")


@router.post("/withdraw")
async def withdraw(
    body: ActionsNamed, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Take back actions that are not done; their entries come again with the next round."""
    occasion = Occasion(company, body.as_of or today, cause)
    return _answer(await confirming.withdraw(say, occasion, body.action_ids), "withdrawn")


@router.post("/include")
async def include(
    body: ToInclude, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Tick an excluded row back (rule 8.15): its entries are proposed all the same, to be confirmed by a person.

    409 ``entry-not-excluded``, ``reason-not-acceptable``.
    """
    occasion = Occasion(company, body.as_of or today, cause)
    return _answer(await confirming.include(say, occasion, body.client_id, body.entry_ids), "proposed")
