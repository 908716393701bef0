"""What sync says: accounting lines, whether they are open, and the runs that brought them."""

from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.heard_rows import applying
from chassis.items import NOTHING, Connection, Items, Told, clients_of, insert_new
from chassis.new_rows import NewRows
from chassis.projection import Delivered, Project
from contracts.terms import LETTERING_TOLERANCE

LINES = Items(
    "entries",
    {
        "client_id": "text", "entry_id": "uuid", "account": "text", "kind": "text", "journal": "text",
        "piece": "text", "entry_date": "date", "invoice_date": "date", "due_date": "date", "debit": "numeric",
        "credit": "numeric", "currency": "text", "book_amount": "numeric", "payment_mode": "text",
        "lettering": "text", "lettered_on": "date", "removed": "boolean",
    },
)  # fmt: skip

INTO = """
    insert into entry (company, p, client_id, entry_id, account, kind, journal, piece, piece_key, entry_date,
        invoice_date, due_date, debit, credit, currency, book_amount, payment_mode, lettering, lettered_on,
        archived, is_open)
"""
VALUES = """company, p, client_id, entry_id, account, kind, journal, piece, lower(piece), entry_date, invoice_date,
        due_date, debit, credit, currency, book_amount, payment_mode, lettering, lettered_on, removed,
        lettering is null and not removed"""

ENTRY = NewRows(
    "entry",
    (
        "client_id", "entry_id", "account", "kind", "journal", "piece", "piece_key", "entry_date", "invoice_date",
        "due_date", "debit", "credit", "currency", "book_amount", "payment_mode", "lettering", "lettered_on",
        "archived", "is_open",
    ),
    lambda line: (
        f"{line.client_id}\t{line.entry_id}\t{line.account}\t{line.kind}\t{line.journal}\t{line.piece}"
        f"\t{line.piece.lower()}\t{line.entry_date}"
        f"\t{NOTHING if line.invoice_date is None else line.invoice_date}\t{line.due_date}\t{line.debit}"
        f"\t{line.credit}\t{line.currency}\t{line.book_amount}"
        f"\t{NOTHING if line.payment_mode is None else line.payment_mode}"
        f"\t{NOTHING if line.lettering is None else line.lettering}"
        f"\t{NOTHING if line.lettered_on is None else line.lettered_on}\t{'t' if line.removed else 'f'}"
        f"\t{'t' if line.lettering is None and not line.removed else 'f'}"
    ),
)  # fmt: skip

CLIENTS = """
    unnest(%(client_companies)b::text[], %(client_ps)b::smallint[], %(clients)b::text[],
        %(client_numbers)b::bigint[]) as told(company, p, client_id, number)
"""

NEW_ENTRIES = f"{INTO} select {VALUES} from {LINES.table}"  # noqa: S608

NEW_GROUPS = f"""
    select company, p, client_id, account, lettering from {LINES.table}
    where lettering is not null
    group by company, p, client_id, account, lettering
    having abs(coalesce(sum(book_amount) filter (where not removed), 0)) > %(tolerance)s
        or (company, client_id) in (select * from unnest(%(companies)b::text[], %(clients)b::text[]))
"""  # noqa: S608
"""A group that balances within these lines is as it should be when its client had no others."""

ENTRIES = f"""
    with written as (
        {INTO} select distinct on (company, client_id, entry_id) {VALUES} from {LINES.table}
        order by company, client_id, entry_id, number desc, n desc
        on conflict (company, client_id, entry_id) do update set (p, account, kind, journal, piece, piece_key,
            entry_date, invoice_date, due_date, debit, credit, currency, book_amount, payment_mode, lettering,
            lettered_on, archived, is_open) = row(excluded.p, excluded.account, excluded.kind, excluded.journal,
            excluded.piece, excluded.piece_key, excluded.entry_date, excluded.invoice_date, excluded.due_date,
            excluded.debit, excluded.credit, excluded.currency, excluded.book_amount, excluded.payment_mode,
            excluded.lettering, excluded.lettered_on, excluded.archived, excluded.is_open)
        returning new.company, new.p, new.client_id, old.account as old_account, old.lettering as old_lettering,
            new.account as new_account, new.lettering as new_lettering
    )
    select company, p, client_id, old_account as account, old_lettering as lettering
        from written where old_lettering is not null
    union
    select company, p, client_id, new_account, new_lettering from written where new_lettering is not null
"""  # noqa: S608
"""Writes the lines and answers every lettering group that any of them is in, or was in."""

NUMBERS = """
    with heard as (
        select company, p, number from unnest(%(companies)b::text[], %(ps)b::smallint[], %(numbers)b::bigint[])
            h(company, p, number)
    ),
    accounts as (
        insert into synced_account (company, p, client_id, number)
        select company, p, client_id, max(number) from {lines} group by company, p, client_id
        on conflict (company, client_id) do update set number = greatest(synced_account.number, excluded.number)
        returning company, client_id, old.number is not null as known
    ),
    outdated as (
        delete from standing_day d using heard h, synced_partition s
        where d.company = h.company and s.company = h.company and s.p = h.p and s.number >= h.number
    ),
    partitions as (
        insert into synced_partition (company, p, number)
        select company, p, max(number) from heard group by company, p
        on conflict (company, p) do update set number = greatest(synced_partition.number, excluded.number)
    )
    select company, client_id from accounts where known
"""
"""The last number that touched an account tells which standings are out of date; events that come late, having
been parked, make all of them so. Answers the clients that had lines before."""

LETTERINGS = """
    with touched as (
        select * from unnest(%(companies)b::text[], %(ps)b::smallint[], %(clients)b::text[],
            %(accounts)b::text[], %(letterings)b::text[]) t(company, p, client_id, account, lettering)
    ),
    line as (
        select e.company, e.client_id, e.account, e.lettering, e.book_amount, e.is_open
        from (select distinct company, client_id from touched) c
        join entry e on e.company = c.company and e.client_id = c.client_id
        where e.lettering is not null and not e.archived
    ),
    summed as materialized (
        select t.company, t.p, t.client_id, t.account, t.lettering, coalesce(sum(l.book_amount), 0) as difference,
            coalesce(bool_or(l.is_open), false) as some_open, coalesce(bool_and(l.is_open), true) as all_open
        from touched t left join line l using (company, client_id, account, lettering)
        group by t.company, t.p, t.client_id, t.account, t.lettering
    ),
    opened as (
        update entry e set is_open = abs(s.difference) > %(tolerance)s
        from summed s
        where e.company = s.company and e.client_id = s.client_id and e.account = s.account
            and e.lettering = s.lettering and not e.archived
            and case when abs(s.difference) > %(tolerance)s then not s.all_open else s.some_open end
            and e.is_open is distinct from (abs(s.difference) > %(tolerance)s)
    ),
    cleared as (
        delete from lettering_error l using summed s
        where abs(s.difference) <= %(tolerance)s and l.company = s.company and l.client_id = s.client_id
            and l.account = s.account and l.lettering = s.lettering
    )
    insert into lettering_error (company, p, client_id, account, lettering, difference)
    select company, p, client_id, account, lettering, difference from summed
    where abs(difference) > %(tolerance)s
    on conflict (company, client_id, account, lettering) do update set difference = excluded.difference
"""
"""A group whose debits and credits differ counts as open (rule 2.8)."""

COMPLETED = """
    insert into sync_run (company, p, run_id, connector, source, run_on, completed_at, entries_read, changed,
        archived)
    select heard.company, heard.p, r.run_id, r.connector, r.source, heard.as_of, r.completed_at, r.entries_read,
        r.changed, r.archived
    from {heard}, json_to_record(heard.body::json) as r(run_id uuid, connector text, source text,
        completed_at timestamptz, entries_read integer, changed integer, archived integer)
    on conflict (company, run_id) do nothing
"""


async def entries_synced(tx: AsyncConnection, events: list[Delivered]) -> None:
    """Lines that are new, changed or gone, and the state of their lettering groups (rules 1.2, 2.8)."""
    connection = await driver(tx)
    numbers = {
        "companies": [event.company for event in events],
        "ps": [event.partition for event in events],
        "numbers": [event.number for event in events],
    }
    told = LINES.told(events)
    new = await ENTRY.copy(connection, told) if _is_plain(told) else None
    if new:
        known = await _touched(connection, NUMBERS.format(lines=CLIENTS), {**numbers, **_clients(told)})
        await _letter(connection, _groups(told, set(known)))
        return
    rows = await LINES.lay_out(connection, events)
    known = await _touched(connection, NUMBERS.format(lines=LINES.table), numbers)
    if new is None and await insert_new(connection, NEW_ENTRIES, rows):
        parameters = {
            "tolerance": LETTERING_TOLERANCE,
            "companies": [company for company, _ in known],
            "clients": [client_id for _, client_id in known],
        }
        touched = await connection.execute(NEW_GROUPS.encode(), parameters, prepare=False)
    else:
        touched = await connection.execute(ENTRIES.encode(), prepare=False)
    await _letter(connection, await touched.fetchall())


async def _touched(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    answer = await connection.execute(statement.encode(), parameters, prepare=False)
    return await answer.fetchall()


def _is_plain(told: Told) -> bool:
    """PostgreSQL and Python lower letters alike for certain where they are ASCII."""
    return all(line.piece.isascii() for _, lines in told for line in lines)


def _clients(told: Told) -> dict[str, list[Any]]:
    """The clients of these lines, each with the number that touched it last, as columns."""
    last = clients_of(told)
    return {
        "client_companies": [company for company, _, _ in last],
        "client_ps": [p for _, p, _ in last],
        "clients": [client_id for _, _, client_id in last],
        "client_numbers": list(last.values()),
    }


def _groups(told: Told, known: Container[tuple[str, str]]) -> list[tuple[str, int, str, str, str]]:
    """The lettering groups of new lines to be looked at: one that balances within these lines is as it should be
    when its client had no others."""
    groups: list[tuple[str, int, str, str, str]] = []
    for (company, p), amounts in _lettered(told).items():
        groups += [
            (company, p, *group)
            for group, lettered in amounts.items()
            if not _balances(lettered) or (company, group[0]) in known
        ]
    return sorted(groups)


def _lettered(told: Told) -> dict[tuple[str, int], dict[tuple[str, str, str], list[str]]]:
    """By company and partition the amounts of each lettering group, a client's account and code."""
    lettered: dict[tuple[str, int], dict[tuple[str, str, str], list[str]]] = {}
    for event, lines in told:
        amounts = lettered.setdefault((event.company, event.partition), {})
        for line in lines:
            if line.lettering is not None:
                group = amounts.setdefault((line.client_id, line.account, line.lettering), [])
                if not line.removed:
                    group.append(line.book_amount)
    return lettered


def _balances(amounts: Sequence[str]) -> bool:
    """Within the tolerance; most often an invoice and its payment, which texts tell."""
    if len(amounts) == 2 and f"-{amounts[0]}" == amounts[1]:
        return True
    return abs(sum(map(Decimal, amounts), Decimal(0))) <= LETTERING_TOLERANCE


async def _letter(connection: Connection, groups: Sequence[tuple[Any, ...]]) -> None:
    """Whether the entries of these groups are open (rule 2.8)."""
    if not groups:
        return
    columns = ("companies", "ps", "clients", "accounts", "letterings")
    told = {name: list(values) for name, values in zip(columns, zip(*groups, strict=True), strict=True)}
    await connection.execute(LETTERINGS.encode(), {**told, "tolerance": LETTERING_TOLERANCE}, prepare=False)


SYNCED: dict[str, Project] = {"EntriesSynced": entries_synced, "SyncCompleted": applying(COMPLETED)}
