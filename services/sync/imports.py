"""One import of a file: read whole, compared with what was seen last, people handed over, what changed said."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from time import monotonic
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import transaction
from chassis.jobs import Job
from chassis.running import Running
from services.sync import carrying, changes, people, runs
from services.sync.attempts import Attempting, OnlyLooked, Refused
from services.sync.carrying import Carried
from services.sync.changes import Connection
from services.sync.connectors import Connector, Read
from services.sync.domain.lines import Line
from services.sync.domain.problems import KEPT_PROBLEMS, Problem, Verdict
from services.sync.domain.receivables import Nature, nature_of
from services.sync.domain.scope import book_by_content, book_by_name, is_same_book
from services.sync.runs import Run
from services.sync.staging import COLUMNS, Staging
from services.sync.telling import Changed, tell

QUEUE = "import"
PROGRESS_SECONDS = 0.5


@dataclass(frozen=True)
class Believed:
    """A file that was read whole, its customer lines staged: nothing refuses it."""

    read: Read
    verdict: Verdict
    staging: Staging
    summary: changes.Summary
    book: str


@dataclass
class Compared:
    """What a file would change of its book. ``changed`` and ``archived`` count entries, ``clients`` clients;
    ``unsaid`` are the lines that live on in the next year."""

    carried: Carried
    unsaid: list[Any]
    changed: int
    archived: int
    clients: int

    def foreseen(self) -> "Compared":
        """With the entries that the next year already has, which are released once the import is taken over."""
        left = len(self.carried.left)
        return replace(self, changed=self.changed + left, archived=self.archived + left)


class Importer(Attempting):
    """Carries out the jobs of the import queue."""

    def __init__(self, running: Running, connectors: Mapping[str, Connector], people_per_call: int) -> None:
        super().__init__(running, people_per_call)
        self._connectors = connectors

    async def _import(self, run: Run, job: Job) -> None:
        began = monotonic()
        async with (
            runs.uploaded(self._running.engine, run) as path,
            transaction(self._running.engine) as tx,
        ):
            connection = await self._ensure_turn(tx, run)
            await changes.stage(connection)
            reading = self._connectors[run.connector].open(path, run.rules)
            staging = Staging(run.company, run.term_days)
            await self._stage(run, connection, reading.batches(), staging)
            file = await self._believe(connection, run, reading.verdict(), reading.read, staging)
            compared = await self._compare(connection, run, file)
            warned = replace(file.verdict, warnings=(*file.verdict.warnings, *compared.carried.warnings))
            if run.dry_run:
                raise OnlyLooked(_result(file, compared.foreseen(), began), file.read, file.book, warned)
            positions = await self._take_over(tx, connection, run, file, compared)
            result = _result(file, compared, began) | {"positions": positions}
            await runs.end(
                tx,
                run,
                "completed",
                source=file.book,
                lines_read=file.read.lines,
                result=result,
                warnings=warned.warnings,
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

    async def _believe(
        self, connection: Connection, run: Run, verdict: Verdict, read: Read, staging: Staging
    ) -> Believed:
        """Which book the staged lines are of. Raises ``Refused`` for a file that is wrong or surely not meant."""
        if verdict.refused:
            raise Refused("file_refused", verdict, read.lines)
        summary = await changes.summarise(connection)
        book = read.book or await self._book(connection, run, read)
        if read.is_keyed:
            await self._refuse_doubles(connection, run, verdict, read)
        if not summary.receivable_lines and read.holds == "entries" and not read.gone:
            await self._refuse_emptiness(connection, run, book, verdict, read)
        return Believed(read, verdict, staging, summary, book)

    async def _compare(self, connection: Connection, run: Run, file: Believed) -> Compared:
        """Entries, then people, against what was seen last. Raises ``Refused`` where opening lines contradict the
        year before."""
        read, book = file.read, file.book
        natures = await self._natures(connection, run, read)
        sales = [journal for journal, nature in natures.items() if nature is Nature.SALES]
        openings = [journal for journal, nature in natures.items() if nature is Nature.OPENING]
        await self._show(run, "comparing", read.lines)
        carried = await carrying.bring_forward(connection, run.company, book, openings, run.accepted)
        _refuse_doubts(carried.doubts, file.verdict, read)
        keeps_missing = read.keeps_missing or read.holds != "entries"
        changed, archived = await changes.compare(
            connection, run.company, book, sales, keeps_missing=keeps_missing, gone=read.gone
        )
        left, left_gone = await carrying.leave_to_next_year(connection, run.company, carried)
        unsaid = await carrying.living_on(connection, run.company, book, carried)
        for account in carried.lumps:
            read.names.pop(account, None)
        await people.compare(connection, run.company, book, read, file.staging, run.accounts[0], run.email_domain)
        return Compared(
            carried=carried,
            unsaid=unsaid,
            changed=changed - left - len(unsaid),
            archived=archived - left_gone,
            clients=await people.changed(connection),
        )

    async def _take_over(
        self, tx: AsyncConnection, connection: Connection, run: Run, file: Believed, compared: Compared
    ) -> dict[str, dict[int, int]]:
        """People to ledger first, then everything is remembered and said; answers the positions to wait for."""
        await self._show(run, "handing people to ledger", file.read.lines)
        heads = await people.hand_over(connection, self._handing(run, file.book))
        await self._show(run, "recording", file.read.lines)
        await changes.remember(connection, run.company, file.book)
        released = await carrying.release(connection, run.company, compared.carried, compared.unsaid)
        compared.changed += released
        compared.archived += released
        await people.remember(connection, run.company, file.book, lists=file.read.lists_clients)
        changed = Changed(
            source=file.book,
            read=file.summary.receivable_lines,
            changed=compared.changed,
            archived=compared.archived,
            heads=heads,
            client_partitions=await people.partitions(connection),
            clients=people.events(connection),
            entry_partitions=await changes.partitions(connection),
            entries=changes.EVENTS,
        )
        return await tell(self._running, tx, run, changed)

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


def _refuse_doubts(doubts: tuple[Problem, ...], verdict: Verdict, read: Read) -> None:
    if doubts:
        raise Refused("file_refused", Verdict(doubts, verdict.warnings, {}), read.lines)


def _result(file: Believed, compared: Compared, began: float) -> dict[str, Any]:
    """What people read of a run that ended, or that only looked."""
    read, summary = file.read, file.summary
    return {
        "read": read.lines,
        "encoding": read.encoding,
        "receivable_lines": summary.receivable_lines,
        "clients": len(read.names),
        "clients_changed": compared.clients,
        "lettering_groups": summary.lettering_groups,
        "unbalanced_groups": summary.unbalanced_groups,
        "open_entries": summary.open_entries,
        "open_balance": f"{summary.open_balance:.2f}",
        "changed": compared.changed,
        "archived": compared.archived,
        "carried_forward": len(compared.carried.entries),
        "uncounted": file.verdict.uncounted,
        "seconds": round(monotonic() - began, 3),
    }
