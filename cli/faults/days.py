"""A company's days, lived patiently: what is called may be killed and started again at any moment."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from cli.books import FILE_NAME, write_fec
from cli.faults.patience import patiently
from cli.faults.rest import is_at_rest
from cli.faults.site import Place
from cli.road import Json, Road, RoadBlocked, email_actions
from cli.stack import Report

COMPANY = "faults"
DOMAIN = "example.org"
FIRST_DAY = date(2026, 6, 1)
DAYS_APART = 9
GROWTH = 300
PATIENCE_SECONDS = 240.0
FOLLOWED_SECONDS = 15.0
"""So long is one road followed: a container that was started again may be reached elsewhere."""

SNAPSHOTS = {
    "entries": "select client_id, entry_id, lettering, debit, credit, removed from ledger.entry"
    " where company = %s order by 1, 2",
    "entries of dunning": "select client_id, entry_id, lettering from dunning.entry"
    " where company = %s order by 1, 2",
    "levels": "select client_id, entry_id, level, reminded_on from dunning.entry_level"
    " where company = %s order by 1, 2",
    "actions": "select action_id, client_id, step, net_amount, status, ended_on, reason from dunning.action"
    " where company = %s order by 1",
}


@dataclass
class Outcome:
    """What a company's days came to."""

    days: int = 0
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    message_ids: list[str] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)
    in_doubt: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Confirmed messages that had not reached the mail server before doubts were resolved."""


class Days:
    """Lives a company's days somewhere."""

    def __init__(self, site: Place, entries: int, report: Report) -> None:
        self.site = site
        self.entries = entries
        self.report = report
        self.outcome = Outcome()

    def live(self, keep_going: Callable[[int], bool]) -> None:
        """Days, one after another, for as long as ``keep_going(days lived)``."""
        self._patiently(lambda road: road.register("Faults"), FIRST_DAY)
        while keep_going(self.outcome.days):
            day = FIRST_DAY + timedelta(days=self.outcome.days * DAYS_APART)
            self._day(day, self.entries + self.outcome.days * GROWTH)
            self.outcome.days += 1
            self.report(f"day {self.outcome.days} ({day}) lived")

    def finish(self) -> Outcome:
        """Wait until every service has heard everything, then read what there is."""
        self._settle()
        self.outcome.message_ids = sorted(self.site.sink.message_ids())
        with psycopg.connect(self.site.dsn) as connection:
            for name, query in SNAPSHOTS.items():
                self.outcome.rows[name] = connection.execute(query, (COMPANY,)).fetchall()
        return self.outcome

    def _day(self, day: date, entries: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / FILE_NAME
            write_fec(file, entries, clients=self.entries // 8)
            imported = self._import(file, day)
        self._patiently(lambda road: road.round(day, imported["positions"], FOLLOWED_SECONDS), day)
        ids = email_actions(self._patiently(lambda road: road.tasks(day), day))
        if ids:
            self._patiently(lambda road: road.confirm(ids, day), day)
            self.outcome.confirmed.update(ids)
            self._see_sent(ids, day)
        self._settle()

    def _import(self, file: Path, day: date) -> Json:
        """Import once: when the answer was lost, the run that was taken in is followed, not asked for again."""
        known = len(self._patiently(lambda road: road.imports(), day)["runs"])

        def once(road: Road) -> Json:
            runs = road.imports()["runs"]
            if len(runs) > known:
                return road.follow_import(runs[0]["run_id"], FOLLOWED_SECONDS)
            return road.import_file(file, email_domain=DOMAIN, within=FOLLOWED_SECONDS)

        imported = self._patiently(once, day)
        if imported["status"] != "completed":
            raise RoadBlocked(f"the import of {day} failed: {imported['errors'][:2]}")
        return imported

    def _see_sent(self, ids: list[str], day: date) -> None:
        """Wait for every message's end; doubts are noted, then resolved by what the mail server holds."""
        ended = self._wait_sent(ids, day, lambda told: told["total"] == len(ids) and told["finished"])
        received = self.site.sink.message_ids()
        self.outcome.missing += [action for action in ids if not any(action in known for known in received)]
        for trouble in ended["troubles"]:
            if trouble["status"] == "in_doubt":
                action = trouble["action_id"]
                self.outcome.in_doubt.append(action)
                decided = "sent" if any(action in known for known in received) else "resend"
                self._patiently(lambda road, a=action, d=decided: road.resolve_doubt(a, d), day)  # type: ignore[misc]
        self._wait_sent(ids, day, lambda told: told["finished"] and not told["in_doubt"])

    def _wait_sent(self, ids: list[str], day: date, ended: Callable[[Json], bool]) -> Json:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            told = self._patiently(lambda road: road.sending_of(ids), day)
            if ended(told):
                return told
            if time.monotonic() > deadline:
                raise RoadBlocked(f"messages of {day} did not end: {told}")
            time.sleep(0.2)

    def _settle(self) -> None:
        """Until everything said is heard and everything asked for is done."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_at_rest(self.site.dsn):
            if time.monotonic() > deadline:
                raise RoadBlocked("the services did not come to rest")
            time.sleep(0.2)

    def _patiently(self, call: Callable[[Road], Json], day: date) -> Json:
        return patiently(lambda: self.site.road(COMPANY, day), call, PATIENCE_SECONDS)
