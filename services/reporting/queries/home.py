"""The home page: what is owed, paid and to be reminded, and what needs a look."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.checks import checks
from services.reporting.queries.standings import edges, owing
from services.reporting.queries.view import ZERO, Page, View
from services.reporting.queries.wanted import Wanted
from services.reporting.queries.who_owes_what import totals, who_owes_what
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

OWED = """
    select coalesce(c.profile, :default_profile) as profile, coalesce(d.payment_mode, c.payment_mode) as mode,
        d.mixed_modes, count(*) as clients, count(*) filter (where late0 > 0) as overdue_clients,
        count(*) filter (where total > late0) as upcoming_clients, sum(total) as total, sum(late0) as late0,
        sum(late30) as late30, sum(late60) as late60, sum(late90) as late90, sum(ahead30) as ahead30,
        sum(ahead60) as ahead60
    from ({rows}) d left join client c on c.company = :company and c.client_id = d.client_id
    where d.total > 0
    group by 1, 2, 3
"""
"""Debit-balance accounts only (rule 1.5), by profile and payment mode."""

MIXED = """
    select coalesce(e.payment_mode, c.payment_mode) as mode, sum(e.book_amount) as total,
        coalesce(sum(e.book_amount) filter (where e.due_date < :as_of), 0) as late0
    from ({rows}) d join entry e on e.company = :company and e.client_id = d.client_id and e.is_open
    left join client c on c.company = :company and c.client_id = d.client_id
    where d.total > 0 and d.mixed_modes
    group by 1
"""
"""Entries of clients who pay in several modes. One without a payment mode has its client's."""

PAID = text("""
    select cast(date_trunc('week', entry_date) as date) as week_start, -sum(book_amount) as amount
    from entry
    where company = :company and credit <> 0 and not archived and entry_date between :since and :as_of
    group by 1
""")
"""Everything credited, lettered or not (rule 1.6)."""

TO_REMIND = text("""
    select medium, count(*) as actions,
        coalesce(sum(book_net_amount) filter (where kind <> 'thanks'), 0) as amount,
        array_agg(distinct client_id) as clients
    from action
    where company = :company and status in ('proposed', 'due') and (status = 'proposed' or medium <> 'email')
    group by medium
""")
"""A thank-you is something to do, but asks for nothing."""

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


async def _owed(
    tx: AsyncConnection, view: View, rows_owing: str
) -> tuple[Owed, list[AgeingBucket], list[Share], list[Share]]:
    asked = {
        "company": view.company,
        "as_of": view.as_of,
        "default_profile": view.default_profile,
        **edges(view),
    }
    cells = (await tx.execute(text(OWED.format(rows=rows_owing)), asked)).all()
    profiles: dict[str | None, tuple[Decimal, Decimal]] = {}
    modes: dict[str | None, tuple[Decimal, Decimal]] = {}
    for cell in cells:
        _add(profiles, cell.profile, cell.late0, cell.total)
        if not cell.mixed_modes:
            _add(modes, cell.mode, cell.late0, cell.total)
    if any(cell.mixed_modes for cell in cells):
        for row in await tx.execute(text(MIXED.format(rows=rows_owing)), asked):
            _add(modes, row.mode, row.late0, row.total)
    columns = ("total", "late0", "late30", "late60", "late90", "ahead30", "ahead60")
    total, late0, late30, late60, late90, ahead30, ahead60 = (
        sum((getattr(cell, name) for cell in cells), ZERO) for name in columns
    )
    owed = Owed(
        total=total,
        clients=sum(cell.clients for cell in cells),
        overdue=late0,
        overdue_clients=sum(cell.overdue_clients for cell in cells),
        upcoming=total - late0,
        upcoming_clients=sum(cell.upcoming_clients for cell in cells),
    )
    amounts = (
        late90,
        late60 - late90,
        late30 - late60,
        late0 - late30,
        total - late0 - ahead30,
        ahead30 - ahead60,
        ahead60,
    )
    ageing = [
        AgeingBucket(key=key, overdue=n < OVERDUE_BUCKETS, amount=amounts[n]) for n, key in enumerate(BUCKETS)
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
    rows = await owing(tx, view)
    owed, ageing, by_mode, by_profile = await _owed(tx, view, rows)
    top = await who_owes_what(tx, view, Wanted(late=True, with_totals=False, page=Page(1, TOP)))
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
        checks=await checks(tx, view, last_sync, rows),
        last_sync=last_sync,
        last_round_on=await tx.scalar(LAST_ROUND, {**asked, "as_of": view.as_of}),
    )
