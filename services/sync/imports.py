"""One import: read a file whole, compare it with what was seen last, hand people over, say what changed.

Everything that an import changes is one transaction: its rows, its events, its end. Whatever dies in between, the
next attempt begins anew and ends the same.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from http import HTTPStatus
from time import monotonic
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import driver, is_transient, transaction
from chassis.eventlog import Cause, Said
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.jobs import Job, WorkersLost
from chassis.running import Running
from chassis.telemetry import current_traceparent
from contracts.subjects import partition_of
from contracts.sync import ClientsSynced, EntriesSynced, SyncCompleted, SyncFailed
from services.sync import carrying, changes, people, runs
from services.sync.changes import Connection
from services.sync.connectors import Connector, Read
from services.sync.domain.lines import Line
from services.sync.domain.problems import KEPT_PROBLEMS, Problem, Verdict
from services.sync.domain.receivables import Nature, nature_of
from services.sync.domain.scope import book_by_content, book_by_name, is_same_book
from services.sync.people import Handing
from services.sync.runs import Run, UploadLost
from services.sync.staging import COLUMNS, Staging

QUEUE = "import"
PROGRESS_SECONDS = 0.5
LEDGER_PATIENCE = timedelta(minutes=15)
LEDGER_PAUSE = timedelta(seconds=2)
SURPRISES = 8
"""A run that was attempted as often and fails for no known reason is given up."""
MOST_LOSSES = 5
"""A run whose worker died as often is given up: out of memory, it would die for ever, and nothing else come in."""
TURN_PAUSE = timedelta(seconds=0.5)

ENTRIES_SYNCED = EntriesSynced(run_id=UUID(int=0), source="", entries=())
CLIENTS_SYNCED = ClientsSynced(run_id=UUID(int=0), source="", clients=())
"""Types of the bulk events, whose bodies PostgreSQL puts together."""

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


class Importer:
    """Carries out the jobs of the import queue."""

    def __init__(self, running: Running, connectors: Mapping[str, Connector], people_per_call: int) -> None:
        self._running = running
        self._connectors = connectors
        self._people_per_call = people_per_call

    async def __call__(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            await self._attempt(job)

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
        except UploadLost:
            lost = Problem(1, "", "upload_lost", {})
            await self._fail(run, job, Refused("upload_lost", Verdict((lost,), (), {})))
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

    async def _wait_for_ledger(self, run: Run, job: Job) -> None:
        """Ledger takes the people first; without it nothing is said."""
        await runs.show_progress(self._running.engine, run, "waiting for ledger", 0)
        asked = datetime.fromisoformat(job.payload["requested_at"])
        if clock.now() - asked > LEDGER_PATIENCE:
            problem = Problem(1, "", "ledger_unreachable", {})
            await self._fail(run, job, Refused("ledger_unreachable", Verdict((problem,), (), {})))
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
            await self._running.say(tx)(run.company, [Said(failed)], as_of=run.as_of, cause=_cause(run))

    async def _import(self, run: Run, job: Job) -> None:
        began = monotonic()
        async with (
            runs.uploaded(self._running.engine, run) as path,
            transaction(self._running.engine) as tx,
        ):
            connection = await driver(tx)
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended('import ' || %s, 0))", (run.company,)
            )
            if await runs.has_earlier(connection, run):
                raise NotItsTurn
            await changes.stage(connection)
            reading = self._connectors[run.connector].open(path, run.rules)
            staging = Staging(run.company, run.term_days)
            await self._stage(run, connection, reading.batches(), staging)
            verdict, read = reading.verdict(), reading.read
            if verdict.refused:
                raise Refused("file_refused", verdict, read.lines)
            summary = await changes.summarise(connection)
            book = read.book or await self._book(connection, run, read)
            if read.is_keyed:
                await self._refuse_doubles(connection, run, verdict, read)
            if not summary.receivable_lines and read.holds == "entries" and not read.gone:
                await self._refuse_emptiness(connection, run, book, verdict, read)
            natures = await self._natures(connection, run, read)
            sales = [journal for journal, nature in natures.items() if nature is Nature.SALES]
            openings = [journal for journal, nature in natures.items() if nature is Nature.OPENING]
            await self._show(run, "comparing", read.lines)
            carried = await carrying.bring_forward(connection, run.company, book, openings, run.accepted)
            _refuse_doubts(carried.doubts, verdict, read)
            keeps_missing = read.keeps_missing or read.holds != "entries"
            changed, archived = await changes.compare(
                connection, run.company, book, sales, keeps_missing=keeps_missing, gone=read.gone
            )
            left, left_gone = await carrying.leave_to_next_year(connection, run.company, carried)
            unsaid = await carrying.living_on(connection, run.company, book, carried)
            changed, archived = changed - left - len(unsaid), archived - left_gone
            for account in carried.lumps:
                read.names.pop(account, None)
            await people.compare(connection, run.company, book, read, staging, run.accounts[0], run.email_domain)
            result = {
                "read": read.lines,
                "encoding": read.encoding,
                "receivable_lines": summary.receivable_lines,
                "clients": len(read.names),
                "clients_changed": await people.changed(connection),
                "lettering_groups": summary.lettering_groups,
                "unbalanced_groups": summary.unbalanced_groups,
                "open_entries": summary.open_entries,
                "open_balance": f"{summary.open_balance:.2f}",
                "changed": changed + len(carried.left),
                "archived": archived + len(carried.left),
                "carried_forward": len(carried.entries),
                "uncounted": verdict.uncounted,
            }
            if run.dry_run:
                warned = replace(verdict, warnings=(*verdict.warnings, *carried.warnings))
                raise OnlyLooked(result | {"seconds": round(monotonic() - began, 3)}, read, book, warned)
            await self._show(run, "handing people to ledger", read.lines)
            heads = await people.hand_over(connection, self._handing(run, book))
            await self._show(run, "recording", read.lines)
            await changes.remember(connection, run.company, book)
            released = await carrying.release(connection, run.company, carried, unsaid)
            changed, archived = changed + released, archived + released
            result |= {"changed": changed, "archived": archived}
            await people.remember(connection, run.company, book, lists=read.lists_clients)
            completed = SyncCompleted(
                run_id=run.run_id,
                connector=run.connector,
                source=book,
                completed_at=clock.now(),
                entries_read=summary.receivable_lines,
                changed=changed,
                archived=archived,
                positions={"ledger": heads} if heads else {},
            )
            positions = await self._say(tx, connection, run, completed)
            result |= {"positions": positions, "seconds": round(monotonic() - began, 3)}
            warnings = (*verdict.warnings, *carried.warnings)
            await runs.end(
                tx, run, "completed", source=book, lines_read=read.lines, result=result, warnings=warnings
            )
            await job.done(tx)

    async def _stage(
        self, run: Run, connection: Connection, batches: Iterator[list[Line]], staging: Staging
    ) -> None:
        """Read the file and put its customer lines aside, a batch at a time and in a thread, so that the process
        stays awake: a workbook is decoded as a whole with its first batch."""
        shown = 0.0

        def read() -> tuple[list[Line], bytes] | None:
            batch = next(batches, None)
            return None if batch is None else (batch, staging.rows(batch))

        async with connection.cursor().copy(f"copy seen ({', '.join(COLUMNS)}) from stdin") as copy:
            while (part := await asyncio.to_thread(read)) is not None:
                batch, rows = part
                await copy.write(rows)
                if monotonic() - shown > PROGRESS_SECONDS:
                    await self._show(run, "reading", batch[-1].number if batch else 0)
                    shown = monotonic()

    async def _show(self, run: Run, stage: str, lines_read: int) -> None:
        await runs.show_progress(self._running.engine, run, stage, lines_read)

    async def _book(self, connection: Connection, run: Run, read: Read) -> str:
        """The book that the file shows: by its legal name, else the known book that holds most of its rows, else
        the fiscal year of its last line. Remembered under the file's name."""
        by_name = book_by_name(run.file)
        last_day = date.fromisoformat(read.last_day or run.as_of.isoformat())
        name = by_name or book_by_content(run.company, last_day, run.fiscal_year_start)
        found = await (
            await connection.execute("select book from book where company = %s and name = %s", (run.company, name))
        ).fetchone()
        if by_name and found:
            return str(found[0])
        likely = await changes.known_rows(connection, run.company)
        total = await (await connection.execute("select count(*) from seen")).fetchone()
        book = str(found[0]) if found else name
        if likely and is_same_book(likely[0][1], total[0] if total else 0):
            legally_named = await (
                await connection.execute(
                    "select count(*) from book where company = %s and book = %s and name not like %s",
                    (run.company, likely[0][0], f"fec/{run.company}/%"),
                )
            ).fetchone()
            if not by_name or not (legally_named and legally_named[0]):
                book = likely[0][0]
        await connection.execute(
            "insert into book (company, name, book) values (%s, %s, %s) on conflict do nothing",
            (run.company, name, book),
        )
        return book

    async def _refuse_emptiness(
        self, connection: Connection, run: Run, book: str, verdict: Verdict, read: Read
    ) -> None:
        """A file without customer lines would archive the whole book: surely a wrong file or a wrong setting."""
        if await changes.live_rows(connection, run.company, book):
            problem = Problem(1, "CompteNum", "no_customer_lines", {"accounts": ", ".join(run.accounts)})
            raise Refused("no_customer_lines", Verdict((problem,), verdict.warnings, {}), read.lines)

    async def _refuse_doubles(self, connection: Connection, run: Run, verdict: Verdict, read: Read) -> None:
        """Two lines with one key would take each other's place from import to import."""
        doubled = await changes.doubled(connection, KEPT_PROBLEMS)
        if doubled:
            problems = tuple(Problem(line, "key", "key_twice", {"first": str(first)}) for line, first in doubled)
            raise Refused("file_refused", Verdict(problems, verdict.warnings, {}), read.lines)

    async def _natures(self, connection: Connection, run: Run, read: Read) -> dict[str, Nature]:
        """What each journal holds: by setting, else as first taken for."""
        found = await connection.execute("select journal, nature from journal where company = %s", (run.company,))
        natures = {journal: Nature(nature) for journal, nature in await found.fetchall()}
        fresh = {
            journal: nature_of(journal, side) for journal, side in read.journals.items() if journal not in natures
        }
        async with connection.cursor() as cursor:
            await cursor.executemany(
                "insert into journal (company, journal, nature) values (%s, %s, %s)",
                [(run.company, journal, nature.value) for journal, nature in fresh.items()],
            )
        chosen = {journal: Nature(nature) for journal, nature in run.journals.items()}
        return natures | fresh | chosen

    def _handing(self, run: Run, book: str) -> Handing:
        options: dict[str, Any] = {"headers": {"Relance-Correlation-Id": str(run.correlation_id)}}
        if self._running.settings.allow_as_of:
            options["as_of"] = run.as_of
        return Handing(self._running.neighbour("ledger"), run.company, book, self._people_per_call, options)

    async def _say(
        self, tx: AsyncConnection, connection: Connection, run: Run, completed: SyncCompleted
    ) -> dict[str, dict[int, int]]:
        clients = await people.partitions(connection), people.events(connection)
        entries = await changes.partitions(connection), changes.EVENTS
        return await self._say_all(tx, run, completed, clients, entries)

    async def _say_all(
        self,
        tx: AsyncConnection,
        run: Run,
        completed: SyncCompleted,
        clients: tuple[list[int], AsyncIterator[tuple[int, str]]],
        entries: tuple[dict[int, int], LiteralString],
    ) -> dict[str, dict[int, int]]:
        """Say clients, then entries, then that all is said; answers the positions.

        ``clients``: the partitions in which there are some, and the partition and the JSON of each event's;
        ``entries``: how many there are in each partition, and the query that makes their events.
        """
        say = self._running.say(tx)
        cause = _cause(run)
        say.also_lock = {*clients[0], *entries[0], partition_of(run.company, None)}
        head = f'{{"run_id":"{run.run_id}","source":{json.dumps(completed.source)},'
        said = [
            Said(CLIENTS_SYNCED, partition=p, body=f'{head}"clients":[{some}]}}'.encode())
            async for p, some in clients[1]
        ]
        positions = await say(run.company, said, as_of=run.as_of, cause=cause) if said else []
        values = {
            "head": f'{head}"entries":[',
            "entries": changes.ENTRIES_PER_EVENT,
            "bytes": changes.BYTES_PER_EVENT,
        }
        for part in changes.parts(entries[0]):
            told = {**values, "ps": part}
            positions += await say.made(
                run.company, ENTRIES_SYNCED, entries[1], told, partitions=part, as_of=run.as_of, cause=cause
            )
        reached = dict(completed.positions)
        if positions:
            reached["sync"] = {position.partition: position.number for position in positions}
        last = Said(completed.model_copy(update={"positions": reached}))
        await say(run.company, [last], as_of=run.as_of, cause=cause)
        return reached


def _surprising(surprise: Exception | None) -> Refused:
    """A failure of no known reason, by the name of its kind: its text may quote the file."""
    if isinstance(surprise, WorkersLost):
        lost = Problem(1, "", "workers_lost", {"times": str(surprise.times)})
        return Refused("workers_lost", Verdict((lost,), (), {}))
    told = str(surprise) if isinstance(surprise, NeighbourRefused) else type(surprise).__name__
    problem = Problem(1, "", "import_failed", {"error": told})
    return Refused("import_failed", Verdict((problem,), (), {}))


def _refuse_doubts(doubts: tuple[Problem, ...], verdict: Verdict, read: Read) -> None:
    if doubts:
        raise Refused("file_refused", Verdict(doubts, verdict.warnings, {}), read.lines)


def _cause(run: Run) -> Cause:
    return Cause(run.actor, run.correlation_id, traceparent=current_traceparent())
