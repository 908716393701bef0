"""People and the texts of entries: personal data, taken in and handed out in bulk, never part of an event."""

from typing import Annotated, Any

from fastapi import APIRouter
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.http import AsOfDep, CallerDep, CauseDep, CompanyDep, SayDep, TxDep, WholeCompany, accepted, requires
from chassis.scopes import for_keys
from contracts.event import ClientId, EntryId
from services.ledger import queries
from services.ledger.api.contacts import contacts_by_client
from services.ledger.api.fields import fields_of_entries, named_fields
from services.ledger.api.labels import OF_ERASED
from services.ledger.handlers import changed_clients
from services.ledger.together import together

router = APIRouter(prefix="/companies/{company}")

SAVE_SOURCE = """
    insert into person_source as known (company, client_id, source, name, emails, phones, address, contact_name,
        language, fields)
    select distinct on (client_id) %(company)s, client_id, %(source)s, name, emails, phones, address, contact_name,
        language, fields
    from jsonb_to_recordset(%(clients)b) as c(client_id text, name text, emails text[], phones text[],
        address jsonb, contact_name text, language text, fields jsonb)
    where not exists (select from erased_person gone
        where gone.company = %(company)s and gone.client_id = c.client_id)
    order by client_id
    on conflict (company, client_id, source) do update set
        name = excluded.name, emails = excluded.emails, phones = excluded.phones, address = excluded.address,
        contact_name = excluded.contact_name, language = excluded.language, fields = excluded.fields,
        changed_at = now()
    where (known.name, known.emails, known.phones, known.address, known.contact_name, known.language, known.fields)
        is distinct from (excluded.name, excluded.emails, excluded.phones, excluded.address,
            excluded.contact_name, excluded.language, excluded.fields)
    returning client_id, cardinality(emails) < 2 and cardinality(phones) < 2 and not exists (
        select from person_source other where other.company = known.company
            and other.client_id = known.client_id and other.source <> known.source)
"""
"""Answers who was told otherwise, and of whom there is nothing to put together."""

CHANGED_PERSON = """
    on conflict (company, client_id) do update set
        name = excluded.name, emails = excluded.emails, phones = excluded.phones, address = excluded.address,
        contact_name = excluded.contact_name, language = excluded.language, fields = excluded.fields
    where (known.name, known.emails, known.phones, known.address, known.contact_name, known.language, known.fields)
        is distinct from (excluded.name, excluded.emails, excluded.phones, excluded.address,
            excluded.contact_name, excluded.language, excluded.fields)
    returning client_id
"""

TAKE_OVER = f"""
    insert into person as known (company, client_id, name, emails, phones, address, contact_name, language, fields)
    select company, client_id, coalesce(nullif(name, ''), client_id), emails, phones, address, contact_name,
        language, fields
    from person_source
    where company = %(company)s and source = %(source)s and client_id = any(%(told)s::text[])
    order by client_id
    {CHANGED_PERSON}
"""  # noqa: S608 a fragment of this module
"""Of those of whom one source alone tells: most clients of most books."""

PUT_TOGETHER = f"""
    with said as materialized (
        select * from person_source where company = %(company)s and client_id = any(%(told)s::text[])
    ),
    mail as (
        select client_id, array_agg(email order by told_at desc, n, email) as emails
        from (
            select client_id, email, max(changed_at) as told_at, (array_agg(n order by changed_at desc))[1] as n
            from said, unnest(emails) with ordinality told(email, n) group by client_id, email
        ) each group by client_id
    ),
    phone as (
        select client_id, array_agg(phone order by told_at desc, n, phone) as phones
        from (
            select client_id, phone, max(changed_at) as told_at, (array_agg(n order by changed_at desc))[1] as n
            from said, unnest(phones) with ordinality told(phone, n) group by client_id, phone
        ) each group by client_id
    ),
    held as (
        select client_id, jsonb_object_agg(field, value) as fields
        from (
            select distinct on (client_id, field) client_id, field, value
            from said, jsonb_each_text(said.fields) told(field, value)
            order by client_id, field, changed_at desc, source
        ) each group by client_id
    ),
    told as (
        select client_id,
            coalesce((array_agg(name order by changed_at desc, source) filter (where name <> ''))[1], client_id)
                as name,
            (array_agg(address order by changed_at desc, source) filter (where address is not null))[1] as address,
            (array_agg(contact_name order by changed_at desc, source)
                filter (where contact_name is not null))[1] as contact_name,
            (array_agg(language order by changed_at desc, source) filter (where language is not null))[1]
                as language
        from said group by client_id
    )
    insert into person as known (company, client_id, name, emails, phones, address, contact_name, language, fields)
    select %(company)s, client_id, name, coalesce(emails, '{{}}'), coalesce(phones, '{{}}'), address, contact_name,
        language, coalesce(fields, '{{}}')
    from told left join mail using (client_id) left join phone using (client_id) left join held using (client_id)
    order by client_id
    {CHANGED_PERSON}
"""  # noqa: S608

SAVE_SALESPEOPLE = text(
    """
    insert into salesperson as known (company, code, name)
    select :company, code, name from unnest(cast(:codes as text[]), cast(:names as text[])) as told(code, name)
    order by code
    on conflict (company, code) do update set name = excluded.name where known.name <> excluded.name
    returning code
    """
)
CLIENTS_OF = text(
    "select client_id from client where company = :company and salesperson = any(:codes) order by client_id"
)

SAVE_LABELS = f"""
    insert into entry_label as known (company, entry_id, label)
    select distinct on (entry_id) %(company)s, entry_id, label
    from unnest(%(entry_ids)b::text[], %(labels)b::text[]) as l(entry_id, label)
    where entry_id not in ({OF_ERASED})
    order by entry_id
    on conflict (company, entry_id) do update set label = excluded.label where known.label <> excluded.label
"""  # noqa: S608 - a fragment of ``labels``

PEOPLE = """
    select client_id, version, coalesce(person.name, client_id) as name, coalesce(emails, '{{}}') as emails,
        coalesce(phones, '{{}}') as phones, address, contact_name, client.language,
        coalesce(person.fields, '{{}}') || coalesce(written.fields, '{{}}') as fields,
        case when client.salesperson is not null then jsonb_build_object('code', client.salesperson,
            'name', coalesce(salesperson.name, client.salesperson)) end as salesperson,
        array(select email from dead_address dead where dead.company = :company
            and dead.client_id = client.client_id order by email) as unreachable
    from client left join person using (company, client_id)
    left join person_field written using (company, client_id)
    left join salesperson on salesperson.company = :company and salesperson.code = client.salesperson
    where client.company = :company and {which} client_id > :after
    order by client_id
    limit :limit
"""
EVERYBODY = text(PEOPLE.format(which=""))
THESE = text(PEOPLE.format(which="client_id = any(:client_ids) and"))
"""A question of its own: with "or all" in it, every client would be looked at for the few that are asked for."""

TOLD_TO = {"service:reporting": ("client_id", "version", "name", "fields", "salesperson")}
"""What a service is told that shows and finds people, and writes to none; by who asks."""

LABELS = text("select entry_id, label from entry_label where company = :company and entry_id = any(:entry_ids)")

Line = Annotated[str, Field(max_length=500)]
FieldName = Annotated[str, Field(pattern=r"^tag([1-9]|10)$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Person(Body):
    """``address`` is an object of lines as accounting has them; its members are free. ``fields`` are the free
    fields that the source fills."""

    client_id: ClientId
    name: Line
    emails: list[Line] = Field(default_factory=list, max_length=50)
    phones: list[Line] = Field(default_factory=list, max_length=50)
    address: dict[str, str | None] | None = None
    contact_name: Line | None = None
    language: str | None = Field(None, pattern=r"^[a-z]{2}$")
    fields: dict[FieldName, Line] = Field(default_factory=dict)


class Salesperson(Body):
    """Who looks after clients; ``code`` is what accounting's facts of a client carry."""

    code: str = Field(min_length=1, max_length=100)
    name: Line = Field(min_length=1)


PERSONS = TypeAdapter(list[Person])


class Label(Body):
    entry_id: EntryId
    label: str = Field(max_length=2000)


class People(Body):
    source: Line
    clients: list[Person] = Field(default_factory=list, max_length=20_000)
    salespeople: list[Salesperson] = Field(default_factory=list, max_length=20_000)
    labels: list[Label] = Field(default_factory=list, max_length=100_000)


class PeopleQuery(Body):
    """``client_ids`` null asks for all. ``after`` is the ``next`` of the page before."""

    client_ids: list[ClientId] | None = Field(None, max_length=20_000)
    after: str = ""
    limit: int = Field(1000, ge=1, le=5000)


class LabelsQuery(Body):
    entry_ids: list[EntryId] = Field(max_length=50_000)


@router.post("/people", dependencies=[requires("admin")])
async def post_people(
    body: People, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Take in people and labels as a source shows them now; the same again changes nothing.

    A source replaces what it said itself; all addresses of all sources count, of the rest what was told last. The
    clients of a sales person whose name changed are changed with it.
    Answers ``changed``, how many clients, and as ``positions`` the last event of each partition.
    """
    changed = set(await _save_salespeople(say.tx, company, body.salespeople))
    changed |= set(await _save_people(say.tx, company, body, changed) if body.clients else [])
    if body.labels:
        await _save_labels(say.tx, company, body.labels)
    said = await changed_clients(say.tx, company, sorted(changed), as_of, person_changed=True, are_known=True)
    positions = await say(company, together(company, said), as_of=as_of, cause=cause)
    last = {position.partition: position for position in positions}
    return accepted(sorted(last.values()), changed=len(said))


async def _save_salespeople(tx: AsyncConnection, company: str, told: list[Salesperson]) -> list[str]:
    """Answers the clients of those whose name is new or another now."""
    if not told:
        return []
    names = {one.code: one.name for one in sorted(told, key=lambda one: one.code)}
    parameters = {"company": company, "codes": list(names), "names": list(names.values())}
    renamed = list(await tx.scalars(SAVE_SALESPEOPLE, parameters))
    if not renamed:
        return []
    return list(await tx.scalars(CLIENTS_OF, {"company": company, "codes": renamed}))


async def _save_people(tx: AsyncConnection, company: str, body: People, also: set[str]) -> list[str]:
    """Answers the clients that are told otherwise now, sorted. ``also`` are others that change with them: all are
    locked at once, so that two sources do not wait for one another."""
    named = sorted({person.client_id for person in body.clients})
    # locked before anything is written, so that an erasure beside it is seen, and of two sources at once the
    # second sees the first
    await queries.add_clients(tx, company, named)
    await queries.hold_clients(tx, company, sorted({*named, *also}))
    connection = await driver(tx)
    clients = Jsonb(body.clients, dumps=PERSONS.dump_json)
    saved = await connection.execute(SAVE_SOURCE, {"company": company, "source": body.source, "clients": clients})
    alone: list[str] = []
    several: list[str] = []
    for client_id, is_alone in await saved.fetchall():
        (alone if is_alone else several).append(client_id)
    changed: list[str] = []
    for statement, told in ((TAKE_OVER, alone), (PUT_TOGETHER, several)):
        if told:
            values = {"company": company, "source": body.source, "told": sorted(told)}
            written = await connection.execute(statement.encode(), values)
            changed += [client_id for (client_id,) in await written.fetchall()]
    return sorted(changed)


async def _save_labels(tx: AsyncConnection, company: str, labels: list[Label]) -> None:
    connection = await driver(tx)
    columns = {
        "entry_ids": [label.entry_id for label in labels],
        "labels": [label.label for label in labels],
    }
    await connection.execute(SAVE_LABELS, columns | {"company": company})


@router.post("/people/query")
@for_keys("read:clients")
async def query_people(body: PeopleQuery, company: CompanyDep, tx: TxDep, who: CallerDep) -> dict[str, Any]:
    """Names, addresses, mail and phones of known clients: ``{"people": [...], "next": cursor | null}``. A service
    that writes to nobody is told no address, mail or phone."""
    parameters: dict[str, Any] = {"company": company, "after": body.after, "limit": body.limit + 1}
    if body.client_ids is None:
        found = await tx.execute(EVERYBODY, parameters)
    else:
        found = await tx.execute(THESE, parameters | {"client_ids": body.client_ids})
    names = tuple(found.keys())
    rows = [dict(zip(names, row, strict=True)) for row in found]
    page = rows[: body.limit]
    following = page[-1]["client_id"] if len(rows) > body.limit else None
    if (told := TOLD_TO.get(who.subject)) is not None:
        return {"people": [{name: person[name] for name in told} for person in page], "next": following}
    contacts = await contacts_by_client(tx, company, [person["client_id"] for person in page])
    for person in page:
        person["contacts"] = contacts.get(person["client_id"], [])
    return {"people": page, "next": following}


@router.post("/labels/query", dependencies=[WholeCompany])
@for_keys("read:entries")
async def query_labels(body: LabelsQuery, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The texts of entries: ``{"labels": {entry_id: label}}``; those without a text are left out.

    Beside them ``{"fields": {entry_id: {title: value}}}``, the free fields that the company uses, in its order.
    """
    rows = await tx.execute(LABELS, {"company": company, "entry_ids": body.entry_ids})
    labels = {row.entry_id: row.label for row in rows}
    named = (await named_fields(tx, company))["entry"]
    held = await fields_of_entries(tx, company, body.entry_ids) if named else {}
    fields = {
        entry_id: told
        for entry_id, values in held.items()
        if (told := {one["title"]: values[one["field"]] for one in named if one["field"] in values})
    }
    return {"labels": labels, "fields": fields}
