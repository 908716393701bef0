"""What stands beside a service's live tables, for those who look after it: read only, over HTTP.

Starting, switching and dropping need the rights of the schema's owner and stay on the command line (ADR 49, 60).
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from psycopg.errors import InvalidSchemaName, UndefinedTable

from chassis.beside.compared import last_compared
from chassis.beside.place import Beside, looked_at, made_by
from chassis.database import driver
from chassis.derived import Connection
from chassis.http import CompanyDep, RunningDep, SystemTxDep, WholeCompany, requires
from chassis.running import Running

router = APIRouter()


@router.get("/companies/{company}/rebuild", dependencies=[requires("admin"), WholeCompany])
async def rebuild(company: CompanyDep, process: RunningDep) -> dict[str, Any]:
    """``live``: version and instant since when it is live; ``code_version``; ``beside``, or null: its ``role``
    (``next`` or ``before``), version, since when, which ``share`` of the events it has applied, how many are
    missing, how many keys are ``parked``, whether somebody builds, and what the last comparison found: per table
    the rows that are not alike, and the columns.

    Numbers of rows and of events of everybody are for operators only: an installation has several companies.
    """
    async with process.engine.connect() as connection:
        told = await _told(await driver(connection), process)
    if told["beside"]:
        told["beside"].pop("heard")
        for one in (told["beside"]["compared"] or {"tables": []})["tables"]:
            for name in ("live", "beside", "equal"):
                one.pop(name)
    return told


@router.get("/rebuild")
async def every_rebuild(tx: SystemTxDep, process: RunningDep) -> dict[str, Any]:
    """The same with all its numbers, for operators."""
    return await _told(await driver(tx), process)


async def _told(connection: Connection, process: Running) -> dict[str, Any]:
    listening = process.service.listening
    version, since = await made_by(connection, process.name)
    return {
        "service": process.name,
        "live": {"version": version, "since": since},
        "code_version": listening.version if listening else None,
        "beside": await _beside(connection, process.name),
    }


async def _beside(connection: Connection, service: str) -> dict[str, Any] | None:
    try:
        async with connection.transaction():
            found = await looked_at(connection, service)
            return None if found is None else _of(found) | {"compared": await last_compared(connection, found)}
    except (InvalidSchemaName, UndefinedTable):
        return None  # switched to or dropped this very moment


def _of(found: Beside) -> dict[str, Any]:
    heard = sum(found.heard.values())
    known = heard + found.events_behind
    return {
        "role": found.role,
        "version": found.version,
        "since": found.since,
        "heard": heard,
        "behind": found.events_behind,
        # what is not all is never told as all
        "share": 100 if not found.events_behind else min(99, 100 * heard // known),
        "parked": found.parked,
        "builders": found.builders,
    }
