"""A story decided anew on every day: by its own rules as they changed, or by those that are tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.story.reading import StoryRefused, read
from cli.story.state import Telling
from cli.story.telling import begin, tell
from contracts.dunning import PolicyChanged, ScenarioPublished
from services.dunning.domain import policy as policies
from services.dunning.domain.amounts import decimal
from services.dunning.domain.calendar import CompanyDays
from services.dunning.domain.history import begin as begin_history
from services.dunning.domain.policy import PolicyRefused
from services.dunning.domain.scenario import ScenarioRefused
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.simulation import Company, Contact, Rules, live_through
from services.dunning.domain.tally import UNIT_COSTS, Count, Tally, differ

Draft = Mapping[str, Any]
"""``policy`` (only what changes), ``scenarios`` (whole), ``follows``."""


@dataclass(frozen=True)
class Lived:
    """A story once lived: what everybody said, and the rules as they changed."""

    telling: Telling
    rules: tuple[tuple[date, PolicyChanged, Mapping[str, ScenarioPublished]], ...]

    @property
    def first_on(self) -> date:
        return min(self._days)

    @property
    def last_on(self) -> date:
        return max(self._days)

    @property
    def _days(self) -> set[date]:
        story = self.telling.story
        return {*story.days, *(() if story.rounds is None else story.rounds.days())}


def lived(file: Path) -> Lived:
    """Raises ``StoryRefused``."""
    story, places = read(file)
    telling = begin(story, places)
    rules = [(date.min, telling.policy, dict(telling.published))]
    for on, _, _ in tell(telling):
        now = (telling.policy, dict(telling.published))
        if now != rules[-1][1:]:
            if rules[-1][0] == on:
                rules.pop()
            rules.append((on, *now))
    return Lived(telling, tuple(rules))


def decided_anew(story: Lived, draft: Draft | None = None) -> dict[str, list[Contact]]:
    """Every message by client. Raises ``StoryRefused`` when the draft cannot work."""
    companies = [(on, _company(story, policy, published, draft)) for on, policy, published in story.rules]
    contacts = {}
    for client, facts in story.telling.facts.items():
        state, history = begin_history("story", client, facts, story.first_on)
        contacts[client] = live_through(state, history, companies, story.first_on, story.last_on)
    return contacts


def _company(
    story: Lived, policy: PolicyChanged, published: Mapping[str, ScenarioPublished], draft: Draft | None
) -> Company:
    follows: Mapping[str, str] = {}
    scenarios = dict(published)
    try:
        if draft is not None:
            policy = PolicyChanged.model_validate({**policy.model_dump(), **draft.get("policy", {})})
            for one in draft.get("scenarios", ()):
                scenarios[one["profile"]] = ScenarioPublished.model_validate({"version": 1, **one})
            follows = draft.get("follows", {})
        days = CompanyDays(policy.calendar, story.telling.story.company.country)
        compiled = {profile: load_scenario(one, days) for profile, one in scenarios.items()}
        return Company(Rules(policies.load(policy), compiled, follows))
    except (ValidationError, KeyError, ScenarioRefused, PolicyRefused) as refusal:
        raise StoryRefused([f"draft: {refusal}"]) from refusal


def answer(file: Path, draft: Draft | None) -> dict[str, Any]:
    """JSON-ready: the calendar, totals per step, and with a draft the clients who would get something else.

    Raises ``StoryRefused``.
    """
    story = lived(file)
    current = decided_anew(story)
    tried = current if draft is None else decided_anew(story, draft)
    differences = {
        client: found
        for client, contacts in tried.items()
        if (found := differ(current[client], contacts)) is not None
    }
    return {
        "story": str(file),
        "from": story.first_on.isoformat(),
        "to": story.last_on.isoformat(),
        "clients": len(tried),
        **_summed(tried),
        "current": None if draft is None else _summed(current),
        "differences": None
        if draft is None
        else [
            {
                "client_id": client,
                "kinds": list(found.kinds),
                "before": found.before,
                "after": found.after,
                "lost": _contacts(found.lost),
                "gained": _contacts(found.gained),
            }
            for client, found in sorted(differences.items())
        ],
    }


def _summed(contacts: Mapping[str, Sequence[Contact]]) -> dict[str, Any]:
    tally = Tally()
    for some in contacts.values():
        tally.add(some)
    cost = sum(tally.cost(UNIT_COSTS).values())
    return {
        "totals": {**_count(tally.total), "clients": tally.clients, "cost": format(cost, "f")},
        "steps": [
            {"step": step, "medium": medium, **_count(count)}
            for (step, medium), count in sorted(tally.by(1, 2).items())
        ],
        "calendar": [
            {"on": on.isoformat(), "step": step, "medium": medium, **_count(count)}
            for (on, step, medium), count in sorted(tally.cells.items())
        ],
    }


def _count(count: Count) -> dict[str, Any]:
    amount = format(decimal(count.amount), "f")
    return {"contacts": count.contacts, "entries": count.entries, "amount": amount}


def _contacts(contacts: Sequence[Contact]) -> list[dict[str, Any]]:
    return [
        {
            "on": one.on.isoformat(),
            "step": one.step,
            "medium": one.medium,
            "amount": format(decimal(one.net_amount), "f"),
            "currency": one.currency,
        }
        for one in contacts
    ]
