"""The page of one client: amounts, what waits, what was promised, its statement and its history."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.activities import Sought, activities
from services.reporting.queries.disputes import client_disputes
from services.reporting.queries.promises import client_promises
from services.reporting.queries.statement import statement
from services.reporting.queries.view import EARLIER_CODES, ZERO, Page, View
from services.reporting.shapes import ClientPage, ContactSummary, PendingAction

HISTORY = 100
DSO_DAYS = 365
Score = Literal["A", "B", "C", "D", "E"]
SCORES: tuple[tuple[int, Score], ...] = ((0, "A"), (15, "B"), (30, "C"), (60, "D"))
"""Average delay in days up to which a score holds; beyond is E (rule 17.2)."""

HEADER = text(f"""
    select k.client_id, n.name, n.sort_key, coalesce(c.profile, :default_profile) as profile, c.category,
        c.payment_mode, coalesce(c.has_email, false) as has_email, coalesce(c.has_phone, false) as has_phone,
        coalesce(c.has_address, false) as has_address, c.stopped_on, c.stopped_by, c.resumes_on,
        coalesce(c.flagged, false) as flagged, coalesce(c.notes, 0) as notes,
        s.with_email, s.without_email,
        (select into_client_id from client_merge g where g.company = :company and g.client_id = :client_id)
            as merged_into,
        array(select g.client_id from ({EARLIER_CODES}) g where g.client_id <> :client_id
            order by g.client_id) as merged_from
    from (
        select :client_id as client_id
        where exists (select 1 from client where company = :company and client_id = :client_id)
            or exists (select 1 from entry where company = :company and client_id = :client_id)
    ) k
    left join client c on c.company = :company and c.client_id = k.client_id
    left join person n on n.company = :company and n.client_id = k.client_id
    left join scenario s on s.company = :company and s.profile = coalesce(c.profile, :default_profile)
""")  # noqa: S608 - a fragment of this package

REPLY = text("""
    select action_id, received_on from reply
    where company = :company and client_id = :client_id and not handled and received_on <= :as_of
    order by received_at desc limit 1
""")

AMOUNTS = text("""
    select coalesce(sum(book_amount) filter (where is_open), 0) as amount_due,
        coalesce(sum(book_amount) filter (where is_open and due_date < :as_of), 0) as overdue,
        count(*) filter (where is_open and due_date < :as_of and book_amount > 0) as overdue_entries,
        count(*) filter (where is_open and due_date >= :as_of and book_amount > 0) as upcoming_entries,
        min(due_date) filter (where is_open and due_date < :as_of and book_amount > 0) as overdue_since,
        min(due_date) filter (where is_open and due_date >= :as_of and book_amount > 0) as next_due_date,
        coalesce(-sum(book_amount) filter (where credit <> 0 and entry_date between :paid_since and :as_of), 0)
            as paid,
        max(entry_date) filter (where credit <> 0 and kind = 'payment' and entry_date <= :as_of)
            as last_payment_on,
        sum(book_amount) filter (where kind = 'invoice' and entry_date > :dso_since and entry_date <= :as_of)
            as invoiced
    from entry where company = :company and client_id = :client_id and not archived
""")

DELAY = text("""
    with paid as (
        select account, lettering, max(entry_date) filter (where credit <> 0) as paid_on
        from entry
        where company = :company and client_id = :client_id and lettering is not null and not archived
        group by account, lettering
    )
    select sum((p.paid_on - e.due_date) * e.book_amount) as weighted, sum(e.book_amount) as settled
    from entry e join paid p using (account, lettering)
    where e.company = :company and e.client_id = :client_id and not e.archived and not e.is_open
        and e.book_amount > 0 and p.paid_on between :fiscal_year and :as_of
""")
"""Settled debits of the fiscal year, weighted by amount (rule 17.2)."""

LEVEL = text("""
    select max(l.level) from entry e join entry_level l using (company, client_id, entry_id)
    where e.company = :company and e.client_id = :client_id and e.is_open and l.level like 'R%'
""")

CONTACTS = text("""
    select kind, count(*) as actions, max(done_on) as last_on from action
    where company = :company and client_id = :client_id and status = 'done' and done_on <= :as_of
    group by kind
""")

PENDING = text("""
    select action_id, kind, step, medium, status, due_since, amount, net_amount, currency, entry_ids from action
    where company = :company and client_id = :client_id and status in ('proposed', 'due')
    order by due_since, action_id
""")

BEFORE = text("""
    select client_id from person
    where company = :company and (sort_key, client_id) < (:sort_key, :client_id)
    order by sort_key desc, client_id desc limit 1
""")
AFTER = text("""
    select client_id from person
    where company = :company and (sort_key, client_id) > (:sort_key, :client_id)
    order by sort_key, client_id limit 1
""")


def score(average_delay: Decimal) -> Score:
    """The bad-payer score of an average delay in days (rule 17.2)."""
    return next((letter for days, letter in SCORES if average_delay <= days), "E")


def next_level(level: str | None, steps: Sequence[dict[str, Any]], pending: Sequence[PendingAction]) -> str | None:
    """The reminder that waits, else the enabled one that follows ``level`` in the scenario."""
    waiting = sorted(action.step for action in pending if action.kind == "reminder")
    if waiting:
        return waiting[-1]
    reminders = sorted(
        step["step"] for step in steps if step["step"].startswith("R") and step.get("enabled", True)
    )
    return next((step for step in reminders if level is None or step > level), None)


def whole_days(days: Decimal) -> int:
    """Rounded half-even, for display (rule 1.7)."""
    return int(days.quantize(Decimal(1), ROUND_HALF_EVEN))


async def _pending(tx: AsyncConnection, asked: dict[str, Any], as_of: date) -> list[PendingAction]:
    return [
        PendingAction(
            action_id=row.action_id,
            kind=row.kind,
            step=row.step,
            medium=row.medium,
            status=row.status,
            due_since=row.due_since,
            days_since=(as_of - row.due_since).days,
            amount=row.amount,
            net_amount=row.net_amount,
            currency=row.currency,
            entry_ids=[entry.hex for entry in row.entry_ids],
        )
        for row in await tx.execute(PENDING, asked)
    ]


async def client_page(
    tx: AsyncConnection, view: View, client_id: str, statement_on: date | None = None
) -> ClientPage | None:
    """Everything about one client; ``None`` for one never heard of. ``statement_on`` asks the statement of a past
    day."""
    asked = {"company": view.company, "client_id": client_id}
    header = (await tx.execute(HEADER, {**asked, "default_profile": view.default_profile})).one_or_none()
    if header is None:
        return None
    days = {"as_of": view.as_of}
    since = {"paid_since": view.paid_since, "dso_since": view.before(DSO_DAYS)}
    amounts = (await tx.execute(AMOUNTS, {**asked, **days, **since})).one()
    delay = (await tx.execute(DELAY, {**asked, **days, "fiscal_year": view.fiscal_year})).one()
    average = Decimal(delay.weighted) / delay.settled if delay.settled else None
    contacts = {
        row.kind: ContactSummary(actions=row.actions, last_on=row.last_on)
        for row in await tx.execute(CONTACTS, {**asked, **days})
    }
    reply = (await tx.execute(REPLY, {**asked, **days})).one_or_none()
    never = ContactSummary(actions=0, last_on=None)
    level = await tx.scalar(LEVEL, asked)
    pending = await _pending(tx, asked, view.as_of)
    steps = (header.with_email if header.has_email else header.without_email) or []
    history = await activities(tx, view, Sought(client_id=client_id, page=Page(1, HISTORY)))
    place = {**asked, "sort_key": header.sort_key}
    return ClientPage(
        as_of=view.as_of,
        currency=view.currency,
        client_id=client_id,
        name=header.name or client_id,
        known=header.name is not None,
        profile=header.profile,
        category=header.category,
        payment_mode=header.payment_mode,
        has_email=header.has_email,
        has_phone=header.has_phone,
        has_address=header.has_address,
        stopped_on=header.stopped_on,
        stopped_by=header.stopped_by,
        resumes_on=header.resumes_on,
        flagged=header.flagged,
        replied_on=None if reply is None else reply.received_on,
        replied_to=None if reply is None else reply.action_id,
        merged_into=header.merged_into,
        merged_from=list(header.merged_from),
        amount_due=amounts.amount_due,
        overdue=amounts.overdue,
        upcoming=amounts.amount_due - amounts.overdue,
        paid=amounts.paid,
        paid_since=view.paid_since,
        overdue_entries=amounts.overdue_entries,
        upcoming_entries=amounts.upcoming_entries,
        overdue_since=amounts.overdue_since,
        next_due_date=amounts.next_due_date,
        last_payment_on=amounts.last_payment_on,
        average_delay_days=None if average is None else whole_days(average),
        score=None if average is None else score(average),
        dso_days=whole_days(amounts.amount_due * DSO_DAYS / amounts.invoiced)
        if (amounts.invoiced or ZERO) > 0
        else None,
        level=level,
        next_level=next_level(level, steps, pending),
        has_scenario=bool(steps),
        notice=contacts.get("notice", never),
        reminder=contacts.get("reminder", never),
        thanks=contacts.get("thanks", never),
        pending=pending,
        notes=header.notes,
        promises=await client_promises(tx, view, client_id),
        disputes=await client_disputes(tx, view, client_id),
        statement=await statement(tx, view, client_id, statement_on),
        history=history.rows,
        history_count=history.count,
        previous_client_id=await tx.scalar(BEFORE, place) if header.sort_key else None,
        next_client_id=await tx.scalar(AFTER, place) if header.sort_key else None,
    )
