"""Clients as a live base shows them, and their people: handed to ledger before anything is said about them.

Names, addresses and contacts are personal: they pass through, only digests of them stay here.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from chassis.eventlog import Position
from services.sync import keyed
from services.sync.changes import ENTRIES_PER_EVENT, Connection
from services.sync.people import Handing, in_calls, named_once

STAGE = """
    create temp table delivered_client (
        line integer, pass smallint, client_id text, p smallint, state uuid, person_state uuid, contacts integer,
        client text, person jsonb, contact jsonb
    ) on commit drop;
    create temp table keyed_client_change (
        client_id text, p smallint, state uuid, person_state uuid, contacts integer, removed boolean, client text,
        person jsonb, contact jsonb, is_said boolean, is_handed boolean
    ) on commit drop;
"""
COLUMNS = (
    "line", "pass", "client_id", "p", "state", "person_state", "contacts", "client", "person", "contact",
)  # fmt: skip

TWICE = """
    select client_id, min(line), max(line) from delivered_client group by pass, client_id
    having count(distinct (state, person_state)) > 1 order by client_id limit 20
"""

# the last pass of a complete delivery shows all clients anew: those of an earlier one may be gone since
LATEST = """
    create temp table latest_client on commit drop as
    select distinct on (client_id) * from delivered_client
    where not {complete} or pass = (select max(pass) from delivered_client)
    order by client_id, line desc
"""

# who was erased once is handed over each time: ledger alone knows whether the person is admitted again
CHANGED = """
    insert into keyed_client_change
    select l.client_id, l.p, l.state, l.person_state, l.contacts, false, l.client, l.person, l.contact,
        k.client_id is null or k.removed or k.state <> l.state,
        k.client_id is null or k.removed or k.person <> l.person_state or erased.client_id is not null
    from latest_client l left join keyed_client k
        on k.company = %(company)s and k.source = %(source)s and k.client_id = l.client_id
        left join erased_person erased on erased.company = %(company)s and erased.client_id = l.client_id
    where k.client_id is null or k.removed or k.state <> l.state or k.person <> l.person_state
        or erased.client_id is not null
"""

# a client that another source still shows is not gone
GONE = """
    insert into keyed_client_change
    select k.client_id, k.p, k.state, k.person, 0, true, k.client, null, null,
        not exists (select from keyed_client other where other.company = k.company
            and other.client_id = k.client_id and other.source <> k.source and not other.removed)
        and not exists (select from source_client file where file.company = k.company
            and file.client_id = k.client_id and not file.removed),
        false
    from keyed_client k
    where k.company = %(company)s and k.source = %(source)s and not k.removed
        and not exists (select from latest_client l where l.client_id = k.client_id)
"""

REMEMBER = """
    insert into keyed_client (company, source, client_id, p, state, person, contacts, removed, client)
    select %(company)s, %(source)s, client_id, p, state, person_state, contacts, removed, client
    from keyed_client_change
    on conflict (company, source, client_id) do update set state = excluded.state, person = excluded.person,
        contacts = excluded.contacts, removed = excluded.removed, client = excluded.client
"""

HELD = """
    select count(*), coalesce(sum(contacts), 0)::bigint from keyed_client
    where company = %(company)s and source = %(source)s and not removed
"""

EVENTS = """
    select p, string_agg('{"removed":' || removed || ',' || client || '}', ',' order by client_id collate "C")
    from (
        select p, client_id, removed, client,
            (row_number() over (partition by p order by client_id collate "C") - 1) / %s as part
        from keyed_client_change where is_said
    ) numbered
    group by p, part order by p, part
"""


@dataclass(frozen=True)
class Held:
    """What sync holds of a source: live clients and their contacts."""

    clients: int
    contacts: int


async def stage(connection: Connection) -> None:
    await connection.execute(STAGE)


async def twice(connection: Connection) -> list[tuple[str, int, int]]:
    """(client, line, later line) of clients that one pass delivers twice, and differently."""
    return await (await connection.execute(TWICE)).fetchall()


async def compare(connection: Connection, company: str, source: str, *, complete: bool) -> int:
    """Fill ``keyed_client_change``; answer how many clients changed. ``complete``: all clients were delivered."""
    values = {"company": company, "source": source}
    await connection.execute(LATEST.format(complete=complete))
    await connection.execute("analyze latest_client")
    await connection.execute(CHANGED, values)
    if complete:
        await connection.execute(GONE, values)
    row = await (await connection.execute("select count(*) from keyed_client_change")).fetchone()
    assert row is not None
    return int(row[0])


async def remember(connection: Connection, company: str, source: str) -> None:
    """Make the delivered state the last seen one."""
    await connection.execute(REMEMBER, {"company": company, "source": source})


async def held(connection: Connection, company: str, source: str) -> Held:
    row = await (await connection.execute(HELD, {"company": company, "source": source})).fetchone()
    assert row is not None
    return Held(*row)


async def partitions(connection: Connection) -> list[int]:
    """Partitions in which clients are said."""
    cursor = await connection.execute("select distinct p from keyed_client_change where is_said order by p")
    return [row[0] for row in await cursor.fetchall()]


async def events(connection: Connection) -> AsyncIterator[tuple[int, str]]:
    """(partition, JSON of the clients with commas between) of each event to say, by ascending partition."""
    async with connection.cursor(name="keyed_client_events") as cursor:
        await cursor.execute(EVENTS, (ENTRIES_PER_EVENT,))
        async for p, clients in cursor:
            yield p, clients


async def hand_over(connection: Connection, handing: Handing) -> dict[int, int]:
    """Give new people and texts to ledger, in bulk; answers how far its partitions went. Twice is harmless.

    Raises ``NeighbourUnreachable`` and ``NeighbourRefused``.
    """
    heads: dict[int, int] = {}
    async with connection.cursor(name="keyed_people") as cursor:
        await cursor.execute(
            "select client_id, person, contact from keyed_client_change where is_handed order by client_id"
        )
        while rows := await cursor.fetchmany(handing.at_once):
            salespeople = named_once(person.pop("salesperson", None) for _, person, _ in rows)
            people = [{"client_id": client_id, **person} for client_id, person, _ in rows]
            await _call(heads, handing, "/people", clients=people, **salespeople)
            for named in in_calls({client_id: told for client_id, _, told in rows}):
                await _call(heads, handing, "/contacts", **named)
    async for labels in keyed.labels(connection):
        body = f'{{"labels":{labels}}}'.encode()
        await handing.ledger.put("/labels", company=handing.company, content=body, **handing.options)
    async for fields in keyed.fields(connection):
        body = f'{{"fields":{fields}}}'.encode()
        await handing.ledger.put("/entry-fields", company=handing.company, content=body, **handing.options)
    return heads


async def _call(heads: dict[int, int], handing: Handing, path: str, **parts: list[Any]) -> None:
    body = {"source": handing.source, **parts}
    answer = await handing.ledger.post(path, company=handing.company, json=body, **handing.options)
    for text in answer.get("positions") or []:
        position = Position.parse(text)
        heads[position.partition] = max(heads.get(position.partition, 0), position.number)
