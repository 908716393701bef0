"""A person's data: handed out whole, and forgotten everywhere. Administrators alone.

Erasing takes the words and addresses and leaves the accounts: what was owed, promised and sent stays, without the
person. What sources say of the client afterwards is left aside, until an administrator admits the person again.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Said
from chassis.http import CompanyDep, TxDep, accepted, requires
from contracts.event import ClientId
from services.ledger.api.contacts import contacts_of
from services.ledger.api.stating import OfClient, Stating, StatingDep
from services.ledger.domain import ErasePerson
from services.ledger.domain.refusals import PersonNotErased, UnknownClient
from services.ledger.handlers import changed_clients

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin")])

SOURCES = text(
    """
    select source, name, emails, phones, address, contact_name, language, changed_at from person_source
    where company = :company and client_id = :client_id
    order by source
    """
)
NOTES = text(
    """
    select note_id, entry_id, written_at, author, note_text.text from note join note_text using (company, note_id)
    where company = :company and client_id = :client_id
    order by written_at, note_id
    """
)
LABELS = text(
    """
    select entry_id, piece, label from entry join entry_label using (company, entry_id)
    where company = :company and client_id = :client_id
    order by entry_id
    """
)
ERASED = text("select erased_at, erased_by from erased_person where company = :company and client_id = :client_id")
KNOWN = text("select client_id from client where company = :company and client_id = :client_id")

FORGET = (
    text("delete from person_source where company = :company and client_id = :client_id"),
    text("delete from person where company = :company and client_id = :client_id"),
    text("delete from contact where company = :company and client_id = :client_id"),
    text(
        """
        delete from note_text using note
        where note.company = :company and note.client_id = :client_id
            and note_text.company = note.company and note_text.note_id = note.note_id
        """
    ),
    text(
        """
        delete from entry_label using entry
        where entry.company = :company and entry.client_id = :client_id
            and entry_label.company = entry.company and entry_label.entry_id = entry.entry_id
        """
    ),
)
REMEMBER = text(
    """
    insert into erased_person (company, client_id, erased_by) values (:company, :client_id, :actor)
    on conflict (company, client_id) do update set erased_at = now(), erased_by = excluded.erased_by
    """
)
ADMIT = text("delete from erased_person where company = :company and client_id = :client_id returning client_id")

ClientQuery = Annotated[ClientId, Query()]


@router.get("/person-data")
async def get_person_data(client_id: ClientQuery, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Everything that ledger keeps of the person behind a client; messages are notify's, under the same path."""
    of_client = {"company": company, "client_id": client_id}
    if (await tx.execute(KNOWN, of_client)).one_or_none() is None:
        raise UnknownClient(client_id)
    erased = (await tx.execute(ERASED, of_client)).one_or_none()
    return {
        "client_id": client_id,
        "erased": dict(erased._mapping) if erased else None,
        "sources": await _rows(tx, SOURCES, of_client),
        "contacts": await contacts_of(tx, company, client_id),
        "notes": await _rows(tx, NOTES, of_client),
        "labels": await _rows(tx, LABELS, of_client),
    }


async def _rows(tx: AsyncConnection, query: Any, of_client: dict[str, str]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in await tx.execute(query, of_client)]


@router.post("/erase-person")
async def erase_person(body: OfClient, stating: StatingDep) -> dict[str, Any]:
    """Forget the person here, and tell every service to (``PersonErased``).

    Sent again it forgets what came since.
    """
    of_client = {"company": stating.company, "client_id": body.client_id}
    positions = await stating.state(body.client_id, ErasePerson())
    for forget in FORGET:
        await stating.tx.execute(forget, of_client)
    await stating.tx.execute(REMEMBER, of_client | {"actor": stating.cause.actor})
    return accepted([*positions, *await _say_seen(stating, body.client_id)])


@router.post("/admit-person")
async def admit_person(body: OfClient, stating: StatingDep) -> dict[str, Any]:
    """Take an erasure back: what sources say of the client from now on is kept again."""
    of_client = {"company": stating.company, "client_id": body.client_id}
    if (await stating.tx.execute(ADMIT, of_client)).one_or_none() is None:
        raise PersonNotErased(body.client_id)
    return accepted([])


async def _say_seen(stating: Stating, client_id: str) -> Any:
    """Without addresses the client has another variant of its scenario, and others must know."""
    said: list[Said] = await changed_clients(stating.tx, stating.company, [client_id], stating.as_of)
    return await stating.say(stating.company, said, as_of=stating.as_of, cause=stating.cause)
