"""A company's authorization for its mailbox (OAuth 2): set, connected by a person, tried, taken back. No secret
leaves."""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from chassis.problems import Problem
from chassis.sealing import Seal, SealMissing
from services.notify.api.bodies import Body
from services.notify.api.mail_server import outside, sealed
from services.notify.oauth import consent
from services.notify.oauth.assertion import CertificateUnfit, certified
from services.notify.oauth.endpoint import TokenEndpoint, Unauthorized
from services.notify.oauth.keeping import (
    LOCKED,
    REFRESH_PURPOSE,
    SECRET_PURPOSE,
    application,
    keeper_of,
    opened,
)
from services.notify.oauth.providers import WAYS, ProviderName, Way, provider_of
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin"), WholeCompany])

SAVED = text(
    """
    select provider, way, tenant, client_id, secret is not null as has_secret, secret_kind, authorize_url,
        token_url, revoke_url, scope, hosts, refresh_token is not null as connected, consented_by, consented_at,
        trouble, trouble_since, changed_by, changed_at
    from mail_authorization where company = :company
    """
)
BINDING = ("provider", "way", "tenant", "client_id", "authorize_url", "token_url", "revoke_url", "scope", "hosts")
"""Where any of these changes, what was entrusted goes to nobody else: secret and consent are given anew."""
SAVE = text(
    """
    insert into mail_authorization as known (company, provider, way, tenant, client_id, secret, secret_kind,
        authorize_url, token_url, revoke_url, scope, hosts, changed_by, version)
    values (:company, :provider, :way, :tenant, :client_id, :secret, :secret_kind, :authorize_url, :token_url,
        :revoke_url, :scope, :hosts, :changed_by, floor(random() * 1000000000)::integer)
    on conflict (company) do update set provider = excluded.provider, way = excluded.way, tenant = excluded.tenant,
        client_id = excluded.client_id, secret = excluded.secret, secret_kind = excluded.secret_kind,
        authorize_url = excluded.authorize_url, token_url = excluded.token_url, revoke_url = excluded.revoke_url,
        scope = excluded.scope, hosts = excluded.hosts, changed_by = excluded.changed_by, changed_at = now(),
        refresh_token = case when :same then known.refresh_token end,
        consented_by = case when :same then known.consented_by end,
        consented_at = case when :same then known.consented_at end,
        pending = null, trouble = null, trouble_since = null, version = known.version + 1
    """
)
"""A version begins anywhere: one that was forgotten and set anew must not pass for the one before, of which
processes still hold a token."""
BEGUN = text("update mail_authorization set pending = :pending where company = :company")
CONNECTED = text(
    """
    update mail_authorization set refresh_token = :refresh_token, pending = null, consented_by = :person,
        consented_at = now(), trouble = null, trouble_since = null, version = version + 1
    where company = :company
    """
)
DISCONNECTED = text(
    """
    update mail_authorization set refresh_token = null, pending = null, consented_by = null, consented_at = null,
        trouble = null, trouble_since = null, version = version + 1
    where company = :company
    """
)
FORGET = text("delete from mail_authorization where company = :company")
USED_BY = text(
    "select exists (select from mail_server where company = :company and sign_in = 'oauth')"
    " or exists (select from mailbox_account where company = :company and sign_in = 'oauth')"
)

Https = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^(https://[A-Za-z0-9][A-Za-z0-9._~:/?=&%@+-]*)?$")
]
Plain = Annotated[str, Field(max_length=300, pattern=r"^[!-~]*$")]
HostName = Annotated[str, StringConstraints(max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$")]
TENANT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
MICROSOFTS_OWN = frozenset({"common", "organizations", "consumers"})
"""Names that stand for any tenant."""


class AuthorizationBody(Body):
    """``way``: the ``application`` acts for itself, or by a person's ``consent``. ``secret`` or ``certificate``
    (PEM of an RSA key and its certificate): both left out keep what there is, as long as nothing else changes; an
    empty ``secret`` is none. The addresses, ``scope`` and ``hosts`` (the mail servers that tokens may be shown to)
    are for ``other`` alone, ``tenant`` for ``microsoft``."""

    provider: ProviderName
    way: Way = "consent"
    tenant: Annotated[str, Field(max_length=253)] = ""
    client_id: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[!-~]+$")]
    secret: str | None = Field(None, max_length=1000, repr=False)
    certificate: str | None = Field(None, max_length=20_000, repr=False)
    authorize_url: Https = ""
    token_url: Https = ""
    revoke_url: Https = ""
    scope: Annotated[str, Field(max_length=1000, pattern=r"^[!-~]*( [!-~]+)*$")] = ""
    hosts: list[HostName] = Field(default_factory=list, max_length=10)


class Session(Body):
    """``session``: what tells this person's session from any other, and lets nobody enter it."""

    session: Plain = Field(min_length=16)
    mailbox: Annotated[str, Field(max_length=320, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class Brought(Body):
    """What the provider sent the person back with."""

    session: Plain = Field(min_length=16)
    state: str = Field(min_length=1, max_length=2000)
    code: str = Field(min_length=1, max_length=5000, repr=False)


class Trial(Body):
    """Nothing but the saved one can be tried."""


@router.get("/mail-authorization")
async def get_mail_authorization(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """``saved`` without secrets: ``connected`` by a consent of ``consented_by``, and since when which ``trouble``
    keeps tokens from coming. ``redirect_uri`` is what to register at the provider; null where the installation
    does not know its address, and nobody can consent."""
    row = (await tx.execute(SAVED, {"company": company})).mappings().one_or_none()
    settings = _settings(process)
    saved = None
    if row is not None:
        saved = dict(row) | {"hosts": list(provider_of(row).hosts)}
    return {
        "saved": saved,
        "redirect_uri": redirect_uri(settings),
        "can_keep_passwords": bool(settings.sealing_key.strip()),
    }


@router.put("/mail-authorization")
async def put_mail_authorization(
    body: AuthorizationBody, company: CompanyDep, tx: TxDep, process: RunningDep, cause: CauseDep
) -> dict[str, Any]:
    """Set it. 422 ``way-not-offered`` (Google has no application of its own here), ``tenant-needed``,
    ``certificate-unfit``, ``oauth-addresses-needed``, ``oauth-secret-needed``, ``host-inside``; 409
    ``secrets-not-kept``."""
    settings = _settings(process)
    values = await _fit(settings, body)
    known = (await tx.execute(LOCKED, {"company": company})).mappings().one_or_none()
    same = known is not None and all(known[name] == values[name] for name in BINDING)
    if body.certificate is not None or body.secret is not None:
        secret = sealed(settings, body.certificate or body.secret, company, SECRET_PURPOSE)
        kind = "certificate" if body.certificate else "secret" if body.secret else "none"
    else:
        secret, kind = (known["secret"], known["secret_kind"]) if same and known is not None else (None, "none")
    if secret is None and body.way == "application":
        raise Problem("oauth-secret-needed", "An application proves by a secret or a certificate who it is", 422)
    values |= {"secret": secret, "secret_kind": kind}
    await tx.execute(SAVE, values | {"company": company, "same": same, "changed_by": cause.actor})
    return await get_mail_authorization(company, tx, process)


@router.post("/mail-authorization/begin")
async def begin(
    body: Session, company: CompanyDep, tx: TxDep, process: RunningDep, cause: CauseDep
) -> dict[str, Any]:
    """Where this person goes to consent: ``{url}``, good for ten minutes. 404 ``authorization-unknown``, 409
    ``consent-not-offered``, ``secrets-not-kept``."""
    settings = _settings(process)
    row = await _locked(tx, company)
    back = redirect_uri(settings)
    if row["way"] != "consent" or back is None:
        raise Problem("consent-not-offered", "Nobody can consent to this here", 409)
    whose = consent.Whose(company, cause.actor, body.session)
    try:
        asked = consent.ask(
            Seal(settings.sealing_key), whose, provider_of(row), row["client_id"], back, body.mailbox
        )
    except SealMissing as missing:
        raise Problem("secrets-not-kept", "This installation cannot keep passwords", 409) from missing
    await tx.execute(BEGUN, {"company": company, "pending": asked.pending})
    return {"url": asked.url}


@router.post("/mail-authorization/finish")
async def finish(
    body: Brought, company: CompanyDep, tx: TxDep, process: RunningDep, cause: CauseDep
) -> dict[str, Any]:
    """Exchange what the provider sent the person back with. Answers ``connected``, and where not, ``code`` and the
    provider's ``words``; the attempt is over either way. 403 ``consent-forged`` for another person's, session's or
    company's state, 410 ``consent-over`` for one that was used or is too old."""
    settings = _settings(process)
    seal = Seal(settings.sealing_key)
    row = await _locked(tx, company)
    pending = None if row["pending"] is None else bytes(row["pending"])
    try:
        verifier = consent.verifier_of(
            seal, consent.Whose(company, cause.actor, body.session), body.state, pending
        )
    except consent.StateForged as forged:
        raise Problem("consent-forged", "This was not asked for by you, here and now", 403) from forged
    except consent.StateOver as over:
        raise Problem("consent-over", "This attempt is over: begin again", 410) from over
    await tx.execute(BEGUN, {"company": company, "pending": None})
    try:
        who = application(seal, company, row)
        granted = await TokenEndpoint(settings).by_code(who, body.code, verifier, redirect_uri(settings) or "")
    except Unauthorized as refused:
        return {"connected": False, "code": refused.code, "words": refused.words}
    if granted.refresh_token is None:
        return {"connected": False, "code": "refresh_token_missing", "words": ""}
    if granted.scopes is not None and not who.provider.scopes <= granted.scopes:
        missing = " ".join(sorted(who.provider.scopes - granted.scopes))
        return {"connected": False, "code": "scope_missing", "words": missing}
    kept = seal.seal(granted.refresh_token, company=company, purpose=REFRESH_PURPOSE)
    await tx.execute(CONNECTED, {"company": company, "refresh_token": kept, "person": cause.actor})
    return {"connected": True, "code": "", "words": ""}


@router.post("/mail-authorization/test")
async def test_mail_authorization(
    body: Trial, company: CompanyDep, tx: TxDep, process: RunningDep
) -> dict[str, Any]:
    """Have a token made: ``ok``, and where not, ``code`` and the provider's ``words``. 404
    ``authorization-unknown``."""
    row = (await tx.execute(SAVED, {"company": company})).mappings().one_or_none()
    if row is None:
        raise Problem("authorization-unknown", "The company has no authorization for its mailbox", 404)
    try:
        await keeper_of(process).token(company, provider_of(row).hosts[0], anew=True)
    except Unauthorized as refused:
        return {"ok": False, "code": refused.code, "words": refused.words}
    return {"ok": True, "code": "", "words": ""}


@router.post("/mail-authorization/revoke")
async def revoke(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """Take the consent back: forgotten here, and at the provider where it can be told so (``at_provider``).
    Messages wait until somebody consents again. 404 ``authorization-unknown``."""
    row = await _locked(tx, company)
    told = await _told_provider(process, company, row)
    await tx.execute(DISCONNECTED, {"company": company})
    return {"revoked": True, "at_provider": told}


@router.delete("/mail-authorization")
async def delete_mail_authorization(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """Forget all of it. 404 ``authorization-unknown``, 409 ``authorization-in-use`` while the mail server or the
    mailbox signs in by it."""
    row = await _locked(tx, company)
    if await tx.scalar(USED_BY, {"company": company}):
        raise Problem("authorization-in-use", "The mail server or the mailbox signs in by it", 409)
    told = await _told_provider(process, company, row)
    await tx.execute(FORGET, {"company": company})
    return {"deleted": True, "at_provider": told}


def redirect_uri(settings: NotifySettings) -> str | None:
    """Where providers send people back to: one address per installation."""
    base = (settings.console_url or settings.space_url).rstrip("/")
    return f"{base}{consent.PATH}" if base else None


async def _told_provider(process: RunningDep, company: str, row: Any) -> bool:
    if row["refresh_token"] is None:
        return False
    settings = _settings(process)
    seal = Seal(settings.sealing_key)
    try:
        refresh = opened(seal, company, row["refresh_token"], REFRESH_PURPOSE)
        return await TokenEndpoint(settings).revoke(application(seal, company, row), refresh)
    except Unauthorized:
        return False


async def _locked(tx: AsyncConnection, company: str) -> Any:
    row = (await tx.execute(LOCKED, {"company": company})).mappings().one_or_none()
    if row is None:
        raise Problem("authorization-unknown", "The company has no authorization for its mailbox", 404)
    return row


async def _fit(settings: NotifySettings, body: AuthorizationBody) -> dict[str, Any]:
    """What is kept of it. Raises ``Problem``."""
    values = body.model_dump(exclude={"secret", "certificate"})
    if body.way not in WAYS[body.provider]:
        raise Problem("way-not-offered", "This provider is connected by a person's consent", 422)
    if body.provider == "microsoft":
        if not TENANT.fullmatch(body.tenant) or (body.way == "application" and body.tenant in MICROSOFTS_OWN):
            raise Problem("tenant-needed", "The tenant's identifier or domain is needed", 422)
    else:
        values["tenant"] = ""
    if body.provider == "other":
        needed = (body.token_url, body.scope, body.hosts, body.way == "application" or body.authorize_url)
        if not all(needed):
            raise Problem("oauth-addresses-needed", "Addresses, scope and mail servers are needed", 422)
        values["hosts"] = sorted({host.lower() for host in body.hosts})
        for url in filter(None, (body.token_url, body.revoke_url)):
            await _reachable(settings, url)
    else:
        values |= {"authorize_url": "", "token_url": "", "revoke_url": "", "scope": "", "hosts": []}
    if body.certificate:
        try:
            certified(body.certificate)
        except CertificateUnfit as unfit:
            raise Problem(
                "certificate-unfit", "An RSA key without a password and its certificate are needed, as PEM", 422
            ) from unfit
    return values


async def _reachable(settings: NotifySettings, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError:
        host, port = None, 443
    if not host:
        raise Problem("oauth-addresses-needed", "This is no address", 422)
    await outside(settings, host, port)


def _settings(process: RunningDep) -> NotifySettings:
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    return settings
