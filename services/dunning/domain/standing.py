"""What becomes of open actions: a proposal that nobody did is kept or withdrawn, never escalated."""

from collections.abc import Mapping
from datetime import date

from services.dunning.domain.exclusions import together
from services.dunning.domain.looks import Draft, Look
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import NOTICE
from services.dunning.domain.state import OpenAction
from services.dunning.domain.verdicts import Excluded, Verdict

SUPERSEDED = "superseded"
SETTLED = "settled"
MODE_SWITCHED = "mode_switched"
WITHDRAWAL_REASONS = (SUPERSEDED, SETTLED, MODE_SWITCHED)


def stands(
    action: OpenAction, looks: Mapping[str, Look], against: tuple[str, ...], policy: Policy, as_of: date
) -> bool:
    """Whether a confirmed or ticked-back action still holds.

    An e-mail that was confirmed is on its way; the last look before sending is not ours.
    """
    if action.confirmed and action.medium == "email":
        return True
    if not action.confirmed and _mode_switched(action, policy):
        return False
    for held in action.entries:
        look = looks.get(held.entry_id)
        if look is None or look.entry.amount != held.amount:
            return False
        if action.by_hand:  # a person chose these entries, whatever their step and reasons (rule 8.16)
            continue
        if not action.accepted_reasons.issuperset(together(look.reasons, against)):
            return False
        if action.mode == "item" or action.step == NOTICE:
            found = look.pending
            if found is None or found.step.name != action.step or found.on > as_of:
                return False
    return True


def same_message(proposal: OpenAction, drawn: Draft, policy: Policy) -> bool:
    """Whether a proposal says exactly what would be proposed now; then it is kept, silently."""
    step = drawn.step
    if (
        proposal.step != step.name
        or proposal.currency != drawn.currency
        or proposal.medium != step.medium
        or proposal.template != step.template
        or proposal.copies != step.copies
        or _mode_switched(proposal, policy)
        or len(proposal.entries) != len(drawn.members)
    ):
        return False
    held = {entry.entry_id: entry for entry in proposal.entries}
    for member in drawn.members:
        entry = held.get(member.entry.entry_id)
        if entry is None or entry.amount != member.entry.amount or entry.due_date != member.entry.due_date:
            return False
    return True


def withdrawal_reason(
    action: OpenAction,
    looks: Mapping[str, Look],
    verdicts: Mapping[str, Verdict],
    against_client: tuple[str, ...],
    policy: Policy,
) -> str:
    """The first reason that holds for its entries; else that other entries or another step take its place."""
    if not action.confirmed and _mode_switched(action, policy):
        return MODE_SWITCHED
    open_entries = [held.entry_id for held in action.entries if held.entry_id in looks]
    if not open_entries:
        return SETTLED
    against: set[str] = set()
    for entry_id in open_entries:
        verdict = verdicts.get(entry_id)
        reasons = verdict.reasons if isinstance(verdict, Excluded) else looks[entry_id].reasons
        against.update(together(reasons, against_client))
    against -= action.accepted_reasons
    return min(against) if against else SUPERSEDED


def _mode_switched(action: OpenAction, policy: Policy) -> bool:
    """Switching the grouping withdraws what nobody confirmed (rule 22.15); a notice is the same in both."""
    return action.mode != policy.mode and action.step != NOTICE
