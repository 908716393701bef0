"""Entries with keys of their source's own: a delivery against what was delivered last, in sets.

A key names an entry for ever: whatever else changes of it, its ``entry_id`` stays. An entry that goes to another
client is gone from the one and new to the other.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

from services.sync.changes import LABELS_AT_ONCE, ROOM, Connection, label_objects, objects

WANTED_AT_MOST = 5_000

STAGE = """
    create temp table delivered_entry (
        line integer, pass smallint, key text, gone boolean, entry_id uuid, state uuid, label_state uuid,
        p smallint, client_id text, is_open boolean, book_amount numeric(18, 4), label text, entry text,
        fields text, fields_state uuid
    ) on commit drop;
    create temp table delivered_key (key text) on commit drop;
    create temp table entry_change (
        key text, entry_id uuid, state uuid, label_state uuid, p smallint, client_id text, is_open boolean,
        book_amount numeric(18, 4), removed boolean, entry text, label text, is_said boolean, is_labelled boolean,
        is_kept boolean, fields text, fields_state uuid, is_filled boolean
    ) on commit drop;
"""
COLUMNS = (
    "line", "pass", "key", "gone", "entry_id", "state", "label_state", "p", "client_id", "is_open", "book_amount",
    "label", "entry", "fields", "fields_state",
)  # fmt: skip

TWICE = """
    select key, min(line), max(line) from delivered_entry group by pass, key
    having count(distinct (gone, state, label_state, fields_state)) > 1 order by key limit 20
"""

LATEST = """
    create temp table latest_entry on commit drop as
    select distinct on (key) * from delivered_entry order by key, line desc;
    analyze latest_entry; analyze delivered_key;
"""

# what was read and is gone by the time the keys were
GONE_MEANWHILE = """
    update latest_entry set gone = true
    where not gone and not exists (select from delivered_key d where d.key = latest_entry.key)
"""

CHANGED = """
    insert into entry_change
    select l.key, l.entry_id, l.state, l.label_state, l.p, l.client_id, l.is_open, l.book_amount, false, l.entry,
        l.label, k.key is null or k.removed or k.state <> l.state,
        coalesce(k.label <> l.label_state, l.label <> ''), true, l.fields, l.fields_state,
        k.fields is distinct from l.fields_state
    from latest_entry l
        left join keyed_entry k on k.company = %(company)s and k.source = %(source)s and k.key = l.key
    where not l.gone and (k.key is null or k.removed or k.state <> l.state or k.label <> l.label_state
        or k.fields is distinct from l.fields_state)
"""

# the state under the former client, said and not kept: the key now stands for the entry at the other client
MOVED = """
    insert into entry_change
    select k.key, k.entry_id, k.state, k.label, k.p, k.client_id, k.is_open, k.book_amount, true, k.entry,
        null, true, false, false, null, k.fields, false
    from entry_change c join keyed_entry k on k.company = %(company)s and k.source = %(source)s and k.key = c.key
    where not k.removed and k.client_id <> c.client_id
"""

GONE = """
    insert into entry_change
    select k.key, k.entry_id, k.state, k.label, k.p, k.client_id, k.is_open, k.book_amount, true, k.entry,
        null, true, false, true, null, k.fields, false
    from keyed_entry k left join latest_entry l on l.key = k.key
        left join (select distinct key from delivered_key) listed on listed.key = k.key
    where k.company = %(company)s and k.source = %(source)s and not k.removed
        and (l.gone or (%(complete)s and l.key is null and listed.key is null))
"""

REMEMBER = """
    insert into keyed_entry (company, source, key, entry_id, state, label, p, client_id, is_open, book_amount,
        removed, entry, fields)
    select %(company)s, %(source)s, key, entry_id, state, label_state, p, client_id, is_open, book_amount, removed,
        entry, fields_state
    from entry_change where is_kept
    on conflict (company, source, key) do update set state = excluded.state, label = excluded.label,
        p = excluded.p, client_id = excluded.client_id, is_open = excluded.is_open,
        book_amount = excluded.book_amount, removed = excluded.removed, entry = excluded.entry,
        fields = excluded.fields
"""

UNKNOWN = """
    select key from delivered_key d where not exists (
        select from keyed_entry k
        where k.company = %(company)s and k.source = %(source)s and k.key = d.key and not k.removed)
    order by key limit %(most)s
"""

HELD = """
    select count(*), coalesce(sum(book_amount), 0),
        count(*) filter (where is_open), coalesce(sum(book_amount) filter (where is_open), 0)
    from keyed_entry where company = %(company)s and source = %(source)s and not removed
"""

EVENTS = """
    select p, row_number() over (partition by p order by by_count, by_size) as n,
        %(head)s || string_agg('{"entry_id":"' || encode(uuid_send(entry_id), 'hex') || '","removed":' || removed
            || ',' || entry || '}', ',' order by client_id collate "C", entry_id) || ']}' as body
    from (
        select p, entry_id, removed, entry, client_id,
            (row_number() over next_to - 1) / %(entries)s as by_count,
            (sum(octet_length(entry) + 100) over next_to - octet_length(entry) - 100) / %(bytes)s as by_size
        from entry_change where is_said and p = any(%(ps)b::smallint[])
        window next_to as (partition by p order by client_id collate "C", entry_id rows unbounded preceding)
    ) numbered
    group by p, by_count, by_size
"""
"""Bodies of ``EntriesSynced`` without what is the same in all of them, their ``head``."""

LABELS = """
    select json_object_agg(encode(uuid_send(entry_id), 'hex'), left(label, %(longest)s))::text
    from (
        select entry_id, label, (row_number() over (order by entry_id) - 1) / %(at_once)s as part
        from entry_change where is_labelled
    ) numbered
    group by part order by part
"""


FIELDS = """
    select json_object_agg(encode(uuid_send(entry_id), 'hex'), fields::json)::text
    from (
        select entry_id, fields, (row_number() over (order by entry_id) - 1) / %(at_once)s as part
        from entry_change where is_filled
    ) numbered
    group by part order by part
"""


@dataclass(frozen=True)
class Held:
    """What sync holds of a source: live entries and debits minus credits of them; of these, the unlettered."""

    entries: int
    balance: Decimal
    open_entries: int
    open_balance: Decimal


async def stage(connection: Connection) -> None:
    """Temporary tables that live as long as the transaction."""
    await connection.execute(ROOM)
    await connection.execute(STAGE)


async def twice(connection: Connection) -> list[tuple[str, int, int]]:
    """(key, line, later line) of entries that one pass delivers twice, and differently."""
    return await (await connection.execute(TWICE)).fetchall()


async def compare(connection: Connection, company: str, source: str, *, complete: bool) -> tuple[int, int]:
    """Fill ``entry_change``; answer how many entries changed, and how many of them are gone.

    ``complete`` says that ``delivered_key`` lists all entries there are.
    """
    values = {"company": company, "source": source, "complete": complete}
    await connection.execute(LATEST)
    if complete:
        await connection.execute(GONE_MEANWHILE)
    await connection.execute(CHANGED, values)
    await connection.execute(MOVED, values)
    await connection.execute(GONE, values)
    await connection.execute("analyze entry_change")
    row = await (
        await connection.execute(
            "select count(*) filter (where is_said), count(*) filter (where removed) from entry_change"
            " where is_kept"
        )
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def listed(connection: Connection) -> int:
    """How many different keys the delivery lists."""
    row = await (await connection.execute("select count(distinct key) from delivered_key")).fetchone()
    assert row is not None
    return int(row[0])


async def undelivered(connection: Connection) -> int:
    """Keys of which a full delivery brought no row."""
    row = await (
        await connection.execute(
            "select count(*) from delivered_key d where not exists"
            " (select from delivered_entry e where e.key = d.key and not e.gone)"
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


async def remember(connection: Connection, company: str, source: str) -> None:
    """Make the delivered state the last seen one."""
    await connection.execute(REMEMBER, {"company": company, "source": source})


async def unknown(connection: Connection, company: str, source: str) -> list[str]:
    """Keys that the source has and sync lacks, a few thousand at most. To be asked once all is remembered."""
    cursor = await connection.execute(UNKNOWN, {"company": company, "source": source, "most": WANTED_AT_MOST})
    return [key for (key,) in await cursor.fetchall()]


async def held(connection: Connection, company: str, source: str) -> Held:
    row = await (await connection.execute(HELD, {"company": company, "source": source})).fetchone()
    assert row is not None
    return Held(*row)


async def partitions(connection: Connection) -> dict[int, int]:
    """How many entries are said, by partition."""
    cursor = await connection.execute("select p, count(*) from entry_change where is_said group by p order by p")
    return dict(await cursor.fetchall())


async def labels(connection: Connection) -> AsyncIterator[str]:
    """JSON objects of entry id to label, of entries that are new or whose text changed, many at a time."""
    async for told in label_objects(connection, LABELS):
        yield told


async def fields(connection: Connection) -> AsyncIterator[str]:
    """JSON objects of entry id to free fields, of entries whose fields are new or changed, many at a time."""
    async for told in objects(connection, FIELDS, {"at_once": LABELS_AT_ONCE}):
        yield told
