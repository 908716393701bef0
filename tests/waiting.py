"""Waiting for other processes: they are asked again until their answer will do."""

import time
from collections.abc import Callable
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
