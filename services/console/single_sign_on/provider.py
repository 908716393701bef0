"""The provider, asked: what it tells of itself, its keys, tokens for codes. Of one process; nothing is logged of
what is asked or answered."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from chassis.outside import WORDS_CHARACTERS, NoAnswer, Outside, json_object
from services.console.single_sign_on.attempt import Attempt
from services.console.single_sign_on.discovery import PATH, Described, described
from services.console.single_sign_on.refusals import ProviderSilent, ProviderUnfit, SignOnRefused

FRESH_SECONDS = 3600.0
"""After which it is asked again what it is and which keys it signs with."""
STALE_SECONDS = 86_400.0
"""For how long what it told counts while it does not answer: a key that it took back counts no longer than
that."""
AGAIN_SECONDS = 5.0
"""A provider that does not answer is left alone for so long: those who wait for it would keep one another
waiting."""
NEW_KEY_SECONDS = 30.0
"""How often it may be asked for keys because a token names an unknown one: anybody can make up such a token."""
OK = 200
KINDS = ("RSA", "EC", "OKP")
"""Of keys that can sign: by the algorithms of ``discovery``."""

Told = TypeVar("Told")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code brings."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


class _Remembered(Generic[Told]):
    """An answer that is asked for again once it is old; one question at a time."""

    def __init__(self, ask: Callable[[], Awaitable[Told]], monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._turn = asyncio.Lock()
        self._told: tuple[float, Told] | None = None
        self._failed: tuple[float, SignOnRefused] | None = None

    async def value(self, not_older_than: float = FRESH_SECONDS) -> Told:
        """Raises ``ProviderSilent``, ``ProviderUnfit``."""
        async with self._turn:
            now = self._monotonic()
            if self._told and now - self._told[0] < not_older_than:
                return self._told[1]
            if self._failed and now - self._failed[0] < AGAIN_SECONDS:
                return self._stale(self._failed[1])
            try:
                return await self._asked_now()
            except SignOnRefused as failure:
                return self._stale(failure)

    async def again(self) -> Told:
        """Asked now, whatever is remembered. Raises ``ProviderSilent``, ``ProviderUnfit``."""
        async with self._turn:
            return await self._asked_now()

    async def _asked_now(self) -> Told:
        try:
            told = await self._ask()
        except SignOnRefused as failure:
            self._failed = self._monotonic(), failure
            raise
        self._told, self._failed = (self._monotonic(), told), None
        return told

    @property
    def known(self) -> Told | None:
        """What was told last, however long ago, without asking."""
        return self._told[1] if self._told else None

    def _stale(self, failure: SignOnRefused) -> Told:
        if (
            isinstance(failure, ProviderSilent)
            and self._told
            and self._monotonic() - self._told[0] < STALE_SECONDS
        ):
            return self._told[1]
        raise failure


@dataclass(frozen=True, slots=True)
class Client:
    """As the provider knows us."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str


class Provider:
    """``monotonic`` is the clock of what is remembered, in seconds."""

    def __init__(self, client: Client, outside: Outside, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._outside = outside
        self._described = _Remembered(self._ask_described, monotonic)
        self._keys = _Remembered(self._ask_keys, monotonic)

    async def described(self) -> Described:
        """Raises ``ProviderSilent``, ``ProviderUnfit``."""
        return await self._described.value()

    @property
    def known(self) -> Described | None:
        """What it told of itself last, without asking."""
        return self._described.known

    async def keys_with(self, named: str | None) -> KeySet:
        """Its keys; asked for anew when they lack the one that is named, since keys are changed now and then.
        Raises ``ProviderSilent``, ``ProviderUnfit``."""
        keys = await self._keys.value()
        if named is not None and named not in {key.kid for key in keys}:
            keys = await self._keys.value(NEW_KEY_SECONDS)
        return keys

    async def look(self) -> None:
        """See whether people could sign in now, whatever is remembered. Raises ``ProviderSilent``,
        ``ProviderUnfit``."""
        await self._described.again()
        await self._keys.again()

    async def redeem(self, attempt: Attempt, code: str) -> Tokens:
        """Raises ``ProviderSilent``, ``SignOnRefused`` (``code_refused``, ``client_refused``)."""
        known = await self.described()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if self.client.secret and known.takes_basic:
            headers["authorization"] = f"Basic {self._basic()}"
        else:
            form["client_id"] = self.client.client_id
            if self.client.secret:
                form["client_secret"] = self.client.secret
        status, told = await self._asked("POST", known.token_url, headers, urlencode(form).encode())
        if status != OK:
            error = str(told.get("error", ""))
            if error == "invalid_grant":
                raise SignOnRefused("code_refused")
            if status >= 500 or status == 429 or not error:
                raise ProviderSilent(f"answered {status}")
            words = f"{error} {told.get('error_description', '')}".strip()[:WORDS_CHARACTERS]
            raise SignOnRefused("client_refused", words)
        id_token, access_token = told.get("id_token"), told.get("access_token", "")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise ProviderUnfit("its answer holds no ID token: the scopes need openid")
        return Tokens(id_token, access_token)

    async def told_of(self, subject: str, access_token: str) -> Mapping[str, Any]:
        """What it tells of the person besides the token; nothing where it tells nothing. Raises
        ``ProviderSilent``, ``SignOnRefused`` where it tells of somebody else."""
        known = await self.described()
        if not known.userinfo_url or not access_token.isascii() or not access_token.isprintable():
            return {}
        headers = {"authorization": f"Bearer {access_token}", "accept": "application/json"}
        status, told = await self._asked("GET", known.userinfo_url, headers)
        if status != OK:
            raise ProviderSilent(f"its userinfo answered {status}")
        if told.get("sub") != subject:
            raise SignOnRefused("token_claims", "the userinfo tells of somebody else")
        return told

    def _basic(self) -> str:
        """RFC 6749, 2.3.1: both are encoded as in a form first."""
        pair = f"{quote(self.client.client_id, safe='')}:{quote(self.client.secret, safe='')}"
        return base64.b64encode(pair.encode()).decode()

    async def _ask_described(self) -> Described:
        status, told = await self._asked("GET", self.client.issuer.rstrip("/") + PATH, {})
        if status != OK:
            raise ProviderSilent(f"{PATH} answered {status}")
        return described(self.client.issuer, told)

    async def _ask_keys(self) -> KeySet:
        known = await self.described()
        status, told = await self._asked("GET", known.keys_url, {"accept": "application/json"})
        if status != OK:
            raise ProviderSilent(f"its keys answered {status}")
        shown = told.get("keys")
        keys = _understood(shown) if isinstance(shown, list) else []
        if not keys:
            raise ProviderSilent("its keys cannot be read")
        return KeySet(keys)

    async def _asked(
        self, method: Any, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> tuple[int, dict[str, Any]]:
        try:
            status, body = await self._outside.ask(method, url, headers, content)
        except NoAnswer as silent:
            if silent.inside:
                raise ProviderUnfit(
                    f"{silent} is no public address: name its network in RELANCE_OIDC_NETWORKS"
                ) from silent
            raise ProviderSilent(str(silent)) from silent
        told = json_object(body)
        if told is None:
            raise ProviderSilent(f"answered {status}, and no JSON")
        return status, told


def _understood(shown: list[Any]) -> list[Key]:
    """Those for signatures. One of a kind that is not known yet must not hide the others: whoever changes keys
    shows old and new side by side."""
    found: list[Key] = []
    for one in shown:
        if not isinstance(one, dict) or one.get("kty") not in KINDS or one.get("use", "sig") != "sig":
            continue
        try:
            found.extend(KeySet.import_key_set({"keys": [one]}))
        except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError) as unreadable:
            log.warning("a key of the provider is not understood", extra={"reason": type(unreadable).__name__})
    return found
