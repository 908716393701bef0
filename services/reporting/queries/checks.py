"""What needs a look: the alerts of the home page."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.standings import edges
from services.reporting.queries.view import ZERO, View, names
from services.reporting.shapes import Check, Checks, ClientAmount, LastSync, LetteringError

SHOWN = 5
FAILED_DAYS = 30
STOPPED_DAYS = 60
STALE_DAYS = 1

LETTERING_ERRORS = text("""
    select count(*) over () as every, client_id, account, lettering, difference from lettering_error
    where company = :company order by abs(difference) desc, client_id, account, lettering limit :shown
""")

TROUBLE = text("""
    select count(*) over () as every, sum(a.book_net_amount) over () as whole, d.client_id,
        a.book_net_amount as amount, d.status_on as on, d.reason as detail
    from delivery d join action a using (company, client_id, action_id)
    where d.company = :company and d.status = any(cast(:statuses as text[])) and d.status_on >= :since
        and d.status_on <= :as_of
    order by amount desc, d.client_id limit :shown
""")

LATE_WITHOUT_CONTACT = """
    select count(*) over () as every, sum(d.late0) over () as whole, d.client_id, d.late0 as amount,
        cast(null as date) as on, cast(null as text) as detail
    from client c join ({rows}) d on d.client_id = c.client_id and d.late0 > 0
    where c.company = :company and not c.has_email and not c.has_phone
    order by amount desc, d.client_id limit :shown
"""

LATE_PROMISES = text("""
    select count(*) over () as every, sum(amount) over () as whole, client_id, amount, promised_on as on,
        cast(null as text) as detail
    from promise where company = :company and status = 'open' and promised_on < :as_of
    order by amount desc, client_id limit :shown
""")

STOPPED_FOR_LONG = """
    select count(*) over () as every, sum(d.late0) over () as whole, d.client_id, d.late0 as amount,
        c.stopped_on as on, cast(null as text) as detail
    from client c join ({rows}) d on d.client_id = c.client_id and d.late0 > 0
    where c.company = :company and c.stopped_on is not null and c.stopped_on < :stopped_before
    order by amount desc, d.client_id limit :shown
"""


def is_stale(last_sync_on: date | None, as_of: date) -> bool:
    """No successful run on the day or the day before (rule 2.6)."""
    return last_sync_on is None or (as_of - last_sync_on).days > STALE_DAYS


async def checks(tx: AsyncConnection, view: View, last_sync: LastSync | None, owing: str) -> Checks:
    """Every alert of one company and day; ``owing`` selects what each client owes."""
    errors, error_count = await _lettering_errors(tx, view)
    failed = await _found(tx, view, TROUBLE, statuses=["failed", "bounced"], since=view.before(FAILED_DAYS))
    in_doubt = await _found(tx, view, TROUBLE, statuses=["in_doubt"], since=date.min)
    without_contact = await _found(tx, view, text(LATE_WITHOUT_CONTACT.format(rows=owing)))
    promises = await _found(tx, view, LATE_PROMISES)
    stopped = await _found(
        tx, view, text(STOPPED_FOR_LONG.format(rows=owing)), stopped_before=view.before(STOPPED_DAYS)
    )
    stale = is_stale(last_sync.on if last_sync else None, view.as_of)
    alerting = (failed, in_doubt, without_contact, promises, stopped)
    return Checks(
        lettering_errors=errors,
        lettering_error_count=error_count,
        failed_emails=failed,
        emails_in_doubt=in_doubt,
        late_without_contact=without_contact,
        late_promises=promises,
        stopped_for_long=stopped,
        stale=stale,
        count=sum(check.count > 0 for check in alerting) + bool(errors) + stale,
    )


async def _lettering_errors(tx: AsyncConnection, view: View) -> tuple[list[LetteringError], int]:
    """The largest, and how many there are in all."""
    rows = (await tx.execute(LETTERING_ERRORS, {"company": view.company, "shown": SHOWN})).all()
    known = await names(tx, view.company, (row.client_id for row in rows)) if rows else {}
    shown = [
        LetteringError(
            client_id=row.client_id,
            name=known[row.client_id],
            account=row.account,
            lettering=row.lettering,
            difference=Decimal(row.difference),
        )
        for row in rows
    ]
    return shown, rows[0].every if rows else 0


async def _found(tx: AsyncConnection, view: View, statement: TextClause, **parameters: Any) -> Check:
    """The clients of one alert: how many, what they come to, and the largest of them."""
    asked = {"company": view.company, "shown": SHOWN, "as_of": view.as_of, **edges(view), **parameters}
    rows = (await tx.execute(statement, asked)).all()
    known = await names(tx, view.company, (row.client_id for row in rows)) if rows else {}
    return Check(
        count=rows[0].every if rows else 0,
        amount=rows[0].whole if rows else ZERO,
        clients=[
            ClientAmount(
                client_id=row.client_id, name=known[row.client_id], amount=row.amount, on=row.on, detail=row.detail
            )
            for row in rows
        ],
    )
