"""The statement of account of one client, as of today or of a past day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.terms import days_late, is_open, is_overdue
from services.reporting.queries.late_interest import late_interest
from services.reporting.queries.promises import promise_status
from services.reporting.queries.view import LEAVES_BY_ITSELF, ZERO, View
from services.reporting.shapes import EntryPromise, Statement, StatementEntry

MOST = 2000

ENTRIES = text(f"""
    select e.*, h.automatic, {LEAVES_BY_ITSELF} as leaves_by_itself, m.stopped_on, m.resumes_on, m.expected_on,
        coalesce(m.notes, 0) as notes, d.dispute_id, d.reason as dispute_reason, l.level, l.next_step,
        coalesce(x.reasons, '{{}}') as reasons,
        r.difference
    from entry e
    left join entry_mark m using (company, client_id, entry_id)
    left join lateral (
        select dispute_id, reason from dispute d
        where d.company = e.company and d.client_id = e.client_id and d.entry_id = e.entry_id
            and d.closed_on is null
        limit 1
    ) d on true
    left join entry_level l using (company, client_id, entry_id)
    left join exclusion x using (company, client_id, entry_id)
    left join automatic_choice h using (company, client_id, entry_id)
    left join lettering_error r using (company, client_id, account, lettering)
    where e.company = :company and e.client_id = :client_id and not e.archived and e.entry_date <= :latest
    order by e.is_open desc, e.due_date desc, e.entry_id limit :most
""")  # noqa: S608 - a fragment of this package
PROMISES = text("""
    select promise_id, entry_id, amount, currency, promised_on, status from promise
    where company = :company and client_id = :client_id and status = 'open' order by promised_on, promise_id
""")
ACTIONS = text("""
    select action_id, entry_ids from action
    where company = :company and client_id = :client_id and status in ('proposed', 'due') order by due_since desc
""")


def settled_on(lines: Iterable[Any]) -> dict[tuple[str, str], date]:
    """By account and code, the day on which the last line of a lettering group was there: its settlement."""
    days: dict[tuple[str, str], date] = {}
    for line in lines:
        if line.lettering is not None:
            key = (line.account, line.lettering)
            days[key] = max(days.get(key, line.entry_date), line.entry_date)
    return days


def badge(credit: bool, settled: bool, due_date: date, on: date) -> Literal["upcoming", "late", "settled"]:
    """The colour of the day badge (rule 1.9)."""
    if credit or settled:
        return "settled"
    return "late" if is_overdue(due_date, on) else "upcoming"


async def statement(tx: AsyncConnection, view: View, client_id: str, past_day: date | None) -> Statement:
    """Every line, ordered by due date; or those there on a past day, when a line settled since was open."""
    on = past_day or view.as_of
    asked = {"company": view.company, "client_id": client_id}
    bounds = {"latest": past_day or date.max, "most": MOST + 1, "automatic_from": view.automatic_from}
    rows = (await tx.execute(ENTRIES, {**asked, **bounds})).all()
    promises: dict[UUID, list[EntryPromise]] = defaultdict(list)
    for row in await tx.execute(PROMISES, asked):
        promises[row.entry_id].append(
            EntryPromise(
                promise_id=row.promise_id,
                amount=row.amount,
                currency=row.currency,
                promised_on=row.promised_on,
                status=promise_status(row.status, row.promised_on, view.as_of),
            )
        )
    actions = {entry: row.action_id for row in await tx.execute(ACTIONS, asked) for entry in row.entry_ids}
    shown = sorted(rows[:MOST], key=lambda row: (row.due_date, row.entry_date, row.piece, row.entry_id))
    settlements = settled_on(shown) if past_day is None else await _settlements(tx, asked)
    lines = [_line(row, on, past_day is not None, settlements, promises, actions) for row in shown]
    return Statement(
        on=on,
        entries=lines,
        debit=sum((line.debit for line in lines if line.open), ZERO),
        credit=sum((line.credit for line in lines if line.open), ZERO),
        balance=sum((line.book_amount for line in lines if line.open), ZERO),
        truncated=len(rows) > MOST,
        late_interest=await late_interest(tx, view.company, client_id, lines, on),
    )


LETTERED = text("""
    select account, lettering, max(entry_date) as entry_date from entry
    where company = :company and client_id = :client_id and lettering is not null and not archived
    group by account, lettering
""")


async def _settlements(tx: AsyncConnection, asked: Mapping[str, Any]) -> dict[tuple[str, str], date]:
    return settled_on(await tx.execute(LETTERED, dict(asked)))


def _line(  # noqa: PLR0913, PLR0917 - what one line is made of
    row: Any,
    on: date,
    is_past: bool,
    settlements: Mapping[tuple[str, str], date],
    promises: Mapping[UUID, list[EntryPromise]],
    actions: Mapping[UUID, UUID],
) -> StatementEntry:
    settlement = settlements.get((row.account, row.lettering))
    later = is_past and settlement is not None and settlement > on
    opened = is_open(row.lettering, row.difference or Decimal(0)) or later
    until = on if opened or settlement is None else settlement
    return StatementEntry(
        entry_id=row.entry_id.hex,
        account=row.account,
        kind=row.kind,
        journal=row.journal,
        piece=row.piece,
        entry_date=row.entry_date,
        invoice_date=row.invoice_date,
        due_date=row.due_date,
        days_late=days_late(row.due_date, until),
        badge=badge(row.book_amount < 0, not opened, row.due_date, on),
        debit=row.debit,
        credit=row.credit,
        currency=row.currency,
        book_amount=row.book_amount,
        payment_mode=row.payment_mode,
        lettering=None if later else row.lettering,
        lettered_on=None if later else row.lettered_on,
        open=opened,
        lettering_error=row.difference,
        level=row.level,
        forced_step=row.next_step,
        stopped_on=row.stopped_on,
        resumes_on=row.resumes_on,
        expected_on=row.expected_on,
        dispute_id=row.dispute_id,
        dispute_reason=row.dispute_reason,
        promises=promises.get(row.entry_id, []),
        notes=row.notes,
        excluded=sorted(row.reasons),
        automatic=row.automatic,
        leaves_by_itself=opened and row.book_amount > 0 and row.leaves_by_itself,
        pending_action_id=actions.get(row.entry_id),
    )
