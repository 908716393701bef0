"""What came back, recorded: bound to its message, said once, and told to ledger where an address is dead.

Answers of people are said as such (rule 22.33); their text is kept beside the message, for those who may read it.

A report is bound by the Message-ID it quotes or by the return path it came to, never by an address: anybody's mail
may name anybody's address. The transaction that says it also remembers the mail, so reading it again, from
whichever place, changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import transaction
from chassis.eventlog import Cause, Said
from chassis.running import Running
from contracts.notify import EmailBounced, ReplyReceived
from services.notify import queries
from services.notify.reports.answering import is_of_own_people
from services.notify.reports.judging import BOUNCED, OF_PEOPLE, Finding, Kind, Reason
from services.notify.reports.reading import Report
from services.notify.settings import NotifySettings

ACTOR = "service:notify"
MARKS_AT_A_TIME = 500
MOST_CHARACTERS = 20_000
"""Of an answer; the mailbox has it whole."""


class Recorded(StrEnum):
    """What became of a mail that came back."""

    NEW = "new"
    KNOWN = "known"
    """It was read before."""
    UNBOUND = "unbound"
    """It speaks of no message of this company."""
    NOT_YET = "not_yet"
    """Of one that has not been said to have left: what is said of it now would be overtaken."""


BOUND = text(
    """
    select message.action_id, message.client_id, message.message_id, message.recipients, outcome.kind is not null
        as told, message.raw is null as erased
    from message left join outcome on outcome.company = message.company and outcome.action_id = message.action_id
    where message.company = :company
        and (message.message_id = any(cast(:message_ids as text[]))
            or message.action_id = any(cast(:action_ids as uuid[])))
    order by array_position(cast(:message_ids as text[]), message.message_id)
    limit 1
    for update of message
    """
)
"""Locked, so that of two reports on one message the second sees the first."""

READ = text("select action_id from report where company = :company and digest = :digest limit 1")

KEEP = text(
    """
    insert into report (company, digest, n, kind, reason, status, action_id, client_id, address, text, mark)
    values (:company, :digest, :n, :kind, :reason, :status, :action_id, :client_id, :address, :text, :mark)
    on conflict do nothing
    """
)

SAID = text(
    """
    select from report
    where company = :company and action_id = :action_id and kind = :kind and digest <> :digest
        and address is not distinct from :address
    limit 1
    """
)
"""The same was said of the same recipient of the same message, by another server."""

TO_MARK = text(
    """
    select digest, n, client_id, address, reason from report
    where company = :company and mark = 'wanted' and address is not null
    order by read_at, digest, n
    limit :most
    """
)
MARKED = text(
    """
    update report set mark = 'done'
    from unnest(cast(:digests as text[]), cast(:ns as integer[])) as told(digest, n)
    where report.company = :company and report.digest = told.digest and report.n = told.n and mark = 'wanted'
    """
)
COMPANIES_TO_MARK = text("select distinct company from report where mark = 'wanted' order by company")


NOTE = text(
    """
    insert into mailbox_mail (company, validity, uid, away, trouble)
    values (:company, :validity, :uid, :away, :trouble)
    on conflict do nothing
    """
)


@dataclass(frozen=True, slots=True)
class Lies:
    """Where in a mailbox a mail lies: the UID and what it is valid for (RFC 9051, 2.3.1.1)."""

    validity: int
    uid: int


async def note(tx: AsyncConnection, company: str, lies: Lies, *, away: bool, trouble: str | None = None) -> None:
    """A mail was read and need not be again; ``away``: it may be put away. ``trouble``: it was not understood, so
    somebody has to look, until it lies there no more: ``too_large``, ``unreadable``."""
    values = {"company": company, "validity": lies.validity, "uid": lies.uid, "away": away, "trouble": trouble}
    await tx.execute(NOTE, values)


async def record(running: Running, company: str, report: Report, lies: Lies | None = None) -> Recorded:
    """One transaction per mail: remembered, noted where it lies in a mailbox, and said if it is a bounce."""
    async with transaction(running.engine, company) as tx:
        recorded = await _record(running, tx, company, report)
        if lies is not None and recorded is not Recorded.NOT_YET:
            away = recorded is not Recorded.UNBOUND and report.kind not in OF_PEOPLE
            await note(tx, company, lies, away=away)
    return recorded


async def _record(running: Running, tx: AsyncConnection, company: str, report: Report) -> Recorded:
    ids = {"message_ids": list(report.message_ids), "action_ids": list(report.returned_to)}
    bound = (await tx.execute(BOUND, {"company": company, **ids})).one_or_none()
    known = (await tx.execute(READ, {"company": company, "digest": report.digest})).one_or_none()
    if known is not None:
        return Recorded.UNBOUND if known.action_id is None else Recorded.KNOWN
    if bound is not None and not bound.told:
        return Recorded.NOT_YET
    said = await _keep(running, tx, company, report, bound)
    if said:
        today = clock.today(await queries.time_zone(tx, company))
        await running.say(tx)(company, said, as_of=today, cause=Cause.new(ACTOR))
    return Recorded.UNBOUND if bound is None else Recorded.NEW


async def _keep(running: Running, tx: AsyncConnection, company: str, report: Report, bound: Any) -> list[Said]:
    """Of a mail that is bound to nothing, no personal data is kept: nobody could ask for it to be erased."""
    said: list[Said] = []
    by_person = bound is not None and report.kind in {Kind.REPLY, Kind.AUTO_REPLY}
    findings = report.findings
    if by_person:
        reason = Reason.OWN_PEOPLE if await _of_own_people(running, tx, company, report, bound) else None
        findings = tuple(
            replace(one, address=report.sender or None, reason=reason or one.reason) for one in findings
        )
    for n, finding in enumerate(findings):
        address = None if bound is None else recipient(finding, bound.recipients)
        answers = by_person and finding.kind is Kind.REPLY and finding.reason is not Reason.OWN_PEOPLE
        row = {
            "company": company,
            "digest": report.digest,
            "n": n,
            "kind": finding.kind,
            "reason": finding.reason,
            "status": finding.status,
            "action_id": None if bound is None else bound.action_id,
            "client_id": None if bound is None else bound.client_id,
            "address": address,
            "text": report.text[:MOST_CHARACTERS] if answers and not bound.erased else None,
            "mark": "wanted" if address is not None and finding.kind is Kind.HARD else None,
        }
        kept = await tx.execute(KEEP, row)
        if answers and kept.rowcount:
            said.append(Said(answered(bound, from_recipient=address is not None), bound.client_id))
        if bound is None or finding.kind not in BOUNCED or not kept.rowcount:
            continue
        if (await tx.execute(SAID, row)).one_or_none() is None:
            event = bounced(finding, bound.action_id, bound.client_id, bound.message_id)
            said.append(Said(event, bound.client_id))
    return said


async def _of_own_people(running: Running, tx: AsyncConnection, company: str, report: Report, bound: Any) -> bool:
    settings = running.settings
    assert isinstance(settings, NotifySettings)
    sender = await queries.sender(tx, company, settings.default_sender_domain)
    return is_of_own_people(report.sender, (sender.email, sender.reply_to), bound.recipients)


def answered(bound: Any, *, from_recipient: bool) -> ReplyReceived:
    """What is said of an answer: nothing of what was written, nor who wrote it."""
    return ReplyReceived(
        action_id=bound.action_id,
        client_id=bound.client_id,
        message_id=bound.message_id,
        received_at=clock.now(),
        from_recipient=from_recipient,
    )


def recipient(finding: Finding, recipients: Sequence[str]) -> str | None:
    """The recipient that a finding speaks of: the one it names, or the only one there was where it names none."""
    if finding.address is None:
        return recipients[0] if len(recipients) == 1 else None
    return next((one for one in recipients if one.lower() == finding.address.lower()), None)


def bounced(finding: Finding, action_id: UUID, client_id: str, message_id: str) -> EmailBounced:
    """What is said of it: codes, never the address."""
    return EmailBounced(
        action_id=action_id,
        client_id=client_id,
        message_id=message_id,
        status=finding.status or "",
        permanent=finding.kind is Kind.HARD,
        kind=finding.kind,
        reason=finding.reason,
    )


async def tell_ledger(running: Running) -> int:
    """Have dead addresses marked by ledger, whose they are; answers how many it was told of.

    Telling it twice changes nothing there, so a crash in between loses nothing. Raises what ``Neighbour`` raises.
    """
    async with transaction(running.engine) as tx:
        companies = list(await tx.scalars(COMPANIES_TO_MARK))
    told = 0
    for company in companies:
        async with transaction(running.engine, company) as tx:
            rows = (await tx.execute(TO_MARK, {"company": company, "most": MARKS_AT_A_TIME})).all()
        if rows:
            marks = [{"client_id": row.client_id, "email": row.address, "reason": row.reason} for row in rows]
            await running.neighbour("ledger").post("/mark-addresses", company=company, json={"marks": marks})
            of = {"company": company, "digests": [row.digest for row in rows], "ns": [row.n for row in rows]}
            async with transaction(running.engine, company) as tx:
                await tx.execute(MARKED, of)
            told += len(rows)
    return told
