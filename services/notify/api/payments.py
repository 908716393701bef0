"""Paying online: offered to debtors, told by Stripe, seen by users (rules 8.6, 19.5)."""

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import text

from chassis.database import transaction
from chassis.http import COMPANY_SLUG, AsOfDep, CompanyDep, DebtorDep, RunningDep, TxDep, for_debtors
from chassis.problems import Problem
from chassis.running import Running
from contracts.event import ClientId, EntryId
from services.notify.api.bodies import Body
from services.notify.payments import kept, till
from services.notify.payments.account import Account, AccountUnreadable, account_in_use
from services.notify.payments.checkout import Checkout, ProviderSilent, WebhookForged
from services.notify.payments.hearing import Hearing
from services.notify.payments.offering import PaymentRefused
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}")
door = APIRouter()
"""Where the provider tells: no token of ours, but its signature."""

LARGEST_WEBHOOK = 1 << 20

REACHED = text("select heard_at from payment_account where company = :company")
TOLD = text("update payment_account set heard_at = now() where company = :company")

log = logging.getLogger(__name__)


class Wanted(Body):
    """``title`` is what the provider's page calls it; ``link`` is the debtor's own, where it comes back to."""

    entry_ids: list[EntryId] = Field(min_length=1, max_length=100)
    title: str = Field(min_length=1, max_length=200)
    link: str = Field(min_length=1, max_length=300, pattern=r"^[A-Za-z0-9_-]+$")
    language: str = Field("fr", pattern="^(fr|en)$")


def _knobs(process: Running) -> NotifySettings:
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    return settings


async def _account(process: Running, company: str) -> Account | None:
    try:
        async with transaction(process.engine, company) as tx:
            return await account_in_use(tx, _knobs(process), company)
    except AccountUnreadable as unreadable:
        log.error("an account for online payment cannot be read", extra={"reason": str(unreadable)})
        return None


def _till(process: Running, company: str, account: Account) -> till.Till:
    return till.Till(process, company, Checkout(account, _knobs(process).stripe_url), account.limits)


@router.get("/debtor/payments")
@for_debtors
async def offered(client_id: DebtorDep, company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """``offered``: this company takes payments online; ``paid``: the lines that were, and when."""
    account = await _account(process, company)
    return {"offered": account is not None, "paid": await kept.paid_on(tx, company, client_id)}


@router.post("/debtor/pay")
@for_debtors
async def pay(
    body: Wanted, client_id: DebtorDep, company: CompanyDep, as_of: AsOfDep, process: RunningDep
) -> dict[str, Any]:
    """The provider's page for these lines: ``{url, amount, currency}``. 409 with the reason when there is none,
    503 ``provider-silent`` while the provider does not answer.
    """
    account = await _account(process, company)
    if account is None:
        raise Problem("payment-not-offered", "This company takes no payments online", 409)
    back = f"{_knobs(process).space_url.rstrip('/')}/d/{body.link}"
    try:
        page = await _till(process, company, account).page(
            client_id, body.entry_ids, as_of, title=body.title, back=back, language=body.language
        )
    except PaymentRefused as refused:
        raise Problem(refused.code, "This cannot be paid online", 409) from refused
    except ProviderSilent as silent:
        log.warning("the provider of payments does not answer", extra={"reason": str(silent)})
        raise Problem("provider-silent", "The provider does not answer", 503) from silent
    return {"url": page.url, "amount": page.amount, "currency": page.currency}


@router.get("/payments")
async def payments(client_id: Annotated[ClientId, Query()], company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """A client's payments online, the newest first, with their states: open, pending, closed, expired, failed,
    paid; ``returned`` went back, ``contested`` the bank has not decided on, ``surplus`` was paid a second time and
    is to be given back."""
    return {"payments": await kept.payments_of(tx, company, client_id)}


@router.get("/payments/to-refund")
async def to_refund(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Payments of lines that had been paid online before, the oldest first: ``surplus`` is to be given back at the
    provider, which tells when it is."""
    return {"payments": await kept.to_refund(tx, company)}


@door.post("/stripe/{company}")
async def hear(
    company: str,
    request: Request,
    process: RunningDep,
    signature: Annotated[str, Header(alias="Stripe-Signature")] = "",
) -> Response:
    """What Stripe tells of a payment, heard once however often it is sent. 400 for a signature not its
    own, and for an event that the account of the key does not know."""
    account = await _account(process, company) if COMPANY_SLUG.fullmatch(company) else None
    if account is None:
        raise Problem("not-found", "There is no such account", 404)
    payload = bytearray()
    async for chunk in request.stream():
        payload += chunk
        if len(payload) > LARGEST_WEBHOOK:
            raise Problem("too-large", "No webhook is so large", 413)
    checkout = Checkout(account, _knobs(process).stripe_url)
    try:
        heard = checkout.read(bytes(payload), signature)
    except WebhookForged as forged:
        raise Problem("signature-refused", "The signature is not that of the account", 400) from forged
    await _was_told(process, company, checkout, heard.event_id)
    try:
        if heard.told is not None:
            await Hearing(process, company, checkout).hear(heard.told)
    except ProviderSilent as silent:  # it tells again
        raise Problem("provider-silent", "The provider does not answer", 503) from silent
    return Response(status_code=204)


async def _was_told(process: Running, company: str, checkout: Checkout, event_id: str) -> None:
    """Keep that the provider reaches us with the account's own signature. Until it did it is asked whether the
    account of the key knows the event: another account's webhook may be signed with the secret that was saved."""
    async with transaction(process.engine, company) as tx:
        row = (await tx.execute(REACHED, {"company": company})).one_or_none()
    if row is None:
        return
    try:
        is_own = row.heard_at is not None or await checkout.is_own(event_id)
    except ProviderSilent as silent:
        log.warning("the provider of payments does not answer", extra={"reason": str(silent)})
        return
    if not is_own:
        log.error("a webhook is of another account than the key", extra={"company": company})
        raise Problem("account-other", "The event is not of the account whose key is saved", 400)
    async with transaction(process.engine, company) as tx:
        await tx.execute(TOLD, {"company": company})
