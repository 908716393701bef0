"""Seals what was sent, behind the back of what sends: it reads the log of notify's own events and what is kept
beside them, many at a time, so that a message costs its sending nothing.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import is_transient, transaction
from chassis.running import Running
from services.notify.archive.chain import Fact
from services.notify.archive.keeping import append, hold

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
AT_A_TIME = 512
SEALED_AT_A_TIME = 32
REPORTS_AT_A_TIME = 200
ACTOR = "service:notify"
KINDS = {
    "EmailSent": "email_sent",
    "EmailFailed": "email_failed",
    "EmailInDoubt": "email_in_doubt",
    "LetterPrepared": "letter_prepared",
    "LetterPosted": "letter_posted",
    "CallLogged": "call_logged",
    "OtherContactLogged": "contact_logged",
}
"""What came back is sealed with its report (``email_report``), the number of a letter when a person notes it."""

MORE = text("""
    select exists (select from archive_cursor c join partition_head h using (p) where h.seq > c.number)
        or exists (select from report where not archived and action_id is not null and client_id is not null)
""")
CURSORS = text("""
    select c.p, c.number from archive_cursor c join partition_head h using (p) where h.seq > c.number
    order by c.p limit 64 for update of c skip locked
""")
"""Of two that seal at once each takes the partitions that the other has not."""
EVENTS = text("""
    select e.* from unnest(cast(:ps as smallint[]), cast(:numbers as bigint[])) as c(p, number)
    cross join lateral (
        select p, pseq, event_id, company, client_id, type, as_of, occurred_at, actor, body from event_log
        where p = c.p and pseq > c.number order by pseq limit :each
    ) e
    order by e.occurred_at, e.p, e.pseq
""")
MOVE = text("""
    update archive_cursor set number = told.number
    from unnest(cast(:ps as smallint[]), cast(:numbers as bigint[])) as told(p, number)
    where archive_cursor.p = told.p
""")
REPORTS = text("""
    select company, digest, n, kind, reason, status, action_id, client_id, address, text, read_at
    from report
    where not archived and action_id is not null and client_id is not null and company = any(:companies)
    order by read_at, digest, n limit :most for update skip locked
""")
REPORTING = text("""
    select distinct company from report
    where not archived and action_id is not null and client_id is not null order by 1
""")
ARCHIVED = text("""
    update report set archived = true
    from unnest(cast(:companies as text[]), cast(:digests as text[]), cast(:ns as integer[]))
        as told(company, digest, n)
    where report.company = told.company and report.digest = told.digest and report.n = told.n
""")
BESIDE = text("""
    select a.action_id, a.step, a.medium, a.body::text as body, task_comment.comment,
        m.recipients, m.subject as mail_subject, m.answer, m.refused, m.files, m.cut,
        coalesce(m.sha256, encode(sha256(m.raw), 'hex')) as mail_sha256, octet_length(m.raw) as mail_bytes,
        coalesce(m.template, l.template) as template,
        coalesce(m.template_language, l.template_language) as template_language,
        coalesce(m.template_version, l.template_version) as template_version,
        l.sha256 as letter_sha256, octet_length(l.pdf) as letter_bytes, l.address, l.subject as letter_subject,
        l.pages, l.registered, l.registered_number, l.written_on
    from action a
    left join message m using (company, action_id)
    left join letter l using (company, action_id)
    left join task_comment using (company, action_id)
    where a.company = :company and a.action_id = any(:action_ids)
""")


class _Line(msgspec.Struct):
    entry_id: str
    amount: str


class _Action(msgspec.Struct):
    """Of an action, what its record tells."""

    kind: str
    net_amount: str
    currency: str
    entries: list[_Line]


class Archivist:
    """Works through the log of notify. Several of them may run at once."""

    def __init__(self, running: Running) -> None:
        self.running = running

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                more = await self.step()
            except Exception as failure:
                # without PostgreSQL this waits, as everything does: the log is still there afterwards
                if not is_transient(failure):
                    raise
                more = 0
            if more < AT_A_TIME:
                await asyncio.sleep(PAUSE_SECONDS)

    async def catch_up(self) -> None:
        """Seal everything that was said until now."""
        while await self.step():
            pass

    async def step(self) -> int:
        """Seal some of what is not sealed yet; answers how many events and reports that were, at least 0.

        A crash before the commit takes the records and the cursor back together.
        """
        async with transaction(self.running.engine) as tx:
            if not await tx.scalar(MORE):
                return 0
            # what a crash takes back is sealed again from the log
            await tx.execute(text("set local synchronous_commit to off"))
            cursors = {row.p: row.number for row in await tx.execute(CURSORS)}
            events = await _read(tx, cursors)
            companies = {event.company for event in events if event.type in KINDS}
            companies.update(await tx.scalars(REPORTING))
            heads = {company: await hold(tx, company) for company in sorted(companies)}
            reports = (await tx.execute(REPORTS, {"companies": sorted(heads), "most": REPORTS_AT_A_TIME})).all()
            for company, head in heads.items():
                said = [event for event in events if event.company == company and event.type in KINDS]
                told = [report for report in reports if report.company == company]
                await _seal(tx, company, head, said, told)
            await _settle(tx, events, reports)
        return len(events) + len(reports)


async def _read(tx: AsyncConnection, cursors: Mapping[int, int]) -> Sequence[Any]:
    if not cursors:
        return ()
    asked = {"ps": list(cursors), "numbers": list(cursors.values()), "each": max(1, AT_A_TIME // len(cursors))}
    return (await tx.execute(EVENTS, asked)).all()


async def _seal(
    tx: AsyncConnection, company: str, head: tuple[int, str], said: Sequence[Any], told: Sequence[Any]
) -> None:
    """Events and reports behind the ``head`` of their company, some at a time: between them messages leave."""
    named = [(event, UUID(event.body["action_id"])) for event in said]
    beside = await _beside(tx, company, {action_id for _, action_id in named})
    for first in range(0, len(named), SEALED_AT_A_TIME):
        some = named[first : first + SEALED_AT_A_TIME]
        facts = [_of_event(event, action_id, beside.get(action_id)) for event, action_id in some]
        last = (await append(tx, company, facts, head))[-1]
        head = last.n, last.hash
    await append(tx, company, [_of_report(report) for report in told], head)


async def _settle(tx: AsyncConnection, events: Sequence[Any], reports: Sequence[Any]) -> None:
    last: dict[int, int] = {}
    for event in events:
        last[event.p] = max(last.get(event.p, 0), event.pseq)
    if last:
        await tx.execute(MOVE, {"ps": list(last), "numbers": list(last.values())})
    if reports:
        named = {
            "companies": [report.company for report in reports],
            "digests": [report.digest for report in reports],
            "ns": [report.n for report in reports],
        }
        await tx.execute(ARCHIVED, named)


async def _beside(tx: AsyncConnection, company: str, action_ids: Collection[UUID]) -> dict[UUID, Any]:
    """What is kept of these actions besides their events."""
    if not action_ids:
        return {}
    rows = await tx.execute(BESIDE, {"company": company, "action_ids": list(action_ids)})
    return {row.action_id: row for row in rows}


def _of_event(event: Any, action_id: UUID, beside: Any) -> Fact:
    """``beside`` is ``None`` where the action was never heard, which only a rebuild under way explains."""
    kind = KINDS[event.type]
    told = {name: value for name, value in event.body.items() if name not in ("action_id", "client_id")}
    facts: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    content: dict[str, Any] | None = None
    person: dict[str, Any] = {}
    if beside is not None:
        facts |= _about(beside)
        match kind:
            case "email_sent":
                content, person = _of_mail(beside)
            case "email_failed" | "email_in_doubt":
                person = {"recipients": list(beside.recipients or ())}
            case "letter_prepared" if beside.letter_sha256 is not None:
                facts |= {"pages": beside.pages, "registered": beside.registered}
                content, person = _of_letter(beside)
            case "call_logged" | "contact_logged":
                person = {"comment": beside.comment}
    return Fact(
        kind=kind,
        client_id=event.client_id,
        at=event.occurred_at,
        as_of=event.as_of,
        actor=event.actor,
        action_id=action_id,
        event_id=event.event_id,
        facts=facts,
        content=content,
        person={name: value for name, value in person.items() if value} or None,
    )


def _about(beside: Any) -> dict[str, Any]:
    """The action that was carried out: its step, its lines and what it was written with."""
    action = msgspec.json.decode(beside.body, type=_Action)
    about: dict[str, Any] = {
        "step": beside.step,
        "medium": beside.medium,
        "purpose": action.kind,
        "amount": action.net_amount,
        "currency": action.currency,
        "entries": action.entries,
    }
    if beside.template is not None:
        about["template"] = [beside.template, beside.template_language, beside.template_version]
    return about


def _of_mail(beside: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    files = beside.files or []
    content: dict[str, Any] = (
        {"erased": True}
        if beside.mail_sha256 is None
        else {"sha256": beside.mail_sha256, "bytes": beside.mail_bytes}
    )
    if files:
        content |= {"files": [file["sha256"] for file in files], "cut": beside.cut}
    person = {
        "recipients": list(beside.recipients or ()),
        "subject": beside.mail_subject,
        "answer": beside.answer,
        "refused": beside.refused,
        "files": [file["name"] for file in files],
    }
    return content, person


def _of_letter(beside: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    content: dict[str, Any] = {"sha256": beside.letter_sha256}
    content |= {"erased": True} if beside.letter_bytes is None else {"bytes": beside.letter_bytes}
    person = {
        "address": list(beside.address or ()),
        "subject": beside.letter_subject,
        "registered_number": beside.registered_number,
    }
    return content, person


def _of_report(report: Any) -> Fact:
    facts = {"report": report.kind, "reason": report.reason, "status": report.status, "mail": report.digest}
    person = {"address": report.address, "text": report.text}
    read_at: datetime = report.read_at
    return Fact(
        kind="email_report",
        client_id=report.client_id,
        at=read_at,
        as_of=read_at.date(),
        actor=ACTOR,
        action_id=report.action_id,
        facts={name: value for name, value in facts.items() if value is not None},
        person={name: value for name, value in person.items() if value} or None,
    )
