"""The questions behind ``/readyz``: is PostgreSQL there and migrated, is NATS there."""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chassis import measures
from chassis.derivation import LIVE_VERSION, other_version
from chassis.running import Running

LAG_LOOK_SECONDS = 2.0

REVISION = re.compile(r"""^(down_)?revision\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)
MIGRATED = text("select version_num from alembic_version")


def watch(process: Running, module: str, *, needs_nats: bool) -> None:
    """Registers the checks of a process. ``module`` is the service's package, e.g. ``services.ledger``."""
    head = process.newest_migration = newest_migration(module)

    async def postgresql() -> str | None:
        try:
            async with process.api_engine.connect() as connection:
                there = await connection.scalar(text("select to_regclass('alembic_version') is not null"))
                version = await connection.scalar(MIGRATED) if there else None
        except DBAPIError as failure:
            return f"PostgreSQL does not serve us ({type(failure.orig).__name__})"
        except (SQLAlchemyError, OSError) as failure:
            return f"PostgreSQL does not serve us ({type(failure).__name__})"
        if is_behind(version, head):
            return f"the schema {process.name} is at {version or 'no version'}, not at {head}: run the migrations"
        return None

    async def version() -> str | None:
        """A release that makes other rows waits for the switch, and the one before it goes on until then."""
        listening = process.service.listening
        if listening is None:
            return None
        async with process.api_engine.connect() as connection:
            live = await connection.scalar(LIVE_VERSION)
        return None if live in {None, listening.version} else other_version(process.name, live, listening.version)

    async def nats() -> str | None:
        return None if process.is_connected() else "NATS does not answer"

    process.health.check("postgresql", postgresql)
    if process.service.listening is not None:
        process.health.check("version", version)
    if needs_nats:
        process.health.check("nats", nats)


async def tell_lag(process: Running) -> None:
    """Lets readiness name the streams that are heard late, and measures all that hinders, until cancelled. Late
    pages are still pages: it does not fail for that."""
    while True:
        for sample in (sample for metric in measures.LAG.collect() for sample in metric.samples):
            late = sample.value > process.settings.lag_limit
            sentence = f"{sample.labels['stream']} is heard {sample.value:.0f} seconds late" if late else None
            process.health.hindrance(f"lag of {sample.labels['stream']}", sentence)
        measures.tell_hindrances(process.name, process.health.hindered_by())
        await asyncio.sleep(LAG_LOOK_SECONDS)


def is_behind(version: str | None, head: str | None) -> bool:
    """Whether a schema still lacks what this code needs. Migrations are numbered and only add, so a newer schema
    serves older code as well: pods of the version before must stay ready while the next one comes, and become
    ready when it is taken back."""
    return head is not None and (version is None or version < head)


def newest_migration(module: str) -> str | None:
    """The revision that no other follows. Read from the files, since Alembic is slow to import."""
    folder = Path(next(iter(import_module(module).__path__))) / "migrations" / "versions"
    texts = [file.read_text(encoding="utf-8") for file in folder.glob("*.py")]
    followed = {match[2] for text in texts for match in REVISION.finditer(text) if match[1]}
    revisions = {match[2] for text in texts for match in REVISION.finditer(text) if not match[1]}
    return next(iter(revisions - followed), None)
