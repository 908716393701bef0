"""The figures of a company, every working day by mail, to those who asked for them (rule 15.4).

Each person's report is asked for in that person's name, so it tells of the clients that person sees. It has a
number, by which notify sends it once however often it is asked: so whatever keeps an answer from coming, it is
asked for again a few times, later. It is claimed before it is asked for: of several consoles one does the work.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid5
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
"""Longer than notify gives the mail server."""
CLAIMED_SECONDS = 180.0
"""A console that died while it asked is waited for so long; longer than asking takes."""
REPORTS = UUID("5d1f6a44-8b0e-5b7c-9a53-2f4f0c1e7d90")
"""What the numbers of reports are made in."""
IN_DOUBT = "report-in-doubt"
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
    update cash_report set tried_for = :day, claimed_until = now() + make_interval(secs => :seconds),
        failures = case when tried_for = :day then failures + 1 else 1 end,
        failure = case when tried_for = :day then failure end
    where company = :company and account_id = :account_id and sent_for is distinct from :day
        and (claimed_until is null or claimed_until < now())
        and (tried_for is distinct from :day or failures < :most)
    returning failures
""")
"""Every try counts as failed until it is known better, so that one that ends its console ends few of them. Who
comes second finds it claimed."""
LEFT = text("""
    update cash_report set failure = null, failures = 0, sent_for = :day, claimed_until = null
    where company = :company and account_id = :account_id
""")
FAILED = text("""
    update cash_report set claimed_until = null,
        failure = case when failure = :in_doubt and not :settles then failure else :failure end,
        sent_for = case when :again then sent_for else :day end
    where company = :company and account_id = :account_id and sent_for is distinct from :day
""")
"""What may have left stays in doubt until notify tells more of it. What another console sent meanwhile, which took
over a claim that lasted too long, has not failed."""


@dataclass(frozen=True)
class Failure:
    """Why a report is not known to have left. ``again``: asking again may help. ``settles``: notify told what
    became of it, so that nothing earlier counts."""

    code: str
    again: bool = True
    settles: bool = False


ANSWERS = {
    "stayed": Failure("mail-server-refused", settles=True),
    "under_way": Failure(IN_DOUBT),
    "in_doubt": Failure(IN_DOUBT, again=False, settles=True),
}
"""What notify tells of a report that it did not send."""


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
    claim = {"day": day, "seconds": CLAIMED_SECONDS, "most": MOST_FAILURES}
    async with transaction(console.engine) as tx:
        return (await tx.execute(CLAIM, one.key | claim)).one_or_none() is not None


async def _tried(console: Console, one: Wanted, day: date) -> bool:
    """Send a claimed report, and write down what became of it."""
    try:
        failure = await send(console, one, day, number_of(one, day.isoformat()))
    except ServiceSilent as silent:
        failure = Failure(f"{silent.service}-silent")
    except Refused as refused:
        failure = Failure(refused.code)
    async with transaction(console.engine) as tx:
        if failure is None:
            await tx.execute(LEFT, one.key | {"day": day})
        else:
            told = {"failure": failure.code, "again": failure.again, "settles": failure.settles}
            await tx.execute(FAILED, one.key | told | {"day": day, "in_doubt": IN_DOUBT})
    if failure:
        log.warning("a cash report did not leave", extra={"company": one.company, "reason": failure.code})
    return failure is None


def number_of(one: Wanted, named: str) -> UUID:
    """Of the report of its day, or of a wish for a copy; nobody makes the number of another's."""
    return uuid5(REPORTS, f"{one.company}/{one.account_id}/{named}")


async def send(console: Console, one: Wanted, day: date, number: UUID) -> Failure | None:
    """Send one report now: ``None``, or what is known otherwise. Raises as ``Neighbours.request`` where nothing
    was sent."""
    figures = await gathered(neighbours_of(console, one), day)
    sending = console.gateway.neighbours("service:console", one.company, "system", None)
    body = {"report_id": str(number), "to": one.email, "language": one.language, **figures}
    try:
        answer = await sending.request("notify", "POST", "/cash-report", json=body, timeout=ANSWERED_SECONDS)
    except ServiceSilent as silent:
        if silent.unheard:
            raise
        return Failure(IN_DOUBT)
    state = answer.json()["state"]
    return None if state == "sent" else ANSWERS[state]


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
