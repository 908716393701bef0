"""What the provider tells of payments: money that came, money that goes back; each told once (docs/adr/0052)."""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any

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
from services.notify.payments.till import ENDED, LOCK

log = logging.getLogger(__name__)

DEBTOR = "debtor"
PROVIDER = "service:notify"

WHOSE = text("select client_id from payment where company = :company and payment_id = :payment_id")
PAID_BEFORE = text(
    "select distinct entry_id from online_payment where company = :company and client_id = :client_id"
    " and payment_id <> :payment_id and entry_id = any(:entry_ids) order by entry_id"
)
NAMELESS = text(
    "select payment_id, session_id from payment where company = :company and state = 'paid' and intent is null"
    " and session_id is not null order by ended_at desc limit :most"
)
"""Paid before the provider's name of the money was kept."""
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
MOST_NAMED = 10
"""Payments of before that are named each time the provider tells of money that went back: it waits meanwhile."""


class Hearing:
    """What one company's provider tells."""

    def __init__(self, running: Running, company: str, checkout: Checkout) -> None:
        self.running, self.company, self.checkout = running, company, checkout

    async def hear(self, told: Told | MoneyBack) -> None:
        """What the provider tells, however often and in whatever order (rule 8.6, docs/adr/0052). Raises
        ``ProviderSilent`` when it has to be asked and does not answer: it tells again."""
        intent = told.intent
        if isinstance(told, MoneyBack):
            await self._name(intent)
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
        client_id = await tx.scalar(WHOSE, named)
        if client_id is None:
            return None
        # two payments of a client one after the other: the second knows of the first
        await tx.execute(LOCK, {"company": self.company, "client_id": client_id})
        row = (await tx.execute(ONE, named)).one()
        if told.intent and row.intent is None:
            await tx.execute(INTENT, named | {"intent": told.intent})
        if row.state == "paid" or (told.state == "pending" and row.state != "open"):
            return row
        await tx.execute(ENDED, named | {"state": told.state})
        if told.state == "paid":
            if (told.amount, told.currency) != (row.amount, row.currency):
                log.warning("a payment is not what was asked for", extra={"payment": str(told.payment_id)})
            entry_ids = [line["entry_id"] for line in row.entries]
            asked = named | {"client_id": client_id, "entry_ids": entry_ids}
            paid_before = tuple(await tx.scalars(PAID_BEFORE, asked))
            if paid_before:
                log.warning("a payment is to be given back", extra={"payment": str(told.payment_id)})
            event = PaymentLinkPaid(
                payment_id=told.payment_id,
                client_id=row.client_id,
                amount=told.amount,
                currency=told.currency,
                paid_at=told.at,
                entries=tuple(PaidEntry(**line) for line in row.entries),
                paid_before=paid_before,
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

    async def _name(self, intent: str) -> None:
        """Find out which payment's money this is, where payments were paid before its name was kept: the provider
        knows the page by it, and the money by the page."""
        async with transaction(self.running.engine, self.company) as tx:
            of_intent = {"company": self.company, "intent": intent}
            if (await tx.execute(BY_INTENT, of_intent)).one_or_none() is not None:
                return
            rows = (await tx.execute(NAMELESS, {"company": self.company, "most": MOST_NAMED})).all()
        if not rows:
            return
        found = await self.checkout.payment_of(intent)
        names = {} if found is None else {found: intent}
        for row in rows:
            if row.payment_id not in names:
                names[row.payment_id] = await self.checkout.intent_of(row.session_id)
        for payment_id, name in names.items():
            named = {"company": self.company, "payment_id": payment_id}
            async with transaction(self.running.engine, self.company) as tx:
                await tx.execute(ALONE, {"name": f"{self.company} {name}"})
                unnamed = (await tx.execute(ONE, named)).one_or_none()
                if unnamed is None or unnamed.intent is not None:
                    continue
                await tx.execute(INTENT, named | {"intent": name})
                known = await _movements(tx, self.company, name) if name else []
                if unnamed.state == "paid" and known:
                    await self._reckon(tx, unnamed, name, max(one.at for one in known))


async def _movements(tx: AsyncConnection, company: str, intent: str) -> list[Movement]:
    rows = await tx.execute(MOVEMENTS, {"company": company, "intent": intent})
    return [Movement(row.name, row.state, row.amount, row.told_at) for row in rows]
