"""Everything on this machine: the embedded servers and every service as a child process.

Start it from the main thread: the children ask the kernel to end them with the thread that started them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chassis import clock
from chassis.embedded import Stack
from chassis.embedded_config import NATS_ADMIN
from cli.nursery import Fostered, Nursery
from cli.places import ROOT, SERVICES, State
from cli.processes import Child, ChildFailed

READY_SECONDS = 90.0
RESTART_PAUSE_SECONDS = 0.5
CONSOLE_PORT = 8000

Report = Callable[[str], None]


def _quiet(_: str) -> None:
    pass


class RunningStack:
    """The servers and services of one data directory.

    ``environment`` gives further ``RELANCE_*`` variables per service; under ``""`` those of all. ``workers`` says
    how many worker processes a service has, where one is not enough: ``{"dunning": 2}``.
    """

    def __init__(  # noqa: PLR0913 - knobs with defaults
        self,
        data_dir: Path,
        *,
        services: Sequence[str] = SERVICES,
        allow_as_of: bool = False,
        environment: Mapping[str, Mapping[str, str]] | None = None,
        workers: Mapping[str, int] | None = None,
        console_port: int = CONSOLE_PORT,
        report: Report = _quiet,
    ) -> None:
        self.embedded = Stack(data_dir, services)
        self.data_dir = self.embedded.data_dir
        self.services = tuple(services)
        self.allow_as_of = allow_as_of
        self.environment = environment or {}
        self.workers = workers or {}
        self.console_port = console_port
        self.report = report
        self.nursery = Nursery(self.data_dir / "logs" / "nursery.log")
        self.children: dict[str, Child] = {}
        self.extra: dict[str, Any] = {}
        self._stopping = False

    # addresses

    def url(self, service: str) -> str:
        """Base URL of a service's HTTP API."""
        preferred = self.console_port if service == "console" else None
        return f"http://127.0.0.1:{self.embedded.port(f'http-{service}', preferred)}"

    # life

    def start(self) -> None:
        """Starts all and waits until every service is ready. Raises what the servers raise, or ``ChildFailed``."""
        try:
            self.nursery.start()
            frontend = self._frontend()
            self.report("starting PostgreSQL and NATS")
            self.embedded.start()
            names = [name for name, _, _ in self._processes()]
            self.embedded.release_taken_ports([f"http-{name}" for name in names])
            for name in names:
                self.url(name)
            self.embedded.ensure_roles()
            self.migrate()
            self.provision()
            frontend()
            self.report(f"starting {', '.join(self.services)}")
            for name, service, part in self._processes():
                self.children[name] = Fostered(
                    service,
                    self.nursery,
                    env=self._environment_of(service, name),
                    log=self.data_dir / "logs" / f"{name}.log",
                    part=part,
                )
                self.children[name].start()
            self.write_state()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Until every service answers ready. Raises ``ChildFailed`` with what one waits for."""
        deadline = time.monotonic() + seconds
        waiting = list(self.children)
        while waiting:
            name = waiting[0]
            child = self.children[name]
            if not child.is_running():
                raise ChildFailed(name, child.log, "stopped while starting")
            answer = child.readiness(self.url(name))
            if answer is None:
                waiting.pop(0)
            elif time.monotonic() > deadline:
                raise ChildFailed(name, child.log, f"is not ready: {answer}")
            else:
                time.sleep(0.05)

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Starts again whatever dies, until told to stop (or for ever)."""
        while not until() and not self._stopping:
            self.mend()
            time.sleep(RESTART_PAUSE_SECONDS)

    def mend(self) -> list[str]:
        """Starts again every server and service that has died; answers their names."""
        mended = []
        for server in (self.embedded.postgres, self.embedded.nats):
            if not server.is_running():
                self.report(f"{server.name} stopped unexpectedly and is started again")
                server.start()
                mended.append(server.name)
        for name, child in self.children.items():
            if not child.is_running():
                self.report(f"{name} stopped unexpectedly and is started again; its log: {child.log}")
                child.start()
                mended.append(name)
        if mended:
            self.write_state()
        return mended

    def stop_services(self) -> None:
        """Stops the services; the servers go on."""
        for child in self.children.values():
            child.ask_to_stop()
        for child in self.children.values():
            child.wait_stopped()

    def start_services(self) -> None:
        """Starts services that were stopped, without waiting until they are ready."""
        for child in self.children.values():
            child.start()
        self.write_state()

    def stop(self) -> None:
        """Stops all; nothing is left running."""
        self._stopping = True
        self.stop_services()
        self.nursery.stop()
        self.embedded.stop()
        (self.data_dir / "state.json").unlink(missing_ok=True)

    def __enter__(self) -> RunningStack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # the steps

    def migrate(self, *, always: bool = False) -> list[str]:
        """Brings every schema to its newest version; skipped when the migrations are those of the last start."""
        marker = self.data_dir / "migrated.json"
        wanted = {service: _migrations_digest(service) for service in self.services}
        known = json.loads(marker.read_text(encoding="utf-8")) if marker.exists() and not always else {}
        due = [service for service in self.services if known.get(service) != wanted[service]]
        if due:
            self.report(f"migrating {', '.join(due)}")
            from chassis.database import migrate

            for service in due:
                migrate(f"services.{service}", self.embedded.database_url(service, "owner"), service)
            marker.write_text(json.dumps(wanted), encoding="utf-8")
        return due

    def provision(self) -> dict[str, str]:
        """Makes the streams that are missing. Answers what was done to each."""
        from chassis.provision import provision

        return asyncio.run(provision(self.embedded.nats_url(NATS_ADMIN)))

    def _frontend(self) -> Callable[[], None]:
        """Begins to fetch what the pages load; the answer waits for it."""
        if "console" not in self.services:
            return lambda: None
        child = Child(
            "frontend",
            [sys.executable, "-P", "-m", "services.console.frontend"],
            env={"PYTHONPATH": str(ROOT)},
            log=self.data_dir / "logs" / "frontend.log",
        )
        child.start()

        def wait() -> None:
            code = child.wait()
            if code != 0:
                raise ChildFailed("frontend", child.log, f"ended with code {code}")

        return wait

    def _processes(self) -> list[tuple[str, str, str]]:
        """(name, service, part) of every process: ``dunning`` does everything, ``dunning-2`` works beside it."""
        whole = [(service, service, "run") for service in self.services]
        beside = [
            (f"{service}-{number}", service, "worker")
            for service in self.services
            for number in range(2, self.workers.get(service, 1) + 1)
        ]
        return whole + beside

    def _environment_of(self, service: str, name: str | None = None) -> dict[str, str]:
        """What a process of a service is told; ``name`` is its own where the service has several."""
        urls = {f"RELANCE_{name.upper()}_URL": self.url(name) for name in self.services}
        return {
            "PYTHONPATH": str(ROOT),
            "RELANCE_HTTP_PORT": self.url(name or service).rpartition(":")[2],
            "RELANCE_ALLOW_AS_OF": "true" if self.allow_as_of else "false",
            "RELANCE_INBOX_DIR": str(self.data_dir / "inbox"),
            "RELANCE_SECRETS_DIR": str(self.data_dir / "source-secrets"),
            **urls,
            **(self._debtors_pages() if service == "notify" else {}),
            **self.embedded.environment(service),
            **({"RELANCE_SEALING_KEY": self.embedded.secret("sealing")} if service == "notify" else {}),
            **(self._other_systems() if service == "reporting" else {}),
            **self.environment.get("", {}),
            **self.environment.get(service, {}),
        }

    def _debtors_pages(self) -> dict[str, str]:
        """Debtors reach their pages where the console answers."""
        if "console" not in self.services:
            return {}
        secret = self.embedded.secret("debtor-links")
        return {"RELANCE_SPACE_URL": self.url("console"), "RELANCE_LINK_SECRET": secret}

    def _other_systems(self) -> dict[str, str]:
        """Those that subscribe are let in, and secrets of webhooks are kept sealed."""
        return {
            **self.embedded.doorkeeping(),
            "RELANCE_SEALING_KEY": self.embedded.secret("webhook-sealing"),
        }

    def state(self) -> State:
        """What other commands may know."""
        servers = {server.name: server.pid for server in (self.embedded.postgres, self.embedded.nats)}
        children = {name: child.pid for name, child in self.children.items()}
        return State(
            pid=os.getpid(),
            urls={service: self.url(service) for service in self.services},
            pids={name: pid for name, pid in {**servers, **children}.items() if pid is not None},
            private_key_file=str(self.embedded.private_key_file),
            public_key_file=str(self.embedded.public_key_file),
            started_at=clock.now().isoformat(timespec="seconds"),
            extra=self.extra,
        )

    def write_state(self) -> None:
        """Writes ``state.json``, which only its owner may read."""
        passing = self.data_dir / "state.json.new"
        with os.fdopen(os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
            json.dump(asdict(self.state()), output, indent=1)
        passing.replace(self.data_dir / "state.json")


def _migrations_digest(service: str) -> str:
    files = sorted((ROOT / "services" / service / "migrations").rglob("*.py"))
    shared = [ROOT / "chassis" / "tables.py", ROOT / "chassis" / "database.py"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in (*files, *shared))).hexdigest()[:16]


def stop_on_signals() -> None:
    """SIGTERM and SIGHUP end this process as Ctrl-C does, so that everything is stopped in order.

    Ctrl-C itself is set as well: a shell makes what it starts in the background deaf to it.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, interrupt)


def pss_megabytes(pids: Sequence[int]) -> float:
    """Memory of processes and their descendants, shared pages counted once in all (PSS)."""
    total = 0
    for pid in _with_descendants(pids):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return round(total / 1024, 1)


def _with_descendants(pids: Sequence[int]) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue  # it ended meanwhile
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = list(dict.fromkeys(pids))
    for pid in found:
        found.extend(child for child in children.get(pid, []) if child not in found)
    return found
