"""The account at Stripe that a company's clients pay into: set, tried, given up (rule 19.5). No secret leaves."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from chassis.problems import Problem
from chassis.sealing import Seal, SealBroken
from services.notify.api.bodies import Body
from services.notify.api.mail_server import sealed
from services.notify.payments.account import (
    API_KEY,
    WEBHOOK_SECRET,
    Account,
    AccountUnreadable,
    account_in_use,
    account_of,
)
from services.notify.payments.checkout import HEARD, Checkout, KeyRefused, ProviderSilent
from services.notify.payments.offering import Limits
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin"), WholeCompany])

SAVED = text(
    "select live, account_id, methods, minimum, maximum, use_credits, changed_by, changed_at, heard_at"
    " from payment_account where company = :company"
)
SAVE = text(
    """
    insert into payment_account as known (company, api_key, webhook_secret, live, account_id, methods, minimum,
        maximum, use_credits, changed_by)
    values (:company, :api_key, :webhook_secret, :live, :account_id, :methods, :minimum, :maximum, :use_credits,
        :changed_by)
    on conflict (company) do update set api_key = excluded.api_key, webhook_secret = excluded.webhook_secret,
        live = excluded.live, account_id = excluded.account_id, methods = excluded.methods,
        minimum = excluded.minimum, maximum = excluded.maximum,
        use_credits = excluded.use_credits, changed_by = excluded.changed_by, changed_at = now(),
        heard_at = case when :keep_secret then known.heard_at end
    """
)
KEPT = text(
    "select api_key, webhook_secret, live, account_id from payment_account where company = :company for update"
)
FORGET = text("delete from payment_account where company = :company")
NO_MORE_OFFERED = text("update payment set expires_at = now() where company = :company and state = 'open'")
"""Pages of the account before: they stand at Stripe, and nobody is sent there again."""

Key = Annotated[str, Field(min_length=8, max_length=300)]
Money = Annotated[Decimal, Field(ge=0, le=Decimal("999999999"), decimal_places=2)]
Method = Literal["card", "customer_balance", "bancontact", "sepa_debit", "link"]


class AccountBody(Body):
    """``api_key`` (secret or restricted) and ``webhook_secret``: left out keeps the ones there are. ``methods``
    are Stripe's names, none leaves the choice to Stripe. ``maximum`` left out is none."""

    api_key: Key | None = Field(None, repr=False)
    webhook_secret: Key | None = Field(None, repr=False)
    methods: list[Method] = Field(default_factory=list, max_length=10)
    minimum: Money = Decimal("0.50")
    maximum: Money | None = None
    use_credits: bool = True


class Trial(Body):
    """``api_key``: one that is not saved yet; left out: the one in use."""

    api_key: Key | None = Field(None, repr=False)


def is_live(api_key: str) -> bool:
    """Whether the key moves real money. Raises ``Problem`` for what is no secret key of Stripe's."""
    kind, _, rest = api_key.partition("_")
    mode, _, name = rest.partition("_")
    if kind not in {"sk", "rk"} or mode not in {"live", "test"} or not name.isascii() or not name.isalnum():
        raise Problem("stripe-key-unfit", "A secret or restricted key of Stripe's begins with sk_ or rk_", 422)
    return mode == "live"


@router.get("/online-payment")
async def get_online_payment(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """``saved`` is the company's own account without its keys; ``operators``: the operator's file holds one, which
    counts while there is none. ``webhook_url`` and ``events`` are what to set at Stripe; the address is null while
    the installation does not know where it is reached from outside."""
    settings = _settings(process)
    row = (await tx.execute(SAVED, {"company": company})).mappings().one_or_none()
    saved = None
    if row is not None:
        amounts = {name: None if row[name] is None else f"{row[name]:.2f}" for name in ("minimum", "maximum")}
        saved = dict(row) | amounts
    public = settings.public_url.rstrip("/")
    return {
        "saved": saved,
        "operators": _of_operator(settings, company) is not None,
        "can_keep_secrets": bool(settings.sealing_key.strip()),
        "space_offered": bool(settings.space_url and settings.link_secret),
        "webhook_url": f"{public}/stripe/{company}" if public else None,
        "events": list(HEARD),
    }


@router.put("/online-payment")
async def put_online_payment(
    body: AccountBody, company: CompanyDep, tx: TxDep, process: RunningDep, cause: CauseDep
) -> dict[str, Any]:
    """Set the company's own account; the next payment goes there. 422 ``stripe-key-unfit``,
    ``stripe-secret-unfit``, ``stripe-keys-needed`` when one of the two is missing or belongs to the other mode,
    ``limits-crossed``, ``stripe-key-refused``; 409 ``secrets-not-kept`` when the installation has no key to seal
    them with. A new key beside the secret there is has to be of the same account, which Stripe is asked: 422
    ``stripe-account-other`` or ``stripe-account-unproved`` when it is not or cannot be told, and then the secret
    of its webhook is needed as well; 503 ``provider-silent``."""
    if body.maximum is not None and body.maximum < body.minimum:
        raise Problem("limits-crossed", "The largest payment is below the smallest", 422)
    if body.webhook_secret is not None and not body.webhook_secret.startswith("whsec_"):
        raise Problem("stripe-secret-unfit", "The signing secret of a webhook begins with whsec_", 422)
    settings = _settings(process)
    kept = (await tx.execute(KEPT, {"company": company})).one_or_none()
    live = is_live(body.api_key) if body.api_key is not None else None if kept is None else kept.live
    keeps_secret = body.webhook_secret is None
    api_key = None if kept is None else kept.api_key
    secret = None if kept is None else kept.webhook_secret
    if kept is None or body.api_key is not None:
        api_key = sealed(settings, body.api_key, company, API_KEY)
    if kept is None or not keeps_secret:
        secret = sealed(settings, body.webhook_secret, company, WEBHOOK_SECRET)
    if api_key is None or secret is None or (keeps_secret and kept is not None and kept.live != live):
        raise Problem("stripe-keys-needed", "The key and the webhook's secret of the same mode are needed", 422)
    account_id = await _account_id(body, kept, company, settings)
    values = body.model_dump(exclude={"api_key", "webhook_secret"}) | {
        "company": company,
        "changed_by": cause.actor,
        "live": live,
        "account_id": account_id,
        "keep_secret": keeps_secret,
        "api_key": api_key,
        "webhook_secret": secret,
    }
    await tx.execute(SAVE, values)
    if body.api_key is not None:
        await tx.execute(NO_MORE_OFFERED, {"company": company})
    return await get_online_payment(company, tx, process)


@router.delete("/online-payment")
async def delete_online_payment(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Give the account up; pages that are open at Stripe can still be paid, and are not heard of any more. 404
    when the company has none of its own."""
    if not (await tx.execute(FORGET, {"company": company})).rowcount:
        raise Problem("online-payment-unknown", "The company has no account of its own", 404)
    await tx.execute(NO_MORE_OFFERED, {"company": company})
    return {"deleted": True}


@router.post("/online-payment/test")
async def test_online_payment(body: Trial, company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """Ask Stripe whether it takes the key: ``ok``, ``live``, and where not, ``code`` (``refused``, ``silent``) and
    Stripe's ``words``. Nothing is made there and nothing saved. 409 ``payment-not-offered`` without any key."""
    settings = _settings(process)
    account = await _meant(tx, company, settings, body.api_key)
    live = is_live(account.api_key)
    try:
        await Checkout(account, settings.stripe_url).try_key()
    except KeyRefused as refused:
        return {"ok": False, "live": live, "code": "refused", "words": str(refused)}
    except ProviderSilent as silent:
        return {"ok": False, "live": live, "code": "silent", "words": str(silent)}
    return {"ok": True, "live": live, "code": "", "words": ""}


async def _account_id(body: AccountBody, kept: Any, company: str, settings: NotifySettings) -> str | None:
    """Whose the key is, where Stripe tells. Raises ``Problem`` for a key that is not of the account whose webhook
    secret stays: what Stripe signs would be of the one account, what debtors pay would go to the other."""
    if body.api_key is None:
        return None if kept is None else str(kept.account_id) if kept.account_id else None
    try:
        told = await _told_by(body.api_key, settings)
    except KeyRefused as refused:
        raise Problem("stripe-key-refused", "Stripe refuses this key", 422, str(refused)) from refused
    except ProviderSilent as silent:
        if body.webhook_secret is not None:
            return None
        raise Problem("provider-silent", "Stripe does not answer", 503) from silent
    if body.webhook_secret is not None or kept is None:
        return told
    before = kept.account_id or await _account_before(kept, company, settings)
    if told is None or before is None:
        raise Problem("stripe-account-unproved", "Nothing proves that the key is of the same account", 422)
    if told != before:
        raise Problem("stripe-account-other", "The key is of another account than the webhook's secret", 422)
    return told


async def _told_by(api_key: str, settings: NotifySettings) -> str | None:
    return await Checkout(Account(api_key, "", (), Limits()), settings.stripe_url).account_id()


async def _account_before(kept: Any, company: str, settings: NotifySettings) -> str | None:
    """Of an account that was saved before its name was kept; ``None`` where its key tells nothing any more."""
    try:
        api_key = Seal(settings.sealing_key).open(bytes(kept.api_key), company=company, purpose=API_KEY)
        return await _told_by(api_key, settings)
    except (SealBroken, KeyRefused, ProviderSilent):
        return None


async def _meant(tx: AsyncConnection, company: str, settings: NotifySettings, typed: str | None) -> Account:
    if typed is not None:
        is_live(typed)
        return Account(typed, "", (), Limits())
    try:
        account = await account_in_use(tx, settings, company)
    except AccountUnreadable as unreadable:
        raise Problem(
            "secret-unreadable", "The keys cannot be read with this installation's key", 409
        ) from unreadable
    if account is None:
        raise Problem("payment-not-offered", "This company takes no payments online", 409)
    return account


def _of_operator(settings: NotifySettings, company: str) -> Account | None:
    try:
        return account_of(settings.payments_dir, company)
    except AccountUnreadable:
        return None  # said in the log whenever it is asked for


def _settings(process: RunningDep) -> NotifySettings:
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    return settings
