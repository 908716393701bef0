"""Connectors as they are known: what they read, how far they have come, when they last gave a sign of life."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import driver
from chassis.eventlog import Cause, Position, Said, Say
from chassis.jobs import NewJob, enqueue
from contracts.sync import SyncStarted
from services.sync import runs
from services.sync.domain.records import Assignment, Mode

QUEUE = "increment"
CHECK_EVERY = timedelta(hours=24)
"""How often deletions are looked for, which no change stamp tells of."""

COLUMNS = (
    "company, name, kind, source, place, options, cursor, due, wanted, read_at, checked_at, seen_at,"
    " silence_said_at, created_at"
)


class ConnectorUnknown(Exception):
    """The company has no connector of this name."""

    def __init__(self, company: str, name: str) -> None:
        super().__init__(f"{company}/{name}")
        self.company = company
        self.name = name


@dataclass(frozen=True)
class Connector:
    """One base of one company. ``place`` is ``sync`` (sync reads it) or ``agent`` (an agent beside it does)."""

    company: str
    name: str
    kind: str
    source: str
    place: str
    options: dict[str, Any]
    cursor: dict[str, Any] | None
    due: str | None
    wanted: list[str]
    read_at: datetime | None
    checked_at: datetime | None
    seen_at: datetime | None
    silence_said_at: datetime | None
    created_at: datetime

    def is_silent(self, now: datetime, after: timedelta) -> bool:
        """No sign of life for longer than ``after`` (rule 2.2)."""
        return now - (self.seen_at or self.created_at) > after

    def next_mode(self, asked: Mode, now: datetime) -> Mode:
        """What the next delivery must be: never less than was asked for, nor than what is due."""
        if asked == "full" or self.due == "full" or self.cursor is None:
            return "full"
        is_due = self.checked_at is None or now - self.checked_at >= CHECK_EVERY
        return "check" if asked == "check" or self.due == "check" or is_due else "incremental"

    def assignment(
        self, mode: Mode, accounts: Sequence[str], currency: str, journals: dict[str, str]
    ) -> Assignment:
        return Assignment(
            mode=mode,
            cursor=self.cursor,
            wanted=tuple(self.wanted),
            accounts=tuple(accounts),
            currency=currency,
            journals=journals,
            options=self.options,
        )


async def find(tx: AsyncConnection, company: str, name: str) -> Connector:
    """Raises ``ConnectorUnknown``."""
    connection = await driver(tx)
    async with connection.cursor(row_factory=class_row(Connector)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from connector where company = %s and name = %s",  # noqa: S608 a constant
            (company, name),
        )
        found = await cursor.fetchone()
    if found is None:
        raise ConnectorUnknown(company, name)
    return found


async def listed(tx: AsyncConnection, company: str | None = None) -> list[Connector]:
    """The connectors of a company, or of all that are not at rest."""
    connection = await driver(tx)
    async with connection.cursor(row_factory=class_row(Connector)) as cursor:
        await cursor.execute(
            f"select {COLUMNS} from connector where company = %(company)s or (%(company)s::text is null"  # noqa: S608
            " and not exists (select from company_hold held where held.company = connector.company))"
            " order by company, name",
            {"company": company},
        )
        return await cursor.fetchall()


async def save(tx: AsyncConnection, company: str, name: str, chosen: dict[str, Any]) -> None:
    """Make a connector or choose its settings anew: ``kind``, ``source``, ``place``, ``options``."""
    connection = await driver(tx)
    await connection.execute(
        "insert into connector (company, name, kind, source, place, options)"
        " values (%(company)s, %(name)s, %(kind)s, %(source)s, %(place)s, %(options)s)"
        " on conflict (company, name) do update set place = excluded.place, options = excluded.options",
        {"company": company, "name": name, **chosen, "options": Jsonb(chosen["options"])},
    )


async def seen(tx: AsyncConnection, company: str, name: str) -> None:
    """Write down a sign of life."""
    connection = await driver(tx)
    await connection.execute(
        "update connector set seen_at = now(), silence_said_at = null where company = %s and name = %s",
        (company, name),
    )


@dataclass(frozen=True)
class UnderWay:
    """A sync that has not ended. ``delivery`` names the attempt whose parts it takes."""

    run_id: UUID
    stage: str
    mode: Mode
    delivery: UUID | None


async def under_way(tx: AsyncConnection, company: str, name: str) -> UnderWay | None:
    """The sync of this connector that has not ended; its row is locked, so that no two requests move it."""
    connection = await driver(tx)
    async with connection.cursor(row_factory=class_row(UnderWay)) as cursor:
        await cursor.execute(
            "select run_id, stage, mode, delivery from run where company = %s and connector_name = %s"
            " and status = 'running' order by requested_at limit 1 for no key update",
            (company, name),
        )
        return await cursor.fetchone()


async def take_up(tx: AsyncConnection, company: str, run_id: UUID, delivery: UUID) -> None:
    """From now on this attempt delivers, from its first part on; those of an earlier one are forgotten."""
    connection = await driver(tx)
    await connection.execute(
        "update run set stage = 'receiving', delivery = %s, active_at = now() where company = %s and run_id = %s",
        (delivery, company, run_id),
    )
    await connection.execute("delete from upload where company = %s and run_id = %s", (company, run_id))


async def open_sync(  # noqa: PLR0913, PLR0917 what is known of a run
    tx: AsyncConnection, say: Say, connector: Connector, mode: Mode, as_of: date, cause: Cause
) -> tuple[UUID, list[Position]]:
    """Write a sync down as asked for, and say that it begins. Whoever reads the base takes it from there."""
    run_id = await write_down(tx, connector, mode, as_of, cause)
    if connector.place == "sync":
        await queue(tx, connector, run_id, mode)
    started = SyncStarted(run_id=run_id, connector=connector.kind, source=connector.source)
    return run_id, await say(connector.company, [Said(started)], as_of=as_of, cause=cause)


async def write_down(tx: AsyncConnection, connector: Connector, mode: Mode, as_of: date, cause: Cause) -> UUID:
    """A sync as asked for, which nobody carries out yet."""
    run_id = uuid4()
    run = {
        "company": connector.company,
        "run_id": run_id,
        "connector": connector.kind,
        "file": connector.source,
        "email_domain": None,
        "as_of": as_of,
        "actor": cause.actor,
        "correlation_id": cause.correlation_id,
    }
    await runs.open_run(tx, run)
    await mark_run(tx, connector.company, run_id, connector.name, mode, "asked")
    return run_id


async def queue(tx: AsyncConnection, connector: Connector, run_id: UUID, mode: Mode) -> None:
    """From here on a worker carries the sync out."""
    await mark_run(tx, connector.company, run_id, connector.name, mode, "queued")
    payload = {
        "run_id": str(run_id),
        "connector": connector.name,
        "mode": mode,
        "requested_at": clock.now().isoformat(),
    }
    await enqueue(tx, QUEUE, [NewJob(run_id, connector.company, payload, key=connector.company)])


async def mark_run(  # noqa: PLR0913, PLR0917 what is known of a run
    tx: AsyncConnection, company: str, run_id: UUID, name: str, mode: str, stage: str
) -> None:
    """Say of a run just opened, or taken up, which connector carries it out and what it is waiting for."""
    connection = await driver(tx)
    await connection.execute(
        "update run set connector_name = %s, mode = %s, stage = %s, active_at = now()"
        " where company = %s and run_id = %s",
        (name, mode, stage, company, run_id),
    )


async def active(tx: AsyncConnection, company: str, run_id: UUID) -> None:
    """A part of the delivery came in."""
    connection = await driver(tx)
    await connection.execute(
        "update run set active_at = now() where company = %s and run_id = %s", (company, run_id)
    )


async def read_whole(  # noqa: PLR0913 what a delivery leaves behind
    connection: Any,
    connector: Connector,
    cursor: dict[str, Any],
    *,
    checked: bool,
    due: str | None,
    wanted: list[str],
) -> None:
    """Remember how far a whole delivery came; what it left in doubt is ``due`` and ``wanted``."""
    await connection.execute(
        "update connector set cursor = %(cursor)s, due = %(due)s, wanted = %(wanted)s, read_at = now(),"
        " checked_at = case when %(checked)s then now() else checked_at end"
        " where company = %(company)s and name = %(name)s",
        {
            "cursor": Jsonb(cursor),
            "due": due,
            "wanted": wanted,
            "checked": checked,
            "company": connector.company,
            "name": connector.name,
        },
    )
