"""Four disasters in the life of one company, each put right as its runbook says."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path

from chassis.embedded_config import NATS_ADMIN
from cli.drills.archive import Archive
from cli.faults.campaign import differences_of
from cli.faults.days import Days, Outcome
from cli.faults.rest import LISTENING, SPEAKING
from cli.faults.site import Processes
from cli.refilling import HistoryDivided, ServicesRun, refill
from cli.road import Json
from cli.stack import Report
from cli.trial import Trial
from contracts.subjects import SPEAKERS

REFUSAL_SECONDS = 60.0
RUNBOOK = "docs/runbooks/relay-refuses.md"


class NotRefused(Exception):
    """A service publishes although its stream knows more than its log."""


def rehearse(entries: int, report: Report) -> Json:
    """Live a company's days through every disaster; ``ok`` is false when anything ends otherwise than it must.

    ``drills`` holds what was seen of each: ``store-deleted``, ``store-rolled-back``, ``stream-ahead``,
    ``point-in-time``.
    """
    with tempfile.TemporaryDirectory(prefix="relance-drills-") as folder, Trial(Path(folder)) as trial:
        drills = Rehearsal(trial, entries, report).go()
    return {"ok": all(not drill["differences"] for drill in drills.values()), "drills": drills}


class Rehearsal:
    """One trial, in which disaster follows upon disaster."""

    def __init__(self, trial: Trial, entries: int, report: Report) -> None:
        self.trial = trial
        self.stack = trial.stack
        self.days = Days(Processes(trial), entries, report)
        self.report = report
        self.archive = Archive(trial.stack.embedded)
        self.store = trial.stack.data_dir / "nats" / "jetstream"
        self.dsn = trial.dsn
        self.nats_url = trial.stack.embedded.nats_url(NATS_ADMIN)

    def go(self) -> dict[str, Json]:
        self._live_until(1)
        drills = {"store-deleted": self._timed(self._store_deleted)}
        drills["store-rolled-back"] = self._timed(self._store_rolled_back)
        self.report("PostgreSQL: a base backup, and every segment archived from here")
        self.archive.begin()
        self.archive.take()
        drills |= self._point_in_time()
        return drills

    # the disasters

    def _store_deleted(self) -> Json:
        """docs/runbooks/stream-lost-or-short.md: the streams are made again, the relays fill them."""
        before = self._seen()
        self.stack.embedded.nats.kill()
        shutil.rmtree(self.store)
        self.stack.embedded.nats.start()
        made = self.stack.provision()
        return {"streams": sorted(made), "differences": self._since(before, replays=False)}

    def _store_rolled_back(self) -> Json:
        """The same runbook: nothing is to be done, the numbers remove what is known and fetch what is missing."""
        copy = self.store.with_name("jetstream-of-yesterday")
        self.stack.embedded.nats.stop()
        shutil.copytree(self.store, copy)
        self.stack.embedded.nats.start()
        self._live_until(2)
        before = self._seen()
        self.stack.embedded.nats.kill()
        shutil.rmtree(self.store)
        copy.rename(self.store)
        self.stack.embedded.give_all(self.store)
        self.stack.embedded.nats.start()
        return {"differences": self._since(before)}

    def _point_in_time(self) -> dict[str, Json]:
        """docs/runbooks/relay-refuses.md: PostgreSQL goes back, its streams know too much, and are refilled."""
        began = time.monotonic()
        self._live_until(3)
        before = self._seen()
        instant = self.archive.instant()
        self._live_until(4)
        after = self._seen()
        self.archive.close_segment()
        self.report(f"PostgreSQL is lost, and restored as of {instant:%H:%M:%S.%f}")
        self.stack.stop_services()
        self._go_back(instant)
        ahead = self._stream_ahead()
        self.report("PostgreSQL is restored once more, nothing being started before the streams are refilled")
        self._go_back(instant)
        self.report("streams are refilled from the restored logs")
        lost = StringIO()
        refilled = refill(self.dsn, self.nats_url, SPEAKERS, lost)
        self.stack.start_services()
        self.stack.wait_ready()
        differences = self._since(before, mails=False, replays=False)
        self.report("the lost day is lived again")
        self.days.outcome.days -= 1
        self._live_until(4)
        differences += self._since(after, mails=False)
        sent = _sent_in(lost.getvalue())
        mails = self.days.finish().message_ids
        twice = sorted({one for one in mails if mails.count(one) > 1})
        differences += [
            f"message twice and not named: {one}" for one in twice if not any(action in one for action in sent)
        ]
        told: Json = {
            "instant": instant.isoformat(),
            "events_only_streams_knew": sum(one.lost for one in refilled),
            "messages_named_as_sent": len(sent),
            "messages_sent_again": len(twice),
            "differences": differences,
            "seconds": round(time.monotonic() - began, 1),
        }
        return {"stream-ahead": ahead, "point-in-time": told}

    def _stream_ahead(self) -> Json:
        """Services that are started too early: the relays publish nothing, and say why and what to read; refilling
        refuses beside them, and after them, since some have heard what no log holds."""
        began = time.monotonic()
        self.stack.start_services()
        refusing = self._refusing()
        refusals = [self._refill_refuses(ServicesRun)]
        self.stack.stop_services()
        refusals.append(self._refill_refuses(HistoryDivided))
        return {
            "refused": refusing,
            "differences": [refusal for refusal in refusals if refusal],
            "seconds": round(time.monotonic() - began, 1),
        }

    def _refill_refuses(self, because: type[Exception]) -> str:
        """What is wrong if it does not."""
        try:
            refill(self.dsn, self.nats_url, SPEAKERS, StringIO())
        except because:
            return ""
        return f"streams were refilled in spite of {because.__name__}"

    def _go_back(self, instant: datetime) -> None:
        self.stack.embedded.postgres.stop()
        self.archive.go_back(instant)
        self.stack.embedded.postgres.start()

    def _refusing(self) -> list[str]:
        """The services that refuse, once each whose stream is ahead does. Raises ``NotRefused``."""
        deadline = time.monotonic() + REFUSAL_SECONDS
        # a day says something in each of them
        waiting = set(SPEAKING)
        while waiting:
            for name in sorted(waiting):
                said = self.stack.children[name].readiness(self.stack.url(name)) or ""
                if "relay refuses" in said and RUNBOOK in said:
                    waiting.discard(name)
            if time.monotonic() > deadline:
                raise NotRefused(f"{sorted(waiting)} do not refuse, or do not name {RUNBOOK}")
            time.sleep(0.1)
        return sorted(SPEAKING)

    # what is compared

    def _live_until(self, days: int) -> None:
        self.days.live(lambda lived: lived < days)

    def _seen(self) -> Outcome:
        """The books now, everything at rest."""
        outcome = self.days.finish()
        return Outcome(outcome.days, dict(outcome.rows), list(outcome.message_ids))

    def _since(self, before: Outcome, *, mails: bool = True, replays: bool = True) -> list[str]:
        """What differs from ``before``: books, mails, and each projection from what its events give."""
        now = self._seen()
        if not mails:
            now.message_ids = before.message_ids
        differences = differences_of(before, now)
        for service in LISTENING if replays else ():
            found = self.trial.replayed(service)
            if not found["equal"]:
                differences.append(f"{service} differs from its events in {found['differing_rows']} rows")
        return differences

    def _timed(self, drill: Callable[[], Json]) -> Json:
        self.report(drill.__name__.strip("_").replace("_", " "))
        began = time.monotonic()
        return drill() | {"seconds": round(time.monotonic() - began, 1)}


def _sent_in(lost: str) -> set[str]:
    """The actions whose messages had left, as events say that only streams knew."""
    events = [json.loads(line) for line in lost.splitlines()]
    return {event["data"]["action_id"] for event in events if event["type"] == "relance.notify.EmailSent.v1"}
