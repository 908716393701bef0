"""What a debtor sees and sends: the statement, its documents, a promise, a dispute."""

import asyncio
from base64 import b64encode
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from services.console.door.debtor import Debtor, DebtorDep
from services.console.door.shown import shown
from services.console.formatting import as_decimal, day_written
from services.console.gateway import Json, Refused

router = APIRouter()

ENTRY = r"^[0-9a-f]{32}$"
LARGEST_FILE = 5 << 20
EntryIds = Annotated[list[Annotated[str, Form(pattern=ENTRY)]], Form(max_length=100, default_factory=list)]
REFUSED_PROMISES = {
    "promise-in-the-past",
    "promise-too-far",
    "entry-already-promised",
    "entry-already-lettered",
    "entry-is-acredit",
    "entry-is-a-credit",
    "too-many-answers",
}
REFUSED_PAYMENTS = {
    "entry-settled",
    "entry-paid",
    "nothing-to-pay",
    "several-currencies",
    "below-minimum",
    "above-maximum",
    "payment-not-offered",
}
REFUSED_DISPUTES = {
    "dispute-already-open",
    "entry-already-lettered",
    "file-too-large",
    "file-kind-unknown",
    "too-many-answers",
}


@router.get("/{link}")
async def statement(
    request: Request,
    debtor: DebtorDep,
    done: Annotated[str, Query(max_length=30)] = "",
    refused: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """What is open, and what may be done about it."""
    found, payments = await asyncio.gather(debtor.statement(), debtor.payments())
    return shown(
        request,
        "space.html",
        language_of(debtor, found),
        debtor=debtor,
        found=found,
        payments=payments,
        totals=totals([one for one in found["entries"] if one["entry_id"] not in payments["paid"]]),
        done=done,
        refused=refused,
    )


@router.get("/{link}/documents/{document_id}")
async def document(debtor: DebtorDep, document_id: UUID) -> Response:
    """A PDF, handed on; of another client's there is none."""
    answer = await debtor.request("ledger", "GET", f"/documents/{document_id}")
    headers = {"Content-Disposition": answer.headers["content-disposition"]}
    return Response(answer.content, media_type="application/pdf", headers=headers)


@router.post("/{link}/promise")
async def promise(
    debtor: DebtorDep, entry_ids: EntryIds, promised_on: Annotated[str, Form(max_length=10)] = ""
) -> Response:
    """One day for the lines that were ticked."""
    day = day_written(promised_on)
    if not entry_ids or day is None:
        return back(debtor, refused="nothing-ticked" if day else "day-missing")
    wanted = {"entry_ids": entry_ids, "promised_on": day.isoformat()}
    return await _command(debtor, "/promise", wanted, "promise", REFUSED_PROMISES)


@router.post("/{link}/pay")
async def pay(request: Request, debtor: DebtorDep, entry_ids: EntryIds) -> Response:
    """What the lines that were ticked come to, and the way to the provider's page."""
    if not entry_ids:
        return back(debtor, refused="nothing-ticked")
    found = await debtor.statement()
    language = language_of(debtor, found)
    pieces = [one["piece"] for one in found["entries"] if one["entry_id"] in entry_ids and one["piece"]]
    title = f"{found['company_name']} : {', '.join(pieces)}"[:200]
    wanted = {"entry_ids": entry_ids, "title": title, "link": debtor.link, "language": language}
    try:
        page = (await debtor.request("notify", "POST", "/pay", json=wanted)).json()
    except Refused as refused:
        if refused.code in REFUSED_PAYMENTS:
            return back(debtor, refused=refused.code)
        raise
    return shown(request, "space_pay.html", language, debtor=debtor, found=found, page=page, pieces=pieces)


@router.get("/{link}/dispute")
async def dispute_form(
    request: Request, debtor: DebtorDep, entry_id: Annotated[str | None, Query(pattern=ENTRY)] = None
) -> Response:
    """The form to contest a line, or the account."""
    found = await debtor.statement()
    entry = next((one for one in found["entries"] if one["entry_id"] == entry_id), None)
    language = language_of(debtor, found)
    return shown(request, "space_dispute.html", language, debtor=debtor, found=found, entry=entry)


@router.post("/{link}/dispute")
async def dispute(
    debtor: DebtorDep,
    reason: Annotated[str, Form(min_length=1, max_length=100)],
    entry_id: Annotated[str, Form(pattern=r"^([0-9a-f]{32})?$")] = "",
    message: Annotated[str, Form(max_length=2000)] = "",
    file: UploadFile | None = None,
) -> Response:
    """Contest a line, or the account, in words and with a file."""
    wanted: dict[str, Any] = {"entry_id": entry_id or None, "reason": reason, "message": message}
    if file is not None and file.size:
        if file.size > LARGEST_FILE:
            return back(debtor, refused="file-too-large")
        name = (file.filename or "").replace("\\", "/").rpartition("/")[2].strip()[-200:]
        wanted["file"] = {"name": name or "document", "content": b64encode(await file.read()).decode()}
    return await _command(debtor, "/dispute", wanted, "dispute", REFUSED_DISPUTES)


async def _command(debtor: Debtor, path: str, wanted: Json, done: str, refusals: set[str]) -> Response:
    try:
        await debtor.request("ledger", "POST", path, json=wanted)
    except Refused as refused:
        if refused.code in refusals:
            return back(debtor, refused=refused.code)
        raise
    return back(debtor, done=done)


def back(debtor: Debtor, **told: str) -> Response:
    """To the statement, which tells what happened."""
    asked = {**told, **({"lang": debtor.asked_language} if debtor.asked_language else {})}
    return RedirectResponse(f"{debtor.address()}?{urlencode(asked)}", status_code=303)


def language_of(debtor: Debtor, found: Json) -> str:
    """The one that was asked for, else the client's own."""
    chosen = debtor.asked_language or found["language"]
    return chosen if chosen in ("fr", "en") else "en"


def totals(entries: list[Json]) -> list[Json]:
    """By currency what is overdue, upcoming and due, net of credits (rules 1.3, 1.4)."""
    found: dict[str, Json] = {}
    for entry in entries:
        sums = found.setdefault(
            entry["currency"], {"currency": entry["currency"], "overdue": Decimal(0), "upcoming": Decimal(0)}
        )
        sums["overdue" if entry["days_late"] > 0 else "upcoming"] += as_decimal(entry["amount"])
    return [{**sums, "due": sums["overdue"] + sums["upcoming"]} for _, sums in sorted(found.items())]
