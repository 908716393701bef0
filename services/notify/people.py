"""Who is written to: ledger's people, kept here by version until ledger says that they changed."""

from collections.abc import Collection, Mapping
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.database import driver, transaction
from chassis.http_client import Neighbour
from services.notify.domain import Contact, Person
from services.notify.formats import language_of

KEPT = text(
    """
    select person.client_id, person.version, person.body
    from person left join client using (company, client_id)
    where person.company = :company and person.client_id = any(:client_ids)
        and person.version >= coalesce(client.version, 0)
    """
)

KEEP = """
    insert into person as kept (company, client_id, version, body)
    select %(company)s, client_id, version, body
    from unnest(%(client_ids)b::text[], %(versions)b::integer[], %(bodies)b::jsonb[])
        as p(client_id, version, body)
    where not exists (select from client c where c.company = %(company)s and c.client_id = p.client_id
        and c.version > p.version)
    order by client_id
    on conflict (company, client_id) do update set version = excluded.version, body = excluded.body
    where kept.version <= excluded.version
"""

ADDRESS_LINES = ("line1", "line2", "line3", "line4", "street", "complement")


async def people(
    engine: AsyncEngine, ledger: Neighbour, company: str, client_ids: Collection[str]
) -> dict[str, Person]:
    """The people of clients, in at most one call to ledger. A client unknown there has no address to write to.

    Raises what ``Neighbour`` raises.
    """
    wanted = sorted(set(client_ids))
    async with transaction(engine, company) as tx:
        rows = await tx.execute(KEPT, {"company": company, "client_ids": wanted})
        found = {row.client_id: _person(row.client_id, row.version, row.body) for row in rows}
    missing = [client_id for client_id in wanted if client_id not in found]
    if missing:
        found |= await _fetch(engine, ledger, company, missing)
    return {client_id: found.get(client_id) or Person(client_id, 0, client_id) for client_id in wanted}


async def labels(ledger: Neighbour, company: str, entry_ids: Collection[str]) -> Mapping[str, str]:
    """The texts of entries with their free fields (rule 13.4), for the table that shows them: ``"Pose · Chantier
    Lyon"``. Personal data, so never kept here."""
    if not entry_ids:
        return {}
    answer = await ledger.post("/labels/query", company=company, json={"entry_ids": sorted(entry_ids)})
    texts: dict[str, str] = dict(answer["labels"])
    for entry_id, fields in answer.get("fields", {}).items():
        told = [f"{title} {value}" for title, value in fields.items()]
        texts[entry_id] = " · ".join([text for text in (texts.get(entry_id), *told) if text])
    return texts


async def _fetch(engine: AsyncEngine, ledger: Neighbour, company: str, client_ids: list[str]) -> dict[str, Person]:
    answer = await ledger.post(
        "/people/query", company=company, json={"client_ids": client_ids, "limit": min(len(client_ids), 5000)}
    )
    bodies: list[dict[str, Any]] = answer["people"]
    async with transaction(engine, company) as tx:
        connection = await driver(tx)
        await connection.execute(
            KEEP,
            {
                "company": company,
                "client_ids": [body["client_id"] for body in bodies],
                "versions": [body["version"] for body in bodies],
                "bodies": [Jsonb(body) for body in bodies],
            },
        )
    return {body["client_id"]: _person(body["client_id"], body["version"], body) for body in bodies}


def _person(client_id: str, version: int, body: Mapping[str, Any]) -> Person:
    """Without the addresses that mails came back from (rule 22.31)."""
    dead = {email.lower() for email in body.get("unreachable") or ()}
    return Person(
        client_id=client_id,
        version=version,
        name=body.get("name") or client_id,
        emails=tuple(email for email in body.get("emails") or () if email.strip().lower() not in dead),
        phones=tuple(body.get("phones") or ()),
        address=_address(body.get("address") or {}),
        contact_name=body.get("contact_name") or "",
        contacts=tuple(
            Contact(
                name=one["name"],
                email=one["email"],
                notices=one["notices"],
                reminders_from=one["reminders_from"],
                thanks=one["thanks"],
                in_copy=one["in_copy"],
            )
            for one in body.get("contacts") or ()
            if one["email"].strip().lower() not in dead
        ),
        language=language_of(body.get("language")),
        salesperson=(body.get("salesperson") or {}).get("name", ""),
        free_fields=body.get("fields") or {},
    )


def _address(members: Mapping[str, str | None]) -> tuple[str, ...]:
    """The lines of an address, whose members are what accounting calls them; JSON keeps no order of its own."""
    rest = {name: value for name, value in members.items() if value}
    lines = [rest.pop(name) for name in ADDRESS_LINES if name in rest]
    town = [rest.pop(name) for name in ("postcode", "postal_code", "zip", "city", "town") if name in rest]
    country = rest.pop("country", None)
    return tuple(line for line in [*lines, *rest.values(), " ".join(map(str, town)), country] if line)
