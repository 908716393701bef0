"""The statements that bring policies and scenarios to rows, what they look at, and the end that entries reach.

``projection`` applies them.
"""

SYNCED = """
    insert into company_sync as known (company, p, synced_on)
    select heard.company, max(heard.p), max(heard.as_of) from {heard} group by heard.company
    on conflict (company) do update set synced_on = greatest(known.synced_on, excluded.synced_on)
"""

CONTACT = """
    insert into contact as known (company, client_id, action_id, p, contacted_on)
    select heard.company, e.client_id, e.action_id, max(heard.p), max(coalesce(e.done_on, heard.as_of))
    from {heard}, json_to_record(heard.body::json) as e(client_id text, action_id uuid, done_on date)
    group by heard.company, e.client_id, e.action_id
    on conflict (company, client_id, action_id) do update set
        contacted_on = greatest(known.contacted_on, excluded.contacted_on)
"""

CLIENT_POLICY = """
    insert into client_policy (company, client_id, p, profile, never, tolerance_days, tolerance_amount)
    select distinct on (heard.company, e.client_id) heard.company, e.client_id, heard.p, e.profile, e.never,
        e.tolerance_days, e.tolerance_amount
    from {heard}, json_to_record(heard.body::json) as e(client_id text, profile text, never boolean,
        tolerance_days integer, tolerance_amount numeric)
    order by heard.company, e.client_id, heard.number desc
    on conflict (company, client_id) do update set profile = excluded.profile, never = excluded.never,
        tolerance_days = excluded.tolerance_days, tolerance_amount = excluded.tolerance_amount
"""

AUTOMATIC = """
    insert into entry_level (company, client_id, entry_id, p, level, exhausted, automatic)
    select distinct on (heard.company, a.client_id, e.entry_id) heard.company, a.client_id, e.entry_id, heard.p, 0,
        false, e.automatic
    from {heard}, json_to_record(heard.body::json) as a(client_id text, entries json),
        json_to_recordset(a.entries) as e(entry_id text, automatic boolean)
    order by heard.company, a.client_id, e.entry_id, heard.number desc
    on conflict (company, client_id, entry_id) do update set automatic = excluded.automatic
"""

THANKED_BEFORE = """
    insert into thanked_before (company, client_id, entry_id, p)
    select distinct heard.company, e.client_id, payment.entry_id, heard.p
    from {heard}, jsonb_to_record(heard.body::jsonb) as e(client_id text, thanked text[]),
        unnest(e.thanked) as payment(entry_id)
    on conflict do nothing
"""

CONTACT_BEFORE = """
    insert into contact_before (company, client_id, from_client_id, place, p, contacted_on, round_on)
    select distinct on (heard.company, e.client_id, e.from_client_id, one.place) heard.company, e.client_id,
        e.from_client_id, one.place, heard.p, (one.made ->> 'contacted_on')::date, (one.made ->> 'round_on')::date
    from {heard}, jsonb_to_record(heard.body::jsonb) as e(client_id text, from_client_id text, contacts jsonb),
        jsonb_array_elements(e.contacts) with ordinality as one(made, place)
    order by heard.company, e.client_id, e.from_client_id, one.place, heard.number desc
    on conflict (company, client_id, from_client_id, place) do update set
        contacted_on = excluded.contacted_on, round_on = excluded.round_on
"""

POLICY = """
    insert into policy (company, p, version, body, set_on)
    select distinct on (heard.company) heard.company, heard.p, (heard.body::jsonb ->> 'version')::integer,
        heard.body::jsonb, heard.as_of
    from {heard} order by heard.company, heard.number desc
    on conflict (company) do update set
        version = excluded.version, body = excluded.body, set_on = excluded.set_on
"""

SCENARIO = """
    insert into scenario (company, profile, p, version, body, set_on)
    select distinct on (heard.company, e.profile) heard.company, e.profile, heard.p, e.version,
        heard.body::jsonb, heard.as_of
    from {heard}, json_to_record(heard.body::json) as e(profile text, version integer)
    order by heard.company, e.profile, heard.number desc
    on conflict (company, profile) do update set
        version = excluded.version, body = excluded.body, set_on = excluded.set_on
"""

SCENARIO_VERSION = """
    insert into scenario_version (company, profile, version, p, body, set_on, actor, said_at)
    select heard.company, e.profile, e.version, heard.p, heard.body::jsonb, heard.as_of, heard.actor, heard.at
    from {heard}, json_to_record(heard.body::json) as e(profile text, version integer)
    on conflict do nothing
"""

LOWERED = """
    update entry_level set exhausted = false
    from {heard}, jsonb_to_record(heard.body::jsonb) as e(client_id text, levels jsonb),
        jsonb_to_recordset(e.levels) as m(entry_id text, level_before text, level_after text)
    where entry_level.company = heard.company and entry_level.client_id = e.client_id
        and entry_level.entry_id = m.entry_id and entry_level.exhausted
        and coalesce(m.level_after, '') < coalesce(m.level_before, '')
"""

EXHAUSTED = """
    insert into entry_level (company, client_id, entry_id, p, level, exhausted)
    select distinct heard.company, e.client_id, e.entry_id, heard.p, 0, true
    from {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id text)
    on conflict (company, client_id, entry_id) do update set exhausted = true
"""
