"""One attempt at a run, of a file or of a live base: in its turn, and told how it ended, whatever happens to it.

Everything that a run changes is one transaction: its rows, its events, its end. Whatever dies in between, the next
attempt begins anew and ends the same.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import driver, is_transient, transaction
from chassis.eventlog import Cause, Said
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.jobs import Job, WorkersLost
from chassis.running import Running
from chassis.telemetry import current_traceparent
from contracts.sync import SyncFailed
from services.sync import runs
from services.sync.changes import Connection
from services.sync.connectors import Read
from services.sync.domain.problems import Problem, Verdict
from services.sync.people import Handing
from services.sync.runs import Run, UploadLost

LEDGER_PATIENCE = timedelta(minutes=15)
LEDGER_PAUSE = timedelta(seconds=2)
SURPRISES = 8
"""A run that was attempted as often and fails for no known reason is given up."""
MOST_LOSSES = 5
"""A run whose worker died as often is given up: out of memory, it would die for ever, and nothing else come in."""
TURN_PAUSE = timedelta(seconds=0.5)

log = logging.getLogger(__name__)


class Refused(Exception):
    """The file, or what it would do, is refused; nothing was applied."""

    def __init__(self, reason: str, verdict: Verdict, lines: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.verdict = verdict
        self.lines = lines


class OnlyLooked(Exception):
    """A dry run has seen what the import would do; what it did is to be rolled back."""

    def __init__(self, result: dict[str, Any], read: Read, source: str, verdict: Verdict) -> None:
        super().__init__("dry run")
        self.result = result
        self.read = read
        self.source = source
        self.verdict = verdict


class NotItsTurn(Exception):
    """An earlier import of the same company has not ended yet."""


class Attempting(ABC):
    """Carries out the jobs of a queue; ``_import`` is what a kind of run does by itself."""

    def __init__(self, running: Running, people_per_call: int) -> None:
        self._running = running
        self._people_per_call = people_per_call

    async def __call__(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            await self._attempt(job)

    @abstractmethod
    async def _import(self, run: Run, job: Job) -> None:
        """Bring in what the run names and end the run and the job. Raises what ``_attempt`` knows."""

    async def _attempt(self, job: Job) -> None:
        async with transaction(self._running.engine) as tx:
            run = await runs.find(tx, job.company, UUID(job.payload["run_id"]))
            if run is None or run.status != "running":
                return
            connection = await driver(tx)
            if await runs.has_earlier(connection, run) or await runs.lets_others_first(connection, run, job.queue):
                await job.again(tx, TURN_PAUSE, "it is the turn of another import", counted=False)
                return
        try:
            await self._import(run, job)
        except Refused as refusal:
            await self._fail(run, job, refusal)
        except OnlyLooked as looked:
            await self._tell_of_the_look(run, job, looked)
        except UploadLost:
            await self._fail(run, job, refused("upload_lost"))
        except NotItsTurn:
            async with transaction(self._running.engine) as tx:
                await job.again(tx, TURN_PAUSE, "an earlier import has not ended", counted=False)
        except NeighbourUnreachable:
            await self._wait_for_ledger(run, job)
        except Exception as surprise:
            if isinstance(surprise, NeighbourRefused) and surprise.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                await self._wait_for_ledger(run, job)
                return
            if is_transient(surprise) or job.attempts < SURPRISES:
                raise
            log.exception("import given up", extra={"company": run.company, "run_id": str(run.run_id)})
            await self._fail(run, job, _surprising(surprise))

    async def give_up(self, tx: AsyncConnection, job: Job, error: Exception | None) -> None:
        """End the run of a job that failed as often as it may: one that went on running without a job would hold
        up every later import of its company for ever."""
        run = await runs.find(tx, job.company, UUID(job.payload["run_id"]))
        if run is not None and run.status == "running":
            log.error("import given up", extra={"company": run.company, "run_id": str(run.run_id)})
            await self._end_failed(tx, run, _surprising(error))

    async def _ensure_turn(self, tx: AsyncConnection, run: Run) -> Connection:
        """The driver's connection of a transaction that no other import of the company works beside. Raises
        ``NotItsTurn``."""
        connection = await driver(tx)
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended('import ' || %s, 0))", (run.company,)
        )
        if await runs.has_earlier(connection, run):
            raise NotItsTurn
        return connection

    async def _show(self, run: Run, stage: str, lines_read: int) -> None:
        await runs.show_progress(self._running.engine, run, stage, lines_read)

    def _handing(self, run: Run, source: str) -> Handing:
        """How people of this run are handed to ledger."""
        options: dict[str, Any] = {"headers": {"Relance-Correlation-Id": str(run.correlation_id)}}
        if self._running.settings.allow_as_of:
            options["as_of"] = run.as_of
        return Handing(self._running.neighbour("ledger"), run.company, source, self._people_per_call, options)

    async def _tell_of_the_look(self, run: Run, job: Job, looked: OnlyLooked) -> None:
        async with transaction(self._running.engine) as tx:
            await runs.end(
                tx,
                run,
                "completed",
                source=looked.source,
                lines_read=looked.read.lines,
                result=looked.result,
                warnings=looked.verdict.warnings,
            )
            await job.done(tx)

    async def _wait_for_ledger(self, run: Run, job: Job) -> None:
        """Ledger takes the people first; without it nothing is said."""
        await self._show(run, "waiting for ledger", 0)
        asked = datetime.fromisoformat(job.payload["requested_at"])
        if clock.now() - asked > LEDGER_PATIENCE:
            await self._fail(run, job, refused("ledger_unreachable"))
            return
        async with transaction(self._running.engine) as tx:
            await job.again(tx, LEDGER_PAUSE, "ledger does not answer", counted=False)

    async def _fail(self, run: Run, job: Job, refusal: Refused) -> None:
        async with transaction(self._running.engine) as tx:
            await job.done(tx)
            await self._end_failed(tx, run, refusal)

    async def _end_failed(self, tx: AsyncConnection, run: Run, refusal: Refused) -> None:
        verdict = refusal.verdict
        await runs.end(
            tx,
            run,
            "failed",
            lines_read=refusal.lines,
            result={"reason": refusal.reason, "uncounted": verdict.uncounted},
            errors=verdict.errors,
            warnings=verdict.warnings,
        )
        if not run.dry_run:
            failed = SyncFailed(
                run_id=run.run_id, connector=run.connector, source=run.file[:200], reason=refusal.reason
            )
            await self._running.say(tx)(run.company, [Said(failed)], as_of=run.as_of, cause=cause_of(run))


def refused(code: str, *, line: int = 1, **details: str) -> Refused:
    """A refusal for one reason, which is its only problem; ``line`` 0 stands for the whole delivery."""
    return Refused(code, Verdict((Problem(line, "", code, details),), (), {}))


def cause_of(run: Run) -> Cause:
    """By whom and in which trace the run was asked for."""
    return Cause(run.actor, run.correlation_id, traceparent=current_traceparent())


def _surprising(surprise: Exception | None) -> Refused:
    """A failure of no known reason, by the name of its kind: its text may quote the file."""
    if isinstance(surprise, WorkersLost):
        return refused("workers_lost", times=str(surprise.times))
    told = str(surprise) if isinstance(surprise, NeighbourRefused) else type(surprise).__name__
    return refused("import_failed", error=told)
