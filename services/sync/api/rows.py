"""Rows pushed by any other system: clients, entries and contacts in batches, once per key."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import text

from chassis import clock
from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, accepted, requires
from chassis.jobs import NewJob, enqueue
from chassis.problems import Problem
from chassis.scopes import for_keys
from contracts.event import Amount, ClientId, Currency
from contracts.sync import SyncStarted
from services.sync import queries, runs
from services.sync.connectors.mapped.mapping import FIELDS, Holds
from services.sync.imports import QUEUE

router = APIRouter(prefix="/companies/{company}/rows")

PUSHED = UUID("6f0f7c52-8d0e-5c0b-9a53-7f3a1d6f2b11")
BOOKS = "rows"
"""Before the names of pushed rows: no mapping that a person saves can have such a name, and take their book."""
MOST_ROWS = 10_000
LONGEST_KEY = 200

Text = Annotated[str, Field(max_length=500)]
Label = Annotated[str, Field(max_length=2_000)]
Key = Annotated[str, Field(min_length=1, max_length=200)]
Source = Annotated[
    str, Query(pattern=r"^[a-z0-9][a-z0-9_-]{0,29}$", description="Whose rows these are; keys are unique within")
]
IdempotencyKey = Annotated[
    str,
    Header(
        min_length=1,
        max_length=LONGEST_KEY,
        description="Names the batch: sent again with the same key it is the same run, and changes nothing",
    ),
]


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class EntryRow(Row):
    """One accounting entry as it stands now, named by ``key``. Either ``debit`` or ``credit`` is positive.

    An entry in another currency needs ``book_amount``, its amount in the bookkeeping currency (rule 22.17).
    ``settled_on``, no day to come, letters it on that day; ``removed`` withdraws it, and needs the key alone.
    ``tag1`` to ``tag3`` are its free fields (rule 19.4); a batch that says none of them leaves them as they are.
    """

    key: Key
    client_id: ClientId | None = None
    debit: Amount | None = Field(None, ge=0)
    credit: Amount | None = Field(None, ge=0)
    book_amount: Amount | None = None
    currency: Currency | None = None
    kind: Literal["invoice", "credit_note", "payment"] | None = None
    account: Text | None = None
    journal: Text | None = None
    number: Text | None = None
    piece: Text | None = None
    label: Label | None = None
    entry_date: date | None = None
    invoice_date: date | None = None
    due_date: date | None = None
    payment_mode: Text | None = None
    lettering: Text | None = None
    lettered_on: date | None = None
    settled_on: date | None = None
    removed: bool = False
    tag1: Text | None = None
    tag2: Text | None = None
    tag3: Text | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "EntryRow":
        if self.removed:
            return self
        if self.client_id is None:
            raise ValueError("client_id is missing")
        if bool(self.debit) == bool(self.credit):
            raise ValueError("either debit or credit must be positive, not both")
        if not (self.invoice_date or self.entry_date or self.due_date):
            raise ValueError("a date is missing: invoice_date, entry_date or due_date")
        if self.lettering and self.settled_on:
            raise ValueError("settled_on makes the lettering itself: say lettering or settled_on")
        return self


class ClientRow(Row):
    """One client as it stands now. A field that no row of the batch says is not touched; one that some rows say
    is empty for the others, which takes profile, category and the like away from them. ``tag1`` to ``tag10`` are
    free fields (rule 19.4). A sales person without ``salesperson_code`` gets one out of the name, since events
    carry codes only."""

    client_id: ClientId
    client_name: Text | None = None
    account: Text | None = None
    profile: Text | None = None
    category: Text | None = None
    payment_mode: Text | None = None
    currency: Currency | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None
    contact_name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    mobile: Text | None = None
    address: Text | None = None
    address_2: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    country: Text | None = None
    salesperson: Text | None = None
    salesperson_code: Annotated[str, Field(max_length=100)] | None = None
    tag1: Text | None = None
    tag2: Text | None = None
    tag3: Text | None = None
    tag4: Text | None = None
    tag5: Text | None = None
    tag6: Text | None = None
    tag7: Text | None = None
    tag8: Text | None = None
    tag9: Text | None = None
    tag10: Text | None = None


class ContactRow(Row):
    """One person who answers for a client; several rows may name one client. A batch names all contacts of the
    clients it names: those it leaves out are gone. Letters and mails go to the default one, else to the first."""

    client_id: ClientId
    contact_name: Text | None = None
    department: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    mobile: Text | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None
    is_default: bool | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> "ContactRow":
        if not (self.email or self.phone or self.mobile):
            raise ValueError("email, phone or mobile is needed")
        return self


class Entries(BaseModel):
    rows: list[EntryRow] = Field(min_length=1, max_length=MOST_ROWS)


class Clients(BaseModel):
    rows: list[ClientRow] = Field(min_length=1, max_length=MOST_ROWS)


class Contacts(BaseModel):
    rows: list[ContactRow] = Field(min_length=1, max_length=MOST_ROWS)


class Pushing:
    """One batch that is sent in: whose it is, by which key, on which day, and the transaction."""

    def __init__(  # noqa: PLR0913, PLR0917 what a request may say
        self,
        company: CompanyDep,
        tx: TxDep,
        say: SayDep,
        as_of: AsOfDep,
        cause: CauseDep,
        idempotency_key: IdempotencyKey,
        source: Source = "api",
    ) -> None:
        self.company, self.tx, self.say, self.as_of, self.cause = company, tx, say, as_of, cause
        self.key, self.source = idempotency_key, source

    async def push(self, holds: Holds, rows: Sequence[Row]) -> dict[str, Any]:
        """Make the batch the file of a run, read by the mapping in which every field is its own column. Answers
        404 for a company that is not registered, 422 for a key that named another batch."""
        company, as_of, cause = self.company, self.as_of, self.cause
        if not await queries.knows_company(self.tx, company):
            title = "This company is not registered"
            raise Problem("company-unknown", title, 404, "Register it at ledger first.", company=company)
        run_id = uuid5(PUSHED, f"{company}/{holds}/{self.source}/{self.key}")
        told = [field for field in FIELDS[holds] if any(getattr(row, field, None) is not None for row in rows)]
        content = _table(told, rows)
        file = f"{self.source}-{holds}-{sha256(content).hexdigest()[:16]}"
        run = {
            "company": company, "run_id": run_id, "connector": "mapped", "file": file, "email_domain": None,
            "as_of": as_of, "actor": cause.actor, "correlation_id": cause.correlation_id,
            "mapping_name": f"{BOOKS}/{self.source}-{holds}", "mapping": _mapping(holds, told),
        }  # fmt: skip
        if not await runs.open_run(self.tx, run):
            return await _repeated(self.tx, company, run_id, file)
        for part, start in enumerate(range(0, len(content), runs.PART_BYTES)):
            await runs.keep_part(self.tx, company, run_id, part, content[start : start + runs.PART_BYTES])
        payload = {"run_id": str(run_id), "requested_at": clock.now().isoformat()}
        await enqueue(self.tx, QUEUE, [NewJob(run_id, company, payload, key=company)])
        started = SyncStarted(run_id=run_id, connector="mapped", source=file)
        positions = await self.say(company, [Said(started)], as_of=as_of, cause=cause)
        return accepted(positions, run_id=run_id, repeated=False)


PushingDep = Annotated[Pushing, Depends()]


@router.post("/entries", status_code=202, dependencies=[requires("user")])
@for_keys("push:rows")
async def post_entries(body: Entries, pushing: PushingDep) -> dict[str, Any]:
    """Take in entries, new and changed; those that are not named stay as they are. A batch with a wrong row is
    refused whole with 422, and ``errors`` names each by its place. Answers ``run_id`` to follow it with."""
    _refuse_settled_later(body.rows, pushing.as_of)
    return await pushing.push("entries", body.rows)


@router.post("/clients", status_code=202, dependencies=[requires("user")])
@for_keys("push:rows")
async def post_clients(body: Clients, pushing: PushingDep) -> dict[str, Any]:
    """Take in clients with their people; see ``/rows/entries``."""
    return await pushing.push("clients", body.rows)


@router.post("/contacts", status_code=202, dependencies=[requires("user")])
@for_keys("push:rows")
async def post_contacts(body: Contacts, pushing: PushingDep) -> dict[str, Any]:
    """Take in who answers for clients; see ``/rows/entries``."""
    return await pushing.push("contacts", body.rows)


def _refuse_settled_later(rows: Sequence[EntryRow], as_of: date) -> None:
    """A row is read once: a settlement on a day to come would never be applied."""
    errors = [
        {
            "where": f"body.rows.{place}.settled_on",
            "message": f"settled_on is after {as_of}, the business day: push the row again once it is settled",
            "type": "settled_later",
        }
        for place, row in enumerate(rows)
        if row.settled_on is not None and row.settled_on > as_of and not row.removed
    ]
    if errors:
        raise Problem("invalid-request", "The request does not have the expected form", 422, errors=errors)


def _mapping(holds: Holds, told: Sequence[str]) -> dict[str, Any]:
    """Every field is its own column, and what is not told stays as it is."""
    mapping: dict[str, Any] = {"holds": holds, "columns": {field: field for field in told}, "missing": "keep"}
    if holds == "entries":
        mapping |= {"separator": ",", "kinds": {kind: kind for kind in ("invoice", "credit_note", "payment")}}
        for field in ("client_id", "debit", "credit", "due_date"):
            mapping["columns"].setdefault(field, field)
    return mapping


async def _repeated(tx: TxDep, company: str, run_id: UUID, file: str) -> dict[str, Any]:
    """The answer to a key that is known, perhaps from a request of the same moment."""
    known = await tx.scalar(
        text("select file from run where company = :company and run_id = :run_id"),
        {"company": company, "run_id": run_id},
    )
    if known == file:
        return accepted([], run_id=run_id, repeated=True)
    title = "This Idempotency-Key named another batch"
    raise Problem("idempotency-key-reused", title, 422, "Use a new key for new rows.", run_id=run_id)


def _table(fields: list[str], rows: Sequence[Row]) -> bytes:
    """The rows as CSV, their place in the batch being their line but one."""
    needed = [*fields, *(field for field in ("client_id", "debit", "credit", "due_date") if field not in fields)]
    columns = needed if isinstance(rows[0], EntryRow) else fields
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(columns)
    for row in rows:
        values = row.model_dump(mode="json")
        values["removed"] = "yes" if values.get("removed") else ""
        writer.writerow(["" if values[field] is None else values[field] for field in columns])
    return target.getvalue().encode()
