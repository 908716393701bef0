"""What ledger says of companies, clients, and what people state about them."""

from collections.abc import Mapping

from chassis.heard_rows import applying, keeping, keeping_last, removing
from chassis.projection import Project
from contracts.ledger import DISPUTE_REASONS

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

LATE_INTEREST = keeping_last("late_interest_terms", "terms")

CASH_OBJECTIVES = keeping_last("cash_objective", "objectives")

RETENTION = keeping_last("retention", "periods")

LEGAL_HOLD_PLACED = """
    insert into legal_hold (company, client_id, p, placed_on, placed_by)
    select distinct on (heard.company, heard.client) heard.company, heard.client, heard.p, heard.as_of, heard.actor
    from {heard}
    order by heard.company, heard.client, heard.number
    on conflict (company, client_id) do nothing
"""

LEGAL_HOLD_LIFTED = """
    delete from legal_hold using {heard}
    where legal_hold.company = heard.company and legal_hold.client_id = heard.client
"""

PROFILES_CHANGED = """
    insert into profile_list (company, p, profiles, default_profile, taken_over)
    select distinct on (heard.company) heard.company, heard.p, e.profiles, e.default_profile,
        coalesce(e.taken_over, '{{}}')
    from {heard}, json_to_record(heard.body::json) as e(profiles jsonb, default_profile text, taken_over jsonb)
    order by heard.company, heard.number desc
    on conflict (company) do update set
        profiles = excluded.profiles, default_profile = excluded.default_profile, taken_over = excluded.taken_over
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

# the same statements for what is said of many at once
CLIENTS_CHANGED = CLIENT_CHANGED.replace(
    "json_to_record(heard.body::json)", "json_to_recordset(heard.body::json -> 'clients')"
)

PERSON_ERASED = """
    update client set version = greatest(client.version, erased.version)
    from (
        select heard.company, e.client_id, max(e.version) as version
        from {heard}, json_to_record(heard.body::json) as e(client_id text, version integer)
        group by heard.company, e.client_id
    ) erased
    where client.company = erased.company and client.client_id = erased.client_id
"""

CLIENT_STOPPED = """
    insert into client (company, client_id, p, stopped, stopped_on, stopped_by, resumes_on)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, true, heard.as_of,
        heard.actor, e.resumes_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, resumes_on date)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set
        stopped = true, stopped_on = excluded.stopped_on, stopped_by = excluded.stopped_by,
        resumes_on = excluded.resumes_on
"""

CLIENT_RESUMED = """
    update client set stopped = false, stopped_on = null, stopped_by = null, resumes_on = null
    from {heard}, json_to_record(heard.body::json) as e(client_id text)
    where client.company = heard.company and client.client_id = e.client_id
"""

PROFILE_ASSIGNED = keeping("client", {"client_id": "text"}, chosen_profile="profile text")

ENTRY_STOPPED = """
    insert into entry_stop (company, client_id, entry_id, p, stopped_on, stopped_by, resumes_on)
    select distinct on (heard.company, e.client_id, e.entry_id) heard.company, e.client_id, e.entry_id, heard.p,
        heard.as_of, heard.actor, e.resumes_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id text, resumes_on date)
    order by heard.company, e.client_id, e.entry_id, heard.number desc
    on conflict (company, client_id, entry_id) do update set
        stopped_on = excluded.stopped_on, stopped_by = excluded.stopped_by, resumes_on = excluded.resumes_on
"""

ENTRY_RESUMED = removing("entry_stop", client_id="text", entry_id="text")

PROMISE_RECORDED = """
    insert into promise (company, promise_id, p, client_id, entry_id, amount, currency, promised_on, state,
        recorded_on, recorded_by)
    select heard.company, e.promise_id, heard.p, e.client_id, e.entry_id, e.amount, e.currency, e.promised_on,
        'open', heard.as_of, heard.actor
    from {heard}, json_to_record(heard.body::json) as e(promise_id uuid, client_id text, entry_id text,
        amount numeric, currency text, promised_on date)
"""

PROMISE_STATE = """
    update promise set state = %(state)s, ended_on = case when %(ends)s then heard.as_of end
    from {heard}, json_to_record(heard.body::json) as e(promise_id uuid)
    where promise.company = heard.company and promise.promise_id = e.promise_id
"""

NOTE_ADDED = """
    insert into note (company, note_id, p, client_id, entry_id, written_on, written_at, author, mentions)
    select heard.company, e.note_id, heard.p, e.client_id, e.entry_id, heard.as_of, heard.at, heard.actor,
        coalesce(e.mentions, '{{}}')
    from {heard}, json_to_record(heard.body::json) as e(note_id uuid, client_id text, entry_id text,
        mentions text[])
"""

DISPUTE_OPENED = """
    insert into dispute (company, dispute_id, p, client_id, entry_id, reason, opened_on, opened_by)
    select heard.company, e.dispute_id, heard.p, e.client_id, e.entry_id, e.reason, heard.as_of, heard.actor
    from {heard}, json_to_record(heard.body::json) as e(dispute_id uuid, client_id text, entry_id text,
        reason text)
"""

DISPUTE_CLOSED = """
    update dispute set closed_on = heard.as_of, closed_by = heard.actor
    from {heard}, json_to_record(heard.body::json) as e(dispute_id uuid)
    where dispute.company = heard.company and dispute.dispute_id = e.dispute_id
"""

DOCUMENT_ATTACHED = """
    insert into document (company, document_id, p, client_id, entry_id, sha256, bytes, attached_on, attached_by)
    select distinct on (heard.company, e.document_id) heard.company, e.document_id, heard.p, e.client_id,
        e.entry_id, e.sha256, e.bytes, heard.as_of, heard.actor
    from {heard}, json_to_record(heard.body::json) as e(document_id uuid, client_id text, entry_id text,
        sha256 text, bytes integer)
    order by heard.company, e.document_id, heard.number desc
    on conflict (company, document_id) do update set
        client_id = excluded.client_id, entry_id = excluded.entry_id, attached_on = excluded.attached_on,
        attached_by = excluded.attached_by
"""

DOCUMENT_REMOVED = removing("document", document_id="uuid")

REPOSITIONED = """
    with last as (
        select distinct on (heard.company, e.client_id, e.entry_id) heard.company, heard.p, heard.as_of,
            heard.actor, e.*
        from {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id text, expected_on date)
        order by heard.company, e.client_id, e.entry_id, heard.number desc
    ),
    gone as (
        delete from entry_expectation known using last
        where known.company = last.company and known.client_id = last.client_id
            and known.entry_id = last.entry_id and last.expected_on is null
    )
    insert into entry_expectation (company, client_id, entry_id, p, expected_on, set_on, set_by)
    select company, client_id, entry_id, p, expected_on, as_of, actor from last where expected_on is not null
    on conflict (company, client_id, entry_id) do update set
        expected_on = excluded.expected_on, set_on = excluded.set_on, set_by = excluded.set_by
"""

CLIENT_FLAGGED = """
    insert into client (company, client_id, p, flagged)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, e.flagged
    from {heard}, json_to_record(heard.body::json) as e(client_id text, flagged boolean)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set flagged = excluded.flagged
"""

CLIENT_MERGED = """
    insert into client_merge (company, client_id, p, into_client_id, merged_on, merged_by)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, e."into", heard.as_of,
        heard.actor
    from {heard}, json_to_record(heard.body::json) as e(client_id text, "into" text)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set
        into_client_id = excluded.into_client_id, merged_on = excluded.merged_on, merged_by = excluded.merged_by
"""

MERGED_ENTRIES = """
    insert into merged_entry (company, client_id, entry_id, into_entry_id, p)
    select heard.company, e.client_id, named.entry_id, named.into_entry_id, heard.p
    from {heard}, json_to_record(heard.body::json) as e(client_id text, entries json),
        json_to_recordset(e.entries) as named(entry_id text, into_entry_id text)
    on conflict do nothing
"""

STATED: Mapping[str, Project] = {
    "CompanyRegistered": applying(COMPANY, delivered_reasons=list(DISPUTE_REASONS)),
    "CompanyChanged": applying(COMPANY, delivered_reasons=list(DISPUTE_REASONS)),
    "FieldsNamed": applying(FIELDS_NAMED),
    "ClientChanged": applying(CLIENT_CHANGED),
    "ClientsChanged": applying(CLIENTS_CHANGED),
    "PersonErased": applying(PERSON_ERASED),
    "ClientStopped": applying(CLIENT_STOPPED),
    "ClientResumed": applying(CLIENT_RESUMED),
    "LateInterestChosen": applying(LATE_INTEREST),
    "CashObjectivesChosen": applying(CASH_OBJECTIVES),
    "RetentionChosen": applying(RETENTION),
    "LegalHoldPlaced": applying(LEGAL_HOLD_PLACED),
    "LegalHoldLifted": applying(LEGAL_HOLD_LIFTED),
    "ProfilesChanged": applying(PROFILES_CHANGED),
    "ProfileAssigned": applying(PROFILE_ASSIGNED),
    "EntryStopped": applying(ENTRY_STOPPED),
    "EntryResumed": applying(ENTRY_RESUMED),
    "PromiseRecorded": applying(PROMISE_RECORDED),
    "PromiseCancelled": applying(PROMISE_STATE, state="cancelled", ends=True),
    "PromiseKept": applying(PROMISE_STATE, state="kept", ends=True),
    "PromiseBroken": applying(PROMISE_STATE, state="broken", ends=False),
    "PromiseReopened": applying(PROMISE_STATE, state="open", ends=False),
    "NoteAdded": applying(NOTE_ADDED),
    "DisputeOpened": applying(DISPUTE_OPENED),
    "DisputeClosed": applying(DISPUTE_CLOSED),
    "DocumentAttached": applying(DOCUMENT_ATTACHED),
    "DocumentRemoved": applying(DOCUMENT_REMOVED),
    "EntryRepositioned": applying(REPOSITIONED),
    "ClientFlagged": applying(CLIENT_FLAGGED),
    "ClientMerged": applying(CLIENT_MERGED, MERGED_ENTRIES),
}
