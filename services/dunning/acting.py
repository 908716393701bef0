"""Actions by hand: planned to be looked at, then said, each once however often it is asked for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Position, Said, Say
from contracts.dunning import Action, ActionDue
from services.dunning.actions import load_actions
from services.dunning.confirming import Occasion, decided_today, say_decision
from services.dunning.domain.by_hand import (
    THANKS,
    ByHandRefused,
    Composed,
    EntriesUnknown,
    Plans,
    ReasonsNotAccepted,
    compose,
    never_acceptable,
)
from services.dunning.domain.identity import by_hand_id
from services.dunning.domain.levels import LevelRefused
from services.dunning.domain.state import EntryState
from services.dunning.rulebook import Rulebook, rulebook
from services.dunning.states import Known, load, lock

SETTLED = text(
    "select e.entry_id, e.currency, (e.amount * 10000)::bigint, (e.book_amount * 10000)::bigint, e.due_date,"
    " e.counted_on, e.payment_mode, coalesce(l.level, 0) as level,"
    " (select max(occurrence) from action_entry h where h.company = e.company and h.client_id = e.client_id"
    " and h.entry_id = e.entry_id and h.step = 'thanks') as thanked from entry e"
    " left join entry_level l using (company, client_id, entry_id)"
    " where e.company = :company and e.client_id = :client_id and e.entry_id = any(cast(:ids as text[]))"
    " and not e.removed"
)
EMPTY = tuple(EntryState("", "", 0, 0, date.min, date.min))


class Wish(NamedTuple):
    """What a person asks for. ``accepted`` are the reasons against it that the person has seen."""

    request_id: UUID
    client_id: str
    entry_ids: tuple[str, ...]
    kind: str
    medium: str
    template: str | None = None
    counts: bool = True
    next_step: str | None = None
    accepted: tuple[str, ...] = ()
    draft_id: UUID | None = None
    by_criteria: bool = False


@dataclass
class Acted:
    """``done`` are the actions, in the order of the wishes that could be granted; ``refused`` the other places."""

    done: list[UUID] = field(default_factory=list)
    refused: list[tuple[int, Exception]] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)


async def plan(tx: AsyncConnection, company: str, as_of: date, wish: Wish) -> Plans:
    """The action as it would be said now; nothing is. Raises ``CompanyUnknown``, ``ByHandRefused``,
    ``LevelRefused``.
    """
    rules = await rulebook(tx, company)
    known = (await load(tx, company, [wish.client_id]))[wish.client_id]
    return await _plan(tx, known, rules, as_of, wish)


async def act(say: Say, occasion: Occasion, wishes: Sequence[Wish]) -> Acted:
    """Say what can be said, in one transaction, and name what cannot. A wish that was granted before is done.

    Raises ``CompanyUnknown``.
    """
    company, as_of = occasion.company, occasion.as_of
    rules = await rulebook(say.tx, company)
    clients = sorted({wish.client_id for wish in wishes})
    await lock(say.tx, company, clients)
    known = await load(say.tx, company, clients)
    ids = {by_hand_id(company, wish.client_id, wish.request_id) for wish in wishes}
    granted = set(await load_actions(say.tx, company, ids))
    answer, said = Acted(), list[Said]()
    entered: Counter[tuple[str, str, str]] = Counter()
    for place, wish in enumerate(wishes):
        action_id = by_hand_id(company, wish.client_id, wish.request_id)
        if action_id not in granted:
            try:
                planned = await _plan(say.tx, known[wish.client_id], rules, as_of, wish)
                _agreed(planned, wish)
            except (ByHandRefused, LevelRefused) as refused:
                answer.refused.append((place, refused))
                continue
            action = _counted(planned.action, entered)
            said.append(Said(ActionDue(action=action, draft_id=wish.draft_id), wish.client_id))
            granted.add(action_id)
        answer.done.append(action_id)
    answer.positions = await say(company, said, as_of=as_of, cause=occasion.cause)
    changed = sorted({one.client_id for one in said if one.client_id is not None})
    if changed and await decided_today(say.tx, company, as_of):
        answer.positions += await say_decision(say, occasion, changed, rules)
    return answer


def _counted(action: Action, entered: Counter[tuple[str, str, str]]) -> Action:
    """Two wishes of one call may name the same entry: each enters the step anew (rule 22.12)."""
    entries = []
    for one in action.entries:
        key = (action.client_id, one.entry_id, action.step)
        entries.append(one.model_copy(update={"occurrence": one.occurrence + entered[key]}))
        entered[key] += 1
    return action.model_copy(update={"entries": tuple(entries)})


def _agreed(planned: Plans, wish: Wish) -> None:
    """The person saw everything that speaks against it; some of it no person may set aside."""
    composed = Composed(wish.request_id, (), wish.kind, wish.medium, by_criteria=wish.by_criteria)
    against = never_acceptable(planned.reasons, composed) or sorted(set(planned.reasons) - set(wish.accepted))
    if against:
        raise ReasonsNotAccepted(against)


async def _plan(tx: AsyncConnection, known: Known, rules: Rulebook, as_of: date, wish: Wish) -> Plans:
    wanted = tuple(dict.fromkeys(wish.entry_ids))
    found = {entry.entry_id: entry for entry in known.state.entries if entry.entry_id in wanted}
    missing = [one for one in wanted if one not in found]
    if missing and wish.kind == THANKS:
        asked: dict[str, Any] = {
            "company": known.state.company, "client_id": known.state.client_id, "ids": missing
        }  # fmt: skip
        for *columns, level, thanked in await tx.execute(SETTLED, asked):
            entry = EntryState._make([*columns, *EMPTY[len(columns) :]])
            found[entry.entry_id] = entry._replace(level=level, entered={THANKS: thanked or 0})
        missing = [one for one in wanted if one not in found]
    if missing:
        raise EntriesUnknown(missing)
    composed = Composed(
        wish.request_id,
        tuple(found[one] for one in wanted),
        wish.kind,
        wish.medium,
        wish.template,
        wish.counts,
        wish.next_step,
        wish.by_criteria,
    )
    return compose(known.state, rules.policy, rules.scenario_of(known.state), as_of, composed)
