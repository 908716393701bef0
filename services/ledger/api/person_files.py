"""The files that ledger keeps of the person behind a client, as one ZIP. Administrators alone."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import text

from chassis.http import CompanyDep, TxDep, requires
from chassis.zips import Zipping, bare, in_parts
from contracts.event import ClientId
from services.ledger.codes import codes_of_client
from services.ledger.documents import keeping
from services.ledger.domain.refusals import UnknownClient

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin")])

KNOWN = text("select client_id from client where company = :company and client_id = :client_id")
SENT = text(
    "select file_id, file_name from dispute_file where company = :company and client_id = any(:client_ids)"
    " order by kept_at, file_id"
)
SENT_CONTENT = text("select content from dispute_file where company = :company and file_id = :file_id")


@router.get("/person-files")
async def get_person_files(client_id: Annotated[ClientId, Query()], company: CompanyDep, tx: TxDep) -> Response:
    """``disputes/``: what the debtor sent with its disputes; ``documents/``: the documents of its entries; each
    under the id by which ``/person-data`` names it. Under all codes that are this client."""
    if (await tx.execute(KNOWN, {"company": company, "client_id": client_id})).one_or_none() is None:
        raise UnknownClient(client_id)
    codes = await codes_of_client(tx, company, client_id)
    async with Zipping() as made:
        for sent in (await tx.execute(SENT, {"company": company, "client_ids": codes})).all():
            content = await tx.scalar(SENT_CONTENT, {"company": company, "file_id": sent.file_id})
            await made.add(f"disputes/{sent.file_id}/{bare(sent.file_name)}", content)
        for one in await keeping.shown(tx, company, codes):
            asked = {"company": company, "document_id": one["document_id"]}
            found = (await tx.execute(keeping.FILE, asked)).one()
            await made.add(f"documents/{one['document_id']}/{bare(one['file_name'])}", found.content)
    headers = {"Content-Disposition": 'attachment; filename="ledger.zip"', "Cache-Control": "private, no-store"}
    return StreamingResponse(in_parts(made.file), media_type="application/zip", headers=headers)
