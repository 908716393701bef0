"""The main job as one trace: a file imported, a round decided, mails sent, every service exporting its spans."""

from __future__ import annotations

import secrets
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chassis import clock
from cli.main_job import run_on
from cli.road import Json
from cli.tracing.collector import Collector, Span
from cli.trial import Trial

EXPORT_SECONDS = 1
QUIET_SECONDS = 3.0
"""So long after the last span nothing more is expected."""
LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Story:
    """What was done, and the spans of its trace."""

    done: Json
    spans: list[Span]


def traced_run(file: Path, company: str, as_of: date, email_domain: str | None) -> Story:
    """Import, round, confirm, send on servers of its own. Raises what ``cli.main_job.run_on`` raises."""
    trace, root = secrets.token_hex(16), secrets.token_hex(8)
    collector = Collector()
    environment = {
        "": {"RELANCE_OTLP_ENDPOINT": collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY": str(EXPORT_SECONDS * 1000)}
    }
    try:
        with (
            tempfile.TemporaryDirectory(prefix="relance-trace-") as folder,
            Trial(Path(folder), as_of=as_of, environment=environment) as trial,
        ):
            trial.traceparent = f"00-{trace}-{root}-01"
            began = _now()
            done = run_on(trial, file, company, as_of, email_domain)
            whole = Span(trace, root, "", "caller", f"the main job of {company}", "client", began, _now())
            _wait_for_silence(collector, trace)
        return Story(done, [whole, *collector.of_trace(trace)])
    finally:
        collector.close()


def _now() -> int:
    return int(clock.now().timestamp() * 1e9)


def _wait_for_silence(collector: Collector, trace: str) -> None:
    """Spans are exported from time to time, and reporting hears the end of the story last."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    known, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS and time.monotonic() < deadline:
        count = len(collector.of_trace(trace))
        if count != known:
            known, since = count, time.monotonic()
        time.sleep(0.1)
