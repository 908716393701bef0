"""Messages as they left, and as they would leave."""

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import text

from chassis.http import AsOfDep, CauseDep, CompanyDep, RunningDep, SayDep, TxDep
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.problems import Problem
from services.notify import messages, queries
from services.notify.addressing import Recipients, recipients
from services.notify.api.bodies import Body
from services.notify.api.progress import STATUS
from services.notify.api.templates import check
from services.notify.delivered import TemplateMissing
from services.notify.domain import NotYetHeard, last_look
from services.notify.formats import Medium
from services.notify.settings import NotifySettings
from services.notify.writing import Writer, preview

router = APIRouter(prefix="/companies/{company}")

COLUMNS = f"""
    a.action_id, a.client_id, a.step, a.due_on, message.message_id, message.subject, message.recipients,
    message.composed_at, message.answer, message.refused, {STATUS} as status, outcome.reason, outcome.at,
    outcome.as_of, outcome.opened_at
"""

SOURCE = """
    from action a
    left join job on job.id = a.action_id and job.company = a.company
    left join message on message.company = a.company and message.action_id = a.action_id
    left join outcome on outcome.company = a.company and outcome.action_id = a.action_id
    where a.company = :company and a.medium = 'email' and a.due_on is not null
"""

OF_CLIENT = text(
    f"select {COLUMNS} {SOURCE} and a.client_id = :client_id order by a.due_on desc, a.step desc, a.action_id"
)
ONE = text(f"select {COLUMNS}, message.raw {SOURCE} and a.action_id = :action_id")

ADD_DRAFT = text(
    "insert into draft (company, draft_id, action_id, subject, body, written_by)"
    " values (:company, :draft_id, :action_id, :subject, :body, :written_by)"
)


class Draft(Body):
    action_id: UUID
    subject: str = Field(max_length=1000)
    body: str = Field(max_length=100_000)


@router.get("/messages")
async def get_messages(client_id: str, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The e-mails of a client, the newest first."""
    rows = await tx.execute(OF_CLIENT, {"company": company, "client_id": client_id})
    return {"messages": [dict(row._mapping) for row in rows]}


@router.get("/message")
async def get_message(action_id: UUID, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """One e-mail exactly as it left. Answers 404 before it was written, 410 once the person was erased."""
    row = (await tx.execute(ONE, {"company": company, "action_id": action_id})).one_or_none()
    if row is None or row.message_id is None:
        raise Problem("message-unknown", "No message of this action was written", 404, action_id=action_id)
    if row.raw is None:
        raise Problem("message-erased", "The person was erased, and the message with it", 410)
    kept = {name: value for name, value in row._mapping.items() if name != "raw"}
    read = messages.read(bytes(row.raw))
    return kept | {
        "from": read.sender,
        "to": read.recipients,
        "date": read.date,
        "text": read.text,
        "html": read.html,
    }


@router.get("/preview")
async def get_preview(action_id: UUID, company: CompanyDep, as_of: AsOfDep, process: RunningDep) -> dict[str, Any]:
    """What would leave now for an action that is proposed or due; no text for calls and the like.

    ``held_back_by`` is what the last look would find; there is no text either while it is
    ``entry_not_yet_heard``: a table that lacks lines would be wrong. Answers 503 while ledger cannot say who the
    person is.
    """
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    writer = Writer(process, settings)
    try:
        desk = await writer.desk(company, [action_id], as_of)
        looked = desk.looked.get(action_id)
        if looked is None:
            raise Problem("action-unknown", "This action is not known here", 404, action_id=action_id)
        medium = _written(looked.action.medium)
        answer = _about(desk.sender.email, looked, recipients(desk.people[looked.action.client_id], looked.action))
        reason = last_look(looked.action, looked.now, desk.as_of, frozenset(looked.action.accepted_reasons))
        answer["held_back_by"] = reason
        if medium is None or isinstance(reason, NotYetHeard):
            return answer | {"subject": "", "text": "", "html": "", "language": None, "own": None}
        template, language = desk.text_for(looked, desk.people[looked.action.client_id].language, medium)
        texts = await writer.labels_for(desk, [(action_id, template.body)], medium)
    except TemplateMissing as missing:
        raise Problem("template-missing", "There is no template for this step", 404, str(missing)) from missing
    except (NeighbourUnreachable, NeighbourRefused) as silent:
        raise Problem("people-unreachable", "Ledger does not say who this client is", 503, str(silent)) from silent
    rendered = preview(desk, looked, texts, medium)
    return answer | {
        "subject": rendered.subject,
        "text": rendered.text,
        "html": rendered.html,
        "language": language,
        "own": template.own,
        "template": {"subject": template.subject, "body": template.body},
    }


def _written(medium: str) -> Medium | None:
    match medium:
        case "email":
            return "email"
        case "letter":
            return "letter"
        case _:
            return None


def _about(sender: str, looked: queries.Looked, found: Recipients) -> dict[str, Any]:
    action = looked.action
    by_mail = action.medium == "email"
    return {
        "action_id": action.action_id,
        "client_id": action.client_id,
        "step": action.step,
        "medium": action.medium,
        "state": looked.state,
        "from": sender,
        "to": found.to if by_mail else (),
        "copies": found.copies if by_mail else (),
    }


@router.post("/drafts")
async def post_draft(body: Draft, company: CompanyDep, say: SayDep, cause: CauseDep) -> dict[str, Any]:
    """Keep a text that a person edited for one action; dunning is told its ``draft_id`` when it is confirmed.

    Answers 422 with the problems of its tags.
    """
    check(body.subject, body.body)
    draft_id = uuid4()
    await say.tx.execute(
        ADD_DRAFT,
        {"company": company, "draft_id": draft_id, **body.model_dump(), "written_by": cause.actor},
    )
    return {"draft_id": draft_id}
