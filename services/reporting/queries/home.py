"""The home page: what is owed, paid and to be reminded, and what needs a look."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.checks import checks
from services.reporting.queries.standing import Wanted, totals, who_owes_what
from services.reporting.queries.view import ZERO, Page, View
from services.reporting.shapes import (
    AgeingBucket,
    Home,
    LastSync,
    MediumToRemind,
    Owed,
    Paid,
    Share,
    ToRemind,
    Week,
)

BUCKETS = (
    "over_90",
    "from_61_to_90",
    "from_31_to_60",
    "from_1_to_30",
    "in_0_to_30",
    "in_31_to_60",
    "after_60",
)
OVERDUE_BUCKETS = 4
TOP = 10
MEDIA = ("phone", "letter", "email", "other")

OWED = text("""
    with debtor as materialized (
        select client_id, sum(book_amount) as total,
            coalesce(sum(book_amount) filter (where due_date < :as_of), 0) as overdue
        from entry where company = :company and is_open
        group by client_id having sum(book_amount) > 0
    ),
    cell as (
        select e.client_id, e.payment_mode, e.due_date, e.book_amount
        from debtor join entry e on e.company = :company and e.is_open and e.client_id = debtor.client_id
    )
    select 'clients' as part, null as key, count(*) as bucket,
        count(*) filter (where overdue > 0) as overdue_clients,
        count(*) filter (where total > overdue) as upcoming_clients, sum(overdue) as overdue, sum(total) as total
        from debtor
    union all
    select 'bucket', payment_mode, width_bucket(due_date, cast(:edges as date[])), null, null,
        sum(book_amount) filter (where due_date < :as_of), sum(book_amount)
        from cell group by 2, 3
    union all
    select 'profile', coalesce(c.profile, :default_profile), null, null, null, sum(d.overdue), sum(d.total)
        from debtor d left join client c on c.company = :company and c.client_id = d.client_id group by 2
""")
"""Debit-balance accounts only (rule 1.5). Edges are the first due dates of every bucket but the oldest."""

MODES = text("""
    with debtor as materialized (
        select client_id from entry where company = :company and is_open
        group by client_id having sum(book_amount) > 0
    )
    select c.payment_mode as key, sum(e.book_amount) filter (where e.due_date < :as_of) as overdue,
        sum(e.book_amount) as total
    from entry e join debtor using (client_id)
        left join client c on c.company = :company and c.client_id = e.client_id
    where e.company = :company and e.is_open and e.payment_mode is null
    group by 1
""")
"""Entries without a payment mode have their client's."""

PAID = text("""
    select cast(date_trunc('week', entry_date) as date) as week_start, -sum(book_amount) as amount
    from entry
    where company = :company and credit <> 0 and not archived and entry_date between :since and :as_of
    group by 1
""")
"""Everything credited, lettered or not (rule 1.6)."""

TO_REMIND = text("""
    select medium, count(*) as actions, sum(book_net_amount) as amount, array_agg(distinct client_id) as clients
    from action
    where company = :company and status in ('proposed', 'due') and (status = 'proposed' or medium <> 'email')
    group by medium
""")

LAST_SYNC = text("""
    select run_on, completed_at, connector, source, entries_read, changed, archived
    from sync_run where company = :company order by completed_at desc limit 1
""")

LAST_ROUND = text("select max(round_on) from dunning_round where company = :company and round_on <= :as_of")


def _shares(sums: dict[str | None, tuple[Decimal, Decimal]]) -> list[Share]:
    shares = [
        Share(
            key=key,
            overdue=overdue,
            upcoming=total - overdue,
            overdue_share=round(float(overdue / total), 4) if total > 0 else None,
        )
        for key, (overdue, total) in sums.items()
    ]
    return sorted(shares, key=lambda share: (-share.overdue, -share.upcoming, share.key or ""))


async def _owed(tx: AsyncConnection, view: View) -> tuple[Owed, list[AgeingBucket], list[Share], list[Share]]:
    day = view.as_of
    edges = [day - timedelta(n) for n in (90, 60, 30, 0)] + [day + timedelta(n) for n in (31, 61)]
    asked = {"company": view.company, "as_of": day}
    rows = (await tx.execute(OWED, {**asked, "edges": edges, "default_profile": view.default_profile})).all()
    buckets = [ZERO] * len(BUCKETS)
    modes: dict[str | None, tuple[Decimal, Decimal]] = {}
    profiles: dict[str | None, tuple[Decimal, Decimal]] = {}
    owed = Owed(total=ZERO, clients=0, overdue=ZERO, overdue_clients=0, upcoming=ZERO, upcoming_clients=0)
    for row in rows:
        overdue, total = row.overdue or ZERO, row.total or ZERO
        match row.part:
            case "clients":
                owed = Owed(
                    total=total,
                    clients=row.bucket,
                    overdue=overdue,
                    overdue_clients=row.overdue_clients,
                    upcoming=total - overdue,
                    upcoming_clients=row.upcoming_clients,
                )
            case "bucket":
                buckets[row.bucket] += total
                _add(modes, row.key, overdue, total)
            case "profile":
                _add(profiles, row.key, overdue, total)
    if None in modes:
        del modes[None]
        for row in await tx.execute(MODES, asked):
            _add(modes, row.key, row.overdue or ZERO, row.total)
    ageing = [
        AgeingBucket(key=key, overdue=n < OVERDUE_BUCKETS, amount=buckets[n]) for n, key in enumerate(BUCKETS)
    ]
    return owed, ageing, _shares(modes), _shares(profiles)


def _add(
    sums: dict[str | None, tuple[Decimal, Decimal]], key: str | None, overdue: Decimal, total: Decimal
) -> None:
    known = sums.get(key, (ZERO, ZERO))
    sums[key] = (known[0] + overdue, known[1] + total)


def weeks(since: date, until: date, amounts: dict[date, Decimal]) -> list[Week]:
    """Every calendar week that the period touches, oldest first; ``amounts`` by Monday."""
    first = since - timedelta(days=since.weekday())
    count = (until - first).days // 7 + 1
    mondays = [first + timedelta(weeks=n) for n in range(count)]
    return [Week(week_start=monday, amount=amounts.get(monday, ZERO)) for monday in mondays]


async def _paid(tx: AsyncConnection, view: View) -> Paid:
    asked = {"company": view.company, "since": view.paid_since, "as_of": view.as_of}
    amounts = {row.week_start: row.amount for row in await tx.execute(PAID, asked)}
    return Paid(
        since=view.paid_since,
        amount=sum(amounts.values(), ZERO),
        weeks=weeks(view.paid_since, view.as_of, amounts),
    )


def _to_remind(rows: Sequence[Any]) -> ToRemind:
    known = {row.medium: row for row in rows}
    media = [
        MediumToRemind(medium=medium, actions=known[medium].actions, amount=known[medium].amount)
        if medium in known
        else MediumToRemind(medium=medium, actions=0, amount=ZERO)
        for medium in MEDIA
    ]
    return ToRemind(
        amount=sum((one.amount for one in media), ZERO),
        actions=sum(one.actions for one in media),
        clients=len({client for row in rows for client in row.clients}),
        media=media,
    )


async def home(tx: AsyncConnection, view: View) -> Home:
    """Everything on the home page, of one moment."""
    asked = {"company": view.company}
    owed, ageing, by_mode, by_profile = await _owed(tx, view)
    top = await who_owes_what(tx, view, Wanted(late=True, page=Page(1, TOP)))
    run = (await tx.execute(LAST_SYNC, asked)).one_or_none()
    last_sync = None
    if run is not None:
        last_sync = LastSync(
            on=run.run_on,
            completed_at=run.completed_at,
            connector=run.connector,
            source=run.source,
            entries_read=run.entries_read,
            changed=run.changed,
            archived=run.archived,
        )
    return Home(
        as_of=view.as_of,
        currency=view.currency,
        owed=owed,
        paid=await _paid(tx, view),
        to_remind=_to_remind((await tx.execute(TO_REMIND, asked)).all()),
        ageing=ageing,
        slices=top.slices,
        top=top.rows,
        top_totals=totals(top.rows, len(top.slices)),
        by_payment_mode=by_mode,
        by_profile=by_profile,
        checks=await checks(tx, view, last_sync),
        last_sync=last_sync,
        last_round_on=await tx.scalar(LAST_ROUND, {**asked, "as_of": view.as_of}),
    )
