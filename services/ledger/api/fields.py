"""Free fields of clients and entries (rules 19.4, 20.2, 22.6): what they are called, and what they hold.

What a field holds may be personal: it comes and goes by HTTP, never in an event. What a person wrote into a field
of a client stands before what any source says, until it is given back.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints, field_validator
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, WholeCompany, accepted, requires
from chassis.problems import Problem
from chassis.scopes import for_keys
from contracts.event import ClientId, EntryId
from contracts.ledger import FieldsNamed, NamedField
from services.ledger import queries
from services.ledger.api.labels import OF_ERASED
from services.ledger.api.once import OnceDep
from services.ledger.api.stating import Body, StatingDep
from services.ledger.domain.refusals import UnknownClient
from services.ledger.handlers import changed_clients

router = APIRouter(prefix="/companies/{company}")

LONGEST_VALUE = 500
CLIENT_FIELDS = tuple(f"tag{n}" for n in range(1, 11))
ENTRY_FIELDS = CLIENT_FIELDS[:3]

LOCK = text("select pg_advisory_xact_lock(hashtextextended('fields ' || :company, 0))")
NAMED = text(
    """
    select about, field, title, listed from free_field where company = :company order by about, place, field
    """
)

BY_HAND = text("select fields from person_field where company = :company and client_id = :client_id")

WRITE = text(
    """
    insert into person_field as known (company, client_id, fields, changed_by)
    values (:company, :client_id, jsonb_strip_nulls(cast(:fields as jsonb)), :actor)
    on conflict (company, client_id) do update set
        fields = jsonb_strip_nulls(known.fields || cast(:fields as jsonb)), changed_at = now(),
        changed_by = excluded.changed_by
    """
)
NOTHING_LEFT = text(
    "delete from person_field where company = :company and client_id = :client_id and fields = '{}'"
)

SAVE = f"""
    with told as materialized (
        select key as entry_id, value::jsonb as fields
        from json_each(coalesce(%(body)b::json -> 'fields', '0'))
    ),
    hidden as materialized ({OF_ERASED}),
    kept as (
        insert into entry_field as known (company, entry_id, fields)
        select distinct on (entry_id) %(company)s, entry_id, fields from told
        where fields <> '{{}}' and entry_id not in (select entry_id from hidden)
        order by entry_id
        on conflict (company, entry_id) do update set fields = excluded.fields
            where known.fields <> excluded.fields
        returning entry_id
    ),
    emptied as (
        delete from entry_field known using told
        where known.company = %(company)s and known.entry_id = told.entry_id and told.fields = '{{}}'
        returning known.entry_id
    )
    select (select count(*) from kept) + (select count(*) from emptied), min(entry_id) filter (
        where entry_id !~ '^[0-9a-f]{{32}}$' or case jsonb_typeof(fields) when 'object' then exists (
            select from jsonb_each(fields) held(name, value) where not (name = any(%(names)s))
                or jsonb_typeof(value) <> 'string' or length(value #>> '{{}}') > %(longest)s) else true end)
    from told
"""  # noqa: S608 - a fragment of ``labels``

OF_ENTRIES = text(
    "select entry_id, fields from entry_field where company = :company and entry_id = any(:entry_ids)"
)

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Value = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_VALUE)]


class FieldWanted(Body):
    """``listed``: it stands as a column and a filter in the lists."""

    field: str
    title: Title
    listed: bool = True


class FieldsWanted(Body):
    """The fields that the company uses, in the order in which they are shown; others are not shown."""

    client: list[FieldWanted] = Field(default_factory=list, max_length=len(CLIENT_FIELDS))
    entry: list[FieldWanted] = Field(default_factory=list, max_length=len(ENTRY_FIELDS))

    @field_validator("client")
    @classmethod
    def _of_clients(cls, named: list[FieldWanted]) -> list[FieldWanted]:
        return _known(named, CLIENT_FIELDS)

    @field_validator("entry")
    @classmethod
    def _of_entries(cls, named: list[FieldWanted]) -> list[FieldWanted]:
        return _known(named, ENTRY_FIELDS)


def _known(named: list[FieldWanted], fields: Sequence[str]) -> list[FieldWanted]:
    for one in named:
        if one.field not in fields:
            raise ValueError(f"{one.field} is no field; the fields are {', '.join(fields)}")
    for what in ("field", "title"):
        told = [getattr(one, what).casefold() for one in named]
        if twice := sorted({one for one in told if told.count(one) > 1}):
            raise ValueError(f"{twice[0]} stands twice: a field has one title, and a title one field")
    return named


class ClientFields(Body):
    """Values by field; ``null`` or an empty text gives a field back to the sources."""

    client_id: ClientId
    fields: dict[str, Value | None] = Field(min_length=1)

    @field_validator("fields")
    @classmethod
    def _of_clients(cls, fields: dict[str, str | None]) -> dict[str, str | None]:
        for field in fields:
            if field not in CLIENT_FIELDS:
                raise ValueError(f"{field} is no field; the fields are {', '.join(CLIENT_FIELDS)}")
        return {field: value or None for field, value in fields.items()}


class EntryFieldsQuery(Body):
    entry_ids: list[EntryId] = Field(max_length=50_000)


async def named_fields(tx: AsyncConnection, company: str) -> dict[str, list[dict[str, Any]]]:
    """``{"client": [{field, title, listed}], "entry": [...]}`` in the order in which they are shown."""
    named: dict[str, list[dict[str, Any]]] = {"client": [], "entry": []}
    for row in await tx.execute(NAMED, {"company": company}):
        named[row.about].append({"field": row.field, "title": row.title, "listed": row.listed})
    return named


async def fields_of_entries(tx: AsyncConnection, company: str, entry_ids: Sequence[str]) -> dict[str, Any]:
    """By entry what its fields hold; entries without are left out."""
    rows = await tx.execute(OF_ENTRIES, {"company": company, "entry_ids": list(entry_ids)})
    return {row.entry_id: row.fields for row in rows}


@router.get("/fields")
@for_keys("read:clients")
async def get_fields(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """What the company calls its free fields: ``{"client": [{field, title, listed}], "entry": [...]}``."""
    return await named_fields(tx, company)


@router.put("/fields", dependencies=[requires("admin")])
async def put_fields(
    body: FieldsWanted, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Name the free fields; the same titles again change nothing. What the fields hold stays."""
    await say.tx.execute(LOCK, {"company": company})
    wanted = body.model_dump()
    if wanted == await named_fields(say.tx, company):
        return accepted([])
    said = FieldsNamed(
        client=tuple(NamedField(**one) for one in wanted["client"]),
        entry=tuple(NamedField(**one) for one in wanted["entry"]),
    )
    return accepted(await say(company, [Said(said)], as_of=as_of, cause=cause))


@router.put("/client-fields")
async def put_client_fields(body: ClientFields, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Fill free fields of a client by hand. Fields that are not named stay as they are."""

    async def act() -> dict[str, Any]:
        company, tx = stating.company, stating.tx
        of_client = {"company": company, "client_id": body.client_id}
        if not await queries.lock_clients(tx, company, [body.client_id]):
            raise UnknownClient(body.client_id)
        before = await tx.scalar(BY_HAND, of_client) or {}
        after = {field: value for field, value in {**before, **body.fields}.items() if value is not None}
        if before == after:
            return accepted([])
        written = of_client | {"fields": json.dumps(body.fields), "actor": stating.cause.actor}
        await tx.execute(WRITE, written)
        await tx.execute(NOTHING_LEFT, of_client)
        said = await changed_clients(tx, company, [body.client_id], stating.as_of, person_changed=True)
        return accepted(await stating.say(company, said, as_of=stating.as_of, cause=stating.cause))

    return await once(act)


@router.put("/entry-fields", dependencies=[requires("admin")])
async def put_entry_fields(request: Request, company: CompanyDep, say: SayDep) -> dict[str, Any]:
    """Take in ``{"fields": {entry_id: {"tag1": text, …}}}``, all that a source says of each; ``{}`` takes it away.

    Answers ``changed``, how many are other than before. Nobody is told: who shows them asks for them.
    """
    connection = await driver(say.tx)
    parameters = {"company": company, "longest": LONGEST_VALUE, "names": list(ENTRY_FIELDS)}
    try:
        body = (await request.body()).decode()
        saved = await connection.execute(SAVE, parameters | {"body": body})
    except (UnicodeDecodeError, psycopg.DataError) as unreadable:
        raise Problem(
            "fields-unreadable",
            'The body is {"fields": {entry_id: {"tag1": text}}}',
            422,
            type(unreadable).__name__,
        ) from unreadable
    changed, wrong = await saved.fetchone() or (0, None)
    if wrong is not None:
        raise Problem(
            "field-refused",
            f"An entry has 32 hexadecimal digits, its fields are {', '.join(ENTRY_FIELDS)}"
            f" with at most {LONGEST_VALUE} letters each",
            422,
            entry_id=wrong[:64],
        )
    return accepted([], changed=changed)


@router.post("/entry-fields/query", dependencies=[WholeCompany])
@for_keys("read:entries")
async def query_entry_fields(body: EntryFieldsQuery, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The fields of entries: ``{"fields": {entry_id: {"tag1": text}}}``; entries without are left out."""
    return {"fields": await fields_of_entries(tx, company, body.entry_ids)}
