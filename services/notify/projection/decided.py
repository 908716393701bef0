"""What dunning says: the policy of the last look, and actions."""

from collections.abc import Mapping

from chassis.heard_rows import applying
from chassis.projection import Project

POLICY = """
    insert into policy (company, p, promises_exclude, disputes_exclude)
    select distinct on (heard.company) heard.company, heard.p, coalesce(e.promises_exclude, false),
        coalesce(e.disputes_exclude, false)
    from {heard}, json_to_record(heard.body::json) as e(promises_exclude boolean, disputes_exclude boolean)
    order by heard.company, heard.number desc
    on conflict (company) do update set
        promises_exclude = excluded.promises_exclude, disputes_exclude = excluded.disputes_exclude
"""

ACTION_PROPOSED = """
    insert into action as known (company, action_id, p, client_id, step, medium, state, body)
    select distinct on (heard.company, a.action_id) heard.company, a.action_id, heard.p, a.client_id, a.step,
        a.medium, 'proposed', said.action
    from {heard}, lateral (select heard.body::jsonb -> 'action' as action) said,
        jsonb_to_record(said.action) as a(action_id uuid, client_id text, step text, medium text)
    order by heard.company, a.action_id, heard.number desc
    on conflict (company, action_id) do update set
        step = excluded.step, medium = excluded.medium, state = excluded.state, body = excluded.body
"""

ACTION_DUE = """
    insert into action as known (company, action_id, p, client_id, step, medium, state, due_on, due_at, draft_id,
        body)
    select distinct on (heard.company, a.action_id) heard.company, a.action_id, heard.p, a.client_id, a.step,
        a.medium, 'due', heard.as_of, heard.at, (said.body ->> 'draft_id')::uuid, said.body -> 'action'
    from {heard}, lateral (select heard.body::jsonb as body) said,
        jsonb_to_record(said.body -> 'action') as a(action_id uuid, client_id text, step text, medium text)
    order by heard.company, a.action_id, heard.number desc
    on conflict (company, action_id) do update set
        step = excluded.step, medium = excluded.medium, state = excluded.state, due_on = excluded.due_on,
        due_at = excluded.due_at, draft_id = excluded.draft_id, body = excluded.body
"""

ACTION_ENDED = """
    update action set state = %(state)s
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid)
    where action.company = heard.company and action.action_id = e.action_id
"""

DECIDED: Mapping[str, Project] = {
    "PolicyChanged": applying(POLICY),
    "ActionProposed": applying(ACTION_PROPOSED),
    "ActionDue": applying(ACTION_DUE),
    "ActionDone": applying(ACTION_ENDED, state="done"),
    "ActionWithdrawn": applying(ACTION_ENDED, state="withdrawn"),
}
