"""The files that notify keeps of the person behind a client, as one ZIP. Administrators alone."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.http import CompanyDep, TxDep, requires
from chassis.zips import Zipping, bare, in_parts
from contracts.event import ClientId
from services.notify.archive.reading import CODES
from services.notify.attachments import AttachmentMissing, files_of, whole
from services.notify.messages import Mail

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin")])

MESSAGES = text(
    "select action_id from message where company = :company and client_id = any(:client_ids)"
    " and raw is not null order by composed_at, action_id"
)
MESSAGE = text(
    "select message_id, recipients, subject, raw, files, cut from message"
    " where company = :company and action_id = :action_id"
)
LETTERS = text(
    "select action_id from letter where company = :company and client_id = any(:client_ids)"
    " and pdf is not null order by written_on, action_id"
)
LETTER = text("select pdf from letter where company = :company and action_id = :action_id")
DRAFTS = text(
    "select d.draft_id, d.files from draft d left join action a using (company, action_id)"
    " where d.company = :company and coalesce(d.client_id, a.client_id) = any(:client_ids)"
    " and d.files is not null order by d.written_at, d.draft_id"
)
CONTENT = text("select content from attachment where company = :company and sha256 = :sha256")


@router.get("/person-files")
async def get_person_files(client_id: Annotated[ClientId, Query()], company: CompanyDep, tx: TxDep) -> Response:
    """``messages/``: each e-mail as it left, and beside it the files that it carried; ``letters/``: each letter as
    printed; ``drafts/``: the files of what is being written. Under all codes that are this client."""
    codes = list(await tx.scalars(CODES, {"company": company, "client_id": client_id}))
    of_codes = {"company": company, "client_ids": codes}
    async with Zipping() as made:
        for action_id in list(await tx.scalars(MESSAGES, of_codes)):
            row = (await tx.execute(MESSAGE, {"company": company, "action_id": action_id})).one()
            await made.add(f"messages/{action_id}.eml", await _as_it_left(tx, company, row))
            await _add_files(tx, company, made, f"messages/{action_id}", row.files)
        for action_id in list(await tx.scalars(LETTERS, of_codes)):
            pdf = await tx.scalar(LETTER, {"company": company, "action_id": action_id})
            await made.add(f"letters/{action_id}.pdf", pdf)
        for draft in (await tx.execute(DRAFTS, of_codes)).all():
            await _add_files(tx, company, made, f"drafts/{draft.draft_id}", draft.files)
    headers = {"Content-Disposition": 'attachment; filename="notify.zip"', "Cache-Control": "private, no-store"}
    return StreamingResponse(in_parts(made.file), media_type="application/zip", headers=headers)


async def _as_it_left(tx: AsyncConnection, company: str, row: Any) -> bytes:
    """With its files, or without those that are not kept any more."""
    raw, files = bytes(row.raw), files_of(row.files)
    if not files:
        return raw
    mail = Mail(row.message_id, "", tuple(row.recipients), row.subject, raw, files, row.cut)
    try:
        return await whole(tx, company, mail)
    except AttachmentMissing:
        return raw


async def _add_files(tx: AsyncConnection, company: str, made: Zipping, folder: str, files: Any) -> None:
    for number, file in enumerate(files_of(files), start=1):
        content = await tx.scalar(CONTENT, {"company": company, "sha256": file.sha256})
        if content is not None:
            await made.add(f"{folder}/{number}-{bare(file.name)}", content)
