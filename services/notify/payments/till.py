"""The provider's pages for payments: one open per line at a time (rule 19.5)."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import transaction
from chassis.running import Running
from services.notify.payments.checkout import Checkout, ProviderSilent, Session
from services.notify.payments.offering import Limits, Offer, OpenLine, PaymentRefused, offer

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
        expires_at > now() + interval '5 minutes' as good,
        session_id is null and expires_at is null and created_at > now() - interval '30 seconds' as opening
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
    " where company = :company and payment_id = :payment_id and state = 'open' and expires_at is null"
)
ENDED = text(
    "update payment set state = :state, ended_at = clock_timestamp()"
    " where company = :company and payment_id = :payment_id"
)
WAIT_SECONDS, LOOK_SECONDS = 8.0, 0.1


@dataclass(frozen=True, slots=True)
class Page:
    """Where it is paid, and how much."""

    url: str
    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A payment whose page is being opened, by whoever made its row."""

    payment_id: UUID
    offer: Offer


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

        Pages that ask for one of these lines otherwise are closed first, and while somebody else is opening one it
        is waited for: nobody pays a line twice by having two open. Raises ``PaymentRefused`` and
        ``ProviderSilent``.
        """
        for _ in range(round(WAIT_SECONDS / LOOK_SECONDS)):
            found = await self._begun(client_id, wanted, as_of)
            if isinstance(found, Page):
                return found
            if found is not None:
                session = await self._opened(found, title, back, language)
                return Page(session.url, format(found.offer.amount, "f"), found.offer.currency)
            await asyncio.sleep(LOOK_SECONDS)
        raise ProviderSilent("another page is being opened")

    async def _begun(self, client_id: str, wanted: list[str], as_of: date) -> Page | Begun | None:
        """The page that is open already, or one that nobody else opens now; ``None`` while somebody does."""
        of_client = {"company": self.company, "client_id": client_id}
        async with transaction(self.running.engine, self.company) as tx:
            await tx.execute(LOCK, of_client)
            made = offer(await lines_of(tx, self.company, client_id), wanted, self.limits)
            known = (await tx.execute(OPEN, of_client)).all()
            same = next((one for one in known if one.good and one.url and _is_of(one, made)), None)
            if same is not None:
                return Page(same.url, format(made.amount, "f"), made.currency)
            asked = {line.entry_id for line in made.lines}
            others = [one for one in known if asked & {line["entry_id"] for line in one.entries}]
            if any(one.opening for one in others):
                return None
            for one in others:
                await self._close(tx, one)
            payment_id = uuid4()
            entries = [{"entry_id": line.entry_id, "amount": format(line.amount, "f")} for line in made.lines]
            row = {"payment_id": payment_id, "amount": made.amount, "currency": made.currency, "as_of": as_of}
            await tx.execute(ADD, of_client | row | {"entries": Jsonb(entries)})
        return Begun(payment_id, made)

    async def _opened(self, begun: Begun, title: str, back: str, language: str) -> Session:
        """The provider's page. Nobody is shown one that was given up meanwhile: it would be a second one."""
        named = {"company": self.company, "payment_id": begun.payment_id}
        amount, currency = begun.offer.amount, begun.offer.currency
        try:
            session = await self.checkout.open(begun.payment_id, amount, currency, title, back, language)
        except ProviderSilent:
            async with transaction(self.running.engine, self.company) as tx:
                await tx.execute(ENDED, named | {"state": "closed"})
            raise
        opened = {"session_id": session.session_id, "url": session.url, "expires_at": session.expires_at}
        async with transaction(self.running.engine, self.company) as tx:
            is_ours = (await tx.execute(OPENED, named | opened)).rowcount == 1
        if not is_ours:
            await self.checkout.close(session.session_id)
            raise ProviderSilent("the page came too late")
        return session

    async def _close(self, tx: AsyncConnection, row: Any) -> None:
        """Raises ``PaymentRefused`` for one that was paid in this very moment: its webhook is on its way."""
        how = "closed" if row.session_id is None else await self.checkout.close(row.session_id)
        if how == "complete":
            raise PaymentRefused("entry-paid")
        await tx.execute(ENDED, {"company": self.company, "payment_id": row.payment_id, "state": how})


def _is_of(row: Any, made: Offer) -> bool:
    """The page that is open asks for exactly this."""
    asked = {line["entry_id"]: line["amount"] for line in row.entries}
    return asked == {line.entry_id: format(line.amount, "f") for line in made.lines}
