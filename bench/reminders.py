"""Reminders of invented clients, for benchmarks that carry them out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from contracts.dunning import Action, ActionEntry


def reminder(  # noqa: PLR0913 what the action is
    number: int,
    client_id: str,
    entries: tuple[ActionEntry, ...],
    *,
    step: str,
    medium: Literal["email", "letter"],
    due_since: date,
) -> Action:
    """One action in EUR about these entries; ``number``, not negative, names it."""
    total = sum((entry.amount for entry in entries), Decimal(0))
    return Action(
        action_id=UUID(int=number),
        client_id=client_id,
        kind="reminder",
        step=step,
        medium=medium,
        profile="Standard",
        scenario_version=1,
        currency="EUR",
        amount=total,
        net_amount=total,
        book_net_amount=total,
        due_since=due_since,
        entries=entries,
    )
