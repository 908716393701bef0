"""Clients and their people: what is new of them, handed to ledger before anything is said about them.

Names, addresses and the texts of entries are personal: they pass through, only a digest of them stays here.
"""

import re
import unicodedata
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from json import dumps
from typing import Any

from chassis.eventlog import Position
from chassis.http_client import Neighbour
from services.sync import changes
from services.sync.changes import Connection
from services.sync.connectors import Read
from services.sync.domain.receivables import digest
from services.sync.staging import Staging

LONGEST_NAME = 500
CONTACTS_PER_CALL = 10_000
NOBODY = digest("")
"""Stands for a person of whom a source tells nothing any more."""

STAGE = """
    create temp table seen_client (
        client_id text, p smallint, account text, name text, person uuid, profile text, category text,
        payment_mode text, currency text, salesperson text, details jsonb
    ) on commit drop
"""

# who was erased once is handed over each time: ledger alone knows whether the person is admitted again
COMPARE = """
    create temp table client_change on commit drop as
    select * from (
        select s.client_id, s.p, told.account, s.name, s.person, false as removed, told.profile, told.category,
            told.payment_mode, told.currency, told.salesperson, s.details,
            coalesce(%(domain)s, k.email_domain) as email_domain,
            not %(only_people)s and (k.client_id is null or k.removed
                or (k.account, coalesce(k.profile, ''), coalesce(k.category, ''), coalesce(k.payment_mode, ''),
                    coalesce(k.currency, ''), coalesce(k.salesperson, ''))
                is distinct from (told.account, told.profile, told.category, told.payment_mode, told.currency,
                    told.salesperson)
            ) as is_said,
            h.person is distinct from s.person
                or k.email_domain is distinct from coalesce(%(domain)s, k.email_domain)
                or erased.client_id is not null as is_handed
        from seen_client s
        left join source_client k on k.company = %(company)s and k.client_id = s.client_id
        left join source_person h
            on h.company = %(company)s and h.source = %(source)s and h.client_id = s.client_id
        left join erased_person erased on erased.company = %(company)s and erased.client_id = s.client_id,
        lateral (select coalesce(s.account, k.account, %(account)s) as account,
            coalesce(s.profile, k.profile, '') as profile, coalesce(s.category, k.category, '') as category,
            coalesce(s.payment_mode, k.payment_mode, '') as payment_mode,
            coalesce(s.currency, k.currency, '') as currency,
            coalesce(s.salesperson, k.salesperson, '') as salesperson) told
    ) compared
    where is_said or is_handed
"""

# a list of contacts in which a client does not stand any more names nobody for it
WITHOUT_CONTACTS = """
    insert into client_change (client_id, p, name, person, removed, details, is_said, is_handed)
    select client_id, 0, '', %(nobody)s::uuid, false, '{"contacts": []}', false, true
    from source_person h
    where company = %(company)s and source = %(source)s and person <> %(nobody)s::uuid
        and not exists (select from seen_client s where s.client_id = h.client_id)
"""

# nor is a client that a list of clients does not show any more known by anything of it
UNLISTED = """
    insert into client_change (client_id, p, name, person, removed, is_said, is_handed)
    select client_id, 0, '', %(nobody)s::uuid, false, false, true
    from source_person h
    where company = %(company)s and source = %(source)s and lists
        and not exists (select from seen_client s where s.client_id = h.client_id)
"""

GONE = """
    insert into client_change (client_id, p, account, removed, profile, category, payment_mode, currency,
        salesperson, email_domain, is_said, is_handed)
    select client_id, p, account, true, profile, category, payment_mode, currency, salesperson, email_domain, true,
        false
    from source_client c
    where company = %(company)s and not removed
        and client_id in (select client_id from change where removed
            union all select client_id from client_change where person = %(nobody)s::uuid)
        and not exists (select from source_row r where r.company = c.company and r.client_id = c.client_id
            and not r.removed)
        and not exists (select from source_person h where h.company = c.company and h.client_id = c.client_id
            and h.lists)
        and not exists (select from keyed_client k where k.company = c.company and k.client_id = c.client_id
            and not k.removed)
"""

REMEMBER = """
    insert into source_client (company, client_id, p, account, profile, category, payment_mode, currency,
        salesperson, email_domain, removed)
    select %(company)s, client_id, p, account, profile, category, payment_mode, currency, salesperson,
        email_domain, removed
    from client_change where is_said or email_domain is not null
    on conflict (company, client_id) do update set account = excluded.account, profile = excluded.profile,
        category = excluded.category, payment_mode = excluded.payment_mode, currency = excluded.currency,
        salesperson = excluded.salesperson, email_domain = excluded.email_domain, removed = excluded.removed
"""

REMEMBER_PEOPLE = """
    insert into source_person (company, source, client_id, person, lists)
    select %(company)s, %(source)s, client_id, person, %(lists)s and person <> %(nobody)s::uuid
    from client_change where is_handed
    on conflict (company, source, client_id) do update set person = excluded.person, lists = excluded.lists
"""

EVENTS = """
    select p, string_agg(client, ',' order by client_id collate "C")
    from (
        select p, client_id, (row_number() over (partition by p order by client_id collate "C") - 1) / %s as part,
            json_strip_nulls(json_build_object('client_id', client_id, 'account', account, 'removed', removed,
                'profile', nullif(profile, ''), 'category', nullif(category, ''),
                'payment_mode', nullif(payment_mode, ''), 'currency', nullif(currency, ''),
                'salesperson', nullif(salesperson, '')))::text as client
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


async def compare(  # noqa: PLR0913, PLR0917 what a source tells
    connection: Connection, company: str, book: str, read: Read, staging: Staging, account: str, domain: str | None
) -> None:
    """Fill ``client_change``: clients that are new, changed, renamed or back. Where neither this source nor
    another told an account, it is ``account``. A source of contacts says nothing of clients themselves."""
    await connection.execute(STAGE)
    async with connection.cursor().copy("copy seen_client from stdin") as copy:
        for client_id, names in read.names.items():
            details = read.details.get(client_id)
            name = "" if read.holds == "contacts" else chosen_name(names, client_id)
            person = dumps(details.person, ensure_ascii=False, sort_keys=True) if details else None
            known = (
                (
                    details.profile,
                    details.category,
                    details.payment_mode,
                    details.currency,
                    details.salesperson,
                )
                if details
                else (None,) * 5
            )
            p, account_told = staging.partition(client_id), read.accounts.get(client_id)
            told = digest(f"{name}\x1f{person}" if person else name)
            await copy.write_row((client_id, p, account_told, name, told, *known, person))
    await connection.execute("analyze seen_client")
    values = {"company": company, "source": book, "domain": domain, "account": account}
    await connection.execute(COMPARE, values | {"only_people": read.holds == "contacts"})
    if read.holds != "entries" and not read.keeps_missing:
        unlisted = WITHOUT_CONTACTS if read.holds == "contacts" else UNLISTED
        await connection.execute(unlisted, values | {"nobody": NOBODY})


async def remember(connection: Connection, company: str, book: str, *, lists: bool) -> None:
    """Add the clients that are gone with their last line or from the last list, and make all this the last seen
    state. To be called when the lines are remembered."""
    values = {"company": company, "source": book, "lists": lists, "nobody": NOBODY}
    await connection.execute(REMEMBER_PEOPLE, values)
    await connection.execute(GONE, values)
    await connection.execute(REMEMBER, {"company": company})


async def changed(connection: Connection) -> int:
    """How many clients are new, changed, or told otherwise of their people."""
    cursor = await connection.execute("select count(*) from client_change")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


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
            "select client_id, name, email_domain, details from client_change where is_handed order by client_id"
        )
        while rows := await cursor.fetchmany(handing.at_once):
            contacts = {row[0]: (row[3] or {}).pop("contacts", None) for row in rows}
            salespeople = named_once((row[3] or {}).pop("salesperson", None) for row in rows)
            clients = [
                {
                    "client_id": client_id,
                    "name": name,
                    "emails": [invented_address(client_id, domain)] if domain else [],
                    **(details or {}),
                }
                for client_id, name, domain, details in rows
            ]
            _note(heads, await _call(handing, "/people", {"clients": clients, **salespeople}))
            told = {client_id: some for client_id, some in contacts.items() if some is not None}
            for named in in_calls(told):
                _note(heads, await _call(handing, "/contacts", named))
    async for labels in changes.labels(connection):
        # as PostgreSQL made it: there is one per line, too many to be taken apart on the way
        body = f'{{"labels":{labels}}}'.encode()
        await handing.ledger.put("/labels", company=handing.company, content=body, **handing.options)
    async for fields in changes.fields(connection, handing.company, handing.source):
        body = f'{{"fields":{fields}}}'.encode()
        await handing.ledger.put("/entry-fields", company=handing.company, content=body, **handing.options)
    return heads


def named_once(told: Iterable[dict[str, str] | None]) -> dict[str, list[dict[str, str]]]:
    """Sales people that clients name, each once, as a member of what ledger takes; none where nobody is named."""
    named = {one["code"]: one for one in told if one}
    return {"salespeople": [named[code] for code in sorted(named)]} if named else {}


def in_calls(told: Mapping[str, list[dict[str, str]]]) -> Iterator[dict[str, list[Any]]]:
    """The contacts of clients in bodies that ledger takes: a client's are never parted."""
    named: dict[str, list[Any]] = {"contacts": [], "client_ids": []}
    for client_id, contacts in told.items():
        if named["client_ids"] and len(named["contacts"]) + len(contacts) > CONTACTS_PER_CALL:
            yield named
            named = {"contacts": [], "client_ids": []}
        named["client_ids"].append(client_id)
        named["contacts"] += [{"client_id": client_id, **contact} for contact in contacts]
    if named["client_ids"]:
        yield named


async def _call(handing: Handing, path: str, told: dict[str, Any]) -> list[str]:
    body = {"source": handing.source, **told}
    answer = await handing.ledger.post(path, company=handing.company, json=body, **handing.options)
    positions: list[str] = answer.get("positions") or []
    return positions


def _note(heads: dict[int, int], positions: list[str]) -> None:
    for text in positions:
        position = Position.parse(text)
        heads[position.partition] = max(heads.get(position.partition, 0), position.number)
