"""SIGKILL to one process after another, each strictly inside the work, and what was killed is started again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cli.faults.rest import progress_of
from cli.faults.site import Site
from cli.stack import Report


@dataclass
class Kill:
    """One SIGKILL: at which second of the work, whom, and the progress seen just before."""

    second: float
    target: str
    progress: int


class Killer:
    """Kills at seeded instants, from the main thread: children ask the kernel to end with who started them."""

    def __init__(self, site: Site, kills: int, seed: int, report: Report, targets: Sequence[str]) -> None:
        self.site = site
        self.kills = kills
        self.report = report
        self.targets = targets
        self.done: list[Kill] = []
        self._drawn = random.Random(seed)

    def go_on_until(self, stop: threading.Event) -> None:
        """Kill until all kills are done, mend until told to stop."""
        started = time.monotonic()
        while not stop.is_set():
            if len(self.done) < self.kills and (progress := self._see_progress()) is not None:
                target = self._next_target()
                self.site.kill(target)
                self.done.append(Kill(round(time.monotonic() - started, 2), target, progress))
                self.report(f"kill {len(self.done)}: {target} at {self.done[-1].second} s")
                self.site.mend()
                stop.wait(self._drawn.uniform(0.5, 2.5))
            else:
                self.site.mend()
                stop.wait(0.05)

    def _see_progress(self) -> int | None:
        """What progress has come to, when it moved within a random while; else ``None``."""
        before = progress_of(self.site.dsn)
        time.sleep(self._drawn.uniform(0.05, 0.6))
        now = progress_of(self.site.dsn)
        return now if before is not None and now is not None and now > before else None

    def _next_target(self) -> str:
        """Every target once, then any."""
        if len(self.done) < len(self.targets):
            return self.targets[len(self.done)]
        return self._drawn.choice(self.targets)
