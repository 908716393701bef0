"""What people remark about a client: disputes, notes, flags, the day they expect money on."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from pydantic import Field

from chassis.http import accepted
from chassis.scopes import for_keys
from contracts.event import EntryId
from services.ledger import queries
from services.ledger.api.once import OnceDep
from services.ledger.api.stating import Body, OfClient, OfEntry, StatingDep
from services.ledger.domain import AddNote, CloseDispute, Command, FlagClient, OpenDispute, RepositionEntry
from services.ledger.domain.refusals import UnknownCompany, UnknownDispute

router = APIRouter(prefix="/companies/{company}")

Words = Annotated[str, Field(max_length=10_000)]


class Disputed(OfClient):
    """Without ``entry_id`` the whole account. ``comment`` becomes a note beside the dispute."""

    entry_id: EntryId | None = None
    reason: str = Field(min_length=1, max_length=100)
    comment: Words = ""


class OfDispute(Body):
    dispute_id: UUID


class Expected(OfEntry):
    """``null`` gives the entry back to its due date."""

    expected_on: date | None


class Noted(OfClient):
    """``mentions`` are users as events name them (``user:…``)."""

    entry_id: EntryId | None = None
    text: str = Field(min_length=1, max_length=10_000)
    mentions: list[Annotated[str, Field(pattern=r"^user:[^\s]{1,100}$")]] = Field(
        default_factory=list, max_length=50
    )


@router.post("/open-dispute")
@for_keys("write:disputes")
async def open_dispute(body: Disputed, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """The client contests an entry or its account (rule 11.1). Answers ``dispute_id`` too.

    A dispute alone stops no reminder, unless the company's policy says so (rules 8.10, 22.5).
    """

    async def act() -> dict[str, Any]:
        settings = await queries.company_settings(stating.tx, stating.company)
        if settings is None:
            raise UnknownCompany(stating.company)
        dispute_id = uuid4()
        facts: list[Command] = [OpenDispute(dispute_id, body.reason, body.entry_id, settings.dispute_reasons)]
        if body.comment:
            note_id = uuid4()
            facts.append(AddNote(note_id, body.entry_id))
            await stating.keep_text(note_id, body.comment)
        entry_ids = [body.entry_id] if body.entry_id else []
        positions = await stating.state(body.client_id, *facts, entry_ids=entry_ids)
        return accepted(positions, dispute_id=str(dispute_id))

    return await once(act)


@router.post("/close-dispute")
@for_keys("write:disputes")
async def close_dispute(body: OfDispute, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """The dispute is over; it stays in the history."""

    async def act() -> dict[str, Any]:
        client_id = await queries.client_of_dispute(stating.tx, stating.company, body.dispute_id)
        if client_id is None:
            raise UnknownDispute(body.dispute_id)
        return accepted(await stating.state(client_id, CloseDispute(body.dispute_id)))

    return await once(act)


@router.post("/reposition-entry")
async def reposition_entry(body: Expected, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Expect the money of an entry on another day: forecasts move, reminders do not (rule 5.7)."""

    async def act() -> dict[str, Any]:
        fact = RepositionEntry(body.entry_id, body.expected_on)
        return accepted(await stating.state(body.client_id, fact, entry_ids=[body.entry_id]))

    return await once(act)


@router.post("/flag-client")
async def flag_client(body: OfClient, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Follow this client closely: its events stand on the home page (rule 16.6)."""

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, FlagClient()))

    return await once(act)


@router.post("/unflag-client")
async def unflag_client(body: OfClient, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Follow this client closely no longer (rule 16.6)."""

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, FlagClient(flagged=False)))

    return await once(act)


@router.post("/add-note")
async def add_note(body: Noted, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Write a note on a client or one of its entries; its text stays here (rule 15.7). Answers ``note_id`` too."""

    async def act() -> dict[str, Any]:
        note_id = uuid4()
        entry_ids = [body.entry_id] if body.entry_id else []
        await stating.keep_text(note_id, body.text)
        fact = AddNote(note_id, body.entry_id, tuple(dict.fromkeys(body.mentions)))
        positions = await stating.state(body.client_id, fact, entry_ids=entry_ids)
        return accepted(positions, note_id=str(note_id))

    return await once(act)
