"""Calls, letters and other contacts: what is to be done by a person, and what was done."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import text

from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, RunningDep, SayDep, TxDep, accepted
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.problems import Problem
from contracts.event import Event
from contracts.notify import CallLogged, LetterPosted, LetterPrepared, OtherContactLogged
from services.notify import queries
from services.notify.api.bodies import Body
from services.notify.domain import Person, last_look
from services.notify.people import people

router = APIRouter(prefix="/companies/{company}")

TASKS = text(
    """
    select a.action_id, a.client_id, a.step, a.medium, a.due_on, a.body, outcome.kind as outcome_kind,
        outcome.reason as outcome, outcome.as_of as done_on, outcome.actor as done_by, task_comment.comment,
        posting.posted_on
    from action a
    left join outcome using (company, action_id)
    left join posting using (company, action_id)
    left join task_comment using (company, action_id)
    where a.company = :company and a.medium <> 'email' and a.due_on is not null
        and (cast(:medium as text) is null or a.medium = :medium)
        and (cast(:client_id as text) is null or a.client_id = :client_id)
        and case when :state = 'open' then a.state = 'due' and outcome.action_id is null
            when :state = 'done' then outcome.action_id is not null else true end
    order by a.due_on, a.client_id, a.step, a.action_id
    limit :limit offset :offset
    """
)

LOCK = text(
    """
    select a.client_id, a.medium, a.state, outcome.kind as outcome, posting.action_id is not null as posted
    from action a left join outcome using (company, action_id) left join posting using (company, action_id)
    where a.company = :company and a.action_id = :action_id and a.due_on is not null
    for update of a
    """
)

COMMENT = text(
    """
    insert into task_comment (company, action_id, client_id, comment, written_by)
    values (:company, :action_id, :client_id, :comment, :written_by)
    on conflict (company, action_id) do update set comment = excluded.comment, written_by = excluded.written_by,
        written_at = now()
    """
)

Done = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]


class Completed(Body):
    """``outcome`` is a code, such as ``reached``, ``no_answer``, ``promise_obtained``, ``posted``."""

    action_id: UUID
    outcome: Done = "done"
    done_on: date | None = None
    """The day of the call, where that is not today (rule 9.3)."""
    comment: str = Field("", max_length=10_000)


@router.get("/tasks")
async def get_tasks(  # noqa: PLR0913, PLR0917 - filters
    company: CompanyDep,
    tx: TxDep,
    as_of: AsOfDep,
    process: RunningDep,
    medium: Literal["letter", "phone", "other"] | None = None,
    client_id: str | None = None,
    state: Literal["open", "done", "all"] = "open",
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> dict[str, Any]:
    """The oldest first. ``held_back_by`` says why a task need not be done any more; people are ``null`` while
    ledger does not answer."""
    asked = {"company": company, "medium": medium, "client_id": client_id, "state": state}
    rows = (await tx.execute(TASKS, asked | {"limit": limit, "offset": offset})).all()
    looked = await queries.look(tx, company, [row.action_id for row in rows])
    known: dict[str, Person] = {}
    if rows:
        try:
            ledger = process.neighbour("ledger")
            known = await people(process.engine, ledger, company, {row.client_id for row in rows})
        except (NeighbourUnreachable, NeighbourRefused):
            known = {}
    tasks = []
    for row in rows:
        action, person = looked[row.action_id].action, known.get(row.client_id)
        reason = last_look(action, looked[row.action_id].now, as_of, frozenset(action.accepted_reasons))
        tasks.append(
            {
                "action_id": row.action_id,
                "client_id": row.client_id,
                "client_name": person and person.name,
                "contact_name": person and person.contact_name,
                "phones": person and person.phones,
                "address": person and person.address,
                "kind": action.kind,
                "step": row.step,
                "medium": row.medium,
                "profile": action.profile,
                "currency": action.currency,
                "amount": format(action.amount, "f"),
                "net_amount": format(action.net_amount, "f"),
                "due_since": action.due_since,
                "due_on": row.due_on,
                "entry_ids": [line.entry_id for line in action.entries],
                "held_back_by": reason if row.outcome_kind is None else None,
                "outcome": "posted" if row.posted_on is not None else row.outcome or row.outcome_kind,
                "done_on": row.done_on,
                "done_by": row.done_by,
                "comment": row.comment,
            }
        )
    return {"tasks": tasks}


@router.post("/complete-task")
async def complete_task(
    body: Completed, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """A person made the call, posted the letter, or reached the client in another way (rule 9.3).

    A letter that was not made here was written by other means; its step is done all the same.
    """
    named = {"company": company, "action_id": body.action_id}
    task = (await say.tx.execute(LOCK, named)).one_or_none()
    if task is None:
        raise Problem("task-unknown", "No task of this name is known", 404, action_id=body.action_id)
    to_be_posted = task.outcome == "prepared" and not task.posted
    if not to_be_posted and (task.outcome is not None or task.state != "due"):
        raise Problem(
            "task-over",
            "This task is over",
            409,
            action_id=body.action_id,
            state=task.state,
            outcome=task.outcome,
        )
    if body.done_on is not None and body.done_on > as_of:
        raise Problem("done-later", "What is still to come was not done yet", 422, done_on=body.done_on)
    done_on = None if body.done_on == as_of else body.done_on
    about: dict[str, Any] = {"action_id": body.action_id, "client_id": task.client_id, "done_on": done_on}
    events: list[Event]
    match task.medium:
        case "letter":
            events = [LetterPosted(**about)] if to_be_posted else [LetterPrepared(**about), LetterPosted(**about)]
        case "phone":
            events = [CallLogged(**about, outcome=body.outcome)]
        case "other":
            events = [OtherContactLogged(**about, outcome=body.outcome)]
        case _:
            raise Problem("not-a-task", "An e-mail leaves by itself", 409, action_id=body.action_id)
    if body.comment.strip():
        comment = {"client_id": task.client_id, "comment": body.comment.strip(), "written_by": cause.actor}
        await say.tx.execute(COMMENT, named | comment)
    return accepted(
        await say(company, [Said(event, task.client_id) for event in events], as_of=as_of, cause=cause)
    )
