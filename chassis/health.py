"""What a process waits for, in words: liveness, readiness and the reasons behind them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from chassis.derivation import OtherVersion

Check = Callable[[], Awaitable[str | None]]
"""Answers what is wrong, in one sentence, or ``None``."""

CHECK_SECONDS = 2.0
TICK_SECONDS = 1.0
STUCK_SECONDS = 10.0
FIRST_RETRY_SECONDS = 0.2
LAST_RETRY_SECONDS = 5.0
RECOVERED_SECONDS = 1.0

log = logging.getLogger(__name__)


class Health:
    """Troubles reported by the parts of a process, checks made on request, and the tick of the event loop."""

    def __init__(self) -> None:
        self._troubles: dict[str, str] = {}
        self._hindrances: dict[str, str] = {}
        self._checks: dict[str, Check] = {}
        self._ticked_at: float | None = None

    def trouble(self, part: str, sentence: str | None) -> None:
        """A part says what it waits for, or that it waits no more (``None``)."""
        if sentence is None:
            self._troubles.pop(part, None)
        else:
            self._troubles[part] = sentence

    def hindrance(self, part: str, sentence: str | None) -> None:
        """Something outside hinders a part, or no more (``None``). Told by readiness, which it does not fail:
        a mail server that is down must not take the pages down with it."""
        if sentence is None:
            self._hindrances.pop(part, None)
        else:
            self._hindrances[part] = sentence

    def hindered_by(self) -> dict[str, str]:
        """Part and sentence of everything that works less well than it should."""
        return dict(self._hindrances)

    def check(self, part: str, check: Check) -> None:
        """Registers a question to ask at every readiness probe."""
        self._checks[part] = check

    async def waiting_for(self) -> dict[str, str]:
        """Part and sentence of everything that keeps this process from being ready; empty when it is."""
        checks = dict(self._checks)  # parts that start meanwhile register theirs
        answers = await asyncio.gather(*(self._ask(part, check) for part, check in checks.items()))
        asked = {part: answer for part, answer in zip(checks, answers, strict=True) if answer}
        return {**self._troubles, **asked}

    @staticmethod
    async def _ask(part: str, check: Check) -> str | None:
        try:
            return await asyncio.wait_for(check(), CHECK_SECONDS)
        except TimeoutError:
            return f"{part} gives no answer within {CHECK_SECONDS:.0f} seconds"
        except Exception as failure:  # noqa: BLE001 - whatever a check raises is the answer to the probe
            return f"{part} fails with {type(failure).__name__}"

    async def tick(self) -> None:
        """Runs for ever; a blocked event loop stops it, which ``is_alive`` then tells."""
        loop = asyncio.get_running_loop()
        while True:
            self._ticked_at = loop.time()
            await asyncio.sleep(TICK_SECONDS)

    def is_alive(self) -> bool:
        """The event loop turned within the last seconds."""
        if self._ticked_at is None:
            return True
        return asyncio.get_running_loop().time() - self._ticked_at < STUCK_SECONDS


def _other_version(failure: Exception) -> OtherVersion | None:
    """What a part stands by for, if that is all that stopped it."""
    if not isinstance(failure, ExceptionGroup):
        return failure if isinstance(failure, OtherVersion) else None
    each = [_other_version(one) for one in failure.exceptions]
    return None if None in each else each[0]


async def keep_running(part: str, health: Health, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs ``work`` for ever, starting it again with growing pauses when it fails, and says so in the health.

    ``work`` that has run for a second counts as recovered; ``work`` that returns is finished. Code of another
    version than the live tables' stands by, and says so once.
    """
    pause = FIRST_RETRY_SECONDS
    told: str | None = None
    while True:
        task = asyncio.create_task(work(), name=part)
        try:
            await asyncio.wait({task}, timeout=RECOVERED_SECONDS)
            if not task.done():
                health.trouble(part, None)
                pause = FIRST_RETRY_SECONDS
            await task
            health.trouble(part, None)
            return
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        except Exception as failure:
            if (other := _other_version(failure)) is not None:
                # readiness tells what for, and nothing is wrong with the part: the release before does the work
                if told != str(other):
                    log.info("a part stands by", extra={"part": part, "why": str(other)})
                told = str(other)
                await asyncio.sleep(LAST_RETRY_SECONDS)
                continue
            health.trouble(part, f"stopped by {type(failure).__name__}, tried again within {pause:.1f} seconds")
            log.warning("a part of the process stopped and is tried again", extra={"part": part}, exc_info=True)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_RETRY_SECONDS)
