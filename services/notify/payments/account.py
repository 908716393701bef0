"""A company's account at Stripe: its own, sealed in our table, or the one that the operator keeps as a file."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.sealing import Seal, SealBroken
from services.notify.payments.offering import Limits
from services.notify.settings import NotifySettings

API_KEY, WEBHOOK_SECRET = "stripe-key", "stripe-webhook"
"""What the keys are sealed for."""
OWN = text(
    "select api_key, webhook_secret, methods, minimum, maximum, use_credits from payment_account"
    " where company = :company"
)


class AccountUnreadable(Exception):
    """The company's file cannot be read as an account. The text names no secret."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    api_key: str = Field(min_length=1)
    webhook_secret: str = Field(min_length=1)
    methods: tuple[str, ...] = ()
    minimum: Decimal = Decimal("0.50")
    maximum: Decimal | None = None
    use_credits: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """``methods`` are Stripe's names (``card``, ``customer_balance``, ``bancontact``); none: as set at Stripe."""

    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    methods: tuple[str, ...]
    limits: Limits


def account_of(folder: Path | None, company: str) -> Account | None:
    """From ``<folder>/<company>.json``; ``None`` where the company has none. Raises ``AccountUnreadable``."""
    if folder is None:
        return None
    try:
        told = (folder / f"{company}.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as unreadable:
        raise AccountUnreadable(f"{company}.json cannot be read") from unreadable
    try:
        read = _File.model_validate_json(told)
    except ValidationError as wrong:
        named = ", ".join(sorted({".".join(map(str, error["loc"])) for error in wrong.errors()})) or "its form"
        raise AccountUnreadable(f"{company}.json is no account: {named}") from wrong
    limits = Limits(read.minimum, read.maximum, read.use_credits)
    return Account(read.api_key, read.webhook_secret, read.methods, limits)


async def account_in_use(tx: AsyncConnection, settings: NotifySettings, company: str) -> Account | None:
    """The company's own account, else the operator's file, else ``None``. Raises ``AccountUnreadable``."""
    row = (await tx.execute(OWN, {"company": company})).one_or_none()
    if row is None:
        return account_of(settings.payments_dir, company)
    seal = Seal(settings.sealing_key)
    try:
        api_key = seal.open(bytes(row.api_key), company=company, purpose=API_KEY)
        secret = seal.open(bytes(row.webhook_secret), company=company, purpose=WEBHOOK_SECRET)
    except SealBroken as broken:
        raise AccountUnreadable("the account's keys cannot be opened with the sealing key") from broken
    return Account(api_key, secret, tuple(row.methods), Limits(row.minimum, row.maximum, row.use_credits))
