"""Single sign-on as the settings have it: put together once per process, or told what is wrong with them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from chassis import clock
from chassis.guard import networks_of
from chassis.outside import Outside
from chassis.sealing import Seal, SealBroken
from services.console.pace import Pace
from services.console.settings import ConsoleSettings
from services.console.single_sign_on import attempt as attempts
from services.console.single_sign_on.arrived import Arrived, Named, arrived, lacks
from services.console.single_sign_on.attempt import Attempt
from services.console.single_sign_on.discovery import is_https
from services.console.single_sign_on.id_token import Expected, key_named, verified
from services.console.single_sign_on.provider import Client, Provider
from services.console.single_sign_on.refusals import SignOnRefused
from services.console.single_sign_on.rights import Rights, RightsUnreadable, read

log = logging.getLogger(__name__)

RETURN_PATH = "/sign-on/return"
ID_TOKEN = "id-token"  # noqa: S105 - what is sealed
LONGEST_HINT = 2500
"""Characters of a token that goes along when signing out: proxies pass on headers of some 4,000. Without it the
provider may ask the person whether they mean it."""
LOOK_SECONDS = 300.0
HERE = ("localhost", "127.0.0.1", "::1")


class SignOnMisconfigured(Exception):
    """The console does not start with settings by which nobody could sign in, or the wrong ones."""

    def __init__(self, setting: str, remedy: str) -> None:
        super().__init__(f"RELANCE_{setting.upper()}: {remedy}")
        self.setting = setting


@dataclass(frozen=True, slots=True)
class Came:
    """``id_token`` is sealed, to be kept with the session; ``None`` where it is too long to be of use there."""

    person: Arrived
    id_token: bytes | None


class SingleSignOn:
    """The road of one provider. What it needs of the settings is checked: ``configured``."""

    def __init__(self, settings: ConsoleSettings, provider: Provider, seal: Seal) -> None:
        self.settings = settings
        self.provider = provider
        self.pace = Pace(settings.oidc_requests_per_host)
        self._seal = seal
        self.name = settings.oidc_name or str(urlsplit(settings.oidc_issuer).hostname)
        self._named = Named(settings.oidc_person_claim, settings.oidc_verified_claim, settings.oidc_groups_claim)

    @property
    def issuer(self) -> str:
        return self.settings.oidc_issuer

    @property
    def _with_groups(self) -> bool:
        return self.settings.oidc_rights_file is not None

    async def begin(self, back: str, proves: str = "") -> tuple[str, str]:
        """Where the person goes, and the cookie that stays. Raises ``SignOnRefused``."""
        described = await self.provider.described()
        attempt = attempts.begun(back, proves)
        client = self.provider.client
        url = attempts.address(
            attempt, described, client.client_id, self.settings.oidc_scopes, client.redirect_uri
        )
        return url, attempts.kept(self._seal, attempt)

    def brought_back(self, cookie: str, state: str) -> Attempt:
        """Raises ``SignOnRefused``."""
        return attempts.brought_back(self._seal, cookie, state)

    async def check_sender(self, iss: str) -> None:
        """Who answers is the provider that was asked (RFC 9207). Raises ``SignOnRefused``."""
        described = await self.provider.described()
        if iss != self.issuer and (iss or described.names_itself):
            raise SignOnRefused("answer_issuer")

    async def come(self, attempt: Attempt, code: str) -> Came:
        """Who came with this code. Raises ``SignOnRefused``."""
        tokens = await self.provider.redeem(attempt, code)
        described = await self.provider.described()
        keys = await self.provider.keys_with(key_named(tokens.id_token))
        expected = Expected(
            self.issuer,
            self.settings.oidc_client_id,
            attempt.nonce,
            described.algorithms,
            attempt.begun if attempt.proves else None,
        )
        claims: Mapping[str, Any] = verified(tokens.id_token, keys, expected, int(clock.now().timestamp()))
        if tokens.access_token and lacks(claims, self._named, with_groups=self._with_groups):
            claims = {**claims, **await self.provider.told_of(claims["sub"], tokens.access_token)}
        person = arrived(claims, self._named, with_groups=self._with_groups)
        if len(tokens.id_token) > LONGEST_HINT:
            return Came(person, None)
        sealed = self._seal.seal(tokens.id_token, company=attempts.OF_NO_COMPANY, purpose=ID_TOKEN)
        return Came(person, sealed)

    def rights(self) -> Rights:
        """As the operator's file has them now; no file gives nothing. Raises ``SignOnRefused``: with a file that
        cannot be read nobody is let in, since nobody could lose what it takes away."""
        if self.settings.oidc_rights_file is None:
            return Rights()
        try:
            return read(self.settings.oidc_rights_file)
        except RightsUnreadable as unreadable:
            raise SignOnRefused("rights_unreadable", str(unreadable)) from unreadable

    def end_address(self, id_token: bytes | None) -> str:
        """Where a person signs out of the provider too (OpenID Connect RP-Initiated Logout 1.0); empty where it
        has no such page, or has not been heard yet."""
        known = self.provider.known
        if known is None or not known.end_session_url:
            return ""
        query = {
            "client_id": self.settings.oidc_client_id,
            "post_logout_redirect_uri": f"{self.settings.console_url.rstrip('/')}/login",
        }
        if id_token is not None:
            try:
                query["id_token_hint"] = self._seal.open(
                    id_token, company=attempts.OF_NO_COMPANY, purpose=ID_TOKEN
                )
            except SealBroken:
                log.info("a session was opened with another key: the provider asks whom to sign out")
        joint = "&" if "?" in known.end_session_url else "?"
        return f"{known.end_session_url}{joint}{urlencode(query)}"

    async def keep_looking(self, tell: Callable[[str | None], None]) -> None:
        """Have the provider's keys, and tell in a sentence while nobody could sign in."""
        while True:
            tell(await self.trouble())
            await asyncio.sleep(LOOK_SECONDS)

    async def trouble(self) -> str | None:
        """Why nobody can sign in by the provider now, for operators."""
        try:
            await self.provider.look()
            self.rights()
        except SignOnRefused as refused:
            return f"nobody can sign in by {self.name}: {refused}"
        return None


def configured(settings: ConsoleSettings, key_file: Path) -> SingleSignOn | None:
    """``None`` where there is no provider. ``key_file`` is the key that signs for people: attempts are sealed by
    what is derived from it, so that every replica knows those of the others. Raises ``SignOnMisconfigured``."""
    if not settings.oidc_issuer:
        if not settings.password_sign_in:
            raise SignOnMisconfigured(
                "password_sign_in",
                "without passwords people need a provider: set RELANCE_OIDC_ISSUER, or leave it",
            )
        return None
    _check(settings)
    base = settings.console_url.rstrip("/")
    client = Client(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, base + RETURN_PATH)
    outside = Outside(settings.oidc_networks, settings.oidc_ca_file)
    derived = hashlib.sha256(b"single sign-on:" + key_file.read_bytes()).hexdigest()
    return SingleSignOn(settings, Provider(client, outside), Seal(derived))


def _check(settings: ConsoleSettings) -> None:
    if not is_https(settings.oidc_issuer) or urlsplit(settings.oidc_issuer).query:
        raise SignOnMisconfigured("oidc_issuer", "the provider's own name, an https address without a question")
    if not settings.oidc_client_id:
        raise SignOnMisconfigured(
            "oidc_client_id", "the name under which the provider knows the console is missing"
        )
    if "openid" not in settings.oidc_scopes.split():
        raise SignOnMisconfigured("oidc_scopes", "openid has to be among them")
    if not settings.oidc_person_claim:
        raise SignOnMisconfigured("oidc_person_claim", "a claim has to name the person, such as email")
    here = urlsplit(settings.console_url)
    plain_here = here.scheme == "http" and here.hostname in HERE
    if not (is_https(settings.console_url) or plain_here) or here.path not in ("", "/") or here.query:
        raise SignOnMisconfigured(
            "console_url", "where people reach the console: https and a host, without a path"
        )
    if here.scheme == "https" and not settings.secure_cookies:
        raise SignOnMisconfigured(
            "secure_cookies", "true where people come by https: else their sessions go by plain http too"
        )
    try:
        networks_of(settings.oidc_networks)
    except ValueError as wrong:
        raise SignOnMisconfigured(
            "oidc_networks", f"networks as 10.20.0.0/16, separated by commas: {wrong}"
        ) from wrong
    if settings.oidc_ca_file is not None and not settings.oidc_ca_file.is_file():
        raise SignOnMisconfigured("oidc_ca_file", f"{settings.oidc_ca_file} is no file")
    if settings.oidc_rights_file is not None:
        try:
            read(settings.oidc_rights_file)
        except RightsUnreadable as unreadable:
            raise SignOnMisconfigured("oidc_rights_file", str(unreadable)) from unreadable
