"""Stripe Checkout: a page of the provider's for one payment, and what it tells afterwards."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import stripe
from babel.numbers import get_currency_precision

from services.notify.payments.account import Account
from services.notify.payments.going_back import Movement, State

PAID_EVENTS = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
FAILED, EXPIRED = "checkout.session.async_payment_failed", "checkout.session.expired"
SESSIONS = (*PAID_EVENTS, FAILED, EXPIRED)
REFUNDED, REFUND_FAILED = "charge.refunded", "refund.failed"
DISPUTES = ("charge.dispute.created", "charge.dispute.closed")
REFUND_UPDATED = "refund.updated"
"""Of these only those that were cancelled: their money stays."""
HEARD = (*SESSIONS, REFUNDED, REFUND_FAILED, REFUND_UPDATED, *DISPUTES)
"""What a company asks Stripe to tell."""


class ProviderSilent(Exception):
    """Stripe does not answer, or not as it should; may be tried again."""


class KeyRefused(Exception):
    """Stripe does not know the key, or does not let it see payment pages; the text is Stripe's."""


class WebhookForged(Exception):
    """What was sent does not carry the signature of the company's account."""


@dataclass(frozen=True, slots=True)
class Session:
    session_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a webhook tells of one payment. ``amount`` is in the currency's own unit.

    ``pending``: the debtor ordered it, and its bank has not carried it out. ``intent`` names the money, once there
    is any.
    """

    payment_id: UUID
    state: Literal["paid", "pending", "failed", "expired"]
    amount: Decimal
    currency: str
    at: datetime
    intent: str = ""


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """What a webhook tells of money that goes back. ``intent`` names the payment it was."""

    intent: str
    movement: Movement


@dataclass(frozen=True, slots=True)
class Heard:
    """One webhook; ``told`` is ``None`` when it is about something else."""

    event_id: str
    told: Told | MoneyBack | None


How = Literal["closed", "expired", "complete"]
"""How a page ended: nobody paid, or somebody did."""


def minor(amount: Decimal, currency: str) -> int:
    """In the smallest unit of the currency, as Stripe counts."""
    return int((amount * 10 ** get_currency_precision(currency)).to_integral_value())


def major(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-get_currency_precision(currency))


class Checkout:
    """One company's account. ``base`` is another address of the API than Stripe's own, for trials."""

    def __init__(self, account: Account, base: str = "") -> None:
        self._account = account
        self._stripe = stripe.StripeClient(
            account.api_key, base_addresses={"api": base} if base else {}, max_network_retries=2
        )

    async def try_key(self) -> None:
        """Whether the key opens what payment pages need; nothing is made or changed. Raises ``KeyRefused`` and
        ``ProviderSilent``."""
        try:
            await self._stripe.v1.checkout.sessions.list_async({"limit": 1})
        except (stripe.AuthenticationError, stripe.PermissionError) as refused:
            raise KeyRefused(refused.user_message or type(refused).__name__) from refused
        except stripe.StripeError as failure:
            raise ProviderSilent(type(failure).__name__) from failure

    async def open(  # noqa: PLR0913, PLR0917 - what a page of the provider's says
        self, payment_id: UUID, amount: Decimal, currency: str, title: str, back: str, language: str
    ) -> Session:
        """A page where this is paid; asked again with the same id, the same page. Raises ``ProviderSilent``."""
        wanted: stripe.params.checkout.SessionCreateParams = {
            "mode": "payment",
            "client_reference_id": str(payment_id),
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": currency.lower(),
                        "unit_amount": minor(amount, currency),
                        "product_data": {"name": title},
                    },
                }
            ],
            "success_url": f"{back}?done=pay",
            "cancel_url": back,
            "locale": "fr" if language == "fr" else "en",
        }
        if self._account.methods:
            wanted["allowed_payment_method_types"] = list(self._account.methods)
        try:
            made = await self._stripe.v1.checkout.sessions.create_async(
                wanted, {"idempotency_key": str(payment_id)}
            )
        except stripe.StripeError as failure:
            raise ProviderSilent(type(failure).__name__) from failure
        if not made.url:
            raise ProviderSilent("a session without a page")
        return Session(made.id, made.url, datetime.fromtimestamp(made.expires_at, UTC))

    async def close(self, session_id: str) -> How:
        """Nobody can pay there any more. Raises ``ProviderSilent``."""
        try:
            await self._stripe.v1.checkout.sessions.expire_async(session_id)
        except stripe.InvalidRequestError:
            found = await self._session(session_id)
            return "closed" if found is None else "complete" if found.status == "complete" else "expired"
        except stripe.StripeError as failure:
            raise ProviderSilent(type(failure).__name__) from failure
        return "closed"

    async def intent_of(self, session_id: str) -> str:
        """The name of the money that came by a page; empty where this account knows none. Raises
        ``ProviderSilent``."""
        found = await self._session(session_id)
        return "" if found is None else _named(found, "payment_intent")

    async def payment_of(self, intent: str) -> UUID | None:
        """The payment whose page brought this money in. Raises ``ProviderSilent``."""
        try:
            found = await self._stripe.v1.checkout.sessions.list_async({"payment_intent": intent, "limit": 1})
        except stripe.InvalidRequestError:
            return None
        except stripe.StripeError as failure:
            raise ProviderSilent(type(failure).__name__) from failure
        return next((_reference(one) for one in found.data), None)

    async def _session(self, session_id: str) -> Any | None:
        """``None`` for one that this account does not know."""
        try:
            return await self._stripe.v1.checkout.sessions.retrieve_async(session_id)
        except stripe.InvalidRequestError:
            return None
        except stripe.StripeError as failure:
            raise ProviderSilent(type(failure).__name__) from failure

    async def account_id(self) -> str | None:
        """Whose key it is; ``None`` where the key may not tell. Raises ``KeyRefused`` and ``ProviderSilent``."""
        try:
            return (await self._stripe.v1.accounts.retrieve_current_async()).id
        except stripe.PermissionError:
            return None
        except stripe.AuthenticationError as refused:
            raise KeyRefused(refused.user_message or type(refused).__name__) from refused
        except stripe.StripeError as failure:
            raise ProviderSilent(type(failure).__name__) from failure

    async def is_own(self, event_id: str) -> bool:
        """Whether the account of the key knows an event that came with the signature of the webhook; true where
        the key may not tell. Raises ``ProviderSilent``."""
        try:
            await self._stripe.v1.events.retrieve_async(event_id)
        except stripe.PermissionError:
            return True
        except stripe.InvalidRequestError:
            return False
        except stripe.StripeError as failure:
            raise ProviderSilent(type(failure).__name__) from failure
        return True

    def read(self, payload: bytes, signature: str) -> Heard:
        """What a webhook tells. Raises ``WebhookForged``."""
        try:
            event = stripe.Webhook.construct_event(payload, signature, self._account.webhook_secret)
        except (stripe.SignatureVerificationError, ValueError) as forged:
            raise WebhookForged from forged
        at = datetime.fromtimestamp(event.created, UTC)
        about = event.data.object
        told: Told | MoneyBack | None = None
        if event.type in SESSIONS:
            told = _of_session(event.type, about, at)
        elif event.type in HEARD:
            told = _of_money(event.type, about, at)
        return Heard(event.id, told)


def _of_session(kind: str, session: Any, at: datetime) -> Told | None:
    payment_id = _reference(session)
    if payment_id is None:
        return None  # a payment of the company's that is not ours
    state: Literal["paid", "pending", "failed", "expired"] = "failed" if kind == FAILED else "expired"
    if kind in PAID_EVENTS:
        state = "paid" if session["payment_status"] == "paid" else "pending"
    currency = str(session["currency"]).upper()
    amount = major(session["amount_total"], currency)
    return Told(payment_id, state, amount, currency, at, _named(session, "payment_intent"))


def _reference(session: Any) -> UUID | None:
    try:
        return UUID(session["client_reference_id"])
    except (KeyError, TypeError, ValueError):
        return None


def _of_money(kind: str, about: Any, at: datetime) -> MoneyBack | None:
    """``None`` for money that no payment page brought in, and for a refund that only goes on."""
    intent = _named(about, "payment_intent")
    if not intent or (kind == REFUND_UPDATED and about["status"] != "canceled"):
        return None
    currency = str(about["currency"]).upper()
    state: State = "refunded" if kind == REFUNDED else "refund_failed"
    if kind in DISPUTES:
        said = str(about["status"])
        closed = kind == DISPUTES[1]
        state = "inquiry" if said.startswith("warning_") else "contested"
        if closed and state == "contested":
            state = "lost" if said == "lost" else "won"
    amount = about["amount_refunded"] if kind == REFUNDED else about["amount"]
    return MoneyBack(intent, Movement(str(about["id"]), state, major(amount, currency), at))


def _named(about: Any, name: str) -> str:
    """The id of another object, which stands there by itself or whole."""
    try:
        found = about[name]
    except KeyError:
        return ""
    return found if isinstance(found, str) else str(found["id"]) if found else ""
