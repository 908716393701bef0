"""One base looked after: a sign of life every half minute, and a delivery whenever sync asks for one."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

import httpx

from services.sync import delivered
from services.sync.agent.configuration import BaseConfiguration, Configuration, ConfigurationRefused
from services.sync.agent.pushing import Pusher, SyncRefused, SyncUnreachable
from services.sync.connectors.live import OpenSource, SourceTrouble
from services.sync.domain.records import Assignment

PART_BYTES = 4 << 20
PARTS_AHEAD = 2
"""Parts read before the first of them has left: a slow line slows the reading down, and memory stays small."""
FIRST_PAUSE_SECONDS = 5.0

log = logging.getLogger(__name__)


class Agent:
    """Looks after one base until it is cancelled."""

    def __init__(
        self,
        configuration: Configuration,
        base: BaseConfiguration,
        kinds: Mapping[str, OpenSource],
        http: httpx.AsyncClient,
    ) -> None:
        self._base = base
        self._kinds = kinds
        self._pusher = Pusher(configuration, base, http)
        self._told = {"company": base.company, "connector": base.connector}
        self._delivering: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Trouble of one base is logged and tried again; it stops no other."""
        while True:
            pause = await self.beat()
            await asyncio.sleep(pause)

    async def beat(self) -> float:
        """One heartbeat; begins a delivery when one is asked for. Answers the seconds to the next."""
        is_busy = self._delivering is not None and not self._delivering.done()
        try:
            answer = await self._pusher.heartbeat(is_busy=is_busy)
        except (SyncRefused, SyncUnreachable, ConfigurationRefused) as trouble:
            log.warning("no heartbeat", extra={**self._told, "why": str(trouble)})
            return FIRST_PAUSE_SECONDS
        if answer["asked"] and not is_busy:
            self._delivering = asyncio.create_task(self.deliver(UUID(answer["asked"]["run_id"])))
        return float(answer["every_seconds"])

    async def deliver(self, run_id: UUID) -> None:
        """One delivery, pushed whole or abandoned with its reason."""
        try:
            began = await self._pusher.begin(run_id)
            delivery = began["delivery"]
            try:
                parts = await self._push(run_id, delivery, Assignment.model_validate(began["assignment"]))
            except SourceTrouble as trouble:
                log.warning("base cannot be read", extra={**self._told, "code": trouble.code})
                await self._pusher.abandon(run_id, delivery, trouble.code, dict(trouble.details))
                return
            except ConfigurationRefused as refused:
                log.warning("base cannot be read", extra={**self._told, "why": str(refused)})
                name = f"{self._base.company}/{self._base.connector}"
                await self._pusher.abandon(run_id, delivery, "address_missing", {"connector": name})
                return
            await self._pusher.end(run_id, delivery, parts)
            log.info("delivered", extra={**self._told, "run_id": str(run_id), "parts": parts})
        except (SyncRefused, SyncUnreachable, ConfigurationRefused) as trouble:
            # sync ends the run itself when nothing more comes
            log.warning("delivery given up", extra={**self._told, "run_id": str(run_id), "why": str(trouble)})

    async def _push(self, run_id: UUID, delivery: str, assignment: Assignment) -> int:
        """Read in a thread, push as parts are full; answers their number."""
        reading = _Reading(self._kinds[self._base.kind], self._base.address(), assignment)
        thread = asyncio.create_task(asyncio.to_thread(reading.run))
        parts = 0
        try:
            while (content := await asyncio.to_thread(reading.parts.get)) is not None:
                await self._pusher.part(run_id, delivery, parts, content)
                parts += 1
            await thread
        finally:
            reading.stop()
        return parts


class _Reading:
    """A base being read in a thread of its own; ``None`` in ``parts`` is the end of it, good or bad."""

    def __init__(self, open_source: OpenSource, address: str, assignment: Assignment) -> None:
        self._open = open_source
        self._address = address
        self._assignment = assignment
        self._stopped = threading.Event()
        self.parts: queue.Queue[bytes | None] = queue.Queue(PARTS_AHEAD)

    def stop(self) -> None:
        """Both threads are let go: the one that reads, and one that may wait for a part."""
        self._stopped.set()
        while not self.parts.empty():
            self.parts.get_nowait()
        self.parts.put_nowait(None)

    def run(self) -> None:
        """Raises ``SourceTrouble``."""
        try:
            with self._open(self._address, self._assignment.options) as source:
                for part in _in_parts(delivered.lines(source.records(self._assignment)), self._stopped.is_set):
                    self._put(part)
        finally:
            self._put(None)

    def _put(self, part: bytes | None) -> None:
        while not self._stopped.is_set():
            try:
                return self.parts.put(part, timeout=1)
            except queue.Full:
                continue


def _in_parts(lines: Iterator[bytes], is_stopped: Callable[[], bool]) -> Iterator[bytes]:
    waiting = bytearray()
    for line in lines:
        if is_stopped():
            return
        waiting += line
        if len(waiting) >= PART_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
