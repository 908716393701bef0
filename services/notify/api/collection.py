"""The collection file of a client (rules 8.11, 19.7)."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from chassis import clock
from chassis.auth import Caller
from chassis.http import AsOfDep, CallerDep, CompanyDep, RunningDep, TxDep, requires
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.problems import Problem
from chassis.running import Running
from chassis.zips import in_parts
from contracts.event import ClientId
from services.notify.api.bodies import Body
from services.notify.archive.archivist import Archivist
from services.notify.collection.gathering import Dossier, gather
from services.notify.collection.packing import Packing, plain
from services.notify.collection.wording import FILES

router = APIRouter(prefix="/companies/{company}")

ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


class Wanted(Body):
    """``stop``: the client and its open entries are not reminded of from then on (rule 8.11)."""

    client_id: ClientId
    language: Literal["fr", "en"] = "fr"
    stop: bool = True


@router.post("/collection-file", dependencies=[requires("user")], responses=ZIP, response_class=StreamingResponse)
async def post_collection_file(  # noqa: PLR0913, PLR0917 - what a command may need
    body: Wanted, company: CompanyDep, as_of: AsOfDep, tx: TxDep, process: RunningDep, who: CallerDep
) -> StreamingResponse:
    """One ZIP: an index in PDF, the account as XLSX, the documents of the open invoices, every message and letter
    as it left (e-mails as they are and as PDF), the records of the legal archive, and the digest of each file.

    Stops the client and its open entries unless ``stop`` is false, once the file is whole; ``Relance-Positions``
    then says where those events stand. 404 for an unknown client, 503 while a service that holds a part does not
    answer: there is no half file.
    """
    await Archivist(process).catch_up()
    try:
        dossier = await gather(tx, process, who, company, body.client_id, as_of, clock.now())
        file = await Packing(tx, process, who, dossier, body.language).pack()
        positions = await _stop(process, who, dossier) if body.stop else []
    except NeighbourRefused as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            raise Problem("client-unknown", "There is no such client", 404, client_id=body.client_id) from refused
        if refused.status == HTTPStatus.FORBIDDEN:
            raise Problem("role-insufficient", "The account is not for this caller", 403) from refused
        raise _silent(refused) from refused
    except NeighbourUnreachable as silent:
        raise _silent(silent) from silent
    name = f"{FILES[body.language]['zip']}-{plain(body.client_id)}-{as_of}.zip"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "Relance-Positions": ",".join(positions),
    }
    return StreamingResponse(in_parts(file), media_type="application/zip", headers=headers)


def _silent(why: Exception) -> Problem:
    return Problem("part-missing", "A part of the file cannot be had now", 503, str(why))


async def _stop(process: Running, who: Caller, dossier: Dossier) -> list[str]:
    """In the caller's name. What stands already is said again and changes nothing."""
    ledger = process.neighbour("ledger")
    asked: dict[str, Any] = {"company": dossier.company, "caller": who}
    if process.settings.allow_as_of:
        asked["as_of"] = dossier.as_of
    positions: list[str] = []
    commands = [("/stop-client", {"client_id": dossier.client_id})]
    commands += [
        ("/stop-entry", {"client_id": dossier.client_id, "entry_id": entry["entry_id"]})
        for entry in dossier.open_entries
        if entry["stopped_on"] is None and Decimal(entry["debit"]) > 0
    ]
    for path, command in commands:
        positions += (await ledger.post(path, json=command, **asked))["positions"]
    return positions
