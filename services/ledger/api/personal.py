"""A person's data: handed out whole, and forgotten everywhere. Administrators alone.

Erasing takes the words and addresses and leaves the accounts: what was owed, promised and sent stays, without the
person. What sources say of the client afterwards is left aside, until an administrator admits the person again.
"""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Said
from chassis.http import CompanyDep, TxDep, accepted, requires
from contracts.event import ClientId
from services.ledger import queries
from services.ledger.api.contacts import contacts_by_client
from services.ledger.api.stating import OfClient, StatingDep
from services.ledger.codes import codes_of_client, lock_merges
from services.ledger.documents import keeping
from services.ledger.domain import ErasePerson, decide
from services.ledger.domain.refusals import PersonNotErased, UnknownClient
from services.ledger.handlers import changed_clients

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin")])

SOURCES = text(
    """
    select client_id, source, name, emails, phones, address, contact_name, language, fields, changed_at
    from person_source
    where company = :company and client_id = any(:client_ids)
    order by client_id, source
    """
)
NOTES = text(
    """
    select note_id, entry_id, written_at, author, note_text.text from note join note_text using (company, note_id)
    where company = :company and client_id = any(:client_ids)
    order by written_at, note_id
    """
)
LABELS = text(
    """
    select distinct on (entry_id) entry_id, piece, label from entry join entry_label using (company, entry_id)
    where company = :company and client_id = any(:client_ids)
    order by entry_id
    """
)
FIELDS = text(
    """
    select client_id, fields, changed_at, changed_by from person_field
    where company = :company and client_id = any(:client_ids)
    order by client_id
    """
)
ENTRY_FIELDS = text(
    """
    select distinct on (entry_id) entry_id, piece, fields
    from entry join entry_field using (company, entry_id)
    where company = :company and client_id = any(:client_ids)
    order by entry_id
    """
)
DEAD_ADDRESSES = text(
    """
    select client_id, email, reason, marked_at from dead_address
    where company = :company and client_id = any(:client_ids)
    order by client_id, email
    """
)
DISPUTE_FILES = text(
    """
    select client_id, file_id, dispute_id, file_name, media_type, length(content) as bytes, kept_at
    from dispute_file where company = :company and client_id = any(:client_ids)
    order by kept_at, file_id
    """
)
SALESPEOPLE = text(
    """
    select client_id, salesperson as code, coalesce(name, salesperson) as name
    from client left join salesperson named on named.company = client.company and named.code = salesperson
    where client.company = :company and client_id = any(:client_ids) and salesperson is not null
    order by client_id
    """
)
ERASED = text("select erased_at, erased_by from erased_person where company = :company and client_id = :client_id")
KNOWN = text("select client_id from client where company = :company and client_id = :client_id")

FORGET = (
    text("delete from person_source where company = :company and client_id = any(:client_ids)"),
    text("delete from person where company = :company and client_id = any(:client_ids)"),
    text("delete from person_field where company = :company and client_id = any(:client_ids)"),
    text("delete from contact where company = :company and client_id = any(:client_ids)"),
    text("delete from dispute_file where company = :company and client_id = any(:client_ids)"),
    text("delete from dead_address where company = :company and client_id = any(:client_ids)"),
    text(
        """
        delete from note_text using note
        where note.company = :company and note.client_id = any(:client_ids)
            and note_text.company = note.company and note_text.note_id = note.note_id
        """
    ),
    text(
        """
        delete from entry_label using entry
        where entry.company = :company and entry.client_id = any(:client_ids)
            and entry_label.company = entry.company and entry_label.entry_id = entry.entry_id
        """
    ),
    text(
        """
        delete from entry_field using entry
        where entry.company = :company and entry.client_id = any(:client_ids)
            and entry_field.company = entry.company and entry_field.entry_id = entry.entry_id
        """
    ),
)
REMEMBER = text(
    """
    insert into erased_person (company, client_id, erased_by)
    select :company, client_id, :actor from unnest(cast(:client_ids as text[])) code(client_id)
    on conflict (company, client_id) do update set erased_at = now(), erased_by = excluded.erased_by
    """
)
ADMIT = text(
    "delete from erased_person where company = :company and client_id = any(:client_ids) returning client_id"
)

ClientQuery = Annotated[ClientId, Query()]


@router.get("/person-data")
async def get_person_data(client_id: ClientQuery, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Everything that ledger keeps of the person behind a client; messages are notify's, under the same path, and
    the contents of its files come as a ZIP from ``/person-files``.

    Under all codes that are this client (``client_ids``), whichever of them is asked for.
    """
    of_client = {"company": company, "client_id": client_id}
    if (await tx.execute(KNOWN, of_client)).one_or_none() is None:
        raise UnknownClient(client_id)
    erased = (await tx.execute(ERASED, of_client)).one_or_none()
    codes = await codes_of_client(tx, company, client_id)
    contacts = await contacts_by_client(tx, company, codes)
    of_codes = {"company": company, "client_ids": codes}
    return {
        "client_id": client_id,
        "client_ids": codes,
        "erased": dict(erased._mapping) if erased else None,
        "sources": await _rows(tx, SOURCES, of_codes),
        "contacts": [contact for code in codes for contact in contacts.get(code, [])],
        "unreachable": await _rows(tx, DEAD_ADDRESSES, of_codes),
        "notes": await _rows(tx, NOTES, of_codes),
        "labels": await _rows(tx, LABELS, of_codes),
        "fields": await _rows(tx, FIELDS, of_codes),
        "entry_fields": await _rows(tx, ENTRY_FIELDS, of_codes),
        "salespeople": await _rows(tx, SALESPEOPLE, of_codes),
        "documents": await keeping.shown(tx, company, codes),
        "dispute_files": await _rows(tx, DISPUTE_FILES, of_codes),
    }


async def _rows(tx: AsyncConnection, query: Any, of_codes: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in await tx.execute(query, of_codes)]


@router.post("/erase-person")
async def erase_person(body: OfClient, stating: StatingDep) -> dict[str, Any]:
    """Forget the person here, and tell every service to (``PersonErased``), under all codes that are this client.

    Sent again it forgets what came since.
    """
    company, tx = stating.company, stating.tx
    await lock_merges(tx, company)
    codes = await codes_of_client(tx, company, body.client_id)
    states = await queries.lock_clients(tx, company, codes)
    if body.client_id not in states:
        raise UnknownClient(body.client_id)
    documents = await keeping.documents_of(tx, company, codes)
    erased = [
        Said(event, client_id)
        for client_id, state in states.items()
        for event in decide(replace(state, documents=documents.get(client_id, {})), ErasePerson(), stating.as_of)
    ]
    await keeping.let_go(tx, company, [document for known in documents.values() for document in known])
    of_codes = {"company": company, "client_ids": codes}
    for forget in FORGET:
        await tx.execute(forget, of_codes)
    await tx.execute(REMEMBER, of_codes | {"actor": stating.cause.actor})
    positions = await stating.say(company, erased, as_of=stating.as_of, cause=stating.cause)
    # without addresses the client has another variant of its scenario, and others must know
    seen = await changed_clients(tx, company, codes, stating.as_of)
    return accepted([*positions, *await stating.say(company, seen, as_of=stating.as_of, cause=stating.cause)])


@router.post("/admit-person")
async def admit_person(body: OfClient, stating: StatingDep) -> dict[str, Any]:
    """Take an erasure back: what sources say of the client, under any of its codes, is kept again."""
    company, tx = stating.company, stating.tx
    await lock_merges(tx, company)
    codes = await codes_of_client(tx, company, body.client_id)
    if not list(await tx.scalars(ADMIT, {"company": company, "client_ids": codes})):
        raise PersonNotErased(body.client_id)
    return accepted([])
