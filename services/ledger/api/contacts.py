"""Several contacts per client, with what each of them receives (rule 19.1): from sources, and by hand.

What a person wrote is never overwritten by a source: an edited field of a contact that a source brought keeps the
person's word, one taken away stays away, one made by hand belongs to no source.
"""

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from psycopg.types.json import Jsonb
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.eventlog import Position
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, accepted, requires
from contracts.event import ClientId
from services.ledger import queries
from services.ledger.api.once import OnceDep
from services.ledger.api.stating import Body, OfClient, Stating, StatingDep
from services.ledger.domain.refusals import UnknownClient, UnknownContact
from services.ledger.handlers import changed_clients

router = APIRouter(prefix="/companies/{company}")

FIELDS = ("name", "department", "email", "phone")

SHOWN = """
    contact_id, client_id, source, coalesce(edited ->> 'name', name) as name,
    coalesce(edited ->> 'department', department) as department, coalesce(edited ->> 'email', email) as email,
    coalesce(edited ->> 'phone', phone) as phone, notices, reminders_from, thanks, in_copy,
    source is null or edited <> '{}' as by_hand
"""

OF_CLIENTS = text(
    f"""
    select {SHOWN} from contact
    where company = :company and client_id = any(:client_ids) and not gone and not removed
    order by client_id, 4, contact_id
    """  # noqa: S608 - a fragment of this file
)

KNOWN = text(
    "select client_id, source, name, department, email, phone, coalesce(edited ->> 'email', email) as email_now"
    " from contact"
    " where company = :company and contact_id = :contact_id and not removed"
)

KEEP = """
    insert into contact (company, contact_id, client_id, name, department, email, phone, edited, notices,
        reminders_from, thanks, in_copy)
    values (%(company)s, %(contact_id)s, %(client_id)s, %(name)s, %(department)s, %(email)s, %(phone)s,
        %(edited)s, %(notices)s, %(reminders_from)s, %(thanks)s, %(in_copy)s)
    on conflict (company, contact_id) do update set
        name = excluded.name, department = excluded.department, email = excluded.email, phone = excluded.phone,
        edited = excluded.edited, notices = excluded.notices, reminders_from = excluded.reminders_from,
        thanks = excluded.thanks, in_copy = excluded.in_copy, changed_at = now()
"""

REVIVE = text(
    "delete from dead_address where company = :company and client_id = :client_id and email = lower(:email)"
)

REMOVE_OWN = text("delete from contact where company = :company and contact_id = :contact_id and source is null")

# its key stays, so that the source does not bring it back
REMOVE_SYNCED = text(
    """
    update contact set removed = true, name = '', department = '', email = '', phone = '', edited = '{}',
        changed_at = now()
    where company = :company and contact_id = :contact_id
    """
)

# a source speaks for whole clients: those of its contacts that it no longer names are gone
FROM_SOURCE = """
    with told as (
        select distinct on (client_id, key) client_id, key, coalesce(name, '') as name,
            coalesce(department, '') as department, coalesce(email, '') as email, coalesce(phone, '') as phone
        from jsonb_to_recordset(%(contacts)b) as c(client_id text, key text, name text, department text,
            email text, phone text)
        where not exists (select from erased_person gone
            where gone.company = %(company)s and gone.client_id = c.client_id)
        order by client_id, key
    ),
    gone as (
        update contact known set gone = true, changed_at = now()
        where company = %(company)s and source = %(source)s and client_id = any(%(clients)b::text[])
            and not known.gone and not known.removed and not exists (select from told
                where told.client_id = known.client_id and told.key = known.source_key)
        returning client_id
    ),
    written as (
        insert into contact as known (company, contact_id, client_id, source, source_key, name, department, email,
            phone)
        select %(company)s, gen_random_uuid(), client_id, %(source)s, key, name, department, email, phone from told
        on conflict (company, client_id, source, source_key) do update set
            name = excluded.name, department = excluded.department, email = excluded.email,
            phone = excluded.phone, gone = false, changed_at = now()
        where not known.removed and (known.name, known.department, known.email, known.phone, known.gone)
            is distinct from (excluded.name, excluded.department, excluded.email, excluded.phone, false)
        returning client_id
    )
    select client_id from gone union select client_id from written
"""

Line = Annotated[str, Field(max_length=500)]


class Receives(Body):
    """What reaches a contact (rule 19.1). ``reminders_from`` is the level from which reminders do, 1 to 7."""

    notices: bool = False
    reminders_from: int | None = Field(None, ge=1, le=7)
    thanks: bool = False
    in_copy: bool = False


class ContactWanted(OfClient, Receives):
    """The whole contact; without ``contact_id`` a new one."""

    contact_id: UUID | None = None
    name: Line = Field(min_length=1)
    department: Line = ""
    email: Line = ""
    phone: Line = ""


class OfContact(Body):
    contact_id: UUID


class SourceContact(Body):
    """``key`` names the contact within its client and source."""

    client_id: ClientId
    key: Line = Field(min_length=1)
    name: Line = ""
    department: Line = ""
    email: Line = ""
    phone: Line = ""


class SourceContacts(Body):
    """All contacts that ``source`` knows of the clients named in ``contacts`` and in ``client_ids``."""

    source: Line = Field(min_length=1)
    contacts: list[SourceContact] = Field(default_factory=list, max_length=20_000)
    client_ids: list[ClientId] = Field(default_factory=list, max_length=20_000)


async def contacts_of(tx: AsyncConnection, company: str, client_id: str) -> list[dict[str, Any]]:
    """The contacts of one client as they are shown, by name."""
    return (await contacts_by_client(tx, company, [client_id])).get(client_id, [])


async def contacts_by_client(
    tx: AsyncConnection, company: str, client_ids: list[str]
) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await tx.execute(OF_CLIENTS, {"company": company, "client_ids": client_ids}):
        contact = dict(row._mapping)
        found.setdefault(contact.pop("client_id"), []).append(contact)
    return found


async def _say_changed(stating: Stating, client_id: str) -> list[Position]:
    """Others fetch the client again: its people changed in a way no event tells."""
    said = await changed_clients(stating.tx, stating.company, [client_id], stating.as_of, person_changed=True)
    return await stating.say(stating.company, said, as_of=stating.as_of, cause=stating.cause)


@router.put("/contact")
async def put_contact(body: ContactWanted, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Write a contact by hand, or change one whoever brought it. Answers ``contact_id`` too."""

    async def act() -> dict[str, Any]:
        company = stating.company
        if not await queries.lock_clients(stating.tx, company, [body.client_id]):
            raise UnknownClient(body.client_id)
        wanted = {name: getattr(body, name).strip() for name in FIELDS}
        told, edited = wanted, dict[str, str]()
        contact_id = body.contact_id or uuid4()
        known_email = ""
        if body.contact_id is not None:
            asked = {"company": company, "contact_id": contact_id}
            known = (await stating.tx.execute(KNOWN, asked)).one_or_none()
            if known is None or known.client_id != body.client_id:
                raise UnknownContact(contact_id)
            known_email = known.email_now
            if known.source is not None:
                told = {name: getattr(known, name) for name in FIELDS}
                edited = {name: wanted[name] for name in FIELDS if wanted[name] != told[name]}
        connection = await driver(stating.tx)
        if known_email != wanted["email"]:
            # who writes an address down says that it is right, also one that came back once
            await stating.tx.execute(REVIVE, {"company": company, "client_id": body.client_id, **wanted})
        row = body.model_dump(include={"client_id", "notices", "reminders_from", "thanks", "in_copy"}) | told
        await connection.execute(
            KEEP, row | {"company": company, "contact_id": contact_id, "edited": Jsonb(edited)}
        )
        return accepted(await _say_changed(stating, body.client_id), contact_id=str(contact_id))

    return await once(act)


@router.post("/remove-contact")
async def remove_contact(body: OfContact, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Take a contact away; a source does not bring it back."""

    async def act() -> dict[str, Any]:
        asked = {"company": stating.company, "contact_id": body.contact_id}
        known = (await stating.tx.execute(KNOWN, asked)).one_or_none()
        if known is None:
            raise UnknownContact(body.contact_id)
        await queries.lock_clients(stating.tx, stating.company, [known.client_id])
        await stating.tx.execute(REMOVE_OWN if known.source is None else REMOVE_SYNCED, asked)
        return accepted(await _say_changed(stating, known.client_id))

    return await once(act)


@router.post("/contacts", dependencies=[requires("admin")])
async def post_contacts(
    body: SourceContacts, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Take in the contacts of clients as a source shows them now; the same again changes nothing.

    What people wrote stays. Answers ``changed``, how many clients, and the last position of each partition.
    """
    clients = sorted({contact.client_id for contact in body.contacts} | set(body.client_ids))
    await queries.add_clients(say.tx, company, clients)
    await queries.lock_clients(say.tx, company, clients)
    connection = await driver(say.tx)
    told = Jsonb([contact.model_dump() for contact in body.contacts])
    asked = {"company": company, "source": body.source, "contacts": told, "clients": clients}
    found = await connection.execute(FROM_SOURCE, asked)
    changed = sorted(client_id for (client_id,) in await found.fetchall())
    said = await changed_clients(say.tx, company, changed, as_of, person_changed=True)
    positions = await say(company, said, as_of=as_of, cause=cause)
    last = {position.partition: position for position in positions}
    return accepted(sorted(last.values()), changed=len(said))
