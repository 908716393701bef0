"""Which mail server a company's messages leave by: its own, or that of the installation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.guard import Networks, networks_of
from chassis.sealing import Seal, SealBroken
from services.notify.oauth.keeping import Keeper
from services.notify.settings import NotifySettings

Encryption = Literal["none", "starttls", "tls"]
SignIn = Literal["password", "oauth"]
Tokens = Callable[[str], Awaitable[str]]
"""Answers a token to sign in with; told which one the server did not take, another. Raises ``Unauthorized``."""

SERVER_PURPOSE = "mail-server"
"""What its password is sealed for."""

OWN = text(
    """
    select own.company, host, port, encryption, username, password, connections, per_second, per_second_and_domain,
        sign_in, case when own.sign_in = 'oauth' and known.trouble is distinct from 'authorization_ended'
            then known.version end as authorization
    from mail_server own left join mail_authorization known using (company)
    where cast(:company as text) is null or own.company = :company
    """
)


HAS_OWN = text("select exists (select from mail_server where company = :company)")


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server and how it wants to be used. Rates are messages a second, 0 is no limit."""

    host: str
    port: int
    encryption: Encryption
    user: str
    password: str = field(repr=False)
    connections: int
    per_second: float
    per_second_and_domain: float
    timeout_seconds: float
    answer_seconds: float
    own_name: str
    """What we call ourselves to it."""
    ca_file: str | None = None
    networks: Networks | None = None
    """Of a company's own server: the public internet and these are where it may be. ``None``: anywhere, since the
    operator named it."""
    tokens: Tokens | None = field(default=None, repr=False, compare=False)
    """Where it takes a token instead of a password."""
    sign_in: SignIn = "password"
    authorization: int | None = None
    """Where it takes tokens: which authorization they are of, so that no connection outlives the one it was signed
    in by. ``None``: none, or it has ended."""

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


def of_installation(settings: NotifySettings) -> Server:
    """The one of the settings."""
    return Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        encryption=settings.smtp_encryption,
        user=settings.smtp_user,
        password=settings.smtp_password,
        connections=settings.smtp_connections,
        per_second=settings.messages_per_second,
        per_second_and_domain=settings.messages_per_second_and_domain,
        timeout_seconds=settings.smtp_timeout_seconds,
        answer_seconds=settings.smtp_answer_seconds,
        own_name=settings.default_sender_domain,
        ca_file=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
    )


async def of_companies(
    tx: AsyncConnection, settings: NotifySettings, keeper: Keeper, company: str | None = None
) -> dict[str, Server | None]:
    """The servers that companies set for themselves, of one company or of all; ``None`` where the password cannot
    be opened."""
    seal, networks = Seal(settings.sealing_key), networks_of(settings.mail_networks)
    found: dict[str, Server | None] = {}
    for row in await tx.execute(OWN, {"company": company}):
        try:
            whose = {"company": row.company, "purpose": SERVER_PURPOSE}
            none = row.password is None or row.sign_in == "oauth"
            password = "" if none else seal.open(bytes(row.password), **whose)
        except SealBroken:
            found[row.company] = None
            continue
        found[row.company] = Server(
            host=row.host,
            port=row.port,
            encryption=row.encryption,
            user=row.username,
            password=password,
            connections=row.connections,
            per_second=float(row.per_second),
            per_second_and_domain=float(row.per_second_and_domain),
            timeout_seconds=settings.smtp_timeout_seconds,
            answer_seconds=settings.smtp_answer_seconds,
            own_name=settings.default_sender_domain,
            ca_file=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
            networks=networks,
            tokens=partial(keeper.token, row.company, row.host) if row.sign_in == "oauth" else None,
            sign_in=row.sign_in,
            authorization=row.authorization,
        )
    return found


async def has_own(tx: AsyncConnection, company: str) -> bool:
    """Whether the company's messages leave by a server of its own, or wait for it."""
    return bool(await tx.scalar(HAS_OWN, {"company": company}))
