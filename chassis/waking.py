"""Loops that look for work rest long while there is none; what their own process writes wakes them.

Nothing depends on it: a loop that nobody wakes looks again by itself. What another process writes is found that
way.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from weakref import WeakSet

COMMITTED_SECONDS = 0.02
"""Within this time a transaction is committed that has just written what it wakes for, as a rule."""

_resting: dict[str, WeakSet[Rest]] = {}
_filling: list[float] = []


def log_of(service: str) -> str:
    """What appending to a service's log wakes."""
    return f"log/{service}"


def jobs_of(queue: str) -> str:
    """What a new job wakes."""
    return f"jobs/{queue}"


class Rest:
    """The pauses of one loop. ``topic`` is what may end them early."""

    def __init__(self, topic: str) -> None:
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        _resting.setdefault(topic, WeakSet()).add(self)

    async def wait(self, seconds: float) -> bool:
        """Rest; True when woken, now or since the last pause, by what is about to be committed, not sure to be."""
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    def wake(self) -> None:
        """End the pause; from any thread."""
        if self._loop is None or self._thread == threading.get_ident():
            self._woken.set()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)


def wake(topic: str) -> None:
    """Tell the loops of this process that rest on ``topic``."""
    for rest in tuple(_resting.get(topic, ())):
        rest.wake()


@contextmanager
def filling_the_cores() -> Iterator[None]:
    """Around work that takes every core and is waited for: what can wait in this process leaves them to it."""
    since = monotonic()
    _filling.append(since)
    try:
        yield
    finally:
        _filling.remove(since)


def filled_since() -> float | None:
    """When such work began, by ``monotonic``; None while there is none."""
    return min(_filling, default=None)
