"""Files that people hand over for their messages (rule 9.1)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import text

from chassis.http import CompanyDep, TxDep, requires
from chassis.problems import Problem
from services.notify.attachments import MOST_BYTES, keep

router = APIRouter(prefix="/companies/{company}")

MEDIA_TYPE = r"^[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}$"
UNUSED = text(
    """
    delete from attachment
    where company = :company and kept_at < now() - interval '7 days'
        and not exists (select from message, jsonb_array_elements(message.files) file
            where message.company = :company and file ->> 'sha256' = attachment.sha256)
        and not exists (select from draft, jsonb_array_elements(draft.files) file
            where draft.company = :company and file ->> 'sha256' = attachment.sha256)
    """
)
"""Files of messages that were never finished."""

FileName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
MediaType = Annotated[str, Field(pattern=MEDIA_TYPE)]


@router.post("/attachments", dependencies=[requires("user")])
async def post_attachment(
    request: Request,
    company: CompanyDep,
    tx: TxDep,
    media_type: Annotated[MediaType, Query()] = "application/octet-stream",
) -> dict[str, Any]:
    """Keep a file, the body of the request, for messages to carry; the same content again is the same file.

    Answers 413 over 15 MB, 422 for a file without content.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BYTES:
            raise Problem("attachments-too-large", "Files of a message have 15 MB together", 413)
    if not content:
        raise Problem("attachment-empty", "The file is empty", 422)
    await tx.execute(UNUSED, {"company": company})
    digest = await keep(tx, company, bytes(content), media_type)
    return {"sha256": digest, "bytes": len(content), "media_type": media_type}
