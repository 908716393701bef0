"""The figures of a company, every working day by mail, to those who asked for them (rule 15.4).

Each person's report is asked for in that person's name, so it tells of the clients that person sees. It is claimed
before it is sent, so that it leaves once a day at most however many consoles run; what surely did not leave is
tried again a few times, later.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.auth import Role
from chassis.database import is_transient, transaction
from services.console.accounts import seen
from services.console.gateway import Json, Neighbours, Refused, ServiceSilent
from services.console.visits import Console

log = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0
MOST_FAILURES = 4
ANSWERED_SECONDS = 60.0
"""Longer than notify gives the mail server: whoever is asked again meanwhile would send a second one."""
SATURDAY = 5
FRIDAY = 4
MEDIA = ("phone", "letter", "email", "other")
FIRST_HOUR, LAST_HOUR = 5, 20

WANTED = text("""
    select r.company, r.account_id, r.hour, r.tried_for, r.sent_for, r.failures, r.failure, a.email, a.name,
        a.language, m.role, m.portfolio
    from cash_report r join account a using (account_id)
        join membership m on m.account_id = r.account_id and m.company = r.company
    where a.closed_at is null and not exists (select from company_hold h where h.company = r.company)
        and (cast(:company as text) is null or r.company = :company)
        and (cast(:account_id as uuid) is null or r.account_id = :account_id)
    order by r.company, r.account_id
""")
CHOOSE = text("""
    insert into cash_report (company, account_id, hour) values (:company, :account_id, :hour)
    on conflict (company, account_id) do update set hour = excluded.hour, failures = 0, failure = null
""")
STOP = text("delete from cash_report where company = :company and account_id = :account_id")
CLAIM = text("""
    update cash_report set tried_for = :day, sent_for = :day,
        failures = case when tried_for = :day then failures else 0 end
    where company = :company and account_id = :account_id and sent_for is distinct from :day
    returning failures
""")
"""Who comes second finds it claimed; a process that dies while it sends has sent none that day."""
LEFT = text("update cash_report set failure = null where company = :company and account_id = :account_id")
FAILED = text("""
    update cash_report set failures = failures + 1, failure = :failure,
        sent_for = case when :again and failures + 1 < :most then null else sent_for end
    where company = :company and account_id = :account_id
""")


@dataclass(frozen=True)
class Failure:
    """Why a report did not leave. ``again``: it surely did not, so that trying again sends no second one."""

    code: str
    again: bool


@dataclass(frozen=True)
class Wanted:
    """A person's wish, and what is known of its last report."""

    company: str
    account_id: UUID
    email: str
    language: str
    role: Role
    portfolio: tuple[str, ...] | None
    hour: int
    sent_for: date | None
    failure: str | None

    @property
    def key(self) -> dict[str, Any]:
        return {"company": self.company, "account_id": self.account_id}


async def wanted(tx: AsyncConnection, company: str | None = None, account_id: UUID | None = None) -> list[Wanted]:
    """Of everybody, or of one company or person. Nothing is sent for companies at rest and closed accounts."""
    rows = await tx.execute(WANTED, {"company": company, "account_id": account_id})
    return [
        Wanted(
            row.company,
            row.account_id,
            row.email,
            row.language,
            cast(Role, row.role),
            seen(row),
            row.hour,
            row.sent_for,
            row.failure,
        )
        for row in rows
    ]


async def choose(tx: AsyncConnection, company: str, account_id: UUID, hour: int | None) -> None:
    """Want it from this hour of the company's day on; ``None`` wants none."""
    key = {"company": company, "account_id": account_id}
    await (tx.execute(STOP, key) if hour is None else tx.execute(CHOOSE, {**key, "hour": hour}))


def is_due(hour: int, sent_for: date | None, local: datetime) -> bool:
    """On working days from its hour on, unless it left for the day. ``local``: on the company's own clock."""
    return local.weekday() < SATURDAY and local.hour >= hour and sent_for != local.date()


def working_day_before(day: date) -> date:
    """What was done at the weekend stands in Monday's report."""
    back = day - timedelta(days=1)
    return back - timedelta(days=max(0, back.weekday() - FRIDAY))


async def keep_sending(console: Console) -> None:
    """Send what is due, again and again."""
    while True:
        await send_due(console, clock.now())
        await asyncio.sleep(PAUSE_SECONDS)


async def send_due(console: Console, now: datetime) -> int:
    """Send every report that is due; how many left. One that fails stops no other."""
    async with transaction(console.engine) as tx:
        reports = await wanted(tx)
    sent = 0
    for one in reports:
        try:
            asking = neighbours_of(console, one)
            local = now.astimezone(ZoneInfo(str((await asking.this_company())["time_zone"])))
            if is_due(one.hour, one.sent_for, local) and await _claimed(console, one, local.date()):
                sent += await _tried(console, one, local.date())
        except (ServiceSilent, Refused) as failure:
            log.warning("a cash report waits", extra={"company": one.company, "reason": str(failure)})
        except Exception as failure:
            if is_transient(failure):
                raise
            log.exception("a cash report failed", extra={"company": one.company})
    return sent


def neighbours_of(console: Console, one: Wanted) -> Neighbours:
    """The services, in the name of the person who gets the report."""
    return console.gateway.neighbours(f"user:{one.account_id}", one.company, one.role, one.portfolio)


async def _claimed(console: Console, one: Wanted, day: date) -> bool:
    async with transaction(console.engine) as tx:
        return (await tx.execute(CLAIM, {**one.key, "day": day})).one_or_none() is not None


async def _tried(console: Console, one: Wanted, day: date) -> bool:
    """Send a claimed report, and write down what became of it."""
    try:
        failure = await send(console, one, day)
    except (ServiceSilent, Refused) as silent:
        failure = Failure(f"{silent.service}-silent", again=True)
    async with transaction(console.engine) as tx:
        if failure is None:
            await tx.execute(LEFT, one.key)
        else:
            told = {"failure": failure.code, "again": failure.again, "most": MOST_FAILURES}
            await tx.execute(FAILED, one.key | told)
    if failure:
        log.warning("a cash report did not leave", extra={"company": one.company, "reason": failure.code})
    return failure is None


async def send(console: Console, one: Wanted, day: date) -> Failure | None:
    """Send one report now: ``None``, or what kept it. Raises as ``Neighbours.request`` where nothing was sent."""
    figures = await gathered(neighbours_of(console, one), day)
    sending = console.gateway.neighbours("service:console", one.company, "system", None)
    body = {"to": one.email, "language": one.language, **figures}
    try:
        answer = await sending.request("notify", "POST", "/cash-report", json=body, timeout=ANSWERED_SECONDS)
    except ServiceSilent as silent:
        if silent.unheard:
            raise
        return Failure(f"{silent.service}-silent", again=False)
    told = answer.json()
    return None if told["ok"] else Failure("mail-server-refused", again=told.get("again", False))


async def gathered(asking: Neighbours, day: date) -> Json:
    """The figures of one person's clients on a day, as notify wants them."""
    as_of, since = day.isoformat(), working_day_before(day)
    until = day - timedelta(days=1)
    done = {"kind": ["notice", "reminder", "thanks"], "since": since.isoformat(), "until": until.isoformat()}
    home, promises, alerts, *did = await asyncio.gather(
        asking.get("reporting", "/home", as_of=as_of),
        asking.get("reporting", "/promises", as_of=as_of, status="late", size=1),
        asking.get("reporting", "/alerts", as_of=as_of),
        *(asking.get("reporting", "/activities", as_of=as_of, medium=one, size=1, **done) for one in MEDIA),
    )
    owed, paid = home["owed"], home["paid"]
    return {
        "as_of": as_of,
        "currency": home["currency"],
        **{name: owed[name] for name in ("total", "overdue", "overdue_clients", "upcoming")},
        "paid": paid["amount"],
        "paid_since": paid["since"],
        "to_remind": home["to_remind"]["amount"],
        "tasks": {one["medium"]: one["actions"] for one in home["to_remind"]["media"]},
        "done_since": since.isoformat(),
        "done": {medium: found["count"] for medium, found in zip(MEDIA, did, strict=True)},
        "late_promises": promises["count"],
        "late_promised": promises["amount"],
        "failed_mails": alerts["counts"]["mail"],
        "stale": home["checks"]["stale"],
        "synced_on": home["last_sync"]["on"] if home["last_sync"] else None,
        "top": [{"name": one["name"], "overdue": one["overdue"]} for one in home["top"][:10]],
    }
