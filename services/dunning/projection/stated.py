"""What ledger says: companies, clients, what people state about them, and payments that came."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.heard_rows import adding, applying, keeping, removing
from chassis.projection import Delivered, Project
from services.dunning.marking import LOOK_AT_ALL, MARK, MARK_WHOLE, mark
from services.dunning.thanking import GROUP, MARK_PAID, OLDEST_PAYMENT_DAYS, PAYMENT, PAYMENTS, lately_paid

COMPANY = """
    insert into company (company, p, currency, time_zone, country)
    select distinct on (heard.company) heard.company, heard.p, e.currency, e.time_zone, coalesce(e.country, 'FR')
    from {heard}, json_to_record(heard.body::json) as e(currency text, time_zone text, country text)
    order by heard.company, heard.number desc
    on conflict (company) do update set
        currency = excluded.currency, time_zone = excluded.time_zone, country = excluded.country
"""

CLIENT_CHANGED = """
    insert into client (company, client_id, p, has_email, profile, payment_mode, category, salesperson)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p,
        coalesce(e.has_email, false), e.profile, e.payment_mode, e.category, e.salesperson
    from {heard}, json_to_record(heard.body::json) as e(client_id text, has_email boolean, profile text,
        payment_mode text, category text, salesperson text)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set
        has_email = excluded.has_email, profile = excluded.profile, payment_mode = excluded.payment_mode,
        category = excluded.category, salesperson = excluded.salesperson
"""

CLIENTS_CHANGED = f"""
    with told as materialized (
        select distinct on (heard.company, heard.p, e.client_id) heard.company, heard.p, e.client_id,
            coalesce(e.has_email, false) as has_email, e.profile, e.payment_mode
        from {{heard}}, json_to_recordset(heard.body::json -> 'clients') as e(client_id text, has_email boolean,
            profile text, payment_mode text)
        order by heard.company, heard.p, e.client_id, heard.number desc
    ),
    kept as (
        insert into client (company, client_id, p, has_email, profile, payment_mode)
        select company, client_id, p, has_email, profile, payment_mode from told
        on conflict (company, client_id) do update set
            has_email = excluded.has_email, profile = excluded.profile, payment_mode = excluded.payment_mode
    )
    insert into schedule as known (company, p, client_id, next_on)
    select company, p, client_id, '-infinity'::date from told
    on conflict (company, p, client_id) do update set {LOOK_AT_ALL}
"""  # noqa: S608

PROFILE_ASSIGNED = keeping("client", {"client_id": "text"}, chosen_profile="profile text")

CLIENT_STOPPED = """
    insert into client (company, client_id, p, stopped, resumes_on)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, true, e.resumes_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, resumes_on date)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set stopped = true, resumes_on = excluded.resumes_on
"""

CLIENT_RESUMED = """
    update client set stopped = false, resumes_on = null
    from {heard}, json_to_record(heard.body::json) as e(client_id text)
    where client.company = heard.company and client.client_id = e.client_id
"""

ENTRY_STOPPED = keeping("entry_stop", {"client_id": "text", "entry_id": "text"}, resumes_on="resumes_on date")

ENTRY_RESUMED = removing("entry_stop", client_id="text", entry_id="text")

PROMISE_RECORDED = """
    insert into promise (company, client_id, promise_id, entry_id, p, promised_on)
    select heard.company, e.client_id, e.promise_id, e.entry_id, heard.p, e.promised_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, promise_id uuid, entry_id text,
        promised_on date)
"""

PROMISE_ENDED = removing("promise", client_id="text", promise_id="uuid")

DISPUTE_OPENED = """
    insert into dispute (company, client_id, dispute_id, entry_id, p)
    select heard.company, e.client_id, e.dispute_id, e.entry_id, heard.p
    from {heard}, json_to_record(heard.body::json) as e(client_id text, dispute_id uuid, entry_id text)
"""

DISPUTE_CLOSED = removing("dispute", client_id="text", dispute_id="uuid")

ERROR_FOUND = adding("lettering_error", client_id="text", account="text", lettering="text")

ERROR_CLEARED = removing("lettering_error", client_id="text", account="text", lettering="text")

_payments = applying(PAYMENTS, MARK_PAID, oldest=OLDEST_PAYMENT_DAYS)


async def payments_lettered(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Payments that may be thanked for, and the clients to look at again."""
    connection = await driver(tx)
    told = lately_paid(heard)
    if await GROUP.copy(connection, told):
        await mark(connection, told)
    else:
        await _payments(tx, heard)


STATED: Mapping[str, Project] = {
    "CompanyRegistered": applying(COMPANY),
    "CompanyChanged": applying(COMPANY),
    "ClientChanged": applying(CLIENT_CHANGED, MARK_WHOLE),
    "ClientsChanged": applying(CLIENTS_CHANGED),
    "ProfileAssigned": applying(PROFILE_ASSIGNED, MARK_WHOLE),
    "ClientStopped": applying(CLIENT_STOPPED, MARK_WHOLE),
    "ClientResumed": applying(CLIENT_RESUMED, MARK_WHOLE),
    "EntryStopped": applying(ENTRY_STOPPED, MARK_WHOLE),
    "EntryResumed": applying(ENTRY_RESUMED, MARK_WHOLE),
    "PromiseRecorded": applying(PROMISE_RECORDED, MARK_WHOLE),
    "PromiseCancelled": applying(PROMISE_ENDED, MARK_WHOLE),
    "PromiseKept": applying(PROMISE_ENDED, MARK_WHOLE),
    "PromiseReopened": applying(PROMISE_RECORDED, MARK_WHOLE),
    "DisputeOpened": applying(DISPUTE_OPENED, MARK_WHOLE),
    "DisputeClosed": applying(DISPUTE_CLOSED, MARK_WHOLE),
    "PaymentLettered": applying(PAYMENT, MARK, oldest=OLDEST_PAYMENT_DAYS),
    "PaymentsLettered": payments_lettered,
    "LetteringErrorFound": applying(ERROR_FOUND, MARK_WHOLE),
    "LetteringErrorCleared": applying(ERROR_CLEARED, MARK_WHOLE),
}
