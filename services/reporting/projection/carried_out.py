"""What notify says: the state of every message, call and letter, one row per action, and the answers to them."""

from chassis.heard_rows import applying
from chassis.projection import Project

DELIVERY = """
    insert into delivery (company, p, client_id, action_id, status, status_at, status_on, reason)
    select distinct on (heard.company, d.client_id, d.action_id) heard.company, heard.p, d.client_id,
        d.action_id, %(status)s,
        coalesce(d.sent_at, heard.at), coalesce(d.done_on, heard.as_of),
        coalesce(d.reason, d.outcome, d.status)
    from {heard}, json_to_record(heard.body::json) as d(client_id text, action_id uuid,
        sent_at timestamptz, reason text, outcome text, status text, done_on date)
    order by heard.company, d.client_id, d.action_id, heard.number
    on conflict (company, client_id, action_id) do update set status = excluded.status,
        status_at = excluded.status_at, status_on = excluded.status_on, reason = excluded.reason
    where delivery.status <> excluded.status
"""
"""The first event of a status counts: a mail opened again stays opened since the first time."""

OPENED = """
    insert into delivery (company, p, client_id, action_id, status, status_at, status_on)
    select distinct on (heard.company, d.client_id, d.action_id) heard.company, heard.p, d.client_id, d.action_id,
        case when d.by_machine then 'fetched' else 'opened' end, d.opened_at, heard.as_of
    from {heard}, json_to_record(heard.body::json) as d(client_id text, action_id uuid, opened_at timestamptz,
        by_machine boolean)
    order by heard.company, d.client_id, d.action_id, coalesce(d.by_machine, false), heard.number
    on conflict (company, client_id, action_id) do update set status = excluded.status,
        status_at = excluded.status_at, status_on = excluded.status_on, reason = null
    where delivery.status <> excluded.status and (excluded.status = 'opened' or delivery.status = 'sent')
"""
"""What a machine fetched was not opened by anybody, and hides nothing that happened since (rule 16.5)."""

REPLIED = """
    insert into reply (company, p, client_id, action_id, received_on, received_at, handled)
    select distinct on (heard.company, d.client_id, d.action_id) heard.company, heard.p, d.client_id, d.action_id,
        heard.as_of, d.received_at, false
    from {heard}, json_to_record(heard.body::json) as d(client_id text, action_id uuid, received_at timestamptz)
    order by heard.company, d.client_id, d.action_id, heard.number desc
    on conflict (company, client_id, action_id) do update set received_on = excluded.received_on,
        received_at = excluded.received_at, handled = false
"""

HANDLED = """
    update reply set handled = true
    from {heard}, json_to_record(heard.body::json) as d(client_id text, action_id uuid)
    where reply.company = heard.company and reply.client_id = d.client_id and reply.action_id = d.action_id
"""

CARRIED_OUT: dict[str, Project] = {
    "EmailSent": applying(DELIVERY, status="sent"),
    "EmailOpened": applying(OPENED),
    "EmailBounced": applying(DELIVERY, status="bounced"),
    "ReplyReceived": applying(REPLIED),
    "ReplyHandled": applying(HANDLED),
    "EmailFailed": applying(DELIVERY, status="failed"),
    "EmailInDoubt": applying(DELIVERY, status="in_doubt"),
    "MessageWithheld": applying(DELIVERY, status="withheld"),
    "LetterPrepared": applying(DELIVERY, status="done"),
    "LetterPosted": applying(DELIVERY, status="posted"),
    "CallLogged": applying(DELIVERY, status="done"),
    "OtherContactLogged": applying(DELIVERY, status="done"),
}
