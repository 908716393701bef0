"""Ticking excluded entries back: a person may remind where the rules would not (rule 8.15)."""

from collections.abc import Collection
from datetime import date

from services.dunning.domain.decision import decide
from services.dunning.domain.exclusions import NET_NOT_POSITIVE, NEVER_ACCEPTED
from services.dunning.domain.looks import Look, draft
from services.dunning.domain.planning import plan_action
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Plan, Scenario, Step
from services.dunning.domain.state import ClientState
from services.dunning.domain.triggers import pending
from services.dunning.domain.verdicts import Decision, Excluded, PlannedAction


class EntryNotExcluded(Exception):
    """The entry is not excluded now: settled, not due, or in an action already."""

    def __init__(self, entry_id: str) -> None:
        super().__init__("The entry is not excluded now.")
        self.entry_id = entry_id


class ReasonNotAcceptable(Exception):
    """No person may set this reason aside: nothing is left to ask, or the invoice may be paid."""

    def __init__(self, entry_id: str, reason: str) -> None:
        super().__init__("This reason cannot be set aside.")
        self.entry_id = entry_id
        self.reason = reason


def tick_back(
    client: ClientState, policy: Policy, scenario: Scenario | None, as_of: date, entry_ids: Collection[str]
) -> tuple[Decision, list[PlannedAction]]:
    """The day's decision, and one action per step and currency with these entries whatever their reasons.

    Raises ``EntryNotExcluded``, ``ReasonNotAcceptable``.
    """
    decision = decide(client, policy, scenario, as_of)
    plan = None if scenario is None else scenario.plan(client.has_email)
    groups: dict[tuple[str, str], list[tuple[Look, Excluded]]] = {}
    by_id = {entry.entry_id: entry for entry in client.entries}
    for entry_id in entry_ids:
        verdict = decision.verdicts.get(entry_id)
        if plan is None or not isinstance(verdict, Excluded):
            raise EntryNotExcluded(entry_id)
        entry = by_id[entry_id]
        look = Look(entry, pending(entry, plan, as_of), verdict.reasons)
        groups.setdefault((verdict.step, entry.currency), []).append((look, verdict))
    planned = []
    for (step, currency), members in sorted(groups.items(), key=lambda group: group[0]):
        assert plan is not None
        accepted = {reason for _, verdict in members for reason in verdict.reasons}
        drawn = draft(_step(plan, step), currency, [look for look, _ in members], policy)
        if drawn.net_amount <= 0:
            raise ReasonNotAcceptable(members[0][0].entry.entry_id, NET_NOT_POSITIVE)
        for look, verdict in members:
            for reason in sorted(NEVER_ACCEPTED.intersection(verdict.reasons)):
                if reason != NET_NOT_POSITIVE:
                    raise ReasonNotAcceptable(look.entry.entry_id, reason)
        planned.append(plan_action(client, policy, plan, drawn, accepted - NEVER_ACCEPTED))
    return decision, planned


def _step(plan: Plan, name: str) -> Step:
    if plan.notice is not None and plan.notice.name == name:
        return plan.notice
    return next(step for step in plan.after[0] if step.name == name)
