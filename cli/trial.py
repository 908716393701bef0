"""A stack for trials: every service, and a mail server that keeps what it is sent and sends nothing on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from cli.places import ROOT, SERVICES
from cli.processes import Child, ChildFailed
from cli.road import Addresses, Json, Road
from cli.stack import Report, RunningStack

SINK_READY_SECONDS = 15.0
STARTS = 2
SINK_PAGE_PORT = 8025
_LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ReplayFailed(Exception):
    """A replay ended without a report."""

    def __init__(self, service: str, said: str) -> None:
        super().__init__(f"the replay of {service} failed: {said[-2000:]}")


class Sink:
    """The mail server of a trial, as a child process. Mails stay in ``<data>/mails``.

    Its page is at ``page_port`` where that is given and free.
    """

    def __init__(self, stack: RunningStack, page_port: int | None = None) -> None:
        self._embedded = stack.embedded
        self._data_dir = stack.data_dir
        self._page_port = page_port
        self.child: Child | None = None

    @property
    def smtp_port(self) -> int:
        return self._embedded.port("sink-smtp")

    @property
    def url(self) -> str:
        """The page where mails are read."""
        return f"http://127.0.0.1:{self._embedded.port('sink-http', self._page_port)}"

    def start(self) -> None:
        """Start it and wait until it answers. Raises ``ChildFailed``."""
        for _ in range(STARTS):
            self._embedded.release_taken_ports(["sink-http"])
            self.child = self._launched()
            deadline = time.monotonic() + SINK_READY_SECONDS
            while time.monotonic() < deadline and self.child.is_running():
                if self._is_answered_by(self.child):
                    return
                time.sleep(0.05)
        assert self.child is not None
        raise ChildFailed("sink", self.child.log, "did not start")

    def _launched(self) -> Child:
        ports = ["--smtp-port", str(self.smtp_port), "--http-port", self.url.rpartition(":")[2]]
        child = Child(
            "sink",
            [sys.executable, "-P", "-m", "cli.sink", *ports, "--store", str(self._data_dir / "mails")],
            env={"PYTHONPATH": str(ROOT)},
            log=self._data_dir / "logs" / "sink.log",
        )
        child.start()
        return child

    def _is_answered_by(self, child: Child) -> bool:
        """Whoever took the port a moment before us would answer as well, and its mails are not ours."""
        try:
            with _LOCAL.open(f"{self.url}/api/process", timeout=10) as answer:
                return bool(json.load(answer)["pid"] == child.pid)
        except (OSError, ValueError, KeyError):
            return False

    def stop(self) -> None:
        if self.child is not None:
            self.child.ask_to_stop()
            self.child.wait_stopped()

    def counts(self) -> dict[str, int]:
        """``count`` mails in its own store, ``distinct`` Message-IDs among them."""
        with _LOCAL.open(f"{self.url}/api/count", timeout=10) as answer:
            counts: dict[str, int] = json.load(answer)
        return counts

    def message_ids(self) -> list[str]:
        """The Message-ID of every mail, as received."""
        with _LOCAL.open(f"{self.url}/api/mails?limit=100000", timeout=60) as answer:
            return [mail["message_id"] for mail in json.load(answer)["mails"]]


class Trial:
    """A running stack with its sink. ``as_of`` fixes the business date of the pages."""

    def __init__(  # noqa: PLR0913 - knobs with defaults
        self,
        data_dir: Path,
        *,
        as_of: date | None = None,
        services: Sequence[str] = SERVICES,
        environment: Mapping[str, Mapping[str, str]] | None = None,
        workers: Mapping[str, int] | None = None,
        console_port: int = 0,
        report: Report = lambda _: None,
    ) -> None:
        self.stack = RunningStack(
            data_dir,
            services=services,
            allow_as_of=True,
            workers=workers,
            console_port=console_port,
            report=report,
        )
        self.sink = Sink(self.stack, SINK_PAGE_PORT if console_port else None)
        self._as_of = as_of
        self._environment = environment or {}
        self.traceparent: str | None = None
        """The trace to which the roads belong that are made from now on."""

    def start(self) -> None:
        """Start everything; what fails stops everything again."""
        self.stack.environment = {
            **self._environment,
            "notify": {
                "RELANCE_SMTP_PORT": str(self.sink.smtp_port),
                # the only mail server of a trial is on this machine
                "RELANCE_MAIL_NETWORKS": "127.0.0.1,::1",
                **self._environment.get("notify", {}),
            },
            "console": {
                **({"RELANCE_AS_OF": f"{self._as_of}"} if self._as_of else {}),
                **self._environment.get("console", {}),
            },
        }
        self.stack.start()
        try:
            self.sink.start()
        except BaseException:
            self.stack.stop()
            raise
        self.stack.extra["mails"] = self.sink.url
        self.stack.write_state()

    def stop(self) -> None:
        self.sink.stop()
        self.stack.stop()

    def __enter__(self) -> Trial:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """libpq's own form of the superuser's address, for those who measure or compare: never for the work."""
        return self.stack.embedded.superuser_dsn

    def road(self, company: str, as_of: date | None = None) -> Road:
        """The main job of a company, with the stack's own key."""
        running = self.stack.services
        addresses = Addresses(
            **{name: self.stack.url(name) if name in running else "" for name in Addresses.__annotations__}
        )
        key = Path(self.stack.embedded.private_key_file)
        return Road(addresses, key, company, as_of or self._as_of, self.traceparent)

    def replayed(self, service: str) -> Json:
        """The report of ``relance replay SERVICE --check``: its tables against those its events give. Raises
        ``ReplayFailed``."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", f"services.{service}", "rebuild", "--check"],
            env={**os.environ, **self.stack.embedded.environment(service), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.stdout.strip():
            raise ReplayFailed(service, done.stderr)
        report: Json = json.loads(done.stdout.strip().splitlines()[-1])
        return report
