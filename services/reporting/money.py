"""What the books and the day amount to, as measures: due, overdue, reminded, and messages by what became of them.

One row per company, currency, medium and status: nothing of a client or a person is ever a label.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.cancellation import heed_cancellation
from chassis.database import is_transient, transaction
from chassis.running import Running

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
LEAST_REST = 20
"""Times as long as the counting took: a large book is counted less often, not at the cost of its pages."""

DUE = Gauge(
    "relance_money_due",
    "What clients owe who owe more than they are owed, in the company's currency",
    ["company", "currency"],
    registry=None,
)
OVERDUE = Gauge(
    "relance_money_overdue",
    "What of it was due before today, credits deducted",
    ["company", "currency"],
    registry=None,
)
REMINDED = Gauge(
    "relance_money_reminded_today",
    "What today's reminders that were carried out ask for, in the currency of the entries",
    ["company", "currency"],
    registry=None,
)
MESSAGES = Gauge(
    "relance_messages_today",
    "Mails and letters that today's business date asked for, by what became of them",
    ["company", "medium", "status"],
    registry=None,
)
MEASURES = (DUE, OVERDUE, REMINDED, MESSAGES)

OWED = text("""
    select f.company, f.currency, coalesce(sum(owed.total), 0) as due, coalesce(sum(owed.late), 0) as overdue
    from followed_company f left join lateral (
        select sum(e.book_amount) as total, coalesce(sum(e.book_amount) filter (
            where e.due_date < cast(now() at time zone f.time_zone as date)), 0) as late
        from entry e where e.company = f.company and e.is_open
        group by e.client_id having sum(e.book_amount) > 0
    ) owed on true
    group by f.company, f.currency
""")
"""From the index of open entries alone; debit-balance accounts only (rule 1.5)."""

TODAY = text("""
    select a.company, a.currency, a.medium,
        case when a.medium in ('email', 'letter') then coalesce(d.status, 'waiting') end as status,
        count(*) as actions,
        coalesce(sum(a.net_amount) filter (where a.status = 'done' and a.kind = 'reminder'), 0) as reminded
    from followed_company f
    join action a on a.company = f.company and a.started_on = cast(now() at time zone f.time_zone as date)
    left join delivery d on d.company = a.company and d.client_id = a.client_id and d.action_id = a.action_id
    group by 1, 2, 3, 4
""")


async def count(tx: AsyncConnection) -> None:
    """Count once."""
    owed = (await tx.execute(OWED)).all()
    today = (await tx.execute(TODAY)).all()
    for measure in MEASURES:
        measure.clear()
    for row in owed:
        DUE.labels(row.company, row.currency).set(float(row.due))
        OVERDUE.labels(row.company, row.currency).set(float(row.overdue))
    for row in today:
        REMINDED.labels(row.company, row.currency).inc(float(row.reminded))
        if row.status is not None:
            MESSAGES.labels(row.company, row.medium, row.status).inc(row.actions)


async def keep_counted(running: Running, every_seconds: float = EVERY_SECONDS) -> None:
    """Count once a minute until cancelled; who does not count shows nothing, rather than old figures."""
    registry = running.telemetry.registry
    for measure in MEASURES:
        registry.register(measure)
    try:
        while True:
            heed_cancellation()
            began = monotonic()
            try:
                async with transaction(running.engine) as tx:
                    await count(tx)
            except Exception as error:
                # pages are served whether it is counted or not: that must not make the process unready
                for measure in MEASURES:
                    measure.clear()
                log.warning("money not counted", exc_info=not is_transient(error))
            await asyncio.sleep(max(every_seconds, LEAST_REST * (monotonic() - began)))
    finally:
        for measure in MEASURES:
            measure.clear()
            registry.unregister(measure)
