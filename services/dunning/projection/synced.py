"""What sync says: lines of accounting, and the day a company was last read on."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.heard_rows import applying
from chassis.items import NOTHING, Items, insert_new
from chassis.new_rows import NewRows
from chassis.projection import Delivered, Project
from contracts.terms import difference
from services.dunning.marking import mark_entries, mark_lines

LINES = Items(
    "entries",
    {
        "client_id": "text", "entry_id": "text", "account": "text", "kind": "text", "piece": "text",
        "entry_date": "date", "invoice_date": "date", "due_date": "date", "debit": "numeric",
        "credit": "numeric", "currency": "text", "book_amount": "numeric", "payment_mode": "text",
        "lettering": "text", "removed": "boolean",
    },
)  # fmt: skip

ENTRY = NewRows(
    "entry",
    (
        "client_id", "entry_id", "account", "kind", "piece", "currency", "amount", "book_amount", "due_date",
        "counted_on", "payment_mode", "lettering", "removed",
    ),
    lambda line: (
        f"{line.client_id}\t{line.entry_id}\t{line.account}\t{line.kind}\t{line.piece}\t{line.currency}"
        f"\t{difference(line.debit, line.credit)}\t{line.book_amount}\t{line.due_date}"
        f"\t{line.invoice_date or line.entry_date}\t{NOTHING if line.payment_mode is None else line.payment_mode}"
        f"\t{NOTHING if line.lettering is None else line.lettering}\t{'t' if line.removed else 'f'}"
    ),
)  # fmt: skip

NEW_ENTRIES = f"""
    insert into entry (company, client_id, entry_id, p, account, kind, piece, currency, amount, book_amount,
        due_date, counted_on, payment_mode, lettering, removed)
    select company, client_id, entry_id, p, account, kind, piece, currency, debit - credit, book_amount, due_date,
        coalesce(invoice_date, entry_date), payment_mode, lettering, removed
    from {LINES.table}
"""  # noqa: S608 constants of this module

MARK_LINES, TOUCH_LINES = mark_lines(LINES.table)

ENTRIES = f"""
    with told as (
        select line.*,
            line.lettering is null and not line.removed
            and coalesce(
                lag(line.lettering is not null and not line.removed) over each,
                known.lettering is not null and not known.removed, false) as reopened
        from {LINES.table} line left join lateral (
            select lettering, removed from entry
            where (company, client_id, entry_id) = (line.company, line.client_id, line.entry_id) limit 1
        ) known on true
        window each as (partition by company, client_id, entry_id order by number, n)
    ),
    last as (
        select distinct on (company, client_id, entry_id) told.*,
            max(as_of) filter (where reopened) over (partition by company, client_id, entry_id) as reopened_on
        from told
        order by company, client_id, entry_id, number desc, n desc
    )
    insert into entry as known (company, client_id, entry_id, p, account, kind, piece, currency, amount,
        book_amount, due_date, counted_on, payment_mode, lettering, removed, reopened_on)
    select company, client_id, entry_id, p, account, kind, piece, currency, debit - credit, book_amount, due_date,
        coalesce(invoice_date, entry_date), payment_mode, lettering, removed, reopened_on
    from last
    on conflict (company, client_id, entry_id) do update set
        account = excluded.account, kind = excluded.kind, piece = excluded.piece, currency = excluded.currency,
        amount = excluded.amount, book_amount = excluded.book_amount, due_date = excluded.due_date,
        counted_on = excluded.counted_on, payment_mode = excluded.payment_mode, lettering = excluded.lettering,
        removed = excluded.removed, reopened_on = greatest(known.reopened_on, excluded.reopened_on)
"""  # noqa: S608

COMPLETED = """
    insert into company_sync as known (company, p, synced_on)
    select heard.company, max(heard.p), max(heard.as_of) from {heard} group by heard.company
    on conflict (company) do update set synced_on = greatest(known.synced_on, excluded.synced_on)
"""


async def entries_synced(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Lines that are new, changed or gone, and the clients to look at again."""
    connection = await driver(tx)
    told = LINES.told(heard)
    new = await ENTRY.copy(connection, told)
    if new:
        await mark_entries(connection, told)
        return
    rows = await LINES.lay_out(connection, heard)
    if new is False or not await insert_new(connection, NEW_ENTRIES, rows):
        await connection.execute(ENTRIES.encode(), prepare=False)
    await connection.execute(MARK_LINES.encode(), prepare=False)
    await connection.execute(TOUCH_LINES.encode(), prepare=False)


SYNCED: Mapping[str, Project] = {
    "EntriesSynced": entries_synced,
    "SyncCompleted": applying(COMPLETED),
}
