"""Connectors that fall silent and deliveries that stop half way: noticed, said once, ended with a reason."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import transaction
from chassis.eventlog import Cause, Position, Said, Say
from chassis.running import Running
from chassis.service import Today
from contracts.sync import ConnectorSilent, SyncFailed
from services.sync import connecting, runs
from services.sync.connecting import Connector
from services.sync.connectors.live import OpenSource, SourceTrouble
from services.sync.domain.problems import Problem
from services.sync.runs import Run
from services.sync.settings import SyncSettings

ACTOR = "service:sync"
PROBE_SECONDS = 5.0

MARK_SILENT = text(
    "update connector set silence_said_at = now()"
    " where company = :company and name = :name and silence_said_at is null"
    " and seen_at is not distinct from :seen_at returning seen_at"
)

STALLED = text(
    "select company, run_id from run where status = 'running' and connector_name is not null"
    " and stage in ('asked', 'receiving') and active_at < now() - make_interval(secs => :patience)"
    " order by active_at limit 20"
)

log = logging.getLogger(__name__)


async def say_silent(process: Running, connector: Connector, as_of: date) -> None:
    """Say that a connector is silent, once for each silence, whatever becomes of the request that found it so."""
    async with transaction(process.engine) as tx:
        row = await tx.execute(
            MARK_SILENT,
            {"company": connector.company, "name": connector.name, "seen_at": connector.seen_at},
        )
        if row.one_or_none() is None:
            return
        silent = ConnectorSilent(connector=connector.name, last_seen_at=connector.seen_at)
        await process.say(tx)(connector.company, [Said(silent)], as_of=as_of, cause=Cause.new(ACTOR))


async def give_up(tx: AsyncConnection, say: Say, run: Run, problem: Problem) -> list[Position]:
    """End a run that has no job: nothing of it was applied."""
    await runs.end(tx, run, "failed", result={"reason": problem.code}, errors=[problem])
    failed = SyncFailed(run_id=run.run_id, connector=run.connector, source=run.file[:200], reason=problem.code)
    return await say(run.company, [Said(failed)], as_of=run.as_of, cause=Cause(run.actor, run.correlation_id))


class Watch:
    """Looks after connectors for as long as the process lives."""

    def __init__(
        self,
        process: Running,
        settings: SyncSettings,
        kinds: Mapping[str, OpenSource],
        today: Today,
    ) -> None:
        self._process = process
        self._settings = settings
        self._kinds = kinds
        self._today = today
        self._probes: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._settings.heartbeat_seconds)

    async def look(self) -> None:
        """One round: bases that sync reads itself are asked for a sign of life, then the silent are told of."""
        async with transaction(self._process.engine) as tx:
            known = await connecting.listed(tx)
        for one in known:
            probe = self._probes.get((one.company, one.name))
            if one.place == "sync" and (probe is None or probe.done()):
                self._probes[one.company, one.name] = asyncio.create_task(self._probe(one))
        if self._probes:
            # a base that takes long to answer holds nobody else up
            await asyncio.wait(self._probes.values(), timeout=PROBE_SECONDS)
        await self._tell_the_silent()
        await self._end_the_stalled()

    async def _probe(self, connector: Connector) -> None:
        address = self._settings.source_addresses.get(f"{connector.company}/{connector.name}")
        if not address:
            return  # a sync says so with its remedy; until then this connector counts as silent
        try:
            await asyncio.to_thread(self._touch, connector, address)
        except (SourceTrouble, OSError, ValueError, LookupError) as trouble:
            told = {"company": connector.company, "connector": connector.name}
            code = trouble.code if isinstance(trouble, SourceTrouble) else type(trouble).__name__
            log.warning("source gives no sign of life", extra={**told, "code": code})
            return
        async with transaction(self._process.engine) as tx:
            await connecting.seen(tx, connector.company, connector.name)

    def _touch(self, connector: Connector, address: str) -> None:
        with self._kinds[connector.kind](address, connector.options) as source:
            source.probe()

    async def _tell_the_silent(self) -> None:
        after = timedelta(seconds=self._settings.connector_silent_after_seconds)
        async with transaction(self._process.engine) as tx:
            silent = [
                (one, await self._today(tx, one.company))
                for one in await connecting.listed(tx)
                if one.silence_said_at is None and one.is_silent(clock.now(), after)
            ]
        for connector, today in silent:
            await say_silent(self._process, connector, today)

    async def _end_the_stalled(self) -> None:
        patience = self._settings.delivery_patience_seconds
        async with transaction(self._process.engine) as tx:
            stalled = (await tx.execute(STALLED, {"patience": patience})).all()
        for company, run_id in stalled:
            await self._end(company, run_id)

    async def _end(self, company: str, run_id: UUID) -> None:
        async with transaction(self._process.engine) as tx:
            await tx.execute(
                text("select from run where company = :company and run_id = :run_id for update"),
                {"company": company, "run_id": run_id},
            )
            run = await runs.find(tx, company, run_id)
            if run is None or run.status != "running" or run.stage not in ("asked", "receiving"):
                return
            minutes = f"{self._settings.delivery_patience_seconds / 60:.0f}"
            await give_up(tx, self._process.say(tx), run, Problem(0, "", "delivery_stalled", {"minutes": minutes}))
