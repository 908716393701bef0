"""What came back, how the places it is read from fare, and the answers that somebody saw to."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import text

from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, accepted, requires
from chassis.problems import Problem
from contracts.notify import ReplyHandled
from services.notify.api.bodies import Body

router = APIRouter(prefix="/companies/{company}")

UNBOUND_DAYS = 30

PLACES = text("select place, read_at, trouble, trouble_since from mailbox where company = :company order by place")
UNREAD = text(
    "select trouble, count(*) as mails, min(noted_at) as since from mailbox_mail"
    " where company = :company and trouble is not null group by trouble order by trouble"
)
AUTHORIZATION = text(
    "select trouble, trouble_since from mail_authorization where company = :company and trouble is not null"
)
COUNTS = text(
    """
    select kind, count(distinct digest) filter (where action_id is not null) as bound,
        count(distinct digest) filter (where action_id is null) as unbound
    from report
    where company = :company and read_at > now() - make_interval(days => :days)
    group by kind order by kind
    """
)


LOCK_REPLY = text(
    "select client_id, received_at, handled_at from reply"
    " where company = :company and action_id = :action_id for update"
)


class Answered(Body):
    """The message that was answered. ``read_until``: when the last answer came that the person saw; left out, all
    of them were."""

    action_id: UUID
    read_until: datetime | None = None


@router.post("/replies/handled", dependencies=[requires("user")])
async def reply_handled(
    body: Answered, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Somebody saw to the answers to a message (rule 22.33); said once. Answers 404 where nobody answered, 409
    ``answered-again`` where an answer came that the person did not see."""
    named = {"company": company, "action_id": body.action_id}
    found = (await say.tx.execute(LOCK_REPLY, named)).one_or_none()
    if found is None:
        raise Problem("reply-unknown", "Nobody answered this message", 404, action_id=body.action_id)
    if body.read_until is not None and found.received_at > body.read_until:
        raise Problem("answered-again", "Another answer came meanwhile", 409, action_id=body.action_id)
    event = ReplyHandled(action_id=body.action_id, client_id=found.client_id)
    said = [Said(event, found.client_id)] if found.handled_at is None else []
    return accepted(await say(company, said, as_of=as_of, cause=cause))


@router.get("/mailboxes")
async def mailboxes(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """``places`` with the instant of the last look, and since when which ``trouble`` keeps them from being read.

    ``last_days`` counts the mails of the last 30 days by kind; those ``unbound`` speak of no message of ours.
    ``unread`` counts those that lie there and were not understood, by ``trouble``: ``too_large`` (over 30 MB),
    ``unreadable``; each may be a client's answer. ``authorization``: since when which ``trouble`` keeps the
    mailbox from being signed in to (OAuth 2); null is none.
    """
    of_company = {"company": company}
    places = [dict(row) for row in (await tx.execute(PLACES, of_company)).mappings()]
    counts = (await tx.execute(COUNTS, of_company | {"days": UNBOUND_DAYS})).all()
    unread = [dict(row) for row in (await tx.execute(UNREAD, of_company)).mappings()]
    authorization = (await tx.execute(AUTHORIZATION, of_company)).mappings().one_or_none()
    return {
        "places": places,
        "authorization": None if authorization is None else dict(authorization),
        "unread": unread,
        "last_days": {row.kind: {"bound": row.bound, "unbound": row.unbound} for row in counts},
    }
