"""From a draft to the action that is proposed or carried out."""

from collections.abc import Collection
from datetime import date

from services.dunning.domain.identity import action_id
from services.dunning.domain.looks import Draft
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Plan
from services.dunning.domain.state import ClientState
from services.dunning.domain.verdicts import PlannedAction, PlannedEntry


def plan_action(
    client: ClientState,
    policy: Policy,
    plan: Plan | None,
    drawn: Draft,
    accepted_reasons: Collection[str] = (),
) -> PlannedAction:
    """The action of a draft, for a person to confirm. Levels after: the step's own, except for followers of an
    account (rule 6.4).
    """
    step = drawn.step
    name, level = step.name, step.level
    since: date | None = None
    entries = []
    for member in drawn.members:
        entry, found = member.entry, member.pending
        leads = found is not None and found.step.level == level
        if leads and found is not None and (since is None or found.on < since):
            since = found.on
        after = entry.level
        if level:
            reached = level
            if not leads and policy.mode == "account" and plan is not None and plan.after[entry.level]:
                reached = min(level, plan.after[entry.level][0].level)
            after = max(after, reached)
        occurrence = entry.entered.get(name, 0) + 1
        due_on = found.on if leads and found is not None else None
        entries.append(
            PlannedEntry(
                entry.entry_id,
                occurrence,
                entry.amount,
                entry.due_date,
                entry.level,
                after,
                due_on,
                entry.reminded_on,
            )
        )
    return PlannedAction(
        action_id=action_id(
            client.company,
            client.client_id,
            name,
            drawn.currency,
            [(entry.entry_id, entry.occurrence) for entry in entries],
        ),
        step=name,
        medium=step.medium,
        template=step.template,
        automatic=False,
        mode=policy.mode,
        currency=drawn.currency,
        amount=drawn.amount,
        net_amount=drawn.net_amount,
        book_net_amount=drawn.book_net_amount,
        due_since=since or drawn.members[0].entry.due_date,
        entries=tuple(entries),
        accepted_reasons=tuple(sorted(accepted_reasons)),
        not_before=step.not_before,
        copies=step.copies,
    )
