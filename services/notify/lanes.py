"""One mail server's messages: taken from the queue, written, handed over on kept connections, and recorded.

Every server has a lane of its own, so that one that is slow, limited or away holds up nobody else's messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from opentelemetry.trace import SpanKind
from psycopg import Error as PsycopgError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import is_transient, transaction
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.jobs import Job, JobLost, JobWorker
from chassis.running import Running
from chassis.telemetry import taken_up
from services.notify.attachments import AttachmentMissing, whole
from services.notify.handlers import QUEUE
from services.notify.mailer import Carrier, MailServerUnreachable, PutOff, Result, SmtpConnection, Unknown
from services.notify.messages import Mail
from services.notify.pacing import AT_HAND_SECONDS, Pace, Turns
from services.notify.recording import Recorder
from services.notify.servers import Server
from services.notify.settings import NotifySettings
from services.notify.signing import header_of
from services.notify.writing import Parcel, Writer

log = logging.getLogger(__name__)

MAIL_SERVER, LEDGER, SIGNATURE = "mail server", "people", "signature"
LEDGER_PAUSE, SIGNATURE_PAUSE = timedelta(seconds=5), timedelta(minutes=1)
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.5, 15.0
DATABASE_PAUSE_SECONDS = 1.0
DRAIN_SECONDS = 10.0
BATCHES_AT_A_TIME = 2
SECONDS_IN_HAND = 5
"""With a limited rate, no more messages are written than leave in so long."""
POLL_SECONDS, OWN_POLL_SECONDS = 0.2, 1.0
"""A company's own server is looked after less often than the one that all share: there may be many."""
TURN = "waits for its turn at the recipient's domain"
ATTACHMENT_MISSING = "attachment_missing"
MOST_ATTEMPTS = 10_000
"""A message is given up by its age, never by how often it was tried."""

GIVE_BACK = text(
    "update job set status = 'ready', owner = null, until = null, changed_at = now()"
    " where queue = :queue and owner = :owner and status = 'running'"
)


class Lane:
    """``company`` is whose own server it is; without one it is the installation's, for all who have none."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a lane stands on
        self,
        running: Running,
        settings: NotifySettings,
        server: Server,
        recorder: Recorder,
        company: str | None = None,
        carrier: Callable[[Server], Carrier] = SmtpConnection,
    ) -> None:
        self.running = running
        self.server = server
        self.carrier = carrier
        self.writer = Writer(running, settings)
        self.recorder = recorder
        self.pace = Pace(server.per_second)
        self.turns = Turns(server.per_second_and_domain)
        self.parcels: asyncio.Queue[Parcel | None] = asyncio.Queue()
        self.part = MAIL_SERVER if company is None else f"{MAIL_SERVER} of {company}"
        batch = min(settings.sending_batch, server.per_second * SECONDS_IN_HAND or settings.sending_batch)
        self.worker = JobWorker(
            running.engine,
            QUEUE,
            self.handle,
            batch=max(1, round(batch)),
            concurrency=BATCHES_AT_A_TIME,
            lease_seconds=settings.job_lease_seconds,
            max_attempts=MOST_ATTEMPTS,
            only=company,
            poll_seconds=POLL_SECONDS if company is None else OWN_POLL_SECONDS,
        )

    async def run(self) -> None:
        """Work until cancelled; then finish what is being handed over, and give the rest back."""
        connections = [
            asyncio.create_task(self._connection(), name=f"{self.part}, connection {number}")
            for number in range(self.server.connections)
        ]
        taking = asyncio.create_task(self.worker.run(), name=f"{self.part}, taking")
        try:
            done, _ = await asyncio.wait({*connections, taking}, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            await cancelled([taking])
            while not self.parcels.empty():
                self.parcels.get_nowait()
            for _ in connections:
                self.parcels.put_nowait(None)
            await asyncio.wait(connections, timeout=DRAIN_SECONDS)
            await cancelled(connections)
            await self._give_back()
            self.running.health.hindrance(self.part, None)
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
        at_hand = await self._in_turn(parcels)
        settled = await asyncio.gather(*(parcel.settled for parcel in at_hand), return_exceptions=True)
        for outcome in settled:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _in_turn(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        """Line up those whose turn at their recipients' domain is near; the others come back when it is."""
        at_hand: list[Parcel] = []
        later: list[tuple[Job, timedelta, str]] = []
        for parcel in parcels:
            if parcel.waits_for is not None:
                self.running.health.hindrance(f"{SIGNATURE} of {parcel.job.company}", parcel.waits_for)
                later.append((parcel.job, SIGNATURE_PAUSE, parcel.waits_for))
                continue
            wait = self.turns.seconds(parcel.job.id, parcel.mail.recipients) if parcel.mail else 0.0
            if wait > AT_HAND_SECONDS:
                later.append((parcel.job, timedelta(seconds=wait - AT_HAND_SECONDS / 2), TURN))
                continue
            at_hand.append(parcel)
            if wait:
                asyncio.get_running_loop().call_later(wait, self.parcels.put_nowait, parcel)
            else:
                self.parcels.put_nowait(parcel)
        if later:
            async with transaction(self.running.engine) as tx:
                for job, after, reason in sorted(later, key=lambda one: one[0].id):
                    with suppress(JobLost):
                        await job.again(tx, after, reason, counted=False)
        return at_hand

    async def _later(self, jobs: Sequence[Job], reason: str) -> None:
        async with transaction(self.running.engine) as tx:
            for job in sorted(jobs, key=lambda job: job.id):
                with suppress(JobLost):
                    await job.again(tx, LEDGER_PAUSE, reason)

    async def _connection(self) -> None:
        """One message at a time: the result of the last is recorded no later than the next may leave."""
        carrier = self.carrier(self.server)
        recorded: asyncio.Future[bool] | None = None
        put_off = 0
        try:
            while (parcel := await self.parcels.get()) is not None:
                mail = await self._whole(parcel)
                if mail is not None:
                    await self._reach(carrier)
                    await self.pace.wait()
                if not await self.recorder.begin(parcel):
                    continue
                assert mail is not None
                with taken_up("SMTP", [parcel.cause.traceparent], SpanKind.CLIENT):
                    result = await self._carry(carrier, mail)
                recorded = self.recorder.finish(parcel, result)
                put_off = put_off + 1 if isinstance(result, PutOff) and result.by_server else 0
                if put_off:
                    await recorded
                    await self._rest(put_off)
            if recorded is not None:
                await recorded
        finally:
            await carrier.close()

    async def _rest(self, times: int) -> None:
        """A mail server that wants nothing just now is not asked for every message there is."""
        self.running.health.hindrance(self.part, f"{self.server.place} puts messages off; they wait")
        await asyncio.sleep(min(FIRST_PAUSE_SECONDS * 2 ** (times - 1), LAST_PAUSE_SECONDS))

    async def _whole(self, parcel: Parcel) -> Mail | None:
        """The message signed, and with the bytes of its files, which only a connection holds, and only while it
        carries it."""
        mail = parcel.mail
        if mail is None:
            return None
        if mail.files:
            raw = await self._with_files(parcel.job.company, mail)
            if raw is None:
                parcel.mail, parcel.failure = None, ATTACHMENT_MISSING
                return None
            mail = replace(mail, raw=raw)
        signature = parcel.signature
        if signature is not None:
            self.running.health.hindrance(f"{SIGNATURE} of {parcel.job.company}", None)
        header = await header_of(signature, mail.envelope_from, mail.raw)
        if not header:
            return mail
        assert parcel.mail is not None
        kept = parcel.mail
        parcel.mail = replace(kept, raw=header + kept.raw, cut=kept.cut + len(header))
        return replace(mail, raw=header + mail.raw)

    async def _with_files(self, company: str, mail: Mail) -> bytes | None:
        """``None`` when one is not kept any more."""
        while True:
            try:
                async with transaction(self.running.engine) as tx:
                    return await whole(tx, company, mail)
            except AttachmentMissing:
                return None
            except (SQLAlchemyError, PsycopgError, OSError) as failure:
                if not is_transient(failure):
                    raise
                await asyncio.sleep(DATABASE_PAUSE_SECONDS)

    @staticmethod
    async def _carry(carrier: Carrier, mail: Mail) -> Result:
        try:
            return await carrier.carry(mail)
        except Exception as surprise:
            log.exception("the mail server's connection failed unexpectedly", extra={"message": mail.message_id})
            return Unknown(type(surprise).__name__)

    async def _reach(self, carrier: Carrier) -> None:
        """Wait for the mail server, as long as it takes: nothing is lost, and health says so."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await carrier.connect()
            except MailServerUnreachable as unreachable:
                sentence = f"no connection to {self.server.place} ({unreachable}); messages wait"
                self.running.health.hindrance(self.part, sentence)
                log.warning("the mail server cannot be reached", extra={"server": self.server.place})
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_PAUSE_SECONDS)
            else:
                self.running.health.hindrance(self.part, None)
                return


async def cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their ends, whatever they are."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
