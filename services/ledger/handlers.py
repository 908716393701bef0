"""What ledger does on hearing sync, and when a day begins: load, decide, say."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Cause, Delivered, Position, Said, Say
from chassis.projection import React
from contracts.ledger import PromiseBroken
from contracts.sync import ClientsSynced, SyncCompleted
from services.ledger import queries
from services.ledger.domain import (
    ClientSeen,
    DayCame,
    EntryFacts,
    Promise,
    decide,
)
from services.ledger.retention import expire
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
    said = {}
    for company in sorted(latest):
        others = await queries.told_otherwise(say.tx, company, sorted(client_ids[company]))
        said[company] = together(
            company, await changed_clients(say.tx, company, others, latest[company].as_of) if others else []
        )
    partitions = {event.partition_in(company) for company, events in said.items() for event in events}
    say.also_lock = partitions.union(say.also_lock)
    for company, events in said.items():
        await say(company, events, as_of=latest[company].as_of, cause=latest[company].cause(ACTOR))


async def changed_clients(  # noqa: PLR0913 what is known of them already
    tx: AsyncConnection,
    company: str,
    client_ids: Sequence[str],
    as_of: date,
    *,
    person_changed: bool = False,
    are_known: bool = False,
) -> list[Said]:
    """Lock clients, put their facts together and answer what is to be said of those that changed.

    ``client_ids`` are sorted; clients that nobody spoke of yet begin here, unless all of them ``are_known``.
    """
    if not are_known:
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


async def promised_entries(
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
    entries = await promised_entries(tx, company, promises)
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
    await expire(say, company, as_of, cause)
    broken = sum(isinstance(one.event, PromiseBroken) for one in said)
    return DayBegun(positions, broken, len(said) - broken)
