"""What notify keeps of the person behind a client: messages as sent, drafts, comments. Administrators alone."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import text

from chassis.http import CompanyDep, TxDep, requires
from contracts.event import ClientId
from services.notify import messages

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin")])

PERSON = text("select body from person where company = :company and client_id = :client_id")
MESSAGES = text(
    "select action_id, message_id, recipients, subject, raw, composed_at, answer from message"
    " where company = :company and client_id = :client_id order by composed_at, action_id"
)
DRAFTS = text(
    "select draft.draft_id, draft.subject, draft.body, written_by, written_at from draft"
    " join action using (company, action_id)"
    " where company = :company and client_id = :client_id order by written_at, draft.draft_id"
)
COMMENTS = text(
    "select action_id, comment, written_by, written_at from task_comment"
    " where company = :company and client_id = :client_id order by written_at, action_id"
)

ClientQuery = Annotated[ClientId, Query()]


@router.get("/person-data")
async def get_person_data(client_id: ClientQuery, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Empty lists where nothing is kept; each message with its text as it left."""
    of_client = {"company": company, "client_id": client_id}
    person = await tx.scalar(PERSON, of_client)
    sent = []
    for row in await tx.execute(MESSAGES, of_client):
        told = dict(row._mapping)
        raw = told.pop("raw")
        sent.append({**told, "text": messages.read(bytes(raw)).text if raw is not None else None})
    return {
        "client_id": client_id,
        "person": person,
        "messages": sent,
        "drafts": [dict(row._mapping) for row in await tx.execute(DRAFTS, of_client)],
        "comments": [dict(row._mapping) for row in await tx.execute(COMMENTS, of_client)],
    }
