"""The history of imports: asked for, under way, ended; with the file of those that have not ended."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.database import driver, transaction
from services.sync import changes
from services.sync.connectors import Rules
from services.sync.domain.problems import Problem
from services.sync.domain.receivables import DEFAULT_TERM_DAYS

PART_BYTES = 1 << 20

FIND = text(
    "select r.company, run_id, connector, file, r.email_domain, as_of, actor, correlation_id, status, stage,"
    " coalesce(accounts, '{411}') as accounts, coalesce(term_days, :term) as term_days,"
    " coalesce(journals, '{}') as journals, coalesce(accepted, '{}') as accepted, currency, fiscal_year_start,"
    " coalesce(s.fields, '{}') as fields, mapping_name, mapping, dry_run"
    " from run r join company c using (company) left join import_settings s using (company)"
    " where r.company = :company and run_id = :run_id"
)


class UploadLost(Exception):
    """The file of a run is not there any more."""


@dataclass(frozen=True)
class Run:
    """One import, with the settings of its company as they are now."""

    company: str
    run_id: UUID
    connector: str
    file: str
    email_domain: str | None
    as_of: date
    actor: str
    correlation_id: UUID
    status: str
    stage: str
    accounts: list[str]
    term_days: int
    journals: dict[str, str]
    accepted: list[str]
    currency: str
    fiscal_year_start: str
    fields: dict[str, str]
    mapping_name: str | None
    mapping: dict[str, Any] | None
    dry_run: bool

    @property
    def rules(self) -> Rules:
        return Rules(
            tuple(self.accounts),
            self.currency,
            frozenset(self.accepted),
            self.as_of,
            self.mapping_name or "",
            self.mapping,
            self.fields,
        )


async def find(tx: AsyncConnection, company: str, run_id: UUID) -> Run | None:
    row = (await tx.execute(FIND, {"company": company, "run_id": run_id, "term": DEFAULT_TERM_DAYS})).one_or_none()
    return Run(**row._mapping) if row else None


async def open_run(tx: AsyncConnection, run: dict[str, Any]) -> bool:
    """Write a run down as asked for; ``mapping_name``, ``mapping`` and ``dry_run`` may be left out. False when it
    was asked for already, even in this moment."""
    mapping = run.get("mapping")
    values = {"mapping_name": None, "dry_run": False, **run, "mapping": Jsonb(mapping) if mapping else None}
    connection = await driver(tx)
    opened = await connection.execute(
        "insert into run (company, run_id, connector, file, email_domain, as_of, actor, correlation_id,"
        " mapping_name, mapping, dry_run)"
        " values (%(company)s, %(run_id)s, %(connector)s, %(file)s, %(email_domain)s, %(as_of)s, %(actor)s,"
        " %(correlation_id)s, %(mapping_name)s, %(mapping)s, %(dry_run)s)"
        " on conflict (company, run_id) do nothing",
        values,
    )
    return opened.rowcount == 1


async def keep_part(tx: AsyncConnection, company: str, run_id: UUID, part: int, content: bytes) -> None:
    """Keep a part of the uploaded file."""
    connection = await driver(tx)
    await connection.execute(
        "insert into upload (company, run_id, part, content) values (%s, %s, %s, %b)",
        (company, run_id, part, content),
    )


@asynccontextmanager
async def uploaded(engine: AsyncEngine, run: Run) -> AsyncIterator[Path]:
    """The uploaded file, on disk for as long as the block lasts. Raises ``UploadLost``."""
    with tempfile.TemporaryDirectory(prefix="relance-import-") as folder:
        path = Path(folder) / "source"
        parts = 0
        with path.open("wb") as file:
            async with transaction(engine) as tx:
                connection = await driver(tx)
                async with connection.cursor() as cursor:
                    while True:
                        await cursor.execute(
                            "select content from upload where company = %s and run_id = %s and part = %s",
                            (run.company, run.run_id, parts),
                            binary=True,
                        )
                        row = await cursor.fetchone()
                        if row is None:
                            break
                        file.write(row[0])
                        parts += 1
        if not parts:
            raise UploadLost(str(run.run_id))
        yield path


async def has_earlier(connection: changes.Connection, run: Run) -> bool:
    """Whether a file or a delivery of the company that was there before has not been dealt with yet."""
    cursor = await connection.execute(
        "select from run earlier join run mine using (company) where company = %(company)s"
        " and mine.run_id = %(run_id)s and earlier.status = 'running'"
        " and earlier.stage not in ('asked', 'receiving')"
        " and (earlier.requested_at, earlier.run_id) < (mine.requested_at, mine.run_id) limit 1",
        {"company": run.company, "run_id": run.run_id},
    )
    return await cursor.fetchone() is not None


OTHERS_FIRST = """
    with latest as (
        select company, max(coalesce(started_at, finished_at)) as served from run
        where company = %(company)s or company in (select company from job where queue = %(queue)s
            and status = 'ready' and run_at <= now())
        group by company
    )
    select from job join latest theirs using (company) left join latest mine on mine.company = %(company)s
    where job.queue = %(queue)s and job.status = 'ready' and job.run_at <= now() and job.company <> %(company)s
        and coalesce(theirs.served, '-infinity') < coalesce(mine.served, '-infinity') limit 1
"""


async def lets_others_first(connection: changes.Connection, run: Run, queue: str) -> bool:
    """Whether another company waits that was served longer ago, so that many files of one never keep the others
    waiting."""
    cursor = await connection.execute(OTHERS_FIRST, {"company": run.company, "queue": queue})
    return await cursor.fetchone() is not None


async def show_progress(engine: AsyncEngine, run: Run, stage: str, lines_read: int) -> None:
    """Tell in a transaction of its own how far a run is."""
    async with transaction(engine) as tx:
        await tx.execute(
            text(
                "update run set stage = :stage, lines_read = :lines_read, started_at = coalesce(started_at, now())"
                " where company = :company and run_id = :run_id and status = 'running'"
            ),
            {"company": run.company, "run_id": run.run_id, "stage": stage, "lines_read": lines_read},
        )


async def end(  # noqa: PLR0913 all that is known of a run
    tx: AsyncConnection,
    run: Run,
    status: str,
    *,
    source: str | None = None,
    lines_read: int = 0,
    result: dict[str, Any] | None = None,
    errors: Sequence[Problem] = (),
    warnings: Sequence[Problem] = (),
) -> None:
    """Write the end of a run and let its file go."""
    connection = await driver(tx)
    await connection.execute(
        "update run set status = %(status)s, stage = 'ended', source = %(source)s, lines_read = %(lines_read)s,"
        " result = %(result)s, errors = %(errors)s, warnings = %(warnings)s, finished_at = clock_timestamp()"
        " where company = %(company)s and run_id = %(run_id)s",
        {
            "company": run.company,
            "run_id": run.run_id,
            "status": status,
            "source": source,
            "lines_read": lines_read,
            "result": Jsonb(result or {}),
            "errors": Jsonb([asdict(problem) for problem in errors]),
            "warnings": Jsonb([asdict(problem) for problem in warnings]),
        },
    )
    await connection.execute("delete from upload where company = %s and run_id = %s", (run.company, run.run_id))
