"""Services as processes that share what they all import.

``python -m cli.nursery`` loads the chassis once and forks a process per order; the process then does what
``python -m services.<name> run`` does. Six services start in the time of one, and share its memory. A service
starts alone wherever one wants it to: in a container, by ``relance serve``.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from chassis.confine import before_exec
from cli.places import ROOT
from cli.processes import STOP_SECONDS, Child

POLL_SECONDS = 0.02


class Nursery:
    """The process that forks services; started when it is first needed, and again when it has died."""

    def __init__(self, log: Path) -> None:
        self._parent = Child("nursery", [], env={}, log=log)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts loading what services import, without waiting for it."""
        if self._process is not None and self._process.poll() is None:
            return
        self._parent.log.parent.mkdir(parents=True, exist_ok=True)
        with self._parent.log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**self._parent.env, "PYTHONPATH": str(ROOT)},
                start_new_session=True,
                preexec_fn=before_exec(None, signal.SIGTERM),  # noqa: PLW1509 - started by the main thread
            )

    def fork(self, module: str, arguments: list[str], env: Mapping[str, str], log: Path) -> int:
        """Starts ``python -m <module> <arguments>``; answers its process id. Raises ``NurseryDied``."""
        order = json.dumps({"module": module, "arguments": arguments, "env": dict(env), "log": str(log)})
        pid = self._order(order) or self._order(order)  # it may just have been killed: once again with a new one
        if pid is None:
            raise NurseryDied(self._parent.log)
        return pid

    def _order(self, order: str) -> int | None:
        self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(order + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._process.kill()
            self._process.wait()
            return None
        return int(answer)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """Ends it, after its services have ended."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


class NurseryDied(Exception):
    """The process that starts services could not start."""

    def __init__(self, log: Path) -> None:
        super().__init__(f"the process that starts services has died; its log: {log}")


class Fostered(Child):
    """A service forked by the nursery, which reaps it; we know it by its process id.

    ``part`` is what it does: ``run`` for everything, ``worker`` for a further worker beside that.
    """

    def __init__(
        self, service: str, nursery: Nursery, *, env: Mapping[str, str], log: Path, part: str = "run"
    ) -> None:
        super().__init__(service, [], env=env, log=log)
        self._nursery = nursery
        self._part = part
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        return self._pid

    def start(self) -> None:
        self.make_room_for_log()
        self._pid = self._nursery.fork(f"services.{self.name}", [self._part], self.env, self.log)

    def is_running(self) -> bool:
        if self._pid is None:
            return False
        try:
            stat = Path(f"/proc/{self._pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    def ask_to_stop(self) -> None:
        self._signal(signal.SIGTERM)

    def wait_stopped(self) -> None:
        if not self._is_gone_within(STOP_SECONDS):
            self.kill()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._is_gone_within(STOP_SECONDS)

    def _signal(self, sign: signal.Signals) -> None:
        if self._pid is not None and self.is_running():
            with suppress(ProcessLookupError):
                os.kill(self._pid, sign)

    def _is_gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True


def _serve_orders() -> None:
    import chassis.process
    import chassis.projection
    import chassis.rebuild
    import chassis.relay  # noqa: F401 - loaded once for all

    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    for line in sys.stdin:
        order = json.loads(line)
        confine = before_exec(None, signal.SIGTERM)
        pid = os.fork()
        if pid == 0:
            confine()
            _become(order)
        print(pid, flush=True)


def _become(order: dict[str, Any]) -> NoReturn:
    """Turns this fork into the process that was ordered."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for given, taken in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(given, taken)
        Path("/proc/self/comm").write_text(order["module"].replace("services.", "relance-"), encoding="ascii")
        os.environ.clear()
        os.environ.update(order["env"])
        sys.argv = [order["module"], *order["arguments"]]
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:  # noqa: BLE001 - the last frame of a process: told, then ended
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve_orders()
