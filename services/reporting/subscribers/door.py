"""Who comes into NATS: the server asks about everybody who is not one of ours."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import clock
from chassis.database import transaction
from chassis.embedded_config import SUBSCRIBERS, SUBSCRIBERS_API
from chassis.issuing import Issuer, Question, Unreadable, question_of
from chassis.running import Running
from chassis.trust import trusting
from contracts.subjects import stream
from services.reporting.settings import ReportingSettings
from services.reporting.subscribers import durables, rows
from services.reporting.subscribers.rows import Subscriber

ASKED = "$SYS.REQ.USER.AUTH"
QUEUE = "doorkeepers"
CONNECTIONS = "$SYS.REQ.SERVER.PING.CONNZ"
EVERY_SERVER_SECONDS = 0.5
"""How long the servers of a cluster may take to say who is connected."""
log = logging.getLogger(__name__)


def inbox_of(user: str) -> str:
    """Where a subscriber has what it asked for delivered."""
    return f"_INBOX.{user}"


def rights(subscriber: Subscriber) -> tuple[list[str], list[str]]:
    """What a subscriber may say and hear: ask for the next messages of its own consumers, acknowledge them."""
    user, publish = subscriber.user, []
    for speaker in subscriber.subjects:
        name = stream(speaker)
        publish += [
            f"{SUBSCRIBERS_API}.CONSUMER.MSG.NEXT.{name}.{user}",
            f"{SUBSCRIBERS_API}.CONSUMER.INFO.{name}.{user}",
            f"$JS.ACK.{name}.{user}.>",
        ]
    return publish, [f"{inbox_of(user)}.>"]


class Door:
    """Answers the servers, and keeps every subscriber's place in the streams."""

    def __init__(self, running: Running, settings: ReportingSettings) -> None:
        self.running = running
        self.settings = settings
        self.issuer = Issuer(settings.doorkeeper_key)

    async def run(self) -> None:
        """Works until cancelled. Without a doorkeeper's address nobody is let in, and nothing is done."""
        if not self.settings.doorkeeper_url:
            await asyncio.Event().wait()
        async with connection(self.settings.doorkeeper_url) as bus:
            await bus.subscribe(ASKED, queue=QUEUE, cb=self._answer)
            await bus.flush()
            while True:
                await self.mend()
                await asyncio.sleep(self.settings.mend_seconds)

    async def mend(self) -> None:
        """Make the places that a lost stream took along, and note who has heard everything."""
        bus = await self.running.bus()
        async with transaction(self.running.engine) as tx:
            known = await rows.everywhere(tx)
        for one in known:
            made = await durables.make(bus, one)
            if made:
                log.warning("places of a subscriber made again", extra={"user": one.user, "streams": made})
            now = clock.now().isoformat()
            found = await durables.places(bus, one)
            async with transaction(self.running.engine) as tx:
                for speaker in (speaker for speaker, place in found.items() if place.is_caught_up):
                    key = {"company": one.company, "name": one.name, "since": one.since}
                    await tx.execute(rows.CAUGHT_UP, key | {"speaker": speaker, "at": now})

    async def _answer(self, message: Msg) -> None:
        try:
            question = question_of(message.data)
        except Unreadable:
            log.warning("a question at the door that nobody understands")
            return
        try:
            subscriber = await asking(self.running.engine, question)
        except Exception:
            # nothing is answered: the server refuses by itself, and the other side tries again
            log.exception("the door stays shut")
            return
        if subscriber is None:
            await message.respond(self.issuer.refuse(question, "not known, or the secret is another"))
            return
        publish, subscribe = rights(subscriber)
        await message.respond(self.issuer.admit(question, SUBSCRIBERS, publish, subscribe))


async def asking(engine: AsyncEngine, question: Question) -> Subscriber | None:
    """The subscriber who shows its secret."""
    name, _, company = question.user.partition("@")
    async with transaction(engine) as tx:
        found = await rows.find(tx, company, name)
    return found if found is not None and found.knows(question.password) else None


@asynccontextmanager
async def connection(url: str) -> AsyncIterator[Client]:
    """Among the servers, where questions are asked."""
    bus = await nats.connect(url, max_reconnect_attempts=-1, ping_interval=10, connect_timeout=2, **trusting(url))
    try:
        yield bus
    finally:
        await bus.close()


async def show_out(url: str, user: str) -> int:
    """End every connection of a user, on every server; answers how many there were."""
    ended = 0
    async with connection(url) as bus:
        told = await bus.subscribe(inbox := bus.new_inbox())
        wanted = {"acc": SUBSCRIBERS, "auth": True, "limit": 10_000}
        await bus.publish(CONNECTIONS, json.dumps(wanted).encode(), reply=inbox)
        while True:
            try:
                answer = json.loads((await told.next_msg(EVERY_SERVER_SECONDS)).data)
            except (TimeoutError, NatsError):
                return ended
            for one in answer.get("data", {}).get("connections") or ():
                if one.get("authorized_user") == user:
                    out = f"$SYS.REQ.SERVER.{answer['server']['id']}.KICK"
                    await bus.request(out, json.dumps({"cid": one["cid"]}).encode(), timeout=2)
                    ended += 1
