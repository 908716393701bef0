"""Some minutes of two companies at work, with a Prometheus that looks on, for the pictures of the dashboards."""

from __future__ import annotations

import tempfile
import time
from datetime import date
from pathlib import Path

import httpx

from chassis import clock
from cli.books import FILE_NAME, write_fec
from cli.observing.drawing import draw
from cli.observing.prometheus import Prometheus, places_of
from cli.road import Road, RoadBlocked, email_actions
from cli.stack import Report
from cli.trial import Trial

COMPANIES = {"delcourt": 180, "morel": 90}
"""Company and clients."""
CONFIRMED_AT_ONCE = 12
PAUSE_SECONDS = 3.0
AWAY_SECONDS = 12.0
MONEY_SECONDS = "5"


def watched_minutes(minutes: float, to: Path, report: Report) -> list[Path]:
    """Work for so long and draw what was seen. Raises ``PrometheusMissing``, ``BrowserMissing``."""
    day = clock.today("Europe/Paris")
    knobs = {"reporting": {"RELANCE_MONEY_EVERY": MONEY_SECONDS}}
    with (
        tempfile.TemporaryDirectory(prefix="relance-watched-") as name,
        Trial(Path(name) / "data", as_of=day, environment=knobs, report=report) as trial,
    ):
        stack = trial.stack
        places = places_of({service: stack.url(service) for service in stack.services})
        port = stack.embedded.port("prometheus")
        with Prometheus(Path(name) / "prometheus", port, places) as prometheus:
            began = clock.now().timestamp()
            report(f"working for {minutes:g} minutes")
            _work(trial, Path(name), day, began + 60 * minutes)
            return draw(prometheus, to, began, clock.now().timestamp())


def _work(trial: Trial, folder: Path, day: date, until: float) -> None:
    """Import, decide, send a few at a time; on the way a mail server that fails and one that is away."""
    turn = 0
    actions: dict[str, list[str]] = {}
    roads = {company: trial.road(company, day) for company in COMPANIES}
    while clock.now().timestamp() < until:
        for company, road in roads.items():
            if not actions.get(company):
                actions[company] = _decided(road, folder, day, turn)
            chosen, actions[company] = actions[company][:CONFIRMED_AT_ONCE], actions[company][CONFIRMED_AT_ONCE:]
            if chosen:
                road.confirm(chosen, day)
            turn += 1
            _disturb(trial, turn)
            time.sleep(PAUSE_SECONDS)
    for road in roads.values():
        road.close()


def _decided(road: Road, folder: Path, day: date, turn: int) -> list[str]:
    """A further book of the company, longer than the last, and the day's round over it."""
    clients = COMPANIES[road.company]
    file = folder / FILE_NAME
    write_fec(file, clients * (6 + turn), clients=clients, seed=len(road.company))
    road.register(road.company.capitalize())
    imported = road.import_file(file, email_domain="example.org")
    if imported["status"] != "completed":
        raise RoadBlocked(f"the import failed: {imported['errors'][:2]}")
    road.round(day, imported["positions"])
    return email_actions(road.tasks(day))


def _disturb(trial: Trial, turn: int) -> None:
    """Every so often something goes wrong, as it does."""
    behaviour: dict[str, object] = {}
    if turn % 6 == 2:
        behaviour = {"drop_next": 1}
    if turn % 6 == 4:
        behaviour = {"reject_next": 2, "reject_answer": "550 5.1.1 Unknown user"}
    if turn % 12 == 7:
        trial.sink.stop()
        time.sleep(AWAY_SECONDS)
        trial.sink.start()
    httpx.put(f"{trial.sink.url}/api/behaviour", json=behaviour, trust_env=False).raise_for_status()
