"""The statement of account of a client as it was known on a day: its lines, what was said of each, the totals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from contracts import sync
from contracts.terms import days_late, is_open, is_overdue
from services.dunning.domain.evolve import ClientBook
from services.dunning.domain.memory import Memory, PromiseMade, Since
from services.dunning.domain.scenario import level_name

ZERO = Decimal(0)


class StatementLine(NamedTuple):
    """``late`` counts to the day, or for a settled line to its settlement (rule 1.8). ``badge`` is its colour
    (rule 1.9): ``upcoming``, ``late`` or ``settled``.
    """

    line: sync.SyncedEntry
    open: bool
    late: int
    badge: str
    error: Decimal | None
    level: str | None
    stop: Since | None
    resumes_on: date | None
    expected_on: date | None
    dispute: tuple[UUID, str] | None
    promises: tuple[PromiseMade, ...]
    notes: int
    excluded: tuple[str, ...]
    action_id: UUID | None


@dataclass(frozen=True)
class Statement:
    """Settled lines included, ordered by due date; totals over the open ones, ``balance`` in the bookkeeping
    currency.
    """

    on: date
    lines: tuple[StatementLine, ...]
    debit: Decimal
    credit: Decimal
    balance: Decimal


def statement(book: ClientBook, memory: Memory, on: date) -> Statement:
    settled = _settlements(book)
    actions = {entry.entry_id: action_id for action_id, action in book.actions.items() for entry in action.entries}
    lines = [_line(line, book, memory, on, settled, actions) for line in book.lines.values() if not line.removed]
    lines.sort(key=lambda one: (one.line.due_date, one.line.entry_date, one.line.piece, one.line.entry_id))
    opened = [one.line for one in lines if one.open]
    return Statement(
        on,
        tuple(lines),
        sum((line.debit for line in opened), ZERO),
        sum((line.credit for line in opened), ZERO),
        sum((line.book_amount for line in opened), ZERO),
    )


def _settlements(book: ClientBook) -> dict[tuple[str, str], date]:
    """By account and code, the day on which the last line of the group was there."""
    days: dict[tuple[str, str], date] = {}
    for line in book.lines.values():
        if line.lettering is not None and not line.removed:
            key = (line.account, line.lettering)
            days[key] = max(days.get(key, line.entry_date), line.entry_date)
    return days


def _line(  # noqa: PLR0913, PLR0917 - what one line is made of
    line: sync.SyncedEntry,
    book: ClientBook,
    memory: Memory,
    on: date,
    settled: Mapping[tuple[str, str], date],
    actions: Mapping[str, UUID],
) -> StatementLine:
    key = (line.account, line.lettering or "")
    error = memory.errors.get(key) if line.lettering is not None else None
    opened = is_open(line.lettering, error or ZERO)
    stage = book.stages.get(line.entry_id)
    disputes = [one for one in memory.disputes.values() if one.entry_id == line.entry_id]
    promises = [one for one in memory.promises.values() if one.entry_id == line.entry_id]
    return StatementLine(
        line=line,
        open=opened,
        late=days_late(line.due_date, on if opened else settled.get(key, on)),
        badge=_badge(line, opened, on),
        error=error,
        level=level_name(stage.level) if stage is not None else None,
        stop=memory.entry_stops.get(line.entry_id),
        resumes_on=book.stopped_entries.get(line.entry_id),
        expected_on=memory.expected_on.get(line.entry_id),
        dispute=(disputes[0].dispute_id, disputes[0].reason) if disputes else None,
        promises=tuple(sorted(promises, key=lambda one: (one.promised_on, one.promise_id))),
        notes=memory.notes.get(line.entry_id, 0),
        excluded=memory.excluded.get(line.entry_id, ()),
        action_id=actions.get(line.entry_id),
    )


def _badge(line: sync.SyncedEntry, opened: bool, on: date) -> str:
    if line.book_amount < 0 or not opened:
        return "settled"
    return "late" if is_overdue(line.due_date, on) else "upcoming"
