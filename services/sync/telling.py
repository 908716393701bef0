"""What a run says at its end: clients, then entries, then that all is said."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.eventlog import Said
from chassis.running import Running
from contracts.subjects import partition_of
from contracts.sync import ClientsSynced, EntriesSynced, SyncCompleted
from services.sync import changes
from services.sync.attempts import cause_of
from services.sync.runs import Run

ENTRIES_SYNCED = EntriesSynced(run_id=UUID(int=0), source="", entries=())
CLIENTS_SYNCED = ClientsSynced(run_id=UUID(int=0), source="", clients=())
"""Types of the bulk events, whose bodies PostgreSQL puts together."""


@dataclass(frozen=True)
class Changed:
    """What there is to say of one source, as the transaction holds it, and what it comes to."""

    source: str
    read: int
    """Entries of clients, whether they changed or not."""
    changed: int
    archived: int
    heads: dict[int, int]
    """Of ledger, once it has what concerns people."""

    client_partitions: list[int]
    clients: AsyncIterator[tuple[int, str]]
    """The partition and the JSON of each event's clients."""
    entry_partitions: dict[int, int]
    """How many entries there are in each."""
    entries: LiteralString
    """The query that makes their events."""


async def tell(running: Running, tx: AsyncConnection, run: Run, changed: Changed) -> dict[str, dict[int, int]]:
    """Say it all, then that it is complete; answers the positions to wait for, by speaker and partition."""
    say, cause = running.say(tx), cause_of(run)
    say.also_lock = {*changed.client_partitions, *changed.entry_partitions, partition_of(run.company, None)}
    head = f'{{"run_id":"{run.run_id}","source":{json.dumps(changed.source)},'
    said = [
        Said(CLIENTS_SYNCED, partition=p, body=f'{head}"clients":[{some}]}}'.encode())
        async for p, some in changed.clients
    ]
    positions = await say(run.company, said, as_of=run.as_of, cause=cause) if said else []
    values = {
        "head": f'{head}"entries":[',
        "entries": changes.ENTRIES_PER_EVENT,
        "bytes": changes.BYTES_PER_EVENT,
    }
    for part in changes.parts(changed.entry_partitions):
        told = {**values, "ps": part}
        positions += await say.made(
            run.company, ENTRIES_SYNCED, changed.entries, told, partitions=part, as_of=run.as_of, cause=cause
        )
    reached = {"ledger": changed.heads} if changed.heads else {}
    if positions:
        reached["sync"] = {position.partition: position.number for position in positions}
    completed = SyncCompleted(
        run_id=run.run_id,
        connector=run.connector,
        source=changed.source,
        completed_at=clock.now(),
        entries_read=changed.read,
        changed=changed.changed,
        archived=changed.archived,
        positions=reached,
    )
    await say(run.company, [Said(completed)], as_of=run.as_of, cause=cause)
    return reached
