"""What a simulation gave, put together once when its last part is in, and read in pages."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.dunning.domain.amounts import decimal
from services.dunning.domain.scenario import NOTICE, REMINDERS
from services.dunning.domain.tally import KINDS, NOTHING, Count, Tally

MEDIA = ("email", "letter", "phone", "other")
STEPS = (NOTICE, *REMINDERS, "thanks")
MOST_UNDECIDED = 20

PARTS = text(
    "select counts, calendar, current_calendar, really, undecided from simulation_part"
    " where company = :company and simulation_id = :simulation_id order by part"
)
DIFFERING = text(
    "select kind, count(*) as clients from simulation_difference, unnest(kinds) as kind"
    " where company = :company and simulation_id = :simulation_id group by kind"
)
DIFFERENT = text(
    "select count(*) from simulation_difference where company = :company and simulation_id = :simulation_id"
)
COMPLETE = text(
    "update simulation set status = 'completed', ended_at = clock_timestamp(), result = cast(:result as jsonb)"
    " where company = :company and simulation_id = :simulation_id and status = 'running'"
)
ONE = text(
    "select simulation_id, asked_by, asked_at, kind, first_on, last_on, asked, status, parts, parts_done,"
    " started_at, ended_at, facts, result, reason,"
    " extract(epoch from coalesce(ended_at, clock_timestamp()) - coalesce(started_at, asked_at)) as seconds"
    " from simulation where company = :company and simulation_id = :simulation_id"
)
LATEST = text(
    "select simulation_id, asked_by, asked_at, kind, first_on, last_on, asked, status, parts, parts_done"
    " from simulation where company = :company and (asked_by = :asked_by or :everybody)"
    " order by asked_at desc, simulation_id limit :limit"
)
DIFFERENCES = text(
    "select client_id, kinds, before, after, lost, gained from simulation_difference"
    " where company = :company and simulation_id = :simulation_id and client_id > :after_client"
    " and (cast(:kind as text) is null or :kind = any(kinds)) order by client_id limit :limit"
)


async def put_together(tx: AsyncConnection, company: str, simulation_id: UUID) -> None:
    """Sum the parts; costs are counted when it is read."""
    key = {"company": company, "simulation_id": simulation_id}
    calendar, current = Tally(), Tally()
    counts: Counter[str] = Counter()
    really: Counter[tuple[str, str, str]] = Counter()
    undecided: list[str] = []
    compared = behind = False
    for row in await tx.execute(PARTS, key):
        counts.update(row.counts)
        calendar.add_rows(row.calendar, 0)
        undecided += row.undecided
        if row.current_calendar is not None:
            compared = True
            current.add_rows(row.current_calendar, 0)
        if row.really is not None:
            behind = True
            for on, step, medium, count in row.really:
                really[on, step, medium] += count
    result = {
        "counts": dict(counts),
        "calendar": calendar.rows(),
        "current_calendar": current.rows() if compared else None,
        "really": [[*cell, count] for cell, count in sorted(really.items())] if behind else None,
        "differences": await _differences(tx, key) if compared else None,
        "undecided": sorted(undecided)[:MOST_UNDECIDED],
    }
    await tx.execute(COMPLETE, {**key, "result": json.dumps(result)})


async def _differences(tx: AsyncConnection, key: Mapping[str, Any]) -> dict[str, int]:
    kinds: dict[str, int] = {row.kind: row.clients for row in await tx.execute(DIFFERING, key)}
    return {"clients": await tx.scalar(DIFFERENT, key) or 0, **{kind: kinds.get(kind, 0) for kind in KINDS}}


async def one(tx: AsyncConnection, company: str, simulation_id: UUID) -> RowMapping | None:
    found = await tx.execute(ONE, {"company": company, "simulation_id": simulation_id})
    return found.mappings().one_or_none()


async def latest(
    tx: AsyncConnection, company: str, asked_by: str, everybody: bool, limit: int = 20
) -> Sequence[RowMapping]:
    asked = {"company": company, "asked_by": asked_by, "everybody": everybody, "limit": limit}
    return (await tx.execute(LATEST, asked)).mappings().all()


class Wanted(NamedTuple):
    """Clients that differ, of one kind or of all, by code, after the one named."""

    kind: str | None
    after: str
    limit: int


async def differences(
    tx: AsyncConnection, company: str, simulation_id: UUID, wanted: Wanted
) -> list[dict[str, Any]]:
    asked = {"company": company, "simulation_id": simulation_id, "kind": wanted.kind, "limit": wanted.limit}
    rows = (await tx.execute(DIFFERENCES, {**asked, "after_client": wanted.after})).mappings()
    return [
        {
            "client_id": row["client_id"],
            "kinds": row["kinds"],
            "before": row["before"],
            "after": row["after"],
            "lost": [_contact(contact) for contact in row["lost"]],
            "gained": [_contact(contact) for contact in row["gained"]],
        }
        for row in rows
    ]


def _contact(plain: Sequence[Any]) -> dict[str, Any]:
    on, step, medium, currency, net_amount, _, entries = plain
    amount = format(decimal(net_amount), "f")
    return {"on": on, "step": step, "medium": medium, "currency": currency, "amount": amount, "entries": entries}


def told(result: Mapping[str, Any], unit_costs: Mapping[str, Decimal]) -> dict[str, Any]:
    """The result as the API answers it: calendars, totals per step, costs per medium. Amounts are decimals in the
    bookkeeping currency."""
    calendar, current = _tally(result["calendar"]), None
    if result["current_calendar"] is not None:
        current = _tally(result["current_calendar"])
    counts = result["counts"]
    return {
        "counts": counts,
        "totals": _totals(calendar, counts["contacted"], unit_costs),
        "current_totals": current and _totals(current, counts["contacted_now"], unit_costs),
        "calendar": _calendar(calendar),
        "current_calendar": current and _calendar(current),
        "steps": _steps(calendar, current),
        "media": _media(calendar, current, unit_costs),
        "differences": result["differences"],
        "really": result["really"]
        and [
            {"on": on, "step": step, "medium": medium, "contacts": n} for on, step, medium, n in result["really"]
        ],
        "undecided": result["undecided"],
    }


def _tally(rows: Sequence[Sequence[object]]) -> Tally:
    tally = Tally()
    tally.add_rows(rows, 0)
    return tally


def _totals(tally: Tally, clients: int, unit_costs: Mapping[str, Decimal]) -> dict[str, Any]:
    cost = sum(tally.cost(unit_costs).values(), Decimal(0))
    return {**_count(tally.total), "clients": clients, "cost": format(cost.quantize(Decimal("0.01")), "f")}


def _count(count: Count) -> dict[str, Any]:
    return {
        "contacts": count.contacts,
        "entries": count.entries,
        "amount": format(decimal(count.amount), "f"),
    }


def _calendar(tally: Tally) -> list[dict[str, Any]]:
    return [
        {"on": on.isoformat(), "step": step, "medium": medium, **_count(count)}
        for (on, step, medium), count in sorted(tally.cells.items(), key=lambda cell: _rank(*cell[0]))
    ]


def _rank(on: Any, step: str, medium: str) -> tuple[Any, int, int]:
    return on, STEPS.index(step), MEDIA.index(medium)


def _steps(tally: Tally, current: Tally | None) -> list[dict[str, Any]]:
    """One row per step and medium that either of the two has."""
    counts = tally.by(1, 2)
    before = {} if current is None else current.by(1, 2)
    rows = []
    for key in sorted(counts.keys() | before.keys(), key=lambda key: (STEPS.index(key[0]), MEDIA.index(key[1]))):
        row = {"step": key[0], "medium": key[1], **_count(counts.get(key, NOTHING))}
        rows.append({**row, "current": None if current is None else _count(before.get(key, NOTHING))})
    return rows


def _media(tally: Tally, current: Tally | None, unit_costs: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    counts, before = tally.by(2), {} if current is None else current.by(2)
    rows = []
    for medium in MEDIA:
        count, count_now = counts.get((medium,), NOTHING), before.get((medium,), NOTHING)
        rows.append(
            {
                "medium": medium,
                "contacts": count.contacts,
                "unit_cost": format(unit_costs[medium], "f"),
                "cost": _cost(count, unit_costs[medium]),
                "current_contacts": None if current is None else count_now.contacts,
                "current_cost": None if current is None else _cost(count_now, unit_costs[medium]),
            }
        )
    return rows


def _cost(count: Count, unit_cost: Decimal) -> str:
    return format((count.contacts * unit_cost).quantize(Decimal("0.01")), "f")
