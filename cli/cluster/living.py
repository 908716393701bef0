"""A company's days in the pod of the command line, followed from outside."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from typing import IO

from cli.cluster.kubectl import ClusterTrouble, Kubectl
from cli.faults.days import Outcome
from cli.faults.outcomes import read
from cli.road import Json
from cli.stack import Report

MOVES_WITHIN = 3.0


class DaysBroken(ClusterTrouble):
    """The days ended without an outcome."""

    def __init__(self, said: str) -> None:
        super().__init__(f"the company's days broke off: {said.strip()[-1500:]}")


class Living:
    """The days go on until ``finish``. ``moves`` tells whether work is going on right now."""

    def __init__(self, kubectl: Kubectl, entries: int, report: Report) -> None:
        self.report = report
        self.result: Json = {}
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by finish
        command = kubectl.command(
            "exec", "--stdin", "deployment/tools", "--",
            "python", "-P", "-m", "cli.cluster.inside", f"--entries={entries}",
        )  # fmt: skip
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self._progress: int | None = None
        self._moved_at = 0.0
        self.failed_calls = 0
        assert self._process.stdout is not None
        self._listener = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._listener.start()

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            said = json.loads(line)
            if "progress" in said:
                if said["progress"] is not None and said["progress"] != self._progress:
                    self._progress, self._moved_at = said["progress"], time.monotonic()
                self.failed_calls = said["failed"]
            elif "told" in said:
                self.report(f"  {said['told']}")
            else:
                self.result = said

    @property
    def progress(self) -> int:
        """Events said and applied and messages sent so far."""
        return self._progress or 0

    def wait_until_it_moves(self, within: float = 120.0) -> None:
        """Until events are being said and applied. Raises ``DaysBroken``."""
        deadline = time.monotonic() + within
        while time.monotonic() - self._moved_at > MOVES_WITHIN:
            if self._process.poll() is not None:
                raise DaysBroken(self._said())
            if time.monotonic() > deadline:
                raise DaysBroken(f"nothing moved for {within:.0f} s")
            time.sleep(0.1)

    def wait_until_beyond(self, progress: int, within: float = 120.0) -> bool:
        """Whether the work goes further than this in time."""
        deadline = time.monotonic() + within
        while self.progress <= progress and time.monotonic() < deadline and self._process.poll() is None:
            time.sleep(0.1)
        return self.progress > progress

    def finish(self) -> Outcome:
        """Let the day end and the services come to rest. Raises ``DaysBroken``."""
        if self._process.poll() is None and self._process.stdin is not None:
            self._process.stdin.write("enough\n")
            self._process.stdin.flush()
        self._process.wait()
        self._listener.join()
        if self._process.returncode != 0 or "outcome" not in self.result:
            raise DaysBroken(self._said())
        self._errors.close()
        return read(self.result["outcome"])

    def stop(self) -> None:
        """Leave nothing running, whatever happened."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read()
