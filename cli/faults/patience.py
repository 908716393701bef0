"""Calls to services that may be killed at any moment."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.road import Json, Road, RoadBlocked

PAUSE_SECONDS = 0.3


def patiently(road_now: Callable[[], Road], call: Callable[[Road], Json], within: float) -> Json:
    """Call again, by a road made anew, while what is called is being started again. Raises ``RoadBlocked``."""
    deadline = time.monotonic() + within
    while True:
        road = road_now()
        try:
            return call(road)
        except RoadBlocked as blocked:
            if not blocked.may_pass or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
        finally:
            road.close()
