"""Inlets and slots over HTTP: where files come from, at which times, and at once."""

from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Path
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import text

from chassis import clock
from chassis.database import driver
from chassis.guard import AddressRefused, check_host, networks_of
from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, requires
from chassis.jobs import NewJob, enqueue
from chassis.problems import Problem
from services.sync import connecting, queries
from services.sync.inlets import Inlet, SftpPlace
from services.sync.inlets.fetching import QUEUE
from services.sync.inlets.slots import EVERY_MINUTE, FETCHES, CronUnreadable, next_time
from services.sync.settings import SyncSettings

router = APIRouter(prefix="/companies/{company}")

Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
MOST_SLOTS = 500


SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class Slot(BaseModel):
    """When an inlet is looked into, or a connector reads its base: ``cron`` has five fields (minute, hour, day,
    month, weekday) on the company's own clock, e.g. ``30 6 * * 1-5``."""

    model_config = ConfigDict(extra="forbid")

    inlet: SourceName | None = None
    connector: SourceName | None = None
    cron: str = Field(min_length=9, max_length=100)

    @model_validator(mode="after")
    def _is_of_one(self) -> "Slot":
        if (self.inlet is None) == (self.connector is None):
            raise ValueError("a slot is for an inlet or for a connector")
        return self


@router.get("/inlets")
async def get_inlets(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Every inlet with when it was looked into last and what kept it from being fetched, and every slot."""
    inlets = await tx.execute(
        text(
            "select name, inlet, looked_at, trouble, changed_by, changed_at,"
            " (select count(*) from inlet_file f where f.company = i.company and f.inlet = i.name) as files"
            " from inlet i where company = :company order by name"
        ),
        {"company": company},
    )
    slots = await tx.execute(
        text(
            "select slot_id, inlet, connector, cron, watching, next_at from slot where company = :company"
            " order by next_at, slot_id"
        ),
        {"company": company},
    )
    return {
        "inlets": [dict(row._mapping) for row in inlets],
        "slots": [dict(row._mapping) for row in slots],
    }


@router.put("/inlets/{name}", dependencies=[requires("admin")])
async def put_inlet(  # noqa: PLR0913, PLR0917 what a request may say
    body: Inlet, company: CompanyDep, tx: TxDep, process: RunningDep, cause: CauseDep, name: Name
) -> dict[str, Any]:
    """Say where files come from. A watched inlet is looked into every minute. Answers 422 ``host-inside`` for a
    machine that is not on the public internet and in no network that the operator opened
    (``RELANCE_INLET_NETWORKS``)."""
    if not await queries.knows_company(tx, company):
        raise Problem("company-unknown", "This company is not registered", 404, company=company)
    if body.reading != "fec" and await queries.mapping(tx, company, body.reading) is None:
        raise Problem("mapping-unknown", "There is no such mapping", 404, "Save it first.", mapping=body.reading)
    if isinstance(body.place, SftpPlace):
        await _outside(process, body.place)
    values = body.model_dump(mode="json")
    connection = await driver(tx)
    await connection.execute(
        "insert into inlet (company, name, inlet, changed_by) values (%s, %s, %s, %s)"
        " on conflict (company, name) do update set inlet = excluded.inlet, changed_by = excluded.changed_by,"
        " changed_at = now(), trouble = null",
        (company, name, Jsonb(values), cause.actor),
    )
    watching = uuid5(FETCHES, f"{company}/{name}/watching")
    if body.watched:
        every_minute = Slot(inlet=name, cron=EVERY_MINUTE)
        await _plan(tx, company, watching, every_minute, cause.actor, watching=True)
    else:
        await connection.execute("delete from slot where company = %s and slot_id = %s", (company, watching))
    return values


async def _outside(process: RunningDep, place: SftpPlace) -> None:
    assert isinstance(process.settings, SyncSettings)
    try:
        await check_host(place.host, place.port, networks_of(process.settings.inlet_networks))
    except AddressRefused as refused:
        raise Problem(
            "host-inside",
            "This server is not on the public internet",
            422,
            "Its operator opens a network of the inside by RELANCE_INLET_NETWORKS of sync.",
            host=refused.host,
        ) from refused


@router.delete("/inlets/{name}", dependencies=[requires("admin")])
async def delete_inlet(company: CompanyDep, tx: TxDep, name: Name) -> dict[str, Any]:
    """Fetch nothing from there any more; what was imported stays."""
    await _must_exist(tx, company, name)
    connection = await driver(tx)
    for table, column in (("slot", "inlet"), ("inlet_file", "inlet"), ("inlet_look", "inlet"), ("inlet", "name")):
        await connection.execute(f"delete from {table} where company = %s and {column} = %s", (company, name))  # noqa: S608
    return {"deleted": name}


@router.post("/inlets/{name}/fetch", status_code=202, dependencies=[requires("user")])
async def fetch(company: CompanyDep, tx: TxDep, cause: CauseDep, name: Name) -> dict[str, Any]:
    """Look into an inlet at once. What it brings stands in the history of imports."""
    await _must_exist(tx, company, name)
    payload = {"inlet": name, "actor": cause.actor}
    await enqueue(tx, QUEUE, [NewJob(uuid4(), company, payload, key=f"{company}/{name}")])
    return {"asked": name}


@router.post("/slots", status_code=201, dependencies=[requires("admin")])
async def post_slot(body: Slot, company: CompanyDep, tx: TxDep, cause: CauseDep) -> dict[str, Any]:
    """Plan when an inlet is looked into: any number of slots, only by administrators (rules 2.3, 2.4)."""
    await _must_have(tx, company, body)
    planned = await tx.scalar(text("select count(*) from slot where company = :company"), {"company": company})
    if (planned or 0) >= MOST_SLOTS:
        raise Problem("slots-too-many", "There are too many slots", 422, most=MOST_SLOTS)
    return await _plan(tx, company, uuid4(), body, cause.actor, watching=False)


@router.put("/slots/{slot_id}", dependencies=[requires("admin")])
async def put_slot(body: Slot, company: CompanyDep, tx: TxDep, cause: CauseDep, slot_id: UUID) -> dict[str, Any]:
    """Change a slot."""
    await _must_have(tx, company, body)
    return await _plan(tx, company, slot_id, body, cause.actor, watching=False)


@router.delete("/slots/{slot_id}", dependencies=[requires("admin")])
async def delete_slot(company: CompanyDep, tx: TxDep, slot_id: UUID) -> dict[str, Any]:
    """Let a slot go."""
    connection = await driver(tx)
    gone = await connection.execute("delete from slot where company = %s and slot_id = %s", (company, slot_id))
    if not gone.rowcount:
        raise Problem("slot-unknown", "There is no such slot", 404, slot_id=slot_id)
    return {"deleted": slot_id}


async def _must_have(tx: TxDep, company: str, slot: Slot) -> None:
    if slot.inlet is not None:
        await _must_exist(tx, company, slot.inlet)
    elif slot.connector is not None:
        try:
            await connecting.find(tx, company, slot.connector)
        except connecting.ConnectorUnknown as unknown:
            title = "There is no such connector"
            raise Problem("connector-unknown", title, 404, connector=slot.connector) from unknown


async def _must_exist(tx: TxDep, company: str, name: str) -> None:
    known = await tx.scalar(
        text("select true from inlet where company = :company and name = :name"),
        {"company": company, "name": name},
    )
    if not known:
        raise Problem("inlet-unknown", "There is no such inlet", 404, inlet=name)


async def _plan(  # noqa: PLR0913 what a slot is
    tx: TxDep, company: str, slot_id: UUID, slot: Slot, actor: str, *, watching: bool
) -> dict[str, Any]:
    zone = await queries.time_zone(tx, company) or "Europe/Paris"
    try:
        next_at = next_time(slot.cron, clock.now(), zone)
    except CronUnreadable as unreadable:
        title = "This is no time as cron writes it"
        raise Problem(
            "cron-unreadable", title, 422, "Five fields: minute, hour, day, month, weekday.", cron=slot.cron
        ) from unreadable
    await tx.execute(
        text(
            "insert into slot (company, slot_id, inlet, connector, cron, watching, next_at, changed_by)"
            " values (:company, :slot_id, :inlet, :connector, :cron, :watching, :next_at, :actor)"
            " on conflict (company, slot_id) do update set inlet = excluded.inlet,"
            " connector = excluded.connector, cron = excluded.cron, next_at = excluded.next_at,"
            " changed_by = excluded.changed_by"
        ),
        {
            "company": company,
            "slot_id": slot_id,
            "inlet": slot.inlet,
            "connector": slot.connector,
            "cron": slot.cron,
            "watching": watching,
            "next_at": next_at,
            "actor": actor,
        },
    )
    return {"slot_id": slot_id, **slot.model_dump(), "next_at": next_at}
