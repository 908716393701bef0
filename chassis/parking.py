"""Events that cannot be applied, put aside with their client's later ones, so that one bad event stops nobody else
and no order is broken."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import database
from chassis.database import driver
from chassis.delivered import Delivered
from chassis.derivation import ensure_version
from chassis.envelope import Registry
from chassis.eventlog import Say
from chassis.listening import Listening

if TYPE_CHECKING:
    from chassis.service import Service

Key = tuple[str, str]
"""Company and client; the client is empty for events that have none."""

PARK = """
    insert into parked (speaker, p, pseq, company, key, event_id, type, major, as_of, occurred_at, actor,
        correlation_id, causation_id, traceparent, body, error)
    values (%(speaker)s, %(p)s, %(pseq)s, %(company)s, %(key)s, %(event_id)s, %(type)s, %(major)s, %(as_of)s,
        %(occurred_at)s, %(actor)s, %(correlation_id)s, %(causation_id)s, %(traceparent)s, %(body)s::json,
        %(error)s)
"""
KEYS = text(
    "select distinct company, key from parked where speaker = :speaker and p = any(cast(:ps as smallint[]))"
    " and skipped_at is null"
)
WAITING = text(
    "select * from parked where speaker = :speaker and company = :company and key = :key"
    " and skipped_at is null order by p, pseq for update"
)
REMOVE = text(
    "delete from parked where speaker = :speaker and company = :company and key = :key and skipped_at is null"
)
FIRST = text(
    "select p, pseq, type, major, error from parked where speaker = :speaker and company = :company"
    " and key = :key and skipped_at is null order by p, pseq limit 1 for update"
)
SKIP = text(
    "update parked set skipped_at = now(), skipped_by = :by, skipped_reason = :reason"
    " where speaker = :speaker and p = :p and company = :company and key = :key and pseq = :pseq"
)


def key_of(event: Delivered) -> Key:
    return event.company, event.client_id or ""


async def parked_keys(tx: AsyncConnection, speaker: str, partitions: Sequence[int]) -> set[Key]:
    """Keys of a speaker whose events wait in these partitions."""
    rows = await tx.execute(KEYS, {"speaker": speaker, "ps": list(partitions)})
    return {(row.company, row.key) for row in rows}


async def park(tx: AsyncConnection, event: Delivered, error: str | None) -> None:
    """Put an event aside; without ``error`` it only waits behind another of its key."""
    connection = await driver(tx)
    company, key = key_of(event)
    await connection.execute(
        PARK,
        {
            "speaker": event.speaker,
            "p": event.partition,
            "pseq": event.number,
            "company": company,
            "key": key,
            "event_id": event.event_id,
            "type": event.type,
            "major": event.major,
            "as_of": event.as_of,
            "occurred_at": event.occurred_at,
            "actor": event.actor,
            "correlation_id": event.correlation_id,
            "causation_id": event.causation_id,
            "traceparent": event.traceparent,
            "body": event.body.decode(),
            "error": error,
        },
    )


def slices(event: Delivered, bulk: Mapping[str, str]) -> list[Delivered]:
    """A bulk event as one event per client, in order of appearance; any other event as it is."""
    if event.type not in bulk:
        return [event]
    items = bulk[event.type]
    body = json.loads(event.body)
    by_client: dict[str, list[object]] = {}
    for item in body[items]:
        by_client.setdefault(item["client_id"], []).append(item)
    return [_slice(event, body | {items: part}, client_id) for client_id, part in by_client.items()]


def _slice(event: Delivered, body: dict[str, object], client_id: str | None) -> Delivered:
    return replace(event, client_id=client_id, body=json.dumps(body).encode(), parsed=None)


def without(event: Delivered, keys: set[Key], bulk: Mapping[str, str]) -> tuple[Delivered | None, list[Delivered]]:
    """What of an event may be applied now, and what must wait because its key is parked."""
    if event.type not in bulk:
        return (None, [event]) if key_of(event) in keys else (event, [])
    if key_of(event) in keys:
        return None, [event]
    if not any(company == event.company for company, _ in keys):
        return event, []
    parts = slices(event, bulk)
    waiting = [part for part in parts if key_of(part) in keys]
    if not waiting:
        return event, []
    if len(waiting) == len(parts):
        return None, waiting
    body = json.loads(event.body)
    stay = [item for item in body[bulk[event.type]] if (event.company, item["client_id"]) not in keys]
    return _slice(event, body | {bulk[event.type]: stay}, event.client_id), waiting


async def unpark(  # noqa: PLR0913 who, what and whose
    engine: AsyncEngine,
    service: str,
    listening: Listening,
    registry: Registry,
    *,
    speaker: str,
    company: str,
    client_id: str | None,
) -> int:
    """Apply what waits for one key, in order, in one transaction, after the reason is mended. Answers how many
    events were applied; an event that fails again leaves everything parked and raises its error."""
    where = {"speaker": speaker, "company": company, "key": client_id or ""}
    async with engine.begin() as tx:
        # a batch that is about to park a later event of this key holds these rows
        await tx.execute(
            text(
                "select p from partition_lease where p in (select p from parked where speaker = :speaker"
                " and company = :company and key = :key) order by p for update"
            ),
            where,
        )
        rows = (await tx.execute(WAITING, where)).all()
        await ensure_version(tx, service, listening.version)
        say = Say(service, tx, listening.project, also_lock={row.p for row in rows}, version=listening.version)
        for row in rows:
            event = Delivered(
                speaker=row.speaker,
                type=row.type,
                event_id=row.event_id,
                company=row.company,
                client_id=row.key or None,
                partition=row.p,
                number=row.pseq,
                as_of=row.as_of,
                occurred_at=row.occurred_at,
                actor=row.actor,
                correlation_id=row.correlation_id,
                body=json.dumps(row.body).encode(),
                causation_id=row.causation_id,
                traceparent=row.traceparent,
                major=row.major,
                model=registry.get(f"relance.{row.speaker}.{row.type}.v{row.major}"),
            )
            if event.type in listening.project:
                await listening.project[event.type](tx, [event])
            if event.type in listening.react:
                await listening.react[event.type](say, [event])
        await tx.execute(REMOVE, where)
    return len(rows)


class NothingParked(Exception):
    """No event of this key waits."""

    def __init__(self, speaker: str, company: str, client_id: str | None) -> None:
        super().__init__(f"nothing that {speaker} said of {client_id or 'the company'} in {company} is parked")


class MustBeHeard(Exception):
    """The service would do for ever what the event forbids; ``why`` is the event's own code for it."""

    def __init__(self, event_type: str, why: str) -> None:
        super().__init__(
            f"{event_type} is never skipped ({why}): this service would go on with what it forbids;"
            " mend the cause, then unpark"
        )
        self.type, self.why = event_type, why


class AnotherWaits(Exception):
    """The first event of the key is not the one that was looked at."""

    def __init__(self, position: str) -> None:
        super().__init__(f"the first event that waits is now {position}")
        self.position = position


async def skip(  # noqa: PLR0913 whose event, who decides, and why
    engine: AsyncEngine,
    registry: Registry,
    *,
    speaker: str,
    company: str,
    client_id: str | None,
    by: str,
    reason: str,
    position: str | None = None,
) -> dict[str, object]:
    """Decide that the first event that waits for a key is never applied; the others wait on, for ``unpark``.
    ``position``: only if it is this one. Answers its position, type and error. Raises ``NothingParked``,
    ``MustBeHeard``, ``AnotherWaits``, and ``ValueError`` without a reason."""
    if not reason.strip():
        raise ValueError("who skips an event says why")
    async with engine.begin() as tx:
        where: dict[str, object] = {"speaker": speaker, "company": company, "key": client_id or ""}
        found = (await tx.execute(FIRST, where)).one_or_none()
        if found is None:
            raise NothingParked(speaker, company, client_id)
        if position not in (None, f"{speaker}/{found.p}/{found.pseq}"):
            raise AnotherWaits(f"{speaker}/{found.p}/{found.pseq}")
        why = must_be_heard(registry, speaker, found.type, found.major)
        if why is not None:
            raise MustBeHeard(found.type, why)
        decided = {"p": found.p, "pseq": found.pseq, "by": by, "reason": reason.strip()}
        await tx.execute(SKIP, where | decided)
    return {"position": f"{speaker}/{found.p}/{found.pseq}", "type": found.type, "error": found.error}


def must_be_heard(registry: Registry, speaker: str, event_type: str, major: int) -> str | None:
    """Why nobody may skip such an event; ``None`` where a person may."""
    model = registry.get(f"relance.{speaker}.{event_type}.v{major}")
    return None if model is None else model.must_be_heard


async def list_skipped(engine: AsyncEngine) -> list[dict[str, object]]:
    """Every event that a person decided never to apply: which, who, when and why."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select speaker, company, key, p, pseq, type, error, skipped_at, skipped_by, skipped_reason"
                " from parked where skipped_at is not null order by skipped_at, speaker, p, pseq"
            )
        )
        return [dict(row._mapping) for row in rows]


async def list_parked(engine: AsyncEngine) -> list[dict[str, object]]:
    """Per parked key: speaker, company, key, how many events wait, since when, and the first error."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select speaker, company, key, count(*) as events, min(parked_at) as since,"
                " (array_agg(error order by p, pseq) filter (where error is not null))[1] as error"
                " from parked where skipped_at is null group by speaker, company, key"
                " order by speaker, company, key"
            )
        )
        return [dict(row._mapping) for row in rows]


async def parked_command(service: Service, skipped: bool) -> None:
    """``python -m services.X parked [--skipped]``: prints one JSON object per parked key, or skipped event."""
    engine = database.engine(service.settings.database_url, service.name)
    for row in await (list_skipped if skipped else list_parked)(engine):
        sys.stdout.write(json.dumps(row, default=str) + "\n")
    await engine.dispose()


async def skip_command(  # noqa: PLR0913, PLR0917 whose event, who decides, and why
    service: Service, speaker: str, company: str, client_id: str | None, by: str, reason: str
) -> int:
    """``python -m services.X skip SPEAKER COMPANY [CLIENT] --by --reason``: prints what was skipped; 1 when
    nothing waits."""
    engine = database.engine(service.settings.database_url, service.name)
    try:
        done = await skip(
            engine, service.events, speaker=speaker, company=company, client_id=client_id, by=by, reason=reason
        )
    except (NothingParked, MustBeHeard, ValueError) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    finally:
        await engine.dispose()
    sys.stdout.write(json.dumps(done) + "\n")
    return 0


async def unpark_command(service: Service, speaker: str, company: str, client_id: str | None) -> None:
    """``python -m services.X unpark SPEAKER COMPANY [CLIENT]``: prints how many events were applied."""
    engine = database.engine(service.settings.database_url, service.name)
    applied = await unpark(
        engine,
        service.name,
        service.listening or Listening(),
        service.events,
        speaker=speaker,
        company=company,
        client_id=client_id,
    )
    sys.stdout.write(json.dumps({"applied": applied}) + "\n")
    await engine.dispose()
