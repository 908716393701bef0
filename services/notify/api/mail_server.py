"""The mail server that a company's messages leave by: its own or the installation's; and a trial of it."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.guard import AddressRefused, check_host, networks_of
from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from chassis.problems import Problem
from chassis.sealing import Seal, SealMissing
from services.notify import queries
from services.notify.api.bodies import Body
from services.notify.api.sender import Email
from services.notify.at_once import attempted
from services.notify.domain import Sender, message_id
from services.notify.formats import language_of
from services.notify.hindrances import of_company
from services.notify.messages import Mail, compose
from services.notify.oauth.keeping import Keeper, keeper_of
from services.notify.oauth.providers import provider_of
from services.notify.rendering import Rendered
from services.notify.servers import SERVER_PURPOSE, Server, SignIn, of_companies, of_installation
from services.notify.settings import NotifySettings
from services.notify.words import WORDS

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("admin"), WholeCompany])

TRIAL_SECONDS = 20.0
"""A person waits for the answer of a trial."""

SAVED = text(
    "select host, port, encryption, username, password is not null as has_password, connections, per_second,"
    " per_second_and_domain, sign_in, changed_by, changed_at from mail_server where company = :company"
)
SAVE = text(
    """
    insert into mail_server as known (company, host, port, encryption, username, password, connections, per_second,
        per_second_and_domain, sign_in, changed_by)
    values (:company, :host, :port, :encryption, :username, :password, :connections, :per_second,
        :per_second_and_domain, :sign_in, :changed_by)
    on conflict (company) do update set host = excluded.host, port = excluded.port,
        encryption = excluded.encryption, username = excluded.username,
        password = case when :keep and known.host = excluded.host and known.username = excluded.username
            then known.password else excluded.password end,
        connections = excluded.connections, per_second = excluded.per_second,
        per_second_and_domain = excluded.per_second_and_domain, sign_in = excluded.sign_in,
        changed_by = excluded.changed_by,
        changed_at = now()
    """
)
AUTHORIZED = text(
    "select provider, way, tenant, hosts, authorize_url, token_url, revoke_url, scope"
    " from mail_authorization where company = :company"
)
FORGET = text("delete from mail_server where company = :company")

Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$")]


class ServerBody(Body):
    """``password``: left out keeps the one there is, as long as host and user stay the same: it goes to nobody
    else. Empty is none. Rates are messages a second, 0 is no limit. ``sign_in`` by ``oauth``: a token of the
    company's mail authorization is shown instead, for the mailbox ``username``; no password is kept then."""

    host: Host
    port: int = Field(ge=1, le=65535)
    encryption: Literal["none", "starttls", "tls"] = "starttls"
    username: str = Field("", max_length=320, pattern=r"^[^\x00-\x1f\x7f]*$")
    password: str | None = Field(None, max_length=1000, repr=False)
    connections: int = Field(4, ge=1, le=50)
    per_second: float = Field(0, ge=0, le=1000)
    per_second_and_domain: float = Field(0, ge=0, le=1000)
    sign_in: SignIn = "password"


class Trial(Body):
    """``server``: one that is not saved yet; left out: the one in use. ``to``: who gets a message by it."""

    server: ServerBody | None = None
    to: Email = ""


@router.get("/mail-server")
async def get_mail_server(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """``saved`` is the company's own, without its password; ``shared`` is where messages leave without one."""
    row = (await tx.execute(SAVED, {"company": company})).mappings().one_or_none()
    settings = _settings(process)
    saved = None
    if row is not None:
        rates = {name: float(row[name]) for name in ("per_second", "per_second_and_domain")}
        saved = dict(row) | rates
    return {
        "saved": saved,
        "shared": of_installation(settings).place,
        "can_keep_passwords": bool(settings.sealing_key.strip()),
        "hindered_by": of_company(process.health.hindered_by(), company, own_server=saved is not None),
    }


@router.put("/mail-server")
async def put_mail_server(
    body: ServerBody, company: CompanyDep, tx: TxDep, process: RunningDep, cause: CauseDep
) -> dict[str, Any]:
    """Set the company's own server; messages leave by it a moment later. Answers 409 ``secrets-not-kept`` when the
    installation has no key to seal the password with, 422 ``host-inside`` for a server that is not on the public
    internet and in no network that the operator opened (``RELANCE_MAIL_NETWORKS``); to sign in by ``oauth`` 422
    ``oauth-needs-tls``, ``username-needed``, ``host-not-authorized`` and 409 ``authorization-unknown``."""
    await outside(_settings(process), body.host, body.port)
    if body.sign_in == "oauth":
        await authorized(tx, company, body.host, body.username, encrypted=body.encryption != "none")
        body.password = ""
    values = body.model_dump(exclude={"password"}) | {
        "company": company,
        "changed_by": cause.actor,
        "keep": body.password is None,
        "password": sealed(_settings(process), body.password, company, SERVER_PURPOSE),
    }
    await tx.execute(SAVE, values)
    return await get_mail_server(company, tx, process)


@router.delete("/mail-server")
async def delete_mail_server(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Go back to the installation's server. Answers 404 when the company has none of its own."""
    if not (await tx.execute(FORGET, {"company": company})).rowcount:
        raise Problem("mail-server-unknown", "The company has no mail server of its own", 404)
    return {"deleted": True}


@router.post("/mail-server/test")
async def test_mail_server(body: Trial, company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """Connect, encrypt, sign in and, when somebody is named, send a message: ``ok``, and where not, at which
    ``step`` (``connect``, ``message``) and in which ``words`` of the server or the network."""
    settings = _settings(process)
    if body.server is not None and body.server.sign_in == "oauth":
        named = body.server
        await authorized(tx, company, named.host, named.username, encrypted=named.encryption != "none")
    server = await _meant(tx, company, settings, body.server, keeper_of(process))
    sender = await queries.sender(tx, company, settings.default_sender_domain)
    attempt = await attempted(server, _trial_mail(company, sender, body.to) if body.to else None, TRIAL_SECONDS)
    step = "connect" if attempt.result is None else "message"
    return {"ok": attempt.ok, "step": step, "words": attempt.words}


async def authorized(tx: AsyncConnection, company: str, host: str, username: str, *, encrypted: bool) -> None:
    """Refuse to show a token where it is not for, or where others could read it: whoever has one has the mailbox.
    Raises ``Problem``."""
    row = (await tx.execute(AUTHORIZED, {"company": company})).mappings().one_or_none()
    if row is None:
        raise Problem("authorization-unknown", "The company has no authorization for its mailbox", 409)
    if not encrypted:
        raise Problem("oauth-needs-tls", "A token is only shown over an encrypted connection", 422)
    if not username:
        raise Problem("username-needed", "The mailbox's address is needed", 422)
    allowed = provider_of(row).hosts
    if host.lower() not in allowed:
        raise Problem("host-not-authorized", "The authorization is not for this server", 422, hosts=list(allowed))


async def _meant(
    tx: AsyncConnection, company: str, settings: NotifySettings, body: ServerBody | None, keeper: Keeper
) -> Server:
    """The server of a trial; with the saved password where none is typed and it is for the same host and user.
    Raises ``Problem``."""
    found = await of_companies(tx, settings, keeper, company)
    own = found.get(company)
    if company in found and own is None and (body is None or body.password is None):
        raise Problem("secret-unreadable", "The password cannot be read with this installation's key", 409)
    if body is None and own is not None and own.tokens is not None:
        return replace(own, tokens=partial(keeper.token, company, own.host, anew=True))
    if body is None:
        return own or of_installation(settings)
    known = own if own is not None and (own.host, own.user) == (body.host, body.username) else None
    typed = body.password if body.password is not None else (known.password if known else "")
    shared = of_installation(settings)
    return Server(
        host=body.host,
        port=body.port,
        encryption=body.encryption,
        user=body.username,
        password=typed,
        connections=1,
        per_second=0,
        per_second_and_domain=0,
        timeout_seconds=min(shared.timeout_seconds, TRIAL_SECONDS),
        answer_seconds=TRIAL_SECONDS,
        own_name=shared.own_name,
        ca_file=shared.ca_file,
        networks=networks_of(settings.mail_networks),
        tokens=partial(keeper.token, company, body.host, anew=True) if body.sign_in == "oauth" else None,
        sign_in=body.sign_in,
    )


def _trial_mail(company: str, sender: Sender, to: str) -> Mail:
    language = language_of(None)
    words = WORDS[language]
    text_ = words["trial_text"].format(company=sender.company_name or company)
    rendered = Rendered(words["trial_subject"], f"{text_}\n", f"<p>{text_}</p>", language)
    return compose(rendered, sender, [to], message_id(uuid4(), sender.email), clock.now())


def sealed(settings: NotifySettings, password: str | None, company: str, purpose: str) -> bytes | None:
    """As a password is kept; ``None`` for none. Raises ``Problem``."""
    if not password:
        return None
    try:
        return Seal(settings.sealing_key).seal(password, company=company, purpose=purpose)
    except SealMissing as missing:
        raise Problem(
            "secrets-not-kept",
            "This installation cannot keep passwords",
            409,
            "Its operator sets RELANCE_SEALING_KEY for notify.",
        ) from missing


async def outside(settings: NotifySettings, host: str, port: int) -> None:
    """Refuse a host on the inside that the operator did not open. Raises ``Problem``."""
    try:
        await check_host(host, port, networks_of(settings.mail_networks))
    except AddressRefused as refused:
        raise Problem(
            "host-inside",
            "This server is not on the public internet",
            422,
            "Its operator opens a network of the inside by RELANCE_MAIL_NETWORKS of notify.",
            host=refused.host,
        ) from refused


def _settings(process: RunningDep) -> NotifySettings:
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    return settings
