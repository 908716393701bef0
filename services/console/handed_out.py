"""Whole exports of a company that an administrator asked for, and certificates of companies that were deleted.

The console asks and hands over; an operator's command makes them (``relance company exports``, docs/adr/0060).
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.database import transaction
from chassis.tables import company_hold
from services.console.tables import account, certificate, company_export, company_export_part

KEPT_DAYS = 7
"""For so long a finished export can be fetched: it holds everything that is known of people."""
SHOWN = 10


class AlreadyAsked(Exception):
    """An export of this company is asked for and not made yet."""


@dataclass(frozen=True)
class Export:
    """``status``: ``asked``, ``ready``, ``failed`` or ``gone``. ``told``: why it waits or failed, as a code."""

    export_id: UUID
    status: str
    asked_by: str
    asked_at: datetime
    done_at: datetime | None
    until: datetime | None
    bytes: int
    told: str | None
    contents: dict[str, Any] | None
    taken_at: datetime | None
    taken_by: str | None


@dataclass(frozen=True)
class Rest:
    """A company that is being let go: since when, by whom, and from which day on it may be deleted."""

    since: datetime
    held_by: str
    until: date
    export_sha256: str | None


async def rest_of(tx: AsyncConnection, company: str) -> Rest | None:
    hold = company_hold.c
    found = (
        await tx.execute(
            select(hold.since, hold.held_by, hold.until, hold.export_sha256).where(hold.company == company)
        )
    ).one_or_none()
    return Rest(*found) if found else None


async def exports_of(tx: AsyncConnection, company: str) -> list[Export]:
    """The newest first. Those that had their time are gone, and only their line is left."""
    await _let_go(tx, company)
    one = company_export.c
    asking, taking = account.alias(), account.alias()
    rows = await tx.execute(
        select(
            one.export_id,
            one.status,
            func.coalesce(asking.c.name, "–"),
            one.asked_at,
            one.done_at,
            one.until,
            one.bytes,
            one.told,
            one.contents,
            one.taken_at,
            taking.c.name,
        )
        .select_from(
            company_export.outerjoin(asking, asking.c.account_id == one.asked_by).outerjoin(
                taking, taking.c.account_id == one.taken_by
            )
        )
        .where(one.company == company)
        .order_by(one.asked_at.desc())
        .limit(SHOWN)
    )
    return [Export(*row) for row in rows]


async def ask(tx: AsyncConnection, company: str, account_id: UUID) -> None:
    """Raises ``AlreadyAsked``."""
    one = company_export.c
    # two people at once: the second one waits here, and finds what the first has asked
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"export of {company}"))))
    waiting = await tx.scalar(select(one.export_id).where(one.company == company, one.status == "asked").limit(1))
    if waiting is not None:
        raise AlreadyAsked
    await tx.execute(insert(company_export).values(company=company, asked_by=account_id))


async def withdraw(tx: AsyncConnection, company: str, export_id: UUID) -> bool:
    """Take back what is asked for, or throw away what is ready; ``False`` when there is nothing of it."""
    one = company_export.c
    done = await tx.execute(
        update(company_export)
        .where(one.company == company, one.export_id == export_id, one.status.in_(("asked", "ready")))
        .values(status="gone")
    )
    await _forget_parts(tx, company, export_id)
    return done.rowcount > 0


async def take(tx: AsyncConnection, company: str, export_id: UUID, account_id: UUID) -> Export | None:
    """The export, if it is ready; whoever fetches it is remembered."""
    found = next((one for one in await exports_of(tx, company) if one.export_id == export_id), None)
    if found is None or found.status != "ready":
        return None
    one = company_export.c
    await tx.execute(
        update(company_export)
        .where(one.company == company, one.export_id == export_id)
        .values(taken_at=func.now(), taken_by=account_id)
    )
    return found


async def parts(engine: AsyncEngine, company: str, export_id: UUID) -> AsyncIterator[bytes]:
    """Its content, part by part; each is read when it is sent, so that a slow reader holds no transaction."""
    part = company_export_part.c
    number = 0
    while True:
        async with transaction(engine) as tx:
            content = await tx.scalar(
                select(part.content).where(
                    part.company == company, part.export_id == export_id, part.part == number
                )
            )
        if content is None:
            return
        yield bytes(content)
        number += 1


async def certificates_of(tx: AsyncConnection, account_id: UUID) -> Sequence[Any]:
    """Of the companies that this person administered until they were deleted: id, company, instant."""
    one = certificate.c
    rows = await tx.execute(
        select(one.certificate_id, one.about, one.made_at)
        .where(one.account_id == account_id)
        .order_by(one.made_at.desc())
    )
    return rows.all()


async def certificate_of(tx: AsyncConnection, account_id: UUID, certificate_id: UUID) -> tuple[str, str] | None:
    """The company and the certificate in words, if it is this person's."""
    one = certificate.c
    row = (
        await tx.execute(
            select(one.about, one.words).where(one.account_id == account_id, one.certificate_id == certificate_id)
        )
    ).one_or_none()
    return (row.about, row.words) if row else None


async def _let_go(tx: AsyncConnection, company: str) -> None:
    one = company_export.c
    ended = await tx.scalars(
        update(company_export)
        .where(and_(one.company == company, one.status == "ready", one.until < func.now()))
        .values(status="gone")
        .returning(one.export_id)
    )
    for export_id in ended.all():
        await _forget_parts(tx, company, export_id)


async def _forget_parts(tx: AsyncConnection, company: str, export_id: UUID) -> None:
    part = company_export_part.c
    await tx.execute(delete(company_export_part).where(part.company == company, part.export_id == export_id))
