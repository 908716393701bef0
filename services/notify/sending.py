"""The mail room of one process: a lane for each mail server, one book for all, and doubts that others left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import driver, is_transient, transaction
from chassis.eventlog import Said
from chassis.running import Running
from contracts.notify import EmailInDoubt
from services.notify.handlers import QUEUE
from services.notify.lanes import MAIL_SERVER, Lane, cancelled
from services.notify.mailer import Carrier, SmtpConnection
from services.notify.oauth.keeping import LOOKED_AFTER_SECONDS, keeper_of
from services.notify.recording import DOUBTS_SAID, Recorder
from services.notify.servers import Server, of_companies, of_installation
from services.notify.settings import NotifySettings
from services.notify.writing import cause_of

log = logging.getLogger(__name__)

DOUBT_PAUSE_SECONDS = 2.0
SERVERS_PAUSE_SECONDS = 2.0
"""How long a mail server that a company sets or changes may go unnoticed."""

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


class MailRoom:
    """``carrier`` makes one connection to a mail server."""

    def __init__(
        self,
        running: Running,
        settings: NotifySettings,
        carrier: Callable[[Server], Carrier] = SmtpConnection,
    ) -> None:
        self.running = running
        self.settings = settings
        self.carrier = carrier
        self.recorder = Recorder(running, settings)
        self.keeper = keeper_of(running)
        self.shared = Lane(running, settings, of_installation(settings), self.recorder, carrier=carrier)
        self._own: dict[str, tuple[Server, asyncio.Task[None]]] = {}
        self._shut: frozenset[str] = frozenset()
        """Companies whose server cannot be used, because its password cannot be read."""

    async def run(self) -> None:
        """Work until cancelled; then finish what is being handed over, and give the rest back."""
        recording = asyncio.create_task(self.recorder.run(), name="recording")
        tending = asyncio.create_task(self._tend(), name="mail servers")
        telling = asyncio.create_task(self._tell_doubts(), name="doubts")
        keeping = asyncio.create_task(self._keep_authorizations(), name="authorizations")
        try:
            while not await self._read_servers():  # noqa: ASYNC110 - PostgreSQL's coming back is no event
                await asyncio.sleep(SERVERS_PAUSE_SECONDS)
            shared = asyncio.create_task(self.shared.run(), name=MAIL_SERVER)
            try:
                await self._until_one_fails({recording, tending, telling, keeping, shared})
            finally:
                await cancelled([tending, telling, keeping])
                await cancelled([shared, *(task for _, task in self._own.values())])
        finally:
            await cancelled([tending, telling, keeping, recording])

    async def _until_one_fails(self, tasks: set[asyncio.Task[None]]) -> None:
        while True:
            own = {task for _, task in self._own.values()}
            done, _ = await asyncio.wait(
                tasks | own, return_when=asyncio.FIRST_COMPLETED, timeout=SERVERS_PAUSE_SECONDS
            )
            for task in done:
                if not task.cancelled():
                    task.result()

    async def _tend(self) -> None:
        """Follow what companies set: a lane for each server of their own."""
        while True:
            await asyncio.sleep(SERVERS_PAUSE_SECONDS)
            await self._read_servers()

    async def _read_servers(self) -> bool:
        """False while PostgreSQL does not answer: the lanes stay as they are."""
        try:
            async with transaction(self.running.engine) as tx:
                wanted = await of_companies(tx, self.settings, self.keeper)
        except (SQLAlchemyError, OSError) as failure:
            if not is_transient(failure):
                raise
            return False
        self.shared.worker.but = frozenset(wanted)
        for company, (known, task) in list(self._own.items()):
            if wanted.get(company) != known:  # gone, changed, shut, or its authorization taken back
                del self._own[company]
                await cancelled([task])
        for company, server in wanted.items():
            part = f"{MAIL_SERVER} of {company}"
            if server is None:
                sentence = "its password cannot be read with this installation's sealing key; messages wait"
                self.running.health.hindrance(part, sentence)
            elif company not in self._own:
                self.running.health.hindrance(part, None)
                lane = Lane(self.running, self.settings, server, self.recorder, company, self.carrier)
                self._own[company] = (server, asyncio.create_task(lane.run(), name=part))
        for company in self._shut - wanted.keys():
            self.running.health.hindrance(f"{MAIL_SERVER} of {company}", None)
        self._shut = frozenset(company for company, server in wanted.items() if server is None)
        return True

    async def _keep_authorizations(self) -> None:
        """Find out which mailbox's authorization has ended while there is nothing to send."""
        while True:
            try:
                await self.keeper.look_after()
            except Exception as failure:
                if not is_transient(failure):
                    raise
            await asyncio.sleep(LOOKED_AFTER_SECONDS)

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
                await (await driver(tx)).execute(DOUBTS_SAID, {"ids": [row.id for row in rows]})
            say = self.running.say(tx)
            say.also_lock = {one.partition_in(row.company) for row, one in sayings}
            for row, one in sayings:
                due_on = date.fromisoformat(row.payload["as_of"])
                await say(row.company, [one], as_of=due_on, cause=cause_of(row.payload))
        return bool(rows)
