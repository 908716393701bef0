"""Fiscal years that follow one another: an entry still open at the end of one lives on through the opening lines
of the next, under its own identity, so that its levels and promises stay and nothing is owed twice.

The new year's book is the truth about what was open when it began. Its opening lines are replaced, before they are
compared, by the entries they stand for, lettered as the lines are. What last year's book holds open and no opening
line stands for was settled in the end: it is released. When last year's file is read once more, its open lines
are left to the new year's book.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from services.sync import years
from services.sync.changes import Connection
from services.sync.domain.opening import Brought, OpenEntry, OpeningLine
from services.sync.domain.opening import bring_forward as pair
from services.sync.domain.problems import Problem
from services.sync.domain.receivables import digest

AT_ONCE = 2_000
"""Entries read and written in one go, so that the process stays awake."""
MOST = 0.5
"""An opening that leaves out more than this share of what is open is incomplete."""

TOLD = """
    cross join lateral json_to_record(('{' || entry || '}')::json) as told(
        entry_date text, invoice_date text, piece text, currency text, debit numeric, credit numeric,
        book_amount numeric, lettered_on text)
"""
"""The members of an entry that pairing needs."""

OPENING_LINES = f"""
    select line, account, client_id, told.debit - told.credit, told.currency, told.piece, told.invoice_date,
        lettering, told.entry_date, told.lettered_on
    from seen {TOLD} where journal = any(%(openings)s)
"""  # noqa: S608 constants of this module

OPEN_ENTRIES = f"""
    select replace(last.entry_id::text, '-', ''), placed.account, last.client_id, told.debit - told.credit,
        told.currency, told.piece, told.invoice_date, last.former, last.removed, told.book_amount
    from (
        select last.entry_id, last.client_id, last.entry, last.removed, now.lettering as former
        from source_row last left join source_row now on now.company = last.company and now.book = %(book)s
            and now.row_key = last.entry_id and now.ordinal = 1
        where last.company = %(company)s and last.book = %(before)s and last.lettering = ''
            and (not last.removed or last.released_to = %(book)s)
    ) last {TOLD} cross join lateral json_to_record(('{{' || entry || '}}')::json) as placed(account text)
"""  # noqa: S608
"""What this book released before may come back with it."""

HELD = """
    select replace(entry_id::text, '-', '') from source_row
    where company = %(company)s and book = %(after)s and entry_id = any(%(entries)s::uuid[]) and not removed
"""

STATES = """
    select replace(entry_id::text, '-', ''), p, kind, ('{' || entry || '}')::json from source_row
    where company = %(company)s and book = %(before)s and entry_id = any(%(entries)s::uuid[])
"""

STAND_FOR = """
    copy seen (line, row_key, state, p, client_id, account, lettering, book_amount, journal, is_credit, told,
        label, entry) from stdin
"""

LIVING_ON = """
    select change.entry_id from change join source_row last using (entry_id)
    where last.company = %(company)s and last.book = %(before)s and last.state = change.state
        and last.kind = change.kind and not last.removed and not change.removed
        and not exists (select from source_row now where now.company = %(company)s and now.book = %(book)s
            and now.entry_id = change.entry_id)
"""
"""Entries that another book holds from now on; nothing else of them changed, so nothing is to be said."""

RELEASE = """
    with gone as (
        update source_row set removed = true, released_to = %(book)s
        where company = %(company)s and book = %(before)s
            and entry_id = any(%(left)s::uuid[]) and not removed
        returning entry_id, row_key, ordinal, state, kind, p, client_id, lettering, entry
    )
    insert into change (entry_id, row_key, ordinal, state, kind, p, client_id, lettering, removed, entry)
    select entry_id, row_key, ordinal, state, kind, p, client_id, lettering, true, entry from gone
    where not exists (select from change where change.entry_id = gone.entry_id)
"""

RETURNED = """
    update source_row set removed = false, released_to = null where company = %(company)s and book = %(before)s
        and entry_id = any(%(entries)s::uuid[]) and removed and released_to = %(book)s
"""

LEAVE = """
    delete from change using source_row next
    where next.company = %(company)s and next.book = %(after)s and next.entry_id = change.entry_id
        and not next.removed
    returning change.removed
"""


@dataclass
class Carried:
    """What an import carries forward: from which book, which entries live on, which are released; or to which book
    its open lines are left. ``doubts`` are reasons to refuse the import."""

    book: str
    before: str | None = None
    after: str | None = None
    entries: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    lumps: list[str] = field(default_factory=list)
    """Accounts that stood as clients on replaced lines alone."""
    warnings: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()


class _Opening(NamedTuple):
    """An opening line, and what its lettering will say of the entries it stands for."""

    line: OpeningLine
    entry_date: str
    lettered_on: str | None


async def bring_forward(
    connection: Connection, company: str, book: str, openings: list[str], accepted: Collection[str] = ()
) -> Carried:
    """Replace the staged opening lines by the entries of last year that they stand for; leave staged lines that
    are open to the book that carried them forward. To be called before the comparison. Doubts of a code that is
    ``accepted`` are not raised."""
    carried = Carried(book)
    if not book.startswith("fec/"):
        return carried
    values: dict[str, Any] = {"company": company, "book": book, "openings": openings}
    carried.after = await years.next_year(connection, values)
    openings_read = [
        _Opening(OpeningLine(*row[:8]), *row[8:]) async for row in _streamed(connection, OPENING_LINES, values)
    ]
    if openings_read:
        await _carry(connection, values, openings_read, carried)
    if carried.after:
        await connection.execute("delete from seen where lettering = ''")
    told = [problem for problem in carried.doubts if problem.code in accepted]
    carried.doubts = tuple(problem for problem in carried.doubts if problem.code not in accepted)
    carried.warnings = (*carried.warnings, *told)
    return carried


async def _carry(
    connection: Connection, values: dict[str, Any], openings: list[_Opening], carried: Carried
) -> None:
    opening_day = min(opening.entry_date for opening in openings)
    values = values | {"opening_day": opening_day, "after": carried.after}
    await connection.execute(
        "insert into opening (company, book, opening_day) values (%(company)s, %(book)s, %(opening_day)s)"
        " on conflict (company, book) do update set opening_day = excluded.opening_day",
        values,
    )
    before = values["before"] = await years.year_before(connection, values)
    if before is None:
        problem, is_kin = await years.doubt(connection, values)
        if problem:
            carried.doubts, carried.warnings = ((problem,), ()) if is_kin else ((), (problem,))
        return
    found = [row async for row in _streamed(connection, OPEN_ENTRIES, values)]
    if not found:
        return
    entries = [OpenEntry(*row[:9]) for row in found]
    amounts = {row[0]: row[9] for row in found}
    lines = [opening.line for opening in openings if opening.entry_date == opening_day]
    # of a large book this takes seconds, in which others want to be heard
    brought = await asyncio.to_thread(pair, lines, entries)
    letterings = {opening.line.line: (opening.line.lettering, opening.lettered_on) for opening in openings}
    carried.before = before
    carried.entries = [entry.entry_id for some in brought.stands_for.values() for entry in some]
    carried.warnings = tuple(_differs(line, total) for line, total in brought.differing)
    await _leave_out(connection, values, brought, letterings, carried)
    _weigh(carried, [one for one in entries if not one.released], brought, amounts)
    await connection.execute("delete from seen where line = any(%s)", (list(brought.stands_for),))
    await _stand_in(connection, values, brought, letterings)
    replaced = {line.client_id for line in lines if line.names_no_client and line.line in brought.stands_for}
    still = await connection.execute(
        "select distinct client_id from seen where client_id = any(%s)", (sorted(replaced),)
    )
    carried.lumps = sorted(replaced - {client_id for (client_id,) in await still.fetchall()})


async def _streamed(connection: Connection, query: str, values: dict[str, Any]) -> AsyncIterator[Any]:
    async with connection.cursor(name="carrying") as cursor:
        cursor.itersize = AT_ONCE
        await cursor.execute(query, values)
        async for row in cursor:
            yield row


async def _leave_out(
    connection: Connection,
    values: dict[str, Any],
    brought: Brought,
    letterings: dict[int, tuple[str, str | None]],
    carried: Carried,
) -> None:
    """Which entries of last year are released: those that no line stands for, and those whose line is left to the
    next year's book; but none that the next year's book holds."""
    left = [entry.entry_id for entry in brought.left]
    if carried.after:
        left += [
            entry.entry_id
            for number, some in brought.stands_for.items()
            for entry in some
            if not letterings[number][0] and not entry.released
        ]
        held = await (await connection.execute(HELD, values | {"entries": left})).fetchall()
        left = sorted({*left} - {entry_id for (entry_id,) in held})
    carried.left = left


def _weigh(carried: Carried, open_ones: list[OpenEntry], brought: Brought, amounts: dict[str, Decimal]) -> None:
    """Tell what is released for want of an opening line; doubt an opening that leaves most of the book out."""
    released = {entry.entry_id for entry in brought.left} & {*carried.left}
    if not released:
        return
    amount = sum((amounts[entry_id] for entry_id in released), Decimal(0))
    details = {"number": str(len(released)), "open": str(len(open_ones)), "amount": f"{amount:.2f}"}
    if len(released) > 1 and len(released) > len(open_ones) * MOST:
        carried.doubts = (Problem(1, "JournalCode", "opening_incomplete", details),)
    else:
        carried.warnings = (*carried.warnings, Problem(1, "JournalCode", "entries_released", details))


async def _stand_in(
    connection: Connection,
    values: dict[str, Any],
    brought: Brought,
    letterings: dict[int, tuple[str, str | None]],
) -> None:
    """Put the entries into the place of the lines, but for lines that are left to the next year's book. Their line
    numbers are negative: no line of the file has such a one."""
    placed = [
        (entry, *letterings[number])
        for number, some in sorted(brought.stands_for.items())
        for entry in some
        if letterings[number][0] or not values["after"]
    ]
    for start in range(0, len(placed), AT_ONCE):
        part = placed[start : start + AT_ONCE]
        ids = [entry.entry_id for entry, _, _ in part]
        rows = await (await connection.execute(STATES, values | {"entries": ids})).fetchall()
        states = {entry_id: rest for entry_id, *rest in rows}
        async with connection.cursor().copy(STAND_FOR) as copy:
            for place, (entry, lettering, lettered_on) in enumerate(part, start + 1):
                p, kind, told = states[entry.entry_id]
                state = told | {"lettering": lettering or None, "lettered_on": lettered_on}
                text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))[1:-1]
                await copy.write_row(
                    (
                        -place, entry.entry_id, digest(text), p, entry.client_id, entry.account, lettering,
                        told["book_amount"], told["journal"], entry.amount < 0, kind, "", text,
                    )
                )  # fmt: skip
        async with connection.cursor().copy("copy carried (row_key) from stdin") as copy:
            for entry_id in ids:
                await copy.write_row((entry_id,))
    await connection.execute("analyze carried")


def _differs(line: OpeningLine, total: Decimal) -> Problem:
    details = {"account": line.account, "amount": f"{line.amount:.2f}", "entries": f"{total:.2f}"}
    return Problem(line.line, "CompAuxNum", "opening_without_clients", details)


async def leave_to_next_year(connection: Connection, company: str, carried: Carried) -> tuple[int, int]:
    """What the next year's book says of its carried entries holds; answers how many changes are dropped, and how
    many of them said that a line is gone."""
    if carried.after is None:
        return 0, 0
    cursor = await connection.execute(LEAVE, {"company": company, "after": carried.after})
    dropped = await cursor.fetchall()
    return len(dropped), sum(removed for (removed,) in dropped)


async def living_on(connection: Connection, company: str, book: str, carried: Carried) -> list[Any]:
    """Entries whose change is to be remembered and not to be said. To be called after the comparison."""
    if carried.before is None:
        return []
    values = {"company": company, "book": book, "before": carried.before}
    return [entry_id for (entry_id,) in await (await connection.execute(LIVING_ON, values)).fetchall()]


async def release(connection: Connection, company: str, carried: Carried, unsaid: list[Any]) -> int:
    """Say nothing of the ``unsaid``, and that entries of last year which the new one does not carry are gone;
    answers how many. To be called when the changes of the import itself are remembered, since these rows stay in
    last year's book. Entries that come back after they were released are last year's again."""
    if unsaid:
        await connection.execute("delete from change where entry_id = any(%s)", (unsaid,))
    if carried.before is None:
        return 0
    values = {"company": company, "book": carried.book, "before": carried.before, "left": carried.left}
    await connection.execute(RETURNED, values | {"entries": carried.entries})
    return (await connection.execute(RELEASE, values)).rowcount if carried.left else 0
