"""Names of clients: fetched from ledger in bulk, kept by version, never part of an event.

The embedded PostgreSQL knows neither ICU nor unaccent, so the keys for searching and sorting are made here.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.database import driver, transaction
from chassis.http_client import Neighbour
from chassis.jobs import Job
from services.reporting import fields

QUEUE = "people"
BULK = 500

_SPACES = {code: " " for code in range(128) if not chr(code).isalnum()}
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})

OUTDATED = text("""
    select c.client_id from client c left join person n using (company, client_id)
    where c.company = :company and c.client_id = any(cast(:clients as text[]))
        and c.version > coalesce(n.version, 0)
""")

KEEP = """
    insert into person (company, client_id, version, name, search_key, sort_key)
    select %(company)s, * from unnest(%(clients)b::text[], %(versions)b::bigint[], %(names)b::text[],
        %(search_keys)b::text[], %(sort_keys)b::text[])
    on conflict (company, client_id) do update set (version, name, search_key, sort_key) =
        row(excluded.version, excluded.name, excluded.search_key, excluded.sort_key)
    where person.version < excluded.version
    returning client_id
"""

ERASE = """
    insert into person (company, client_id, version, name, search_key, sort_key)
    select company, client_id, max(version), null, lower(client_id), lower(client_id)
    from unnest(%(companies)b::text[], %(clients)b::text[], %(versions)b::bigint[]) e(company, client_id, version)
    group by company, client_id
    on conflict (company, client_id) do update set (version, name, search_key, sort_key) =
        row(greatest(person.version, excluded.version), null, excluded.search_key, excluded.sort_key)
"""
"""The row stays, without the person, so that an answer that was under way cannot bring the name back."""


def fold(words: str) -> str:
    """Lower case, without accents or punctuation, single spaces: ``"Établissements  Rey-Normand"`` becomes
    ``"etablissements rey normand"``."""
    if words.isascii():
        return " ".join(words.lower().translate(_SPACES).split())
    plain = unicodedata.normalize("NFKD", words.casefold().translate(_LIGATURES))
    kept = (" " if not letter.isalnum() else letter for letter in plain if not unicodedata.combining(letter))
    return " ".join("".join(kept).split())


async def keep(tx: AsyncConnection, company: str, people: Sequence[Mapping[str, Any]]) -> None:
    """Remember the names and free fields of ``[{client_id, version, name, fields, salesperson}]``, unless newer
    ones are known."""
    connection = await driver(tx)
    named = sorted(people, key=lambda person: str(person["client_id"]))
    folded = [fold(person["name"] or person["client_id"]) for person in named]
    renewed = await connection.execute(
        KEEP,
        {
            "company": company,
            "clients": [person["client_id"] for person in named],
            "versions": [person["version"] for person in named],
            "names": [person["name"] for person in named],
            "search_keys": [
                f"{key} {fold(person['client_id'])} {person['client_id'].lower()}"
                for key, person in zip(folded, named, strict=True)
            ],
            "sort_keys": folded,
        },
    )

    newer = {client_id for (client_id,) in await renewed.fetchall()}
    told = [person for person in named if person["client_id"] in newer]
    if told:
        texts = {text for person in told for text in (person.get("fields") or {}).values()}
        texts |= {one["name"] for person in told if (one := person.get("salesperson"))}
        await fields.keep(tx, company, told, {text: key_of(text) for text in texts})


def key_of(words: str) -> str:
    """What a free field is found and sorted by: its folded form, and of signs alone the signs."""
    return fold(words) or words.strip()


async def erase(tx: AsyncConnection, erased: Sequence[tuple[str, str, int]]) -> None:
    """Forget the names and free fields of ``[(company, client_id, version)]``."""
    connection = await driver(tx)
    companies, clients, versions = (list(column) for column in zip(*sorted(erased), strict=True))
    await connection.execute(ERASE, {"companies": companies, "clients": clients, "versions": versions})
    await fields.erase(tx, companies, clients)


async def refresh(engine: AsyncEngine, ledger: Neighbour, jobs: Sequence[Job]) -> None:
    """Fetch from ledger the names that these jobs speak of and that are older than what ledger said since."""
    wanted: dict[str, set[str]] = {}
    for job in jobs:
        wanted.setdefault(job.company, set()).update(job.payload["client_ids"])
    for company, clients in sorted(wanted.items()):
        async with transaction(engine) as tx:
            rows = await tx.execute(OUTDATED, {"company": company, "clients": sorted(clients)})
            outdated = [row.client_id for row in rows]
        for start in range(0, len(outdated), BULK):
            asked = {"client_ids": outdated[start : start + BULK], "limit": BULK}
            answer = await ledger.post("/people/query", company=company, json=asked)
            async with transaction(engine) as tx:
                await keep(tx, company, answer["people"])
