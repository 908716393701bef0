"""The clients that a decision needs, whole and in bulk: a few set-based queries, no matter how many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from contracts.subjects import partition_of
from services.dunning.domain.sayings import Exclusion
from services.dunning.domain.state import NEVER_ENTERED, ClientState, EntryState, HeldEntry, OpenAction

CLIENTS = """
    select s.client_id, coalesce(c.chosen_profile, c.profile), coalesce(c.has_email, false),
        coalesce(c.stopped, false), c.payment_mode, d.verdicts::text
    from unnest(%(clients)s::text[]) s(client_id)
    left join client c on c.company = %(company)s and c.client_id = s.client_id
    left join decided d on d.company = %(company)s and d.client_id = s.client_id
"""

ENTRIES = """
    select e.client_id, l.exhausted,
        e.entry_id, e.currency, (e.amount * 10000)::bigint, (e.book_amount * 10000)::bigint, e.due_date,
        e.counted_on, e.payment_mode, coalesce(l.level, 0), l.reminded_on, l.noticed_on, st.p is not null,
        e.lettering is not null, e.reopened_on, pr.first_on, pr.last_on
    from entry e
    left join entry_level l using (company, client_id, entry_id)
    left join entry_stop st using (company, client_id, entry_id)
    left join (
        select client_id, entry_id, min(promised_on) as first_on, max(promised_on) as last_on from promise
        where company = %(company)s and client_id = any(%(clients)s) group by client_id, entry_id
    ) pr using (client_id, entry_id)
    where e.company = %(company)s and e.client_id = any(%(clients)s) and not e.removed and e.lettering is null
    union all
    select e.client_id, l.exhausted,
        e.entry_id, e.currency, (e.amount * 10000)::bigint, (e.book_amount * 10000)::bigint, e.due_date,
        e.counted_on, e.payment_mode, coalesce(l.level, 0), l.reminded_on, l.noticed_on,
        exists (select from entry_stop st where (st.company, st.client_id, st.entry_id)
            = (e.company, e.client_id, e.entry_id)),
        true, e.reopened_on,
        (select min(promised_on) from promise pr where pr.company = e.company and pr.client_id = e.client_id
            and pr.entry_id = e.entry_id),
        (select max(promised_on) from promise pr where pr.company = e.company and pr.client_id = e.client_id
            and pr.entry_id = e.entry_id)
    from lettering_error x
    join entry e using (company, client_id, account, lettering)
    left join entry_level l using (company, client_id, entry_id)
    where x.company = %(company)s and x.client_id = any(%(clients)s) and not e.removed
"""

OPEN_ACTIONS = """
    select client_id, a.action_id, a.step, a.medium, a.template, a.currency, a.mode, a.status = 'due',
        a.accepted_reasons, h.entry_id, h.occurrence, (h.amount * 10000)::bigint, h.due_date
    from action a join action_entry h using (company, client_id, action_id)
    where company = %(company)s and client_id = any(%(clients)s) and a.status in ('proposed', 'due')
    order by client_id, a.action_id
"""

ENTERED = """
    select client_id, entry_id, step, max(occurrence) from action_entry
    where company = %(company)s and client_id = any(%(clients)s) group by client_id, entry_id, step
"""

EXCLUSIONS = """
    select client_id, entry_id, step, reasons from exclusion
    where company = %(company)s and client_id = any(%(clients)s)
"""


NO_VERDICTS = "{}"


@dataclass(slots=True)
class Known:
    """A client, and what was last decided and said about it. ``verdicts`` are JSON as ``recording`` writes it."""

    state: ClientState
    verdicts: str = NO_VERDICTS
    exclusions: dict[str, Exclusion] = field(default_factory=dict)
    exhausted: set[str] = field(default_factory=set)


async def load(tx: AsyncConnection, company: str, clients: Sequence[str]) -> dict[str, Known]:
    """The clients as they are now, by id. Lock them first (``lock``) to decide on them."""
    connection = await driver(tx)
    ask = {"company": company, "clients": list(clients)}
    entered = await _entered(connection, ask)
    known = {client: Known(ClientState(company, client, None, False, False, None, ())) for client in clients}
    entries: dict[str, list[EntryState]] = {}
    for client, exhausted, *columns in await _rows(connection, ENTRIES, ask):
        columns.append(entered.get((client, columns[0]), NEVER_ENTERED))
        entries.setdefault(client, []).append(EntryState._make(columns))
        if exhausted:
            known[client].exhausted.add(columns[0])
    actions = await _open_actions(connection, ask)
    for client, profile, has_email, stopped, payment_mode, verdicts in await _rows(connection, CLIENTS, ask):
        known[client].verdicts = verdicts or NO_VERDICTS
        known[client].state = ClientState(
            company,
            client,
            profile,
            has_email,
            stopped,
            payment_mode,
            tuple(entries.get(client, ())),
            tuple(actions.get(client, ())),
        )
    for client, entry_id, step, reasons in await _rows(connection, EXCLUSIONS, ask):
        known[client].exclusions[entry_id] = (step, tuple(reasons))
    return known


async def lock(tx: AsyncConnection, company: str, clients: Sequence[str]) -> None:
    """Nothing about these clients changes, and nobody else decides on them, before this transaction ends."""
    connection = await driver(tx)
    await connection.execute(
        "select from schedule where company = %(company)s and client_id = any(%(clients)s)"
        " and p = any(%(ps)s) order by p, client_id for update",
        {"company": company, "clients": list(clients), "ps": partitions(company, clients)},
    )


def partitions(company: str, clients: Sequence[str]) -> list[int]:
    return sorted({partition_of(company, client) for client in clients})


async def _rows(
    connection: psycopg.AsyncConnection[Any], query: str, ask: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    async with connection.cursor() as cursor:
        # a plan kept from when the tables were small would read them whole for ever
        await cursor.execute(query, ask, prepare=False)
        return await cursor.fetchall()


async def _entered(
    connection: psycopg.AsyncConnection[Any], ask: Mapping[str, object]
) -> dict[tuple[str, str], dict[str, int]]:
    entered: dict[tuple[str, str], dict[str, int]] = {}
    for client, entry_id, step, times in await _rows(connection, ENTERED, ask):
        entered.setdefault((client, entry_id), {})[step] = times
    return entered


async def _open_actions(
    connection: psycopg.AsyncConnection[Any], ask: Mapping[str, object]
) -> dict[str, list[OpenAction]]:
    heads: dict[UUID, tuple[Any, ...]] = {}
    held: dict[UUID, list[HeldEntry]] = {}
    for row in await _rows(connection, OPEN_ACTIONS, ask):
        heads[row[1]] = row
        held.setdefault(row[1], []).append(HeldEntry(*row[9:]))
    actions: dict[str, list[OpenAction]] = {}
    for action_id, (client, _, step, medium, template, currency, mode, due, accepted, *_) in heads.items():
        opened = OpenAction(
            action_id,
            step,
            medium,
            template,
            currency,
            mode,
            due,
            frozenset(accepted),
            tuple(held[action_id]),
        )
        actions.setdefault(client, []).append(opened)
    return actions
