"""How fast messages may leave: over one mail server, and to the mail servers of one recipient domain."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

AT_HAND_SECONDS = 1.0
"""A message whose turn comes later lets others pass instead of waiting in hand."""
FORGOTTEN_AFTER_SECONDS = 3600.0
MOST_DOMAINS = 10_000


class Pace:
    """Lets one message go at a time, at most so many a second; 0 is no limit."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def wait(self) -> None:
        if not self._interval:
            return
        now = asyncio.get_running_loop().time()
        mine = max(now, self._next)
        self._next = mine + self._interval
        await asyncio.sleep(mine - now)


class Turns:
    """Each message's turn at the domains of its recipients, so many a second and domain; 0 is no limit.

    A turn is given once: a message that comes back for it finds it, however many came after.
    """

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next: dict[str, float] = {}
        self._given: dict[UUID, float] = {}

    def seconds(self, message: UUID, recipients: Iterable[str]) -> float:
        """How long until its turn. Within ``AT_HAND_SECONDS`` the turn is taken, and not kept any longer."""
        if not self._interval:
            return 0.0
        now = asyncio.get_running_loop().time()
        turn = self._given.get(message)
        if turn is None:
            turn = self._give(now, {address.rpartition("@")[2].lower() for address in recipients})
            self._given[message] = turn
        if turn <= now + AT_HAND_SECONDS:
            del self._given[message]
        return max(0.0, turn - now)

    def _give(self, now: float, domains: set[str]) -> float:
        if len(self._next) > MOST_DOMAINS:
            self._tidy(now)
        turn = max([now, *(self._next.get(domain, 0.0) for domain in domains)])
        for domain in domains:
            self._next[domain] = turn + self._interval
        return turn

    def _tidy(self, now: float) -> None:
        """Domains that are free again, and turns of messages that were withdrawn and never came."""
        self._next = {domain: free for domain, free in self._next.items() if free > now}
        self._given = {
            message: turn for message, turn in self._given.items() if turn > now - FORGOTTEN_AFTER_SECONDS
        }
