"""Child processes that end with this one, and write their logs to files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from chassis.confine import before_exec

STOP_SECONDS = 20.0
PROBE_SECONDS = 5.0
LARGEST_LOG_BYTES = 20_000_000
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ChildFailed(Exception):
    """A child process stopped, or did not get ready. The text holds the end of its log."""

    def __init__(self, name: str, log: Path, why: str) -> None:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        tail = "\n".join(lines[-12:])
        super().__init__(f"{name} {why}; its log {log} ends:\n{tail}")
        self.name = name


class Child:
    """One child. Its environment holds what is given, and of ours only what is harmless and needed."""

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.command = list(command)
        ours = {key: os.environ[key] for key in (*PASSED_ON, *PROXIES) if key in os.environ}
        npm = {key: value for key, value in os.environ.items() if key.lower().startswith("npm_config_")}
        self.env = {**ours, **npm, **env}
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Starts the process, without waiting for anything."""
        self.make_room_for_log()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.env,
                start_new_session=True,
                preexec_fn=before_exec(None, signal.SIGTERM),  # noqa: PLW1509 - started by the main thread
            )

    def make_room_for_log(self) -> None:
        """Puts aside a log that has grown too large."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait(self) -> int:
        """Until it ends by itself; answers its exit code."""
        assert self.process is not None
        return self.process.wait()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.is_running():
            self.process.send_signal(signal.SIGTERM)

    def wait_stopped(self) -> None:
        """Until it has ended; after a while it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def readiness(self, url: str) -> str | None:
        """What it waits for, in words; ``None`` when it is ready."""
        try:
            with _LOCAL.open(f"{url}/readyz", timeout=PROBE_SECONDS):
                return None
        except urllib.error.HTTPError as refusal:
            body = refusal.read()
            try:
                waiting = json.loads(body)["waiting_for"]
            except (ValueError, KeyError, TypeError):
                return f"it answers {refusal.code}"
            return "; ".join(waiting.values())
        except OSError:
            return "it does not answer yet"
