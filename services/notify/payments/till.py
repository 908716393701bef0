"""Payments from the click to the money: one page open per line at a time, each payment told once."""

import logging
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.database import transaction
from chassis.eventlog import Cause, Said
from chassis.running import Running
from contracts.event import Event
from contracts.notify import PaidEntry, PaymentLinkPaid, PaymentReturned
from services.notify import queries
from services.notify.payments.checkout import Checkout, MoneyBack, Told
from services.notify.payments.going_back import Movement, freed, held, summed, supersedes
from services.notify.payments.offering import Limits, Offer, OpenLine, offer

log = logging.getLogger(__name__)

DEBTOR = "debtor"
PROVIDER = "service:notify"

LOCK = text("select client_id from client where company = :company and client_id = :client_id for update")
LINES = text(
    """
    select e.entry_id, e.amount, e.currency, e.lettering is not null or exists (
            select from online_payment paid where paid.company = e.company and paid.client_id = e.client_id
                and paid.entry_id = e.entry_id) or exists (
            select from payment ordered where ordered.company = e.company and ordered.client_id = e.client_id
                and ordered.state = 'pending'
                and ordered.entries @> jsonb_build_array(jsonb_build_object('entry_id', e.entry_id))) as held
    from entry e left join lettering_error error using (company, client_id, account, lettering)
    where e.company = :company and e.client_id = :client_id and not e.removed
        and (e.lettering is null or error.company is not null)
    order by e.due_date, e.entry_id
    """
)
OPEN = text(
    """
    select payment_id, amount, currency, entries, session_id, url,
        expires_at > now() + interval '5 minutes' as good
    from payment where company = :company and client_id = :client_id and state = 'open'
    """
)
ADD = text(
    """
    insert into payment (company, payment_id, client_id, amount, currency, entries, state, as_of)
    values (:company, :payment_id, :client_id, :amount, :currency, :entries, 'open', :as_of)
    """
)
OPENED = text(
    "update payment set session_id = :session_id, url = :url, expires_at = :expires_at"
    " where company = :company and payment_id = :payment_id"
)
ENDED = text(
    "update payment set state = :state, ended_at = now() where company = :company and payment_id = :payment_id"
)
ONE = text("select * from payment where company = :company and payment_id = :payment_id for update")
BY_INTENT = text("select * from payment where company = :company and intent = :intent for update")
INTENT = text("update payment set intent = :intent where company = :company and payment_id = :payment_id")
ALONE = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
MOVEMENTS = text(
    "select name, state, amount, told_at from money_back where company = :company and intent = :intent"
    " order by name"
)
KEEP = text(
    """
    insert into money_back (company, intent, name, state, amount, told_at)
    values (:company, :intent, :name, :state, :amount, :at)
    on conflict (company, intent, name) do update
        set state = excluded.state, amount = excluded.amount, told_at = excluded.told_at
    """
)
BACK = text(
    "update payment set returned = :returned, contested = :contested, returned_at = :at"
    " where company = :company and payment_id = :payment_id"
)
TOLD = text("update payment_account set heard_at = now() where company = :company")
PAID = text(
    "select distinct on (entry_id) entry_id, paid_on from online_payment"
    " where company = :company and client_id = :client_id order by entry_id, paid_on desc"
)
LIST = text(
    """
    select payment_id, amount, currency, entries, state, as_of, created_at, ended_at, returned, contested,
        returned_at
    from payment
    where company = :company and client_id = :client_id order by created_at desc limit 100
    """
)


@dataclass(frozen=True, slots=True)
class Page:
    """Where it is paid, and how much."""

    url: str
    amount: str
    currency: str


async def lines_of(tx: AsyncConnection, company: str, client_id: str) -> list[OpenLine]:
    rows = await tx.execute(LINES, {"company": company, "client_id": client_id})
    return [OpenLine(row.entry_id, row.amount, row.currency, row.held) for row in rows]


class Till:
    """One company's payments."""

    def __init__(self, running: Running, company: str, checkout: Checkout, limits: Limits) -> None:
        self.running, self.company, self.checkout, self.limits = running, company, checkout, limits

    async def page(  # noqa: PLR0913 - what is paid, and how it is shown
        self, client_id: str, wanted: list[str], as_of: date, *, title: str, back: str, language: str
    ) -> Page:
        """A page that asks for what the lines come to now; the same one while nothing changed (rule 19.5).

        Pages that ask for one of these lines otherwise are closed first: nobody pays a line twice by having two
        open. Raises ``PaymentRefused`` and ``ProviderSilent``.
        """
        of_client = {"company": self.company, "client_id": client_id}
        async with transaction(self.running.engine, self.company) as tx:
            await tx.execute(LOCK, of_client)
            made = offer(await lines_of(tx, self.company, client_id), wanted, self.limits)
            known = (await tx.execute(OPEN, of_client)).all()
            same = next((one for one in known if one.good and one.url and _is_of(one, made)), None)
            if same is not None:
                return Page(same.url, format(made.amount, "f"), made.currency)
            asked = {line.entry_id for line in made.lines}
            for one in known:
                if asked & {line["entry_id"] for line in one.entries}:
                    await self._close(tx, one)
            payment_id = uuid4()
            entries = [{"entry_id": line.entry_id, "amount": format(line.amount, "f")} for line in made.lines]
            row = {"payment_id": payment_id, "amount": made.amount, "currency": made.currency, "as_of": as_of}
            await tx.execute(ADD, of_client | row | {"entries": Jsonb(entries)})
        session = await self.checkout.open(payment_id, made.amount, made.currency, title, back, language)
        async with transaction(self.running.engine, self.company) as tx:
            opened = {"session_id": session.session_id, "url": session.url, "expires_at": session.expires_at}
            await tx.execute(OPENED, {"company": self.company, "payment_id": payment_id, **opened})
        return Page(session.url, format(made.amount, "f"), made.currency)

    async def _close(self, tx: AsyncConnection, row: Any) -> None:
        """One that was paid in this very moment stays open here: its webhook is on its way."""
        if row.session_id is None or await self.checkout.close(row.session_id):
            await tx.execute(ENDED, {"company": self.company, "payment_id": row.payment_id, "state": "closed"})

    async def was_told(self) -> None:
        """The provider reaches us, with the account's own signature: whoever sets it up can see that."""
        async with transaction(self.running.engine, self.company) as tx:
            await tx.execute(TOLD, {"company": self.company})

    async def hear(self, told: Told | MoneyBack) -> None:
        """What the provider tells, however often and in whatever order (rule 8.6, docs/adr/0052)."""
        intent = told.intent
        async with transaction(self.running.engine, self.company) as tx:
            if intent:  # of one payment one after the other: neither misses what the other is about to write
                await tx.execute(ALONE, {"name": f"{self.company} {intent}"})
            if isinstance(told, MoneyBack):
                await self._keep(tx, told)
                of_intent = {"company": self.company, "intent": intent}
                row = (await tx.execute(BY_INTENT, of_intent)).one_or_none()
            else:
                row = await self._ended(tx, told)
            if row is not None and row.state == "paid" and intent:
                await self._reckon(tx, row, intent, told.at if isinstance(told, Told) else told.movement.at)

    async def _ended(self, tx: AsyncConnection, told: Told) -> Any | None:
        """A payment is said once. Answers its row as it is now, ``None`` for one that nobody knows."""
        named = {"company": self.company, "payment_id": told.payment_id}
        row = (await tx.execute(ONE, named)).one_or_none()
        if row is None:
            return None
        if told.intent and row.intent is None:
            await tx.execute(INTENT, named | {"intent": told.intent})
        if row.state == "paid" or (told.state == "pending" and row.state != "open"):
            return row
        await tx.execute(ENDED, named | {"state": told.state})
        if told.state == "paid":
            if (told.amount, told.currency) != (row.amount, row.currency):
                log.warning("a payment is not what was asked for", extra={"payment": str(told.payment_id)})
            event = PaymentLinkPaid(
                payment_id=told.payment_id,
                client_id=row.client_id,
                amount=told.amount,
                currency=told.currency,
                paid_at=told.at,
                entries=tuple(PaidEntry(**line) for line in row.entries),
            )
            await self._say(tx, event, row, DEBTOR)
        return (await tx.execute(ONE, named)).one()

    async def _keep(self, tx: AsyncConnection, told: MoneyBack) -> None:
        """What was told of this refund or dispute, unless what is known of it counts more."""
        known = await _movements(tx, self.company, told.intent)
        before = next((one for one in known if one.name == told.movement.name), None)
        if before is None or supersedes(told.movement, before):
            moved = {name: getattr(told.movement, name) for name in ("name", "state", "amount", "at")}
            await tx.execute(KEEP, {"company": self.company, "intent": told.intent, **moved})

    async def _reckon(self, tx: AsyncConnection, row: Any, intent: str, at: datetime) -> None:
        """Say what is owed again, when the sum of what went back is another than before."""
        back = summed(await _movements(tx, self.company, intent), row.amount)
        if (back.returned, back.contested) == (row.returned, row.contested):
            return
        named = {"company": self.company, "payment_id": row.payment_id}
        await tx.execute(BACK, named | {"returned": back.returned, "contested": back.contested, "at": at})
        if back.returned == row.returned:
            return
        lines = [(line["entry_id"], Decimal(line["amount"])) for line in row.entries]
        free = freed(lines, row.amount, back.returned)
        event = PaymentReturned(
            payment_id=row.payment_id,
            client_id=row.client_id,
            amount=back.returned,
            currency=row.currency,
            why="charged_back" if back.charged_back else "refunded",
            returned_at=at,
            freed=free,
            held=held(lines, free),
        )
        await self._say(tx, event, row, PROVIDER)

    async def _say(self, tx: AsyncConnection, event: Event, row: Any, actor: str) -> None:
        today = clock.today(await queries.time_zone(tx, self.company))
        as_of = row.as_of if self.running.settings.allow_as_of else today  # in trials the day was chosen
        say = self.running.say(tx)
        await say(self.company, [Said(event, row.client_id)], as_of=as_of, cause=Cause.new(actor))


async def _movements(tx: AsyncConnection, company: str, intent: str) -> list[Movement]:
    rows = await tx.execute(MOVEMENTS, {"company": company, "intent": intent})
    return [Movement(row.name, row.state, row.amount, row.told_at) for row in rows]


def _is_of(row: Any, made: Offer) -> bool:
    """The page that is open asks for exactly this."""
    asked = {line["entry_id"]: line["amount"] for line in row.entries}
    return asked == {line.entry_id: format(line.amount, "f") for line in made.lines}


async def paid_on(tx: AsyncConnection, company: str, client_id: str) -> dict[str, date]:
    """The lines that were paid online, and when last."""
    rows = await tx.execute(PAID, {"company": company, "client_id": client_id})
    return {row.entry_id: row.paid_on for row in rows}


async def payments_of(tx: AsyncConnection, company: str, client_id: str) -> list[dict[str, Any]]:
    """The newest first; their states are open, pending, closed, expired, failed and paid."""
    rows = await tx.execute(LIST, {"company": company, "client_id": client_id})
    sums = ("amount", "returned", "contested")
    return [{**row._mapping, **{name: format(getattr(row, name), "f") for name in sums}} for row in rows]
