"""Events to rows, set-based: live, when ledger speaks itself, and in a rebuild.

Every function takes a run of events of one type, of any companies and partitions, each partition in order. Bodies
go to PostgreSQL unread, but for the lines of accounting, which go there as rows.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.heard_rows import applying
from chassis.items import NOTHING, Items, Told, array, clients_of, insert_new
from chassis.new_rows import NewRows
from chassis.one_text import one_text, unnest
from chassis.projection import Delivered, Project
from contracts.ledger import DISPUTE_REASONS
from services.ledger.projection import stated

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

COMPANY = """
    insert into company (company, p, name, time_zone, currency, country, fiscal_year_start, dispute_reasons)
    select distinct on (heard.company) heard.company, heard.p, e.name, e.time_zone, e.currency, e.country,
        e.fiscal_year_start, coalesce(e.dispute_reasons, %(delivered_reasons)s)
    from {heard}, json_to_record(heard.body::json) as e(name text, time_zone text, currency text, country text,
        fiscal_year_start text, dispute_reasons text[])
    order by heard.company, heard.number desc
    on conflict (company) do update set
        name = excluded.name, time_zone = excluded.time_zone, currency = excluded.currency,
        country = excluded.country, fiscal_year_start = excluded.fiscal_year_start,
        dispute_reasons = excluded.dispute_reasons
"""

FIELDS_NAMED = """
    with last as (
        select distinct on (heard.company) heard.company, heard.p, e.*
        from {heard}, json_to_record(heard.body::json) as e(client json, entry json)
        order by heard.company, heard.number desc
    ),
    named as (
        select last.company, last.p, told.about, one.value ->> 'field' as field, one.place,
            one.value ->> 'title' as title, coalesce(cast(one.value ->> 'listed' as boolean), true) as listed
        from last cross join lateral (values ('client', last.client), ('entry', last.entry)) told(about, fields),
            json_array_elements(coalesce(told.fields, '[]')) with ordinality one(value, place)
    ),
    gone as (
        delete from free_field known using last
        where known.company = last.company and not exists (select from named
            where named.company = known.company and named.about = known.about and named.field = known.field)
    )
    insert into free_field (company, about, field, p, place, title, listed)
    select company, about, field, p, place, title, listed from named
    on conflict (company, about, field) do update set place = excluded.place, title = excluded.title,
        listed = excluded.listed
"""

CLIENT_CHANGED = """
    insert into client (company, client_id, p, version, has_email, has_phone, has_address, language, profile,
        category, payment_mode, removed, salesperson)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, e.version, e.has_email,
        e.has_phone, e.has_address, e.language, e.profile, e.category, e.payment_mode, e.removed,
        e.salesperson
    from {heard}, json_to_record(heard.body::json) as e(client_id text, version integer, has_email boolean,
        has_phone boolean, has_address boolean, language text, profile text, category text, payment_mode text,
        removed boolean, salesperson text)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set
        version = excluded.version, has_email = excluded.has_email, has_phone = excluded.has_phone,
        has_address = excluded.has_address, language = excluded.language, profile = excluded.profile,
        category = excluded.category, payment_mode = excluded.payment_mode, removed = excluded.removed,
        salesperson = excluded.salesperson
"""

PERSON_ERASED = """
    update client set version = greatest(client.version, erased.version)
    from (
        select heard.company, e.client_id, max(e.version) as version
        from {heard}, json_to_record(heard.body::json) as e(client_id text, version integer)
        group by heard.company, e.client_id
    ) erased
    where client.company = erased.company and client.client_id = erased.client_id
"""

ERROR_FOUND = """
    insert into lettering_error (company, client_id, account, lettering, p, difference, found_on)
    select distinct on (heard.company, e.client_id, e.account, e.lettering) heard.company, e.client_id, e.account,
        e.lettering, heard.p, e.difference, heard.as_of
    from {heard}, json_to_record(heard.body::json) as e(client_id text, account text, lettering text,
        difference numeric)
    order by heard.company, e.client_id, e.account, e.lettering, heard.number desc
    on conflict (company, client_id, account, lettering) do update set
        difference = excluded.difference, found_on = excluded.found_on
"""

ERROR_CLEARED = """
    delete from lettering_error
    using {heard}, json_to_record(heard.body::json) as e(client_id text, account text, lettering text)
    where lettering_error.company = heard.company and lettering_error.client_id = e.client_id
        and lettering_error.account = e.account and lettering_error.lettering = e.lettering
"""

PAYMENT_LETTERED = """
    with told as (
        select heard.company, e.client_id, e.account, e.lettering, heard.p, heard.number, e.payments, e.settled,
            e.paid_on
        from {heard}, json_to_record(heard.body::json) as e(client_id text, account text, lettering text,
            payments text[], settled text[], paid_on date)
    ),
    known as (
        select company, client_id, account, lettering, one.p, 0 as number, one.payments, one.settled, one.paid_on
        from (select distinct company, client_id, account, lettering from told) asked
        cross join lateral (
            select p, payments, settled, paid_on from lettered_payment
            where (company, client_id, account, lettering)
                = (asked.company, asked.client_id, asked.account, asked.lettering)
            limit 1
        ) one
    ),
    every as (select * from told union all select * from known)
    insert into lettered_payment (company, client_id, account, lettering, p, payments, settled, paid_on)
    select company, client_id, account, lettering, max(p),
        array_agg(distinct named.entry_id order by named.entry_id) filter (where named.paying),
        array_agg(distinct named.entry_id order by named.entry_id) filter (where not named.paying),
        (array_agg(paid_on order by number desc))[1]
    from every cross join lateral (
        select unnest(payments), true union all select unnest(settled), false
    ) named(entry_id, paying)
    group by company, client_id, account, lettering
    on conflict (company, client_id, account, lettering) do update set
        payments = excluded.payments, settled = excluded.settled, paid_on = excluded.paid_on
"""

PAYMENTS = Items(
    "groups",
    {
        "client_id": "text", "account": "text", "lettering": "text", "paid_on": "date", "payments": "text[]",
        "settled": "text[]",
    },
)  # fmt: skip
PAYMENT = NewRows(
    "lettered_payment",
    ("client_id", "account", "lettering", "payments", "settled", "paid_on"),
    lambda group: (
        f"{group.client_id}\t{group.account}\t{group.lettering}\t{array(group.payments)}\t{array(group.settled)}"
        f"\t{group.paid_on}"
    ),
)

# the same statements for what is said of many at once
CLIENTS_CHANGED = CLIENT_CHANGED.replace(
    "json_to_record(heard.body::json)", "json_to_recordset(heard.body::json -> 'clients')"
)
PAYMENTS_LETTERED = PAYMENT_LETTERED.replace(
    "json_to_record(heard.body::json)", "json_to_recordset(heard.body::json -> 'groups')"
)


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


_payments_lettered = applying(PAYMENTS_LETTERED)


async def payments_lettered(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Many payments at once, most often of groups that held none before."""
    if not await PAYMENT.copy(await driver(tx), PAYMENTS.told(heard)):
        await _payments_lettered(tx, heard)


PROJECT: Mapping[str, Project] = {
    "EntriesSynced": entries_synced,
    "ClientsSynced": applying(CLIENTS),
    "CompanyRegistered": applying(COMPANY, delivered_reasons=list(DISPUTE_REASONS)),
    "CompanyChanged": applying(COMPANY, delivered_reasons=list(DISPUTE_REASONS)),
    "FieldsNamed": applying(FIELDS_NAMED),
    "ClientChanged": applying(CLIENT_CHANGED),
    "ClientsChanged": applying(CLIENTS_CHANGED),
    "PersonErased": applying(PERSON_ERASED),
    "ClientStopped": applying(stated.CLIENT_STOPPED),
    "ClientResumed": applying(stated.CLIENT_RESUMED),
    "LateInterestChosen": applying(stated.LATE_INTEREST),
    "RetentionChosen": applying(stated.RETENTION),
    "LegalHoldPlaced": applying(stated.LEGAL_HOLD_PLACED),
    "LegalHoldLifted": applying(stated.LEGAL_HOLD_LIFTED),
    "ProfilesChanged": applying(stated.PROFILES_CHANGED),
    "ProfileAssigned": applying(stated.PROFILE_ASSIGNED),
    "EntryStopped": applying(stated.ENTRY_STOPPED),
    "EntryResumed": applying(stated.ENTRY_RESUMED),
    "PromiseRecorded": applying(stated.PROMISE_RECORDED),
    "PromiseCancelled": applying(stated.PROMISE_STATE, state="cancelled", ends=True),
    "PromiseKept": applying(stated.PROMISE_STATE, state="kept", ends=True),
    "PromiseBroken": applying(stated.PROMISE_STATE, state="broken", ends=False),
    "PromiseReopened": applying(stated.PROMISE_STATE, state="open", ends=False),
    "NoteAdded": applying(stated.NOTE_ADDED),
    "DisputeOpened": applying(stated.DISPUTE_OPENED),
    "DisputeClosed": applying(stated.DISPUTE_CLOSED),
    "DocumentAttached": applying(stated.DOCUMENT_ATTACHED),
    "DocumentRemoved": applying(stated.DOCUMENT_REMOVED),
    "EntryRepositioned": applying(stated.REPOSITIONED),
    "ClientFlagged": applying(stated.CLIENT_FLAGGED),
    "ClientMerged": applying(stated.CLIENT_MERGED, stated.MERGED_ENTRIES),
    "LetteringErrorFound": applying(ERROR_FOUND),
    "LetteringErrorCleared": applying(ERROR_CLEARED),
    "PaymentLettered": applying(PAYMENT_LETTERED),
    "PaymentsLettered": payments_lettered,
}
