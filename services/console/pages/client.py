"""A client: what is owed, who to talk to, what was done, what comes next, and the commands on it."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from chassis.database import transaction
from services.console.accounts import names_of_members
from services.console.formatting import amount_written, day_written
from services.console.gateway import Json, Neighbours, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, NotAllowed, PageUnknown, Visit, VisitDep

router = APIRouter()
TABS = ("statement", "history", "why")
DONE = {
    "stop-client": N_("Les relances de ce client sont stoppées."),
    "resume-client": N_("Ce client peut de nouveau être relancé."),
    "stop-entry": N_("Les relances de cette pièce sont stoppées."),
    "resume-entry": N_("Cette pièce peut de nouveau être relancée."),
    "record-promise": N_("La promesse est notée."),
    "cancel-promise": N_("La promesse est annulée."),
    "add-note": N_("La note est ajoutée."),
    "assign-profile": N_("Le profil du client est changé."),
}

ClientId = Annotated[str, Form(min_length=1, max_length=64)]
EntryId = Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True)
class Asked:
    """What the address of a client page says."""

    client_id: str
    tab: str = "statement"
    entry: str = ""
    lettered: bool = True
    statement_on: date | None = None


@router.get("/c/{company}/client")
async def client(
    request: Request,
    visit: VisitDep,
    client_id: Annotated[str, Query(min_length=1, max_length=64)],
    tab: str = "statement",
    entry: str = "",
    lettered: bool = True,
    statement_on: str = "",
    after: str = "",
    done: str = "",
    refused: str = "",
) -> Response:
    neighbours = visit.neighbours(at_least=after)
    asked = Asked(
        client_id,
        tab if tab in TABS else "statement",
        entry,
        lettered,
        day_written(statement_on) if statement_on else None,
    )
    try:
        found, person, options, why = await asyncio.gather(
            neighbours.get(
                "reporting",
                "/client",
                client_id=client_id,
                as_of=visit.as_of.isoformat(),
                statement_on=asked.statement_on.isoformat() if asked.statement_on else None,
            ),
            _person(neighbours, client_id),
            neighbours.get("reporting", "/options"),
            _why(neighbours, visit, asked),
        )
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    async with transaction(visit.console.engine) as tx:
        actors = await names_of_members(tx, visit.company)
    return page(
        request,
        visit,
        "client.html",
        client=found,
        person=person,
        asked=asked,
        profiles=options["profiles"],
        actors=actors,
        why=why,
        pieces={line["entry_id"]: line for line in found["statement"]["entries"]},
        notice=_notice(visit, done, refused),
        updating=neighbours.updating,
    )


async def _person(neighbours: Neighbours, client_id: str) -> Json:
    """Contact, notes and labels; empty where ledger has not been told of this client."""
    try:
        found: Json = await neighbours.get("ledger", "/client", client_id=client_id)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        found = {}
    return {
        "emails": [],
        "phones": [],
        "address": None,
        "contact_name": None,
        "notes": [],
        "labels": {},
        "promises": [],
        **found,
    }


async def _why(neighbours: Neighbours, visit: Visit, asked: Asked) -> Json | None:
    """Dunning's explanation of every open entry; only for its own tab."""
    if asked.tab != "why":
        return None
    found: Json = await neighbours.get("dunning", "/explain", client_id=asked.client_id, language=visit.language)
    return found


def _notice(visit: Visit, done: str, refused: str) -> dict[str, str] | None:
    if refused:
        return {"tone": "stop", "text": visit.vocabulary.refusal(refused)}
    if done in DONE:
        return {"tone": "ok", "text": visit.words.gettext(DONE[done])}
    return None


async def _command(
    visit: Visit, client_id: str, command: str, body: Json, *, tab: str = "", entry: str = ""
) -> Response:
    """Give ledger a command and go back to the client, whatever the answer."""
    neighbours = visit.neighbours()
    try:
        await neighbours.post("ledger", f"/{command}", body)
        outcome: dict[str, Any] = {"done": command, "after": neighbours.at_least}
    except Refused as refusal:
        outcome = {"refused": refusal.code}
    address = visit.url("client", client_id=client_id, tab=tab, entry=entry, **outcome)
    return RedirectResponse(address, status_code=303)


@router.post("/c/{company}/client/stop-client")
async def stop_client(visit: ActingDep, client_id: ClientId) -> Response:
    return await _command(visit, client_id, "stop-client", {"client_id": client_id})


@router.post("/c/{company}/client/resume-client")
async def resume_client(visit: ActingDep, client_id: ClientId) -> Response:
    return await _command(visit, client_id, "resume-client", {"client_id": client_id})


@router.post("/c/{company}/client/stop-entry")
async def stop_entry(visit: ActingDep, client_id: ClientId, entry_id: EntryId) -> Response:
    return await _command(visit, client_id, "stop-entry", {"client_id": client_id, "entry_id": entry_id})


@router.post("/c/{company}/client/resume-entry")
async def resume_entry(visit: ActingDep, client_id: ClientId, entry_id: EntryId) -> Response:
    return await _command(visit, client_id, "resume-entry", {"client_id": client_id, "entry_id": entry_id})


@router.post("/c/{company}/client/record-promise")
async def record_promise(
    visit: ActingDep,
    client_id: ClientId,
    entry_id: EntryId,
    amount: Annotated[str, Form(max_length=30)] = "",
    promised_on: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    promised, day = amount_written(amount), day_written(promised_on)
    if promised is None or day is None:
        address = visit.url("client", client_id=client_id, entry=entry_id, refused="unreadable")
        return RedirectResponse(address, status_code=303)
    body = {
        "client_id": client_id,
        "entry_id": entry_id,
        "amount": format(promised, "f"),
        "promised_on": day.isoformat(),
    }
    return await _command(visit, client_id, "record-promise", body, entry=entry_id)


@router.post("/c/{company}/client/cancel-promise")
async def cancel_promise(
    visit: ActingDep, client_id: ClientId, promise_id: Annotated[str, Form(max_length=36)]
) -> Response:
    return await _command(visit, client_id, "cancel-promise", {"promise_id": promise_id})


@router.post("/c/{company}/client/add-note")
async def add_note(
    visit: ActingDep,
    client_id: ClientId,
    text: Annotated[str, Form(max_length=4000)] = "",
    entry_id: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    body: Json = {"client_id": client_id, "text": text.strip()}
    if entry_id:
        body["entry_id"] = entry_id
    return await _command(visit, client_id, "add-note", body, entry=entry_id)


@router.post("/c/{company}/client/assign-profile")
async def assign_profile(
    visit: ActingDep, client_id: ClientId, profile: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    if not visit.is_at_least("admin"):
        raise NotAllowed
    return await _command(visit, client_id, "assign-profile", {"client_id": client_id, "profile": profile or None})
