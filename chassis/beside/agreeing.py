"""Events set aside: the tables beside must lack what the live ones lack, neither more nor less.

An event that only the other version can apply was never reacted to; one that only the other version cannot apply
would be missing after a switch, with nobody told. Either way a person decides first.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.applying import Applying
from chassis.database import is_transient
from chassis.derived import Connection
from chassis.envelope import Registry
from chassis.listening import Listening
from chassis.parking import unpark

log = logging.getLogger(__name__)

ASIDE = "select speaker, p, pseq, company, key, skipped_at, skipped_by, skipped_reason from {}.parked"
SKIP_AS_WELL = text(
    "update parked set skipped_at = :skipped_at, skipped_by = :skipped_by, skipped_reason = :skipped_reason"
    " where speaker = :speaker and p = :p and pseq = :pseq and company = :company and key = :key"
)
BESIDE = text("select speaker, p, pseq, company, key, skipped_at from parked")

SKIPPED = """
    select speaker, p, pseq, company, key from {}.parked where skipped_at is not null
    union select speaker, p, pseq, company, key from {}.parked where skipped_at is not null
"""

Place = tuple[str, int, int, str, str]
"""Speaker, partition, number, company and client of what is set aside."""


@dataclass(frozen=True)
class ParkedApart:
    """Events that only one side has set aside, and those skipped by a person that the other side has applied."""

    only_live: int = 0
    only_beside: int = 0
    skipped_but_applied: int = 0

    def __bool__(self) -> bool:
        return bool(self.only_live or self.only_beside or self.skipped_but_applied)

    def __str__(self) -> str:
        told = {
            f"{self.only_live} events are set aside in the live tables and applied beside: unpark them first": (
                self.only_live
            ),
            f"{self.only_beside} events could not be applied beside: relance rebuild status": self.only_beside,
            f"{self.skipped_but_applied} events that a person skipped are applied beside: drop, and start again": (
                self.skipped_but_applied
            ),
        }
        return "; ".join(sentence for sentence, count in told.items() if count) or "the same events are set aside"


async def leave_out(connection: Connection, service: str, schema: str, applying: Applying) -> None:
    """What a person decided never to apply to the live tables is passed over beside."""
    query = sql.SQL(SKIPPED).format(sql.Identifier(service), sql.Identifier(schema))
    for speaker, p, number, company, key in await (await connection.execute(query)).fetchall():
        applying.left_out.setdefault((speaker, p, number), set()).add((company, key))


async def agree_on_parked(  # noqa: PLR0913, PLR0917 both sides and how to apply
    ours: Connection,
    engine: AsyncEngine,
    service: str,
    schema: str,
    listening: Listening,
    registry: Registry,
) -> ParkedApart:
    """Do beside what people did to the live tables meanwhile, skip and unpark, and tell what is left. Both sides
    are at the same vector; ``ours`` reads the live one, in its transaction."""
    found = await ours.execute(sql.SQL(ASIDE).format(sql.Identifier(service)))
    live: dict[Place, tuple[object, ...]] = {row[:5]: row[5:] for row in await found.fetchall()}
    waiting = {place for place, (skipped_at, *_) in live.items() if skipped_at is None}
    async with engine.begin() as tx:
        for place in live.keys() - waiting:
            skipped = dict(zip(("skipped_at", "skipped_by", "skipped_reason"), live[place], strict=True))
            where = dict(zip(("speaker", "p", "pseq", "company", "key"), place, strict=True))
            await tx.execute(SKIP_AS_WELL, {**skipped, **where})
    keys = {(speaker, company, key) for speaker, _, _, company, key in waiting}
    beside = await _beside(engine)
    for speaker, company, key in sorted({_key(place) for place, skipped in beside.items() if not skipped} - keys):
        try:
            await unpark(
                engine, service, listening, registry, speaker=speaker, company=company, client_id=key or None
            )
        except Exception as error:
            if is_transient(error):
                raise
            log.warning("still parked beside", extra={"schema": schema, "error": type(error).__name__})
    beside = await _beside(engine)
    return ParkedApart(
        only_live=len(waiting - beside.keys()),
        only_beside=sum(not skipped and place not in waiting for place, skipped in beside.items()),
        skipped_but_applied=len(live.keys() - waiting - beside.keys()),
    )


def _key(place: Place) -> tuple[str, str, str]:
    speaker, _, _, company, key = place
    return speaker, company, key


async def _beside(engine: AsyncEngine) -> dict[Place, bool]:
    """What is set aside beside, and whether for good."""
    async with engine.connect() as connection:
        rows = (await connection.execute(BESIDE)).all()
    return {(row.speaker, row.p, row.pseq, row.company, row.key): row.skipped_at is not None for row in rows}
