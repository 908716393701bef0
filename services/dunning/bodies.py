"""What a round says most, as JSON without its models: checking and serialising them costs more than deciding.

A test holds these bodies against what the models give.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from services.dunning.domain.amounts import amount_text
from services.dunning.domain.sayings import Change, kind_of
from services.dunning.domain.scenario import level_name
from services.dunning.domain.verdicts import Decision, PlannedAction, PlannedEntry, Withdrawal


class Entry(msgspec.Struct, gc=False):
    """``contracts.dunning.ActionEntry``: its fields in its order, as are those of the others."""

    entry_id: str
    occurrence: int
    amount: str
    due_date: date
    level_before: str | None
    level_after: str | None
    due_on: date | None
    reminded_on: date | None


class Action(msgspec.Struct, gc=False):
    action_id: UUID
    client_id: str
    profile: str
    scenario_version: int
    kind: str
    step: str
    medium: str
    template: str | None
    currency: str
    amount: str
    net_amount: str
    book_net_amount: str
    due_since: date
    entries: list[Entry]
    mode: str
    accepted_reasons: tuple[str, ...]
    by_hand: bool
    counts: bool
    next_step: str | None
    copies: tuple[UUID, ...]
    policy_version: int


class _Proposed(msgspec.Struct, gc=False):
    action: Action


class _Due(msgspec.Struct, gc=False):
    action: Action
    draft_id: UUID | None
    not_before: str | None


class _ExcludedEntry(msgspec.Struct, gc=False):
    entry_id: str
    step: str
    reasons: tuple[str, ...]
    until: date | None


class _Excluded(msgspec.Struct, gc=False):
    client_id: str
    entries: list[_ExcludedEntry]


class _Withdrawn(msgspec.Struct, gc=False):
    action_id: UUID
    client_id: str
    reason: str


_encode = msgspec.json.Encoder().encode


def action_of(client_id: str, decision: Decision, planned: PlannedAction) -> Action:
    """An action that is proposed, or to be carried out."""
    return Action(
        action_id=planned.action_id,
        client_id=client_id,
        profile=decision.profile,
        scenario_version=decision.scenario_version,
        kind=kind_of(planned.step),
        step=planned.step,
        medium=planned.medium,
        template=planned.template,
        currency=planned.currency,
        amount=amount_text(planned.amount),
        net_amount=amount_text(planned.net_amount),
        book_net_amount=amount_text(planned.book_net_amount),
        due_since=planned.due_since,
        entries=[_entry(one) for one in planned.entries],
        mode=planned.mode,
        accepted_reasons=planned.accepted_reasons,
        by_hand=False,
        counts=True,
        next_step=None,
        copies=planned.copies,
        policy_version=decision.policy_version,
    )


def proposed(action: Action) -> bytes:
    """The body of ``ActionProposed``."""
    return _encode(_Proposed(action))


def due(action: Action, not_before: str | None) -> bytes:
    """The body of ``ActionDue`` of an automatic action."""
    return _encode(_Due(action, None, not_before))


def _entry(line: PlannedEntry) -> Entry:
    return Entry(
        line.entry_id,
        line.occurrence,
        amount_text(line.amount),
        line.due_date,
        level_name(line.level_before),
        level_name(line.level_after),
        line.due_on,
        line.reminded_on,
    )


def excluded(client_id: str, changed: Sequence[Change]) -> bytes:
    """The body of ``ActionExcluded``."""
    return _encode(_Excluded(client_id, [_ExcludedEntry(*one) for one in changed]))


def withdrawn(client_id: str, withdrawal: Withdrawal) -> bytes:
    """The body of ``ActionWithdrawn``."""
    return _encode(_Withdrawn(withdrawal.action_id, client_id, withdrawal.reason))
