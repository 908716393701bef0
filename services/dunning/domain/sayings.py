"""A decision in the words that dunning says."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from operator import itemgetter
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from contracts import dunning
from contracts.event import Event
from services.dunning.domain.amounts import decimal
from services.dunning.domain.scenario import NOTICE, THANKS, level_name
from services.dunning.domain.verdicts import (
    EXHAUSTED,
    Decision,
    Excluded,
    NoStep,
    PlannedAction,
    SilentMove,
    Verdict,
    Withdrawal,
)

CREDIT_ALONE = "credit_alone"

Model = TypeVar("Model", bound=BaseModel)

Exclusion = tuple[str, tuple[str, ...], date | None]
"""Step, reasons and the day until which, as last said of an entry."""


def opening(client_id: str, decision: Decision, planned: PlannedAction) -> Event:
    """``ActionDue`` for an automatic step, ``ActionProposed`` for one that waits for a person."""
    action = action_of(client_id, decision.profile, (decision.scenario_version, decision.policy_version), planned)
    if planned.automatic:
        return _made(dunning.ActionDue, {"action": action, "draft_id": None, "not_before": planned.not_before})
    return _made(dunning.ActionProposed, {"action": action})


def action_of(client_id: str, profile: str, versions: tuple[int, int], planned: PlannedAction) -> dunning.Action:
    """``versions`` are those of the scenario and of the policy. Of checked values, so not validated again: a round
    says a great many.
    """
    entries = tuple(
        _made(
            dunning.ActionEntry,
            {
                "entry_id": entry.entry_id,
                "occurrence": entry.occurrence,
                "amount": decimal(entry.amount),
                "due_date": entry.due_date,
                "level_before": level_name(entry.level_before),
                "level_after": level_name(entry.level_after),
                "due_on": entry.due_on,
                "reminded_on": entry.reminded_on,
            },
        )
        for entry in planned.entries
    )
    return _made(
        dunning.Action,
        {
            "action_id": planned.action_id,
            "client_id": client_id,
            "profile": profile,
            "scenario_version": versions[0],
            "kind": kind_of(planned.step),
            "step": planned.step,
            "medium": planned.medium,
            "template": planned.template,
            "currency": planned.currency,
            "amount": decimal(planned.amount),
            "net_amount": decimal(planned.net_amount),
            "book_net_amount": decimal(planned.book_net_amount),
            "due_since": planned.due_since,
            "entries": entries,
            "mode": planned.mode,
            "accepted_reasons": planned.accepted_reasons,
            "by_hand": False,
            "counts": True,
            "next_step": None,
            "copies": planned.copies,
            "policy_version": versions[1],
        },
    )


def kind_of(step: str) -> str:
    """The kind of action that a step of a scenario makes."""
    return step if step in (NOTICE, THANKS) else "reminder"


def _made(model: type[Model], values: dict[str, object]) -> Model:
    """A model of exactly these values, all its fields given: what ``model_construct`` does, without its search for
    aliases and defaults, which costs more than the decision itself.
    """
    made = model.__new__(model)
    for name, value in (
        ("__dict__", values),
        ("__pydantic_fields_set__", _fields(model)),
        ("__pydantic_extra__", None),
        ("__pydantic_private__", None),
    ):
        object.__setattr__(made, name, value)
    return made


@cache
def _fields(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def withdrawn(client_id: str, withdrawal: Withdrawal) -> Event:
    return dunning.ActionWithdrawn(action_id=withdrawal.action_id, client_id=client_id, reason=withdrawal.reason)


def advanced(client_id: str, moves: Iterable[SilentMove], as_of: date) -> Event:
    """The credits that stood alone (rule 22.14)."""
    return dunning.LevelSet(
        client_id=client_id,
        reason=CREDIT_ALONE,
        set_on=as_of,
        levels=tuple(
            dunning.LevelMove(
                entry_id=move.entry_id,
                level_before=level_name(move.level_before),
                level_after=level_name(move.level_after),
            )
            for move in moves
        ),
    )


class Change(NamedTuple):
    """What is to be said of an entry's exclusion; no reasons means excluded no more."""

    entry_id: str
    step: str
    reasons: tuple[str, ...]
    until: date | None


def changed_exclusions(verdicts: Mapping[str, Verdict], said: Mapping[str, Exclusion]) -> list[Change]:
    """Only the entries whose reasons changed since they were last said, by entry."""
    changed = []
    for entry_id, verdict in verdicts.items():
        if type(verdict) is Excluded:
            if said.get(entry_id) != verdict:
                changed.append(Change(entry_id, *verdict))
        elif said and entry_id in said:
            changed.append(Change(entry_id, said[entry_id][0], (), None))
    changed.extend(
        Change(entry_id, one[0], (), None) for entry_id, one in said.items() if entry_id not in verdicts
    )
    changed.sort(key=itemgetter(0))
    return changed


def excluded(client_id: str, changed: Iterable[Change]) -> Event:
    entries = tuple(_made(dunning.ExcludedEntry, change._asdict()) for change in changed)
    return _made(dunning.ActionExcluded, {"client_id": client_id, "entries": entries})


def newly_exhausted(
    client_id: str, verdicts: Mapping[str, Verdict], said: Iterable[str]
) -> list[dunning.DunningExhausted]:
    """Entries that have received the last active step, said once for each stay there."""
    known = set(said)
    return [
        dunning.DunningExhausted(client_id=client_id, entry_id=entry_id)
        for entry_id, verdict in verdicts.items()
        if isinstance(verdict, NoStep) and verdict.reason == EXHAUSTED and entry_id not in known
    ]


def done(action: dunning.Action, levels: Mapping[str, str | None], done_on: date) -> dunning.ActionDone:
    """The action was carried out. ``levels`` are those of its entries now; none ever falls, but where a person
    chose the step that comes next (rule 5.5).
    """
    moves = []
    for entry in action.entries if action.counts else ():
        before = levels.get(entry.entry_id, entry.level_before)
        if action.step in (NOTICE, THANKS):
            after = before
        elif action.next_step is not None:
            after = entry.level_after
        else:
            after = max(before or "", entry.level_after or "") or None
        moves.append(
            dunning.LevelMove(
                entry_id=entry.entry_id,
                level_before=before,
                level_after=after,
                next_step=None if action.step in (NOTICE, THANKS) else action.next_step,
            )
        )
    return dunning.ActionDone(
        action_id=action.action_id,
        client_id=action.client_id,
        step=action.step,
        medium=action.medium,
        done_on=done_on,
        levels=tuple(moves),
    )
