"""One attempt to sign in by the provider: what goes there with the person, and what stays in their browser.

The browser keeps the attempt in a cookie that is sealed, so that nobody makes one up. A code that comes back is
only taken with the cookie of the same attempt: another browser has none, or another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from chassis import clock
from chassis.sealing import Seal, SealBroken
from services.console.single_sign_on.discovery import Described
from services.console.single_sign_on.refusals import SignOnRefused

PURPOSE = "sign-on"
OF_NO_COMPANY = ""
GOOD_SECONDS = 600
LONGEST_BACK = 1500
"""Characters of the page to go on to: browsers keep no cookie of more than 4,096."""
NO_AGE = "0"
"""The provider has to ask who it is once more, however short ago it did."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """``back`` is the page to go on to, ``proves`` the account that shows once more who it is; empty when signing
    in."""

    state: str
    nonce: str
    verifier: str
    back: str
    begun: int
    """Seconds since 1970."""
    proves: str = ""

    @property
    def digest(self) -> bytes:
        """By which it is remembered as used."""
        return hashlib.sha256(self.state.encode()).digest()


def begun(back: str, proves: str = "") -> Attempt:
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
    fits = len(json.dumps(back)) <= LONGEST_BACK
    return Attempt(state, nonce, verifier, back if fits else "/", int(clock.now().timestamp()), proves)


def address(attempt: Attempt, described: Described, client_id: str, scopes: str, redirect_uri: str) -> str:
    """Where the person goes (OpenID Connect Core 3.1.2.1, RFC 7636 4.3)."""
    challenge = hashlib.sha256(attempt.verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scopes,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        **({"max_age": NO_AGE, "prompt": "login"} if attempt.proves else {}),
    }
    joint = "&" if "?" in described.authorize_url else "?"
    return f"{described.authorize_url}{joint}{urlencode(query)}"


def kept(seal: Seal, attempt: Attempt) -> str:
    """The cookie."""
    sealed = seal.seal(json.dumps(asdict(attempt)), company=OF_NO_COMPANY, purpose=PURPOSE)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def brought_back(seal: Seal, cookie: str, state: str) -> Attempt:
    """The attempt of this browser. Raises ``SignOnRefused``: ``attempt_unknown`` where the browser began none, or
    another one, ``attempt_over`` where it took too long."""
    try:
        sealed = base64.urlsafe_b64decode(cookie.encode("ascii") + b"=" * (-len(cookie) % 4))
        attempt = Attempt(**json.loads(seal.open(sealed, company=OF_NO_COMPANY, purpose=PURPOSE)))
    except (ValueError, TypeError, SealBroken) as unreadable:
        raise SignOnRefused("attempt_unknown") from unreadable
    if not hmac.compare_digest(attempt.state.encode(), state.encode()):
        raise SignOnRefused("attempt_unknown")
    if clock.now().timestamp() > attempt.begun + GOOD_SECONDS:
        raise SignOnRefused("attempt_over")
    return attempt
