"""Stripe Checkout: a page of the provider's for one payment, and what it tells afterwards."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import stripe
from babel.numbers import get_currency_precision

from services.notify.payments.account import Account

PAID_EVENTS = ("checkout.session.completed", "checkout.session.async_payment_succeeded")


class ProviderSilent(Exception):
    """Stripe does not answer, or not as it should; may be tried again."""


class WebhookForged(Exception):
    """What was sent does not carry the signature of the company's account."""


@dataclass(frozen=True, slots=True)
class Session:
    session_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a webhook tells of one payment. ``amount`` is in the currency's own unit."""

    payment_id: UUID
    paid: bool
    expired: bool
    amount: Decimal
    currency: str
    at: datetime


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

    async def close(self, session_id: str) -> bool:
        """Nobody can pay there any more; false when it is over, paid perhaps. Raises ``ProviderSilent``."""
        try:
            await self._stripe.v1.checkout.sessions.expire_async(session_id)
        except stripe.InvalidRequestError:
            return False
        except stripe.StripeError as failure:
            raise ProviderSilent(type(failure).__name__) from failure
        return True

    def read(self, payload: bytes, signature: str) -> Told | None:
        """What a webhook tells, ``None`` when it is about something else. Raises ``WebhookForged``."""
        try:
            event = stripe.Webhook.construct_event(payload, signature, self._account.webhook_secret)
        except (stripe.SignatureVerificationError, ValueError) as forged:
            raise WebhookForged from forged
        if event.type not in (*PAID_EVENTS, "checkout.session.expired"):
            return None
        session = event.data.object
        try:
            payment_id = UUID(session["client_reference_id"])
        except (KeyError, TypeError, ValueError):
            return None  # a payment of the company's that is not ours
        currency = str(session["currency"]).upper()
        return Told(
            payment_id,
            paid=event.type in PAID_EVENTS and session["payment_status"] == "paid",
            expired=event.type == "checkout.session.expired",
            amount=major(session["amount_total"], currency),
            currency=currency,
            at=datetime.fromtimestamp(event.created, UTC),
        )
