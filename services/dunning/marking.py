"""Whom the next round looks at, and at how much of it: the marks that facts leave in ``schedule``.

``next_on`` of the first day there is (``0001-01-01``) wants a look, of minus infinity one at every line.
``touched`` are the entries heard of since the client was decided, null where every line is to be looked at: of
what the last decision left asleep, only what is touched is looked at again (``domain/narrow``). Code that knows
nothing of ``touched`` marks with minus infinity: while its pods are being replaced, or when it came back for a
while, no line sleeps through what it applied.

A mark waits for a round that is deciding this very client, so that none is lost between its read and its commit;
so what adds to ``touched`` comes after a mark, which holds the client.
"""

from chassis.items import NOTHING, Connection, Told, clients_of

MOST_TOUCHED = 200
"""With more than so many, looking at every line is as cheap."""

LOOK = "next_on = '0001-01-01' where known.next_on > '0001-01-01'"
"""What a mark that wants a look changes of the client's row."""
LOOK_AT_ALL = (
    "next_on = '-infinity', touched = null where known.next_on > '-infinity' or known.touched is not null"
)
"""What a mark that wants a look at every line changes of the client's row."""

MARK = f"""
    insert into schedule as known (company, p, client_id, next_on)
    select distinct heard.company, heard.p, heard.client, '-infinity'::date
    from {{heard}} where heard.client is not null
    order by heard.company, heard.p, heard.client
    on conflict (company, p, client_id) do update set {LOOK}
"""  # noqa: S608 constants of this module
"""For what says nothing about a line that sleeps."""

MARK_WHOLE = MARK.replace(LOOK, LOOK_AT_ALL)
"""For what may change the step of any line, or why it is excluded."""

LOOK_AT_EVERYBODY = (
    "update schedule set next_on = '-infinity', touched = null where next_on > '-infinity' or touched is not null",
    "insert into schedule (company, p, client_id, next_on)"
    " select distinct company, p, client_id, '-infinity'::date from entry on conflict do nothing",
)
"""After a rebuild has put other rows in place: whoever slept by the old ones is looked at by the new."""

_TOUCH = """
    update schedule known set touched = case
        when cardinality(known.touched || told.ids) <= {most} then known.touched || told.ids
    end
    from {told} as told
    where known.company = told.company and known.p = told.p and known.client_id = told.client_id
        and known.touched is not null
"""


def _touching(told: str) -> str:
    """``told`` selects company, partition, client and entry ids, of clients that this transaction has marked."""
    return _TOUCH.format(told=told, most=MOST_TOUCHED)


TOUCH_LEVELS = _touching("""(
        select heard.company, heard.p, heard.client as client_id,
            array_agg(distinct moved.one ->> 'entry_id') as ids
        from {heard} cross join lateral (
            select jsonb_array_elements(heard.body::jsonb -> 'levels') as one
            union all
            select jsonb_array_elements(nullif(heard.body::jsonb -> 'noticed', 'null'))
        ) moved
        group by heard.company, heard.p, heard.client
    )""")
"""For the lines whose level moved."""

MARK_TOLD = f"""
    insert into schedule as known (company, p, client_id, next_on)
    select company, p, client_id, '-infinity'::date
    from unnest(%(companies)b::text[], %(ps)b::smallint[], %(clients)b::text[]) as told(company, p, client_id)
    on conflict (company, p, client_id) do update set {LOOK}
"""  # noqa: S608

TOUCH_TOLD = _touching("""(
        select company, p, client_id, string_to_array(ids, %(between)s) as ids
        from unnest(%(companies)b::text[], %(ps)b::smallint[], %(clients)b::text[], %(ids)b::text[])
            as told(company, p, client_id, ids)
    )""")


def mark_lines(table: str) -> tuple[str, str]:
    """The statements that mark the clients of the lines laid out in a table, and note the lines."""
    mark = f"""
        insert into schedule as known (company, p, client_id, next_on)
        select distinct company, p, client_id, '-infinity'::date from {table} order by company, p, client_id
        on conflict (company, p, client_id) do update set {LOOK}
    """  # noqa: S608 - a constant of the caller
    lines = f"""(
        select company, p, client_id, array_agg(distinct entry_id) as ids from {table}
        group by company, p, client_id
    )"""  # noqa: S608
    return mark, _touching(lines)


async def mark(connection: Connection, told: Told) -> None:
    """The next round is to look at the clients of these items."""
    clients = clients_of(told)
    if clients:
        companies, ps, names = zip(*clients, strict=True)
        marked = {"companies": list(companies), "ps": list(ps), "clients": list(names)}
        await connection.execute(MARK_TOLD.encode(), marked, prepare=False)


async def mark_entries(connection: Connection, told: Told) -> None:
    """The next round is to look at these entries."""
    await mark(connection, told)
    ids: dict[tuple[str, int, str], list[str]] = {}
    for event, items in told:
        company, p = event.company, event.partition
        for item in items:
            ids.setdefault((company, p, item.client_id), []).append(item.entry_id)
    if ids:
        companies, ps, names = zip(*ids, strict=True)
        touched = {
            "companies": list(companies),
            "ps": list(ps),
            "clients": list(names),
            "ids": [NOTHING.join(some) for some in ids.values()],
            "between": NOTHING,
        }
        await connection.execute(TOUCH_TOLD.encode(), touched, prepare=False)
