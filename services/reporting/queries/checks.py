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
    asked: dict[str, Any] = {"company": view.company, "shown": SHOWN}

    async def found(statement: TextClause, **parameters: Any) -> Check:
        rows = (await tx.execute(statement, {**asked, **edges(view), **parameters})).all()
        known = await names(tx, view.company, (row.client_id for row in rows)) if rows else {}
        return Check(
            count=rows[0].every if rows else 0,
            amount=rows[0].whole if rows else ZERO,
            clients=[
                ClientAmount(
                    client_id=row.client_id,
                    name=known[row.client_id],
                    amount=row.amount,
                    on=row.on,
                    detail=row.detail,
                )
                for row in rows
            ],
        )

    errors = (await tx.execute(LETTERING_ERRORS, asked)).all()
    known = await names(tx, view.company, (row.client_id for row in errors)) if errors else {}
    day = {"as_of": view.as_of}
    failed = await found(TROUBLE, statuses=["failed", "bounced"], since=view.before(FAILED_DAYS), **day)
    in_doubt = await found(TROUBLE, statuses=["in_doubt"], since=date.min, **day)
    without_contact = await found(text(LATE_WITHOUT_CONTACT.format(rows=owing)), **day)
    promises = await found(LATE_PROMISES, **day)
    stopped = await found(
        text(STOPPED_FOR_LONG.format(rows=owing)), stopped_before=view.before(STOPPED_DAYS), **day
    )
    stale = is_stale(last_sync.on if last_sync else None, view.as_of)
    lines = (
        len(errors),
        failed.count,
        in_doubt.count,
        without_contact.count,
        promises.count,
        stopped.count,
        stale,
    )
    return Checks(
        lettering_errors=[
            LetteringError(
                client_id=row.client_id,
                name=known[row.client_id],
                account=row.account,
                lettering=row.lettering,
                difference=Decimal(row.difference),
            )
            for row in errors
        ],
        lettering_error_count=errors[0].every if errors else 0,
        failed_emails=failed,
        emails_in_doubt=in_doubt,
        late_without_contact=without_contact,
        late_promises=promises,
        stopped_for_long=stopped,
        stale=stale,
        count=sum(bool(line) for line in lines),
    )
