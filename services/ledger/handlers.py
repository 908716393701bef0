"""What ledger does on hearing sync, and when a day begins: load, decide, say."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver, transaction
from chassis.eventlog import Cause, Delivered, Position, Said, Say
from chassis.projection import React
from chassis.running import Running
from contracts.ledger import PaymentLettered, PromiseBroken
from contracts.sync import ClientsSynced, SyncCompleted
from services.ledger import queries
from services.ledger.domain import (
    ClientSeen,
    ClientState,
    DayCame,
    EntryFacts,
    Group,
    GroupLine,
    GroupSeen,
    Promise,
    decide,
    evolve,
)
from services.ledger.together import together

ACTOR = "service:ledger"

ADD_MILESTONES = text(
    """
    insert into milestone (company, run_id, p, number, as_of, correlation_id, causation_id, traceparent)
    select :company, :run_id, p, number, :as_of, :correlation_id, :causation_id, :traceparent
    from unnest(cast(:ps as smallint[]), cast(:numbers as bigint[])) as named(p, number)
    on conflict do nothing
    """
)

MILESTONES_AT_ONCE = 8
"""Partitions of one run that are judged in one transaction."""

TAKE_MILESTONES = text(
    """
    with next as materialized (
        select m.company, m.run_id
        from milestone m join checkpoint heard on heard.speaker = 'sync' and heard.p = m.p
        where heard.pseq >= m.number
        order by m.number
        limit 1
        for update of m skip locked
    )
    delete from milestone
    where (company, run_id, p) in (
        select m.company, m.run_id, m.p
        from next join milestone m using (company, run_id)
            join checkpoint heard on heard.speaker = 'sync' and heard.p = m.p
        where heard.pseq >= m.number
        order by m.p
        limit :most
        for update of m skip locked)
    returning company, p, number, as_of, correlation_id, causation_id, traceparent
    """
)

# one statement, so one snapshot: a later run that touches a group again is seen in both tables or in neither;
# the groups, then all lettered lines of their clients, which the primary key finds client by client: a join would
# read the whole company for the groups of one partition
TAKE_GROUPS = """
    with due as (
        delete from touched_group touched
        using unnest(%(ps)b::smallint[], %(numbers)b::bigint[]) as heard(p, number)
        where touched.company = %(company)s and touched.p = heard.p and touched.number <= heard.number
        returning client_id, account, lettering
    )
    select client_id, account, lettering, null as entry_id, null as kind, null as entry_date, null as book_amount
    from due
    union all
    select e.client_id, e.account, e.lettering, e.entry_id, e.kind, e.entry_date, e.book_amount
    from (select distinct client_id from due) touched
    cross join lateral (
        select * from entry
        where company = %(company)s and client_id = touched.client_id and lettering is not null and not removed
        offset 0
    ) e
"""

# texts come before the lines they belong to: only now is it known whose they are
FORGET_TEXTS = text(
    """
    with of_erased as materialized (
        select e.entry_id from erased_person erased
        cross join lateral (
            select entry_id from entry
            where company = erased.company and client_id = erased.client_id and p = any(:ps) offset 0
        ) e
        where erased.company = :company
    ),
    forgotten as (
        delete from entry_field where company = :company and entry_id = any(array(select entry_id from of_erased))
    )
    delete from entry_label where company = :company and entry_id = any(array(select entry_id from of_erased))
    """
)

DAY_PASSED = text(
    """
    insert into day_passed (company, as_of) values (:company, :as_of)
    on conflict (company) do update set as_of = greatest(day_passed.as_of, excluded.as_of)
    """
)


async def on_clients_synced(say: Say, heard: list[Delivered]) -> None:
    """Accounting's facts of clients may have changed: say what others may know of them."""
    latest: dict[str, Delivered] = {}
    client_ids: dict[str, set[str]] = defaultdict(set)
    for event in heard:
        synced = event.parse()
        assert isinstance(synced, ClientsSynced)
        latest[event.company] = event
        client_ids[event.company].update(client.client_id for client in synced.clients)
    said = {
        company: together(
            company,
            await changed_clients(say.tx, company, sorted(client_ids[company]), latest[company].as_of),
        )
        for company in sorted(latest)
    }
    partitions = {event.partition_in(company) for company, events in said.items() for event in events}
    say.also_lock = partitions.union(say.also_lock)
    for company, events in said.items():
        await say(company, events, as_of=latest[company].as_of, cause=latest[company].cause(ACTOR))


async def changed_clients(
    tx: AsyncConnection,
    company: str,
    client_ids: Sequence[str],
    as_of: date,
    *,
    person_changed: bool = False,
) -> list[Said]:
    """Lock clients, put their facts together and answer what is to be said of those that changed.

    ``client_ids`` are sorted; clients that nobody spoke of yet begin here.
    """
    await queries.add_clients(tx, company, client_ids)
    states = await queries.lock_clients(tx, company, client_ids)
    facts = await queries.facts(tx, company, client_ids)
    return [
        Said(event, client_id)
        for client_id, state in states.items()
        for event in decide(state, ClientSeen(facts[client_id], person_changed), as_of)
    ]


async def on_sync_completed(say: Say, heard: list[Delivered]) -> None:
    """Remember how far each partition must be heard before the groups of this run are judged."""
    for event in heard:
        completed = event.parse()
        assert isinstance(completed, SyncCompleted)
        named = completed.positions.get("sync", {})
        parameters = {
            "company": event.company,
            "run_id": completed.run_id,
            "as_of": event.as_of,
            "correlation_id": event.correlation_id,
            "causation_id": event.event_id,
            "traceparent": event.traceparent,
            "ps": list(named),
            "numbers": list(named.values()),
        }
        await say.tx.execute(ADD_MILESTONES, parameters)


REACT: dict[str, React] = {"ClientsSynced": on_clients_synced, "SyncCompleted": on_sync_completed}


class SeenGroup(NamedTuple):
    client_id: str
    seen: GroupSeen


async def settle(running: Running) -> bool:
    """Judge the touched lettering groups of some partitions of one completed run; False when none is whole.

    A group is split over batches while a run is being heard, so errors are looked for only when the run's last
    number of the partition is applied (rule 2.8).
    """
    async with transaction(running.engine) as tx:
        milestones = (await tx.execute(TAKE_MILESTONES, {"most": MILESTONES_AT_ONCE})).all()
        if not milestones:
            return False
        milestone = milestones[0]
        heard = {one.p: one.number for one in milestones}
        await tx.execute(FORGET_TEXTS, {"company": milestone.company, "ps": list(heard)})
        groups = await _take_groups(tx, milestone.company, heard)
        states = await _states_for(tx, milestone.company, groups)
        said = []
        for client_id, seen in groups:
            for event in decide(states[client_id], seen, milestone.as_of):
                said.append(Said(event, client_id))
                # each group is judged once, so that its payments are told changes nothing for the others
                if not isinstance(event, PaymentLettered):
                    states[client_id] = evolve(states[client_id], event)
        cause = Cause(ACTOR, milestone.correlation_id, milestone.causation_id, milestone.traceparent)
        said = together(milestone.company, said)
        await running.say(tx)(milestone.company, said, as_of=milestone.as_of, cause=cause)
        return True


async def _take_groups(tx: AsyncConnection, company: str, heard: Mapping[int, int]) -> list[SeenGroup]:
    """``heard``: number by partition up to which a run is judged. Beneath SQLAlchemy: of a first import these are
    most lines of a book."""
    parameters = {"company": company, "ps": list(heard), "numbers": list(heard.values())}
    connection = await driver(tx)
    cursor = await connection.execute(TAKE_GROUPS.encode(), parameters, prepare=False)
    due: list[tuple[str, str, str]] = []
    lines: dict[tuple[str, str, str], list[GroupLine]] = defaultdict(list)
    for row in await cursor.fetchall():
        if row[3] is None:
            due.append(row[:3])
        else:
            lines[row[:3]].append(GroupLine._make(row[3:]))
    return [SeenGroup(key[0], GroupSeen(Group(*key[1:]), tuple(lines[key]))) for key in due]


async def _states_for(tx: AsyncConnection, company: str, groups: Sequence[SeenGroup]) -> dict[str, ClientState]:
    client_ids = sorted({group.client_id for group in groups})
    locked = await queries.lock_clients(tx, company, client_ids)
    promises = await queries.promises(tx, company, client_ids)
    errors = await queries.lettering_errors(tx, company, client_ids)
    payments = await queries.lettered_payments(
        tx, company, [(group.client_id, group.seen.group) for group in groups]
    )
    entries = await _promised_entries(tx, company, promises)
    return {
        client_id: replace(
            locked.get(client_id, ClientState(client_id)),
            promises=promises.get(client_id, {}),
            entries=entries.get(client_id, {}),
            lettering_errors=errors.get(client_id, {}),
            lettered_payments=payments.get(client_id, {}),
        )
        for client_id in client_ids
    }


async def _promised_entries(
    tx: AsyncConnection, company: str, promises: Mapping[str, Mapping[UUID, Promise]]
) -> dict[str, dict[str, EntryFacts]]:
    entry_ids = sorted({promise.entry_id for known in promises.values() for promise in known.values()})
    if not entry_ids:
        return {}
    return await queries.entries(tx, company, sorted(promises), entry_ids)


@dataclass(frozen=True, slots=True)
class DayBegun:
    """How many promises broke and how many stops ended."""

    positions: list[Position]
    broken: int
    resumed: int


async def begin_day(say: Say, company: str, as_of: date, cause: Cause) -> DayBegun:
    """Say which promises are broken on this day and which stops end (rules 8.1, 8.2, 10.2).

    Saying it again for the same day says nothing.
    """
    tx = say.tx
    client_ids = await queries.clients_touched_by_the_day(tx, company, as_of)
    states = await queries.lock_clients(tx, company, client_ids)
    promises = await queries.promises(tx, company, client_ids)
    stops = await queries.stopped_entries(tx, company, client_ids)
    entries = await _promised_entries(tx, company, promises)
    said = []
    for client_id, locked in states.items():
        state = replace(
            locked,
            promises=promises.get(client_id, {}),
            stopped_entries=stops.get(client_id, {}),
            entries=entries.get(client_id, {}),
        )
        said += [Said(event, client_id) for event in decide(state, DayCame(), as_of)]
    await tx.execute(DAY_PASSED, {"company": company, "as_of": as_of})
    positions = await say(company, said, as_of=as_of, cause=cause)
    broken = sum(isinstance(one.event, PromiseBroken) for one in said)
    return DayBegun(positions, broken, len(said) - broken)
