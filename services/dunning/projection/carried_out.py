"""What notify says: clients were written to or called, and what debtors paid online."""

from collections.abc import Mapping

from chassis.heard_rows import applying
from chassis.projection import Project
from contracts.online_payments import PAID_ONLINE, PAYMENT_RETURNED
from services.dunning.marking import MARK, MARK_WHOLE

CONTACT = """
    insert into contact as known (company, client_id, action_id, p, contacted_on)
    select heard.company, e.client_id, e.action_id, max(heard.p), max(coalesce(e.done_on, heard.as_of))
    from {heard}, json_to_record(heard.body::json) as e(client_id text, action_id uuid, done_on date)
    group by heard.company, e.client_id, e.action_id
    on conflict (company, client_id, action_id) do update set
        contacted_on = greatest(known.contacted_on, excluded.contacted_on)
"""

CARRIED_OUT: Mapping[str, Project] = {
    "EmailSent": applying(CONTACT, MARK),
    "LetterPrepared": applying(CONTACT, MARK),
    "CallLogged": applying(CONTACT, MARK),
    "OtherContactLogged": applying(CONTACT, MARK),
    "PaymentLinkPaid": applying(PAID_ONLINE, MARK_WHOLE),
    "PaymentReturned": applying(PAYMENT_RETURNED, MARK_WHOLE),
}
