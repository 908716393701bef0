"""Actions as they were said, and where they stand now."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.dunning import Action, ActionEntry
from services.dunning.domain.amounts import decimal, ten_thousandths

ACTIONS = text(
    "select * from action where company = :company and action_id = any(cast(:ids as uuid[])) order by action_id"
)
ENTRIES = text(
    "select h.action_id, h.entry_id, h.occurrence, h.amount, h.due_date, h.level_before, h.level_after"
    " from action a join action_entry h using (company, client_id, action_id)"
    " where a.company = :company and a.action_id = any(cast(:ids as uuid[]))"
    " order by h.action_id, h.due_date, h.entry_id"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """``status`` is ``proposed``, ``due``, ``done`` or ``withdrawn``, the last with a ``reason``."""

    action: Action
    status: str
    reason: str | None


async def load_actions(tx: AsyncConnection, company: str, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Those that exist."""
    asked = {"company": company, "ids": [str(one) for one in ids]}
    entries: dict[UUID, list[ActionEntry]] = {}
    for action_id, entry_id, occurrence, amount, due_date, before, after in await tx.execute(ENTRIES, asked):
        entries.setdefault(action_id, []).append(
            ActionEntry(
                entry_id=entry_id,
                occurrence=occurrence,
                amount=plain(amount),
                due_date=due_date,
                level_before=before,
                level_after=after,
            )
        )
    return {
        row.action_id: Standing(_action(row, tuple(entries.get(row.action_id, ()))), row.status, row.reason)
        for row in await tx.execute(ACTIONS, asked)
    }


def _action(row: Any, entries: tuple[ActionEntry, ...]) -> Action:
    return Action(
        action_id=row.action_id,
        client_id=row.client_id,
        profile=row.profile,
        scenario_version=row.scenario_version,
        kind=row.kind,
        step=row.step,
        medium=row.medium,
        template=row.template,
        currency=row.currency,
        amount=plain(row.amount),
        net_amount=plain(row.net_amount),
        book_net_amount=plain(row.book_net_amount),
        due_since=row.due_since,
        entries=entries,
        mode=row.mode,
        accepted_reasons=tuple(row.accepted_reasons),
        by_hand=row.by_hand,
        counts=row.counts,
        next_step=row.next_step,
        copies=tuple(row.copies),
    )


def plain(amount: Decimal) -> Decimal:
    """As it was said: two decimals wherever they are enough."""
    return decimal(ten_thousandths(amount))
