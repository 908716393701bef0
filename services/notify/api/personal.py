"""What notify keeps of the person behind a client: messages and letters as sent, drafts, comments.

Administrators alone.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import text

from chassis.http import CompanyDep, TxDep, requires
from contracts.event import ClientId
from services.notify import messages
from services.notify.archive.reading import CODES
from services.notify.letters.bundle import text_of

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin")])

PEOPLE = text("select client_id, body from person where company = :company and client_id = any(:client_ids)")
MESSAGES = text(
    "select action_id, message_id, recipients, subject, raw, files, composed_at, answer from message"
    " where company = :company and client_id = any(:client_ids) order by composed_at, action_id"
)
LETTERS = text(
    "select action_id, subject, address, pages, sha256, pdf, registered_number, written_on from letter"
    " where company = :company and client_id = any(:client_ids) order by written_on, action_id"
)
DRAFTS = text(
    "select d.draft_id, d.subject, d.body, d.recipients, d.copies, d.address, d.files, d.written_by, d.written_at"
    " from draft d left join action a using (company, action_id)"
    " where d.company = :company and coalesce(d.client_id, a.client_id) = any(:client_ids)"
    " order by d.written_at, d.draft_id"
)
COMMENTS = text(
    "select action_id, comment, written_by, written_at from task_comment"
    " where company = :company and client_id = any(:client_ids) order by written_at, action_id"
)

REPORTS = text(
    "select action_id, kind, reason, status, address, text, read_at from report"
    " where company = :company and client_id = any(:client_ids) order by read_at, digest, n"
)

CONSENTS = text(
    "select email, given_by, given_at from opens_consent"
    " where company = :company and client_id = any(:client_ids) order by given_at, email"
)

ARCHIVED = text(
    "select a.n, a.kind, a.action_id, person.body from archive a join archive_person person using (company, n)"
    " where a.company = :company and a.client_id = any(:client_ids) order by a.n"
)

ClientQuery = Annotated[ClientId, Query()]


@router.get("/person-data")
async def get_person_data(client_id: ClientQuery, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Empty lists where nothing is kept; each message and letter with its text as it left, messages and drafts
    with the names of their files, whose contents ``/person-files`` holds; ``archive`` is what the legal archive
    tells of the person.

    Under all codes that are this client (``client_ids``); ``person`` is that of the code asked for, ``people``
    those of all codes.
    """
    codes = list(await tx.scalars(CODES, {"company": company, "client_id": client_id}))
    of_codes = {"company": company, "client_ids": codes}
    people = {row.client_id: row.body for row in await tx.execute(PEOPLE, of_codes)}
    sent = []
    for row in await tx.execute(MESSAGES, of_codes):
        told = dict(row._mapping)
        raw = told.pop("raw")
        sent.append({**told, "text": messages.read(bytes(raw)).text if raw is not None else None})
    letters = []
    for row in await tx.execute(LETTERS, of_codes):
        printed = dict(row._mapping)
        pdf = printed.pop("pdf")
        letters.append({**printed, "text": text_of(bytes(pdf)) if pdf is not None else None})
    return {
        "client_id": client_id,
        "client_ids": codes,
        "person": people.get(client_id),
        "people": [people[code] for code in codes if code in people],
        "messages": sent,
        "letters": letters,
        "drafts": [dict(row._mapping) for row in await tx.execute(DRAFTS, of_codes)],
        "reports": [dict(row._mapping) for row in await tx.execute(REPORTS, of_codes)],
        "opens_consents": [dict(row._mapping) for row in await tx.execute(CONSENTS, of_codes)],
        "archive": [dict(row._mapping) for row in await tx.execute(ARCHIVED, of_codes)],
        "comments": [dict(row._mapping) for row in await tx.execute(COMMENTS, of_codes)],
    }
