"""How often one link, or one host, may knock; counted in this process alone."""

import time
from collections import OrderedDict, deque

from fastapi import Request

WINDOW_SECONDS = 60.0
REMEMBERED = 10_000


def host_of(request: Request) -> str:
    """Who knocks, for the brakes."""
    return request.client.host if request.client else "unknown"


class Pace:
    """At most ``most`` knocks per name and minute."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._knocks: OrderedDict[str, deque[float]] = OrderedDict()

    def allows(self, name: str, now: float | None = None) -> bool:
        """Counts this knock, unless there were too many. ``now`` is in seconds of any steady clock."""
        at = time.monotonic() if now is None else now
        knocks = self._knocks.setdefault(name, deque())
        self._knocks.move_to_end(name)
        while len(self._knocks) > REMEMBERED:
            self._knocks.popitem(last=False)
        while knocks and at - knocks[0] >= WINDOW_SECONDS:
            knocks.popleft()
        if len(knocks) >= self.most:
            return False
        knocks.append(at)
        return True
