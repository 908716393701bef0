"""What ledger says: companies, clients, and what people state about them."""

from collections import Counter

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.heard_rows import applying, keeping_last
from chassis.items import NOTHING, Items, array
from chassis.new_rows import NewRows
from chassis.projection import Delivered, Project

COMPANY = """
    insert into followed_company (company, p, name, time_zone, currency, country, fiscal_year_start)
    select distinct on (heard.company) heard.company, heard.p, c.name, c.time_zone, c.currency, c.country,
        c.fiscal_year_start
    from {heard}, json_to_record(heard.body::json) as c(name text, time_zone text, currency text,
        country text, fiscal_year_start text)
    order by heard.company, heard.number desc
    on conflict (company) do update set (name, time_zone, currency, country, fiscal_year_start) =
        row(excluded.name, excluded.time_zone, excluded.currency, excluded.country, excluded.fiscal_year_start)
"""

PROFILES = """
    insert into profile_names (company, p, names)
    select distinct on (heard.company) heard.company, heard.p, (
        select coalesce(jsonb_object_agg(one ->> 'profile', one ->> 'name'), '{{}}')
        from json_array_elements(heard.body::json -> 'profiles') one)
    from {heard}
    order by heard.company, heard.number desc
    on conflict (company) do update set names = excluded.names
"""

LATE_INTEREST = keeping_last("late_interest_terms", "terms")

CASH_OBJECTIVES = keeping_last("cash_objective", "objectives")

CLIENT = """
    insert into client (company, p, client_id, version, has_email, has_phone, has_address, profile, category,
        payment_mode, removed, salesperson)
    select distinct on (heard.company, c.client_id) heard.company, heard.p, c.client_id, c.version, c.has_email,
        c.has_phone,
        c.has_address, c.profile, c.category, c.payment_mode, c.removed, c.salesperson
    from {heard}, json_to_record(heard.body::json) as c(client_id text, version bigint, has_email boolean,
        has_phone boolean, has_address boolean, profile text, category text, payment_mode text, removed boolean,
        salesperson text)
    order by heard.company, c.client_id, heard.number desc
    on conflict (company, client_id) do update set (version, has_email, has_phone, has_address, profile, category,
        payment_mode, removed, salesperson) = row(excluded.version, excluded.has_email, excluded.has_phone,
        excluded.has_address, excluded.profile, excluded.category, excluded.payment_mode, excluded.removed,
        excluded.salesperson)
"""

FIELDS = """
    with last as (
        select distinct on (heard.company) heard.company, heard.p, heard.body::jsonb as body
        from {heard} order by heard.company, heard.number desc
    ),
    named as (
        select l.company, l.p, told.about, one.value ->> 'field' as field, one.place,
            one.value ->> 'title' as title, coalesce(cast(one.value ->> 'listed' as boolean), true) as listed
        from last l cross join (values ('client'), ('entry')) told(about)
        cross join jsonb_array_elements(coalesce(l.body -> told.about, '[]')) with ordinality one(value, place)
    ),
    gone as (
        delete from free_field known using last l
        where known.company = l.company and not exists (select from named n
            where n.company = known.company and n.about = known.about and n.field = known.field)
    )
    insert into free_field (company, p, about, field, place, title, listed)
    select company, p, about, field, place, title, listed from named
    on conflict (company, about, field) do update set (place, title, listed) =
        row(excluded.place, excluded.title, excluded.listed)
"""

CLIENTS = CLIENT.replace("json_to_record(heard.body::json)", "json_to_recordset(heard.body::json -> 'clients')")

STOP_CLIENT = """
    insert into client (company, p, client_id, stopped_on, stopped_by, resumes_on)
    select distinct on (heard.company, e.client_id) heard.company, heard.p, e.client_id, heard.as_of, heard.actor,
        e.resumes_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, resumes_on date)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set stopped_on = excluded.stopped_on,
        stopped_by = excluded.stopped_by, resumes_on = excluded.resumes_on
"""

RESUME_CLIENT = """
    update client c set stopped_on = null, stopped_by = null, resumes_on = null
    from {heard}, json_to_record(heard.body::json) as e(client_id text)
    where c.company = heard.company and c.client_id = e.client_id
"""

STOP_ENTRY = """
    insert into entry_mark (company, p, client_id, entry_id, stopped_on, resumes_on)
    select distinct on (heard.company, m.client_id, m.entry_id) heard.company, heard.p, m.client_id, m.entry_id,
        heard.as_of,
        m.resumes_on
    from {heard}, json_to_record(heard.body::json) as m(client_id text, entry_id uuid, resumes_on date)
    order by heard.company, m.client_id, m.entry_id, heard.number desc
    on conflict (company, client_id, entry_id) do update set stopped_on = excluded.stopped_on,
        resumes_on = excluded.resumes_on
"""

RESUME_ENTRY = """
    update entry_mark m set stopped_on = null, resumes_on = null
    from {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id uuid)
    where m.company = heard.company and m.client_id = e.client_id and m.entry_id = e.entry_id
"""

CLIENT_NOTES = """
    insert into client (company, p, client_id, notes)
    select heard.company, min(heard.p), e.client_id, count(*)
    from {heard}, json_to_record(heard.body::json) as e(client_id text) group by heard.company, e.client_id
    on conflict (company, client_id) do update set notes = client.notes + excluded.notes
"""

ENTRY_NOTES = """
    insert into entry_mark (company, p, client_id, entry_id, notes)
    select heard.company, min(heard.p), e.client_id, e.entry_id, count(*)
    from {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id uuid)
    where e.entry_id is not null group by heard.company, e.client_id, e.entry_id
    on conflict (company, client_id, entry_id) do update set notes = entry_mark.notes + excluded.notes
"""

RECORD_PROMISE = """
    insert into promise (company, p, client_id, promise_id, entry_id, amount, currency, promised_on, status,
        recorded_on)
    select heard.company, heard.p, r.client_id, r.promise_id, r.entry_id, r.amount, r.currency, r.promised_on,
        'open',
        heard.as_of
    from {heard}, json_to_record(heard.body::json) as r(client_id text, promise_id uuid, entry_id uuid,
        amount numeric, currency text, promised_on date)
    on conflict (company, client_id, promise_id) do nothing
"""

END_PROMISE = """
    update promise p set status = %(status)s
    from {heard}, json_to_record(heard.body::json) as e(client_id text, promise_id uuid)
    where p.company = heard.company and p.client_id = e.client_id and p.promise_id = e.promise_id
"""

OPEN_DISPUTE = """
    insert into dispute (company, p, client_id, dispute_id, entry_id, reason, opened_on, opened_by)
    select heard.company, heard.p, d.client_id, d.dispute_id, d.entry_id, d.reason, heard.as_of, heard.actor
    from {heard}, json_to_record(heard.body::json) as d(client_id text, dispute_id uuid, entry_id uuid,
        reason text)
    on conflict (company, client_id, dispute_id) do nothing
"""

CLOSE_DISPUTE = """
    update dispute d set closed_on = heard.as_of, closed_by = heard.actor
    from {heard}, json_to_record(heard.body::json) as e(client_id text, dispute_id uuid)
    where d.company = heard.company and d.client_id = e.client_id and d.dispute_id = e.dispute_id
"""

REPOSITION = """
    insert into entry_mark (company, p, client_id, entry_id, expected_on)
    select distinct on (heard.company, m.client_id, m.entry_id) heard.company, heard.p, m.client_id, m.entry_id,
        m.expected_on
    from {heard}, json_to_record(heard.body::json) as m(client_id text, entry_id uuid, expected_on date)
    order by heard.company, m.client_id, m.entry_id, heard.number desc
    on conflict (company, client_id, entry_id) do update set expected_on = excluded.expected_on
"""

FLAG = """
    insert into client (company, p, client_id, flagged)
    select distinct on (heard.company, c.client_id) heard.company, heard.p, c.client_id, coalesce(c.flagged, true)
    from {heard}, json_to_record(heard.body::json) as c(client_id text, flagged boolean)
    order by heard.company, c.client_id, heard.number desc
    on conflict (company, client_id) do update set flagged = excluded.flagged
"""

MENTIONS = """
    insert into mention (company, p, client_id, note_id, mentioned, entry_id, noted_on, noted_at, noted_by)
    select heard.company, heard.p, m.client_id, m.note_id, called, m.entry_id, heard.as_of, heard.at, heard.actor
    from {heard}, json_to_record(heard.body::json) as m(client_id text, note_id uuid, entry_id uuid,
        mentions text[]), unnest(m.mentions) called
    on conflict do nothing
"""

MERGE = """
    insert into client_merge (company, p, client_id, into_client_id, merged_on)
    select distinct on (heard.company, m.client_id) heard.company, heard.p, m.client_id, m."into", heard.as_of
    from {heard}, json_to_record(heard.body::json) as m(client_id text, "into" text)
    order by heard.company, m.client_id, heard.number desc
    on conflict (company, client_id) do update set into_client_id = excluded.into_client_id,
        merged_on = excluded.merged_on
"""

FACT = """
    insert into fact (company, p, number, client_id, kind, detail, entry_ids, amount, currency, promise_id,
        promised_on, happened_on, happened_at, actor)
    select heard.company, heard.p, heard.number, f.client_id, %(kind)s,
        coalesce(f.profile, f.lettering, f.reason, f."into", case when not f.flagged then 'off' end),
        coalesce(f.settled, array_remove(array[f.entry_id], null)), f.amount, f.currency, f.promise_id,
        coalesce(f.promised_on, f.expected_on, f.resumes_on), coalesce(f.paid_on, heard.as_of), heard.at,
        heard.actor
    from {heard}, json_to_record(heard.body::json) as f(client_id text, entry_id uuid, settled uuid[],
        profile text, lettering text, reason text, "into" text, flagged boolean, amount numeric, currency text,
        promise_id uuid, promised_on date, expected_on date, resumes_on date, paid_on date)
    on conflict (company, client_id, number, n) do nothing
"""

PAYMENTS = """
    insert into fact (company, p, number, n, client_id, kind, detail, entry_ids, happened_on, happened_at, actor)
    select heard.company, heard.p, heard.number,
        row_number() over (partition by heard.company, heard.p, heard.number, f.client_id order by f.place),
        f.client_id,
        'payment', f.lettering, f.settled, f.paid_on, heard.at, heard.actor
    from {heard}, rows from (json_to_recordset(heard.body::json -> 'groups') as (client_id text,
        settled uuid[], lettering text, paid_on date))
        with ordinality as f(client_id, settled, lettering, paid_on, place)
    on conflict (company, client_id, number, n) do nothing
"""
"""Counted by client, so that a client's part that waited aside finds its own place again."""


AUTHORS = """
    insert into author (company, p, actor) select distinct heard.company, heard.p, heard.actor from {heard}
    order by heard.company, heard.p, heard.actor
    on conflict do nothing
"""

GROUPS = Items(
    "groups",
    {"client_id": "text", "lettering": "text", "paid_on": "date", "n": "integer", "settled": "uuid[]"},
)
PAYMENT = NewRows(
    "fact",
    ("n", "client_id", "kind", "detail", "entry_ids", "happened_on"),
    lambda group: (
        f"{group.n}\t{group.client_id}\tpayment\t{NOTHING if group.lettering is None else group.lettering}"
        f"\t{array(group.settled)}\t{group.paid_on}"
    ),
    {"company": "company", "p": "p", "number": "number", "happened_at": "at", "actor": "actor"},
)
_each_payment = applying(PAYMENTS)
_authors = applying(AUTHORS)


async def payments_lettered(tx: AsyncConnection, heard: list[Delivered]) -> None:
    """Many payments at once, most often of groups that nobody knows yet."""
    told = GROUPS.told(heard)
    for _, groups in told:
        counted: Counter[str] = Counter()
        for group in groups:
            counted[group.client_id] += 1
            group.n = counted[group.client_id]
    if not await PAYMENT.copy(await driver(tx), told):
        await _each_payment(tx, heard)
    await _authors(tx, heard)


def stating(kind: str, *statements: str) -> Project:
    """These statements, and a line of the history."""
    return applying(*statements, FACT, AUTHORS, kind=kind)


STATED: dict[str, Project] = {
    "CompanyRegistered": applying(COMPANY),
    "CompanyChanged": applying(COMPANY),
    "FieldsNamed": applying(FIELDS),
    "LateInterestChosen": applying(LATE_INTEREST),
    "CashObjectivesChosen": applying(CASH_OBJECTIVES),
    "ProfilesChanged": applying(PROFILES),
    "ClientChanged": applying(CLIENT),
    "ClientsChanged": applying(CLIENTS),
    "ClientStopped": stating("stop", STOP_CLIENT),
    "ClientResumed": stating("resume", RESUME_CLIENT),
    "EntryStopped": stating("stop", STOP_ENTRY),
    "EntryResumed": stating("resume", RESUME_ENTRY),
    "NoteAdded": stating("note", CLIENT_NOTES, ENTRY_NOTES, MENTIONS),
    "ProfileAssigned": stating("profile"),
    "PromiseRecorded": stating("promise", RECORD_PROMISE),
    "PromiseCancelled": applying(END_PROMISE, status="cancelled"),
    "PromiseKept": applying(END_PROMISE, status="kept"),
    "PromiseReopened": applying(END_PROMISE, status="open"),
    "DisputeOpened": stating("dispute", OPEN_DISPUTE),
    "DisputeClosed": stating("dispute_closed", CLOSE_DISPUTE),
    "EntryRepositioned": stating("expected", REPOSITION),
    "ClientFlagged": stating("flag", FLAG),
    "ClientMerged": stating("merged", MERGE),
    "PaymentLettered": stating("payment"),
    "PaymentsLettered": payments_lettered,
}
"""Besides their rows, some events become lines of the history: those that are ``stating`` something."""
