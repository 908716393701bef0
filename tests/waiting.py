"""Waiting for other processes: they are asked again until their answer will do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def asked_until(holds: Callable[[Answer], object], ask: Callable[[], Answer], within: float = 30) -> Answer:
    """The first answer that ``holds``; after ``within`` seconds the last one, for a test to show."""
    deadline = time.monotonic() + within
    while True:
        answer = ask()
        if holds(answer) or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


async def comes_true(holds: Callable[[], bool | Awaitable[bool]], what: str, within: float = 30) -> None:
    """Waits, in the loop of the test, until it holds. Raises ``AssertionError`` with ``what`` otherwise."""
    deadline = time.monotonic() + within
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}"
        await asyncio.sleep(0.05)
