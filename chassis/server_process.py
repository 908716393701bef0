"""One server process of the embedded stack: started, asked, stopped, found again after a crash of its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from chassis.confine import Servant, before_exec

START_SECONDS = 60.0
STOP_SECONDS = 20.0
PREDECESSOR_SECONDS = 30.0


class ServerFailed(Exception):
    """A server stopped, or did not answer in time. The text holds the end of its log."""

    def __init__(self, name: str, log: Path, why: str) -> None:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""
        super().__init__(f"{name} {why}; its log {log} ends:\n{tail}")
        self.name = name


@dataclass
class Server:
    """A child of this process. ``answers`` tells, without waiting, whether it serves.

    ``predecessor_lives`` is what its log says when it does not start because children of a killed predecessor are
    still ending: it is then started again for a while.
    """

    name: str
    command: Callable[[], list[str]]
    answers: Callable[[], bool]
    log: Path
    pid_file: Path
    who: Servant | None
    stop_signal: signal.Signals
    env: Mapping[str, str] = field(default_factory=dict)
    predecessor_lives: bytes | None = None
    process: subprocess.Popen[bytes] | None = None
    _told_before: int = 0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def launch(self) -> None:
        """Starts the process, without waiting for it to answer."""
        self.end_orphan()
        with self.log.open("ab") as output:
            self._told_before = output.tell()
            self.process = subprocess.Popen(  # noqa: S603 - our own servers, our own arguments
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", **self.env},
                start_new_session=True,
                preexec_fn=before_exec(self.who, self.stop_signal),  # noqa: PLW1509 - started by the main thread
            )
        self.pid_file.write_text(str(self.process.pid), encoding="ascii")

    def wait(self) -> None:
        """Until it answers. Raises ``ServerFailed``."""
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if not self.is_running():
                raise ServerFailed(self.name, self.log, "stopped while starting")
            if time.monotonic() > deadline:
                raise ServerFailed(self.name, self.log, f"did not answer within {START_SECONDS:.0f} seconds")
            time.sleep(0.02)

    def start(self) -> None:
        """Starts it and waits until it answers. Raises ``ServerFailed``."""
        deadline = time.monotonic() + PREDECESSOR_SECONDS
        while True:
            self.launch()
            try:
                self.wait()
            except ServerFailed:
                if not self._is_held_by_predecessor() or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def _is_held_by_predecessor(self) -> bool:
        if self.predecessor_lives is None or self.is_running():
            return False
        with self.log.open("rb") as told:
            told.seek(self._told_before)
            return self.predecessor_lives in told.read()

    def stop(self) -> None:
        """Asks it to end, and ends it after a while."""
        if self.process is not None:
            if self.is_running():
                self.process.send_signal(self.stop_signal)
                try:
                    self.process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            self.process = None
        self.pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def end_orphan(self) -> None:
        """Ends a server that outlived a crashed parent; never a stranger that was given its number since."""
        try:
            pid = int(self.pid_file.read_text(encoding="ascii"))
            binary = os.readlink(f"/proc/{pid}/exe")
        except (OSError, ValueError):
            return
        if Path(binary).name != Path(self.command()[0]).name:
            return
        for sign, patience in ((self.stop_signal, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if not _is_alive(pid):
                    return
                time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        state = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
        )
    except (OSError, IndexError):
        return False
    return state != "Z"


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of this machine now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
