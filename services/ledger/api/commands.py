"""What people state about a client. Each locks the client, decides, says: one transaction.

Every command answers ``{"position": "ledger/7/42" | null, "positions": [...]}`` and the ids it made. A command
that would change nothing is refused as the fact that already stands (409), except a choice of profile, which is
answered without a position.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text

from chassis.eventlog import Position, Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, RunningDep, SayDep, accepted, requires
from chassis.problems import Problem
from contracts.event import Amount, ClientId, EntryId
from services.ledger import queries
from services.ledger.api.once import OnceDep
from services.ledger.domain import (
    AddNote,
    AssignProfile,
    CancelPromise,
    ClientSeen,
    Command,
    RecordPromise,
    ResumeClient,
    ResumeEntry,
    StopClient,
    StopEntry,
    decide,
    evolve,
)
from services.ledger.domain.refusals import UnknownClient, UnknownPromise
from services.ledger.handlers import begin_day

router = APIRouter(prefix="/companies/{company}")

ADD_TEXT = text("insert into note_text (company, note_id, text) values (:company, :note_id, :text)")


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OfClient(Body):
    client_id: ClientId


class OfEntry(OfClient):
    entry_id: EntryId


class Promised(OfEntry):
    """Without amount the whole entry, without date in seven days (rule 10.8)."""

    amount: Amount | None = None
    promised_on: date | None = None


class OfPromise(Body):
    promise_id: UUID


class Noted(OfClient):
    entry_id: EntryId | None = None
    text: str = Field(min_length=1, max_length=10_000)


class Profiled(OfClient):
    """``null`` gives the choice back to accounting (rule 3.5)."""

    profile: str | None = Field(min_length=1, max_length=100)


class Day(Body):
    as_of: date | None = None


class Stating:
    """What every command needs: the company, the day, who asks, the transaction."""

    def __init__(self, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep) -> None:
        self.company, self.as_of, self.say, self.cause = company, as_of, say, cause
        self.tx = say.tx

    async def state(self, client_id: str, fact: Command, entry_ids: Sequence[str] = ()) -> list[Position]:
        """Lock the client, decide, say. Raises ``UnknownClient`` or the domain's refusal."""
        company = self.company
        states = await queries.lock_clients(self.tx, company, [client_id])
        if client_id not in states:
            raise UnknownClient(client_id)
        promises = await queries.promises(self.tx, company, [client_id])
        entries = await queries.entries(self.tx, company, [client_id], entry_ids) if entry_ids else {}
        state = replace(
            states[client_id],
            promises=promises.get(client_id, {}),
            stopped_entries=await queries.stopped_entries(self.tx, company, client_id),
            entries=entries.get(client_id, {}),
        )
        events = decide(state, fact, self.as_of)
        if events and isinstance(fact, AssignProfile):
            for event in events:
                state = evolve(state, event)
            facts = await queries.facts(self.tx, company, [client_id])
            events += decide(state, ClientSeen(facts[client_id]), self.as_of)
        said = [Said(event, client_id) for event in events]
        return await self.say(company, said, as_of=self.as_of, cause=self.cause)


StatingDep = Annotated[Stating, Depends(Stating)]


@router.post("/stop-client")
async def stop_client(body: OfClient, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Nobody reminds this client until it is resumed (rule 8.1)."""

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, StopClient()))

    return await once(act)


@router.post("/resume-client")
async def resume_client(body: OfClient, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Take back a stop (rule 8.1)."""

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, ResumeClient()))

    return await once(act)


@router.post("/stop-entry")
async def stop_entry(body: OfEntry, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Nobody reminds of this entry; the client's others may be (rule 8.2)."""

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, StopEntry(body.entry_id), [body.entry_id]))

    return await once(act)


@router.post("/resume-entry")
async def resume_entry(body: OfEntry, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Take back an entry's stop (rule 8.2)."""

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, ResumeEntry(body.entry_id)))

    return await once(act)


@router.post("/record-promise")
async def record_promise(body: Promised, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """The client promised to pay (rule 10.1). Answers ``promise_id`` too."""

    async def act() -> dict[str, Any]:
        promise_id = uuid4()
        fact = RecordPromise(promise_id, body.entry_id, body.amount, body.promised_on)
        positions = await stating.state(body.client_id, fact, [body.entry_id])
        return accepted(positions, promise_id=str(promise_id))

    return await once(act)


@router.post("/cancel-promise")
async def cancel_promise(body: OfPromise, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Delete an open or late promise; it stays in the history (rule 10.2)."""

    async def act() -> dict[str, Any]:
        client_id = await queries.client_of_promise(stating.tx, stating.company, body.promise_id)
        if client_id is None:
            raise UnknownPromise(body.promise_id)
        return accepted(await stating.state(client_id, CancelPromise(body.promise_id)))

    return await once(act)


@router.post("/add-note")
async def add_note(body: Noted, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Write a note on a client or one of its entries; its text stays here. Answers ``note_id`` too."""

    async def act() -> dict[str, Any]:
        note_id = uuid4()
        entry_ids = [body.entry_id] if body.entry_id else []
        await stating.tx.execute(ADD_TEXT, {"company": stating.company, "note_id": note_id, "text": body.text})
        positions = await stating.state(body.client_id, AddNote(note_id, body.entry_id), entry_ids)
        return accepted(positions, note_id=str(note_id))

    return await once(act)


@router.post("/assign-profile", dependencies=[requires("admin")])
async def assign_profile(body: Profiled, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Choose the profile of a client; only administrators assign (rules 3.2, 3.4, 3.5)."""

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, AssignProfile(body.profile)))

    return await once(act)


@router.post("/day")
async def day(body: Day, process: RunningDep, stating: StatingDep) -> dict[str, Any]:
    """Begin a business day: promises whose date has passed on open entries are broken (rule 10.2).

    Answers ``broken``, how many. May be sent again: a promise breaks once.
    """
    as_of = body.as_of or stating.as_of
    if as_of > stating.as_of and not process.settings.allow_as_of:
        raise Problem("as-of-refused", "This day has not come yet", 403, as_of=as_of)
    positions = await begin_day(stating.say, stating.company, as_of, stating.cause)
    return accepted(positions, broken=len(positions))
