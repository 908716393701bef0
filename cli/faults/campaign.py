"""Live with kills, live again without, compare."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.faults.containers import Containers
from cli.faults.days import Days, Outcome
from cli.faults.kills import Kill, Killer
from cli.faults.site import SMTP_CONNECTIONS, Processes, Site
from cli.road import Json
from cli.stack import Report
from cli.trial import Trial

LEAST_DAYS = 2
DIFFERENCES_SHOWN = 5


def campaign(  # noqa: PLR0913 - the knobs of a campaign
    kills: int,
    entries: int,
    seed: int,
    report: Report,
    *,
    targets: Sequence[str] | None = None,
    containers: bool = False,
    tls: bool = False,
) -> Json:
    """``ok`` is false when anything differs from a run without kills, came twice, is missing unnamed, or when more
    messages are in doubt than the kills can explain. Whom it kills is the site's to say, or ``targets``.

    With ``containers`` what is killed are those of docker-compose.yml, with several replicas of dunning and
    notify, which with ``tls`` reach PostgreSQL and NATS by TLS alone; the run without kills is by processes.
    Raises what ``Containers`` raises.
    """
    with tempfile.TemporaryDirectory(prefix="relance-faults-") as folder:
        shaking = _containers(Path(folder), report, tls=tls) if containers else _processes(Path(folder) / "shaken")
        with shaking as site:
            shaken, done = _shaken(site, kills, entries, seed, report, targets or site.targets)
            explained = sum(site.doubts(kill.target) for kill in done)
        report(f"the same {shaken.days} days without kills")
        reference = calm_days(shaken.days, entries, report)
    found = compared(reference, shaken)
    return {
        **found,
        "ok": found["ok"] and found["in_doubt"] <= explained,
        "kills": len(done),
        "targets": sorted({kill.target for kill in done}),
    }


def calm_days(days: int, entries: int, report: Report) -> Outcome:
    """So many days by processes of this machine, which nobody kills."""
    with (
        tempfile.TemporaryDirectory(prefix="relance-calm-") as folder,
        _processes(Path(folder)) as site,
    ):
        calm = Days(site, entries, report)
        calm.live(lambda lived: lived < days)
        return calm.finish()


def compared(reference: Outcome, shaken: Outcome) -> Json:
    """Days to which something happened against the same days to which nothing did; ``ok`` is false when anything
    differs, came twice or is missing unnamed."""
    differences = differences_of(reference, shaken)
    twice = len(shaken.message_ids) - len(set(shaken.message_ids))
    unnamed = sorted(set(shaken.missing) - set(shaken.in_doubt))
    return {
        "ok": not differences and not twice and not unnamed,
        "days": shaken.days,
        "entries": len(shaken.rows["entries"]),
        "messages": len(shaken.message_ids),
        "twice": twice,
        "in_doubt": len(shaken.in_doubt),
        "missing_unnamed": unnamed,
        "differences": differences,
    }


def differences_of(reference: Outcome, shaken: Outcome) -> list[str]:
    """What differs, in words; the first few of each kind."""
    found = []
    for name, rows in reference.rows.items():
        missing, added = set(rows) - set(shaken.rows[name]), set(shaken.rows[name]) - set(rows)
        found += [f"{name}: missing {row}" for row in sorted(missing, key=str)[:DIFFERENCES_SHOWN]]
        found += [f"{name}: not expected {row}" for row in sorted(added, key=str)[:DIFFERENCES_SHOWN]]
    lost = set(reference.message_ids) - set(shaken.message_ids)
    more = set(shaken.message_ids) - set(reference.message_ids)
    found += [f"message lost: {message}" for message in sorted(lost)[:DIFFERENCES_SHOWN]]
    found += [f"message not expected: {message}" for message in sorted(more)[:DIFFERENCES_SHOWN]]
    return found


@contextmanager
def _containers(folder: Path, report: Report, *, tls: bool) -> Iterator[Site]:
    with Containers(folder, report, tls=tls) as site:
        yield site


@contextmanager
def _processes(folder: Path) -> Iterator[Site]:
    environment = {
        "notify": {
            "RELANCE_SMTP_CONNECTIONS": str(SMTP_CONNECTIONS),
            "RELANCE_JOB_LEASE_SECONDS": "5",
            "RELANCE_RETRY_SECONDS": "1",
        }
    }
    with Trial(folder, environment=environment) as trial:
        yield Processes(trial)


def _shaken(  # noqa: PLR0913, PLR0917 - the knobs of a campaign
    site: Site, kills: int, entries: int, seed: int, report: Report, targets: Sequence[str]
) -> tuple[Outcome, list[Kill]]:
    """The days with kills: they are lived in a thread, the killer works in the main one."""
    stop = threading.Event()
    failure: list[BaseException] = []
    shaken = Days(site, entries, report)
    killer = Killer(site, kills, seed, report, targets)

    def live() -> None:
        try:
            shaken.live(lambda days: len(killer.done) < kills or days < LEAST_DAYS)
            shaken.finish()
        except BaseException as trouble:  # noqa: BLE001 - the main thread raises it
            failure.append(trouble)
        finally:
            stop.set()

    living = threading.Thread(target=live, name="days", daemon=True)
    living.start()
    killer.go_on_until(stop)
    living.join()
    if failure:
        raise failure[0]
    return shaken.outcome, killer.done
