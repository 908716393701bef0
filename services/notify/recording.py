"""What happened to messages, recorded: several connections share each transaction, so the disk is asked once.

``begin`` is the last look: it reads the situation and commits ``sending`` in one transaction, and only then may
the message leave. ``finish`` says what became of it in the transaction that ends the job.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from psycopg import Error as PsycopgError
from psycopg.types.json import Jsonb
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver, is_transient
from chassis.eventlog import Said
from chassis.jobs import move_all
from chassis.running import Running
from services.notify import queries
from services.notify.delivered import written_with
from services.notify.mailer import Result
from services.notify.settings import NotifySettings
from services.notify.verdicts import Verdict, after, at_the_door
from services.notify.writing import Parcel

log = logging.getLogger(__name__)

TROUBLE_PAUSE_SECONDS = 1.0
GATHER_SECONDS = 0.005
"""How long the first of a transaction waits for the messages of other connections: what a transaction costs they
share, and the disk is asked once for all."""
LOST = "lost"
"""Not a status of the table: this process has no more say about the job, least of all that it is done."""

STORE = """
    insert into message (company, action_id, client_id, message_id, recipients, subject, raw, sha256, files, cut,
        template, template_language, template_version)
    select company, action_id, client_id, message_id, array(select jsonb_array_elements_text(recipients)), subject,
        raw, sha256, files, cut, template, template_language, template_version
    from unnest(%(companies)b::text[], %(ids)b::uuid[], %(clients)b::text[], %(message_ids)b::text[],
        %(recipients)b::jsonb[], %(subjects)b::text[], %(raws)b::bytea[], %(digests)b::text[], %(files)b::jsonb[],
        %(cuts)b::integer[], %(templates)b::text[], %(template_languages)b::text[],
        %(template_versions)b::integer[])
        as m(company, action_id, client_id, message_id, recipients, subject, raw, sha256, files, cut, template,
            template_language, template_version)
    order by company, action_id
    on conflict (company, action_id) do update set
        message_id = excluded.message_id, recipients = excluded.recipients, subject = excluded.subject,
        raw = excluded.raw, sha256 = excluded.sha256, files = excluded.files, cut = excluded.cut,
        composed_at = now(), answer = null, refused = null, template = excluded.template,
        template_language = excluded.template_language, template_version = excluded.template_version
"""

ANSWERED = """
    update message set answer = taken.answer, refused = taken.refused
    from unnest(%(companies)b::text[], %(ids)b::uuid[], %(answers)b::text[], %(refused)b::jsonb[])
        as taken(company, action_id, answer, refused)
    where message.company = taken.company and message.action_id = taken.action_id
        and message.raw is not null  -- an answer names the address: of an erased person none comes back
"""

DOUBT_WAS_WRONG = (
    "update job set status = 'done', error = null, changed_at = now() where id = %(id)s and status = 'in_doubt'"
    " returning id"
)

DOUBTS_SAID = "update job set payload = payload || '{\"doubt_said\": true}' where id = any(%(ids)s)"


@dataclass(slots=True, eq=False)
class _Entry:
    """One line of the book: with a result it ends a parcel, without it begins one."""

    parcel: Parcel
    result: Result | None
    written: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Recorder:
    """Writes the book of one process, one transaction at a time."""

    def __init__(self, running: Running, settings: NotifySettings) -> None:
        self.running = running
        self.settings = settings
        self._waiting: list[_Entry] = []
        self._wake = asyncio.Event()
        self._connection: AsyncConnection | None = None
        """Kept from one transaction to the next."""

    def begin(self, parcel: Parcel) -> asyncio.Future[bool]:
        """True once ``sending`` is committed and the mail may leave; False when it must not."""
        return self._add(_Entry(parcel, None))

    def finish(self, parcel: Parcel, result: Result) -> asyncio.Future[bool]:
        """True once what became of the message is committed."""
        return self._add(_Entry(parcel, result))

    def _add(self, entry: _Entry) -> asyncio.Future[bool]:
        self._waiting.append(entry)
        self._wake.set()
        return entry.written

    async def run(self) -> None:
        """Record until cancelled. What is known of a message that left is tried until PostgreSQL takes it."""
        try:
            await self._run()
        finally:
            await self._leave()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            entries, self._waiting = self._waiting, []
            if entries:
                await self._record_surely(entries)

    async def _record_surely(self, entries: list[_Entry]) -> None:
        while True:
            try:
                outcomes = await self._record(entries)
            except Exception as error:
                if is_transient(error):
                    log.warning("messages wait to be recorded", extra={"error": type(error).__name__})
                    await asyncio.sleep(TROUBLE_PAUSE_SECONDS)
                    continue
                if len(entries) > 1:
                    for entry in entries:
                        await self._record_surely([entry])
                    return
                log.exception("a message cannot be recorded", extra={"action": str(entries[0].parcel.job.id)})
                self._give_back(entries[0], error)
                return
            for entry, goes_on in zip(entries, outcomes, strict=True):
                if not goes_on or entry.result is not None:
                    entry.parcel.settle()
                if not entry.written.done():
                    entry.written.set_result(goes_on)
            return

    @staticmethod
    def _give_back(entry: _Entry, error: Exception) -> None:
        entry.parcel.job.status = "running" if entry.result is None else "sending"
        entry.parcel.settle(error)
        if not entry.written.done():
            entry.written.set_result(False)

    async def _record(self, entries: Sequence[_Entry]) -> list[bool]:
        """One transaction for all: clients, job rows, messages, then the log's partitions in ascending order."""
        # in a pipeline statements are waited for together; SQLAlchemy, which expects rows at once, asks for none
        async with self.transaction() as tx, (await driver(tx)).pipeline():
            looked = await self._look(tx, [entry.parcel for entry in entries if entry.result is None])
            verdicts = [
                at_the_door(entry.parcel, looked.get((entry.parcel.job.company, entry.parcel.job.id)))
                if entry.result is None
                else after(entry.parcel, entry.result, self.settings)
                for entry in entries
            ]
            moved = await move_all(tx, [verdict.move for verdict in verdicts])
            for verdict in verdicts:
                if verdict.move.job.id not in moved and not await _knew_better(tx, verdict):
                    log.warning("the lease of a message is over", extra={"action": str(verdict.move.job.id)})
                    verdict.lost = True
                    verdict.move.job.status = LOST
            stand = [verdict for verdict in verdicts if not verdict.lost]
            leaving = [verdict.parcel for verdict in stand if verdict.move.status == "sending"]
            await _store(tx, leaving)
            await _keep_answers(tx, stand)
            await self._say(tx, stand)
        return [
            entry.result is not None or (verdict.move.status == "sending" and not verdict.lost)
            for entry, verdict in zip(entries, verdicts, strict=True)
        ]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction on the recorder's own connection, which is given up after any trouble."""
        if self._connection is None:
            self._connection = await self.running.engine.connect()
        try:
            async with self._connection.begin():
                yield self._connection
        except BaseException:
            await self._leave(broken=True)
            raise

    async def _leave(self, *, broken: bool = False) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if broken:
            with suppress(SQLAlchemyError, PsycopgError, OSError):
                await connection.invalidate()
        await connection.close()

    async def _look(
        self, tx: AsyncConnection, parcels: Sequence[Parcel]
    ) -> dict[tuple[str, object], queries.Looked]:
        """Read anew where anything changed since the mail was written."""
        by_company: defaultdict[str, list[Parcel]] = defaultdict(list)
        for parcel in parcels:
            by_company[parcel.job.company].append(parcel)
        found: dict[tuple[str, object], queries.Looked] = {}
        companies = sorted(by_company.items())
        for company, group in companies:
            await queries.hold_clients(tx, company, {parcel.client_id for parcel in group})
        for company, group in companies:
            marks = await queries.marks(tx, company, [parcel.job.id for parcel in group])
            changed: list[UUID] = []
            for parcel in group:
                looked, mark = parcel.looked, marks.get(parcel.job.id)
                if looked is not None and looked.mark is not None and looked.mark == mark:
                    found[company, parcel.job.id] = looked
                else:
                    changed.append(parcel.job.id)
            if changed:
                anew = await queries.look(tx, company, changed)
                found |= {(company, action_id): looked for action_id, looked in anew.items()}
        return found

    async def _say(self, tx: AsyncConnection, verdicts: Sequence[Verdict]) -> None:
        groups: defaultdict[tuple[str, date], list[Said]] = defaultdict(list)
        doubts: list[UUID] = []
        for verdict in verdicts:
            parcel, event = verdict.parcel, verdict.event
            if event is not None:
                said = Said(event, parcel.client_id, cause=parcel.cause)
                groups[parcel.job.company, parcel.as_of].append(said)
            if verdict.move.status == "in_doubt":
                doubts.append(parcel.job.id)
        if doubts:
            await (await driver(tx)).execute(DOUBTS_SAID, {"ids": doubts})
        say = self.running.say(tx)
        say.also_lock = {one.partition_in(company) for (company, _), said in groups.items() for one in said}
        for (company, as_of), group in groups.items():
            cause = group[0].cause
            assert cause is not None
            await say(company, group, as_of=as_of, cause=cause)


async def _knew_better(tx: AsyncConnection, verdict: Verdict) -> bool:
    """The lease ended and the message was held to be in doubt, but we know that the mail server took it."""
    if verdict.taken is None:
        return False
    connection = await driver(tx)
    found = await connection.execute(DOUBT_WAS_WRONG, {"id": verdict.move.job.id})
    return await found.fetchone() is not None


async def _store(tx: AsyncConnection, parcels: Sequence[Parcel]) -> None:
    """Keep the messages exactly as they are about to leave."""
    mails = [(parcel, parcel.mail) for parcel in parcels if parcel.mail is not None]
    if not mails:
        return
    connection = await driver(tx)
    await connection.execute(
        STORE,
        {
            "companies": [parcel.job.company for parcel, _ in mails],
            "ids": [parcel.job.id for parcel, _ in mails],
            "clients": [parcel.client_id for parcel, _ in mails],
            "message_ids": [mail.message_id for _, mail in mails],
            "recipients": [Jsonb(list(mail.recipients)) for _, mail in mails],
            "subjects": [mail.subject for _, mail in mails],
            "raws": [mail.raw for _, mail in mails],
            "digests": [hashlib.sha256(mail.raw).hexdigest() for _, mail in mails],
            **written_with([parcel.written_with for parcel, _ in mails]),
            "files": [Jsonb([file.body() for file in mail.files]) if mail.files else None for _, mail in mails],
            "cuts": [mail.cut if mail.files else None for _, mail in mails],
        },
    )


async def _keep_answers(tx: AsyncConnection, verdicts: Sequence[Verdict]) -> None:
    """What the mail server said, beside the message."""
    taken = [(verdict.parcel, verdict.taken) for verdict in verdicts if verdict.taken is not None]
    if not taken:
        return
    connection = await driver(tx)
    await connection.execute(
        ANSWERED,
        {
            "companies": [parcel.job.company for parcel, _ in taken],
            "ids": [parcel.job.id for parcel, _ in taken],
            "answers": [one.answer for _, one in taken],
            "refused": [Jsonb(one.refused) if one.refused else None for _, one in taken],
        },
        prepare=False,  # a plan that was kept from when there were no messages would read them all
    )
