"""Fiscal years that follow one another: an entry still open at the end of one lives on through the opening lines
of the next, under its own identity, so that its levels and promises stay and nothing is owed twice.

The new year's book is the truth about what was open when it began. Its opening lines are replaced, before they are
compared, by the entries they stand for, lettered as the lines are. What last year's book holds open and no opening
line stands for was settled in the end: it is released. When last year's file is read once more, its open lines
are left to the new year's book.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from services.sync.changes import Connection
from services.sync.domain.opening import Brought, OpenEntry, OpeningLine
from services.sync.domain.opening import bring_forward as pair
from services.sync.domain.problems import Problem
from services.sync.domain.receivables import digest
from services.sync.domain.scope import day_after, year_before

OPENING_LINES = """
    select line, account, client_id, lettering, ('{' || entry || '}')::json as entry from seen
    where journal = any(%(openings)s)
"""

OPEN_ENTRIES = """
    select replace(last.entry_id::text, '-', '') as entry_id, last.p, last.kind,
        ('{' || last.entry || '}')::json as entry, now.lettering as former
    from source_row last left join source_row now on now.company = last.company and now.book = %(book)s
        and now.row_key = last.entry_id and now.ordinal = 1
    where last.company = %(company)s and last.book = %(before)s and not last.removed and last.lettering = ''
"""

STAND_FOR = """
    insert into seen (line, row_key, state, p, client_id, account, lettering, book_amount, journal, is_credit,
        told, label, entry)
    values (%(line)s, %(row_key)s, %(state)s, %(p)s, %(client_id)s, %(account)s, %(lettering)s, %(book_amount)s,
        %(journal)s, %(is_credit)s, %(told)s, '', %(entry)s)
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
        update source_row set removed = true where company = %(company)s and book = %(before)s
            and entry_id = any(%(left)s::uuid[]) and not removed
        returning entry_id, row_key, ordinal, state, kind, p, client_id, lettering, entry
    )
    insert into change (entry_id, row_key, ordinal, state, kind, p, client_id, lettering, removed, entry)
    select entry_id, row_key, ordinal, state, kind, p, client_id, lettering, true, entry from gone
    where not exists (select from change where change.entry_id = gone.entry_id)
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
    its open lines are left."""

    before: str | None = None
    after: str | None = None
    entries: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    lumps: list[str] = field(default_factory=list)
    """Accounts that stood as clients on replaced lines alone."""
    warnings: tuple[Problem, ...] = ()


async def bring_forward(connection: Connection, company: str, book: str, openings: list[str]) -> Carried:
    """Replace the staged opening lines by the entries of last year that they stand for; leave staged lines that
    are open to the book that carried them forward. To be called before the comparison."""
    values: dict[str, Any] = {"company": company, "book": book, "openings": openings}
    carried = Carried(after=await _next_year(connection, values))
    if carried.after:
        await connection.execute("delete from seen where lettering = ''")
    rows = await (await connection.execute(OPENING_LINES, values)).fetchall()
    if not rows:
        return carried
    opening_day = min(date.fromisoformat(row[4]["entry_date"]) for row in rows)
    await connection.execute(
        "insert into opening (company, book, opening_day) values (%(company)s, %(book)s, %(opening_day)s)"
        " on conflict (company, book) do update set opening_day = excluded.opening_day",
        values | {"opening_day": opening_day},
    )
    before = year_before(book, opening_day)
    found = await (await connection.execute(OPEN_ENTRIES, values | {"before": before})).fetchall()
    if not found:
        return carried
    lines = [_line(*row) for row in rows if row[4]["entry_date"] == opening_day.isoformat()]
    entries = {row[0]: row for row in found}
    brought = pair(lines, [_entry(row[0], row[3], row[4]) for row in found])
    carried.before = before
    carried.left = [entry.entry_id for entry in brought.left]
    carried.warnings = tuple(_differs(line, total) for line, total in brought.differing)
    carried.entries = await _stand_in(connection, brought, entries, {line.line: line for line in lines}, rows)
    replaced = {line.client_id for line in lines if line.names_no_client and line.line in brought.stands_for}
    still = await connection.execute(
        "select distinct client_id from seen where client_id = any(%s)", (sorted(replaced),)
    )
    carried.lumps = sorted(replaced - {client_id for (client_id,) in await still.fetchall()})
    return carried


async def _next_year(connection: Connection, values: dict[str, Any]) -> str | None:
    """The book that began the day after this one ended and carried its open entries forward."""
    day = day_after(values["book"])
    if day is None:
        return None
    series, _, _ = values["book"].rpartition("/")
    row = await (
        await connection.execute(
            "select book from opening where company = %(company)s and opening_day = %(day)s and book <> %(book)s"
            " and starts_with(book, %(series)s) order by book limit 1",
            values | {"day": day, "series": f"{series}/"},
        )
    ).fetchone()
    return str(row[0]) if row else None


def _line(number: int, account: str, client_id: str, lettering: str, entry: dict[str, Any]) -> OpeningLine:
    amount = Decimal(entry["debit"]) - Decimal(entry["credit"])
    dated = entry["invoice_date"]
    return OpeningLine(number, account, client_id, amount, entry["currency"], entry["piece"], dated, lettering)


def _entry(entry_id: str, entry: dict[str, Any], former: str | None) -> OpenEntry:
    return OpenEntry(
        entry_id,
        entry["account"],
        entry["client_id"],
        Decimal(entry["debit"]) - Decimal(entry["credit"]),
        entry["currency"],
        entry["piece"],
        entry["invoice_date"],
        former,
    )


async def _stand_in(
    connection: Connection,
    brought: Brought,
    entries: dict[str, Any],
    lines: dict[int, OpeningLine],
    rows: list[Any],
) -> list[str]:
    """Put the entries into the place of the lines; answers which. Their line numbers are negative: no line of the
    file has such a one."""
    lettered_on = {row[0]: row[4]["lettered_on"] for row in rows}
    await connection.execute("delete from seen where line = any(%s)", (list(brought.stands_for),))
    staged: list[dict[str, Any]] = []
    for number, stood_for in sorted(brought.stands_for.items()):
        for entry in stood_for:
            _, p, kind, told, _ = entries[entry.entry_id]
            lettering = lines[number].lettering
            state = told | {"lettering": lettering or None, "lettered_on": lettered_on[number]}
            text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))[1:-1]
            staged.append(
                {
                    "line": -len(staged) - 1, "row_key": entry.entry_id, "state": digest(text), "p": p,
                    "client_id": entry.client_id, "account": entry.account, "lettering": lettering,
                    "book_amount": told["book_amount"], "journal": told["journal"], "is_credit": entry.amount < 0,
                    "told": kind, "entry": text,
                }
            )  # fmt: skip
    async with connection.cursor() as cursor:
        await cursor.executemany(STAND_FOR, staged)
        await cursor.executemany("insert into carried values (%s)", [(one["row_key"],) for one in staged])
    await connection.execute("analyze carried")
    return [one["row_key"] for one in staged]


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
    last year's book."""
    if unsaid:
        await connection.execute("delete from change where entry_id = any(%s)", (unsaid,))
    if carried.before is None or not carried.left:
        return 0
    values = {"company": company, "before": carried.before, "left": carried.left}
    return (await connection.execute(RELEASE, values)).rowcount
