"""The thank-you: one message per client and lettering group, each payment once; no level moves (rules 5.4, 12)."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from services.dunning.domain.identity import action_id
from services.dunning.domain.scenario import THANKS, Plan, Step
from services.dunning.domain.state import ClientState, OpenAction, PaidGroup
from services.dunning.domain.verdicts import PlannedAction, PlannedEntry

NOT_OLDER_THAN = timedelta(days=30)
"""Beyond the step's own delay (rule 12.3)."""

LETTERING_UNDONE = "lettering_undone"
THANKS_LAPSED = "thanks_lapsed"
THANKS_OFF = "thanks_off"
WITHDRAWAL_REASONS = (LETTERING_UNDONE, THANKS_LAPSED, THANKS_OFF)


class Gratitude(NamedTuple):
    """A payment to be thanked, from ``on`` to ``until``, both included."""

    group: PaidGroup
    step: Step
    on: date
    until: date


def gratitude(client: ClientState, plan: Plan | None) -> list[Gratitude]:
    """Every payment that may be thanked, now or later. Those dated up to the day on which the step was switched on
    are left in peace, so that a first synchronisation does not thank years of payments (rule 12.3).
    """
    if plan is None or plan.thanks is None or plan.thanks_since is None:
        return []
    step = plan.thanks
    found = []
    for group in client.paid:
        if group.settled and group.paid_on > plan.thanks_since:
            on = group.paid_on + step.delay
            if step.calendar is not None:
                on = step.calendar.next_open(on)
            found.append(Gratitude(group, step, on, group.paid_on + NOT_OLDER_THAN + step.delay))
    return found


def same_thanks(action: OpenAction, one: Gratitude) -> bool:
    """Whether a proposal says exactly what would be proposed now."""
    step = one.step
    return (
        action.step == THANKS
        and (action.medium, action.template, action.copies) == (step.medium, step.template, step.copies)
        and speaks_of(action, one.group)
    )


def speaks_of(action: OpenAction, group: PaidGroup) -> bool:
    held = {(entry.entry_id, entry.amount) for entry in action.entries}
    return held == {(line.entry_id, line.amount) for line in group.lines}


def thanks_for(action: OpenAction, group: PaidGroup) -> bool:
    """Whether this thank-you leaves nothing to thank for: a person's may name only what was settled."""
    if not action.by_hand:
        return speaks_of(action, group)
    lines = {line.entry_id for line in group.lines}
    chosen_on = action.opened_on
    return (chosen_on is None or group.paid_on <= chosen_on) and any(
        entry.entry_id in lines for entry in action.entries
    )


def thanks_stand(action: OpenAction, client: ClientState, against: tuple[str, ...]) -> bool:
    """Whether a confirmed thank-you still holds; one that leaves by e-mail is left to the last look, one that a
    person chose to that person.
    """
    if action.medium == "email" or action.by_hand:
        return True
    return not against and any(group.settled and speaks_of(action, group) for group in client.paid)


def why_withdrawn(
    action: OpenAction, client: ClientState, plan: Plan | None, against: tuple[str, ...], as_of: date
) -> str | None:
    """Why a thank-you does not hold any more; ``None`` when another one takes its place. ``against`` are the
    reasons that lie in the client (rule 12.4).
    """
    group = next((group for group in client.paid if speaks_of(action, group)), None)
    if group is None or not group.settled:
        return LETTERING_UNDONE
    if against:
        return min(against)
    if plan is None or plan.thanks is None:
        return THANKS_OFF
    if any(one.group is group and one.until < as_of for one in gratitude(client, plan)):
        return THANKS_LAPSED
    return None


def plan_thanks(client: ClientState, mode: str, one: Gratitude, automatic: bool) -> PlannedAction:
    """The thank-you of a payment: ``amount`` is what was settled, the net amounts are what was paid."""
    step, lines = one.step, one.group.lines
    entries = [
        PlannedEntry(line.entry_id, line.entered + 1, line.amount, line.due_date, line.level, line.level)
        for line in sorted(lines, key=lambda line: (line.due_date, line.entry_id))
    ]
    currency = lines[0].currency
    return PlannedAction(
        action_id=action_id(client.company, client.client_id, step.name, currency, _occurrences(entries)),
        step=step.name,
        medium=step.medium,
        template=step.template,
        automatic=automatic,
        mode=mode,
        currency=currency,
        amount=sum(line.amount for line in lines if line.amount > 0),
        net_amount=-sum(line.amount for line in lines if line.amount < 0),
        book_net_amount=-sum(line.book_amount for line in lines if line.amount < 0),
        due_since=one.on,
        entries=tuple(entries),
        not_before=step.not_before,
        copies=step.copies,
    )


def _occurrences(entries: Iterable[PlannedEntry]) -> list[tuple[str, int]]:
    return [(entry.entry_id, entry.occurrence) for entry in entries]
