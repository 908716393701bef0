"""What concerns the person at the screen: flagged clients (rule 16.6), notes that call on it (rule 15.7)."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.view import View
from services.reporting.shapes import Mention, Mentions, Timeline, TimelineEvent

WEEK, MONTH = 7, 30
MOST = 50

AHEAD = text("""
    with flagged as materialized (select client_id from client where company = :company and flagged),
    event as (
        select coalesce(m.expected_on, e.due_date) as happens_on, client_id, 'due' as kind,
            cast(null as text) as step, cast(null as text) as medium, cast(null as text) as detail, e.piece,
            e.book_amount as amount, cast(null as text) as currency
        from flagged join entry e using (client_id)
        left join entry_mark m using (company, client_id, entry_id)
        where e.company = :company and e.is_open and e.book_amount > 0
        union all
        select p.promised_on, client_id, 'promise_due', null, null, null, e.piece, p.amount, p.currency
        from flagged join promise p using (client_id)
        left join entry e using (company, client_id, entry_id)
        where p.company = :company and p.status = 'open'
        union all
        select :as_of, client_id, 'action', a.step, a.medium, null, null, a.net_amount, a.currency
        from flagged join action a using (client_id)
        where a.company = :company and a.status in ('proposed', 'due')
    )
    select event.*, coalesce(n.name, event.client_id) as name, (select count(*) from flagged) as flagged
    from event left join person n on n.company = :company and n.client_id = event.client_id
    where happens_on between :as_of and :until
    order by happens_on, event.client_id, kind, piece limit :most
""")

PAST = text("""
    with flagged as materialized (select client_id from client where company = :company and flagged)
    select event.*, coalesce(n.name, event.client_id) as name
    from (
        select a.done_on as happened_on, a.client_id, a.kind, a.step, a.medium, cast(null as text) as detail,
            cast(null as text) as piece, a.net_amount as amount, a.currency
        from flagged join action a using (client_id)
        where a.company = :company and a.status = 'done' and a.done_on between :since and :until
        union all
        select f.happened_on, f.client_id, f.kind, null, null, f.detail, e.piece, coalesce(f.amount,
            (select sum(paid.book_amount) from entry paid where paid.company = :company
                and paid.client_id = f.client_id and paid.entry_id = any(f.entry_ids) and f.kind = 'payment'),
            e.book_amount), f.currency
        from flagged join fact f using (client_id)
        left join entry e on e.company = :company and e.client_id = f.client_id and e.entry_id = f.entry_ids[1]
        where f.company = :company and f.happened_on between :since and :until
    ) event
    left join person n on n.company = :company and n.client_id = event.client_id
    order by happened_on desc, event.client_id, kind limit :most
""")

FLAGGED = text("select count(*) from client where company = :company and flagged")


MENTIONS = text("""
    select m.*, coalesce(n.name, m.client_id) as name, e.piece from mention m
    left join person n on n.company = m.company and n.client_id = m.client_id
    left join entry e on e.company = m.company and e.client_id = m.client_id and e.entry_id = m.entry_id
    where m.company = :company and m.mentioned = :user and m.noted_on between :since and :as_of
    order by m.noted_at desc, m.note_id limit :most
""")


async def mentions(tx: AsyncConnection, view: View, user: str) -> Mentions:
    """The notes of the last 30 days that call on a user, as events name it (rule 15.7)."""
    asked = {"company": view.company, "user": user, "since": view.before(MONTH), "as_of": view.as_of, "most": MOST}
    return Mentions(
        as_of=view.as_of,
        rows=[
            Mention(
                note_id=row.note_id,
                client_id=row.client_id,
                name=row.name,
                entry_id=row.entry_id.hex if row.entry_id else None,
                piece=row.piece,
                on=row.noted_on,
                at=row.noted_at,
                by=row.noted_by,
            )
            for row in await tx.execute(MENTIONS, asked)
        ],
    )


def _event(row: Any, on: Any, currency: str) -> TimelineEvent:
    return TimelineEvent(
        on=on,
        client_id=row.client_id,
        name=row.name,
        kind=row.kind,
        step=row.step,
        medium=row.medium,
        detail=row.detail,
        piece=row.piece,
        amount=row.amount,
        currency=(row.currency or currency) if row.amount is not None else None,
    )


async def timeline(tx: AsyncConnection, view: View) -> Timeline:
    """What comes in the next 7 days, what came in the last 7 and in the 30 before today."""
    asked = {"company": view.company, "as_of": view.as_of, "most": MOST}
    flagged = await tx.scalar(FLAGGED, {"company": view.company})
    if not flagged:
        return Timeline(as_of=view.as_of, flagged=0, ahead=[], week=[], month=[])
    ahead = await tx.execute(AHEAD, {**asked, "until": view.as_of + timedelta(days=WEEK)})
    week = await tx.execute(PAST, {**asked, "since": view.before(WEEK), "until": view.as_of})
    month = await tx.execute(PAST, {**asked, "since": view.before(MONTH), "until": view.before(WEEK + 1)})
    return Timeline(
        as_of=view.as_of,
        flagged=flagged,
        ahead=[_event(row, row.happens_on, view.currency) for row in ahead],
        week=[_event(row, row.happened_on, view.currency) for row in week],
        month=[_event(row, row.happened_on, view.currency) for row in month],
    )
