"""Which partitions this process works on. A lease covers a partition over all streams, so that one worker alone
writes a client's rows.

The lease is for efficiency; safety is in the transaction: taking a partition raises its epoch, and an effect
commits only with the epoch it was begun under. A batch holds its lease rows ``for key share``: renewing them does
not wait for it, taking them over does.
"""

from __future__ import annotations

import logging
import math
import os
import socket
from time import monotonic
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.database import at_once
from chassis.derivation import ADOPT
from contracts.subjects import PARTITIONS

log = logging.getLogger(__name__)

BEATS_PER_LEASE = 4

FORGET = text("delete from worker where seen < now() - interval '1 day' or name = :name")
# one statement, since every process asks it all day; a worker counts itself, seen or not
RENEW = text(
    "with live as (select version from derivation),"
    " seen as (insert into worker (name) select :name from live where coalesce(version, :version) = :version"
    "   on conflict (name) do update set seen = now()),"
    " renewed as (update partition_lease set until = now() + make_interval(secs => :ttl)"
    "   where owner = :name and p = any(cast(:own as smallint[])) returning p, epoch)"
    " select workers, live.version, p, epoch from (select 1 + count(*) as workers from worker"
    "   where seen > now() - make_interval(secs => :ttl) and name <> :name) counted"
    " cross join live left join renewed on true"
)
TAKE = text(
    "update partition_lease l set owner = :name, epoch = epoch + 1, until = now() + make_interval(secs => :ttl)"
    " from (select p from partition_lease where until <= now() order by p limit :most for update skip locked) free"
    " where l.p = free.p returning l.p, l.epoch"
)
RELEASE = text(
    "update partition_lease set until = now() where owner = :name and p = any(cast(:own as smallint[]))"
)


class Ownership:
    """The partitions this process holds, by epoch."""

    def __init__(self, engine: AsyncEngine, *, ttl: float, version: int = 1) -> None:
        self.engine = engine
        self.version = version
        self.standing_by: int | None = None
        self._at_once = at_once(engine)
        self.ttl = ttl
        self.name = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self.own: dict[int, int] = {}
        self._beaten = 0.0

    def is_due(self) -> bool:
        """Whether it is time to ask again: well before the leases end, and at once while there are none. Every
        process writes all its leases with each beat, all day."""
        return not self.own or monotonic() - self._beaten >= self.ttl / BEATS_PER_LEASE

    async def beat(self) -> tuple[dict[int, int], list[int]]:
        """Renew, and take what is free up to the fair share. Answers the partitions held and the excess: those to
        give back, with ``release``, once nothing of them is in hand.

        While the tables are made by another version of the projection, ``standing_by`` names it and all that is
        held is excess.
        """
        self._beaten = monotonic()
        async with self._at_once.connect() as tx:
            asked = {"name": self.name, "own": list(self.own), "ttl": self.ttl, "version": self.version}
            rows = (await tx.execute(RENEW, asked)).all()
            live = rows[0].version
            if live is None:
                await tx.execute(ADOPT, {"version": self.version})
            elif live != self.version:
                if self.standing_by != live:
                    log.warning("standing by", extra={"made_by_version": live, "own_version": self.version})
                self.standing_by = live
                return {}, sorted(self.own)
            self.standing_by = None
            share = math.ceil(PARTITIONS / rows[0].workers)
            own = {row.p: row.epoch for row in rows if row.p in self.own and self.own[row.p] == row.epoch}
            if len(own) < share:
                taken = await tx.execute(TAKE, {"name": self.name, "ttl": self.ttl, "most": share - len(own)})
                own |= {row.p: row.epoch for row in taken}
        lost = sorted(set(self.own) - set(own))
        if lost:
            log.warning("partitions lost", extra={"partitions": lost})
        return own, sorted(own)[share:]

    async def release(self, partitions: list[int]) -> None:
        """Give partitions to whoever comes first."""
        self.own = {p: epoch for p, epoch in self.own.items() if p not in partitions}
        async with self.engine.begin() as tx:
            await tx.execute(RELEASE, {"name": self.name, "own": partitions})

    async def leave(self) -> None:
        """Give everything back, at the end of the process."""
        partitions, self.own = list(self.own), {}
        async with self.engine.begin() as tx:
            await tx.execute(RELEASE, {"name": self.name, "own": partitions})
            await tx.execute(FORGET, {"name": self.name})
