"""``python -m cli.cluster.inside``: a company's days, lived from a pod beside the services.

One JSON object a line on standard output: how far the work has come, what is told, at last the outcome. The days
go on until a line comes on standard input.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import urllib.request
from datetime import date
from http.client import HTTPException
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from cli.faults.days import Days
from cli.faults.outcomes import written
from cli.faults.rest import progress_of
from cli.faults.site import Mails, MailsByPage
from cli.places import default_data_dir, read_state
from cli.road import Addresses, Road

BEAT_SECONDS = 0.5
CALL_SECONDS = 0.1
LONGEST_CALL_SECONDS = 5.0
CALLED = ("sync", "ledger", "dunning", "notify")
_PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Neighbourhood:
    """The services, PostgreSQL and the mail server by their names in the cluster. Nothing is killed from here."""

    def __init__(self) -> None:
        self.dsn = Path(os.environ["RELANCE_DRILL_DATABASE_URL_FILE"]).read_text(encoding="utf-8").strip()
        self.dsn = self.dsn.replace("postgresql+psycopg://", "postgresql://", 1)
        self.sink: Mails = MailsByPage(lambda: os.environ["RELANCE_DRILL_MAILS_URL"])
        self._state = read_state(default_data_dir())

    @property
    def urls(self) -> dict[str, str]:
        return self._state.urls

    def road(self, company: str, as_of: date | None = None) -> Road:
        addresses = Addresses(**{name: self.urls[name] for name in Addresses.__annotations__})
        return Road(addresses, Path(self._state.private_key_file), company, as_of)


class Caller:
    """Calls the services by turns, each call by a connection of its own: a release must not be felt by callers."""

    def __init__(self, urls: dict[str, str]) -> None:
        self.calls = 0
        self.failed: list[str] = []
        self._urls = urls

    def call(self) -> None:
        """One call; a failure is noted with the second in which it happened."""
        service = CALLED[self.calls % len(CALLED)]
        self.calls += 1
        try:
            with _PLAIN.open(f"{self._urls[service]}/healthz", timeout=LONGEST_CALL_SECONDS) as answer:
                answer.read()
        except (OSError, HTTPException) as failure:
            self.failed.append(f"{service} at {time.strftime('%H:%M:%S')}: {failure}")


def owners(dsn: str) -> dict[str, int]:
    """Of each service that has several workers at times: how many hold partitions now."""
    held = " union all ".join(
        f"select '{name}', count(distinct owner) from {name}.partition_lease where until > now()"
        for name in ("ledger", "dunning", "notify", "reporting")
    )
    with psycopg.connect(dsn, connect_timeout=5) as connection:
        return dict(connection.execute(held.encode()).fetchall())


def main(
    entries: Annotated[int, typer.Option(help="Customer entries of the first day.")] = 2000,
    least_days: Annotated[int, typer.Option(help="Days lived at least.")] = 2,
) -> None:
    """Live days until told that it is enough."""
    site = Neighbourhood()
    caller = Caller(site.urls)
    enough, ended = threading.Event(), threading.Event()
    holding: dict[str, int] = {}

    def listen() -> None:
        sys.stdin.readline()
        enough.set()

    def beat() -> None:
        while not ended.wait(BEAT_SECONDS):
            _say(progress=progress_of(site.dsn), calls=caller.calls, failed=len(caller.failed))
            try:
                for name, number in owners(site.dsn).items():
                    holding[name] = max(number, holding.get(name, 0))
            except psycopg.OperationalError as failure:
                _say(told=f"PostgreSQL is away: {failure}")

    def call() -> None:
        while not ended.wait(CALL_SECONDS):
            caller.call()

    for work in (listen, beat, call):
        threading.Thread(target=work, name=work.__name__, daemon=True).start()
    days = Days(site, entries, lambda sentence: _say(told=sentence))
    try:
        days.live(lambda lived: lived < least_days or not enough.is_set())
        outcome = days.finish()
    finally:
        ended.set()
    _say(
        outcome=written(outcome),
        calls=caller.calls,
        failed_calls=caller.failed,
        workers_at_once=holding,
    )


def _say(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    typer.run(main)
