"""What a debtor reads and answers by itself, through a link that notify made (rules 10.9, 11.4, 13.8).

The client is the one that the token names; nothing here takes a client from the request. Users read what debtors
sent at ``/dispute-files``.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.http import AsOfDep, CompanyDep, DebtorDep, RunningDep, TxDep, accepted, for_debtors
from chassis.problems import Problem
from chassis.running import Running
from contracts.event import EntryId
from contracts.terms import LETTERING_TOLERANCE, days_late
from services.ledger import queries
from services.ledger.api.stating import Body, StatingDep
from services.ledger.documents import keeping
from services.ledger.domain import AddNote, Command, OpenDispute, RecordPromise
from services.ledger.domain.refusals import UnknownClient, UnknownCompany, UnknownDocument
from services.ledger.settings import LedgerSettings

router = APIRouter(prefix="/companies/{company}")

ACTOR = "debtor"
MEGABYTE = 1 << 20
LARGEST_FILE_MB = 5
KINDS = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""What a file begins with, and what it then is; nothing else is taken."""

CLIENT = text(
    """
    select coalesce(person.name, client_id) as name, client.language, company.name as company_name,
        company.currency, company.time_zone
    from client left join person using (company, client_id) join company using (company)
    where company = :company and client_id = :client_id
    """
)
ENTRIES = text(
    """
    with line as (
        select e.*, coalesce(sum(book_amount) over (partition by account, lettering), 0) as difference
        from entry e
        where company = :company and client_id = :client_id and not removed
    )
    select entry_id, kind, piece, entry_date, invoice_date, due_date, debit - credit as amount, currency, label,
        lettering is not null as being_checked,
        (select max(promised_on) from promise known where known.company = :company
            and known.client_id = :client_id and known.entry_id = line.entry_id and known.state = 'open'
            and known.promised_on >= :as_of) as promised_on,
        exists (select from dispute known where known.company = :company and known.client_id = :client_id
            and known.entry_id = line.entry_id and known.closed_on is null) as disputed
    from line left join entry_label using (company, entry_id)
    where lettering is null or abs(difference) > :tolerance
    order by due_date, entry_id
    """
)
ACCOUNT_DISPUTED = text(
    "select exists (select from dispute where company = :company and client_id = :client_id and entry_id is null"
    " and closed_on is null)"
)
ANSWERS = text(
    """
    select (select count(*) from promise where company = :company and client_id = :client_id
            and recorded_by = :actor and recorded_on = :as_of)
        + (select count(*) from dispute where company = :company and client_id = :client_id
            and opened_by = :actor and opened_on = :as_of)
    """
)
KEEP_FILE = text(
    """
    insert into dispute_file (company, file_id, client_id, dispute_id, file_name, media_type, content)
    values (:company, :file_id, :client_id, :dispute_id, :file_name, :media_type, :content)
    """
)
FILE = text(
    "select file_name, media_type, content from dispute_file where company = :company and file_id = :file_id"
)


class Promised(Body):
    """One day for some entries, each whole."""

    entry_ids: list[EntryId] = Field(min_length=1, max_length=100)
    promised_on: date


class Sent(Body):
    """``content`` is Base64."""

    name: str = Field(min_length=1, max_length=200)
    content: str = Field(max_length=LARGEST_FILE_MB * MEGABYTE * 4 // 3 + 4)


class Disputed(Body):
    """Without ``entry_id`` the whole account."""

    entry_id: EntryId | None = None
    reason: str = Field(min_length=1, max_length=100)
    message: Annotated[str, Field(max_length=2000)] = ""
    file: Sent | None = None


def _knobs(process: Running) -> LedgerSettings:
    settings = process.settings
    assert isinstance(settings, LedgerSettings)
    return settings


@router.get("/debtor/statement")
@for_debtors
async def statement(
    client_id: DebtorDep, company: CompanyDep, tx: TxDep, as_of: AsOfDep, process: RunningDep
) -> dict[str, Any]:
    """What is open, by due date, and what may be answered. Nothing that the company only tells itself.

    An entry ``being_checked`` carries a lettering code that does not come out even: perhaps it is paid (rule 2.8).
    """
    of_client = {"company": company, "client_id": client_id}
    client = (await tx.execute(CLIENT, of_client)).one_or_none()
    if client is None:
        raise UnknownClient(client_id)
    settings = await queries.company_settings(tx, company)
    if settings is None:
        raise UnknownCompany(company)
    documents = await keeping.by_entry(tx, company, client_id=client_id)
    rows = await tx.execute(ENTRIES, of_client | {"as_of": as_of, "tolerance": LETTERING_TOLERANCE})
    return {
        "client_id": client_id,
        **client._mapping,
        "as_of": as_of,
        "last_promise_on": as_of + timedelta(days=_knobs(process).debtor_promise_days),
        "dispute_reasons": settings.dispute_reasons,
        "account_disputed": await tx.scalar(ACCOUNT_DISPUTED, of_client),
        "entries": [
            {
                **row._mapping,
                "amount": format(row.amount, "f"),
                "days_late": days_late(row.due_date, as_of),
                "documents": [
                    {name: one[name] for name in ("document_id", "file_name", "bytes")}
                    for one in documents.get(row.entry_id, [])
                ],
            }
            for row in rows
        ],
    }


@router.get("/debtor/documents/{document_id}")
@for_debtors
async def document(document_id: UUID, client_id: DebtorDep, company: CompanyDep, tx: TxDep) -> Response:
    """The PDF of an entry of this client; of any other there is none."""
    found = (await tx.execute(keeping.FILE, {"company": company, "document_id": document_id})).one_or_none()
    if found is None or found.client_id != client_id:
        raise UnknownDocument(document_id)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.file_name, safe='')}"}
    return Response(found.content, media_type="application/pdf", headers=headers)


@router.post("/debtor/promise")
@for_debtors
async def promise(
    body: Promised, client_id: DebtorDep, stating: StatingDep, process: RunningDep
) -> dict[str, Any]:
    """The debtor says when it pays; all entries or none (rule 10.9). Answers ``promise_ids``."""
    knobs = _knobs(process)
    entry_ids = list(dict.fromkeys(body.entry_ids))
    last = stating.as_of + timedelta(days=knobs.debtor_promise_days)
    facts = [RecordPromise(uuid4(), entry_id, None, body.promised_on, last) for entry_id in entry_ids]
    positions = await stating.state(client_id, *facts, entry_ids=entry_ids)
    await _not_too_many(stating.tx, stating.company, client_id, stating.as_of, knobs)
    return accepted(positions, promise_ids=[str(fact.promise_id) for fact in facts])


@router.post("/debtor/dispute")
@for_debtors
async def dispute(
    body: Disputed, client_id: DebtorDep, stating: StatingDep, process: RunningDep
) -> dict[str, Any]:
    """The debtor contests an entry or its account, with words and a file (rule 11.4). Answers ``dispute_id``."""
    company, tx = stating.company, stating.tx
    settings = await queries.company_settings(tx, company)
    if settings is None:
        raise UnknownCompany(company)
    dispute_id = uuid4()
    facts: list[Command] = [OpenDispute(dispute_id, body.reason, body.entry_id, settings.dispute_reasons)]
    if body.message.strip():
        note_id = uuid4()
        facts.append(AddNote(note_id, body.entry_id))
        await stating.keep_text(note_id, body.message.strip())
    positions = await stating.state(client_id, *facts, entry_ids=[body.entry_id] if body.entry_id else [])
    if body.file is not None:
        media_type, content = _read(body.file)
        kept = {
            "company": company,
            "file_id": uuid4(),
            "client_id": client_id,
            "dispute_id": dispute_id,
            "file_name": body.file.name,
            "media_type": media_type,
            "content": content,
        }
        await tx.execute(KEEP_FILE, kept)
    await _not_too_many(tx, company, client_id, stating.as_of, _knobs(process))
    return accepted(positions, dispute_id=str(dispute_id))


async def _not_too_many(
    tx: AsyncConnection, company: str, client_id: str, as_of: date, knobs: LedgerSettings
) -> None:
    """Counted after the client is locked and with what was said just now: two at once do not pass together."""
    asked = {"company": company, "client_id": client_id, "as_of": as_of, "actor": ACTOR}
    if (await tx.scalar(ANSWERS, asked) or 0) > knobs.debtor_answers_per_day:
        most = knobs.debtor_answers_per_day
        raise Problem("too-many-answers", "There were many answers today", 429, most_per_day=most)


def _read(sent: Sent) -> tuple[str, bytes]:
    """What a file is by its first bytes, whatever it is called. Answers 413 and 422 for what is not taken."""
    try:
        content = b64decode(sent.content, validate=True)
    except NotBase64 as unreadable:
        raise Problem("file-unreadable", "The file is no Base64", 422) from unreadable
    if len(content) > LARGEST_FILE_MB * MEGABYTE:
        raise Problem("file-too-large", "The file is too large", 413, most_bytes=LARGEST_FILE_MB * MEGABYTE)
    for start, media_type in KINDS.items():
        if content.startswith(start):
            return media_type, content
    raise Problem("file-kind-unknown", "Only PDF, PNG and JPEG files are taken", 422)


@router.get("/dispute-files/{file_id}")
async def dispute_file(file_id: UUID, company: CompanyDep, tx: TxDep) -> Response:
    """What a debtor sent with a dispute, for users; always downloaded, never shown in a page of ours."""
    found = (await tx.execute(FILE, {"company": company, "file_id": file_id})).one_or_none()
    if found is None:
        raise Problem("file-unknown", "There is no such file", 404)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.file_name, safe='')}"}
    return Response(found.content, media_type=found.media_type, headers=headers)
