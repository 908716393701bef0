"""The mail campaign: many messages through a mail server that misbehaves, while the sender is killed.

A whole company's day is imported, decided and confirmed; its messages leave through ``cli.faults.unruly``. Each
time that a further share of them has arrived, notify gets a SIGKILL and is started again. A program that shares no
code with it then counts the mail server's own mailbox. At last every message in doubt is settled as a person would
who looks into that mailbox, and all is counted again: then each is there exactly once, but for those refused.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from chassis.server_process import free_port
from cli.books import FILE_NAME, write_fec
from cli.faults.patience import patiently
from cli.faults.unruly import JOURNAL, MAILBOX
from cli.main_job import import_file
from cli.places import ROOT
from cli.processes import Child, ChildFailed
from cli.road import Json, Road, RoadBlocked, email_actions
from cli.stack import Report
from cli.trial import Trial

COMPANY = "faults"
DAY = date(2026, 12, 20)
CONNECTIONS = 4
ENTRIES_PER_CLIENT = 6
CLIENTS_PER_MAIL = 1.7
CONFIRMED_AT_ONCE = 2000
READY_SECONDS = 15.0
PATIENCE_SECONDS = 1800.0
COUNTER = Path(__file__).with_name("count_mails.py")


class TooFewMessages(Exception):
    """The book asks for fewer messages than were wanted."""

    def __init__(self, wanted: int, found: int) -> None:
        super().__init__(f"{wanted} messages were wanted, and the book asks for {found}")


def mail_campaign(kills: int, mails: int, seed: int, report: Report) -> Json:
    """``ok`` is false when a message came twice, is missing unnamed, or more are in doubt than may be."""
    with tempfile.TemporaryDirectory(prefix="relance-mail-") as name:
        folder = Path(name)
        with _Unruly(folder / "unruly", seed) as server, _trial(folder, server.port) as trial:
            campaign = _Campaign(trial, server, folder, report)
            campaign.confirm(mails)
            done = campaign.kill_while_sending(kills)
            told = campaign.wait_for_the_end()
            first = campaign.count(told, CONNECTIONS * done)
            report(f"{first['received']} received, {first['in_doubt']} in doubt")
            server.behave()
            resolved = campaign.resolve(told)
            last = campaign.count(campaign.wait_for_the_end(settled=True), 0)
    return {
        "ok": not first["wrong"] and not last["wrong"] and not last["in_doubt"],
        "kills": done,
        "connections": CONNECTIONS,
        **first,
        "resolved": resolved,
        "after_resolving": last,
    }


class _Unruly:
    """The mail server as a process of its own."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.port = free_port()
        command = ["-P", "-m", "cli.faults.unruly", "--port", f"{self.port}", "--store", f"{folder}"]
        self._child = Child(
            "unruly",
            [sys.executable, *command, "--seed", f"{seed}"],
            env={"PYTHONPATH": str(ROOT)},
            log=folder.with_suffix(".log"),
        )

    def __enter__(self) -> _Unruly:
        self._child.start()
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or not self._child.is_running():
                raise ChildFailed("unruly", self._child.log, "did not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._child.ask_to_stop()
        self._child.wait_stopped()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def behave(self) -> None:
        """From now on it does what it should."""
        assert self._child.pid is not None
        os.kill(self._child.pid, signal.SIGUSR1)

    def kept(self) -> set[str]:
        """The names of the files in its mailbox."""
        return set(os.listdir(self.folder / MAILBOX / "new"))


class _Campaign:
    """One day of one company."""

    def __init__(self, trial: Trial, server: _Unruly, folder: Path, report: Report) -> None:
        self.trial = trial
        self.server = server
        self.folder = folder
        self.report = report
        self.asked: list[str] = []

    def confirm(self, mails: int) -> None:
        """Import a book that asks for so many messages, decide, and confirm them. Raises ``TooFewMessages``."""
        clients = int(mails * CLIENTS_PER_MAIL)
        file = self.folder / FILE_NAME
        write_fec(file, clients * ENTRIES_PER_CLIENT, clients=clients)
        road = self.trial.road(COMPANY, DAY)
        road.register("Faults")
        imported = import_file(road, file, "example.org")
        road.round(DAY, imported["positions"])
        ids = email_actions(road.tasks(DAY))
        if len(ids) < mails:
            raise TooFewMessages(mails, len(ids))
        self.asked = ids[:mails]
        for start in range(0, mails, CONFIRMED_AT_ONCE):
            road.confirm(self.asked[start : start + CONFIRMED_AT_ONCE], DAY)
        road.close()
        self.report(f"{mails} messages confirmed")

    def kill_while_sending(self, kills: int) -> int:
        """SIGKILL to notify each time that a further share of the messages has arrived; how often."""
        done = 0
        deadline = time.monotonic() + PATIENCE_SECONDS
        while done < kills:
            arrived = len(self.server.kept())
            if arrived >= len(self.asked) * (done + 1) / (kills + 2):
                self.trial.stack.children["notify"].kill()
                done += 1
                self.report(f"kill {done} after {arrived} messages")
            self.trial.stack.mend()
            if time.monotonic() > deadline:
                raise RoadBlocked(f"only {arrived} messages arrived within {PATIENCE_SECONDS:.0f} s")
            time.sleep(0.02)
        return done

    def wait_for_the_end(self, *, settled: bool = False) -> Json:
        """What notify says once nothing waits or is under way; when ``settled``, nothing is in doubt either."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            told = self._patiently(lambda road: road.sending_of(self.asked))
            if told["finished"] and not (settled and told["in_doubt"]):
                return told
            if time.monotonic() > deadline:
                raise RoadBlocked(f"{told['waiting'] + told['sending']} messages did not end")
            self.trial.stack.mend()
            time.sleep(0.5)

    def resolve(self, told: Json) -> int:
        """Decide about every message in doubt by what lies in the mailbox; how many there were."""
        received = self._received()
        doubted = _named(told, "in_doubt")
        for action in doubted:
            decided = "sent" if action in received else "resend"
            self._patiently(lambda road, a=action, d=decided: road.resolve_doubt(a, d))  # type: ignore[misc]
        return len(doubted)

    def _received(self) -> set[str]:
        kept = self.server.folder / MAILBOX / "new"
        found = set()
        for name in self.server.kept():
            head = (kept / name).read_bytes().partition(b"\n\n")[0].decode("ascii", "replace")
            line = next(line for line in head.splitlines() if line.lower().startswith("message-id:"))
            found.add(line.partition("<")[2].partition("@")[0])
        return found

    def count(self, told: Json, most_in_doubt: int) -> Json:
        """What the counting program finds."""
        words = {"sent": told["sent"], "failed": _named(told, "failed"), "in_doubt": _named(told, "in_doubt")}
        for name, value in (("asked.json", self.asked), ("told.json", words)):
            (self.folder / name).write_text(json.dumps(value), encoding="utf-8")
        files = [self.server.folder / MAILBOX, self.server.folder / JOURNAL]
        files += [self.folder / "asked.json", self.folder / "told.json"]
        counted = subprocess.run(  # noqa: PLW1510 - a count that is wrong is told, not raised
            [sys.executable, "-I", "-S", str(COUNTER), *map(str, files), str(most_in_doubt)],
            capture_output=True,
            text=True,
        )
        found: Json = json.loads(counted.stdout)
        return found

    def _patiently(self, call: Callable[[Road], Json]) -> Json:
        return patiently(lambda: self.trial.road(COMPANY, DAY), call, PATIENCE_SECONDS)


def _named(told: Json, status: str) -> Sequence[str]:
    found = [one["action_id"] for one in told["troubles"] if one["status"] == status]
    if len(found) != told[status]:
        raise RoadBlocked(f"notify names {len(found)} of {told[status]} messages that are {status}")
    return found


def _trial(folder: Path, port: int) -> Trial:
    environment = {
        "notify": {
            "RELANCE_SMTP_PORT": f"{port}",
            "RELANCE_SMTP_CONNECTIONS": str(CONNECTIONS),
            "RELANCE_SMTP_TIMEOUT_SECONDS": "5",
            "RELANCE_SMTP_ANSWER_SECONDS": "5",
            "RELANCE_JOB_LEASE_SECONDS": "5",
            "RELANCE_RETRY_SECONDS": "0.5",
        }
    }
    return Trial(folder / "data", environment=environment)
