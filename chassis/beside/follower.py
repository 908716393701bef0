"""The worker that hears for the tables beside: never further than the live tables are.

Were it ahead, a switch would have to wait for the live ones; and where no worker of their version is left, after
an upgrade on one machine for instance, it would wait for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.applying import Fenced, Gap, TooManyParked
from chassis.database import driver, is_transient
from chassis.derived import live_vector
from chassis.ear import Ear
from chassis.envelope import Heard
from chassis.projection import ProjectionWorker

WAIT_SECONDS = 2.0
LOOK_SECONDS = 0.1


class Follower(ProjectionWorker):
    """``live`` is the engine to ask how far the live tables are."""

    def __init__(self, live: AsyncEngine, *arguments: Any, **knobs: Any) -> None:
        super().__init__(*arguments, **knobs)
        self.live = live

    async def _hear(self, ear: Ear, batch: list[Heard]) -> None:
        live = await self._reached(ear, batch)
        ahead = next((n for n, one in enumerate(batch) if _is_ahead(one, live)), None)
        if ahead is None:
            await super()._hear(ear, batch)
            return
        if ahead:
            await super()._hear(ear, batch[:ahead])
        known = [one for one in batch[ahead:] if not _is_ahead(one, live)]
        if known:
            await self._apply(ear, known, pos=batch[ahead].at - 1)
        ear.dirty = True  # heard again from there

    async def _reached(self, ear: Ear, batch: Sequence[Heard]) -> Mapping[int, int]:
        """How far the live tables are, once they have the batch or it is no use to wait."""
        until = monotonic() + WAIT_SECONDS
        while True:
            async with self.live.connect() as connection:
                live = (await live_vector(await driver(connection), self.service, [ear.speaker]))[ear.speaker]
            if monotonic() > until or ear.dirty or not any(_is_ahead(one, live) for one in batch):
                return live
            await asyncio.sleep(LOOK_SECONDS)

    async def _apply(self, ear: Ear, known: list[Heard], pos: int) -> None:
        async with self._turn:
            own = self.ownership.own
            try:
                await self.applying.apply(ear.speaker, known, own, pos=pos)
            except (Fenced, Gap, TooManyParked):
                raise
            except Exception as error:
                if is_transient(error):
                    raise
                await self.applying.apply(ear.speaker, known, own, carefully=True, pos=pos)


def _is_ahead(one: Heard, live: Mapping[int, int]) -> bool:
    return one.number > live.get(one.partition, 0)
