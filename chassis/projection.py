"""Events heard become rows: each at least once by the stream, at most once by the checkpoint.

One FastStream batch subscriber per stream and process, over the partitions this process holds, on an ephemeral
consumer without acks: the position lives in PostgreSQL, beside the rows.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from time import monotonic

from faststream.nats import NatsBroker
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import clock, measures
from chassis.applying import Applying, Fenced, Gap, TooManyParked
from chassis.cancellation import heed_cancellation
from chassis.database import is_transient
from chassis.delivered import Delivered
from chassis.ear import Ear
from chassis.envelope import Heard, Registry
from chassis.eventlog import Say
from chassis.listening import Listening, Project, React, project_all, react_all, wait_for
from chassis.ownership import Ownership

__all__ = [
    "Delivered",
    "Fenced",
    "Gap",
    "Listening",
    "Project",
    "ProjectionWorker",
    "React",
    "Say",
    "TooManyParked",
    "project_all",
    "react_all",
    "wait_for",
]

log = logging.getLogger(__name__)

PART_BYTES = 2 << 20
"""Bodies applied in one transaction: short enough to end well within a lease."""

MOVE_EVERYWHERE_SECONDS = 2.0
"""How often the position of partitions that a batch does not touch is moved along."""

COMPARE_SECONDS = 2.0
"""How often what was committed is looked for in PostgreSQL, which may have taken it back when it crashed."""

COMPARE_FOR_SECONDS = 10.0
"""For so long after the last batch, or after trouble: PostgreSQL has what is older on disk within a second."""

LONGEST_PAUSE_SECONDS = 10.0


class ProjectionWorker:
    """Listens for one service. Run one in every replica: they share the partitions.

    ``broker`` must be able to connect but need not be connected; ``registry`` is every event class by CloudEvents
    type. ``batch`` counts messages per fetch.
    """

    def __init__(  # noqa: PLR0913 knobs with defaults
        self,
        service: str,
        engine: AsyncEngine,
        broker: NatsBroker,
        listening: Listening,
        registry: Registry,
        *,
        generation: int = 1,
        lease_seconds: float = 5,
        tick_seconds: float = 0.5,
        batch: int = 500,
        fetch_seconds: float = 0.2,
        most_parked: int = 100,
        repair_fetch: bool = True,
    ) -> None:
        self.service = service
        self.listening = listening
        self.tick_seconds = tick_seconds
        self.ownership = Ownership(engine, ttl=lease_seconds, version=listening.version)
        self.applying = Applying(service, engine, listening, most_parked)
        self._turn = asyncio.Lock()
        self._compared = monotonic()
        self._compare_until = monotonic() + COMPARE_FOR_SECONDS
        self._leaving = False
        self._trouble: str | None = None
        names = listening.project.keys() | listening.react.keys()
        self.ears = {
            speaker: Ear(
                service,
                speaker,
                engine,
                broker,
                registry,
                names,
                self._hear,
                generation=generation,
                batch=batch,
                fetch_seconds=fetch_seconds,
                repair_fetch=repair_fetch,
            )
            for speaker in listening.streams
        }

    def problems(self) -> list[str]:
        """What is wrong now, for health."""
        own = [self._trouble] if self._trouble else []
        return own + [ear.trouble for ear in self.ears.values() if ear.trouble]

    async def run(self) -> None:
        """Listen until cancelled; the partitions are given back then."""
        try:
            while True:
                heed_cancellation()
                try:
                    await self.beat()
                    self._trouble = None
                except Exception as error:
                    self._compare_until = monotonic() + COMPARE_FOR_SECONDS
                    self._trouble = f"projection: {type(error).__name__}: {error}"
                    if measures.schema_is_behind(error):
                        # not migrated yet; or built beside, and switched to or dropped a moment ago
                        log.warning("the schema is not there", extra={"service": self.service})
                    elif not is_transient(error):
                        log.exception("projection beat failed", extra={"service": self.service})
                await asyncio.sleep(self.tick_seconds)
        finally:
            self._leaving = True
            with suppress(Exception):
                await asyncio.shield(asyncio.wait_for(self._leave(), 8))

    async def _leave(self) -> None:
        with suppress(Exception):
            await asyncio.wait_for(asyncio.gather(*(ear.close() for ear in self.ears.values())), 5)
        await self.ownership.leave()

    async def beat(self) -> None:
        """Look after the leases and the subscribers once."""
        if not self.ears:
            return
        if self.ownership.is_due():
            own, excess = await self.ownership.beat()
            if excess or own != self.ownership.own:
                await self._hold(own, excess)
            self.ownership.own = {p: epoch for p, epoch in own.items() if p not in excess}
        if self._compare_until > self._compared and monotonic() - self._compared > COMPARE_SECONDS:
            for speaker in await self.applying.taken_back(self.ownership.own):
                log.warning("rows were taken back: heard again", extra={"stream": self.ears[speaker].stream})
                self.ears[speaker].dirty = True
            self._compared = monotonic()
        for ear in self.ears.values():
            await ear.look_after(self.ownership.own)

    async def _hold(self, own: dict[int, int], excess: list[int]) -> None:
        for ear in self.ears.values():
            ear.dirty = True
        if excess:
            for ear in self.ears.values():
                await ear.close()
            async with self._turn:
                self.ownership.own = own
                await self.ownership.release(excess)
            log.info("partitions given back", extra={"service": self.service, "partitions": excess})

    async def _hear(self, ear: Ear, batch: list[Heard]) -> None:
        """Apply what an ear heard, in parts; raises what made it impossible."""
        part: list[Heard] = []
        size = 0
        for one in batch:
            part.append(one)
            size += len(one.event.body) if one.event else 0
            if size >= PART_BYTES:
                await self._part(ear, part)
                part, size = [], 0
        if part:
            await self._part(ear, part)

    async def _pause(self, ear: Ear, seconds: float) -> None:
        """Wait, but no longer than the batch is wanted."""
        until = monotonic() + seconds
        while monotonic() < until and not (self._leaving or ear.dirty):  # noqa: ASYNC110 time or flag
            await asyncio.sleep(0.1)

    async def _part(self, ear: Ear, part: list[Heard]) -> None:
        """Apply one part; what may pass is tried again, what cannot pass is parked."""
        pause = 0.1
        carefully = False
        while True:
            try:
                # one stream at a time: rows of a client are never written twice at once from this process
                async with self._turn:
                    if self._leaving or ear.dirty:
                        raise Fenced([])
                    everywhere = monotonic() - ear.moved > MOVE_EVERYWHERE_SECONDS
                    fresh = await self.applying.apply(
                        ear.speaker, part, self.ownership.own, carefully=carefully, everywhere=everywhere
                    )
                    if everywhere:
                        ear.moved = monotonic()
                break
            except (Fenced, Gap, TooManyParked):
                raise
            except Exception as error:
                if is_transient(error):
                    ear.trouble = f"{ear.speaker}: {type(error).__name__}: {error}"
                    measures.REFUSED.labels(self.service, ear.stream, "transient").inc()
                    log.warning("batch tried again", extra={"stream": ear.stream, "error": str(error)})
                    await self._pause(ear, pause)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                elif carefully:
                    raise
                else:
                    measures.REFUSED.labels(self.service, ear.stream, "failed").inc()
                    log.exception("batch failed, taken event by event", extra={"stream": ear.stream})
                    carefully = True
        ear.trouble = None
        ear.progressed = monotonic()
        self._compare_until = monotonic() + COMPARE_FOR_SECONDS
        measures.APPLIED.labels(self.service, ear.stream).inc(fresh)
        newest = next((one.event for one in reversed(part) if one.event is not None), None)
        if newest is not None:
            age = (clock.now() - newest.occurred_at).total_seconds()
            measures.LAG.labels(self.service, ear.stream).set(max(0.0, age))
