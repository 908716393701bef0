"""What notify does on hearing dunning and ledger."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import driver
from chassis.eventlog import Delivered, Said, Say
from chassis.jobs import NewJob, enqueue
from chassis.projection import React
from contracts.dunning import ActionDue
from contracts.ledger import DisputeOpened, PersonErased, PromiseRecorded
from contracts.notify import DebtorAnswered
from services.notify import links, queries
from services.notify.archive.chain import ERASED, Fact
from services.notify.archive.keeping import forget

QUEUE = "email"
DEBTOR = "debtor"
"""The actor of what a debtor does by itself."""

REOPEN = """
    update job set status = 'ready', run_at = coalesce(again.run_at, now()), attempts = 0, error = null,
        payload = again.payload, changed_at = now()
    from unnest(%(ids)b::uuid[], %(payloads)b::jsonb[], %(instants)b::timestamptz[])
        as again(id, payload, run_at)
    where job.id = again.id and job.status = 'failed'
"""

FORGET_PERSON = text("delete from person where company = :company and client_id = :client_id")
FORGET_MESSAGES = text(
    "update message set raw = null, sha256 = null, files = null, cut = null, subject = '', recipients = '{}',"
    " answer = null, refused = null where company = :company and client_id = :client_id"
)
# files that nobody else's message or draft carries
FORGET_FILES = text(
    """
    delete from attachment
    where company = :company and sha256 in (
        select file ->> 'sha256' from message, jsonb_array_elements(message.files) file
        where message.company = :company and message.client_id = :client_id
        union select file ->> 'sha256' from draft left join action using (company, action_id),
            jsonb_array_elements(draft.files) file
        where draft.company = :company and coalesce(draft.client_id, action.client_id) = :client_id)
    and not exists (select from message, jsonb_array_elements(message.files) file
        where message.company = :company and message.client_id <> :client_id
        and file ->> 'sha256' = attachment.sha256)
    and not exists (select from draft left join action using (company, action_id),
            jsonb_array_elements(draft.files) file
        where draft.company = :company
        and coalesce(draft.client_id, action.client_id) is distinct from :client_id
        and file ->> 'sha256' = attachment.sha256)
    """
)
FORGET_DRAFTS = text(
    "delete from draft where draft.company = :company and (draft.client_id = :client_id or exists ("
    "select from action where action.company = draft.company and action.action_id = draft.action_id"
    " and action.client_id = :client_id))"
)
# that it was made and posted stays, with the digest of what was printed
FORGET_LETTERS = text(
    "update letter set pdf = null, subject = '', address = '{}', mailing_key = '{}', registered_number = null"
    " where company = :company and client_id = :client_id"
)
# a mail server's answer may repeat the address
FORGET_ERRORS = text("update job set error = null where company = :company and key = :client_id")
FORGET_COMMENTS = text("delete from task_comment where company = :company and client_id = :client_id")

FORGET_CONSENTS = text("delete from opens_consent where company = :company and client_id = :client_id")
FORGET_REPORTS = text(
    "update report set address = null, text = null, mark = null"
    " where company = :company and client_id = :client_id"
)

FORGET = (
    FORGET_PERSON,
    FORGET_ERRORS,
    FORGET_FILES,
    FORGET_MESSAGES,
    FORGET_REPORTS,
    FORGET_LETTERS,
    FORGET_DRAFTS,
    FORGET_COMMENTS,
    FORGET_CONSENTS,
)
"""Jobs before messages, as ``recording`` locks them."""


async def on_action_due(say: Say, heard: list[Delivered]) -> None:
    """An e-mail becomes a job named by its action; the other media are tasks, which the projection already shows.

    An action that failed or was withheld keeps its name when it becomes due again: its job opens again. One that
    left, or may have, never does.
    """
    jobs: dict[UUID, NewJob] = {}
    for event in heard:
        said = event.parse()
        assert isinstance(said, ActionDue)
        if said.action.medium == "email":
            jobs[said.action.action_id] = NewJob(
                id=said.action.action_id,
                company=event.company,
                key=event.client_id,
                p=event.partition,
                payload=_payload(event),
                run_at=await _may_leave_at(say.tx, event, said.not_before),
            )
    new = set(await enqueue(say.tx, QUEUE, list(jobs.values())))
    known = [job for job in jobs.values() if job.id not in new]
    if known:
        connection = await driver(say.tx)
        await connection.execute(
            REOPEN,
            {
                "ids": [job.id for job in known],
                "payloads": [Jsonb(dict(job.payload)) for job in known],
                "instants": [job.run_at for job in known],
            },
        )


async def _may_leave_at(tx: AsyncConnection, event: Delivered, not_before: str | None) -> datetime | None:
    """The instant of a local time of day (rule 4.16). A day that was chosen for a trial waits for no clock."""
    if not_before is None:
        return None
    zone = await queries.time_zone(tx, event.company)
    if event.as_of != clock.today(zone):
        return None
    return datetime.combine(event.as_of, time.fromisoformat(not_before), ZoneInfo(zone))


def _payload(event: Delivered) -> dict[str, str | None]:
    """What the message's own events will name as their cause, and the day it became due."""
    return {
        "as_of": event.as_of.isoformat(),
        "due_at": event.occurred_at.isoformat(),
        "actor": event.actor,
        "correlation_id": str(event.correlation_id),
        "causation_id": str(event.event_id),
        "traceparent": event.traceparent,
    }


async def on_person_erased(say: Say, heard: list[Delivered]) -> None:
    """The person's data and the texts of the messages go; that they were sent stays, in the archive too."""
    erasures: defaultdict[str, list[Fact]] = defaultdict(list)
    for event in heard:
        said = event.parse()
        assert isinstance(said, PersonErased)
        whose = {"company": event.company, "client_id": said.client_id}
        for statement in FORGET:
            await say.tx.execute(statement, whose)
        await links.revoke(say.tx, event.company, said.client_id, event.actor)
        erasures[event.company].append(
            Fact(ERASED, said.client_id, event.occurred_at, event.as_of, event.actor, event_id=event.event_id)
        )
    for company, facts in sorted(erasures.items()):
        await forget(say.tx, company, facts)


async def on_answer(say: Say, heard: list[Delivered]) -> None:
    """What a debtor stated by itself through its link is told as its answer; what users state is not."""
    for event in heard:
        if event.actor != DEBTOR:
            continue
        said = event.parse()
        assert isinstance(said, PromiseRecorded | DisputeOpened)
        answered = DebtorAnswered(
            client_id=said.client_id,
            answer="promise" if isinstance(said, PromiseRecorded) else "dispute",
            about=said.promise_id if isinstance(said, PromiseRecorded) else said.dispute_id,
            entry_id=said.entry_id,
        )
        told = [Said(answered, said.client_id)]
        await say(event.company, told, as_of=event.as_of, cause=event.cause(DEBTOR))


REACT: Mapping[str, React] = {
    "ActionDue": on_action_due,
    "PersonErased": on_person_erased,
    "PromiseRecorded": on_answer,
    "DisputeOpened": on_answer,
}
