"""What people state about a client, from its page: forms that become ledger's commands."""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from chassis.database import transaction
from services.console.accounts import names_of_members
from services.console.formatting import amount_written, day_written
from services.console.gateway import Json, Refused
from services.console.pages.fields import CLIENT_FIELDS
from services.console.visits import ActingDep, Visit

router = APIRouter(prefix="/c/{company}/client")

MENTION = re.compile(r"@([\w’'-]+(?: [\w’'-]+)?)")
CENT = Decimal("0.01")

ClientId = Annotated[str, Form(min_length=1, max_length=64)]
EntryId = Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")]
MaybeEntryId = Annotated[str, Form(pattern=r"^([0-9a-f]{32})?$")]
Id = Annotated[str, Form(max_length=36)]
Day = Annotated[str, Form(max_length=10)]
Line = Annotated[str, Form(max_length=500)]
Words = Annotated[str, Form(max_length=4000)]
Ticked = Annotated[bool, Form()]


def instalments(amount: Decimal, first_on: date, times: int) -> list[tuple[Decimal, date]]:
    """An amount in equal parts, one a month from ``first_on``; the first takes the cents that are left."""
    part = (amount / times).quantize(CENT, ROUND_DOWN)
    parts = [amount - part * (times - 1)] + [part] * (times - 1)
    return [(one, _months_later(first_on, n)) for n, one in enumerate(parts)]


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def mentioned(text: str, members: Mapping[str, str]) -> list[str]:
    """The members that a note calls on: ``@`` and a full name, or one part of it that no other member has."""
    called: dict[str, set[str]] = {}
    for account, name in members.items():
        for word in {name.casefold(), *name.casefold().split()}:
            called.setdefault(word, set()).add(account)
    found: list[str] = []
    for match in MENTION.finditer(text):
        words = match[1].casefold()
        for tried in (words, words.split()[0]):
            accounts = called.get(tried, set())
            if len(accounts) == 1:
                found += [f"user:{account}" for account in accounts]
                break
    return list(dict.fromkeys(found))


async def _command(
    visit: Visit, client_id: str, command: str, body: Json, *, entry: str = "", method: str = "POST"
) -> Response:
    """Give ledger a command and go back to the client, whatever the answer."""
    neighbours = visit.neighbours()
    try:
        await neighbours.command("ledger", method, f"/{command}", body)
        outcome: dict[str, Any] = {"done": command, "after": neighbours.at_least}
    except Refused as refusal:
        outcome = {"refused": refusal.code}
    return _back(visit, client_id, entry=entry, **outcome)


def _back(visit: Visit, client_id: str, **more: Any) -> Response:
    return RedirectResponse(visit.url("client", client_id=client_id, **more), status_code=303)


def _unreadable(visit: Visit, client_id: str, entry: str = "") -> Response:
    return _back(visit, client_id, entry=entry, refused="unreadable")


@router.post("/stop-client")
async def stop_client(visit: ActingDep, client_id: ClientId, resumes_on: Day = "") -> Response:
    return await _stop(visit, "stop-client", {"client_id": client_id}, resumes_on)


@router.post("/stop-entry")
async def stop_entry(visit: ActingDep, client_id: ClientId, entry_id: EntryId, resumes_on: Day = "") -> Response:
    return await _stop(visit, "stop-entry", {"client_id": client_id, "entry_id": entry_id}, resumes_on)


async def _stop(visit: Visit, command: str, body: Json, resumes_on: str) -> Response:
    entry = body.get("entry_id", "")
    if resumes_on.strip():
        day = day_written(resumes_on)
        if day is None:
            return _unreadable(visit, body["client_id"], entry)
        body["resumes_on"] = day.isoformat()
    return await _command(visit, body["client_id"], command, body, entry=entry)


@router.post("/resume-client")
async def resume_client(visit: ActingDep, client_id: ClientId) -> Response:
    return await _command(visit, client_id, "resume-client", {"client_id": client_id})


@router.post("/resume-entry")
async def resume_entry(visit: ActingDep, client_id: ClientId, entry_id: EntryId) -> Response:
    return await _command(visit, client_id, "resume-entry", {"client_id": client_id, "entry_id": entry_id})


@router.post("/record-promise")
async def record_promise(
    visit: ActingDep,
    client_id: ClientId,
    entry_id: EntryId,
    amount: Annotated[str, Form(max_length=30)] = "",
    promised_on: Day = "",
    times: Annotated[int, Form(ge=1, le=24)] = 1,
) -> Response:
    """One promise, or as many instalments, one a month."""
    promised, day = amount_written(amount), day_written(promised_on)
    if promised is None or day is None:
        return _unreadable(visit, client_id, entry_id)
    promises = [
        {"entry_id": entry_id, "amount": format(part, "f"), "promised_on": on.isoformat()}
        for part, on in instalments(promised, day, times)
    ]
    if times == 1:
        one = {"client_id": client_id, **promises[0]}
        return await _command(visit, client_id, "record-promise", one, entry=entry_id)
    all_of_them = {"client_id": client_id, "promises": promises}
    return await _command(visit, client_id, "record-promises", all_of_them, entry=entry_id)


@router.post("/cancel-promise")
async def cancel_promise(visit: ActingDep, client_id: ClientId, promise_id: Id) -> Response:
    return await _command(visit, client_id, "cancel-promise", {"promise_id": promise_id})


@router.post("/open-dispute")
async def open_dispute(
    visit: ActingDep,
    client_id: ClientId,
    reason: Annotated[str, Form(min_length=1, max_length=100)],
    entry_id: MaybeEntryId = "",
    comment: Words = "",
) -> Response:
    body: Json = {"client_id": client_id, "reason": reason, "comment": comment.strip()}
    if entry_id:
        body["entry_id"] = entry_id
    return await _command(visit, client_id, "open-dispute", body, entry=entry_id)


@router.post("/close-dispute")
async def close_dispute(visit: ActingDep, client_id: ClientId, dispute_id: Id) -> Response:
    return await _command(visit, client_id, "close-dispute", {"dispute_id": dispute_id})


@router.post("/flag-client")
async def flag_client(visit: ActingDep, client_id: ClientId) -> Response:
    return await _command(visit, client_id, "flag-client", {"client_id": client_id})


@router.post("/unflag-client")
async def unflag_client(visit: ActingDep, client_id: ClientId) -> Response:
    return await _command(visit, client_id, "unflag-client", {"client_id": client_id})


@router.post("/reposition-entry")
async def reposition_entry(
    visit: ActingDep, client_id: ClientId, entry_id: EntryId, expected_on: Day = ""
) -> Response:
    """Without a day the entry goes back to its due date."""
    day = day_written(expected_on) if expected_on.strip() else None
    if day is None and expected_on.strip():
        return _unreadable(visit, client_id, entry_id)
    body = {"client_id": client_id, "entry_id": entry_id, "expected_on": day.isoformat() if day else None}
    return await _command(visit, client_id, "reposition-entry", body, entry=entry_id)


@router.post("/contact")
async def put_contact(
    visit: ActingDep,
    client_id: ClientId,
    name: Annotated[str, Form(min_length=1, max_length=500)],
    contact_id: Id = "",
    department: Line = "",
    email: Line = "",
    phone: Line = "",
    notices: Ticked = False,
    reminders_from: Annotated[str, Form(pattern=r"^[1-7]?$")] = "",
    thanks: Ticked = False,
    in_copy: Ticked = False,
) -> Response:
    body: Json = {
        "client_id": client_id,
        "name": name,
        "department": department,
        "email": email,
        "phone": phone,
        "notices": notices,
        "reminders_from": int(reminders_from) if reminders_from else None,
        "thanks": thanks,
        "in_copy": in_copy,
    }
    if contact_id:
        body["contact_id"] = contact_id
    return await _command(visit, client_id, "contact", body, method="PUT")


@router.post("/remove-contact")
async def remove_contact(visit: ActingDep, client_id: ClientId, contact_id: Id) -> Response:
    return await _command(visit, client_id, "remove-contact", {"contact_id": contact_id})


@router.post("/clear-address")
async def clear_address(visit: ActingDep, client_id: ClientId, email: Annotated[str, Form()]) -> Response:
    """The address that a mail came back from is right after all."""
    return await _command(visit, client_id, "clear-address", {"email": email})


@router.post("/opens-consent")
async def opens_consent(
    visit: ActingDep, client_id: ClientId, email: Annotated[str, Form()], given: Ticked = False
) -> Response:
    """The owner of an address agrees that opening a message is told, or does not any more."""
    wanted = {"client_id": client_id, "email": email, "given": given}
    try:
        await visit.neighbours().command("notify", "PUT", "/opens-consents", wanted)
    except Refused as refusal:
        return _back(visit, client_id, refused=refusal.code)
    return _back(visit, client_id, done="opens-consent")


@router.post("/client-fields")
async def put_client_fields(request: Request, visit: ActingDep, client_id: ClientId) -> Response:
    """An empty field is given back to the sources."""
    form = await request.form()
    told = {field: str(form[field]).strip()[:500] for field in CLIENT_FIELDS if field in form}
    body: Json = {"client_id": client_id, "fields": {field: value or None for field, value in told.items()}}
    return await _command(visit, client_id, "client-fields", body, method="PUT")


@router.post("/add-note")
async def add_note(
    visit: ActingDep, client_id: ClientId, text: Words = "", entry_id: MaybeEntryId = ""
) -> Response:
    async with transaction(visit.console.engine) as tx:
        members = await names_of_members(tx, visit.company)
    body: Json = {"client_id": client_id, "text": text.strip(), "mentions": mentioned(text, members)}
    if entry_id:
        body["entry_id"] = entry_id
    return await _command(visit, client_id, "add-note", body, entry=entry_id)


@router.post("/merge-clients")
async def merge_clients(visit: ActingDep, client_id: ClientId, old_code: ClientId) -> Response:
    """Another code of accounting was this client (rule 5.9)."""
    visit.only_for("admin")
    body = {"client_id": old_code.strip(), "into": client_id}
    return await _command(visit, client_id, "merge-clients", body)


@router.post("/assign-profile")
async def assign_profile(
    visit: ActingDep, client_id: ClientId, profile: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    visit.only_for("admin")
    return await _command(visit, client_id, "assign-profile", {"client_id": client_id, "profile": profile or None})
