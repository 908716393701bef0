"""When the money of open lines is expected (rules 16.8, 16.9): the day a person moved it to, else the due date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.portfolio import is_limited
from contracts.terms import days_late
from services.reporting.queries.view import ZERO, Page, View
from services.reporting.shapes import (
    ExpectedEntries,
    ExpectedEntry,
    Forecast,
    ForecastMonth,
    ForecastWeek,
    Objective,
    ObjectiveMonth,
)

MONTHS_BEFORE = 6
MONTHS_AHEAD = 5
LETTERED_WITHIN = timedelta(days=366)
"""A payment is lettered within a year of its entry: older ones are not looked for."""

EXPECTED = """
    select e.client_id, e.entry_id, e.piece, e.due_date, e.book_amount,
        coalesce(m.expected_on, e.due_date) as expected_on, m.expected_on is not null as moved
    from entry e
    left join entry_mark m on m.company = :company and m.client_id = e.client_id and m.entry_id = e.entry_id
        and m.expected_on is not null
    where e.company = :company and e.is_open
"""

SUMS = text(f"""
    select case when expected_on < :monday then -1 when expected_on >= :last then :weeks
            else (expected_on - :monday) / 7 end as week,
        cast(date_trunc('month', expected_on) as date) as month, count(*) as count,
        coalesce(sum(book_amount) filter (where due_date < :as_of), 0) as overdue,
        coalesce(sum(book_amount) filter (where due_date >= :as_of), 0) as upcoming
    from ({EXPECTED}) x group by 1, 2
""")  # noqa: S608 - a fragment of this file

CARDS = text(f"""
    with chosen as materialized (
        select * from (
            select x.*, row_number() over (
                partition by greatest(-1, (expected_on - :monday + 7) / 7 - 1)
                order by abs(book_amount) desc, client_id, entry_id
            ) as place
            from ({EXPECTED}) x where expected_on < :last
        ) ranked where place <= :cards
    )
    select c.*, coalesce(n.name, c.client_id) as name, l.level
    from chosen c
    left join person n on n.company = :company and n.client_id = c.client_id
    left join entry_level l on l.company = :company and l.client_id = c.client_id and l.entry_id = c.entry_id
    order by c.place
""")  # noqa: S608 - a fragment of this file

RECEIVED = text("""
    select cast(date_trunc('month', coalesce(lettered_on, entry_date)) as date) as month,
        -sum(book_amount) as amount
    from entry
    where company = :company and credit <> 0 and not archived and kind = 'payment' and lettering is not null
        and entry_date between :searched and :as_of and coalesce(lettered_on, entry_date) between :since and :as_of
    group by 1
""")

OBJECTIVES = text("""
    select c.curve ->> 'title' as title, cast(m.one ->> 'month' as date) as month,
        cast(m.one ->> 'amount' as numeric) as amount
    from cash_objective o, jsonb_array_elements(o.objectives -> 'curves') with ordinality c(curve, place),
        jsonb_array_elements(c.curve -> 'months') m(one)
    where o.company = :company and cast(m.one ->> 'month' as date) between :since and :until
    order by c.place, month
""")

LISTED = text(f"""
    with chosen as materialized (
        select * from ({EXPECTED}) x
        where (cast(:since as date) is null or expected_on >= :since)
            and (cast(:until as date) is null or expected_on <= :until)
    )
    select (select count(*) from chosen) as every, (select sum(book_amount) from chosen) as whole, p.*,
        coalesce(n.name, p.client_id) as name, l.level
    from (select * from chosen order by expected_on, client_id, entry_id limit :limit offset :offset) p
    left join person n on n.company = :company and n.client_id = p.client_id
    left join entry_level l on l.company = :company and l.client_id = p.client_id and l.entry_id = p.entry_id
    order by p.expected_on, p.client_id, p.entry_id
""")  # noqa: S608 - a fragment of this file


@dataclass
class Sum:
    """What is expected in a week or a month."""

    count: int = 0
    overdue: Decimal = ZERO
    upcoming: Decimal = ZERO

    def add(self, row: Any) -> None:
        self.count += row.count
        self.overdue += row.overdue
        self.upcoming += row.upcoming


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def months(first: date, count: int) -> list[date]:
    """First days of ``count`` months from that of ``first`` on."""
    from_zero = first.year * 12 + first.month - 1
    return [date(at // 12, at % 12 + 1, 1) for at in range(from_zero, from_zero + count)]


def months_around(as_of: date) -> list[date]:
    """The months that the forecast shows: some before that of the day, some after."""
    a_year = months(as_of.replace(year=as_of.year - 1, day=1), 12)
    return months(a_year[-MONTHS_BEFORE], MONTHS_BEFORE + 1 + MONTHS_AHEAD)


def _entry(row: Any, as_of: date) -> ExpectedEntry:
    return ExpectedEntry(
        entry_id=row.entry_id.hex,
        client_id=row.client_id,
        name=row.name,
        piece=row.piece,
        due_date=row.due_date,
        expected_on=row.expected_on,
        moved=row.moved,
        days_late=days_late(row.due_date, as_of),
        level=row.level,
        amount=row.book_amount,
    )


async def forecast(tx: AsyncConnection, view: View, weeks: int, cards: int) -> Forecast:
    """``weeks`` from that of the day on, each with its ``cards`` largest lines, and the months around."""
    monday = monday_of(view.as_of)
    last = monday + timedelta(weeks=weeks)
    asked = {"company": view.company, "as_of": view.as_of, "monday": monday, "last": last}
    by_week = {week: Sum() for week in range(-1, weeks + 1)}
    shown = months_around(view.as_of)
    by_month = {month: Sum() for month in shown}
    this_month = view.as_of.replace(day=1)
    for row in await tx.execute(SUMS, {**asked, "weeks": weeks}):
        by_week[row.week].add(row)
        month = max(row.month, this_month)
        if month in by_month:
            by_month[month].add(row)
    del asked["as_of"]
    rows: dict[int, list[ExpectedEntry]] = {}
    for row in await tx.execute(CARDS, {**asked, "cards": cards}):
        week = max(-1, (row.expected_on - monday).days // 7)
        rows.setdefault(week, []).append(_entry(row, view.as_of))
    received = await _received(tx, view, shown[0])
    return Forecast(
        as_of=view.as_of,
        currency=view.currency,
        count=sum(one.count for one in by_week.values()),
        amount=sum((one.overdue + one.upcoming for one in by_week.values()), ZERO),
        weeks=[
            ForecastWeek(
                week_start=None if week < 0 else monday + timedelta(weeks=week),
                count=by_week[week].count,
                overdue=by_week[week].overdue,
                upcoming=by_week[week].upcoming,
                rows=rows.get(week, []),
            )
            for week in range(-1, weeks)
        ],
        later_count=by_week[weeks].count,
        later=by_week[weeks].overdue + by_week[weeks].upcoming,
        months=[
            ForecastMonth(
                month_start=month,
                received=received.get(month, ZERO),
                overdue=by_month[month].overdue,
                upcoming=by_month[month].upcoming,
            )
            for month in shown
        ],
        objectives=[] if await is_limited(tx) else await _objectives(tx, view, shown[0], shown[-1]),
    )


async def _objectives(tx: AsyncConnection, view: View, since: date, until: date) -> list[Objective]:
    curves: dict[str, list[ObjectiveMonth]] = {}
    for row in await tx.execute(OBJECTIVES, {"company": view.company, "since": since, "until": until}):
        curves.setdefault(row.title, []).append(ObjectiveMonth(month_start=row.month, amount=row.amount))
    return [Objective(title=title, months=months) for title, months in curves.items()]


async def _received(tx: AsyncConnection, view: View, since: date) -> Mapping[date, Decimal]:
    """Payments by the month they were lettered in, by that of their entry where accounting does not say when."""
    asked = {"company": view.company, "as_of": view.as_of, "since": since, "searched": since - LETTERED_WITHIN}
    return {row.month: row.amount for row in await tx.execute(RECEIVED, asked)}


async def expected(
    tx: AsyncConnection, view: View, since: date | None, until: date | None, page: Page
) -> ExpectedEntries:
    """Open lines expected in a period, both days included, the earliest first."""
    asked = {"company": view.company, "since": since, "until": until, **page.bounds}
    rows = (await tx.execute(LISTED, asked)).all()
    count = rows[0].every if rows else 0
    return ExpectedEntries(
        as_of=view.as_of,
        currency=view.currency,
        since=since,
        until=until,
        count=count,
        amount=rows[0].whole if rows else ZERO,
        rows=[_entry(row, view.as_of) for row in rows],
        **page.shape(count),
    )
