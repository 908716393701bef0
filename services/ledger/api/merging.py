"""Two codes of accounting that are one client, said by an administrator (rule 5.9)."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Said
from chassis.http import accepted, requires
from contracts.event import ClientId
from contracts.subjects import partition_of
from services.ledger import queries
from services.ledger.api.once import OnceDep
from services.ledger.api.stating import OfClient, Stating, StatingDep
from services.ledger.codes import lock_merges
from services.ledger.documents import keeping
from services.ledger.domain import ClientState
from services.ledger.domain.merging import BookLine, Merging, landing, merge, moved
from services.ledger.domain.refusals import OneOfThemErased, UnknownClient
from services.ledger.handlers import changed_clients

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin")])

LINES = text(
    """
    select client_id, entry_id, kind, journal, piece, entry_date, debit - credit as amount, currency, removed,
        lettering
    from entry
    where company = :company and client_id = any(:client_ids)
    """
)
MERGES = text("select client_id, into_client_id from client_merge where company = :company")
NAMED = text(
    "select entry_id, into_entry_id from merged_entry where company = :company and client_id = :client_id"
)
ERASED = text("select client_id from erased_person where company = :company and client_id = any(:client_ids)")

# written by hand, so no source will bring them to the new code
MOVE_CONTACTS = text(
    "update contact set client_id = :into, changed_at = now()"
    " where company = :company and client_id = :client_id and source is null"
)
# nor these; what stands under the new code was written knowing it
MOVE_FIELDS = text(
    """
    with old as (
        delete from person_field where company = :company and client_id = :client_id returning fields, changed_by
    )
    insert into person_field as known (company, client_id, fields, changed_by)
    select :company, :into, fields, changed_by from old
    on conflict (company, client_id) do update set fields = excluded.fields || known.fields, changed_at = now()
    """
)


class Merged(OfClient):
    """``client_id`` is the code that is left, ``into`` the one that stays."""

    into: ClientId


@router.post("/merge-clients")
async def merge_clients(body: Merged, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Carry promises, disputes, stops, notes, contacts, documents and levels of a code over to the one it became.

    Where that one has become another client meanwhile, they go on there; the answer's ``into`` says where.
    Sent again, lines that accounting moved meanwhile are carried over too. Answers ``entries``, how many lines of
    the old code were found under the new one.
    """

    async def act() -> dict[str, Any]:
        company, tx = stating.company, stating.tx
        await lock_merges(tx, company)
        merged_into = {row.client_id: row.into_client_id for row in await tx.execute(MERGES, {"company": company})}
        into = landing(body.into, merged_into)
        into = body.into if into == body.client_id else into
        both = sorted({body.client_id, into})
        states = await _states(stating, both)
        await _refuse_half_erased(tx, company, both)
        lines: dict[str, list[BookLine]] = defaultdict(list)
        open_before: set[str] = set()
        for row in await tx.execute(LINES, {"company": company, "client_ids": both}):
            if row.client_id == body.client_id or not row.removed:
                lines[row.client_id].append(BookLine(*row[1:9]))
            if row.client_id == body.client_id and not row.removed and row.lettering is None:
                open_before.add(row.entry_id)
        entries = moved(lines[body.client_id], lines[into])
        targets = await queries.entries(tx, company, [into], sorted(entries.values()))
        of_old_code = {"company": company, "client_id": body.client_id}
        documents = {
            known.document_id: keeping.document_id(company, into, entries[known.entry_id], known.sha256)
            for known in states[body.client_id].documents.values()
            if known.entry_id in entries
        }
        wanted = Merging(
            before=states[body.client_id],
            after=replace(states[into], entries=targets.get(into, {})),
            entries=entries,
            merged_into=merged_into,
            named={(row.entry_id, row.into_entry_id) for row in await tx.execute(NAMED, of_old_code)},
            remaining=not open_before <= entries.keys(),
            documents=documents,
        )
        of_old, of_new = merge(wanted)
        said = [Said(event, body.client_id) for event in of_old] + [Said(event, into) for event in of_new]
        # of both, for the clients' changes are said afterwards
        stating.say.also_lock = {partition_of(company, client_id) for client_id in both}
        positions = await stating.say(company, said, as_of=stating.as_of, cause=stating.cause)
        for moving in (MOVE_CONTACTS, MOVE_FIELDS):
            await tx.execute(moving, of_old_code | {"into": into})
        for before, after in documents.items():
            await keeping.carry(tx, company, before, after)
        changed = await changed_clients(tx, company, both, stating.as_of, person_changed=True)
        positions += await stating.say(company, changed, as_of=stating.as_of, cause=stating.cause)
        return accepted(positions, into=into, entries=len(entries))

    return await once(act)


async def _refuse_half_erased(tx: AsyncConnection, company: str, both: list[str]) -> None:
    """Raises ``OneOfThemErased``. For clients already locked."""
    erased = set(await tx.scalars(ERASED, {"company": company, "client_ids": both}))
    kept = set(both) - erased
    if erased and kept:
        raise OneOfThemErased(erased.pop(), kept.pop())


async def _states(stating: Stating, client_ids: list[str]) -> dict[str, ClientState]:
    """Both clients, locked in the order of their codes. Raises ``UnknownClient``."""
    company, tx = stating.company, stating.tx
    states = await queries.lock_clients(tx, company, client_ids)
    promises = await queries.promises(tx, company, client_ids)
    stops = await queries.stopped_entries(tx, company, client_ids)
    documents = await keeping.documents_of(tx, company, client_ids)
    for client_id in client_ids:
        if client_id not in states:
            raise UnknownClient(client_id)
    return {
        client_id: replace(
            states[client_id],
            promises=promises.get(client_id, {}),
            stopped_entries=stops.get(client_id, {}),
            documents=documents.get(client_id, {}),
            disputes=await queries.disputes(tx, company, client_id),
            expected_on=await queries.expectations(tx, company, client_id),
        )
        for client_id in client_ids
    }
