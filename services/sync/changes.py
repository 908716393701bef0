"""What a file changes: its staged lines against the last seen state, in sets.

Equal lines (same ``row_key``) are told apart by their last seen state: first those that did not change at all,
then those of equal lettering, then the rest in order, then lines that were gone and come back. So the order of a
file says nothing, and lettering k of several equal lines changes exactly k of them.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, LiteralString

import psycopg

from services.sync.domain.fields import NONE_FILLED

Connection = psycopg.AsyncConnection[Any]

ENTRIES_PER_EVENT = 500
BYTES_PER_EVENT = 400_000
"""Of entries; with its last entry and the envelope an event stays below 512 KB."""

ENTRIES_AT_ONCE = 30_000
"""Of the partitions whose events are made by one statement."""

LONGEST_LABEL = 2_000
LABELS_AT_ONCE = 20_000

ROOM = """
    set local work_mem = '128MB';
    set local default_statistics_target = 3;
"""
"""How much memory one sort may take; how many rows are looked at to know a temporary table: by default it would be
most of a book of ordinary size, again and again."""

STAGE = """
    create temp table seen (
        line integer, row_key uuid, state uuid, p smallint, client_id text, account text, lettering text,
        book_amount numeric(18, 4), journal text, is_credit boolean, told text, label text, fields text,
        entry text
    ) on commit drop;
    create temp table pair (line integer, entry_id uuid) on commit drop;
    create temp table carried (row_key uuid primary key) on commit drop;
    create temp table change (
        entry_id uuid, row_key uuid, ordinal integer, state uuid, kind text, p smallint, client_id text,
        lettering text, removed boolean, entry text, label text, fields text
    ) on commit drop;
"""

KIND = """
    case when told <> '' then told when not is_credit then 'invoice'
        when journal = any(%(sales)s) then 'credit_note' else 'payment' end
"""

LEFT_SEEN = """
    create temp table left_seen on commit drop as
    select line, row_key, lettering from seen
    where not exists (select from pair where pair.line = seen.line);
    analyze left_seen;
"""

LEFT_KNOWN = """
    create temp table left_known on commit drop as
    select entry_id, row_key, ordinal, lettering, removed from source_row
    where company = %(company)s and book = %(book)s
    and not exists (select from pair where pair.entry_id = source_row.entry_id)
"""

UNCHANGED = f"""
    insert into pair
    select s.line, k.entry_id from (
        select line, row_key, state, kind, row_number() over (partition by row_key, state, kind order by line) as n
        from (select line, row_key, state, {KIND} as kind from seen) judged
    ) s join (
        select entry_id, row_key, state, kind,
            row_number() over (partition by row_key, state, kind order by ordinal) as n
        from source_row where company = %(company)s and book = %(book)s and not removed
    ) k using (row_key, state, kind, n)
"""  # noqa: S608 constants of this module

PAIR_LEFT = """
    insert into pair
    select s.line, k.entry_id from (
        select line, row_key, {same} as same, row_number() over (partition by row_key, {same} order by line) as n
        from left_seen where not exists (select from pair where pair.line = left_seen.line)
    ) s join (
        select entry_id, row_key, {same} as same,
            row_number() over (partition by row_key, {same} order by ordinal) as n
        from left_known where removed = {removed}
        and not exists (select from pair where pair.entry_id = left_known.entry_id)
    ) k on k.row_key = s.row_key and k.n = s.n and k.same is not distinct from s.same
"""
PASSES = (("lettering", "false"), ("null::text", "false"), ("null::text", "true"))

CHANGED = f"""
    insert into change
    select k.entry_id, k.row_key, k.ordinal, s.state, {KIND}, s.p, s.client_id, s.lettering, false, s.entry,
        s.label, s.fields
    from left_known k join pair using (entry_id) join seen s on s.line = pair.line
"""  # noqa: S608

MOVED = """
    insert into change
    select r.entry_id, r.row_key, r.ordinal, r.state, r.kind, r.p, r.client_id, r.lettering, true, r.entry, null,
        null
    from left_known k join pair using (entry_id) join seen s on s.line = pair.line
    join source_row r on r.company = %(company)s and r.book = %(book)s and r.entry_id = k.entry_id
    where not k.removed and r.client_id <> s.client_id
"""
"""A line whose client changed is gone from the former one."""

NEW = f"""
    insert into change
    select case when exists (select from carried where carried.row_key = fresh.row_key) then row_key
        else encode(substr(sha256(
            convert_to(%(book)s || '/' || row_key || '/' || ordinal, 'UTF8')), 1, 16), 'hex')::uuid end,
        row_key, ordinal, state, kind, p, client_id, lettering, false, entry, label, fields
    from (
        select s.*, {KIND} as kind, (coalesce(known.last, 0)
            + row_number() over (partition by s.row_key order by s.state, s.line))::integer as ordinal
        from seen s left join (
            select row_key, max(ordinal) as last from source_row where company = %(company)s and book = %(book)s
            group by row_key
        ) known using (row_key)
        where not exists (select from pair where pair.line = s.line)
    ) fresh
"""  # noqa: S608

GONE = """
    insert into change
    select r.entry_id, r.row_key, r.ordinal, r.state, r.kind, r.p, r.client_id, r.lettering, true, r.entry, null,
        null
    from left_known k join source_row r
        on r.company = %(company)s and r.book = %(book)s and r.entry_id = k.entry_id
    where not k.removed and not exists (select from pair where pair.entry_id = k.entry_id)
"""

GONE_BY_NAME = f"{GONE} and r.row_key = any(%(gone)s::uuid[])"

REMEMBER_FIRST = """
    insert into source_row (company, book, entry_id, row_key, ordinal, state, kind, p, client_id, lettering,
        removed, entry)
    select %(company)s, %(book)s, entry_id, row_key, ordinal, state, kind, p, client_id, lettering, removed, entry
    from change
"""
"""Of a book that nothing is known of: nothing can stand in the way, and looking for it is half of the work."""

REMEMBER = """
    insert into source_row (company, book, entry_id, row_key, ordinal, state, kind, p, client_id, lettering,
        removed, entry)
    select distinct on (entry_id) %(company)s, %(book)s, entry_id, row_key, ordinal, state, kind, p, client_id,
        lettering, removed, entry
    from change
    order by entry_id, removed
    on conflict (company, book, row_key, ordinal) do update set state = excluded.state, kind = excluded.kind,
        p = excluded.p, client_id = excluded.client_id, lettering = excluded.lettering,
        removed = excluded.removed, entry = excluded.entry
"""

EVENTS = """
    select p, row_number() over (partition by p order by by_count, by_size) as n,
        %(head)s || string_agg('{"entry_id":"' || encode(uuid_send(entry_id), 'hex') || '","kind":"' || kind
            || '","removed":' || removed || ',' || entry || '}', ',') || ']}' as body
    from (
        select p, entry_id, kind, removed, entry,
            (row_number() over next_to - 1) / %(entries)s as by_count,
            (sum(octet_length(entry) + 100) over next_to - octet_length(entry) - 100) / %(bytes)s as by_size
        from change where p = any(%(ps)b::smallint[])
        window next_to as (partition by p order by client_id collate "C", entry_id rows unbounded preceding)
    ) numbered
    group by p, by_count, by_size
"""
"""Bodies of ``EntriesSynced`` without what is the same in all of them, their ``head``.

The lines of one come in the order in which they are numbered; to ask for it would sort the book twice, and nobody
needs it."""

LABELS = """
    select json_object_agg(encode(uuid_send(entry_id), 'hex'), left(label, %(longest)s))::text
    from (
        select entry_id, label, (row_number() over (order by entry_id) - 1) / %(at_once)s as part
        from change where not removed and label <> ''
    ) numbered
    group by part order by part
"""

# a new line without fields has none to be taken away
FIELDS = """
    select json_object_agg(encode(uuid_send(entry_id), 'hex'), fields::json)::text
    from (
        select entry_id, fields, (row_number() over (order by entry_id) - 1) / %(at_once)s as part
        from change where not removed and fields <> '' and (fields <> %(none)s or exists (
            select from source_row last where last.company = %(company)s and last.book = %(book)s
                and last.row_key = change.row_key and last.ordinal = change.ordinal))
    ) numbered
    group by part order by part
"""

SUMMARY = """
    with settled as materialized (
        select sum(book_amount) as balance from seen where lettering <> '' group by account, client_id, lettering
    )
    select count(*) as receivable_lines,
        (select count(*) from settled) as lettering_groups,
        (select count(*) from settled where abs(balance) > 0.005) as unbalanced_groups,
        count(*) filter (where lettering = '') as open_entries,
        coalesce(sum(book_amount) filter (where lettering = ''), 0) as open_balance
    from seen
"""


@dataclass(frozen=True)
class Summary:
    """What the customer accounts of a file hold. ``open`` is: without a lettering code."""

    receivable_lines: int
    lettering_groups: int
    unbalanced_groups: int
    open_entries: int
    open_balance: Decimal


async def stage(connection: Connection) -> None:
    """Temporary tables that live as long as the transaction."""
    await connection.execute(ROOM)
    await connection.execute(STAGE)


async def summarise(connection: Connection) -> Summary:
    # of the others nothing is chosen by; sampling the texts would cost more than the plans save
    await connection.execute("analyze seen (row_key, state, client_id, lettering)")
    row = await (await connection.execute(SUMMARY)).fetchone()
    assert row is not None
    return Summary(*row)


async def known_rows(connection: Connection, company: str) -> list[tuple[str, int]]:
    """Books of the company that hold staged rows, with their number, the most first."""
    cursor = await connection.execute(
        "select book, count(*) from source_row where company = %s and not removed"
        " and row_key in (select row_key from seen) group by book order by 2 desc, 1",
        (company,),
    )
    return await cursor.fetchall()


async def live_rows(connection: Connection, company: str, book: str) -> int:
    """Rows of a book that are not archived."""
    cursor = await connection.execute(
        "select count(*) from source_row where company = %s and book = %s and not removed", (company, book)
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def _is_known(connection: Connection, company: str, book: str) -> bool:
    cursor = await connection.execute(
        "select from source_row where company = %s and book = %s limit 1", (company, book)
    )
    return await cursor.fetchone() is not None


async def doubled(connection: Connection, most: int) -> list[tuple[int, int]]:
    """(line, earlier line) of lines that share the source's own key, at most so many."""
    cursor = await connection.execute(
        "select line, first from (select line, min(line) over (partition by row_key) as first from seen"
        " where line > 0) keyed where line > first order by line limit %s",
        (most,),
    )
    return await cursor.fetchall()


async def compare(  # noqa: PLR0913 what a source shows
    connection: Connection,
    company: str,
    book: str,
    sales: Sequence[str],
    *,
    keeps_missing: bool = False,
    gone: Sequence[str] = (),
) -> tuple[int, int]:
    """Fill ``change`` with every line that is new, changed, gone or back; answer how many, and how many are gone.

    ``sales`` names the journals whose credits are credit notes. With ``keeps_missing`` no line is gone
    but those whose row keys are named ``gone``.
    """
    values = {"company": company, "book": book, "sales": list(sales)}
    if await _is_known(connection, company, book):
        await connection.execute(UNCHANGED, values)
        await connection.execute("analyze pair")
        await connection.execute(LEFT_SEEN)
        await connection.execute(LEFT_KNOWN, values)
        for same, removed in PASSES:
            await connection.execute(PAIR_LEFT.format(same=same, removed=removed))
        await connection.execute(CHANGED, values)
        await connection.execute(MOVED, values)
        if not keeps_missing:
            await connection.execute(GONE, values)
        elif gone:
            await connection.execute(GONE_BY_NAME, values | {"gone": list(gone)})
    await connection.execute(NEW, values)
    await connection.execute("analyze change (entry_id, p, removed)")
    row = await (
        await connection.execute("select count(*), count(*) filter (where removed) from change")
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def remember(connection: Connection, company: str, book: str) -> None:
    """Make the staged state the last seen one."""
    statement = REMEMBER if await _is_known(connection, company, book) else REMEMBER_FIRST
    await connection.execute(statement, {"company": company, "book": book})


async def partitions(connection: Connection) -> dict[int, int]:
    """How many entries changed, by partition."""
    cursor = await connection.execute("select p, count(*) from change group by p order by p")
    return dict(await cursor.fetchall())


def parts(changed: Mapping[int, int]) -> Iterator[list[int]]:
    """Partitions whose entries are said by one statement, so that a large book does not fill the memory."""
    part: list[int] = []
    size = 0
    for p, entries in changed.items():
        part.append(p)
        size += entries
        if size >= ENTRIES_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


async def labels(connection: Connection) -> AsyncIterator[str]:
    """JSON objects of entry id to label, of the lines that are said and not gone, many at a time."""
    async for told in label_objects(connection, LABELS):
        yield told


async def fields(connection: Connection, company: str, book: str) -> AsyncIterator[str]:
    """JSON objects of entry id to free fields, of the lines that are said and whose source tells of fields, many
    at a time. To be asked before the lines are remembered."""
    values = {"company": company, "book": book, "none": NONE_FILLED, "at_once": LABELS_AT_ONCE}
    async for told in objects(connection, FIELDS, values):
        yield told


async def label_objects(connection: Connection, query: LiteralString) -> AsyncIterator[str]:
    """The rows of ``query``, one at a time: it takes the ``longest`` label and how many go ``at_once``."""
    async for told in objects(connection, query, {"longest": LONGEST_LABEL, "at_once": LABELS_AT_ONCE}):
        yield told


async def objects(connection: Connection, query: LiteralString, values: Mapping[str, Any]) -> AsyncIterator[str]:
    """The rows of ``query``, a JSON object each, one at a time."""
    async with connection.cursor(name="objects") as cursor:
        cursor.itersize = 1
        await cursor.execute(query, values)
        async for (told,) in cursor:
            yield told
