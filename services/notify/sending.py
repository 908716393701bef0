"""The mail room of one process: takes jobs, writes, looks once more, sends over kept connections, records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import is_transient, transaction
from chassis.eventlog import Said
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.jobs import Job, JobLost, JobWorker
from chassis.running import Running
from contracts.notify import EmailInDoubt
from services.notify.handlers import QUEUE
from services.notify.mailer import Carrier, MailServerUnreachable, Result, SmtpConnection, Unknown
from services.notify.recording import DOUBTS_SAID, Recorder
from services.notify.settings import NotifySettings
from services.notify.writing import Parcel, Writer, cause_of

log = logging.getLogger(__name__)

MAIL_SERVER, LEDGER = "mail server", "people"
LEDGER_PAUSE = timedelta(seconds=5)
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.5, 15.0
DOUBT_PAUSE_SECONDS = 2.0
DRAIN_SECONDS = 10.0
BATCHES_AT_A_TIME = 2
SECONDS_IN_HAND = 5
"""With a limited rate, no more messages are written than leave in so long."""
MOST_ATTEMPTS = 10_000
"""A message is given up by its age, never by how often it was tried."""

UNSAID_DOUBTS = text(
    """
    select job.id, job.company, job.key as client_id, job.payload,
        coalesce(message.message_id, '') as message_id
    from job left join message on message.company = job.company and message.action_id = job.id
    where job.queue = :queue and job.status = 'in_doubt' and not job.payload ? 'doubt_said'
    order by job.id
    limit 100
    for update of job skip locked
    """
)

GIVE_BACK = text(
    "update job set status = 'ready', owner = null, until = null, changed_at = now()"
    " where queue = :queue and owner = :owner and status = 'running'"
)


class MailRoom:
    """``carrier`` makes one connection to the mail server."""

    def __init__(
        self,
        running: Running,
        settings: NotifySettings,
        carrier: Callable[[], Carrier] | None = None,
    ) -> None:
        self.running = running
        self.settings = settings
        self.carrier = carrier or (lambda: SmtpConnection(settings))
        self.writer = Writer(running, settings)
        self.recorder = Recorder(running, settings)
        self.pace = Pace(settings.messages_per_second)
        self.parcels: asyncio.Queue[Parcel | None] = asyncio.Queue()
        rate = settings.messages_per_second
        self.worker = JobWorker(
            running.engine,
            QUEUE,
            self.handle,
            batch=max(1, round(min(settings.sending_batch, rate * SECONDS_IN_HAND or settings.sending_batch))),
            concurrency=BATCHES_AT_A_TIME,
            lease_seconds=settings.job_lease_seconds,
            max_attempts=MOST_ATTEMPTS,
        )

    async def run(self) -> None:
        """Work until cancelled; then finish what is being handed over, and give the rest back."""
        recording = asyncio.create_task(self.recorder.run(), name="recording")
        connections = [
            asyncio.create_task(self._connection(), name=f"connection {number}")
            for number in range(self.settings.smtp_connections)
        ]
        taking = [asyncio.create_task(self.worker.run()), asyncio.create_task(self._tell_doubts())]
        try:
            done, _ = await asyncio.wait({recording, *connections, *taking}, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            await _cancelled(taking)
            while not self.parcels.empty():
                self.parcels.get_nowait()
            for _ in connections:
                self.parcels.put_nowait(None)
            await asyncio.wait(connections, timeout=DRAIN_SECONDS)
            await _cancelled([*connections, recording])
            await self._give_back()
            self.running.health.hindrance(MAIL_SERVER, None)
            self.running.health.hindrance(LEDGER, None)

    async def _give_back(self) -> None:
        """What was taken and not begun goes back at once; without PostgreSQL its lease does the same later."""
        try:
            async with transaction(self.running.engine) as tx:
                await tx.execute(GIVE_BACK, {"queue": QUEUE, "owner": self.worker.owner})
        except (SQLAlchemyError, OSError) as failure:
            log.warning("messages wait for their lease to end", extra={"error": type(failure).__name__})

    async def handle(self, jobs: Sequence[Job]) -> None:
        """Write a batch, and wait until what became of each message is recorded."""
        try:
            parcels = await self.writer.write(jobs)
        except (NeighbourUnreachable, NeighbourRefused) as silent:
            self.running.health.hindrance(LEDGER, f"{silent}; messages wait")
            await self._later(jobs, str(silent))
            return
        self.running.health.hindrance(LEDGER, None)
        for parcel in parcels:
            self.parcels.put_nowait(parcel)
        settled = await asyncio.gather(*(parcel.settled for parcel in parcels), return_exceptions=True)
        for outcome in settled:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _later(self, jobs: Sequence[Job], reason: str) -> None:
        async with transaction(self.running.engine) as tx:
            for job in sorted(jobs, key=lambda job: job.id):
                with suppress(JobLost):
                    await job.again(tx, LEDGER_PAUSE, reason)

    async def _connection(self) -> None:
        """One message at a time: the result of the last is recorded no later than the next may leave."""
        carrier = self.carrier()
        recorded: asyncio.Future[bool] | None = None
        try:
            while (parcel := await self.parcels.get()) is not None:
                if parcel.mail is not None:
                    await self._reach(carrier)
                    await self.pace.wait()
                if await self.recorder.begin(parcel):
                    recorded = self.recorder.finish(parcel, await self._carry(carrier, parcel))
            if recorded is not None:
                await recorded
        finally:
            await carrier.close()

    async def _carry(self, carrier: Carrier, parcel: Parcel) -> Result:
        assert parcel.mail is not None
        try:
            return await carrier.carry(parcel.mail)
        except Exception as surprise:
            log.exception("the mail server's connection failed unexpectedly", extra={"action": str(parcel.job.id)})
            return Unknown(type(surprise).__name__)

    async def _reach(self, carrier: Carrier) -> None:
        """Wait for the mail server, as long as it takes: nothing is lost, and health says so."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await carrier.connect()
            except MailServerUnreachable as unreachable:
                where = f"{self.settings.smtp_host}:{self.settings.smtp_port}"
                sentence = f"no connection to {where} ({unreachable}); messages wait"
                self.running.health.hindrance(MAIL_SERVER, sentence)
                log.warning("the mail server cannot be reached", extra={"server": where})
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_PAUSE_SECONDS)
            else:
                self.running.health.hindrance(MAIL_SERVER, None)
                return

    async def _tell_doubts(self) -> None:
        """Say in doubt what another process left while handing it over."""
        while True:
            try:
                more = await self._tell_some_doubts()
            except Exception as failure:
                # without PostgreSQL this waits; ending the room would lose what is known of messages that left
                if not is_transient(failure):
                    raise
                more = False
            if not more:
                await asyncio.sleep(DOUBT_PAUSE_SECONDS)

    async def _tell_some_doubts(self) -> bool:
        async with transaction(self.running.engine) as tx:
            rows = (await tx.execute(UNSAID_DOUBTS, {"queue": QUEUE})).all()
            sayings = [
                (
                    row,
                    Said(
                        EmailInDoubt(action_id=row.id, client_id=row.client_id, message_id=row.message_id),
                        row.client_id,
                    ),
                )
                for row in rows
            ]
            if rows:
                await tx.execute(DOUBTS_SAID, {"ids": [row.id for row in rows]})
            say = self.running.say(tx)
            say.also_lock = {one.partition_in(row.company) for row, one in sayings}
            for row, one in sayings:
                due_on = date.fromisoformat(row.payload["as_of"])
                await say(row.company, [one], as_of=due_on, cause=cause_of(row.payload))
        return bool(rows)


class Pace:
    """Lets one message go at a time, at most so many a second; 0 is no limit."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def wait(self) -> None:
        if not self._interval:
            return
        now = asyncio.get_running_loop().time()
        mine = max(now, self._next)
        self._next = mine + self._interval
        await asyncio.sleep(mine - now)


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
