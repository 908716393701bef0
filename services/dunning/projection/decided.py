"""What dunning says itself: policies and scenarios, actions, and how far each entry came."""

from collections.abc import Mapping

from chassis.heard_rows import applying
from chassis.projection import Project
from services.dunning.marking import MARK, MARK_WHOLE, TOUCH_LEVELS

POLICY = """
    insert into policy (company, p, version, body, set_on)
    select distinct on (heard.company) heard.company, heard.p, (heard.body::jsonb ->> 'version')::integer,
        heard.body::jsonb, heard.as_of
    from {heard} order by heard.company, heard.number desc
    on conflict (company) do update set
        version = excluded.version, body = excluded.body, set_on = excluded.set_on
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

ACTION = """
    with opened as materialized (
        select heard.company, heard.p, heard.as_of, heard.actor, a.*
        from {heard}, jsonb_to_record(heard.body::jsonb -> 'action') as a(action_id uuid, client_id text,
            profile text, scenario_version integer, kind text, step text, medium text, template text,
            currency text, amount numeric, net_amount numeric, book_net_amount numeric, due_since date, mode text,
            accepted_reasons text[], copies uuid[], entries jsonb, by_hand boolean, counts boolean, next_step text)
    ),
    written as (
        insert into action as known (company, action_id, client_id, p, profile, scenario_version, kind, step,
            medium, template, currency, amount, net_amount, book_net_amount, due_since, mode, accepted_reasons,
            status, opened_on, confirmed_on, confirmed_by, by_hand, counts, next_step, copies)
        select company, action_id, client_id, p, profile, scenario_version, kind, step, medium, template,
            currency, amount, net_amount, book_net_amount, due_since, coalesce(mode, 'item'),
            coalesce(accepted_reasons, '{{}}'), %(status)s, as_of,
            case when %(status)s = 'due' then as_of end, case when %(status)s = 'due' then actor end,
            coalesce(by_hand, false), coalesce(counts, true), next_step, coalesce(copies, '{{}}')
        from opened
        on conflict (company, action_id) do update set
            status = excluded.status, confirmed_on = excluded.confirmed_on, confirmed_by = excluded.confirmed_by
            where known.status = 'proposed'
    )
    insert into action_entry (company, client_id, entry_id, step, occurrence, action_id, p, amount, due_date,
        level_before, level_after)
    select a.company, a.client_id, e.entry_id, a.step, e.occurrence, a.action_id, a.p, e.amount, e.due_date,
        e.level_before, e.level_after
    from opened a, jsonb_to_recordset(a.entries) as e(entry_id text, occurrence integer, amount numeric,
        due_date date, level_before text, level_after text)
    on conflict do nothing
"""

WITHDRAWN = """
    update action set status = 'withdrawn', ended_on = heard.as_of, reason = e.reason
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid, reason text)
    where action.company = heard.company and action.action_id = e.action_id
"""

DONE = """
    update action set status = 'done', ended_on = e.done_on, reason = null
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid, done_on date)
    where action.company = heard.company and action.action_id = e.action_id
"""

MOVES = """
    insert into entry_level as known (company, client_id, entry_id, p, level, reminded_on, noticed_on, next_step)
    select company, client_id, entry_id, max(p),
        coalesce((array_agg(level order by number desc) filter (where not notice))[1], 0),
        (array_agg(moved_on order by number desc) filter (where not notice and moved_on is not null))[1],
        (array_agg(moved_on order by number desc) filter (where notice))[1],
        (array_agg(next_step order by number desc) filter (where not notice))[1]
    from (
        select heard.company, heard.p, heard.number, e.client_id, m.entry_id,
            coalesce(e.step = 'notice', false) as notice,
            coalesce(substr(m.level_after, 2)::smallint, 0::smallint) as level,
            coalesce(e.done_on, m.reminded_on, case when m.next_step is null then e.set_on end) as moved_on,
            m.next_step
        from {heard}, jsonb_to_record(heard.body::jsonb) as e(client_id text, step text, done_on date, set_on date,
            levels jsonb), jsonb_to_recordset(e.levels) as m(entry_id text, level_after text, next_step text,
            reminded_on date)
        where e.step is distinct from 'thanks'
        union all
        select heard.company, heard.p, heard.number, e.client_id, n.entry_id, true, 0::smallint, n.noticed_on,
            null
        from {heard}, jsonb_to_record(heard.body::jsonb) as e(client_id text, noticed jsonb),
            jsonb_to_recordset(e.noticed) as n(entry_id text, noticed_on date)
    ) moves
    group by company, client_id, entry_id
    on conflict (company, client_id, entry_id) do update set
        level = case when excluded.reminded_on is null and excluded.next_step is null then known.level
            else excluded.level end,
        next_step = case when excluded.reminded_on is null and excluded.next_step is null then known.next_step
            else excluded.next_step end,
        reminded_on = coalesce(excluded.reminded_on, known.reminded_on),
        noticed_on = coalesce(excluded.noticed_on, known.noticed_on)
"""

LOWERED = """
    update entry_level set exhausted = false
    from {heard}, jsonb_to_record(heard.body::jsonb) as e(client_id text, levels jsonb),
        jsonb_to_recordset(e.levels) as m(entry_id text, level_before text, level_after text)
    where entry_level.company = heard.company and entry_level.client_id = e.client_id
        and entry_level.entry_id = m.entry_id and entry_level.exhausted
        and coalesce(m.level_after, '') < coalesce(m.level_before, '')
"""

EXCLUDED = """
    with last as (
        select distinct on (heard.company, x.client_id, e.entry_id) heard.company, x.client_id, heard.p,
            e.entry_id, e.step, e.reasons, e.until
        from {heard}, json_to_record(heard.body::json) as x(client_id text, entries json),
            json_to_recordset(x.entries) as e(entry_id text, step text, reasons text[], until date)
        order by heard.company, x.client_id, e.entry_id, heard.number desc
    ),
    gone as (
        delete from exclusion using last
        where exclusion.company = last.company and exclusion.client_id = last.client_id
            and exclusion.entry_id = last.entry_id and last.reasons = '{{}}'
    )
    insert into exclusion (company, client_id, entry_id, p, step, reasons, until)
    select company, client_id, entry_id, p, step, reasons, until from last where reasons <> '{{}}'
    on conflict (company, client_id, entry_id) do update set
        step = excluded.step, reasons = excluded.reasons, until = excluded.until
"""

EXHAUSTED = """
    insert into entry_level (company, client_id, entry_id, p, level, exhausted)
    select distinct heard.company, e.client_id, e.entry_id, heard.p, 0, true
    from {heard}, json_to_record(heard.body::json) as e(client_id text, entry_id text)
    on conflict (company, client_id, entry_id) do update set exhausted = true
"""

DECIDED: Mapping[str, Project] = {
    "PolicyChanged": applying(POLICY),
    "ClientPolicyChanged": applying(CLIENT_POLICY, MARK_WHOLE),
    "ScenarioPublished": applying(SCENARIO, SCENARIO_VERSION),
    "AutomaticChosen": applying(AUTOMATIC, MARK_WHOLE),
    "HistoryTakenOver": applying(THANKED_BEFORE, CONTACT_BEFORE, MARK_WHOLE),
    "ActionProposed": applying(ACTION, status="proposed"),
    "ActionDue": applying(ACTION, status="due"),
    "ActionWithdrawn": applying(WITHDRAWN, MARK),
    "ActionDone": applying(DONE, MOVES, MARK, TOUCH_LEVELS),
    "LevelSet": applying(LOWERED, MOVES, MARK, TOUCH_LEVELS),
    "ActionExcluded": applying(EXCLUDED),
    "DunningExhausted": applying(EXHAUSTED),
}
