"""Asking a provider for tokens: one form, one answer (RFC 6749, 4.1.3, 4.4.2, 6), to a judged address."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from chassis.outside import WORDS_CHARACTERS, NoAnswer, Outside, json_object
from services.notify.oauth.assertion import ASSERTION_TYPE, CertificateUnfit, assertion
from services.notify.oauth.providers import Provider, SecretKind
from services.notify.settings import NotifySettings

USUAL_SECONDS = 3600
"""How long a token is good whose provider does not say."""
ENDED = frozenset({"invalid_grant", "interaction_required", "consent_required", "login_required"})
"""What a provider says of a consent that was taken back or has had its time; all but the first are Microsoft's."""
PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
TOO_MANY, SERVER_ERRORS = 429, 500
TOKEN = re.compile(r"[\x21-\x7e]{1,20000}")


class Unauthorized(Exception):
    """No token can be had. ``code`` for programs: ``authorization_ended`` (a person has to consent again),
    ``client_refused`` (the application's name or secret), ``authorization_silent`` (later may help),
    ``authorization_inside`` (the address is not public), ``authorization_missing``, ``secret_unreadable``,
    ``host_not_authorized``. ``words`` are the provider's."""

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(f"{SENTENCES.get(code, code)}: {words}" if words else SENTENCES.get(code, code))
        self.code = code
        self.words = words


SENTENCES = {
    "authorization_ended": "the authorization of the mailbox has ended, it has to be renewed",
    "client_refused": "the provider refuses the application, its secret may have ended",
    "authorization_silent": "the provider of the authorization does not answer",
    "authorization_inside": "the provider's address is not on the public internet",
    "authorization_missing": "the mailbox is not connected yet",
    "secret_unreadable": "the authorization cannot be read with this installation's sealing key",
    "host_not_authorized": "the authorization is not for this mail server",
}


@dataclass(frozen=True, slots=True)
class Granted:
    """A token and how long it is good; ``refresh_token`` where the provider gave one, perhaps in the place of the
    one it was asked with."""

    access_token: str = field(repr=False)
    seconds: float
    refresh_token: str | None = field(default=None, repr=False)
    scopes: frozenset[str] | None = None
    """In lower case; ``None`` where the provider does not say: those that were asked for."""


@dataclass(frozen=True, slots=True)
class Application:
    """As the provider knows us."""

    provider: Provider
    client_id: str
    secret: str = field(repr=False)
    secret_kind: SecretKind


class TokenEndpoint:
    """Redirects are not followed, and nothing that is asked or answered is logged."""

    def __init__(self, settings: NotifySettings) -> None:
        self._outside = Outside(settings.mail_networks, settings.smtp_ca_file)

    async def for_itself(self, who: Application) -> Granted:
        """A token of the application's own. Raises ``Unauthorized``."""
        return await self._asked(who, {"grant_type": "client_credentials", "scope": who.provider.scope})

    async def by_code(self, who: Application, code: str, verifier: str, redirect_uri: str) -> Granted:
        """What a person's consent brings, once. Raises ``Unauthorized``."""
        asked = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        return await self._asked(who, asked | {"redirect_uri": redirect_uri})

    async def again(self, who: Application, refresh_token: str) -> Granted:
        """A new token of a consent. Raises ``Unauthorized``."""
        return await self._asked(who, {"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def revoke(self, who: Application, refresh_token: str) -> bool:
        """Have the provider forget a consent (RFC 7009); false where it has no way to, or did not."""
        if not who.provider.revoke_url:
            return False
        try:
            form = {"token": refresh_token, "token_type_hint": "refresh_token"} | self._named(who)
            status, _ = await self._post(who.provider.revoke_url, form)
        except Unauthorized:
            return False
        return status == 200

    async def _asked(self, who: Application, form: Mapping[str, str]) -> Granted:
        status, body = await self._post(who.provider.token_url, {**form, **self._named(who)})
        told = json_object(body)
        if told is None:
            raise Unauthorized("authorization_silent", f"answered {status}, and no JSON")
        if status == 200:
            return _granted(told)
        error = str(told.get("error", ""))
        words = f"{error} {told.get('error_description', '')}".strip()[:WORDS_CHARACTERS] or f"answered {status}"
        if status >= SERVER_ERRORS or status == TOO_MANY or error in PASSING or not error:
            raise Unauthorized("authorization_silent", words)
        ended = error in ENDED and form["grant_type"] != "client_credentials"
        raise Unauthorized("authorization_ended" if ended else "client_refused", words)

    @staticmethod
    def _named(who: Application) -> dict[str, str]:
        """Who asks, and the proof."""
        if who.secret_kind == "certificate":  # noqa: S105 - its kind
            try:
                proof = assertion(who.client_id, who.provider.token_url, who.secret)
            except CertificateUnfit as unfit:
                raise Unauthorized("client_refused", "the certificate cannot be used") from unfit
            return {"client_id": who.client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": proof}
        return {"client_id": who.client_id} | ({"client_secret": who.secret} if who.secret else {})

    async def _post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        try:
            return await self._outside.ask("POST", url, headers, urlencode(form).encode())
        except NoAnswer as failed:
            code = "authorization_inside" if failed.inside else "authorization_silent"
            raise Unauthorized(code, str(failed)) from failed


def _granted(told: Mapping[str, Any]) -> Granted:
    token, refresh = told.get("access_token"), told.get("refresh_token")
    if str(told.get("token_type", "bearer")).lower() != "bearer":
        raise Unauthorized("authorization_silent", "the token is of no kind that mail servers take")
    # a mail server reads what surrounds the token by control characters
    for one in (token, *([] if refresh is None else [refresh])):
        if not isinstance(one, str) or not TOKEN.fullmatch(one):
            raise Unauthorized("authorization_silent", "the answer holds no token")
    try:
        seconds = float(told.get("expires_in", USUAL_SECONDS))
    except (TypeError, ValueError, OverflowError):
        seconds = USUAL_SECONDS
    if not math.isfinite(seconds):
        seconds = USUAL_SECONDS
    scope = told.get("scope")
    granted = frozenset(scope.lower().split()) if isinstance(scope, str) else None
    return Granted(str(token), max(seconds, 1.0), refresh, granted)
