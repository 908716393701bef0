"""Free fields of clients and names of sales people: fetched from ledger with the names, kept by version of the
client, never part of an event (rules 19.4, 22.6).

A field is found by the folded form of what it holds, as names are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver

REPLACE = """
    with gone as (
        delete from client_field known
        where company = %(company)s and client_id = any(%(clients)b::text[])
            and not exists (select from unnest(%(ids)b::text[], %(fields)b::text[]) told(client_id, field)
                where told.client_id = known.client_id and told.field = known.field)
    )
    insert into client_field as known (company, client_id, field, value, key)
    select %(company)s, * from unnest(%(ids)b::text[], %(fields)b::text[], %(values)b::text[], %(keys)b::text[])
    on conflict (company, client_id, field) do update set value = excluded.value, key = excluded.key
        where known.value <> excluded.value
"""

NAME_SALESPEOPLE = """
    insert into salesperson as known (company, code, name, sort_key)
    select %(company)s, * from unnest(%(codes)b::text[], %(names)b::text[], %(keys)b::text[])
    on conflict (company, code) do update set name = excluded.name, sort_key = excluded.sort_key
        where known.name <> excluded.name
"""

ERASE = """
    delete from client_field known using unnest(%(companies)b::text[], %(clients)b::text[]) e(company, client_id)
    where known.company = e.company and known.client_id = e.client_id
"""


async def keep(
    tx: AsyncConnection, company: str, people: Sequence[Mapping[str, Any]], keys: Mapping[str, str]
) -> None:
    """Remember what the fields of these ``[{client_id, fields, salesperson}]`` hold now. ``keys`` are the folded
    forms of all texts."""
    connection = await driver(tx)
    held = sorted(
        (person["client_id"], field, value)
        for person in people
        for field, value in (person.get("fields") or {}).items()
        if value
    )
    await connection.execute(
        REPLACE,
        {
            "company": company,
            "clients": [person["client_id"] for person in people],
            "ids": [client_id for client_id, _, _ in held],
            "fields": [field for _, field, _ in held],
            "values": [value for _, _, value in held],
            "keys": [keys[value] for _, _, value in held],
        },
    )
    named = {one["code"]: one["name"] for person in people if (one := person.get("salesperson"))}
    if named:
        codes = sorted(named)
        names = [named[code] for code in codes]
        told = {"company": company, "codes": codes, "names": names, "keys": [keys[name] for name in names]}
        await connection.execute(NAME_SALESPEOPLE, told)


async def erase(tx: AsyncConnection, companies: Sequence[str], clients: Sequence[str]) -> None:
    """Forget what the fields of these clients held; company and client stand at the same place."""
    connection = await driver(tx)
    await connection.execute(ERASE, {"companies": list(companies), "clients": list(clients)})
