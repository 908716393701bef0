"""Whether an ID token is the provider's word, for us, about this attempt, now (OpenID Connect Core 3.1.3.7).
Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidKeyIdError,
    JoseError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import KeySet

from services.console.single_sign_on.refusals import SignOnRefused

SKEW_SECONDS = 60
"""By how much the provider's clock may differ from ours."""
LONGEST = 50_000
"""Characters of a token; those with hundreds of groups have some ten thousand."""


@dataclass(frozen=True, slots=True)
class Expected:
    """``authenticated_since``: the person has to have shown who they are after that, in seconds since 1970."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: tuple[str, ...]
    authenticated_since: int | None = None


def key_named(token: str) -> str | None:
    """Which key it says it is signed with: so far nothing of it is believed. Raises ``SignOnRefused``."""
    if len(token) > LONGEST:
        raise SignOnRefused("token_unreadable", "it is too long")
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError) as unreadable:
        raise SignOnRefused("token_unreadable") from unreadable
    kid = header.get("kid")
    return kid if isinstance(kid, str) else None


def verified(token: str, keys: KeySet, expected: Expected, now: int) -> Mapping[str, Any]:
    """What it says. ``now`` in seconds since 1970. Raises ``SignOnRefused`` with what is wrong with it."""
    try:
        claims = jwt.decode(token, keys, algorithms=list(expected.algorithms)).claims
    except UnsupportedAlgorithmError as other:
        raise SignOnRefused("token_algorithm") from other
    except InvalidKeyIdError as unknown:
        raise SignOnRefused("token_key_unknown") from unknown
    except BadSignatureError as forged:
        raise SignOnRefused("token_signature") from forged
    except (JoseError, ValueError) as unreadable:
        raise SignOnRefused("token_unreadable", type(unreadable).__name__) from unreadable
    if claims.get("iss") != expected.issuer:
        raise SignOnRefused("token_issuer")
    _is_for(claims, expected.client_id)
    try:
        jwt.JWTClaimsRegistry(
            now=now,
            leeway=SKEW_SECONDS,
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        ).validate(claims)
    except ExpiredTokenError as over:
        raise SignOnRefused("token_expired") from over
    except JoseError as wrong:
        raise SignOnRefused("token_claims", str(getattr(wrong, "claim", ""))) from wrong
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise SignOnRefused("token_nonce")
    if expected.authenticated_since is not None:
        shown = claims.get("auth_time")
        if not isinstance(shown, int) or shown < expected.authenticated_since - SKEW_SECONDS:
            raise SignOnRefused("not_shown_again")
    return claims


def _is_for(claims: Mapping[str, Any], client_id: str) -> None:
    """A token for several is ours only if it was issued to us."""
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or client_id not in named:
        raise SignOnRefused("token_audience")
    party = claims.get("azp")
    if (len(named) > 1 or party is not None) and party != client_id:
        raise SignOnRefused("token_party")
