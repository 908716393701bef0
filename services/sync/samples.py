"""Files sent to be looked at before they are imported. They are kept for a day, or until a person of the company
is erased, whom they may name."""

import asyncio
import logging
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.cancellation import heed_cancellation
from chassis.database import driver, is_transient, transaction
from chassis.problems import Problem
from chassis.running import Running
from services.sync.connectors.mapped.guess import Look, look
from services.sync.connectors.mapped.mapping import Holds
from services.sync.connectors.mapped.table import TableUnreadable
from services.sync.connectors.mapped.wording import wording

CLEANING_PAUSE_SECONDS = 600.0

OUTDATED = text("delete from sample where sent_at < now() - interval '1 day'")
# what belongs to no sample and to no run that may still read it
LEFT_OVER = text(
    """
    delete from upload
    where not exists (select from sample where sample.company = upload.company and sample_id = upload.run_id)
        and not exists (select from run where run.company = upload.company and run.run_id = upload.run_id
            and status = 'running')
    """
)
FORGET = (
    text(
        "delete from upload using sample where sample.company = :company and upload.company = sample.company"
        " and upload.run_id = sample.sample_id"
    ),
    text("delete from sample where company = :company"),
)

log = logging.getLogger(__name__)


async def clean(tx: AsyncConnection) -> int:
    """Let go of the samples that nobody came back to, and of the files that nothing holds any more; answers how
    many samples."""
    gone = await tx.execute(OUTDATED)
    await tx.execute(LEFT_OVER)
    return gone.rowcount


async def keep_clean(running: Running) -> None:
    """Clean from time to time, until cancelled."""
    while True:
        heed_cancellation()
        try:
            async with transaction(running.engine) as tx:
                await clean(tx)
        except Exception as error:
            if not is_transient(error):
                log.exception("files sent to be looked at cannot be let go of")
        await asyncio.sleep(CLEANING_PAUSE_SECONDS)


async def forget(tx: AsyncConnection, company: str) -> None:
    """Let go of all samples of a company."""
    for statement in FORGET:
        await tx.execute(statement, {"company": company})


async def remember(tx: AsyncConnection, company: str, sample_id: UUID, file: str) -> None:
    """Write a sample down."""
    connection = await driver(tx)
    values = {"company": company, "sample_id": sample_id, "file": file}
    await connection.execute(
        "insert into sample (company, sample_id, file) values (%(company)s, %(sample_id)s, %(file)s)", values
    )


async def file_of(tx: AsyncConnection, company: str, sample_id: UUID) -> str:
    """The name of a sample's file. Answers 404 when it was let go."""
    file: str | None = await tx.scalar(
        text("select file from sample where company = :company and sample_id = :sample_id"),
        {"company": company, "sample_id": sample_id},
    )
    if file is None:
        raise Problem("sample-unknown", "The file is not kept any more", 404, "Send it again.", sample=sample_id)
    return file


async def hand_on(tx: AsyncConnection, company: str, sample_id: UUID, run_id: UUID, *, keep: bool) -> None:
    """Make a sample's content the file of a run; a copy of it when the sample is to stay."""
    connection = await driver(tx)
    values = {"company": company, "sample_id": sample_id, "run_id": run_id}
    if keep:
        await connection.execute(
            "insert into upload (company, run_id, part, content)"
            " select company, %(run_id)s, part, content from upload"
            " where company = %(company)s and run_id = %(sample_id)s",
            values,
        )
        return
    await connection.execute(
        "update upload set run_id = %(run_id)s where company = %(company)s and run_id = %(sample_id)s", values
    )
    await connection.execute(
        "delete from sample where company = %(company)s and sample_id = %(sample_id)s", values
    )


async def seen(  # noqa: PLR0913, PLR0917 what is looked at
    tx: AsyncConnection,
    company: str,
    sample_id: UUID,
    holds: Holds | None,
    sheet: str | None,
    header_row: int | None,
) -> dict[str, Any]:
    """What a sample shows: ``{columns: [{name, examples, field}], rows, sheets, encoding, mapping}``. Answers 422
    when it is no table."""
    connection = await driver(tx)
    with tempfile.TemporaryDirectory(prefix="relance-sample-") as folder:
        path = Path(folder) / "source"
        with path.open("wb") as file:
            async with connection.cursor(name="sample", binary=True) as cursor:
                cursor.itersize = 4
                await cursor.execute(
                    "select content from upload where company = %s and run_id = %s order by part",
                    (company, sample_id),
                )
                async for (content,) in cursor:
                    file.write(content)
        try:
            found: Look = await asyncio.to_thread(look, path, holds, sheet, header_row)
        except TableUnreadable as unreadable:
            message, remedy = wording(unreadable.code, "en", unreadable.details)
            french, french_remedy = wording(unreadable.code, "fr", unreadable.details)
            raise Problem(
                "file-unreadable",
                message,
                422,
                remedy,
                code=unreadable.code,
                line=unreadable.line,
                in_french={"message": french, "remedy": french_remedy},
            ) from unreadable
    return {
        "columns": [
            {"name": column.name, "examples": column.examples, "field": column.field} for column in found.columns
        ],
        "rows": found.rows,
        "sheets": found.sheets,
        "encoding": found.encoding,
        "mapping": found.mapping,
    }
