"""From a draft to the action that is proposed or carried out."""

from collections.abc import Collection

from services.dunning.domain.identity import action_id
from services.dunning.domain.looks import Draft, Look
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Plan, Step
from services.dunning.domain.state import ClientState
from services.dunning.domain.verdicts import PlannedAction, PlannedEntry


def plan_action(
    client: ClientState,
    policy: Policy,
    plan: Plan | None,
    drawn: Draft,
    accepted_reasons: Collection[str] = (),
) -> PlannedAction:
    """The action of a draft, for a person to confirm."""
    step = drawn.step
    leading = [member.pending.on for member in drawn.members if member.pending and _leads(member, step)]
    entries = tuple(_planned(member, step, policy, plan) for member in drawn.members)
    return PlannedAction(
        action_id=action_id(
            client.company,
            client.client_id,
            step.name,
            drawn.currency,
            [(entry.entry_id, entry.occurrence) for entry in entries],
        ),
        step=step.name,
        medium=step.medium,
        template=step.template,
        automatic=False,
        mode=policy.mode,
        currency=drawn.currency,
        amount=drawn.amount,
        net_amount=drawn.net_amount,
        book_net_amount=drawn.book_net_amount,
        due_since=min(leading, default=drawn.members[0].entry.due_date),
        entries=entries,
        accepted_reasons=tuple(sorted(accepted_reasons)),
        not_before=step.not_before,
        copies=step.copies,
    )


def _leads(member: Look, step: Step) -> bool:
    """The entry is due for this very level; others follow because the whole account is written about."""
    return member.pending is not None and member.pending.step.level == step.level


def _planned(member: Look, step: Step, policy: Policy, plan: Plan | None) -> PlannedEntry:
    """The level after is the step's own, except for followers of an account: these move up by one (rule 6.4)."""
    entry, leads = member.entry, _leads(member, step)
    after = entry.level
    if step.level:
        reached = step.level
        if not leads and policy.mode == "account" and plan is not None and plan.after[entry.level]:
            reached = min(reached, plan.after[entry.level][0].level)
        after = max(after, reached)
    return PlannedEntry(
        entry.entry_id,
        entry.entered.get(step.name, 0) + 1,
        entry.amount,
        entry.due_date,
        entry.level,
        after,
        member.pending.on if leads and member.pending is not None else None,
        entry.reminded_on,
    )
