"""Disputes: those of one client, and the list of all (rule 11.2)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.view import ZERO, Page, View
from services.reporting.shapes import DisputeLine, Disputes

MOST_OF_A_CLIENT = 200
EVERY = ("open", "closed")

CHOSEN = """
    with chosen as materialized (
        select d.* from dispute d
        where d.company = :company
            and case when d.closed_on is null then 'open' else 'closed' end = any(cast(:statuses as text[]))
            and (cast(:client_id as text) is null or d.client_id = :client_id)
            and (cardinality(cast(:reasons as text[])) = 0 or d.reason = any(cast(:reasons as text[])))
    ),
    account as materialized (
        select e.client_id, sum(e.book_amount) as due, max(l.level) filter (where l.level like 'R%') as level
        from (select distinct client_id from chosen) c
        join entry e on e.company = :company and e.client_id = c.client_id and e.is_open
        left join entry_level l on l.company = :company and l.client_id = e.client_id and l.entry_id = e.entry_id
        group by e.client_id
    ),
    contested as materialized (
        select c.*, case when c.entry_id is null then coalesce(a.due, 0)
            when e.is_open then e.book_amount else 0 end as amount, coalesce(a.due, 0) as due, a.level, e.piece,
            c.entry_id is not null and exists (select from chosen whole where whole.client_id = c.client_id
                and whole.entry_id is null) as counted
        from chosen c
        left join account a on a.client_id = c.client_id
        left join entry e on e.company = :company and e.client_id = c.client_id and e.entry_id = c.entry_id
    )
    select (select count(*) from contested) as every, (select sum(due) from account) as whole_due,
        (select sum(amount) from contested where not counted) as whole, p.*, coalesce(n.name, p.client_id) as name
    from (
        select * from contested order by closed_on desc nulls first, opened_on, client_id, dispute_id
        limit :limit offset :offset
    ) p
    left join person n on n.company = :company and n.client_id = p.client_id
    order by p.closed_on desc nulls first, p.opened_on, p.client_id, p.dispute_id
"""


async def disputes(  # noqa: PLR0913, PLR0917 - one parameter per filter
    tx: AsyncConnection,
    view: View,
    statuses: Sequence[str],
    reasons: Sequence[str],
    client_id: str | None,
    page: Page,
) -> Disputes:
    """Disputes of these statuses, open ones first, the oldest first; a page beyond the last has no totals."""
    asked: dict[str, Any] = {
        "company": view.company,
        "statuses": list(statuses),
        "reasons": list(reasons),
        "client_id": client_id,
        **page.bounds,
    }
    rows = (await tx.execute(text(CHOSEN), asked)).all()
    count = rows[0].every if rows else 0
    return Disputes(
        as_of=view.as_of,
        currency=view.currency,
        count=count,
        amount=rows[0].whole or ZERO if rows else ZERO,
        due=rows[0].whole_due or ZERO if rows else ZERO,
        rows=[_line(row, view) for row in rows],
        **page.shape(count),
    )


def _line(row: Any, view: View) -> DisputeLine:
    return DisputeLine(
        dispute_id=row.dispute_id,
        client_id=row.client_id,
        name=row.name,
        entry_id=row.entry_id.hex if row.entry_id else None,
        piece=row.piece,
        reason=row.reason,
        opened_on=row.opened_on,
        opened_by=row.opened_by,
        days_open=((row.closed_on or view.as_of) - row.opened_on).days,
        closed_on=row.closed_on,
        closed_by=row.closed_by,
        level=row.level,
        amount=row.amount,
        due=row.due,
    )


async def client_disputes(tx: AsyncConnection, view: View, client_id: str) -> list[DisputeLine]:
    """Every dispute of a client, closed ones included."""
    return (await disputes(tx, view, EVERY, (), client_id, Page(1, MOST_OF_A_CLIENT))).rows
