"""How sending goes, and what a person decides about a message in doubt."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import text

from chassis import clock
from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, RunningDep, SayDep, TxDep, accepted
from chassis.problems import Problem
from contracts.notify import EmailSent
from services.notify.api.bodies import Body
from services.notify.handlers import QUEUE
from services.notify.hindrances import of_company
from services.notify.servers import has_own

router = APIRouter(prefix="/companies/{company}")

STATUSES = ("waiting", "sending", "sent", "failed", "in_doubt", "withheld")
MOST_ACTIONS = 20_000
MOST_TROUBLES = 500

STATUS = """
    case when outcome.kind = 'prepared' then 'sent'
        else case job.status when 'done' then 'sent' when 'sending' then 'sending' when 'in_doubt' then 'in_doubt'
            when 'failed' then case when outcome.kind in ('failed', 'withheld') then outcome.kind else 'failed' end
            else 'waiting' end
        end
"""
"""Of a letter, to be made is to be sent: what is left is for a person."""

PROGRESS = text(
    f"""
    select a.action_id, a.client_id, a.step, a.due_on, {STATUS} as status,
        coalesce(outcome.reason, case when a.medium = 'letter' then job.error end) as reason,
        outcome.opened_at,
        job.error as detail, person.body ->> 'name' as client_name
    from action a
    left join job on job.id = a.action_id and job.company = a.company
    left join outcome on outcome.company = a.company and outcome.action_id = a.action_id
    left join person on person.company = a.company and person.client_id = a.client_id
    where a.company = :company and a.due_on is not null
        and (a.medium = 'email' or (:named and a.medium = 'letter'))
        and (cast(:as_of as date) is null or a.due_on = :as_of)
        and (not :named or a.action_id = any(:action_ids))
    order by a.client_id, a.step, a.action_id
    """  # noqa: S608 - no part of it comes from outside
)

LOCK_DOUBT = text(
    """
    select job.key as client_id, coalesce(message.message_id, outcome.message_id, '') as message_id
    from job
    left join message on message.company = job.company and message.action_id = job.id
    left join outcome on outcome.company = job.company and outcome.action_id = job.id
    where job.id = :action_id and job.company = :company and job.queue = :queue and job.status = 'in_doubt'
        and exists (select from action where company = :company and action_id = :action_id)
    for update of job
    """
)

SETTLE_DOUBT = text(
    "update job set status = :status, run_at = now(), attempts = 0, error = null, changed_at = now(),"
    " payload = payload - 'doubt_said' where id = :action_id"
)


class Actions(Body):
    action_ids: list[UUID] = Field(max_length=MOST_ACTIONS)


class Doubt(Body):
    action_id: UUID
    decided: Literal["sent", "resend"] = Field(alias="as")


@router.get("/sending")
async def get_sending(
    company: CompanyDep,
    tx: TxDep,
    process: RunningDep,
    as_of: date | None = None,
    action_ids: Annotated[list[UUID] | None, Query(max_length=500)] = None,
) -> dict[str, Any]:
    """How far the e-mails are that became due on a day, or those named, letters too; without either, all mails."""
    return await _progress(process, tx, company, as_of, action_ids)


@router.post("/sending/query")
async def query_sending(body: Actions, company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """The same for more actions than an address can name."""
    return await _progress(process, tx, company, None, body.action_ids)


async def _progress(
    process: RunningDep, tx: TxDep, company: str, as_of: date | None, action_ids: Sequence[UUID] | None
) -> dict[str, Any]:
    """Counts by status, ``finished`` when nothing waits or is under way, and every trouble with its cause."""
    named = {"named": action_ids is not None, "action_ids": list(action_ids or [])}
    rows = (await tx.execute(PROGRESS, {"company": company, "as_of": as_of, **named})).all()
    counts = Counter(row.status for row in rows)
    troubled = [row for row in rows if row.status in ("failed", "in_doubt", "withheld")]
    return {
        "total": len(rows),
        **{status: counts[status] for status in STATUSES},
        "opened": sum(row.opened_at is not None for row in rows),
        "finished": not counts["waiting"] and not counts["sending"],
        "troubles": [
            {
                "action_id": row.action_id,
                "client_id": row.client_id,
                "client_name": row.client_name,
                "step": row.step,
                "due_on": row.due_on,
                "status": row.status,
                "reason": row.reason,
                "detail": row.detail,
            }
            for row in troubled[:MOST_TROUBLES]
        ],
        "hindered_by": of_company(process.health.hindered_by(), company, own_server=await has_own(tx, company)),
    }


@router.post("/resolve-doubt")
async def resolve_doubt(
    body: Doubt, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """A person knows whether it arrived: it counts as sent, or it leaves again with the same Message-ID."""
    named = {"action_id": body.action_id, "company": company, "queue": QUEUE}
    found = (await say.tx.execute(LOCK_DOUBT, named)).one_or_none()
    if found is None:
        raise Problem("not-in-doubt", "No message of this action is in doubt", 409, action_id=body.action_id)
    sent = body.decided == "sent"
    await say.tx.execute(SETTLE_DOUBT, {"action_id": body.action_id, "status": "done" if sent else "ready"})
    event = EmailSent(
        action_id=body.action_id,
        client_id=found.client_id,
        message_id=found.message_id,
        sent_at=clock.now(),
    )
    said = [Said(event, found.client_id)] if sent else []
    return accepted(await say(company, said, as_of=as_of, cause=cause))
