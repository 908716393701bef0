"""What happened to messages, recorded: several connections share each transaction, so the disk is asked once.

``begin`` is the last look: it reads the situation and commits ``sending`` in one transaction, and only then may
the message leave. ``finish`` says what became of it in the transaction that ends the job.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import driver, is_transient, transaction
from chassis.eventlog import Said
from chassis.jobs import JobLost
from chassis.running import Running
from contracts.event import Event
from services.notify import queries, sayings
from services.notify.domain import NotYetHeard, last_look
from services.notify.mailer import PutOff, Refused, Result, Taken, Unknown
from services.notify.settings import NotifySettings
from services.notify.writing import Parcel

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(minutes=15)
NOT_HEARD_PAUSE = timedelta(seconds=1)
GAVE_UP = "not_accepted_in_time"
TROUBLE_PAUSE_SECONDS = 1.0

STORE = """
    insert into message (company, action_id, client_id, message_id, recipients, subject, raw)
    select company, action_id, client_id, message_id, array(select jsonb_array_elements_text(recipients)), subject,
        raw
    from unnest(%(companies)b::text[], %(ids)b::uuid[], %(clients)b::text[], %(message_ids)b::text[],
        %(recipients)b::jsonb[], %(subjects)b::text[], %(raws)b::bytea[])
        as m(company, action_id, client_id, message_id, recipients, subject, raw)
    order by company, action_id
    on conflict (company, action_id) do update set
        message_id = excluded.message_id, recipients = excluded.recipients, subject = excluded.subject,
        raw = excluded.raw, composed_at = now(), answer = null, refused = null
"""

ANSWERED = text(
    "update message set answer = :answer, refused = cast(:refused as jsonb)"
    " where company = :company and action_id = :action_id"
)

DOUBT_WAS_WRONG = text(
    "update job set status = 'done', error = null, changed_at = now() where id = :id and status = 'in_doubt'"
)

DOUBT_SAID = text("update job set payload = payload || '{\"doubt_said\": true}' where id = :id")


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
        while True:
            await self._wake.wait()
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
        """One transaction for all: job rows first, then the log's partitions in ascending order."""
        said: list[tuple[Parcel, Event]] = []
        async with transaction(self.running.engine) as tx:
            looked = await self._look(tx, [entry.parcel for entry in entries if entry.result is None])
            leaving: list[Parcel] = []
            for entry in sorted(entries, key=lambda entry: entry.parcel.job.id):
                try:
                    if entry.result is not None:
                        await self._finish(tx, entry.parcel, entry.result, said)
                    elif await self._begin(tx, entry.parcel, looked, said):
                        leaving.append(entry.parcel)
                except JobLost:
                    log.warning("another worker holds this message", extra={"action": str(entry.parcel.job.id)})
            await _store(tx, leaving)
            await self._say(tx, said)
            outcomes = [entry.result is not None or entry.parcel in leaving for entry in entries]
        return outcomes

    async def _look(
        self, tx: AsyncConnection, parcels: Sequence[Parcel]
    ) -> dict[tuple[str, object], queries.Looked]:
        by_company: defaultdict[str, list[Parcel]] = defaultdict(list)
        for parcel in parcels:
            by_company[parcel.job.company].append(parcel)
        return {
            (company, action_id): looked
            for company, group in by_company.items()
            for action_id, looked in (await queries.look(tx, company, [parcel.job.id for parcel in group])).items()
        }

    async def _begin(
        self,
        tx: AsyncConnection,
        parcel: Parcel,
        looked: dict[tuple[str, object], queries.Looked],
        said: list[tuple[Parcel, Event]],
    ) -> bool:
        job = parcel.job
        now = looked.get((job.company, job.id))
        if now is None:
            await job.again(tx, NOT_HEARD_PAUSE, "the action is not heard yet")
            return False
        if now.sent:
            await job.done(tx)
            return False
        action = now.action
        reason = last_look(action, now.now, parcel.as_of, frozenset(action.accepted_reasons))
        if isinstance(reason, NotYetHeard):
            await job.again(tx, NOT_HEARD_PAUSE, reason)
            return False
        if reason is not None:
            await job.failed(tx, f"withheld: {reason}")
            said.append((parcel, sayings.withheld(parcel, reason)))
            return False
        if parcel.mail is None:
            if parcel.failure is None:
                await job.again(tx, timedelta(0))
            else:
                await job.failed(tx, parcel.failure)
                said.append((parcel, sayings.failed(parcel, parcel.failure)))
            return False
        await job.sending(tx)
        return True

    async def _finish(
        self, tx: AsyncConnection, parcel: Parcel, result: Result, said: list[tuple[Parcel, Event]]
    ) -> None:
        job = parcel.job
        match result:
            case Taken():
                if await self._done(tx, parcel):
                    await _answered(tx, parcel, result)
                    said.append((parcel, sayings.sent(parcel)))
            case Refused():
                await job.failed(tx, result.answer)
                said.append((parcel, sayings.failed(parcel, f"{result.what}_refused", result.status)))
            case PutOff():
                if clock.now() - parcel.due_at > timedelta(hours=self.settings.give_up_after_hours):
                    await job.failed(tx, result.reason)
                    said.append((parcel, sayings.failed(parcel, GAVE_UP)))
                else:
                    pause = timedelta(seconds=self.settings.retry_seconds) * 2 ** min(job.attempts - 1, 10)
                    await job.again(tx, min(pause, LONGEST_PAUSE), result.reason)
            case Unknown():
                await job.in_doubt(tx, result.reason)
                await tx.execute(DOUBT_SAID, {"id": job.id})
                said.append((parcel, sayings.in_doubt(parcel)))

    @staticmethod
    async def _done(tx: AsyncConnection, parcel: Parcel) -> bool:
        """The job is done, even if its lease ended meanwhile and it was held to be in doubt: we know better."""
        try:
            await parcel.job.done(tx)
        except JobLost:
            return (await tx.execute(DOUBT_WAS_WRONG, {"id": parcel.job.id})).rowcount == 1
        return True

    async def _say(self, tx: AsyncConnection, said: Sequence[tuple[Parcel, Event]]) -> None:
        if not said:
            return
        say = self.running.say(tx)
        sayings = [(parcel, Said(event, parcel.client_id)) for parcel, event in said]
        say.also_lock = {one.partition_in(parcel.job.company) for parcel, one in sayings}
        for parcel, one in sayings:
            await say(parcel.job.company, [one], as_of=parcel.as_of, cause=parcel.cause)


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
        },
    )


async def _answered(tx: AsyncConnection, parcel: Parcel, taken: Taken) -> None:
    await tx.execute(
        ANSWERED,
        {
            "company": parcel.job.company,
            "action_id": parcel.job.id,
            "answer": taken.answer,
            "refused": json.dumps(taken.refused) if taken.refused else None,
        },
    )
