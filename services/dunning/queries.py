"""Named reads. The api role sees one company only; the company is named all the same."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

ROUND = text(
    "select as_of, status, whole, clients, entries, proposed, due, steps, excluded, excluded_entries, started_at,"
    " completed_at, extract(epoch from coalesce(completed_at, clock_timestamp()) - started_at) as seconds"
    " from round where company = :company and (as_of = :as_of or cast(:as_of as date) is null)"
    " order by as_of desc limit 1"
)
FAILURES = text(
    "select client_id, reason from round_failure where company = :company and as_of = :as_of order by client_id"
)
SCENARIO_VERSIONS = text(
    "select body, set_on, actor, said_at from scenario_version"
    " where company = :company and profile = :profile order by version"
)
TIME_ZONE = text("select time_zone from company where company = :company")

OPEN_ACTIONS = text(
    "select a.*, coalesce(c.has_email, false) as has_email from action a"
    " left join client c using (company, client_id)"
    " where a.company = :company and a.status in ('proposed', 'due') and a.opened_on <= :as_of"
    " order by a.due_since, a.client_id, a.action_id"
)
HELD_ENTRIES = text(
    "select h.action_id, h.entry_id, h.amount, h.due_date, h.level_before, h.level_after, e.piece, e.kind"
    " from action a join action_entry h using (company, client_id, action_id)"
    " left join entry e on e.company = h.company and e.client_id = h.client_id and e.entry_id = h.entry_id"
    " where a.company = :company and a.status in ('proposed', 'due') and a.opened_on <= :as_of"
    " order by h.due_date, h.entry_id"
)
EXCLUDED = text(
    "select v.client_id, v.entry_id, v.step, v.reasons, v.until, e.currency, e.amount, e.book_amount, e.due_date,"
    " e.piece, e.kind, coalesce(l.level, 0) as level, coalesce(c.has_email, false) as has_email,"
    " coalesce(o.profile, c.chosen_profile, c.profile) as profile"
    " from exclusion v join entry e using (company, client_id, entry_id)"
    " left join entry_level l using (company, client_id, entry_id)"
    " left join client c using (company, client_id)"
    " left join client_policy o using (company, client_id)"
    " where v.company = :company and not e.removed and (e.lettering is null or 'lettering_error' = any(v.reasons))"
    " order by v.client_id, e.due_date, v.entry_id"
)
OF_CLIENT = text(
    "select e.client_id, e.entry_id, e.piece, e.kind, e.currency, e.amount, e.due_date,"
    " coalesce(l.level, 0) as level, l.reminded_on, l.noticed_on, l.next_step as forced_step, l.automatic,"
    " v.status, v.step, v.next_on, v.reasons, v.action_id, v.decided_on"
    " from entry e left join entry_level l using (company, client_id, entry_id)"
    " left join verdict v using (company, client_id, entry_id)"
    " where e.company = :company and not e.removed and e.client_id = :client_id"
    " and (e.lettering is null or 'lettering_error' = any(v.reasons))"
    " order by e.due_date, e.entry_id"
)
CLIENT_POLICIES = text(
    "select * from client_policy where company = :company"
    " and (client_id = :client_id or cast(:client_id as text) is null) order by client_id"
)
CHOICES = text(
    "select e.client_id, e.entry_id, l.automatic"
    " from unnest(cast(:clients as text[]), cast(:entries as text[])) as asked(client_id, entry_id)"
    " join entry e on e.company = :company and e.client_id = asked.client_id and e.entry_id = asked.entry_id"
    " left join entry_level l on l.company = e.company and l.client_id = e.client_id and l.entry_id = e.entry_id"
)


PIECES = text(
    "select entry_id, piece from entry where company = :company and client_id = any(cast(:clients as text[]))"
    " and entry_id = any(cast(:entries as text[]))"
)


async def pieces(
    tx: AsyncConnection, company: str, clients: Sequence[str], entries: Sequence[str]
) -> dict[str, str]:
    """The numbers of these entries."""
    asked = {"company": company, "clients": list(clients), "entries": list(entries)}
    return {row.entry_id: row.piece for row in await tx.execute(PIECES, asked)} if entries else {}


async def client_policies(tx: AsyncConnection, company: str, client_id: str | None) -> Sequence[RowMapping]:
    """What clients have of their own; of one when it is named."""
    asked = {"company": company, "client_id": client_id}
    return (await tx.execute(CLIENT_POLICIES, asked)).mappings().all()


async def automatic_choices(
    tx: AsyncConnection, company: str, entries: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], bool | None]:
    """Of the (client, entry) that exist: opted in, opted out, or neither."""
    clients, ids = [client for client, _ in entries], [entry for _, entry in entries]
    found = await tx.execute(CHOICES, {"company": company, "clients": clients, "entries": ids})
    return {(client, entry): automatic for client, entry, automatic in found}


async def last_round(tx: AsyncConnection, company: str, as_of: date | None = None) -> RowMapping | None:
    """The round of that day, or the latest one."""
    found = await tx.execute(ROUND, {"company": company, "as_of": as_of})
    return found.mappings().one_or_none()


async def failures(tx: AsyncConnection, company: str, as_of: date) -> list[dict[str, Any]]:
    """Clients that could not be decided, with the reason."""
    return [dict(row) for row in (await tx.execute(FAILURES, {"company": company, "as_of": as_of})).mappings()]


async def scenario_versions(tx: AsyncConnection, company: str, profile: str) -> Sequence[RowMapping]:
    """Every version of a profile's scenario, the first one first."""
    asked = {"company": company, "profile": profile}
    return (await tx.execute(SCENARIO_VERSIONS, asked)).mappings().all()


async def time_zone(tx: AsyncConnection, company: str) -> str | None:
    zone: str | None = await tx.scalar(TIME_ZONE, {"company": company})
    return zone


async def open_actions(
    tx: AsyncConnection, company: str, as_of: date
) -> tuple[Sequence[RowMapping], Mapping[Any, list[RowMapping]]]:
    """Actions that wait for a person or are being carried out, and their entries by action."""
    asked = {"company": company, "as_of": as_of}
    actions = (await tx.execute(OPEN_ACTIONS, asked)).mappings().all()
    held: dict[Any, list[RowMapping]] = {}
    for row in (await tx.execute(HELD_ENTRIES, asked)).mappings():
        held.setdefault(row["action_id"], []).append(row)
    return actions, held


async def excluded(tx: AsyncConnection, company: str) -> Sequence[RowMapping]:
    """Every entry that is due for a step and held back, with all the reasons."""
    return (await tx.execute(EXCLUDED, {"company": company})).mappings().all()


async def verdicts_of_client(tx: AsyncConnection, company: str, client_id: str) -> Sequence[RowMapping]:
    """The open entries of a client with what was last decided about each."""
    return (await tx.execute(OF_CLIENT, {"company": company, "client_id": client_id})).mappings().all()
