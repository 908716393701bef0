"""Alerts on reminders (rule 15.5): mails in error, late actions, missing contacts, stopped clients in arrears."""

from datetime import date
from typing import Any, get_args

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.view import View, names
from services.reporting.shapes import Alert, AlertKind, Alerts

KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
MOST = 500
MAIL_DAYS = 30

MAIL = """
    select count(*) over () as every, d.client_id, a.action_id, a.medium, a.step, a.book_net_amount as amount,
        d.status_on as on, coalesce(d.reason, d.status) as detail
    from delivery d join action a using (company, client_id, action_id)
    where d.company = :company and d.status in ('failed', 'bounced', 'in_doubt') and d.status_on <= :as_of
        and (d.status_on >= :since or d.status = 'in_doubt')
    order by d.status_on desc, d.client_id, a.action_id limit :most
"""

REPLY = """
    select count(*) over () as every, r.client_id, a.action_id, a.medium, a.step, a.book_net_amount as amount,
        r.received_on as on, cast(null as text) as detail
    from reply r join action a using (company, client_id, action_id)
    where r.company = :company and not r.handled and r.received_on <= :as_of
    order by r.received_at desc, r.client_id, a.action_id limit :most
"""

LATE_ACTION = """
    select count(*) over () as every, client_id, action_id, medium, step, book_net_amount as amount,
        due_since as on, cast(null as text) as detail
    from action where company = :company and status in ('proposed', 'due') and due_since < :late_before
    order by due_since, client_id, action_id limit :most
"""

MISSING_CONTACT = """
    select count(*) over () as every, a.client_id, a.action_id, a.medium, a.step, a.book_net_amount as amount,
        a.due_since as on, cast(null as text) as detail
    from action a left join client c using (company, client_id)
    where a.company = :company and a.status in ('proposed', 'due') and not coalesce(
        case a.medium when 'email' then c.has_email when 'phone' then c.has_phone
            when 'letter' then c.has_address else true end, false)
    order by a.book_net_amount desc, a.client_id, a.action_id limit :most
"""

STOPPED_LATE = """
    select count(*) over () as every, d.client_id, cast(null as uuid) as action_id, cast(null as text) as medium,
        cast(null as text) as step, d.amount, d.stopped_on as on, cast(null as text) as detail
    from (
        select c.client_id, c.stopped_on, sum(e.book_amount) as amount
        from client c join entry e using (company, client_id)
        where c.company = :company and c.stopped_on is not null and e.is_open and e.due_date < :as_of
            and (c.resumes_on is null or c.resumes_on > :as_of)
        group by c.client_id, c.stopped_on having sum(e.book_amount) > 0
    ) d
    order by d.amount desc, d.client_id limit :most
"""


async def alerts(tx: AsyncConnection, view: View, kind: AlertKind | None, late_after: int) -> Alerts:
    """The counts of every kind, and the rows of one of them or of all; at most 500 rows of a kind.

    An action is late when it has been due for more than ``late_after`` days.
    """
    asked: dict[str, Any] = {
        "company": view.company,
        "most": MOST,
        "as_of": view.as_of,
        "since": view.before(MAIL_DAYS),
        "late_before": view.before(late_after),
    }
    statements = {
        "mail": MAIL,
        "reply": REPLY,
        "late_action": LATE_ACTION,
        "missing_contact": MISSING_CONTACT,
        "stopped_late": STOPPED_LATE,
    }
    counts: dict[str, int] = {}
    found: list[tuple[AlertKind, Any]] = []
    for one in KINDS:
        rows = (await tx.execute(text(statements[one]), asked)).all()
        counts[one] = rows[0].every if rows else 0
        found += [(one, row) for row in rows if kind in (None, one)]
    known = await names(tx, view.company, {row.client_id for _, row in found}) if found else {}
    return Alerts(
        late_after=late_after,
        counts=counts,
        rows=[
            Alert(
                kind=one,
                client_id=row.client_id,
                name=known[row.client_id],
                action_id=row.action_id,
                medium=row.medium,
                step=row.step,
                amount=row.amount,
                on=row.on,
                days=_days(row.on, view.as_of),
                detail=row.detail,
            )
            for one, row in found
        ],
    )


def _days(on: date, as_of: date) -> int:
    return (as_of - on).days
