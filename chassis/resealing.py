"""Sealing anew what companies' secrets were sealed by before: an older key, or a seal that named nobody.

Commanded by an operator once every process runs this release: one of an older release cannot open the result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import database
from chassis.database import transaction
from chassis.sealing import Seal, SealBroken

if TYPE_CHECKING:
    from chassis.service import Service


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where a service keeps secrets: ``table`` has ``company``, and ``column`` what was sealed for ``purpose``."""

    table: str
    column: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many were sealed anew, and how many no key opens."""

    anew: int
    shut: int


async def reseal(engine: AsyncEngine, seal: Seal, places: Sequence[Sealed]) -> Resealed:
    """One transaction per place. A secret that changes meanwhile is sealed by whoever changes it."""
    anew = shut = 0
    for place in places:
        table, column = place.table, place.column
        kept = text(f"select ctid, company, {column} as kept from {table} where {column} is not null for update")  # noqa: S608
        write = text(f"update {table} set {column} = :sealed where ctid = cast(:ctid as tid)")  # noqa: S608
        async with transaction(engine) as tx:
            for row in (await tx.execute(kept)).all():
                sealed, whose = bytes(row.kept), {"company": row.company, "purpose": place.purpose}
                if seal.is_newest(sealed, **whose):
                    continue
                try:
                    secret = seal.open(sealed, **whose)
                except SealBroken:
                    shut += 1
                    continue
                await tx.execute(write, {"ctid": row.ctid, "sealed": seal.seal(secret, **whose)})
                anew += 1
    return Resealed(anew, shut)


async def reseal_command(service: Service) -> int:
    """``python -m services.<name> reseal``; the exit code is 1 when a secret stays shut."""
    engine = database.engine(service.settings.database_url, service.name)
    seal = Seal(getattr(service.settings, "sealing_key", ""))
    try:
        done = await reseal(engine, seal, service.sealed)
    finally:
        await engine.dispose()
    sys.stdout.write(json.dumps({"anew": done.anew, "shut": done.shut}) + "\n")
    return 1 if done.shut else 0
