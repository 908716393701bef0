"""Clients and their people: what is new of them, handed to ledger before anything is said about them.

Names, addresses and the texts of entries are personal: they pass through, only a digest of them stays here.
"""

import re
import unicodedata
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.eventlog import Position
from chassis.http_client import Neighbour
from services.sync import changes
from services.sync.changes import Connection
from services.sync.connectors import Read
from services.sync.domain.receivables import digest
from services.sync.staging import Staging, escaped

LONGEST_NAME = 500

STAGE = """
    create temp table seen_client (client_id text, p smallint, account text, name text, person uuid) on commit drop
"""

COMPARE = """
    create temp table client_change on commit drop as
    select s.client_id, s.p, s.account, s.name, s.person, false as removed,
        coalesce(%(domain)s, k.email_domain) as email_domain,
        k.client_id is null or k.account <> s.account or k.removed as is_said,
        k.client_id is null or k.person <> s.person
            or k.email_domain is distinct from coalesce(%(domain)s, k.email_domain) as is_handed
    from seen_client s left join source_client k on k.company = %(company)s and k.client_id = s.client_id
    where k.client_id is null or k.account <> s.account or k.removed or k.person <> s.person
        or k.email_domain is distinct from coalesce(%(domain)s, k.email_domain)
"""

GONE = """
    insert into client_change
    select client_id, p, account, null, person, true, email_domain, true, false from source_client c
    where company = %(company)s and not removed
        and client_id in (select client_id from change where removed)
        and not exists (select from source_row r where r.company = c.company and r.client_id = c.client_id
            and not r.removed)
"""

REMEMBER = """
    insert into source_client (company, client_id, p, account, person, email_domain, removed)
    select %(company)s, client_id, p, account, person, email_domain, removed from client_change
    on conflict (company, client_id) do update set account = excluded.account, person = excluded.person,
        email_domain = excluded.email_domain, removed = excluded.removed
"""

EVENTS = """
    select p, string_agg(client, ',' order by client_id collate "C")
    from (
        select p, client_id, (row_number() over (partition by p order by client_id collate "C") - 1) / %s as part,
            json_build_object('client_id', client_id, 'account', account, 'removed', removed)::text as client
        from client_change where is_said
    ) numbered
    group by p, part order by p, part
"""


@dataclass(frozen=True)
class Handing:
    """To whom people are handed, and how many at once."""

    ledger: Neighbour
    company: str
    source: str
    at_once: int
    options: Mapping[str, Any]
    """Further options of each call: business date, correlation."""


def chosen_name(names: dict[str, int], client_id: str) -> str:
    """The name most lines give a client, the first in order among equals; its code when none gives one."""
    best = min(names, key=lambda name: (not name, -names[name], name), default="")
    return (best or client_id)[:LONGEST_NAME]


def invented_address(client_id: str, domain: str) -> str:
    """A mail address for trials: the code as a slug, made unique where the slug says less than the code."""
    plain = unicodedata.normalize("NFKD", client_id).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if slug != client_id.lower():
        slug = f"{slug}-{digest(client_id)[:8]}".strip("-")
    return f"{slug}@{domain}"


async def compare(connection: Connection, company: str, read: Read, staging: Staging, domain: str | None) -> None:
    """Fill ``client_change``: clients that are new, on another account, renamed or back."""
    await connection.execute(STAGE)
    async with connection.cursor().copy("copy seen_client from stdin") as copy:
        for client_id, names in read.names.items():
            name = chosen_name(names, client_id)
            await copy.write(
                f"{escaped(client_id)}\t{staging.partition(client_id)}\t{escaped(read.accounts[client_id])}\t"
                f"{escaped(name)}\t{digest(name)}\n"
            )
    await connection.execute("analyze seen_client")
    await connection.execute(COMPARE, {"company": company, "domain": domain})


async def remember(connection: Connection, company: str) -> None:
    """Add the clients that are gone with their last line, and make all this the last seen state. To be called
    when the lines are remembered."""
    await connection.execute(GONE, {"company": company})
    await connection.execute(REMEMBER, {"company": company})


async def partitions(connection: Connection) -> list[int]:
    """Partitions in which clients are said."""
    cursor = await connection.execute("select distinct p from client_change where is_said order by p")
    return [row[0] for row in await cursor.fetchall()]


async def events(connection: Connection) -> AsyncIterator[tuple[int, str]]:
    """(partition, JSON of the clients with commas between) of each event to say, by ascending partition."""
    async with connection.cursor(name="client_events") as cursor:
        await cursor.execute(EVENTS, (changes.ENTRIES_PER_EVENT,))
        async for p, clients in cursor:
            yield p, clients


async def hand_over(connection: Connection, handing: Handing) -> dict[int, int]:
    """Give new names and texts to ledger, in bulk; answers how far its partitions went. Twice is harmless.

    Raises ``NeighbourUnreachable`` and ``NeighbourRefused``.
    """
    heads: dict[int, int] = {}
    async with connection.cursor(name="people") as cursor:
        await cursor.execute(
            "select client_id, name, email_domain from client_change where is_handed order by client_id"
        )
        while rows := await cursor.fetchmany(handing.at_once):
            clients = [
                {
                    "client_id": client_id,
                    "name": name,
                    "emails": [invented_address(client_id, domain)] if domain else [],
                }
                for client_id, name, domain in rows
            ]
            _note(heads, await _call(handing, clients))
    async for labels in changes.labels(connection):
        # as PostgreSQL made it: there is one per line, too many to be taken apart on the way
        body = f'{{"labels":{labels}}}'.encode()
        await handing.ledger.put("/labels", company=handing.company, content=body, **handing.options)
    return heads


async def _call(handing: Handing, clients: list[dict[str, Any]]) -> list[str]:
    body = {"source": handing.source, "clients": clients}
    answer = await handing.ledger.post("/people", company=handing.company, json=body, **handing.options)
    positions: list[str] = answer.get("positions") or []
    return positions


def _note(heads: dict[int, int], positions: list[str]) -> None:
    for text in positions:
        position = Position.parse(text)
        heads[position.partition] = max(heads.get(position.partition, 0), position.number)
