"""What people state, as rows: statements that a run of events of one type fills (``{heard}``)."""

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

PROFILES_CHANGED = """
    insert into profile_list (company, p, profiles, default_profile, taken_over)
    select distinct on (heard.company) heard.company, heard.p, e.profiles, e.default_profile,
        coalesce(e.taken_over, '{{}}')
    from {heard}, json_to_record(heard.body::json) as e(profiles jsonb, default_profile text, taken_over jsonb)
    order by heard.company, heard.number desc
    on conflict (company) do update set
        profiles = excluded.profiles, default_profile = excluded.default_profile, taken_over = excluded.taken_over
"""

LATE_INTEREST = """
    insert into late_interest_terms (company, p, terms)
    select distinct on (heard.company) heard.company, heard.p, heard.body::jsonb
    from {heard}
    order by heard.company, heard.number desc
    on conflict (company) do update set terms = excluded.terms
"""

RETENTION = """
    insert into retention (company, p, periods)
    select distinct on (heard.company) heard.company, heard.p, heard.body::jsonb
    from {heard}
    order by heard.company, heard.number desc
    on conflict (company) do update set periods = excluded.periods
"""

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

PROFILE_ASSIGNED = """
    insert into client (company, client_id, p, chosen_profile)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, e.profile
    from {heard}, json_to_record(heard.body::json) as e(client_id text, profile text)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set chosen_profile = excluded.chosen_profile
"""

ENTRY_STOPPED = """
    insert into entry_stop (company, client_id, entry_id, p, stopped_on, stopped_by, resumes_on)
    select distinct on (heard.company, e.client_id, e.entry_id) heard.company, e.client_id, e.entry_id, heard.p,
        heard.as_of, heard.actor, e.resumes_on
    from {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id text, resumes_on date)
    order by heard.company, e.client_id, e.entry_id, heard.number desc
    on conflict (company, client_id, entry_id) do update set
        stopped_on = excluded.stopped_on, stopped_by = excluded.stopped_by, resumes_on = excluded.resumes_on
"""

ENTRY_RESUMED = """
    delete from entry_stop
    using {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id text)
    where entry_stop.company = heard.company and entry_stop.client_id = e.client_id
        and entry_stop.entry_id = e.entry_id
"""

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

DOCUMENT_REMOVED = """
    delete from document using {heard}, json_to_record(heard.body::json) as e(document_id uuid)
    where document.company = heard.company and document.document_id = e.document_id
"""

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
