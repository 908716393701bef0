"""Fetching: what is new in an inlet becomes runs, each file in one transaction.

A file is known by its name, size and instant, so that it is fetched once. One that is still being written waits:
it must look the same twice, by the clock of its own place, a few seconds of ours apart, and must not grow while it
is read. It is brought over before any transaction begins, so that a slow machine holds none open.
"""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from chassis import clock
from chassis.database import driver, transaction
from chassis.eventlog import Cause, Said
from chassis.guard import networks_of
from chassis.jobs import Job, NewJob, enqueue
from chassis.running import Running
from contracts.sync import SyncFailed, SyncStarted
from services.sync import queries, runs
from services.sync.domain.problems import Problem
from services.sync.imports import QUEUE as IMPORTS
from services.sync.inlets import FetchRefused, FileUnreadable, Found, Inlet, Opened, Place, SftpPlace, StillWritten
from services.sync.inlets.folder import Folder
from services.sync.inlets.sftp import Sftp
from services.sync.settings import SyncSettings

QUEUE = "fetch"
SETTLED = timedelta(seconds=5)
MOST_AT_ONCE = 50
MOST_LOOKS = 30
"""After as many looks at files that never rest, the next slot goes on."""
MEGABYTE = 1 << 20

BUSY = text(
    "select bool_or(other.status = 'running' and other.until > now()"
    "   and (other.changed_at, other.id) < (mine.changed_at, mine.id)) as is_looked_into,"
    " bool_or(other.status = 'ready') as waits"
    " from job mine join job other on other.queue = mine.queue and other.key = mine.key and other.id <> mine.id"
    " where mine.id = :id and other.status in ('ready', 'running')"
)
"""Of the other jobs of an inlet. A job that holds a lease is the lock: no connection is held while files come."""

log = logging.getLogger(__name__)


class TakenMeanwhile(Exception):
    """Somebody else has fetched this file."""


@dataclass(frozen=True)
class Seen:
    """A file that is not fetched yet, as a look found it."""

    file: Found
    since: datetime
    trouble: str | None


class Fetcher:
    """Carries out the jobs of the fetch queue. What one inlet meets with stops no other."""

    def __init__(self, running: Running) -> None:
        self._running = running
        settings = running.settings
        assert isinstance(settings, SyncSettings)
        self._settings = settings

    async def __call__(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if await self._has_its_turn(job):
                is_more = await self._fetch(job.company, str(job.payload["inlet"]), str(job.payload["actor"]))
                if is_more and job.attempts < MOST_LOOKS:
                    async with transaction(self._running.engine) as tx:
                        await job.again(tx, SETTLED, "files are looked at once more")

    async def _has_its_turn(self, job: Job) -> bool:
        """False while another job looks into the same inlet: this one waits, unless one waits already."""
        async with transaction(self._running.engine) as tx:
            others = (await tx.execute(BUSY, {"id": job.id})).one()
            if others.is_looked_into and not others.waits:
                await job.again(tx, SETTLED, "the inlet is being looked into", counted=False)
            return not others.is_looked_into

    async def _fetch(self, company: str, name: str, actor: str) -> bool:
        """Look once and fetch what rests; answers whether files are left to be looked at soon."""
        async with transaction(self._running.engine) as tx:
            row = await tx.scalar(
                text("select inlet from inlet where company = :company and name = :name"),
                {"company": company, "name": name},
            )
        if row is None:
            return False
        inlet = Inlet.model_validate(row)
        cause = Cause(actor, uuid4())
        trouble = None
        try:
            async with self._place(company, inlet).open() as place:
                resting, is_more = await self._look(company, name, inlet, place)
                for seen in resting:
                    try:
                        trouble = await self._fetch_one(company, name, inlet, place, seen, cause) or trouble
                    except StillWritten:
                        log.info("file is still being written", extra={"company": company, "inlet": name})
                        is_more = True
        except FetchRefused as refused:
            log.warning("inlet cannot be fetched", extra={"company": company, "inlet": name, "code": refused.code})
            await self._note_failure(company, name, inlet, refused, cause)
            return False
        await self._note(company, name, trouble)
        return is_more

    async def _fetch_one(  # noqa: PLR0913, PLR0917 a file on its way
        self, company: str, name: str, inlet: Inlet, place: Opened, seen: Seen, cause: Cause
    ) -> str | None:
        """Fetch a file, whatever becomes of the others; answers what kept it from being fetched. Raises
        ``StillWritten``."""
        told = {"company": company, "inlet": name}
        try:
            with tempfile.TemporaryDirectory(prefix="relance-fetch-") as folder:
                path = Path(folder) / "file"
                await self._bring(place, seen.file, path)
                await self._take(company, name, inlet, seen.file, path, cause)
        except TakenMeanwhile:
            log.info("file was fetched by another", extra=told)
        except FileUnreadable as unreadable:
            if unreadable.code != seen.trouble:
                log.warning("file cannot be fetched", extra=told | {"code": unreadable.code})
                await self._note_file(company, name, inlet, seen.file, unreadable, cause)
            return unreadable.code
        return None

    def _place(self, company: str, inlet: Inlet) -> Place:
        if isinstance(inlet.place, SftpPlace):
            networks = networks_of(self._settings.inlet_networks)
            return Sftp(inlet.place, _below(self._settings.secrets_dir, company), networks)
        return Folder(_below(self._settings.inbox_dir, company), inlet.place.folder)

    async def _look(self, company: str, name: str, inlet: Inlet, place: Opened) -> tuple[list[Seen], bool]:
        """Files that match, rest and were not fetched yet, the oldest first, those that were in the way before
        last; and whether others are to be looked at once more."""
        found = [one for one in await place.files() if fnmatchcase(one.shown, inlet.pattern)]
        of_inlet = {"company": company, "name": name}
        now = clock.now()
        async with transaction(self._running.engine) as tx:
            rows = await tx.execute(
                text("select file, size, modified from inlet_file where company = :company and inlet = :name"),
                of_inlet,
            )
            fetched = {(row.file, row.size, row.modified) for row in rows}
            rows = await tx.execute(
                text(
                    "delete from inlet_look where company = :company and inlet = :name"
                    " returning file, size, modified, looked_at, trouble"
                ),
                of_inlet,
            )
            former = {(row.file, row.size, row.modified): (row.looked_at, row.trouble) for row in rows}
            seen = [
                Seen(one, *former.get((one.known_as, one.size, one.modified), (now, None)))
                for one in found
                if (one.known_as, one.size, one.modified) not in fetched
            ]
            looks = [
                (company, name, one.file.known_as, one.file.size, one.file.modified, one.since, one.trouble)
                for one in seen
            ]
            async with (await driver(tx)).cursor() as cursor:
                await cursor.executemany(
                    "insert into inlet_look (company, inlet, file, size, modified, looked_at, trouble)"
                    " values (%s, %s, %s, %s, %s, %s, %s)",
                    looks,
                )
        known_before = former.keys()
        resting = [
            one
            for one in seen
            if (one.file.known_as, one.file.size, one.file.modified) in known_before and one.since <= now - SETTLED
        ]
        resting.sort(key=lambda one: (one.trouble is not None, one.file.modified, one.file.known_as))
        is_more = len(resting) < len(seen) or len(resting) > MOST_AT_ONCE
        return resting[:MOST_AT_ONCE], is_more

    async def _bring(self, place: Opened, found: Found, path: Path) -> None:
        """Write the content of a file to ``path``. Raises ``FileUnreadable`` and ``StillWritten``."""
        most = self._settings.largest_import_mb
        taken = 0
        with path.open("wb") as target:
            async for chunk in place.content(found):
                taken += len(chunk)
                if max(taken, found.size) > most * MEGABYTE:
                    raise FileUnreadable("file_too_large", file=found.shown, most=f"{most}")
                await asyncio.to_thread(target.write, chunk)
        if taken != found.size:
            raise StillWritten(found.known_as)

    async def _take(  # noqa: PLR0913, PLR0917 a file on its way
        self, company: str, name: str, inlet: Inlet, found: Found, path: Path, cause: Cause
    ) -> None:
        """Keep a file and queue its import, or neither. Raises ``TakenMeanwhile``."""
        run_id = uuid4()
        async with transaction(self._running.engine) as tx:
            connection = await driver(tx)
            taken = await connection.execute(
                "insert into inlet_file as known (company, inlet, file, size, modified, run_id)"
                " values (%s, %s, %s, %s, %s, %s)"
                " on conflict (company, inlet, file) do update set size = excluded.size,"
                " modified = excluded.modified, run_id = excluded.run_id, fetched_at = now()"
                " where (known.size, known.modified) is distinct from (excluded.size, excluded.modified)",
                (company, name, found.known_as, found.size, found.modified, run_id),
            )
            if not taken.rowcount:
                raise TakenMeanwhile(found.known_as)
            await connection.execute(
                "delete from inlet_look where company = %s and inlet = %s and file = %s",
                (company, name, found.known_as),
            )
            run = await self._run(tx, company, inlet, found.shown[:200], run_id, cause)
            await runs.open_run(tx, run)
            await _keep(tx, company, run_id, path)
            payload = {"run_id": str(run_id), "requested_at": clock.now().isoformat()}
            await enqueue(tx, IMPORTS, [NewJob(run_id, company, payload, key=company)])
            started = SyncStarted(run_id=run_id, connector=run["connector"], source=run["file"])
            await self._running.say(tx)(company, [Said(started)], as_of=run["as_of"], cause=cause)

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
        async with transaction(self._running.engine) as tx:
            former = await tx.scalar(
                text("select trouble from inlet where company = :company and name = :name for update"),
                {"company": company, "name": name},
            )
            if former != refused.code:
                await self._fail(tx, company, name, inlet, refused, cause)
        await self._note(company, name, refused.code)

    async def _note_file(  # noqa: PLR0913, PLR0917 what is told of a file
        self, company: str, name: str, inlet: Inlet, found: Found, unreadable: FileUnreadable, cause: Cause
    ) -> None:
        """A failed run for one file, once as long as it stays as it is."""
        async with transaction(self._running.engine) as tx:
            await self._fail(tx, company, found.shown[:200], inlet, unreadable, cause)
            await tx.execute(
                text(
                    "update inlet_look set trouble = :code where company = :company and inlet = :name"
                    " and file = :file"
                ),
                {"code": unreadable.code, "company": company, "name": name, "file": found.known_as},
            )

    async def _fail(  # noqa: PLR0913, PLR0917
        self, tx: Any, company: str, file: str, inlet: Inlet, why: FetchRefused | FileUnreadable, cause: Cause
    ) -> None:
        run_id = uuid4()
        connector = "fec" if inlet.reading == "fec" else "mapped"
        day = clock.today(await queries.time_zone(tx, company) or "Europe/Paris")
        run = {
            "company": company, "run_id": run_id, "connector": connector, "file": file,
            "email_domain": None, "as_of": day, "actor": cause.actor, "correlation_id": cause.correlation_id,
        }  # fmt: skip
        await runs.open_run(tx, run)
        found = await runs.find(tx, company, run_id)
        assert found is not None
        problem = Problem(1, "", why.code, why.details)
        await runs.end(tx, found, "failed", result={"reason": why.code}, errors=[problem])
        failed = SyncFailed(run_id=run_id, connector=connector, source=file, reason=why.code)
        await self._running.say(tx)(company, [Said(failed)], as_of=day, cause=cause)


def _below(root: Path | None, company: str) -> Path | None:
    return root / company if root else None


async def _keep(tx: Any, company: str, run_id: UUID, path: Path) -> None:
    """Keep the content in parts, at least one."""
    part = 0
    with path.open("rb") as file:
        while (chunk := await asyncio.to_thread(file.read, runs.PART_BYTES)) or not part:
            await runs.keep_part(tx, company, run_id, part, chunk)
            part += 1
