"""Which book of a company is the year before another, and which the year after.

``values`` hold ``company`` and ``book``, and where they are known the ``opening_day`` in ISO form.
"""

from datetime import date, timedelta
from typing import Any

from services.sync.changes import Connection
from services.sync.domain.problems import Problem
from services.sync.domain.scope import day_after, kin

CLOSED_ON = """
    select distinct book from book where company = %(company)s and book <> %(book)s and starts_with(book, 'fec/')
        and starts_with(name, 'fec/') and right(name, 11) = %(closing)s order by book
"""
"""A book may be known by several names; each tells a closing date."""

NEXT_BOOKS = """
    select book, opening_day from opening where company = %(company)s and opening_day >= %(day)s
        and book <> %(book)s and starts_with(book, 'fec/') order by opening_day, book
"""

OPEN_BEFORE = """
    select book, count(*) from source_row
    where company = %(company)s and book <> %(book)s and starts_with(book, 'fec/') and not removed
        and lettering = '' and ('{' || entry || '}')::json ->> 'entry_date' < %(opening_day)s
    group by book order by book
"""


async def next_year(connection: Connection, values: dict[str, Any]) -> str | None:
    """The first book that began after this one ended and carried its open entries forward, whatever the names of
    the two files: what it holds is the truth about what is open."""
    names = await connection.execute(
        "select name from book where company = %(company)s and book = %(book)s and starts_with(name, 'fec/')",
        values,
    )
    days = [day_after(name) for name in (values["book"], *(name for (name,) in await names.fetchall()))]
    known = [day for day in days if day]
    if not known:
        return None
    began = dict(await (await connection.execute(NEXT_BOOKS, values | {"day": min(known)})).fetchall())
    # the nearest: of a later one the years between know more
    return min(kin(values["book"], list(began), values["company"]), key=began.__getitem__, default=None)


async def year_before(connection: Connection, values: dict[str, Any]) -> str | None:
    """The book that closed on the day before the opening lines."""
    closing = f"/{_closing(values).isoformat()}"
    rows = await (await connection.execute(CLOSED_ON, values | {"closing": closing})).fetchall()
    return next(iter(kin(values["book"], [book for (book,) in rows], values["company"])), None)


async def doubt(connection: Connection, values: dict[str, Any]) -> tuple[Problem | None, bool]:
    """Entries from before the opening day, open in another book that is not known to have closed then, would be
    owed twice: as what they are and as opening lines. Answers the problem, and whether the book can be a year of
    the same accounts."""
    rows = dict(await (await connection.execute(OPEN_BEFORE, values)).fetchall())
    if not rows:
        return None, False
    related = kin(values["book"], list(rows), values["company"])
    number = sum(rows[book] for book in related or rows)
    day = _closing(values)
    details = {"day": day.isoformat(), "number": str(number), "books": ", ".join(related or rows)}
    return Problem(1, "EcritureDate", "year_before_missing", details), bool(related)


def _closing(values: dict[str, Any]) -> date:
    return date.fromisoformat(values["opening_day"]) - timedelta(days=1)
