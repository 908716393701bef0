"""Delivers what webhooks are to be told: in order per client, again and again until it is answered well.

What is in hand when this process ends is delivered once more by the next one, under the same id: a receiver that
looks at ids has every event once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.database import transaction
from chassis.sealing import Seal, SealBroken
from services.reporting.settings import ReportingSettings
from services.reporting.webhooks.posting import Outcome, Post
from services.reporting.webhooks.rows import FORGET_FORMER, FORMER, keys_of

BUSY_SECONDS, IDLE_SECONDS, IDLE_GROWTH = 0.05, 1.5, 1.4
HOUSEKEEPING_SECONDS = 600.0
GROWTH = 4
FORGOTTEN_AT_ONCE = 5000
PATIENCE = 10
"""So many failures in a row, whatever the event, and a receiver is left alone for a while."""
LONGEST_REST_SECONDS = 300

# An event waits for what came before it of the same client in the same stream; one of many clients waits for
# everything before it in its partition, and is waited for.
TAKE = text(f"""
    with head as (
        select d.company, d.webhook_id, d.speaker, d.p, d.number from webhook_delivery d
        join webhook w using (company, webhook_id)
        where d.status = 'waiting' and d.run_at <= now() and w.active
            and (w.resting_until is null or w.resting_until <= now())
            and not exists (
                select from webhook_delivery e
                where (e.company, e.webhook_id, e.speaker, e.p) = (d.company, d.webhook_id, d.speaker, d.p)
                    and e.number < d.number and e.status in ('waiting', 'sending')
                    and (e.client_id is null or d.client_id is null or e.client_id = d.client_id)
            )
        order by d.run_at limit :batch for update of d skip locked
    )
    update webhook_delivery d set status = 'sending', owner = :owner, attempts = attempts + 1,
        until = now() + make_interval(secs => :lease), changed_at = now()
    from head, webhook w
    where (d.company, d.webhook_id, d.speaker, d.p, d.number)
        = (head.company, head.webhook_id, head.speaker, head.p, head.number)
        and (w.company, w.webhook_id) = (d.company, d.webhook_id)
    returning d.company, d.webhook_id, d.speaker, d.p, d.number, d.event_id, d.message, d.attempts,
        w.url, w.secret, {FORMER}
""")  # noqa: S608 - a constant
MINE = (
    " where (company, webhook_id, speaker, p, number) = (:company, :webhook_id, :speaker, :p, :number)"
    " and status = 'sending' and owner = :owner"
)
DONE = text(
    "update webhook_delivery set status = 'done', told = :told, message = '', owner = null, until = null,"  # noqa: S608
    f" changed_at = now(){MINE}"
)
AGAIN = text(
    "update webhook_delivery set status = 'waiting', told = :told, owner = null, until = null,"  # noqa: S608
    f" run_at = now() + make_interval(secs => :wait), changed_at = now(){MINE}"
)
DEAD = text(
    "update webhook_delivery set status = 'dead', told = :told, owner = null, until = null,"  # noqa: S608
    f" changed_at = now(){MINE}"
)
WELL = text(
    "update webhook set failures = 0, resting_until = null, told = null"
    " where company = :company and webhook_id = :webhook_id and failures > 0"
)
BADLY = text(
    "update webhook set failures = failures + 1, told = :told, active = active and not :gone,"
    " resting_until = case when failures + 1 >= :patience"
    "  then now() + make_interval(secs => least(power(2, least(failures + 1 - :patience, 20)), :longest)) end"
    " where company = :company and webhook_id = :webhook_id"
)
RECOVER = text(
    "update webhook_delivery set status = 'waiting', owner = null, until = null"
    " where (company, webhook_id, speaker, p, number) in ("
    "  select company, webhook_id, speaker, p, number from webhook_delivery"
    "  where status = 'sending' and until < now() for update skip locked)"
)
FORGET = text(
    "delete from webhook_delivery where status = 'done' and changed_at < now() - make_interval(days => :days)"
)
FORGET_DEAD = text(
    """
    with gone as (
        delete from webhook_delivery where (company, webhook_id, speaker, p, number) in (
            select company, webhook_id, speaker, p, number from webhook_delivery
            where status = 'dead' and changed_at < now() - make_interval(days => :days)
            order by company, webhook_id limit :most for update skip locked)
        returning company, webhook_id),
    counted as (select company, webhook_id, count(*) as many from gone group by 1, 2)
    update webhook set forgotten = forgotten + counted.many, forgotten_at = now() from counted
    where webhook.company = counted.company and webhook.webhook_id = counted.webhook_id
    returning webhook.company, webhook.webhook_id, counted.many
    """
)
log = logging.getLogger(__name__)


class Sender:
    """Takes what is due and delivers it, several receivers and clients at a time."""

    def __init__(self, engine: AsyncEngine, settings: ReportingSettings) -> None:
        self.engine = engine
        self.settings = settings
        self.seal = Seal(settings.sealing_key)
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"

    async def run(self) -> None:
        """Works until cancelled."""
        if not self.settings.sealing_key.strip():
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        pause, recover_at, forget_at = BUSY_SECONDS, 0.0, 0.0
        in_hand: set[asyncio.Task[None]] = set()
        async with Post(self.settings) as post, asyncio.TaskGroup() as group:
            while True:
                if loop.time() >= recover_at:
                    await self._run(RECOVER)
                    recover_at = loop.time() + self.settings.webhook_lease_seconds / 2
                if loop.time() >= forget_at:
                    await self._run(FORGET, days=self.settings.webhook_keep_days)
                    await self._forget_dead()
                    await self._forget_former()
                    forget_at = loop.time() + HOUSEKEEPING_SECONDS
                free = self.settings.webhook_connections - len(in_hand)
                taken = await self._take(free) if free else []
                for one in taken:
                    task = group.create_task(self._deliver(post, one))
                    in_hand.add(task)
                    task.add_done_callback(in_hand.discard)
                pause = BUSY_SECONDS if taken or in_hand else min(pause * IDLE_GROWTH, IDLE_SECONDS)
                if in_hand:
                    await asyncio.wait(in_hand, timeout=BUSY_SECONDS * 4, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(pause)

    async def _run(self, statement: Any, **values: Any) -> None:
        async with transaction(self.engine) as tx:
            await tx.execute(statement, values)

    async def _forget_former(self) -> None:
        """Secrets whose time is over, of every webhook."""
        for statement in FORGET_FORMER:
            await self._run(statement)

    async def _forget_dead(self) -> None:
        """Events that nobody tried again in time; whoever looks at the webhook is told how many."""
        while True:
            async with transaction(self.engine) as tx:
                asked = {"days": self.settings.webhook_keep_dead_days, "most": FORGOTTEN_AT_ONCE}
                forgotten = (await tx.execute(FORGET_DEAD, asked)).all()
            for row in forgotten:
                whose = {"company": row.company, "webhook_id": str(row.webhook_id)}
                log.warning("events put aside were forgotten", extra=whose | {"events": row.many})
            if not forgotten:
                return

    async def _take(self, batch: int) -> list[Any]:
        lease = self.settings.webhook_lease_seconds + self.settings.webhook_seconds
        async with transaction(self.engine) as tx:
            taken = await tx.execute(TAKE, {"owner": self.owner, "batch": batch, "lease": lease})
            return list(taken)

    async def _deliver(self, post: Post, one: Any) -> None:
        outcome = await self._post(post, one)
        async with transaction(self.engine) as tx:
            await self._record(tx, one, outcome)

    async def _post(self, post: Post, one: Any) -> Outcome:
        try:
            keys = keys_of(self.seal, one.company, one.secret, one.former)
        except SealBroken:
            return Outcome(ok=False, told="its secret was sealed by a key that is gone: rotate the secret")
        try:
            return await post.send(one.url, str(one.event_id), one.message, keys)
        except Exception as failure:
            # nothing that one receiver does may end what is on its way to the others
            log.exception("a delivery failed in a way that nobody foresaw", extra={"event_id": str(one.event_id)})
            return Outcome(ok=False, told=type(failure).__name__)

    async def _record(self, tx: AsyncConnection, one: Any, outcome: Outcome) -> None:
        names = ("company", "webhook_id", "speaker", "p", "number")
        delivery = {name: getattr(one, name) for name in names} | {"owner": self.owner, "told": outcome.told}
        webhook = {"company": one.company, "webhook_id": one.webhook_id}
        if outcome.ok:
            await tx.execute(DONE, delivery)
            await tx.execute(WELL, webhook)
            return
        given_up = one.attempts >= self.settings.webhook_attempts and not outcome.gone
        if given_up:
            log.warning("an event was put aside", extra={**webhook, "event_id": str(one.event_id)})
            await tx.execute(DEAD, delivery)
        else:
            wait = max(pause_after(one.attempts, self.settings), outcome.wait_seconds)
            await tx.execute(AGAIN, delivery | {"wait": wait})
        told = {"told": outcome.told, "gone": outcome.gone}
        await tx.execute(BADLY, webhook | told | {"patience": PATIENCE, "longest": LONGEST_REST_SECONDS})


def pause_after(attempts: int, settings: ReportingSettings, spread: float | None = None) -> float:
    """Seconds until an event that failed so often is tried again; spread a little, so that those which failed
    together do not come back together."""
    grown = settings.webhook_pause_seconds * GROWTH ** min(attempts - 1, 30)
    shift = 1 + 0.2 * (random.random() if spread is None else spread)  # noqa: RUF100, S311
    return float(min(grown * shift, settings.webhook_longest_pause_seconds))


def retried_until(settings: ReportingSettings) -> float:
    """Seconds from the first failure to the last attempt, at least."""
    return sum(pause_after(attempt, settings, spread=0) for attempt in range(1, settings.webhook_attempts))
