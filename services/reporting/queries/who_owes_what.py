"""What each client owes on a day, sliced by age: the list "who owes what", and the lines of its top."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.queries.standings import owing
from services.reporting.queries.view import ZERO, View
from services.reporting.queries.wanted import Wanted, added_up, fits_the_day, parameters, statement
from services.reporting.shapes import ClientField, Debtor, Salesperson, Slice, Totals, WhoOwesWhat

LISTED = text("""
    select field, title from free_field where company = :company and about = 'client' and listed
    order by place, field
""")


def slices(bounds: Sequence[int]) -> list[Slice]:
    """The overdue slices that these bounds close, oldest first."""
    edges = [0, *bounds]
    oldest = Slice(key=f"over_{edges[-1]}", from_days=edges[-1] + 1, to_days=None)
    closed = [
        Slice(key=f"from_{lower + 1}_to_{upper}", from_days=lower + 1, to_days=upper)
        for lower, upper in pairwise(edges)
    ]
    return [oldest, *reversed(closed)]


def debtor(row: Any, count: int) -> Debtor:
    """One line of the list out of a row with ``count`` slices."""
    return Debtor(
        client_id=row.client_id,
        name=row.name,
        profile=row.profile,
        category=row.category,
        payment_mode=row.payment_mode,
        has_email=row.has_email,
        has_phone=row.has_phone,
        stopped_on=row.stopped_on,
        flagged=row.flagged,
        disputed=row.disputed,
        level=row.level,
        last_reminder_on=row.last_reminder_on,
        slices=[row._mapping[f"slice{n}"] for n in range(1, count + 1)],
        overdue=row.overdue,
        upcoming=row.upcoming,
        total=row.total,
        notes=row.notes,
        salesperson=Salesperson(code=row.salesperson_code, name=row.salesperson_name)
        if row.salesperson_code
        else None,
        fields=row.fields or {},
    )


async def listed_fields(tx: AsyncConnection, company: str) -> list[ClientField]:
    """The free fields of clients that stand in lists, in their order."""
    rows = await tx.execute(LISTED, {"company": company})
    return [ClientField(field=row.field, title=row.title) for row in rows]


async def who_owes_what(tx: AsyncConnection, view: View, wanted: Wanted) -> WhoOwesWhat:
    """The clients wanted with their amounts; totals over all of them, rows of one page."""
    rows = await owing(tx, view) if fits_the_day(wanted) else added_up(wanted)
    listed = await listed_fields(tx, view.company)
    found = (await tx.execute(text(statement(wanted, rows)), parameters(view, wanted, listed))).all()
    sums = found[0]
    count = len(wanted.bounds) + 1
    return WhoOwesWhat(
        as_of=view.as_of,
        currency=view.currency,
        slices=slices(wanted.bounds),
        fields=listed,
        clients=sums.clients,
        overdue_clients=sums.overdue_clients,
        stopped_clients=sums.stopped_clients,
        totals=Totals(
            slices=[sums._mapping[f"sum_slice{n}"] for n in range(1, count + 1)],
            overdue=sums.sum_overdue,
            upcoming=sums.sum_upcoming,
            total=sums.sum_total,
        ),
        rows=[debtor(row, count) for row in found if row.client_id is not None],
        **wanted.page.shape(sums.clients),
    )


def totals(rows: Sequence[Debtor], count: int) -> Totals:
    """Sums over these lines of ``count`` slices."""
    return Totals(
        slices=[sum((row.slices[n] for row in rows), ZERO) for n in range(count)],
        overdue=sum((row.overdue for row in rows), ZERO),
        upcoming=sum((row.upcoming for row in rows), ZERO),
        total=sum((row.total for row in rows), ZERO),
    )
