"""What sync says: lines and clients of accounting, and whose lettering is to be judged again."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.heard_rows import applying
from chassis.items import NOTHING, Items, Told, clients_of, insert_new
from chassis.new_rows import NewRows
from chassis.one_text import one_text, unnest
from chassis.projection import Delivered, Project

LINES = Items(
    "entries",
    {
        "client_id": "text", "entry_id": "text", "account": "text", "kind": "text", "journal": "text",
        "piece": "text", "entry_date": "date", "invoice_date": "date", "due_date": "date", "debit": "numeric",
        "credit": "numeric", "currency": "text", "book_amount": "numeric", "payment_mode": "text",
        "lettering": "text", "lettered_on": "date", "removed": "boolean",
    },
)  # fmt: skip

COLUMNS = """company, client_id, entry_id, p, account, kind, journal, piece, entry_date, invoice_date, due_date,
    debit, credit, currency, book_amount, payment_mode, lettering, lettered_on, removed"""

ENTRY = NewRows(
    "entry",
    tuple(LINES.columns),
    lambda line: (
        f"{line.client_id}\t{line.entry_id}\t{line.account}\t{line.kind}\t{line.journal}\t{line.piece}"
        f"\t{line.entry_date}\t{NOTHING if line.invoice_date is None else line.invoice_date}\t{line.due_date}"
        f"\t{line.debit}\t{line.credit}\t{line.currency}\t{line.book_amount}"
        f"\t{NOTHING if line.payment_mode is None else line.payment_mode}"
        f"\t{NOTHING if line.lettering is None else line.lettering}"
        f"\t{NOTHING if line.lettered_on is None else line.lettered_on}\t{'t' if line.removed else 'f'}"
    ),
)

NEW_ENTRIES = f"insert into entry ({COLUMNS}) select {COLUMNS} from {LINES.table}"  # noqa: S608 constants

TOUCH = """
    on conflict (company, p, client_id) do update set number = greatest(known.number, excluded.number)
"""

TOLD_CLIENTS = f"""
    insert into touched_client as known (company, p, client_id, number)
    select company, p::smallint, client_id, number::bigint
    from {unnest("companies", "ps", "clients", "numbers")} as told(company, p, client_id, number)
    {TOUCH}
"""  # noqa: S608 constants

NEW_CLIENTS = f"""
    insert into touched_client as known (company, p, client_id, number)
    select company, p, client_id, max(number) from {LINES.table}
    where lettering is not null
    group by company, p, client_id
    {TOUCH}
"""  # noqa: S608

ENTRIES = f"""
    with written as (
        insert into entry as known ({COLUMNS})
        select distinct on (company, client_id, entry_id) {COLUMNS} from {LINES.table}
        order by company, client_id, entry_id, number desc, n desc
        on conflict (company, client_id, entry_id) do update set
            account = excluded.account, kind = excluded.kind, journal = excluded.journal,
            piece = excluded.piece, entry_date = excluded.entry_date, invoice_date = excluded.invoice_date,
            due_date = excluded.due_date, debit = excluded.debit, credit = excluded.credit,
            currency = excluded.currency, book_amount = excluded.book_amount,
            payment_mode = excluded.payment_mode, lettering = excluded.lettering,
            lettered_on = excluded.lettered_on, removed = excluded.removed
        returning new.company, new.client_id, new.p,
            new.lettering is not null or old.lettering is not null as is_lettered
    )
    insert into touched_client as known (company, p, client_id, number)
    select company, p, client_id, max(last.number)
    from written join (select company, p, max(number) as number from {LINES.table} group by company, p) last
        using (company, p)
    where is_lettered
    group by company, p, client_id
    order by company, p, client_id
    {TOUCH}
"""  # noqa: S608

CLIENTS = """
    insert into synced_client (company, client_id, p, account, currency, profile, category, payment_mode, removed,
        salesperson)
    select distinct on (heard.company, c.client_id) heard.company, c.client_id, heard.p, c.account, c.currency,
        c.profile, c.category, c.payment_mode, coalesce(c.removed, false), c.salesperson
    from {heard}, jsonb_to_recordset(heard.body::jsonb -> 'clients') as c(client_id text, account text,
        currency text, profile text, category text, payment_mode text, removed boolean, salesperson text)
    order by heard.company, c.client_id, heard.number desc
    on conflict (company, client_id) do update set
        account = excluded.account, currency = excluded.currency, profile = excluded.profile,
        category = excluded.category, payment_mode = excluded.payment_mode, removed = excluded.removed,
        salesperson = excluded.salesperson
"""


async def entries_synced(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Lines that are new, changed or gone, and the clients whose lettering is to be judged again."""
    connection = await driver(tx)
    told = LINES.told(heard)
    new = await ENTRY.copy(connection, told)
    if new:
        await connection.execute(TOLD_CLIENTS.encode(), _lettered(told), prepare=False)
        return
    rows = await LINES.lay_out(connection, heard)
    if new is None and await insert_new(connection, NEW_ENTRIES, rows):
        await connection.execute(NEW_CLIENTS.encode(), prepare=False)
    else:
        await connection.execute(ENTRIES.encode(), prepare=False)


def _lettered(told: Told) -> dict[str, str | int]:
    """The clients that have lettered lines among these as columns, sorted, each with the number that tells one
    last."""
    touched = clients_of(
        [(event, [line for line in lines if line.lettering is not None]) for event, lines in told]
    )
    companies, ps, clients = zip(*touched, strict=True) if touched else ((),) * 3
    return one_text(
        {
            "companies": companies,
            "ps": [f"{p}" for p in ps],
            "clients": clients,
            "numbers": [f"{number}" for number in touched.values()],
        }
    )


SYNCED: Mapping[str, Project] = {
    "EntriesSynced": entries_synced,
    "ClientsSynced": applying(CLIENTS),
}
