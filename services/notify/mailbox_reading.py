"""Reading companies' mailboxes: every mail once, and put away only after what it says is committed.

A mail is named by its UID and what that is valid for; the row that says it was read is written with what it says.
Whoever takes over from a process that was killed reads what was not read, and only puts away what was. When a
server makes its UIDs invalid everything is read again, and the digests of the mails keep it from counting twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import date
from typing import TypeVar

from sqlalchemy import text

from chassis import clock
from chassis.database import is_transient, transaction
from chassis.running import Running
from services.notify import mailboxes
from services.notify.drop_folder import PlaceUnreadable
from services.notify.imap import Account, ImapMailbox
from services.notify.oauth.keeping import keeper_of
from services.notify.reports.reading import Report, Unreadable, read
from services.notify.returns import Lies, note, record
from services.notify.settings import NotifySettings

log = logging.getLogger(__name__)

AT_A_TIME = 500
"""Mails of one mailbox and look; the others come with the next."""
MAILBOXES_AT_A_TIME = 4
TURN_SECONDS = 600.0
"""One look into one mailbox; what is left is read by the next. A server that lets its words drip would otherwise
hold up every other mailbox for ever."""

LARGE_BYTES = 2_000_000
"""Larger mails are taken apart one after another: each needs about six times its size in memory."""

LAST_READ = text("select cast(read_at as date) from mailbox where company = :company and place = 'imap'")

T = TypeVar("T")
Told = Callable[[str, str, PlaceUnreadable | None], Awaitable[None]]
"""Company, place and its trouble, after a look."""


class MailboxReader:
    """Looks into every mailbox there is. One that fails or is slow holds up no other for longer than its turn."""

    def __init__(self, running: Running, settings: NotifySettings) -> None:
        self.running = running
        self.settings = settings
        self.keeper = keeper_of(running)
        self.turn_seconds = TURN_SECONDS
        self._large = asyncio.Lock()
        self._threads = ThreadPoolExecutor(MAILBOXES_AT_A_TIME, thread_name_prefix="imap")

    async def look(self, tell: Told) -> set[str]:
        """One look into every mailbox; answers the companies that have one."""
        async with transaction(self.running.engine) as tx:
            found = await mailboxes.accounts(tx, self.settings)
        turns = asyncio.Semaphore(MAILBOXES_AT_A_TIME)
        failures: list[Exception] = []

        async def one(company: str, account: Account | None) -> None:
            trouble: PlaceUnreadable | None = None
            async with turns:
                turn = asyncio.timeout(self.turn_seconds)
                try:
                    if account is None:
                        raise PlaceUnreadable("secret_unreadable")
                    async with turn:
                        await self._empty(company, account)
                except PlaceUnreadable as failed:
                    trouble = failed
                except TimeoutError as late:
                    if not turn.expired():
                        raise
                    trouble = PlaceUnreadable("mailbox_silent", f"{self.turn_seconds:.0f} s")
                    trouble.__cause__ = late
                await tell(company, mailboxes.PLACE, trouble)

        async def alone(company: str, account: Account | None) -> None:
            """Whatever one look ends by, the others go on."""
            try:
                await one(company, account)
            except Exception as failure:
                if not is_transient(failure):
                    log.exception(
                        "a mailbox could not be read for an unforeseen reason", extra={"company": company}
                    )
                    await tell(company, mailboxes.PLACE, PlaceUnreadable("reading_failed"))
                    return
                failures.append(failure)

        async with asyncio.TaskGroup() as looking:
            for company, account in found.items():
                looking.create_task(alone(company, account), name=f"mailbox of {company}")
        if failures:
            raise ExceptionGroup("mailboxes could not be read", failures)
        return set(found)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _empty(self, company: str, account: Account) -> None:
        box = ImapMailbox(account)
        try:
            await self._read_all(company, account, box)
        except asyncio.CancelledError:
            box.abort()
            raise
        except Exception:
            await self._blocking(box.close)
            raise
        await self._blocking(box.close)

    async def _read_all(self, company: str, account: Account, box: ImapMailbox) -> None:
        validity = await mailboxes.signed_in(box, self.keeper, company, self._blocking)
        async with transaction(self.running.engine, company) as tx:
            known = await mailboxes.read_before(tx, company, validity)
            last_read_on = await tx.scalar(LAST_READ, {"company": company})
        since = mailboxes.look_from(account.since, last_read_on, clock.now().date())
        lying = await self._uids(box, since)
        for uid in [one for one in lying if one not in known][:AT_A_TIME]:
            await self._read_one(company, box, Lies(validity, uid))
        async with transaction(self.running.engine, company) as tx:
            await mailboxes.forget_gone(tx, company, validity, lying)
            known = await mailboxes.read_before(tx, company, validity)
        away = [uid for uid, wanted in known.items() if wanted]
        if away:
            await self._blocking(lambda: box.settle(away))
            async with transaction(self.running.engine, company) as tx:
                await mailboxes.put_away(tx, company, validity, away)

    async def _uids(self, box: ImapMailbox, since: date) -> Sequence[int]:
        return await self._blocking(lambda: box.uids(since))

    async def _read_one(self, company: str, box: ImapMailbox, lies: Lies) -> None:
        raw = await self._blocking(lambda: box.arrived(lies.uid))
        if raw is None:
            return
        report = await self._understood(company, raw) if raw else None
        if report is None:
            trouble = "unreadable" if raw else "too_large"
            async with transaction(self.running.engine, company) as tx:
                await note(tx, company, lies, away=False, trouble=trouble)
            return
        # one that speaks of a message not said yet to have left is not noted, and read again
        await record(self.running, company, report, lies)

    async def _understood(self, company: str, raw: bytes) -> Report | None:
        try:
            async with self._large if len(raw) > LARGE_BYTES else nullcontext():
                return await asyncio.to_thread(read, raw)
        except Unreadable as refused:
            log.warning("a mail cannot be read", extra={"company": company, "why": str(refused)})
            return None
        except Exception:
            # those that lie behind it are not to wait for it
            log.exception("a mail could not be taken apart for an unforeseen reason", extra={"company": company})
            return None

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
