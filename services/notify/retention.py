"""Contents that have had their time: counted for whoever asks, erased once a day (docs/adr/0056).

What was sent, to which client and when stays, sealed. Nothing of a client that is held or contests anything is
touched, nor a message about an invoice that is still open: it may be needed as proof.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import is_transient, transaction
from chassis.derivation import OtherVersion
from chassis.eventlog import Cause, Said
from chassis.running import Running
from contracts.ledger import RetentionPeriods
from contracts.notify import ContentsExpired
from contracts.retention import kept_since
from services.notify import numbered, queries
from services.notify.archive.chain import CONTENT_EXPIRED, PERSON_EXPIRED, Fact
from services.notify.archive.keeping import append, expire_people

log = logging.getLogger(__name__)

ACTOR = "service:notify"
AT_A_TIME = 500
PAUSE_SECONDS = 600.0
RETENTION = "retention"
"""The part of the process that erases, as its hindrance names it."""

PERIODS = text("select periods from retention where company = :company")
HELD = text(
    """
    with recursive code(client_id) as (
        (select client_id from legal_hold where company = :company
        union select client_id from dispute where company = :company
        union select key from parked where company = :company and key <> '' and skipped_at is null)
        union
        select case when known.client_id = code.client_id then known.into_client_id else known.client_id end
        from client_merge known
        join code on known.client_id = code.client_id or known.into_client_id = code.client_id
        where known.company = :company
    )
    select client_id from code
    """
)
"""Under every code. What could not be applied yet of a client may be a hold or a dispute."""
DAYS = text(
    "select company, as_of from company left join expired_day using (company)"
    " where not exists (select from company_hold held where held.company = company.company) order by company"
)
"""A company at rest keeps what it has: what it was handed out with is what is deleted."""
DAY = text(
    "insert into expired_day (company, as_of) values (:company, :as_of)"
    " on conflict (company) do update set as_of = greatest(expired_day.as_of, excluded.as_of)"
)
LOCK = text("select pg_advisory_xact_lock(hashtextextended('retention ' || :company, 0))")

OWED = """(e.lettering is null or exists (
        select from lettering_error error where error.company = spoken.company and error.client_id = e.client_id
            and error.account = e.account and error.lettering = e.lettering))"""
STILL_OPEN = f"""
    exists (
        select from action spoken
        cross join lateral jsonb_array_elements(spoken.body -> 'entries') line
        cross join lateral (
            select client_id, account, kind, piece, entry_date, amount, currency, lettering, removed from entry
            where company = spoken.company and client_id = spoken.client_id and entry_id = line ->> 'entry_id'
            offset 0
        ) e
        where spoken.company = aged.company and spoken.action_id = aged.action_id
            and case when e.removed then exists (
                with recursive code(client_id) as (
                    select into_client_id from client_merge
                    where company = spoken.company and client_id = spoken.client_id
                    union
                    select known.into_client_id from client_merge known join code using (client_id)
                    where known.company = spoken.company
                )
                select from code cross join lateral (
                    select * from entry moved where moved.company = spoken.company
                        and moved.client_id = code.client_id and not moved.removed
                        and (moved.entry_id = line ->> 'entry_id'
                            or (moved.kind, moved.piece, moved.entry_date, moved.amount, moved.currency)
                                = (e.kind, e.piece, e.entry_date, e.amount, e.currency))
                    offset 0
                ) e
                where {OWED}
            ) else {OWED} end
    )
"""  # noqa: S608
"""A line that left the code it was reminded under stands under the one that this became, over any chain: under its
own id, or, as ledger finds it too, as a line that looks the same. Of several alike any that is owed counts."""
PAGE = """
    select id, at, client_id, open from (
        select {id} as id, {at} as at, {client} as client_id, {open} as open
        from {table} aged where aged.company = :company and {at} < :before and {kept}
    ) one
    where (at, id) > (:after_at, :after_id) order by at, id limit :most
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of content: the ``period`` it has, the ``page`` that finds what is older, how it is erased."""

    name: str
    period: str
    page: Any
    erase: Any
    sealed: bool = False
    """That its content is gone is sealed in the archive, which has the digest of it."""


def _kind(  # noqa: PLR0913 - the parts of a query
    name: str,
    period: str,
    erase: str,
    *,
    table: str,
    at: str,
    kept: str,
    id: str = "aged.action_id::text",
    client: str = "aged.client_id",
    of_action: bool = True,
    sealed: bool = False,
) -> Kind:
    spoken = STILL_OPEN if of_action else "false"
    page = PAGE.format(id=id, at=at, client=client, open=spoken, table=table, kept=kept)
    return Kind(name, period, text(page), text(erase), sealed)


KINDS = (
    _kind(
        "messages",
        "messages",
        "update message set raw = null, sha256 = null, files = null, cut = null, subject = '', recipients = '{}',"
        " answer = null, refused = null where company = :company and action_id = any(cast(:ids as uuid[]))",
        table="message",
        at="aged.composed_at",
        kept="aged.raw is not null",
        sealed=True,
    ),
    _kind(
        "letters",
        "messages",
        "update letter set pdf = null, subject = '', address = '{}', mailing_key = '{}', registered_number = null"
        " where company = :company and action_id = any(cast(:ids as uuid[]))",
        table="letter",
        at="aged.prepared_at",
        kept="aged.pdf is not null",
        sealed=True,
    ),
    _kind(
        "comments",
        "messages",
        "delete from task_comment where company = :company and action_id = any(cast(:ids as uuid[]))",
        table="task_comment",
        at="aged.written_at",
        kept="true",
    ),
    _kind(
        "drafts",
        "messages",
        "delete from draft where company = :company and draft_id = any(cast(:ids as uuid[]))",
        table="draft",
        at="aged.written_at",
        kept="true",
        id="aged.draft_id::text",
        client="coalesce(aged.client_id, (select a.client_id from action a where a.company = aged.company"
        " and a.action_id = aged.action_id))",
    ),
    _kind(
        "answers",
        "answers",
        "update report set address = null, text = null where company = :company and digest = any(:ids)"
        " and kind in ('reply', 'auto_reply')",
        table="report",
        at="aged.read_at",
        kept="aged.kind in ('reply', 'auto_reply') and (aged.address is not null or aged.text is not null)"
        " and aged.n = (select min(n) from report f where f.company = aged.company and f.digest = aged.digest)",
        id="aged.digest",
    ),
    _kind(
        "reports",
        "reports",
        "update report set address = null where company = :company and digest = any(:ids)"
        " and kind not in ('reply', 'auto_reply') and mark is distinct from 'wanted'",
        table="report",
        at="aged.read_at",
        kept="aged.kind not in ('reply', 'auto_reply') and aged.address is not null"
        " and aged.mark is distinct from 'wanted' and aged.n = (select min(n) from report f"
        " where f.company = aged.company and f.digest = aged.digest and f.address is not null)",
        id="aged.digest",
        of_action=False,
    ),
)
CARRIED = """
    from attachment aged where aged.company = :company and aged.kept_at < :before
    and not exists (select from message, jsonb_array_elements(message.files) file
        where message.company = :company and file ->> 'sha256' = aged.sha256)
    and not exists (select from draft, jsonb_array_elements(draft.files) file
        where draft.company = :company and file ->> 'sha256' = aged.sha256)
"""
CARRIED_COUNT = text(f"select count(*) {CARRIED}")
CARRIED_ERASE = text(
    f"delete from attachment where company = :company and sha256 in (select aged.sha256 {CARRIED})"  # noqa: S608
)
ARCHIVED = text(
    """
    select person.n, person.client_id, (archive.body::jsonb ->> 'at')::timestamptz as at
    from archive_person person join archive using (company, n)
    where person.company = :company and person.n > :after order by person.n limit :most
    """
)
BEGINNING = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Aged:
    id: str
    client_id: str | None


class Sweep:
    """One company's contents on one day, in one transaction."""

    def __init__(self, tx: AsyncConnection, company: str, as_of: date, *, dry_run: bool) -> None:
        self.tx, self.company, self.as_of, self.dry_run = tx, company, as_of, dry_run
        self.held: frozenset[str] = frozenset()
        self.facts: list[Fact] = []

    async def run(self) -> dict[str, int]:
        """How many of each kind had their time; erased unless it is a dry run."""
        if not self.dry_run:
            await self.tx.execute(LOCK, {"company": self.company})
        told = await self.tx.scalar(PERIODS, {"company": self.company})
        periods = RetentionPeriods.model_validate(told or {})
        self.held = frozenset(await self.tx.scalars(HELD, {"company": self.company}))
        counts: dict[str, int] = {}
        for kind in KINDS:
            before = kept_since(self.as_of, getattr(periods, kind.period))
            counts[kind.name] = 0 if before is None else await self._erase(kind, before)
        counts["attachments"] = await self._attachments(kept_since(self.as_of, periods.messages))
        counts["archive"] = await self._archive(kept_since(self.as_of, periods.archive))
        if self.facts:
            await append(self.tx, self.company, self.facts)
        return counts

    async def _erase(self, kind: Kind, before: datetime) -> int:
        count = 0
        async for page in self._pages(kind, before):
            count += len(page)
            if not self.dry_run and page:
                await self.tx.execute(kind.erase, {"company": self.company, "ids": [one.id for one in page]})
                if kind.sealed:
                    self.facts += [self._fact(CONTENT_EXPIRED, one.client_id or "", UUID(one.id)) for one in page]
        return count

    async def _pages(self, kind: Kind, before: datetime) -> AsyncIterator[list[Aged]]:
        """What may go, the oldest first; what has to stay is passed over."""
        after_at, after_id = BEGINNING, ""
        while True:
            asked = {"company": self.company, "before": before, "after_at": after_at, "after_id": after_id}
            rows = (await self.tx.execute(kind.page, asked | {"most": AT_A_TIME})).all()
            yield [Aged(row.id, row.client_id) for row in rows if not row.open and row.client_id not in self.held]
            if len(rows) < AT_A_TIME:
                return
            after_at, after_id = rows[-1].at, rows[-1].id

    async def _attachments(self, before: datetime | None) -> int:
        """Files that no message and no draft carries any more."""
        if before is None:
            return 0
        asked = {"company": self.company, "before": before}
        if self.dry_run:
            return int(await self.tx.scalar(CARRIED_COUNT, asked))
        return (await self.tx.execute(CARRIED_ERASE, asked)).rowcount

    async def _archive(self, before: datetime | None) -> int:
        """What records tell of persons; the records stay, and that they were emptied is sealed."""
        if before is None:
            return 0
        gone: dict[str, list[int]] = {}
        after = 0
        while rows := (
            await self.tx.execute(ARCHIVED, {"company": self.company, "after": after, "most": AT_A_TIME})
        ).all():
            for row in rows:
                if row.at < before and row.client_id not in self.held:
                    gone.setdefault(row.client_id, []).append(row.n)
            after = rows[-1].n
            if len(rows) < AT_A_TIME or rows[-1].at >= before:
                break
        if not self.dry_run:
            await expire_people(self.tx, self.company, [n for ns in gone.values() for n in ns])
            self.facts += [
                self._fact(PERSON_EXPIRED, client_id, None, {"until": max(ns)})
                for client_id, ns in sorted(gone.items())
            ]
        return sum(map(len, gone.values()))

    def _fact(
        self, kind: str, client_id: str, action_id: UUID | None, facts: dict[str, Any] | None = None
    ) -> Fact:
        return Fact(kind, client_id, clock.now(), self.as_of, ACTOR, action_id=action_id, facts=facts or {})


async def due(tx: AsyncConnection, company: str, as_of: date) -> dict[str, int]:
    """How many of each kind have had their time on ``as_of``; nothing is changed."""
    return await Sweep(tx, company, as_of, dry_run=True).run()


async def expire(running: Running, company: str, as_of: date, cause: Cause | None = None) -> dict[str, int]:
    """Erase them, and say how many were; on the same day again it finds nothing."""
    async with transaction(running.engine, company) as tx:
        counts = await Sweep(tx, company, as_of, dry_run=False).run()
        await tx.execute(DAY, {"company": company, "as_of": as_of})
        if any(counts.values()):
            said = [Said(ContentsExpired(**counts))]
            await running.say(tx)(company, said, as_of=as_of, cause=cause or Cause.new(ACTOR))
    return counts


async def expire_as_days_come(running: Running) -> None:
    """Once a day for each company, in its own time zone, until cancelled. One company's trouble stops no other."""
    while True:
        try:
            await expire_today(running)
        except Exception as failure:
            # without PostgreSQL this waits, as everything does
            if not is_transient(failure):
                raise
        await asyncio.sleep(PAUSE_SECONDS)


async def expire_today(running: Running) -> None:
    """For every company that has not had its turn today, but those at rest. Where one's contents could not be
    erased the others have their turn, it is tried again in the next round, and until then told as a hindrance."""
    async with transaction(running.engine) as tx:
        await numbered.forget(tx)
        days = (await tx.execute(DAYS)).all()
    failed = [day.company for day in days if not await _expire_one(running, day.company, day.as_of)]
    left = f"contents that had their time are still kept in {', '.join(failed)}; tried again" if failed else None
    running.health.hindrance(RETENTION, left)


async def _expire_one(running: Running, company: str, last: date | None) -> bool:
    """Whether the company has had its turn."""
    try:
        async with transaction(running.engine, company) as tx:
            as_of = clock.today(await queries.time_zone(tx, company))
        if last is not None and last >= as_of:
            return True
        counts = await expire(running, company, as_of)
    except OtherVersion:
        raise  # it is the same for each of them, and no trouble: the release before does the work
    except Exception:
        log.exception("contents that had their time could not be erased", extra={"company": company})
        return False
    if any(counts.values()):
        log.info("contents that had their time were erased", extra={"company": company, **counts})
    return True
