"""Connectors over HTTP: choose them, ask them for a sync, and what an agent beside a base says and pushes."""

import zlib
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import driver
from chassis.eventlog import Position
from chassis.http import (
    AsOfDep,
    CauseDep,
    CompanyDep,
    RunningDep,
    SayDep,
    TxDep,
    accepted,
    for_connectors,
    requires,
)
from chassis.problems import Problem
from services.sync import connecting, queries, runs, silence
from services.sync.connecting import Connector, ConnectorUnknown
from services.sync.connectors.kinds import OPTIONS
from services.sync.domain import problems
from services.sync.domain.records import Mode
from services.sync.settings import SyncSettings
from services.sync.wording import wording

LARGEST_PART = 32 << 20

router = APIRouter(prefix="/companies/{company}")

ConnectorName = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,40}$")]
Language = Literal["en", "fr"]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConnectorWanted(Body):
    """``base`` is a short name of the base: entries are known by it for ever. Addresses and passwords are never
    told here: they are in the environment of whoever reads the base."""

    kind: Literal["sage100"] = "sage100"
    base: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,60}$")
    place: Literal["sync", "agent"] = "agent"
    options: dict[str, Any] = Field(default_factory=dict)


class Asked(Body):
    """``mode`` is the least that is wanted; what is due is done all the same."""

    mode: Mode = "incremental"
    language: Language = "en"


class Beating(Body):
    """``is_busy``: the agent is delivering. One that is not and has a delivery open begins it again."""

    is_busy: bool = False


class Delivering(Body):
    """``run_id`` is the run that a heartbeat was answered with; without it the connector begins one of its own."""

    run_id: UUID | None = None
    mode: Mode = "incremental"


class Delivered(Body):
    delivery: UUID
    parts: int = Field(ge=1)


class Abandoned(Body):
    """Why the connector cannot deliver: a code of its wording and what fills it."""

    delivery: UUID
    code: str = Field(pattern=r"^[a-z_]{1,60}$")
    details: dict[str, Annotated[str, Field(max_length=500)]] = Field(default_factory=dict, max_length=10)


def _settings(process: RunningDep) -> SyncSettings:
    assert isinstance(process.settings, SyncSettings)
    return process.settings


async def _known(tx: AsyncConnection, company: str, name: str) -> Connector:
    try:
        return await connecting.find(tx, company, name)
    except ConnectorUnknown as unknown:
        raise Problem("connector-unknown", "There is no such connector", 404, connector=name) from unknown


@router.put("/connectors/{name}", dependencies=[requires("admin")])
async def put_connector(
    body: ConnectorWanted, company: CompanyDep, name: ConnectorName, tx: TxDep
) -> dict[str, Any]:
    """Make a connector, or choose its place and options anew. Its kind and base never change: entries are known
    by them. Answers 409 for another base, 422 for options that cannot be."""
    if not await queries.knows_company(tx, company):
        raise Problem("company-unknown", "This company is not registered", 404, company=company)
    try:
        options = OPTIONS[body.kind].model_validate(body.options).model_dump(mode="json", exclude_defaults=True)
    except ValidationError as invalid:
        faults = [
            {"option": ".".join(map(str, fault["loc"])), "fault": fault["msg"]}
            for fault in invalid.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise Problem("options-invalid", "An option cannot be", 422, faults=faults) from invalid
    source = f"{body.kind}/{body.base}"
    others = await connecting.listed(tx, company)
    if any((one.name == name) != (one.source == source) for one in others):
        detail = "A connector keeps its base, and a base has one connector: make another one."
        raise Problem("connector-conflict", "The base and the connector do not belong together", 409, detail)
    chosen = {"kind": body.kind, "source": source, "place": body.place, "options": options}
    await connecting.save(tx, company, name, chosen)
    return {"name": name, **chosen}


@router.get("/connectors")
async def get_connectors(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """The connectors with their last sign of life; ``is_silent`` says that a sync would be refused."""
    return {"connectors": [_shown(one, _settings(process)) for one in await connecting.listed(tx, company)]}


def _shown(connector: Connector, settings: SyncSettings) -> dict[str, Any]:
    return {
        "name": connector.name,
        "kind": connector.kind,
        "source": connector.source,
        "place": connector.place,
        "options": connector.options,
        "last_seen_at": connector.seen_at,
        "is_silent": connector.is_silent(clock.now(), _silent_after(settings)),
        "read_at": connector.read_at,
        "checked_at": connector.checked_at,
        "due": connector.due,
    }


def _silent_after(settings: SyncSettings) -> timedelta:
    return timedelta(seconds=settings.connector_silent_after_seconds)


@router.post("/connectors/{name}/synchronise", status_code=202, dependencies=[requires("user")])
async def synchronise(  # noqa: PLR0913, PLR0917 what a request may say
    body: Asked,
    company: CompanyDep,
    name: ConnectorName,
    process: RunningDep,
    tx: TxDep,
    say: SayDep,
    as_of: AsOfDep,
    cause: CauseDep,
) -> dict[str, Any]:
    """Ask for a sync; answers ``run_id`` to follow it with under ``/imports``. A sync already under way is
    answered instead of a second one. A silent connector is refused with 409 (rule 2.2)."""
    connector = await _known(tx, company, name)
    if connector.is_silent(clock.now(), _silent_after(_settings(process))):
        await silence.say_silent(process, connector, as_of)
        zone = ZoneInfo(await queries.time_zone(tx, company) or "UTC")
        form = "%d/%m/%Y %H:%M" if body.language == "fr" else "%Y-%m-%d %H:%M"
        details = {"since": (connector.seen_at or connector.created_at).astimezone(zone).strftime(form)}
        message, remedy = wording(connector.kind, "connector_silent", body.language, details)
        raise Problem("connector-silent", message, 409, remedy, connector=name, last_seen_at=connector.seen_at)
    under_way = await connecting.under_way(tx, company, name)
    if under_way is not None:
        return accepted([], run_id=under_way.run_id)
    run_id, positions = await connecting.open_sync(tx, say, connector, body.mode, as_of, cause)
    return accepted(positions, run_id=run_id)


@router.post("/connectors/{name}/heartbeat", dependencies=[requires("user")])
@for_connectors
async def heartbeat(
    body: Beating, company: CompanyDep, name: ConnectorName, tx: TxDep, process: RunningDep
) -> dict[str, Any]:
    """A sign of life of the agent. Answers the sync it is asked for as ``asked``, if any, and when to say so
    again."""
    connector = await _known(tx, company, name)
    await connecting.seen(tx, company, name)
    run = await connecting.under_way(tx, company, name)
    asked = None
    if connector.place == "agent" and run is not None:
        was_lost = run.stage == "receiving" and not body.is_busy
        if run.stage == "asked" or was_lost:
            asked = {"run_id": run.run_id, "mode": run.mode}
    return {"asked": asked, "every_seconds": _settings(process).heartbeat_seconds}


@router.post("/connectors/{name}/deliveries", status_code=201, dependencies=[requires("user")])
@for_connectors
async def begin_delivery(  # noqa: PLR0913, PLR0917 what a request may say
    body: Delivering,
    company: CompanyDep,
    name: ConnectorName,
    tx: TxDep,
    say: SayDep,
    as_of: AsOfDep,
    cause: CauseDep,
) -> dict[str, Any]:
    """Begin to deliver, or begin again. Answers ``run_id``, ``delivery`` to name this attempt with, and the
    ``assignment``: what to read, and from where on."""
    connector = await _known(tx, company, name)
    await connecting.seen(tx, company, name)
    under_way = await connecting.under_way(tx, company, name)
    positions: list[Position] = []
    asked: Mode
    if under_way is not None:
        if under_way.stage not in ("asked", "receiving") or body.run_id not in (None, under_way.run_id):
            raise Problem("sync-under-way", "The last delivery of this connector is being taken in", 409)
        run_id, asked = under_way.run_id, under_way.mode
    elif body.run_id is not None:
        raise Problem("sync-ended", "This sync has ended", 409, run_id=body.run_id)
    else:
        asked = body.mode
        run_id, positions = await connecting.open_sync(tx, say, connector, asked, as_of, cause)
    run = await runs.find(tx, company, run_id)
    assert run is not None
    delivery = uuid4()
    await connecting.take_up(tx, company, run_id, delivery)
    mode = connector.next_mode(asked, clock.now())
    assignment = connector.assignment(mode, run.accounts, run.currency, run.journals)
    return accepted(positions, run_id=run_id, delivery=delivery, assignment=assignment.model_dump(mode="json"))


async def _receiving(tx: AsyncConnection, company: str, name: str, run_id: UUID, delivery: UUID) -> Mode:
    """Answers 409 for an attempt that is over: its run has ended, or another attempt delivers now."""
    run = await connecting.under_way(tx, company, name)
    if run is None or (run.run_id, run.stage, run.delivery) != (run_id, "receiving", delivery):
        raise Problem("sync-ended", "This sync takes nothing in any more", 409, run_id=run_id)
    await connecting.seen(tx, company, name)
    await connecting.active(tx, company, run_id)
    return run.mode


@router.put("/connectors/{name}/deliveries/{run_id}/parts/{part}", dependencies=[requires("user")])
@for_connectors
async def put_part(  # noqa: PLR0913, PLR0917 what a request may say
    request: Request,
    company: CompanyDep,
    name: ConnectorName,
    run_id: UUID,
    part: Annotated[int, Path(ge=0, le=100_000)],
    tx: TxDep,
    delivery: Annotated[UUID, Query()],
    encoding: Annotated[Literal["gzip", "identity"], Header(alias="Content-Encoding")] = "identity",
) -> dict[str, Any]:
    """Keep one part of the delivery, whole lines of JSON; the same again is harmless. Answers 413 beyond 32 MB."""
    await _receiving(tx, company, name, run_id, delivery)
    content = bytearray()
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    try:
        async for chunk in request.stream():
            content += unpack.decompress(chunk, LARGEST_PART + 1 - len(content)) if unpack else chunk
            if len(content) > LARGEST_PART:
                raise Problem("part-too-large", "The part is too large", 413, most_bytes=LARGEST_PART)
    except zlib.error as broken:
        raise Problem("part-unreadable", "The part is not what its encoding says", 422) from broken
    if unpack is not None and not unpack.eof:
        raise Problem("part-unreadable", "The part is not what its encoding says", 422)
    if not content.endswith(b"\n"):
        raise Problem("part-cut", "A part ends with the end of a line", 422)
    connection = await driver(tx)
    await connection.execute(
        "insert into upload (company, run_id, part, content) values (%s, %s, %s, %b)"
        " on conflict (company, run_id, part) do update set content = excluded.content",
        (company, run_id, part, bytes(content)),
    )
    return {"part": part}


@router.post("/connectors/{name}/deliveries/{run_id}/end", status_code=202, dependencies=[requires("user")])
@for_connectors
async def end_delivery(
    body: Delivered, company: CompanyDep, name: ConnectorName, run_id: UUID, tx: TxDep
) -> dict[str, Any]:
    """All parts are there: the delivery is taken in. Answers 409 with the first one missing."""
    connector = await _known(tx, company, name)
    run = await connecting.under_way(tx, company, name)
    if run is not None and (run.run_id, run.delivery) == (run_id, body.delivery) and run.stage != "receiving":
        return accepted([], run_id=run_id)  # said twice, since the first answer was lost
    mode = await _receiving(tx, company, name, run_id, body.delivery)
    connection = await driver(tx)
    found = await connection.execute(
        "select n from generate_series(0, %s - 1) n where not exists (select from upload"
        " where company = %s and run_id = %s and part = n) order by n limit 1",
        (body.parts, company, run_id),
    )
    missing = await found.fetchone()
    if missing is not None:
        raise Problem("part-missing", "A part of the delivery is missing", 409, part=missing[0])
    await connecting.queue(tx, connector, run_id, mode)
    return accepted([], run_id=run_id)


@router.post("/connectors/{name}/deliveries/{run_id}/abandon", dependencies=[requires("user")])
@for_connectors
async def abandon_delivery(  # noqa: PLR0913, PLR0917 what a request may say
    body: Abandoned,
    company: CompanyDep,
    name: ConnectorName,
    run_id: UUID,
    tx: TxDep,
    say: SayDep,
) -> dict[str, Any]:
    """The connector cannot deliver: the run ends with its reason, and nothing was applied."""
    await _receiving(tx, company, name, run_id, body.delivery)
    run = await runs.find(tx, company, run_id)
    assert run is not None
    problem = problems.Problem(0, "", body.code, dict(body.details))
    return accepted(await silence.give_up(tx, say, run, problem), run_id=run_id)
