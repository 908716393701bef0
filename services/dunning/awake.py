"""Clients of which only the lines that may have changed are read: those awake, and what the others come to.

Awake is what the last decision did not leave asleep, whose day has come, that an open action holds, or that was
heard of since (``schedule.touched``). The rest is known from the verdicts. What may rest says ``domain/narrow``.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.items import NOTHING
from services.dunning.states import Around, Known, Needs, entered_of, rows
from services.dunning.verdicts_kept import Kept, kept_on

# The lines of a client lie beside each other in an index, and are found together. What is known of few lines is
# found client by client and joined, which costs less.
ASKED = """
    asked as materialized (
        select client_id, string_to_array(ids, %(between)s) as ids
        from unnest(%(owners)s::text[], %(ids)s::text[]) as told(client_id, ids)
    )
"""
ENTRIES = f"""
    with {ASKED},
    those as materialized (select unnest(%(clients)s::text[]) as client_id),
    stops as (
        select s.* from those cross join lateral (
            select client_id, entry_id, p, resumes_on from entry_stop
            where company = %(company)s and client_id = those.client_id offset 0
        ) s
    ),
    promises as (
        select s.client_id, s.entry_id, min(promised_on) as first_on, max(promised_on) as last_on
        from those cross join lateral (
            select client_id, entry_id, promised_on from promise
            where company = %(company)s and client_id = those.client_id offset 0
        ) s group by s.client_id, s.entry_id
    ),
    disputes as (
        select distinct d.client_id, d.entry_id from those cross join lateral (
            select client_id, entry_id from dispute
            where company = %(company)s and client_id = those.client_id and entry_id is not null offset 0
        ) d
    ),
    payments as (
        select p.client_id, p.entry_id, max(paid_on) as paid_on from those cross join lateral (
            select client_id, entry_id, paid_on from online_payment
            where company = %(company)s and client_id = those.client_id offset 0
        ) p group by p.client_id, p.entry_id
    )
    select asked.client_id, l.exhausted,
        e.entry_id, e.currency, (e.amount * 10000)::bigint, (e.book_amount * 10000)::bigint, e.due_date,
        e.counted_on, e.payment_mode, coalesce(l.level, 0), l.reminded_on, l.noticed_on, st.p is not null,
        e.lettering is not null, e.reopened_on, pr.first_on, pr.last_on, st.resumes_on, di.client_id is not null,
        l.next_step is not null, l.automatic, py.paid_on
    from asked
    cross join lateral (
        select * from entry where company = %(company)s and client_id = asked.client_id
            and entry_id = any(asked.ids) and not removed offset 0
    ) e
    left join lateral (
        select * from entry_level where company = %(company)s and client_id = asked.client_id
            and entry_id = e.entry_id offset 0
    ) l on true
    left join stops st on st.client_id = asked.client_id and st.entry_id = e.entry_id
    left join promises pr on pr.client_id = asked.client_id and pr.entry_id = e.entry_id
    left join disputes di on di.client_id = asked.client_id and di.entry_id = e.entry_id
    left join payments py on py.client_id = asked.client_id and py.entry_id = e.entry_id
    where e.lettering is null or exists (
        select from lettering_error where company = %(company)s and client_id = asked.client_id
            and account = e.account and lettering = e.lettering
    )
"""  # noqa: S608 - a fragment of this file

ENTERED = f"""
    with {ASKED}
    select asked.client_id, h.entry_id, h.step, h.occurrence from asked
    cross join lateral (
        select entry_id, step, max(occurrence) as occurrence from action_entry
        where company = %(company)s and client_id = asked.client_id and entry_id = any(asked.ids)
        group by entry_id, step offset 0
    ) h
"""  # noqa: S608


class Looked(NamedTuple):
    """A client with its lines that are awake, and the others as they are kept."""

    known: Known
    asleep: Sequence[str]


async def load_awake(
    tx: AsyncConnection, company: str, touched: Mapping[str, Collection[str]], as_of: date, needs: Needs
) -> dict[str, Looked]:
    """These clients with their lines that are awake on ``as_of``; without those of whom nothing is kept, or
    nothing that can be read so.

    ``touched`` are, by client, the entries heard of since the last decision. Lock the clients first.
    """
    connection = await driver(tx)
    ask: dict[str, object] = {"company": company, "clients": list(touched)}
    around = await Around.read(connection, ask, needs)
    kept: dict[str, Kept] = {}
    for client, verdicts, *_ in around.heads:
        if verdicts is None:
            continue
        also = set(touched[client])
        for action in around.actions.get(client, ()):
            also.update([held.entry_id for held in action.entries])
        if (known_before := kept_on(verdicts, also, as_of)) is not None:
            kept[client] = known_before
    around.heads = [row for row in around.heads if row[0] in kept]
    lines = await rows(connection, ENTRIES, ask | _columns({client: one.awake for client, one in kept.items()}))
    spoken_of: dict[str, list[str]] = {}
    for line in lines:
        spoken_of.setdefault(line[0], []).append(line[2])
    for line in around.paid:
        if line[3] is not None:
            spoken_of.setdefault(line[0], []).append(line[3])
    entered = entered_of(await rows(connection, ENTERED, ask | _columns(spoken_of)))
    resting = {client: one.resting for client, one in kept.items()}
    found = {}
    for client, known in around.known(company, lines, entered, resting).items():
        one = kept[client]
        known.exclusions = one.exclusions
        found[client] = Looked(known, one.asleep)
    return found


def _columns(ids: Mapping[str, Collection[str]]) -> dict[str, object]:
    return {"owners": list(ids), "ids": [NOTHING.join(some) for some in ids.values()], "between": NOTHING}
