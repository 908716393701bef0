"""What notify says itself: how messages, letters and calls ended, and what debtors answered and paid."""

from collections.abc import Mapping

from chassis.heard_rows import applying
from chassis.projection import Project
from contracts.online_payments import PAID_ONLINE, PAYMENT_RETURNED

OUTCOME = """
    insert into outcome (company, action_id, p, client_id, kind, reason, message_id, at, as_of, actor)
    select distinct on (heard.company, e.action_id) heard.company, e.action_id, heard.p, e.client_id, %(kind)s,
        coalesce(e.reason, e.outcome), e.message_id, heard.at, coalesce(e.done_on, heard.as_of),
        heard.actor
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid, client_id text, reason text, outcome text,
        message_id text, done_on date)
    order by heard.company, e.action_id, heard.number desc
    on conflict (company, action_id) do update set
        kind = excluded.kind, reason = excluded.reason, message_id = excluded.message_id, at = excluded.at,
        as_of = excluded.as_of, actor = excluded.actor, opened_at = null, fetched_at = null, bounced = null
"""

OPENED = """
    update outcome set opened_at = coalesce(outcome.opened_at, e.opened_at),
        fetched_at = coalesce(outcome.fetched_at, e.fetched_at)
    from (
        select heard.company, e.action_id,
            (array_agg(e.opened_at order by heard.number) filter (where e.by_machine is not true))[1] as opened_at,
            (array_agg(e.opened_at order by heard.number) filter (where e.by_machine))[1] as fetched_at
        from {heard}, json_to_record(heard.body::json) as e(action_id uuid, opened_at timestamptz,
            by_machine boolean)
        group by heard.company, e.action_id
    ) e
    where outcome.company = e.company and outcome.action_id = e.action_id
"""

BOUNCED = """
    update outcome set bounced = e.kind
    from (
        select distinct on (heard.company, e.action_id) heard.company, e.action_id,
            coalesce(e.kind, case when e.permanent then 'hard' else 'soft' end) as kind
        from {heard}, json_to_record(heard.body::json) as e(action_id uuid, kind text, permanent boolean)
        order by heard.company, e.action_id, e.permanent desc, heard.number desc
    ) e
    where outcome.company = e.company and outcome.action_id = e.action_id
        and outcome.bounced is distinct from 'hard'
"""

POSTED = """
    insert into posting (company, action_id, p, client_id, posted_on, registered, at, actor)
    select distinct on (heard.company, e.action_id) heard.company, e.action_id, heard.p, e.client_id,
        coalesce(e.done_on, heard.as_of), coalesce(e.registered, false), heard.at, heard.actor
    from {heard}, json_to_record(heard.body::json) as e(action_id uuid, client_id text, done_on date,
        registered boolean)
    order by heard.company, e.action_id, heard.number desc
    on conflict (company, action_id) do update set posted_on = excluded.posted_on,
        registered = excluded.registered, at = excluded.at, actor = excluded.actor
"""

REPLIED = """
    insert into reply (company, client_id, action_id, p, received_at)
    select distinct on (heard.company, e.client_id, e.action_id) heard.company, e.client_id, e.action_id, heard.p,
        e.received_at
    from {heard}, json_to_record(heard.body::json) as e(client_id text, action_id uuid, received_at timestamptz)
    order by heard.company, e.client_id, e.action_id, heard.number desc
    on conflict (company, client_id, action_id) do update set received_at = excluded.received_at, handled_at = null
"""

REPLY_HANDLED = """
    update reply set handled_at = heard.at
    from {heard}, json_to_record(heard.body::json) as e(client_id text, action_id uuid)
    where reply.company = heard.company and reply.client_id = e.client_id and reply.action_id = e.action_id
"""

CARRIED_OUT: Mapping[str, Project] = {
    "EmailSent": applying(OUTCOME, kind="sent"),
    "EmailFailed": applying(OUTCOME, kind="failed"),
    "EmailInDoubt": applying(OUTCOME, kind="in_doubt"),
    "MessageWithheld": applying(OUTCOME, kind="withheld"),
    "LetterPrepared": applying(OUTCOME, kind="prepared"),
    "LetterPosted": applying(POSTED),
    "CallLogged": applying(OUTCOME, kind="called"),
    "OtherContactLogged": applying(OUTCOME, kind="contacted"),
    "EmailOpened": applying(OPENED),
    "EmailBounced": applying(BOUNCED),
    "ReplyReceived": applying(REPLIED),
    "ReplyHandled": applying(REPLY_HANDLED),
    "PaymentLinkPaid": applying(PAID_ONLINE),
    "PaymentReturned": applying(PAYMENT_RETURNED),
}
