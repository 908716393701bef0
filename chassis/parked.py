"""What a service could not apply, for those who look after it: which client's events wait, try again, skip.

Every service that listens has these addresses. An administrator of a company sees its slices; an operator's token,
which is for every company, sees all. Neither the event's content nor the words of the error leave: both may name
what nobody wants to read in a page.
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import parking
from chassis.database import is_transient
from chassis.http import CallerDep, CompanyDep, RunningDep, SystemTxDep, TxDep, WholeCompany, requires
from chassis.listening import Listening
from chassis.parking import AnotherWaits, MustBeHeard, NothingParked, must_be_heard
from chassis.problems import Problem
from chassis.readiness import MIGRATED
from chassis.running import Running

router = APIRouter()
log = logging.getLogger(__name__)

MOST = 200
SKIPPED_SHOWN = 50

WAITING = text(
    """
    select * from (
        select speaker, company, key, p, pseq, type, major, as_of, parked_at, split_part(error, ':', 1) as error,
            row_number() over (partition by speaker, company, key order by p, pseq) as n,
            count(*) over (partition by speaker, company, key) as events
        from parked where skipped_at is null and (cast(:company as text) is null or company = :company)
    ) each where n = 1 order by parked_at, speaker, company, key limit :most
    """
)
SKIPPED = text(
    """
    select speaker, company, key, p, pseq, type, skipped_at, skipped_by, skipped_reason
    from parked where skipped_at is not null and (cast(:company as text) is null or company = :company)
    order by skipped_at desc, speaker, p, pseq limit :most
    """
)


class Whose(BaseModel):
    """One key: what ``speaker`` said of a client; ``client_id`` is null for events that have none."""

    model_config = ConfigDict(extra="forbid")
    speaker: str = Field(max_length=32)
    client_id: str | None = Field(None, max_length=64)


class Skipped(Whose):
    """``position``: of the event that was looked at; another is not skipped in its place."""

    position: str = Field(max_length=64)
    reason: str = Field(max_length=1000)


@router.get("/companies/{company}/parked", dependencies=[requires("admin"), WholeCompany])
async def parked(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """``waiting``: for each client whose events wait, the first of them, the class of its ``error`` (null when one
    before it failed), since when, how many wait ``behind`` it, and why it ``must_be_heard`` (null: it may be
    skipped). ``skipped``: what is never applied, by whom and why. ``updating``: another release is at work, so
    nothing is to be decided now."""
    return await _listed(tx, process, company)


@router.get("/parked")
async def every_parked(tx: SystemTxDep, process: RunningDep) -> dict[str, Any]:
    """The same of every company, for operators."""
    return await _listed(tx, process, None)


@router.post("/companies/{company}/parked/retry", dependencies=[requires("admin"), WholeCompany])
async def retry(body: Whose, company: CompanyDep, process: RunningDep, who: CallerDep) -> dict[str, Any]:
    """Apply what waits for one client, in order and in one transaction: ``applied`` events.

    Answers 404 ``nothing-parked``, 409 ``still-unapplied`` with the class of the ``error`` when one fails again
    (everything waits on), 409 ``update-under-way``.
    """
    await _one_release(process)
    whose = {"speaker": body.speaker, "company": company, "client_id": body.client_id}
    try:
        applied = await parking.unpark(
            process.engine,
            process.name,
            process.service.listening or Listening(),
            process.service.events,
            speaker=body.speaker,
            company=company,
            client_id=body.client_id,
        )
    except Exception as failure:
        if is_transient(failure):
            raise
        log.warning("parked events could not be applied", extra=whose, exc_info=True)
        raise Problem(
            "still-unapplied", "It still cannot be applied", 409, error=type(failure).__name__
        ) from failure
    if not applied:
        raise _nothing(body)
    log.info("parked events were applied", extra=whose | {"events": applied, "by": who.subject})
    return {"applied": applied}


@router.post("/companies/{company}/parked/skip", dependencies=[requires("admin"), WholeCompany])
async def skip(body: Skipped, company: CompanyDep, process: RunningDep, who: CallerDep) -> dict[str, Any]:
    """Decide that the first event that waits for a client is never applied here; the others wait for ``retry``.

    Answers 404 ``nothing-parked``, 409 ``another-waits``, ``must-be-heard`` (an erasure, a stop, a hold: ``why``
    says what would happen), ``update-under-way``, 422 ``reason-missing``.
    """
    await _one_release(process)
    if not body.reason.strip():
        raise Problem("reason-missing", "Who skips an event says why", 422)
    try:
        done = await parking.skip(
            process.engine,
            process.service.events,
            speaker=body.speaker,
            company=company,
            client_id=body.client_id,
            by=who.subject,
            reason=body.reason,
            position=body.position,
        )
    except NothingParked:
        raise _nothing(body) from None
    except AnotherWaits as other:
        raise Problem("another-waits", "Another event waits first", 409, position=other.position) from other
    except MustBeHeard as never:
        raise Problem(
            "must-be-heard",
            "This event is never skipped",
            409,
            "Mend the cause, usually by a release, then try again: what waits is applied in order.",
            event_type=never.type,
            why=never.why,
        ) from never
    log.warning("an event is never applied", extra={"company": company, "by": who.subject, **done, "error": None})
    return {"position": done["position"], "type": done["type"]}


def _nothing(whose: Whose) -> Problem:
    return Problem("nothing-parked", "Nothing of this client waits", 404, speaker=whose.speaker)


async def _one_release(process: Running) -> None:
    async with process.engine.connect() as connection:
        if await _is_updating(connection, process):
            raise Problem(
                "update-under-way", "Another release is at work", 409, "Decide when the update is through."
            )


async def _is_updating(connection: AsyncConnection, process: Running) -> bool:
    """Whether the schema belongs to another release than this process: it is being updated, or was not."""
    if process.newest_migration is None:
        return False
    return bool(await connection.scalar(MIGRATED) != process.newest_migration)


async def _listed(tx: AsyncConnection, process: Running, company: str | None) -> dict[str, Any]:
    waiting = (await tx.execute(WAITING, {"company": company, "most": MOST})).all()
    skipped = (await tx.execute(SKIPPED, {"company": company, "most": SKIPPED_SHOWN})).all()
    return {
        "service": process.name,
        "updating": await _is_updating(tx, process),
        "waiting": [
            _named(row)
            | {"since": row.parked_at, "as_of": row.as_of, "behind": row.events - 1, "error": row.error}
            | _skippable(must_be_heard(process.service.events, row.speaker, row.type, row.major))
            for row in waiting
        ],
        "skipped": [
            _named(row) | {"at": row.skipped_at, "by": row.skipped_by, "reason": row.skipped_reason}
            for row in skipped
        ],
    }


def _skippable(why_not: str | None) -> dict[str, Any]:
    return {"may_be_skipped": why_not is None, "must_be_heard": why_not}


def _named(row: Any) -> dict[str, Any]:
    return {
        "speaker": row.speaker,
        "company": row.company,
        "client_id": row.key or None,
        "position": f"{row.speaker}/{row.p}/{row.pseq}",
        "type": row.type,
    }
