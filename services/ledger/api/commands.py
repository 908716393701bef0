"""What people state about a client. Each locks the client, decides, says: one transaction.

Every command answers ``{"position": "ledger/7/42" | null, "positions": [...]}`` and the ids it made. A command
that would change nothing is refused as the fact that already stands (409), except a choice of profile, which is
answered without a position.
"""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from pydantic import Field

from chassis.http import RunningDep, WholeCompany, accepted
from chassis.problems import Problem
from chassis.scopes import for_keys
from contracts.event import Amount, EntryId
from services.ledger import queries
from services.ledger.api.once import OnceDep
from services.ledger.api.stating import Body, OfClient, OfEntry, StatingDep
from services.ledger.domain import (
    CancelPromise,
    RecordPromise,
    ResumeClient,
    ResumeEntry,
    StopClient,
    StopEntry,
)
from services.ledger.domain.refusals import UnknownPromise
from services.ledger.handlers import begin_day

router = APIRouter(prefix="/companies/{company}")


class Promised(OfEntry):
    """Without amount the whole entry, without date in seven days (rule 10.8)."""

    amount: Amount | None = None
    promised_on: date | None = None


class Instalment(Body):
    """One of several promises; without amount the whole entry, without date in seven days (rule 10.8)."""

    entry_id: EntryId
    amount: Amount | None = None
    promised_on: date | None = None


class Instalments(OfClient):
    promises: list[Instalment] = Field(min_length=1, max_length=500)


class ClientStop(OfClient):
    """``resumes_on`` is the first day on which reminders go again by themselves."""

    resumes_on: date | None = None


class EntryStop(OfEntry):
    resumes_on: date | None = None


class OfPromise(Body):
    promise_id: UUID


class Day(Body):
    as_of: date | None = None


@router.post("/stop-client")
@for_keys("write:stops")
async def stop_client(body: ClientStop, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Nobody reminds this client until it is resumed, or until a day comes (rule 8.1).

    Sent again with another day, the stop that stands gets that end.
    """

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, StopClient(body.resumes_on)))

    return await once(act)


@router.post("/resume-client")
@for_keys("write:stops")
async def resume_client(body: OfClient, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Take back a stop (rule 8.1)."""

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, ResumeClient()))

    return await once(act)


@router.post("/stop-entry")
@for_keys("write:stops")
async def stop_entry(body: EntryStop, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Nobody reminds of this entry; the client's others may be (rule 8.2)."""

    async def act() -> dict[str, Any]:
        fact = StopEntry(body.entry_id, body.resumes_on)
        return accepted(await stating.state(body.client_id, fact, entry_ids=[body.entry_id]))

    return await once(act)


@router.post("/resume-entry")
@for_keys("write:stops")
async def resume_entry(body: OfEntry, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Take back an entry's stop (rule 8.2)."""

    async def act() -> dict[str, Any]:
        return accepted(await stating.state(body.client_id, ResumeEntry(body.entry_id)))

    return await once(act)


@router.post("/record-promise")
@for_keys("write:promises")
async def record_promise(body: Promised, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """The client promised to pay (rule 10.1). Answers ``promise_id`` too."""

    async def act() -> dict[str, Any]:
        promise_id = uuid4()
        fact = RecordPromise(promise_id, body.entry_id, body.amount, body.promised_on)
        positions = await stating.state(body.client_id, fact, entry_ids=[body.entry_id])
        return accepted(positions, promise_id=str(promise_id))

    return await once(act)


@router.post("/record-promises")
@for_keys("write:promises")
async def record_promises(body: Instalments, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Instalments of one entry, or one day for several entries (rule 10.1); all are accepted or none.

    Answers ``promise_ids`` in the order given.
    """

    async def act() -> dict[str, Any]:
        facts = [RecordPromise(uuid4(), one.entry_id, one.amount, one.promised_on) for one in body.promises]
        entry_ids = sorted({one.entry_id for one in body.promises})
        positions = await stating.state(body.client_id, *facts, entry_ids=entry_ids)
        return accepted(positions, promise_ids=[str(fact.promise_id) for fact in facts])

    return await once(act)


@router.post("/cancel-promise")
@for_keys("write:promises")
async def cancel_promise(body: OfPromise, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Delete an open or late promise; it stays in the history (rule 10.2)."""

    async def act() -> dict[str, Any]:
        client_id = await queries.client_of_promise(stating.tx, stating.company, body.promise_id)
        if client_id is None:
            raise UnknownPromise(body.promise_id)
        return accepted(await stating.state(client_id, CancelPromise(body.promise_id)))

    return await once(act)


@router.post("/day", dependencies=[WholeCompany])
async def day(body: Day, process: RunningDep, stating: StatingDep) -> dict[str, Any]:
    """Begin a business day: promises whose date has passed on open entries are broken (rule 10.2), stops whose day
    has come end (rules 8.1, 8.2).

    Answers how many: ``broken``, ``resumed``. May be sent again: a promise breaks once.
    """
    as_of = body.as_of or stating.as_of
    if as_of > stating.as_of and not process.settings.allow_as_of:
        raise Problem("as-of-refused", "This day has not come yet", 403, as_of=as_of)
    begun = await begin_day(stating.say, stating.company, as_of, stating.cause)
    return accepted(begun.positions, broken=begun.broken, resumed=begun.resumed)
