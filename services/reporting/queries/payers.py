"""How the company's clients pay: DSO by two methods, and who pays how late (rules 17.1 to 17.3)."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, get_args

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.client import DSO_DAYS, SCORES, Score, whole_days
from services.reporting.queries.view import ZERO, Page, View
from services.reporting.shapes import Payer, Payers, ScoreShare

LETTERS: tuple[Score, ...] = get_args(Score)
MONTHS_BACK = 36

LETTER = " ".join(["case", *(f"when delay <= {days} then '{letter}'" for days, letter in SCORES), "else 'E' end"])

SCORED = f"""
    with paid as materialized (
        select client_id, account, lettering, max(entry_date) filter (where credit <> 0) as paid_on
        from entry
        where company = :company and lettering is not null and not archived
        group by client_id, account, lettering
        having max(entry_date) filter (where credit <> 0) between :fiscal_year and :as_of
    ),
    payer as materialized (
        select e.client_id, sum((p.paid_on - e.due_date) * e.book_amount) as weighted,
            sum(e.book_amount) as settled
        from entry e join paid p using (client_id, account, lettering)
        where e.company = :company and not e.archived and not e.is_open and e.book_amount > 0
        group by e.client_id
    ),
    scored as materialized (
        select client_id, delay, settled, weighted, {LETTER} as score
        from (select client_id, weighted, settled, weighted / settled as delay from payer) p
    )
"""  # noqa: S608 - numbers and letters of this package

SHARES = text(f"""
    {SCORED}
    select score, count(*) as clients, sum(settled) as settled, sum(weighted) as weighted
    from scored group by score
""")  # noqa: S608 - a fragment of this file

LISTED = text(f"""
    {SCORED},
    chosen as materialized (
        select s.*, (
            select coalesce(sum(e.book_amount), 0) from entry e
            where e.company = :company and e.client_id = s.client_id and e.is_open and e.due_date < :as_of
        ) as overdue
        from scored s where cast(:scores as text[]) is null or s.score = any(cast(:scores as text[]))
    )
    select (select count(*) from chosen) as every, (select sum(settled) from chosen) as whole,
        (select sum(overdue) from chosen) as whole_overdue, p.*, coalesce(n.name, p.client_id) as name
    from (select * from chosen order by delay desc, client_id limit :limit offset :offset) p
    left join person n on n.company = :company and n.client_id = p.client_id
    order by p.delay desc, p.client_id
""")  # noqa: S608 - a fragment of this file

RECEIVABLES = text("""
    select coalesce(sum(book_amount) filter (where is_open), 0) as receivables,
        coalesce(sum(book_amount) filter (where kind = 'invoice' and entry_date > :dso_since), 0) as invoiced
    from entry where company = :company and not archived and (is_open or entry_date > :dso_since)
        and entry_date <= :as_of
""")

SALES = text("""
    select cast(date_trunc('month', entry_date) as date) as month, sum(book_amount) as sales
    from entry
    where company = :company and not archived and kind in ('invoice', 'credit_note')
        and entry_date between :since and :as_of
    group by 1
""")


def count_back(receivables: Decimal, months: Iterable[tuple[int, Decimal]]) -> Decimal | None:
    """Days of sales that the receivables stand for: whole months from the latest on, and of the last one a part.

    ``months``: days and sales of each, the latest first, of which the first has as many days as have passed. A
    month without sales counts its days. ``None`` when the months do not make up the receivables.
    """
    left, days = receivables, ZERO
    if left <= 0:
        return ZERO
    for length, sales in months:
        if sales >= left:
            return days + length * left / sales
        left -= max(sales, ZERO)
        days += length
    return None


def months_back(as_of: date, count: int) -> list[tuple[date, int]]:
    """First day and days of each month from that of ``as_of`` back; of that one, the days up to ``as_of``."""
    from_zero = as_of.year * 12 + as_of.month - 1
    firsts = [date(at // 12, at % 12 + 1, 1) for at in range(from_zero, from_zero - count, -1)]
    return [
        (first, as_of.day if n == 0 else monthrange(first.year, first.month)[1]) for n, first in enumerate(firsts)
    ]


async def payers(tx: AsyncConnection, view: View, scores: Sequence[str], page: Page) -> Payers:
    """Who settled something in the fiscal year, the slowest first; ``scores`` narrow the list alone."""
    asked: dict[str, Any] = {"company": view.company, "as_of": view.as_of, "fiscal_year": view.fiscal_year}
    shares = {row.score: row for row in await tx.execute(SHARES, asked)}
    rows = (await tx.execute(LISTED, {**asked, "scores": list(scores) or None, **page.bounds})).all()
    settled = sum((row.settled for row in shares.values()), ZERO)
    owed = (
        await tx.execute(
            RECEIVABLES, {"company": view.company, "as_of": view.as_of, "dso_since": view.before(DSO_DAYS)}
        )
    ).one()
    back = await _count_back(tx, view, owed.receivables)
    count = rows[0].every if rows else 0
    return Payers(
        as_of=view.as_of,
        currency=view.currency,
        since=view.fiscal_year,
        receivables=owed.receivables,
        invoiced=owed.invoiced,
        dso_days=whole_days(owed.receivables * DSO_DAYS / owed.invoiced) if owed.invoiced > 0 else None,
        count_back_days=None if back is None else whole_days(back),
        average_delay_days=whole_days(sum((row.weighted for row in shares.values()), ZERO) / settled)
        if settled
        else None,
        scores=[
            ScoreShare(
                score=letter,
                clients=shares[letter].clients if letter in shares else 0,
                settled=shares[letter].settled if letter in shares else ZERO,
            )
            for letter in LETTERS
        ],
        count=count,
        amount=rows[0].whole if rows else ZERO,
        overdue=rows[0].whole_overdue if rows else ZERO,
        rows=[
            Payer(
                client_id=row.client_id,
                name=row.name,
                score=row.score,
                average_delay_days=whole_days(row.delay),
                settled=row.settled,
                overdue=row.overdue,
            )
            for row in rows
        ],
        **page.shape(count),
    )


async def _count_back(tx: AsyncConnection, view: View, receivables: Decimal) -> Decimal | None:
    months = months_back(view.as_of, MONTHS_BACK)
    asked = {"company": view.company, "since": months[-1][0], "as_of": view.as_of}
    sales = {row.month: row.sales for row in await tx.execute(SALES, asked)}
    return count_back(receivables, ((days, sales.get(first, ZERO)) for first, days in months))
