"""Where a company's days are lived, and what can be killed there."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import date
from typing import Protocol

from cli.places import SERVICES
from cli.road import Road
from cli.trial import Trial

_LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TARGETS = ("postgres", "nats", *SERVICES)
SMTP_CONNECTIONS = 4
"""Of one process of notify: so many messages are under way at most, and in doubt when the process is killed."""
LISTED_WITHIN_SECONDS = 60.0
ASKED_AGAIN_SECONDS = 0.5


class Mails(Protocol):
    """What arrived at the mail server."""

    def message_ids(self) -> list[str]: ...


class MailsByPage:
    """The mail server's own list, by its page; ``address`` is asked each time, since it may move.

    The mail server may be killed as well: it is asked again for a minute, then ``OSError`` is raised.
    """

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address

    def message_ids(self) -> list[str]:
        deadline = time.monotonic() + LISTED_WITHIN_SECONDS
        while True:
            try:
                with _LOCAL.open(f"{self._address()}/api/mails?limit=100000", timeout=60) as answer:
                    return [mail["message_id"] for mail in json.load(answer)["mails"]]
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(ASKED_AGAIN_SECONDS)


class Place(Protocol):
    """Servers, services and a mail server that run."""

    @property
    def dsn(self) -> str:
        """libpq's address of the superuser: to compare, never for the work."""

    @property
    def sink(self) -> Mails: ...

    def road(self, company: str, as_of: date | None = None) -> Road: ...


class Site(Place, Protocol):
    """A place where what runs can be killed."""

    @property
    def targets(self) -> Sequence[str]:
        """Whom a campaign kills, each at least once when it has so many kills."""

    def doubts(self, target: str) -> int:
        """How many messages a kill of that target can leave in doubt at most."""

    def kill(self, target: str) -> None:
        """SIGKILL to a server or a service."""

    def mend(self) -> None:
        """Start again what is dead, as a supervisor does."""


class Processes:
    """Everything as a process of this machine."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    @property
    def targets(self) -> Sequence[str]:
        return TARGETS

    def doubts(self, target: str) -> int:
        return SMTP_CONNECTIONS

    @property
    def dsn(self) -> str:
        return self.trial.dsn

    @property
    def sink(self) -> Mails:
        return self.trial.sink

    def road(self, company: str, as_of: date | None = None) -> Road:
        return self.trial.road(company, as_of)

    def kill(self, target: str) -> None:
        stack = self.trial.stack
        victims = {"postgres": stack.embedded.postgres, "nats": stack.embedded.nats}
        (victims.get(target) or stack.children[target]).kill()

    def mend(self) -> None:
        self.trial.stack.mend()
