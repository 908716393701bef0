"""Looking into the places where reports arrive, for every company, as long as the service runs."""

import asyncio
import logging
from collections.abc import Iterator

from sqlalchemy import text

from chassis.database import is_transient, transaction
from chassis.http_client import NeighbourRefused, NeighbourUnreachable
from chassis.running import Running
from services.notify.drop_folder import Arrived, DropFolder, PlaceUnreadable
from services.notify.mailbox_reading import MailboxReader
from services.notify.mailboxes import PLACE
from services.notify.reports.reading import Unreadable, read
from services.notify.returns import Recorded, record, tell_ledger
from services.notify.settings import NotifySettings

log = logging.getLogger(__name__)

LEDGER = "dead addresses"

KNOWN_FOLDERS = text("select company from mailbox where place = 'folder'")
COMPANIES = text(
    "select company from company where not exists (select from company_hold held"
    " where held.company = company.company) order by company"
)
NO_MAILBOX = text("delete from mailbox where place = 'imap' and company <> all(cast(:companies as text[]))")
LOOKED = text(
    """
    insert into mailbox as known (company, place, read_at, trouble, trouble_since)
    values (:company, :place, case when cast(:trouble as text) is null then now() end, :trouble,
        case when cast(:trouble as text) is not null then now() end)
    on conflict (company, place) do update set
        read_at = coalesce(excluded.read_at, known.read_at), trouble = excluded.trouble,
        trouble_since = case when excluded.trouble is not null
            then coalesce(known.trouble_since, excluded.trouble_since) end
    """
)


class ReadingRoom:
    """Reads what came back. A place that fails stops no other, is looked into again, and loses nothing."""

    def __init__(self, running: Running, settings: NotifySettings) -> None:
        self.running = running
        self.settings = settings
        self.mailboxes = MailboxReader(running, settings)
        self._had_one: set[str] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                try:
                    await self.step()
                except Exception as failure:
                    # without PostgreSQL this waits, as everything does
                    if not all(is_transient(one) for one in _leaves(failure)):
                        raise
                await asyncio.sleep(self.settings.reports_pause_seconds)
        finally:
            self.mailboxes.close()

    async def step(self) -> None:
        """Look once into every place, then have dead addresses marked."""
        for company, folder in await self._folders():
            await self._look(company, folder)
        have_one = await self.mailboxes.look(self._told)
        async with transaction(self.running.engine) as tx:
            await tx.execute(NO_MAILBOX, {"companies": sorted(have_one)})
        for company in self._had_one - have_one:
            self.running.health.hindrance(f"{PLACE} of {company}", None)
        self._had_one = have_one
        await self._mark()

    async def _folders(self) -> list[tuple[str, DropFolder]]:
        """Of every company whose folder was made; one that vanished after it was read once is trouble."""
        root = self.settings.reports_dir
        if root is None:
            return []
        async with transaction(self.running.engine) as tx:
            companies = list(await tx.scalars(COMPANIES))
            known = set(await tx.scalars(KNOWN_FOLDERS))
        there = [(company, root / company) for company in companies]
        return [
            (company, DropFolder(folder))
            for company, folder in there
            if company in known or await asyncio.to_thread(folder.is_dir)
        ]

    async def _look(self, company: str, place: DropFolder) -> None:
        trouble: PlaceUnreadable | None = None
        try:
            await self._empty(company, place)
        except PlaceUnreadable as failed:
            trouble = failed
        await self._told(company, place.name, trouble)

    async def _told(self, company: str, place: str, trouble: PlaceUnreadable | None) -> None:
        """Remember how a place fared. The words of its server may name people: they are shown in trials alone."""
        code = None if trouble is None else trouble.code
        if code is not None:
            log.warning("reports cannot be read", extra={"company": company, "place": place, "code": code})
        sentence = None if code is None else f"{code}; what arrives there waits"
        self.running.health.hindrance(f"{place} of {company}", sentence)
        async with transaction(self.running.engine, company) as tx:
            await tx.execute(LOOKED, {"company": company, "place": place, "trouble": code})

    async def _empty(self, company: str, place: DropFolder) -> None:
        """One file that cannot be read or moved holds back no other; the last such trouble is told."""
        failed: PlaceUnreadable | None = None
        for name in await asyncio.to_thread(place.names):
            try:
                arrived = await asyncio.to_thread(place.arrived, name)
                if arrived is not None:
                    outcome = await self._record(company, arrived)
                    if outcome is not Recorded.NOT_YET:
                        bound = outcome is not Recorded.UNBOUND
                        await asyncio.to_thread(place.settle, arrived, bound=bound)
            except PlaceUnreadable as trouble:
                failed = trouble
        if failed is not None:
            raise failed

    async def _record(self, company: str, arrived: Arrived) -> Recorded:
        try:
            report = await asyncio.to_thread(read, arrived.raw)
        except Unreadable as refused:
            log.warning("a mail cannot be read", extra={"company": company, "why": str(refused)})
            return Recorded.UNBOUND
        return await record(self.running, company, report)

    async def _mark(self) -> None:
        try:
            await tell_ledger(self.running)
        except (NeighbourUnreachable, NeighbourRefused) as silent:
            self.running.health.hindrance(LEDGER, f"{silent}; they are still written to")
        else:
            self.running.health.hindrance(LEDGER, None)


def _leaves(failure: BaseException) -> Iterator[BaseException]:
    """What went wrong, also where several mailboxes were looked into at a time."""
    if isinstance(failure, BaseExceptionGroup):
        for one in failure.exceptions:
            yield from _leaves(one)
    else:
        yield failure
