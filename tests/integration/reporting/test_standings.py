"""What is kept of a day's amounts follows every change, and is never needed for a right answer."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import transaction
from chassis.eventlog import Delivered
from contracts.subjects import partition_of
from contracts.sync import EntriesSynced, SyncedEntry
from services.reporting.projection import PROJECT
from services.reporting.queries.home import home
from services.reporting.queries.standings import ADDED_UP, KEPT, LOCK, owing
from services.reporting.queries.view import view
from services.reporting.queries.wanted import Wanted
from services.reporting.queries.who_owes_what import who_owes_what
from tests.integration.reporting.conftest import DAY, House
from tests.integration.reporting.test_pages import line

CLIENT = "411ALBA"


async def hear(tx: AsyncConnection, company: str, number: int, *lines: SyncedEntry) -> None:
    event = EntriesSynced(run_id=uuid4(), source="book", entries=lines)
    p = partition_of(company, CLIENT)
    heard = Delivered.of(event, company=company, client_id=None, as_of=DAY, number=number, partition=p)
    await PROJECT["EntriesSynced"](tx, [heard])


async def owed(tx: AsyncConnection, company: str, day: date = DAY) -> tuple[Decimal, Decimal]:
    """Overdue and total on home, which must agree with the list."""
    seen = await view(tx, company, day)
    shown, listed = (await home(tx, seen)).owed, await who_owes_what(tx, seen, Wanted())
    assert (listed.totals.overdue, listed.totals.total) == (shown.overdue, shown.total)
    return shown.overdue, shown.total


async def test_the_eve_the_day_and_the_day_after_are_each_kept(tx: AsyncConnection, company: str) -> None:
    """Rule 1.3."""
    await hear(tx, company, 1, line("F1", CLIENT, "100.00", DAY))
    for days, late in ((-1, 0), (0, 0), (1, 100), (0, 0), (30, 100), (31, 100)):
        assert await owed(tx, company, DAY + timedelta(days=days)) == (late, 100)
    kept = await tx.execute(
        text("select count(distinct as_of) from standing where company = :company"), {"company": company}
    )
    assert kept.scalar() == 3


async def test_a_change_is_followed(tx: AsyncConnection, company: str) -> None:
    late = DAY - timedelta(days=9)
    await hear(tx, company, 1, line("F1", CLIENT, "100.00", late))
    assert await owed(tx, company) == (100, 100)
    await hear(tx, company, 2, line("F2", CLIENT, "50.00", DAY))
    assert await owed(tx, company) == (100, 150)
    await hear(tx, company, 3, line("F1", CLIENT, "100.00", late, "A"), line("P1", CLIENT, "-100.00", DAY, "A"))
    assert await owed(tx, company) == (0, 50)
    await hear(tx, company, 4, line("F2", CLIENT, "50.00", DAY).model_copy(update={"removed": True}))
    assert await owed(tx, company) == (0, 0)


async def test_an_event_that_was_parked_and_comes_late_is_followed(tx: AsyncConnection, company: str) -> None:
    await hear(tx, company, 9, line("F1", CLIENT, "100.00", DAY))
    assert await owed(tx, company) == (0, 100)
    await hear(tx, company, 5, line("F2", CLIENT, "50.00", DAY))
    assert await owed(tx, company) == (0, 150)


async def test_the_answer_is_right_while_another_request_prepares_the_day(
    house: House, tx: AsyncConnection, company: str
) -> None:
    await hear(tx, company, 1, line("F1", CLIENT, "100.00", DAY - timedelta(days=40)))
    async with transaction(house.process.engine) as other:
        assert await other.scalar(LOCK, {"company": company})
        assert await owing(tx, await view(tx, company, DAY)) == ADDED_UP
        assert await owed(tx, company) == (100, 100)
    assert await owing(tx, await view(tx, company, DAY)) == KEPT
    assert await owed(tx, company) == (100, 100)
