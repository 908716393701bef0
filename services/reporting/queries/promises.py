"""Promises: those of one client, and the list of all (rule 10.7)."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.view import ZERO, Page, View
from services.reporting.shapes import PromiseLine, Promises

Status = Literal["expected", "late", "kept", "cancelled"]

CHOSEN = """
    with stated as (
        select m.*, case when m.status <> 'open' then m.status when m.promised_on < :as_of then 'late'
            else 'expected' end as shown
        from promise m where m.company = :company and m.status = any(cast(:recorded as text[])) {client}
    ),
    chosen as materialized (select * from stated where shown = any(cast(:statuses as text[]))),
    overdue as materialized (
        select e.client_id, coalesce(sum(e.book_amount) filter (where e.due_date < :as_of), 0) as amount,
            max(l.level) filter (where l.level like 'R%') as level
        from (select distinct client_id from chosen) c
        join entry e on e.company = :company and e.client_id = c.client_id and e.is_open
        left join entry_level l on l.company = :company and l.client_id = e.client_id and l.entry_id = e.entry_id
        group by e.client_id
    )
    select (select count(*) from chosen) as every, (select sum(amount) from chosen) as whole,
        (select sum(amount) from overdue) as whole_overdue, p.*, coalesce(n.name, p.client_id) as name, e.piece,
        o.level, coalesce(o.amount, 0) as client_overdue
    from (select * from chosen order by promised_on, client_id, promise_id limit :limit offset :offset) p
    left join entry e on e.company = :company and e.client_id = p.client_id and e.entry_id = p.entry_id
    left join person n on n.company = :company and n.client_id = p.client_id
    left join overdue o on o.client_id = p.client_id
    order by p.promised_on, p.client_id, p.promise_id
"""
OF_SALESPEOPLE = """
    and exists (
        select from client c where c.company = :company and c.client_id = m.client_id
            and coalesce(c.salesperson, 'none') = any(cast(:salespeople as text[]))
    )
"""
OF_COMPANY = text(CHOSEN.format(client=""))
OF_SOME = text(CHOSEN.format(client=OF_SALESPEOPLE))
OF_CLIENT = text(CHOSEN.format(client="and m.client_id = :client_id"))
EVERY: tuple[Status, ...] = ("late", "expected", "kept", "cancelled")
RECORDED = {"late": "open", "expected": "open"}
MOST_OF_A_CLIENT = 200


def promise_status(recorded: str, promised_on: date, as_of: date) -> Status:
    """Kept and cancelled are facts; else late from the day after the promised one on (rules 10.2, 10.5)."""
    if recorded == "kept":
        return "kept"
    if recorded == "cancelled":
        return "cancelled"
    return "late" if promised_on < as_of else "expected"


def _line(row: Any, as_of: date) -> PromiseLine:
    return PromiseLine(
        promise_id=row.promise_id,
        client_id=row.client_id,
        name=row.name,
        entry_id=row.entry_id.hex,
        piece=row.piece,
        amount=row.amount,
        currency=row.currency,
        promised_on=row.promised_on,
        days_late=(as_of - row.promised_on).days,
        status=promise_status(row.status, row.promised_on, as_of),
        recorded_on=row.recorded_on,
        level=row.level,
        overdue=row.client_overdue,
    )


async def promises(  # noqa: PLR0913, PLR0917 - one parameter per filter
    tx: AsyncConnection,
    view: View,
    statuses: Sequence[str],
    client_id: str | None,
    page: Page,
    salespeople: Sequence[str] = (),
) -> Promises:
    """Promises of these statuses, earliest day first; a page beyond the last has neither rows nor totals."""
    asked: dict[str, Any] = {
        "company": view.company,
        "as_of": view.as_of,
        "statuses": list(statuses),
        "recorded": sorted({RECORDED.get(status, status) for status in statuses}),
        **page.bounds,
    }
    if client_id is None and salespeople:
        rows = (await tx.execute(OF_SOME, {**asked, "salespeople": list(salespeople)})).all()
    elif client_id is None:
        rows = (await tx.execute(OF_COMPANY, asked)).all()
    else:
        rows = (await tx.execute(OF_CLIENT, {**asked, "client_id": client_id})).all()
    count = rows[0].every if rows else 0
    return Promises(
        as_of=view.as_of,
        currency=view.currency,
        count=count,
        amount=rows[0].whole if rows else ZERO,
        overdue=rows[0].whole_overdue or ZERO if rows else ZERO,
        rows=[_line(row, view.as_of) for row in rows],
        **page.shape(count),
    )


async def client_promises(tx: AsyncConnection, view: View, client_id: str) -> list[PromiseLine]:
    """Every promise of a client, kept and cancelled ones included."""
    return (await promises(tx, view, EVERY, client_id, Page(1, MOST_OF_A_CLIENT))).rows
