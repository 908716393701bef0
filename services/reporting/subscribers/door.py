"""Who comes into NATS: the server asks about everybody who is not one of ours."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
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
PAGE = 1000
"""Connections that a server tells of in one answer."""
EVERY_SERVER_SECONDS = 0.5
"""How long the servers of a cluster may take to say who is connected."""
CLOCKS_DIFFER = timedelta(seconds=5)
MOST_NAMED = 5
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
        self.failing: dict[str, str] = {}
        """Subscriber: why it could not be given its places the last time."""

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
        failed: dict[str, str] = {}
        for one in known:
            try:
                await self._mend_one(bus, one)
            except (NatsError, TimeoutError) as failure:
                if not bus.is_connected:
                    raise  # it would be the same for each of them, one patience after the other
                # the places of one are not those of the others
                failed[one.user] = type(failure).__name__
                if one.user not in self.failing:
                    told = {"user": one.user, "error": failed[one.user]}
                    log.warning("places of a subscriber cannot be made", extra=told, exc_info=True)
        self._tell(failed)
        await self._show_out()

    async def _mend_one(self, bus: Client, one: Subscriber) -> None:
        made = await durables.make(bus, one)
        if made:
            log.warning("places of a subscriber made again", extra={"user": one.user, "streams": made})
        now = clock.now().isoformat()
        found = await durables.places(bus, one)
        async with transaction(self.running.engine) as tx:
            for speaker in (speaker for speaker, place in found.items() if place.is_caught_up):
                key = {"company": one.company, "name": one.name, "since": one.since}
                await tx.execute(rows.CAUGHT_UP, key | {"speaker": speaker, "at": now})

    def _tell(self, failed: dict[str, str]) -> None:
        for user in self.failing.keys() - failed.keys():
            log.info("places of a subscriber are there again", extra={"user": user})
        self.failing = failed
        some = ", ".join(f"{user} ({error})" for user, error in list(failed.items())[:MOST_NAMED])
        more = f" and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
        told = f"{some}{more} cannot be given a place in the streams, and may hear nothing" if failed else None
        self.running.health.hindrance("subscribers", told)

    async def _show_out(self) -> None:
        """End what should have ended: connections of removed subscribers, and those by a secret that is over. Here
        NATS's absence at the moment of the command is made up for."""
        async with connection(self.settings.doorkeeper_url) as bus:
            there = await _connections(bus)
            async with transaction(self.running.engine) as tx:
                known = {one.user: one for one in await rows.everywhere(tx)}
            seen = clock.now()
            over = [(one, changed) for one in known.values() if (changed := one.outlived(seen)) is not None]
            await _end(bus, [one for one in there if one.user not in known])
            for one, changed in over:
                await _end(bus, [each for each in there if each.user == one.user and each.began_before(changed)])
        async with transaction(self.running.engine) as tx:
            for one, _ in over:
                await tx.execute(rows.SHOWN_OUT, {"company": one.company, "name": one.name, "seen": seen})

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
        until = subscriber.leaves_at(question.password)
        await message.respond(self.issuer.admit(question, SUBSCRIBERS, publish, subscribe, until))


async def asking(engine: AsyncEngine, question: Question) -> Subscriber | None:
    """The subscriber who shows its secret."""
    name, _, company = question.user.partition("@")
    async with transaction(engine) as tx:
        found = await rows.find(tx, company, name)
    return found if found is not None and found.knows(question.password) else None


@asynccontextmanager
async def connection(url: str, attempts: int = -1) -> AsyncIterator[Client]:
    """Among the servers, where questions are asked; -1 ``attempts`` are as many as it takes."""
    bus = await nats.connect(
        url,
        max_reconnect_attempts=attempts,
        ping_interval=10,
        connect_timeout=2,
        allow_reconnect=attempts < 0,
        **trusting(url),
    )
    try:
        yield bus
    finally:
        await bus.close()


@dataclass(frozen=True, slots=True)
class Connection:
    """One that is open now: on which server, whose, since when."""

    server: str
    number: int
    user: str
    since: datetime

    def began_before(self, changed: datetime) -> bool:
        """Before a secret was changed, so by it or by one before; servers' clocks may differ a little."""
        return self.since < changed + CLOCKS_DIFFER


async def show_out(url: str, user: str) -> int:
    """End every connection of a user, on every server; answers how many there were. Raises ``OSError``,
    ``TimeoutError`` or ``NatsError`` while NATS is not there."""
    async with connection(url, attempts=1) as bus:
        return await _end(bus, [one for one in await _connections(bus) if one.user == user])


async def _connections(bus: Client) -> list[Connection]:
    """Of subscribers, on every server that answers in time."""
    found: list[Connection] = []
    pages = 1
    told = await bus.subscribe(inbox := bus.new_inbox())
    await bus.publish(CONNECTIONS, _page(0), reply=inbox)
    while True:
        try:
            answer = json.loads((await told.next_msg(EVERY_SERVER_SECONDS)).data)
        except (TimeoutError, NatsTimeout):
            await told.unsubscribe()
            return found
        server = answer["server"]["id"]
        connections = answer.get("data", {}).get("connections") or ()
        for one in connections:
            since = datetime.fromisoformat(one["start"])
            found.append(Connection(server, one["cid"], one.get("authorized_user", ""), since))
        if len(connections) == PAGE and answer["data"]["offset"] == (pages - 1) * PAGE:
            # asked of all of them: the doorkeeper's rights know no question to one
            await bus.publish(CONNECTIONS, _page(pages), reply=inbox)
            pages += 1


def _page(number: int) -> bytes:
    """In the order in which they came in. Who leaves between two pages has somebody told of by neither: the next
    look, a minute later, tells of them."""
    return json.dumps({"acc": SUBSCRIBERS, "auth": True, "limit": PAGE, "offset": number * PAGE}).encode()


async def _end(bus: Client, connections: Sequence[Connection]) -> int:
    for one in connections:
        out = f"$SYS.REQ.SERVER.{one.server}.KICK"
        await bus.request(out, json.dumps({"cid": one.number}).encode(), timeout=2)
    return len(connections)
