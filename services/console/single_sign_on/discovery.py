"""What a provider tells of itself (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from services.console.single_sign_on.refusals import ProviderUnfit

PATH = "/.well-known/openid-configuration"
ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512", "EdDSA", "Ed25519")
"""By which a token may be signed: with a key of the provider's own. ``none`` proves nothing, and who knows the
secret that we share with the provider could sign by ``HS256``."""


@dataclass(frozen=True, slots=True)
class Described:
    """Its addresses and habits."""

    authorize_url: str
    token_url: str
    keys_url: str
    userinfo_url: str
    """Empty where there is none."""
    end_session_url: str
    """Empty where signing out here cannot sign out there."""
    algorithms: tuple[str, ...]
    takes_basic: bool
    """It takes our secret in the header of the request, and not only in the form."""
    names_itself: bool
    """It says who answers whenever it sends somebody back (RFC 9207)."""


def described(issuer: str, document: Mapping[str, Any]) -> Described:
    """Raises ``ProviderUnfit``, with what an operator has to mend."""
    told = document.get("issuer")
    if told != issuer:
        raise ProviderUnfit(f"it calls itself {str(told)[:200]}: RELANCE_OIDC_ISSUER has to be exactly that")
    algorithms = tuple(
        one for one in ALGORITHMS if one in _listed(document, "id_token_signing_alg_values_supported", ["RS256"])
    )
    if not algorithms:
        raise ProviderUnfit("it signs by no algorithm that is taken here: RS256, PS256, ES256, EdDSA")
    ways = _listed(document, "token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Described(
        authorize_url=_address(document, "authorization_endpoint"),
        token_url=_address(document, "token_endpoint"),
        keys_url=_address(document, "jwks_uri"),
        userinfo_url=_address(document, "userinfo_endpoint", needed=False),
        end_session_url=_address(document, "end_session_endpoint", needed=False),
        algorithms=algorithms,
        takes_basic="client_secret_basic" in ways,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _listed(document: Mapping[str, Any], name: str, usual: list[str]) -> list[str]:
    value = document.get(name, usual)
    return value if isinstance(value, list) else usual


def _address(document: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    value = document.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or not is_https(value):
        raise ProviderUnfit(f"its {name} is no https address")
    return value


def is_https(url: str) -> bool:
    """An address of a server, by TLS, that holds no password and no fragment, and may stand in a header."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and bool(host) and parts.username is None and not parts.fragment
