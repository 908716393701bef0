"""Fetching: what is new in an inlet becomes runs, each file in one transaction.

A file is known by its name, size and instant, so that it is fetched once. One that is still being written waits
for the next time: it is younger than a few seconds, or grows while it is read.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from chassis import clock
from chassis.database import driver, transaction
from chassis.eventlog import Cause, Said
from chassis.jobs import Job, NewJob, enqueue
from chassis.running import Running
from contracts.sync import SyncFailed, SyncStarted
from services.sync import queries, runs
from services.sync.domain.problems import Problem
from services.sync.imports import QUEUE as IMPORTS
from services.sync.inlets import FetchRefused, Found, Inlet, Opened, Place, SftpPlace
from services.sync.inlets.folder import Folder
from services.sync.inlets.sftp import Sftp
from services.sync.settings import SyncSettings

QUEUE = "fetch"
SETTLED = timedelta(seconds=5)
MOST_AT_ONCE = 50

log = logging.getLogger(__name__)


class StillWritten(Exception):
    """The file is not what it was listed as any more."""


class Fetcher:
    """Carries out the jobs of the fetch queue. What one inlet meets with stops no other."""

    def __init__(self, running: Running) -> None:
        self._running = running
        settings = running.settings
        assert isinstance(settings, SyncSettings)
        self._settings = settings

    async def __call__(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            await self._fetch(job.company, str(job.payload["inlet"]), str(job.payload["actor"]))

    async def _fetch(self, company: str, name: str, actor: str) -> None:
        async with transaction(self._running.engine) as tx:
            row = await tx.scalar(
                text("select inlet from inlet where company = :company and name = :name"),
                {"company": company, "name": name},
            )
        if row is None:
            return
        inlet = Inlet.model_validate(row)
        cause = Cause(actor, uuid4())
        try:
            async with self._place(company, inlet).open() as place:
                for found in await self._new(company, name, inlet, place):
                    await self._take(company, name, inlet, place, found, cause)
        except FetchRefused as refused:
            log.warning("inlet cannot be fetched", extra={"company": company, "inlet": name, "code": refused.code})
            await self._note_failure(company, name, inlet, refused, cause)
            return
        await self._note(company, name, None)

    def _place(self, company: str, inlet: Inlet) -> Place:
        if isinstance(inlet.place, SftpPlace):
            return Sftp(inlet.place, _below(self._settings.secrets_dir, company))
        return Folder(_below(self._settings.inbox_dir, company), inlet.place.folder)

    async def _new(self, company: str, name: str, inlet: Inlet, place: Opened) -> list[Found]:
        """Files that match, have settled and were not fetched yet, the oldest first."""
        before = clock.now() - SETTLED
        found = [
            one for one in await place.files() if fnmatchcase(one.name, inlet.pattern) and one.modified <= before
        ]
        async with transaction(self._running.engine) as tx:
            rows = await tx.execute(
                text("select file, size, modified from inlet_file where company = :company and inlet = :name"),
                {"company": company, "name": name},
            )
            known = {(row.file, row.size, row.modified) for row in rows}
        fresh = [one for one in found if (one.name, one.size, one.modified) not in known]
        return sorted(fresh, key=lambda one: (one.modified, one.name))[:MOST_AT_ONCE]

    async def _take(  # noqa: PLR0913, PLR0917 a file on its way
        self, company: str, name: str, inlet: Inlet, place: Opened, found: Found, cause: Cause
    ) -> None:
        """Keep a file and queue its import, or neither."""
        run_id = uuid4()
        try:
            async with transaction(self._running.engine) as tx:
                run = await self._run(tx, company, inlet, found.name[:200], run_id, cause)
                await runs.open_run(tx, run)
                if await _keep(tx, company, run_id, place, found.name) != found.size:
                    raise StillWritten(found.name)
                connection = await driver(tx)
                await connection.execute(
                    "insert into inlet_file (company, inlet, file, size, modified, run_id)"
                    " values (%s, %s, %s, %s, %s, %s)"
                    " on conflict (company, inlet, file) do update set size = excluded.size,"
                    " modified = excluded.modified, run_id = excluded.run_id, fetched_at = now()",
                    (company, name, found.name, found.size, found.modified, run_id),
                )
                payload = {"run_id": str(run_id), "requested_at": clock.now().isoformat()}
                await enqueue(tx, IMPORTS, [NewJob(run_id, company, payload, key=company)])
                started = SyncStarted(run_id=run_id, connector=run["connector"], source=run["file"])
                await self._running.say(tx)(company, [Said(started)], as_of=run["as_of"], cause=cause)
        except StillWritten:
            log.info("file is still being written", extra={"company": company, "inlet": name})

    async def _run(  # noqa: PLR0913, PLR0917
        self, tx: Any, company: str, inlet: Inlet, file: str, run_id: UUID, cause: Cause
    ) -> dict[str, Any]:
        mapping = None
        if inlet.reading != "fec":
            mapping = await queries.mapping(tx, company, inlet.reading)
            if mapping is None:
                raise FetchRefused("mapping_missing", mapping=inlet.reading)
        zone = await queries.time_zone(tx, company) or "Europe/Paris"
        return {
            "company": company, "run_id": run_id, "connector": "mapped" if mapping else "fec", "file": file,
            "email_domain": None, "as_of": clock.today(zone), "actor": cause.actor,
            "correlation_id": cause.correlation_id, "mapping_name": inlet.reading if mapping else None,
            "mapping": mapping,
        }  # fmt: skip

    async def _note(self, company: str, name: str, code: str | None) -> None:
        async with transaction(self._running.engine) as tx:
            await tx.execute(
                text(
                    "update inlet set looked_at = now(), trouble = :code where company = :company and name = :name"
                ),
                {"company": company, "name": name, "code": code},
            )

    async def _note_failure(
        self, company: str, name: str, inlet: Inlet, refused: FetchRefused, cause: Cause
    ) -> None:
        """A failed run in the history, once as long as the trouble stays the same."""
        run_id = uuid4()
        async with transaction(self._running.engine) as tx:
            former = await tx.scalar(
                text("select trouble from inlet where company = :company and name = :name for update"),
                {"company": company, "name": name},
            )
            if former != refused.code:
                zone = await queries.time_zone(tx, company) or "Europe/Paris"
                connector = "fec" if inlet.reading == "fec" else "mapped"
                day = clock.today(zone)
                run = {
                    "company": company, "run_id": run_id, "connector": connector, "file": name,
                    "email_domain": None, "as_of": day, "actor": cause.actor,
                    "correlation_id": cause.correlation_id,
                }  # fmt: skip
                await runs.open_run(tx, run)
                found = await runs.find(tx, company, run_id)
                assert found is not None
                problem = Problem(1, "", refused.code, refused.details)
                await runs.end(tx, found, "failed", result={"reason": refused.code}, errors=[problem])
                failed = SyncFailed(run_id=run_id, connector=connector, source=name, reason=refused.code)
                await self._running.say(tx)(company, [Said(failed)], as_of=day, cause=cause)
        await self._note(company, name, refused.code)


def _below(root: Path | None, company: str) -> Path | None:
    return root / company if root else None


async def _keep(tx: Any, company: str, run_id: UUID, place: Opened, name: str) -> int:
    """Keep the content in parts; answers its size."""
    part = taken = 0
    async for chunk in place.content(name):
        taken += len(chunk)
        await runs.keep_part(tx, company, run_id, part, chunk)
        part += 1
    if not part:
        await runs.keep_part(tx, company, run_id, 0, b"")
    return taken
