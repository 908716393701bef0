"""The clients that a decision needs, whole and in bulk: a few set-based queries, no matter how many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, Self
from uuid import UUID

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from contracts.subjects import partition_of
from services.dunning.domain.sayings import Exclusion
from services.dunning.domain.state import (
    NEVER_ENTERED,
    NOTHING_RESTS,
    ClientState,
    Contact,
    EntryState,
    HeldEntry,
    OpenAction,
    Resting,
)
from services.dunning.thanking import PAID, paid_groups
from services.dunning.verdicts_kept import NO_VERDICTS

# Every table is reached client by client (``offset 0`` keeps it so): a plan that reads one whole for each chunk of
# a round, because statistics are young, would make the round's time grow with the square of the book.

CLIENTS = """
    select asked.client_id, d.verdicts, coalesce(o.profile, c.chosen_profile, c.profile),
        coalesce(c.has_email, false), coalesce(c.stopped, false), c.payment_mode, c.resumes_on,
        exists (select from dispute where company = %(company)s and client_id = asked.client_id
            and entry_id is null),
        coalesce(o.never, false), o.tolerance_days, (o.tolerance_amount * 10000)::bigint
    from unnest(%(clients)s::text[]) asked(client_id)
    left join lateral (
        select * from client where company = %(company)s and client_id = asked.client_id offset 0
    ) c on true
    left join lateral (
        select verdicts from decided where company = %(company)s and client_id = asked.client_id offset 0
    ) d on true
    left join lateral (
        select * from client_policy where company = %(company)s and client_id = asked.client_id offset 0
    ) o on true
"""

ENTRIES = """
    with asked as materialized (select unnest(%(clients)s::text[]) as client_id),
    open as (
        select e.*, false as in_error from asked cross join lateral (
            select * from entry where company = %(company)s and client_id = asked.client_id
                and not removed and lettering is null offset 0
        ) e
        union all
        select e.*, true from asked cross join lateral (
            select * from lettering_error where company = %(company)s and client_id = asked.client_id offset 0
        ) x cross join lateral (
            select * from entry where company = %(company)s and client_id = asked.client_id
                and account = x.account and lettering = x.lettering and not removed offset 0
        ) e
    ),
    levels as (
        select l.* from asked cross join lateral (
            select * from entry_level where company = %(company)s and client_id = asked.client_id offset 0
        ) l
    ),
    stops as (
        select s.* from asked cross join lateral (
            select * from entry_stop where company = %(company)s and client_id = asked.client_id offset 0
        ) s
    ),
    promises as (
        select asked.client_id, s.* from asked cross join lateral (
            select entry_id, min(promised_on) as first_on, max(promised_on) as last_on from promise
            where company = %(company)s and client_id = asked.client_id group by entry_id offset 0
        ) s
    ),
    disputes as (
        select distinct asked.client_id, d.entry_id from asked cross join lateral (
            select * from dispute where company = %(company)s and client_id = asked.client_id
                and entry_id is not null offset 0
        ) d
    ),
    payments as (
        select asked.client_id, p.* from asked cross join lateral (
            select entry_id, max(paid_on) as paid_on from online_payment
            where company = %(company)s and client_id = asked.client_id group by entry_id offset 0
        ) p
    )
    select open.client_id, l.exhausted,
        entry_id, open.currency, (open.amount * 10000)::bigint, (open.book_amount * 10000)::bigint, open.due_date,
        open.counted_on, open.payment_mode, coalesce(l.level, 0), l.reminded_on, l.noticed_on, st.p is not null,
        open.in_error, open.reopened_on, pr.first_on, pr.last_on, st.resumes_on, di.client_id is not null,
        l.next_step is not null, l.automatic, py.paid_on
    from open
    left join levels l using (client_id, entry_id)
    left join stops st using (client_id, entry_id)
    left join promises pr using (client_id, entry_id)
    left join disputes di using (client_id, entry_id)
    left join payments py using (client_id, entry_id)
"""

OPEN_ACTIONS = """
    select a.client_id, a.action_id, a.step, a.medium, a.template, a.currency, a.mode, a.status = 'due',
        a.accepted_reasons, a.opened_on, a.copies, a.by_hand, h.entry_id, h.occurrence,
        (h.amount * 10000)::bigint, h.due_date
    from unnest(%(clients)s::text[]) asked(client_id)
    cross join lateral (
        select * from action where company = %(company)s and client_id = asked.client_id
            and status in ('proposed', 'due') and counts offset 0
    ) a
    cross join lateral (
        select * from action_entry where company = %(company)s and client_id = asked.client_id
            and action_id = a.action_id offset 0
    ) h
    order by a.client_id, a.action_id
"""

ENTERED = """
    select asked.client_id, e.* from unnest(%(clients)s::text[]) asked(client_id)
    cross join lateral (
        select entry_id, step, max(occurrence) from action_entry
        where company = %(company)s and client_id = asked.client_id group by entry_id, step offset 0
    ) e
"""

CONTACTS = """
    select asked.client_id, k.* from unnest(%(clients)s::text[]) asked(client_id)
    cross join lateral (
        select max(made.contacted_on) as last_on, made.round_on from (
            select c.contacted_on, a.opened_on as round_on from contact c
            left join action a on a.company = c.company and a.action_id = c.action_id and not a.by_hand
            where c.company = %(company)s and c.client_id = asked.client_id
            union all
            select contacted_on, round_on from contact_before
            where company = %(company)s and client_id = asked.client_id
        ) made
        group by made.round_on order by last_on desc, made.round_on desc nulls last limit 2
    ) k
"""

SYNCED = "select synced_on from company_sync where company = %(company)s"

EXCLUSIONS = """
    select asked.client_id, x.* from unnest(%(clients)s::text[]) asked(client_id)
    cross join lateral (
        select entry_id, step, reasons, until from exclusion
        where company = %(company)s and client_id = asked.client_id offset 0
    ) x
"""

Connection = psycopg.AsyncConnection[Any]
Entered = Mapping[tuple[str, str], Mapping[str, int]]
NONE_REST: Mapping[str, Resting] = {}


@dataclass(slots=True)
class Known:
    """A client, and what was last decided and said about it. ``verdicts`` are JSON (``verdicts_kept``)."""

    state: ClientState
    verdicts: str = NO_VERDICTS
    exclusions: dict[str, Exclusion] = field(default_factory=dict)
    exhausted: set[str] = field(default_factory=set)


class Needs(NamedTuple):
    """What the rules ask of a client besides the client and its lines."""

    contacts: bool = True
    payments: bool = True


EVERYTHING = Needs()


@dataclass(slots=True)
class Around:
    """What is known of clients besides their lines."""

    heads: list[tuple[Any, ...]]
    """A row of ``CLIENTS`` each."""
    actions: dict[str, list[OpenAction]]
    paid: list[tuple[Any, ...]]
    contacts: dict[str, list[Contact]]
    synced_on: date | None

    @classmethod
    async def read(cls, connection: Connection, ask: Mapping[str, object], needs: Needs) -> Self:
        """``ask`` holds ``company`` and ``clients``."""
        contacts: dict[str, list[Contact]] = {}
        if needs.contacts:
            for client, on, round_on in await rows(connection, CONTACTS, ask):
                contacts.setdefault(client, []).append(Contact(on, round_on))
        return cls(
            heads=await rows(connection, CLIENTS, ask),
            actions=await _open_actions(connection, ask),
            paid=await rows(connection, PAID, ask) if needs.payments else [],
            contacts=contacts,
            synced_on=next((on for (on,) in await rows(connection, SYNCED, ask)), None),
        )

    def known(
        self,
        company: str,
        lines: Iterable[tuple[Any, ...]],
        entered: Entered,
        resting: Mapping[str, Resting] = NONE_REST,
    ) -> dict[str, Known]:
        """The clients with these lines: rows of ``ENTRIES``, how often each has entered each step, and what the
        others come to."""
        entries: dict[str, list[EntryState]] = {}
        exhausted: dict[str, set[str]] = {}
        for row in lines:
            client, entry_id = row[0], row[2]
            entry = EntryState._make((*row[2:], entered.get((client, entry_id), NEVER_ENTERED)))
            entries.setdefault(client, []).append(entry)
            if row[1]:
                exhausted.setdefault(client, set()).add(entry_id)
        paid = paid_groups(self.paid, entered)
        known: dict[str, Known] = {}
        for client, verdicts, *columns in self.heads:
            (
                profile,
                has_email,
                stopped,
                payment_mode,
                resumes_on,
                disputed,
                never,
                tolerance_days,
                tolerated,
            ) = columns
            state = ClientState(
                company,
                client,
                profile,
                has_email,
                stopped,
                payment_mode,
                tuple(entries.get(client, ())),
                tuple(self.actions.get(client, ())),
                resumes_on,
                disputed,
                never,
                tolerance_days,
                tolerated,
                tuple(self.contacts.get(client, ())),
                self.synced_on,
                tuple(paid.get(client, ())),
                resting.get(client, NOTHING_RESTS),
            )
            known[client] = Known(state, verdicts or NO_VERDICTS, exhausted=exhausted.get(client, set()))
        return known


async def load(
    tx: AsyncConnection, company: str, clients: Sequence[str], needs: Needs = EVERYTHING
) -> dict[str, Known]:
    """The clients as they are now, by id. Lock them first (``lock``) to decide on them."""
    connection = await driver(tx)
    ask = {"company": company, "clients": list(clients)}
    around = await Around.read(connection, ask, needs)
    entered = entered_of(await rows(connection, ENTERED, ask))
    known = around.known(company, await rows(connection, ENTRIES, ask), entered)
    for client, entry_id, step, reasons, until in await rows(connection, EXCLUSIONS, ask):
        known[client].exclusions[entry_id] = (step, tuple(reasons), until)
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


async def rows(connection: Connection, query: str, ask: Mapping[str, object]) -> list[tuple[Any, ...]]:
    async with connection.cursor() as cursor:
        # a plan kept from when the tables were small would read them whole for ever
        await cursor.execute(query, ask, prepare=False)
        return await cursor.fetchall()


def entered_of(found: Iterable[tuple[str, str, str, int]]) -> Entered:
    """By client and entry: how often it has entered each step."""
    entered: dict[tuple[str, str], dict[str, int]] = {}
    for client, entry_id, step, times in found:
        entered.setdefault((client, entry_id), {})[step] = times
    return entered


async def _open_actions(connection: Connection, ask: Mapping[str, object]) -> dict[str, list[OpenAction]]:
    heads: dict[UUID, tuple[Any, ...]] = {}
    held: dict[UUID, list[HeldEntry]] = {}
    for row in await rows(connection, OPEN_ACTIONS, ask):
        heads[row[1]] = row
        held.setdefault(row[1], []).append(HeldEntry(*row[12:]))
    actions: dict[str, list[OpenAction]] = {}
    for action_id, (
        client,
        _,
        step,
        medium,
        template,
        currency,
        mode,
        due,
        accepted,
        opened_on,
        copies,
        by_hand,
        *_,
    ) in heads.items():
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
            opened_on,
            tuple(copies),
            by_hand,
        )
        actions.setdefault(client, []).append(opened)
    return actions
