"""Which entries share a message: by pending step, or the whole overdue account (rules 6 and 7)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from services.dunning.domain.looks import Draft, Look, draft
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Plan, Step
from services.dunning.domain.triggers import ONE_DAY, Pending, pending_reminder


class Grouped(NamedTuple):
    """``drafts`` hold the messages, one per step and currency; ``waiting`` the entries that wait for the account's
    step; ``spent`` those whose account has no step left; ``alone`` the credits that go on without a message.
    """

    drafts: list[Draft]
    waiting: list[tuple[Look, Pending]]
    spent: list[Look]
    alone: list[Look]


def by_item(free: Sequence[Look], all_looks: Iterable[Look], plan: Plan, policy: Policy, as_of: date) -> Grouped:
    """All entries of one pending step in one message (rule 6.1), credits with their own level (rule 7.2)."""
    groups: dict[tuple[int, str], list[Look]] = {}
    steps: dict[int, Step] = {}
    for look in free:
        if look.pending is not None:
            step = look.pending.step
            steps[step.level] = step
            groups.setdefault((step.level, look.entry.currency), []).append(look)
    if policy.netting == "account":
        _move_credits_to_highest(groups, as_of)
    grouped = Grouped([], [], [], [])
    debits_at: set[tuple[int, str]] | None = None
    for key in sorted(groups):
        members = groups[key]
        if policy.netting != "account" and all(member.entry.amount <= 0 for member in members):
            if debits_at is None:
                debits_at = _levels_of_debits(all_looks, plan, as_of)
            if key not in debits_at:
                grouped.alone.extend(members)
                continue
        grouped.drafts.append(draft(steps[key[0]], key[1], members, policy))
    return grouped


def _move_credits_to_highest(groups: dict[tuple[int, str], list[Look]], as_of: date) -> None:
    """Netting mode ``account``: overdue credits go into the message of the highest level (rule 7.2)."""
    highest: dict[str, tuple[int, str]] = {}
    for key in sorted(groups):
        if key[0] and any(member.entry.amount > 0 for member in groups[key]):
            highest[key[1]] = key
    for key in sorted(groups):
        target = highest.get(key[1])
        if target is None or key == target:
            continue
        moving = [look for look in groups[key] if look.entry.amount <= 0 and look.entry.due_date < as_of]
        groups[target].extend(moving)
        groups[key] = [look for look in groups[key] if look not in moving]
        if not groups[key]:
            del groups[key]


def _levels_of_debits(looks: Iterable[Look], plan: Plan, as_of: date) -> set[tuple[int, str]]:
    """The reminder each debit comes to next, due or not: a credit there waits for it (rule 22.14)."""
    levels = set()
    for look in looks:
        if look.entry.amount > 0 and (coming := pending_reminder(look.entry, plan, as_of)) is not None:
            levels.add((coming.step.level, look.entry.currency))
    return levels


def by_account(overdue: Sequence[Look], policy: Policy, as_of: date) -> Grouped:
    """One message with every overdue entry once the highest one is due (rules 6.2 to 6.6, 22.4, 22.15, 22.30)."""
    grouped = Grouped([], [], [], [])
    for currency in sorted({look.entry.currency for look in overdue}):
        account = [look for look in overdue if look.entry.currency == currency]
        # one that has received the last step leads no more: it would silence whatever fell due since
        going_on = [look for look in account if look.entry.amount > 0 and look.pending is not None]
        highest = max((look.entry.level for look in going_on), default=None)
        leaders = [look.pending for look in going_on if look.entry.level == highest and look.pending is not None]
        if not leaders:
            grouped.spent.extend(account)
            continue
        due = [leader for leader in leaders if leader.on <= as_of]
        if not due:
            first = min(leaders, key=lambda leader: leader.on)
            grouped.waiting.extend((look, first) for look in account)
            continue
        step = max((leader.step for leader in due), key=lambda step: step.level)
        members = []
        for look in account:
            if as_of in (look.entry.reminded_on, look.entry.noticed_on):
                next_day = as_of + ONE_DAY
                if step.calendar is not None:
                    next_day = step.calendar.next_open(next_day)
                tomorrow = Pending(step, next_day)  # never two steps of one entry on one day
                grouped.waiting.append((look, tomorrow))
            else:
                members.append(look)
        grouped.drafts.append(draft(step, currency, members, policy))
    return grouped
