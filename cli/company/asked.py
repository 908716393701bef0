"""Exports that administrators asked for on the page of their company, made by an operator's command.

The console has no right to read what the other services keep, so it cannot make them (ADR 51, 60); it finds the
finished file in its own schema, in parts, and hands it over for a week.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from cli.company.bundle import BundleUnreadable, opened
from cli.company.exporting import CompanyBusy, export
from cli.company.verifying import BundleBroken, refuse_broken

PART_BYTES = 4 << 20
KEPT_DAYS = 7
LOCK = "relance company exports"

ASKED = """
    select e.company, e.export_id, coalesce(a.email, 'an administrator')
    from console.company_export e left join console.account a on a.account_id = e.asked_by
    where e.status = 'asked' and not exists (select from console.company_hold h where h.company = e.company)
    order by e.asked_at
"""
LET_GO = """
    with ended as (update console.company_export set status = 'gone'
        where status = 'ready' and until < now() returning company, export_id)
    delete from console.company_export_part p using ended e
    where (p.company, p.export_id) = (e.company, e.export_id)
"""
PUT = "insert into console.company_export_part (company, export_id, part, content) values (%s, %s, %s, %s)"
READY = """
    update console.company_export set status = 'ready', told = null, done_at = now(),
        until = now() + make_interval(days => %s), bytes = %s, contents = %s
    where company = %s and export_id = %s and status = 'asked'
"""
TOLD = """
    update console.company_export set told = %s, done_at = now(),
        status = case when %s then 'failed' else 'asked' end
    where company = %s and export_id = %s and status = 'asked'
"""


@dataclass(frozen=True)
class Made:
    """What became of one that was asked for; ``told`` says why it is not there."""

    company: str
    bytes: int = 0
    told: str | None = None


def make_asked(dsn: str, *, most_bytes: int, wait_seconds: float) -> list[Made]:
    """Make every export that is asked for, one after another, and let go those that had their time.

    Of two commands at once one does it. A company at rest is left out: its last export is handed out by
    ``offboard``.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        (alone,) = connection.execute("select pg_try_advisory_lock(hashtext(%s))", [LOCK]).fetchone() or (False,)
        if not alone:
            return []
        connection.execute(LET_GO)
        asked = connection.execute(ASKED).fetchall()
        return [_make(connection, dsn, *one, most_bytes=most_bytes, wait_seconds=wait_seconds) for one in asked]


def _make(  # noqa: PLR0913 where it is, whose it is, and how far to go
    connection: psycopg.Connection[Any],
    dsn: str,
    company: str,
    export_id: UUID,
    by: str,
    *,
    most_bytes: int,
    wait_seconds: float,
) -> Made:
    with tempfile.TemporaryDirectory(prefix="relance-export-") as folder:
        file = Path(folder) / f"{company}.zip"
        try:
            export(dsn, company, file, by=by, wait_seconds=wait_seconds)
            with opened(file) as bundle:
                found = refuse_broken(bundle)
        except CompanyBusy as busy:
            connection.execute(TOLD, ["busy", False, company, export_id])
            return Made(company, told=str(busy))
        except (BundleBroken, BundleUnreadable) as broken:
            connection.execute(TOLD, ["broken", True, company, export_id])
            return Made(company, told=str(broken))
        size = file.stat().st_size
        if size > most_bytes:
            connection.execute(TOLD, ["too-large", True, company, export_id])
            return Made(
                company, size, f"{size} bytes are more than {most_bytes}: relance company export {company}"
            )
        contents = {
            "events": found.events,
            "rows": found.rows,
            "files": found.files,
            "archive_records": found.archive_records,
            "manifest_sha256": found.manifest_sha256,
        }
        with connection.transaction(), file.open("rb") as content:
            ready = connection.execute(READY, [KEPT_DAYS, size, Jsonb(contents), company, export_id])
            if not ready.rowcount:
                return Made(company, told="it was withdrawn meanwhile")
            for number, part in enumerate(iter(lambda: content.read(PART_BYTES), b"")):
                connection.execute(PUT, [company, export_id, number, part])
        return Made(company, size)
