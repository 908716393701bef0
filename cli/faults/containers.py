"""The containers of docker-compose.yml as a site: brought up, scaled, killed one by one, taken down."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from cli.credentials import SIGNING, Credentials
from cli.docker import ContainersUnwell, docker
from cli.faults.site import SMTP_CONNECTIONS, TARGETS, Mails, MailsByPage
from cli.places import ROOT
from cli.road import Addresses, Road
from cli.stack import Report

PROJECT = "relance-drill"
FILES = ("docker-compose.yml", "deploy/compose.drill.yaml")
BY_TLS = "deploy/compose.tls.yaml"
SCALE = {"dunning": 3, "notify": 3}
HEALTHY_SECONDS = 300.0
NOBODY = 1
MAIL = "mail"
INSTALL = "install"
"""The container that ends by itself: it is started once more, as for a new version, and killed in the middle."""
SEEN_AGAIN_SECONDS = 1.0
"""Asking Docker Compose costs half a second of a core, which the containers want."""
INSTALLING_SECONDS = 1.5
"""After so long it has reached PostgreSQL and is far from its end."""


class Containers:
    """Everything as containers. Those of ``SCALE`` have replicas, of which one is killed at a time. With ``tls``
    PostgreSQL and NATS refuse whoever comes without."""

    def __init__(self, folder: Path, report: Report, *, tls: bool = False) -> None:
        self.report = report
        self.credentials = Credentials(folder / "credentials", tls=tls)
        self.files = (*FILES, BY_TLS) if tls else FILES
        self._killed = 0
        self._last_seen: tuple[float, list[dict[str, Any]]] = (-SEEN_AGAIN_SECONDS, [])

    def __enter__(self) -> Containers:
        self.credentials.write()
        if self.credentials.tls:
            self.credentials.certify()
        self.report("building the images")
        self._compose("build")
        self.report("starting the containers")
        scale = [f"--scale={name}={replicas}" for name, replicas in SCALE.items()]
        try:
            self._compose("up", "--detach", "--no-build", *scale)
            self._wait_healthy()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._compose("down", "--volumes", "--timeout=5")

    @property
    def targets(self) -> Sequence[str]:
        return (*TARGETS, MAIL, INSTALL)

    def doubts(self, target: str) -> int:
        """One container of notify is killed at a time; whoever sends has the mail server at the other end."""
        return SMTP_CONNECTIONS * (SCALE["notify"] if target == MAIL else 1)

    @property
    def dsn(self) -> str:
        return self.credentials.superuser_url_at(f"127.0.0.1:{self._published('postgres', 5432)}")

    @property
    def sink(self) -> Mails:
        return MailsByPage(self.mails_url)

    def road(self, company: str, as_of: date | None = None) -> Road:
        urls = {name: f"http://127.0.0.1:{self._published(name, 8000)}" for name in Addresses.__annotations__}
        return Road(Addresses(**urls), self.credentials.folder / SIGNING / "private.pem", company, as_of)

    def kill(self, target: str) -> None:
        """One container of the service, the replicas in turn."""
        if target == INSTALL:
            self._install_again()
        running = [one["ID"] for one in self._seen(0) if one["Service"] == target and one["State"] == "running"]
        if running:
            self._killed += 1
            docker("kill", "--signal=KILL", sorted(running)[self._killed % len(running)])

    def mend(self) -> None:
        """What was killed by hand is not started again by Docker: a person would, or the cluster. What installs
        has ended well with exit code 0."""
        dead = [
            one["ID"]
            for one in self._seen()
            if one["State"] in ("exited", "dead") and not (one["Service"] == INSTALL and one["ExitCode"] == 0)
        ]
        if dead:
            docker("start", *dead)

    def _install_again(self) -> None:
        docker("start", *(one["ID"] for one in self._seen() if one["Service"] == INSTALL))
        time.sleep(INSTALLING_SECONDS)

    def mails_url(self) -> str:
        return f"http://127.0.0.1:{self._published('mail', 8025)}"

    def _wait_healthy(self) -> None:
        deadline = time.monotonic() + HEALTHY_SECONDS
        while True:
            waited_for = {
                one["Name"]: one["Health"] or one["State"]
                for one in self._seen()
                if one["Service"] != INSTALL and one["Health"] != "healthy"
            }
            if not waited_for:
                return
            if time.monotonic() > deadline:
                raise ContainersUnwell(PROJECT, HEALTHY_SECONDS, waited_for)
            time.sleep(1)

    def _published(self, service: str, port: int) -> int:
        """The port of this machine that leads to the first container of a service that runs; while none does, one
        where nobody answers."""
        for one in self._seen():
            if one["Service"] == service and one["State"] == "running":
                for publisher in one["Publishers"] or []:
                    if publisher["TargetPort"] == port and publisher["PublishedPort"]:
                        return int(publisher["PublishedPort"])
        return NOBODY

    def _seen(self, within: float = SEEN_AGAIN_SECONDS) -> list[dict[str, Any]]:
        """Every container of the project, as it was within so many seconds."""
        at, found = self._last_seen
        if time.monotonic() - at >= within:
            said = self._compose("ps", "--all", "--format=json")
            found = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
            self._last_seen = (time.monotonic(), found)
        return found

    def _compose(self, *arguments: str) -> str:
        files = [f"--file={ROOT / name}" for name in self.files]
        project = (f"--project-name={PROJECT}", f"--project-directory={ROOT}", *files)
        told = {"RELANCE_CREDENTIALS": str(self.credentials.folder)}
        return docker("compose", *project, *arguments, environment=told)
