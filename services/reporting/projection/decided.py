"""What dunning says: actions from proposal to end, levels, exclusions, scenarios, rounds."""

from chassis.heard_rows import applying
from chassis.projection import Project

ACTION = """
    insert into action (company, p, client_id, action_id, profile, kind, step, medium, currency, amount,
        net_amount, book_net_amount, due_since, entry_ids, status, started_on, started_at,
        started_by, done_on, closed_at, reason)
    select distinct on (heard.company, a.client_id, a.action_id) heard.company, heard.p, a.client_id,
        a.action_id, a.profile,
        a.kind, a.step, a.medium, a.currency, a.amount, a.net_amount, a.book_net_amount, a.due_since,
        array(select cast(e.line ->> 'entry_id' as uuid)
            from jsonb_array_elements(a.entries) with ordinality e(line, place) order by e.place),
        %(status)s, case when %(started)s then heard.as_of end, case when %(started)s then heard.at end,
        case when %(started)s then heard.actor end, null, null, null
    from {heard}, json_to_record(heard.body::json -> 'action') as a(client_id text, action_id uuid,
        profile text, kind text, step text, medium text, currency text, amount numeric, net_amount numeric,
        book_net_amount numeric, due_since date, entries jsonb)
    order by heard.company, a.client_id, a.action_id, heard.number desc
    on conflict (company, client_id, action_id) do update set (profile, kind, step, medium, currency, amount,
        net_amount, book_net_amount, due_since, entry_ids, status, started_on, started_at, started_by, done_on,
        closed_at, reason) = row(excluded.profile, excluded.kind, excluded.step, excluded.medium,
        excluded.currency, excluded.amount, excluded.net_amount, excluded.book_net_amount, excluded.due_since,
        excluded.entry_ids, excluded.status, coalesce(excluded.started_on, action.started_on),
        coalesce(excluded.started_at, action.started_at), coalesce(excluded.started_by, action.started_by),
        null, null, null)
"""

WITHDRAWN = """
    update action a set status = 'withdrawn', closed_at = heard.at, reason = e.reason
    from {heard}, json_to_record(heard.body::json) as e(client_id text, action_id uuid, reason text)
    where a.company = heard.company and a.client_id = e.client_id and a.action_id = e.action_id
"""

DONE = """
    update action a set status = 'done', done_on = e.done_on, closed_at = heard.at
    from {heard}, json_to_record(heard.body::json) as e(client_id text, action_id uuid, done_on date)
    where a.company = heard.company and a.client_id = e.client_id and a.action_id = e.action_id
"""

LEVELS = """
    insert into entry_level (company, p, client_id, entry_id, level, set_on, next_step)
    select distinct on (heard.company, e.client_id, m.entry_id) heard.company, heard.p, e.client_id, m.entry_id,
        m.level_after, coalesce(e.done_on, e.set_on), m.next_step
    from {heard}, json_to_record(heard.body::json) as e(client_id text, step text, done_on date, set_on date,
        levels json), json_to_recordset(e.levels) as m(entry_id uuid, level_after text, next_step text)
    where coalesce(e.step, '') not in ('notice', 'thanks')  -- they change no level
    order by heard.company, e.client_id, m.entry_id, heard.number desc
    on conflict (company, client_id, entry_id) do update set level = excluded.level, set_on = excluded.set_on,
        next_step = excluded.next_step
"""

EXCLUSIONS = """
    with latest as (
        select distinct on (heard.company, e.client_id, x.entry_id) heard.company, heard.p, e.client_id,
            x.entry_id, x.step, x.reasons
        from {heard}, json_to_record(heard.body::json) as e(client_id text, entries json),
            json_to_recordset(e.entries) as x(entry_id uuid, step text, reasons text[])
        order by heard.company, e.client_id, x.entry_id, heard.number desc
    ),
    ended as (
        delete from exclusion x using latest l
        where cardinality(l.reasons) = 0 and x.company = l.company and x.client_id = l.client_id
            and x.entry_id = l.entry_id
    )
    insert into exclusion (company, p, client_id, entry_id, step, reasons)
    select company, p, client_id, entry_id, step, reasons from latest where cardinality(reasons) > 0
    on conflict (company, client_id, entry_id) do update set step = excluded.step, reasons = excluded.reasons
"""

# a variant that is switched off counts as none here
SCENARIO = """
    insert into scenario (company, p, profile, version, with_email, without_email)
    select distinct on (heard.company, s.profile) heard.company, heard.p, s.profile, s.version,
        case when s.with_email_enabled is not false then s.with_email else '[]' end,
        case when s.without_email_enabled is not false then s.without_email else '[]' end
    from {heard}, json_to_record(heard.body::json) as s(profile text, version integer, with_email jsonb,
        without_email jsonb, with_email_enabled boolean, without_email_enabled boolean)
    order by heard.company, s.profile, heard.number desc
    on conflict (company, profile) do update set version = excluded.version, with_email = excluded.with_email,
        without_email = excluded.without_email
"""

POLICY = """
    insert into policy (company, p, version, default_profile, automatic_from)
    select distinct on (heard.company) heard.company, heard.p, s.version, s.default_profile, s.automatic_from
    from {heard}, json_to_record(heard.body::json) as s(version integer, default_profile text,
        automatic_from date)
    order by heard.company, heard.number desc
    on conflict (company) do update set version = excluded.version, default_profile = excluded.default_profile,
        automatic_from = excluded.automatic_from
"""

AUTOMATIC = """
    insert into automatic_choice (company, p, client_id, entry_id, automatic)
    select distinct on (heard.company, a.client_id, c.entry_id) heard.company, heard.p, a.client_id, c.entry_id,
        c.automatic
    from {heard}, json_to_record(heard.body::json) as a(client_id text, entries json),
        json_to_recordset(a.entries) as c(entry_id uuid, automatic boolean)
    order by heard.company, a.client_id, c.entry_id, heard.number desc
    on conflict (company, client_id, entry_id) do update set automatic = excluded.automatic
"""

ROUND = """
    insert into dunning_round (company, p, round_on, clients, entries, proposed, due, excluded)
    select distinct on (heard.company, r.round_on) heard.company, heard.p, r.round_on, r.clients, r.entries,
        r.proposed, r.due,
        r.excluded
    from {heard}, json_to_record(heard.body::json) as r(round_on date, clients integer, entries integer,
        proposed integer, due integer, excluded integer)
    order by heard.company, r.round_on, heard.number
    on conflict (company, round_on) do nothing
"""


DECIDED: dict[str, Project] = {
    "ActionProposed": applying(ACTION, status="proposed", started=False),
    "ActionDue": applying(ACTION, status="due", started=True),
    "ActionWithdrawn": applying(WITHDRAWN),
    "ActionDone": applying(DONE, LEVELS),
    "LevelSet": applying(LEVELS),
    "ActionExcluded": applying(EXCLUSIONS),
    "ScenarioPublished": applying(SCENARIO),
    "PolicyChanged": applying(POLICY),
    "AutomaticChosen": applying(AUTOMATIC),
    "RoundCompleted": applying(ROUND),
}
