"""One sync of a live base: what it delivers is compared with what it delivered last, and only changes are said.

The delivery is whole before anything is looked at: read by sync itself into a file, or pushed by an agent. Then
everything it changes is one transaction: rows, events, the mark up to which the base was read, the end of the run.
A delivery that contradicts the base's own totals is followed by a more thorough one, never half believed.
"""

import asyncio
import logging
import tempfile
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import driver, transaction
from chassis.jobs import Job
from chassis.running import Running
from services.sync import connecting, delivered, keyed, keyed_people, runs
from services.sync.attempts import Attempting, NotItsTurn, Refused, cause_of, refused
from services.sync.changes import Connection
from services.sync.connecting import QUEUE, Connector
from services.sync.connectors.live import OpenSource, SourceTrouble
from services.sync.delivered import Delivered, Taking
from services.sync.domain.problems import Problem, Verdict
from services.sync.domain.records import Assignment, Mode
from services.sync.imports import PROGRESS_SECONDS
from services.sync.runs import Run
from services.sync.telling import Changed, tell

ATTEMPTS_TO_AGREE = 4
"""Readings of one run, each more thorough, before the source is found to contradict itself."""

__all__ = ["QUEUE", "Incrementer"]

log = logging.getLogger(__name__)


@dataclass
class Doubt(Exception):
    """The base counts otherwise than sync now would: read once more, in this mode."""

    mode: Mode
    wanted: list[str]


@dataclass(frozen=True)
class Held:
    """What sync holds of a source once it took a delivery in. ``wanted`` are keys that the source lists and sync
    lacks; ``changed`` and ``archived`` count entries, ``clients`` those that changed."""

    entries: keyed.Held
    people: keyed_people.Held
    wanted: list[str]
    changed: int
    archived: int
    clients: int


class Incrementer(Attempting):
    """Carries out the jobs of the increment queue."""

    def __init__(
        self,
        running: Running,
        kinds: Mapping[str, OpenSource],
        addresses: Mapping[str, str],
        people_per_call: int,
        patience: float,
    ) -> None:
        super().__init__(running, people_per_call)
        self._kinds = kinds
        self._addresses = addresses
        self._patience = patience

    async def _import(self, run: Run, job: Job) -> None:
        async with transaction(self._running.engine) as tx:
            connector = await connecting.find(tx, run.company, job.payload["connector"])
        if connector.place == "agent":
            async with runs.uploaded(self._running.engine, run) as path:
                await self._apply(run, job, connector, path)
            return
        async with transaction(self._running.engine) as tx:
            # looked at before the base is read as well: reading is what takes long
            if await runs.has_earlier(await driver(tx), run):
                raise NotItsTurn
        mode = connector.next_mode(job.payload["mode"], clock.now())
        for attempt in range(ATTEMPTS_TO_AGREE):
            try:
                assignment = connector.assignment(mode, run.accounts, run.currency, run.journals)
                async with self._read(run, connector, assignment) as path:
                    may_doubt = attempt + 1 < ATTEMPTS_TO_AGREE
                    await self._apply(run, job, connector, path, may_doubt=may_doubt)
            except Doubt as doubt:
                log.info("source read once more", extra={"run_id": str(run.run_id), "mode": doubt.mode})
                mode, connector = doubt.mode, replace(connector, wanted=doubt.wanted)
            else:
                return

    @asynccontextmanager
    async def _read(self, run: Run, connector: Connector, assignment: Assignment) -> AsyncIterator[Path]:
        """The delivery of a base that sync reads itself, in a file for as long as the block lasts."""
        with tempfile.TemporaryDirectory(prefix="relance-read-") as folder:
            path = Path(folder) / "delivery"
            reading = _Reading(self._kinds[connector.kind], self._address(connector), assignment, path)
            task = asyncio.create_task(asyncio.to_thread(reading.run))
            heard, heard_at = 0, monotonic()
            try:
                while not (await asyncio.wait({task}, timeout=PROGRESS_SECONDS))[0]:
                    await self._show(run, "reading", reading.lines)
                    if reading.lines != heard:
                        heard, heard_at = reading.lines, monotonic()
                    elif monotonic() - heard_at > self._patience:
                        raise refused("source_slow", line=0, seconds=f"{self._patience:.0f}", lines=f"{heard}")
                await task
            except SourceTrouble as trouble:
                raise refused(trouble.code, line=0, **trouble.details) from trouble
            finally:
                reading.stop.set()
            yield path

    def _address(self, connector: Connector) -> str:
        address = self._addresses.get(f"{connector.company}/{connector.name}")
        if not address:
            raise refused("address_missing", line=0, connector=f"{connector.company}/{connector.name}")
        return address

    async def _apply(
        self, run: Run, job: Job, connector: Connector, path: Path, *, may_doubt: bool = False
    ) -> None:
        """Raises ``Doubt`` when it may, ``Refused`` when nothing can be believed."""
        began = monotonic()
        async with transaction(self._running.engine) as tx:
            connection = await self._ensure_turn(tx, run)
            taking = Taking(connection, run.company, connector.source, run.term_days)
            found = await taking.read(path, lambda lines: self._show(run, "comparing", lines))
            await _refuse_the_unsound(connection, connector, found)
            held = await _remember(connection, run, connector, found)
            due = _doubt(found, held, were_asked=bool(connector.wanted))
            assert found.end is not None
            if due and found.end.mode == "full":
                raise refused("totals_differ", line=0, **_both(found, held))
            if due and may_doubt:
                raise Doubt(due, held.wanted)
            positions = await self._tell(tx, connection, run, connector, found, held)
            if due:
                found.warnings.append(Problem(0, "", "another_look_needed", _both(found, held)))
            await connecting.read_whole(
                connection, connector, found.end.cursor, checked=_complete(found), due=due, wanted=held.wanted
            )
            follow_up = None
            if due:
                say = self._running.say(tx)
                follow_up, _ = await connecting.open_sync(tx, say, connector, due, run.as_of, cause_of(run))
            result = {
                **_result(found, held),
                "positions": positions,
                "follow_up": str(follow_up) if follow_up else None,
                "seconds": round(monotonic() - began, 3),
            }
            await runs.end(
                tx,
                run,
                "completed",
                source=connector.source,
                lines_read=found.lines,
                result=result,
                warnings=found.warnings,
            )
            await job.done(tx)

    async def _tell(  # noqa: PLR0913, PLR0917 what there is to tell of
        self,
        tx: AsyncConnection,
        connection: Connection,
        run: Run,
        connector: Connector,
        found: Delivered,
        held: Held,
    ) -> dict[str, dict[int, int]]:
        """People to ledger first, then what changed is said; answers the positions to wait for."""
        await self._show(run, "handing people to ledger", found.lines)
        heads = await keyed_people.hand_over(connection, self._handing(run, connector.source))
        await self._show(run, "recording", found.lines)
        changed = Changed(
            source=connector.source,
            read=found.entries,
            changed=held.changed,
            archived=held.archived,
            heads=heads,
            client_partitions=await keyed_people.partitions(connection),
            clients=keyed_people.events(connection),
            entry_partitions=await keyed.partitions(connection),
            entries=keyed.EVENTS,
        )
        return await tell(self._running, tx, run, changed)


@dataclass
class _Reading:
    """A base being read in a thread of its own."""

    open: OpenSource
    address: str
    assignment: Assignment
    path: Path
    lines: int = 0

    def __post_init__(self) -> None:
        self.stop = threading.Event()

    def run(self) -> None:
        """Raises ``SourceTrouble``."""
        with self.path.open("wb") as file, self.open(self.address, self.assignment.options) as source:
            for line in delivered.lines(source.records(self.assignment)):
                if self.stop.is_set():
                    return
                file.write(line)
                self.lines += 1


def _complete(found: Delivered) -> bool:
    """The delivery tells of everything that the base holds, by key at least."""
    assert found.end is not None
    return found.end.mode != "incremental"


async def _remember(connection: Connection, run: Run, connector: Connector, found: Delivered) -> Held:
    """Take the delivery for what is known of the source from now on; answers what that comes to."""
    where = (connection, run.company, connector.source)
    complete = _complete(found)
    changed, archived = await keyed.compare(*where, complete=complete)
    clients = await keyed_people.compare(*where, complete=complete)
    await keyed.remember(*where)
    await keyed_people.remember(*where)
    return Held(
        entries=await keyed.held(*where),
        people=await keyed_people.held(*where),
        wanted=await keyed.unknown(*where) if complete else [],
        changed=changed,
        archived=archived,
        clients=clients,
    )


def _result(found: Delivered, held: Held) -> dict[str, object]:
    """What people read of the run."""
    assert found.end is not None
    return {
        "read": found.lines,
        "mode": found.end.mode,
        "receivable_lines": held.entries.entries,
        "clients": held.people.clients,
        "clients_changed": held.clients,
        "open_entries": held.entries.open_entries,
        "open_balance": f"{held.entries.open_balance:.2f}",
        "changed": held.changed,
        "archived": held.archived,
    }


async def _refuse_the_unsound(connection: Connection, connector: Connector, found: Delivered) -> None:
    """A delivery that is cut, unreadable or at odds with itself changes nothing."""
    errors = list(found.errors)
    for code, twice in (
        ("key_twice", await keyed.twice(connection)),
        ("client_twice", await keyed_people.twice(connection)),
    ):
        errors += [Problem(later, "", code, {"key": key, "first": f"{first}"}) for key, first, later in twice]
    if not errors:
        errors += await _at_odds(connection, connector, found)
    if errors:
        raise Refused(errors[0].code, Verdict(tuple(errors), tuple(found.warnings), {}), found.lines)


async def _at_odds(connection: Connection, connector: Connector, found: Delivered) -> list[Problem]:
    """What a complete delivery lacks of what the source itself counts."""
    assert found.end is not None
    totals, mode = found.totals, found.end.mode
    if mode == "incremental":
        return []
    if totals is None or not (found.has_keys or totals.entries == 0):
        return [Problem(0, "", "delivery_incomplete", {"told": "keys and totals", "read": "none"})]
    problem = None
    keys = await keyed.listed(connection)
    if keys != totals.entries:
        problem = Problem(0, "", "keys_incomplete", {"told": f"{totals.entries}", "read": f"{keys}"})
    elif found.clients < totals.clients:
        problem = Problem(0, "", "clients_incomplete", {"told": f"{totals.clients}", "read": f"{found.clients}"})
    elif mode == "full" and (lacking := await keyed.undelivered(connection)):
        problem = Problem(0, "", "rows_lacking", {"lacking": f"{lacking}", "told": f"{totals.entries}"})
    elif totals.entries == 0 and (await keyed.held(connection, connector.company, connector.source)).entries:
        problem = Problem(0, "", "source_empty", {})
    return [problem] if problem else []


def _doubt(found: Delivered, held: Held, *, were_asked: bool) -> Mode | None:
    """What must be read next when the source's totals are not those of what sync would hold now. Keys that sync
    lacks are asked for once; a source that does not bring them is read whole."""
    assert found.end is not None
    totals = found.totals
    agrees = totals is None or (
        (totals.entries, totals.balance, totals.clients, totals.contacts)
        == (held.entries.entries, held.entries.balance, held.people.clients, held.people.contacts)
    )
    if agrees and not held.wanted:
        return None
    if found.end.mode == "incremental" or (0 < len(held.wanted) < keyed.WANTED_AT_MOST and not were_asked):
        return "check"
    return "full"


def _both(found: Delivered, held: Held) -> dict[str, str]:
    totals = found.totals
    assert totals is not None
    return {
        "told_entries": f"{totals.entries}",
        "entries": f"{held.entries.entries}",
        "told_balance": f"{totals.balance:.2f}",
        "balance": f"{held.entries.balance:.2f}",
        "told_clients": f"{totals.clients}",
        "clients": f"{held.people.clients}",
    }
