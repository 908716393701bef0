"""A person's consent: sent to the provider with a state that only that person's session can bring back, once.

The state is sealed, so it is signed, and names company, person and session. What proves to the provider that the
code came to us (PKCE, RFC 7636) stays here, with the number of the attempt: only the last counts, for ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from chassis import clock
from chassis.sealing import Seal, SealBroken
from services.notify.oauth.providers import Provider

STATE_PURPOSE, PENDING_PURPOSE = "oauth-state", "oauth-consent"
GOOD_SECONDS = 600
PATH = "/mail-consent"
"""Of the console, where every provider sends people back to: it is registered there and never changes."""


class StateForged(Exception):
    """The state was not made here, not for this company, or for another person or session."""


class StateOver(Exception):
    """It was used, another attempt was begun, or it took too long."""


@dataclass(frozen=True, slots=True)
class Asked:
    """``url`` is where the person goes; ``pending`` is kept, sealed."""

    url: str
    pending: bytes


@dataclass(frozen=True, slots=True)
class Whose:
    """The company, its person, and what tells that person's session from another."""

    company: str
    person: str
    session: str


def ask(  # noqa: PLR0913, PLR0917 - what a provider is told
    seal: Seal, whose: Whose, provider: Provider, client_id: str, redirect_uri: str, mailbox: str
) -> Asked:
    """``mailbox`` is the address that the provider proposes to consent for; empty is none."""
    number, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    until = int(clock.now().timestamp()) + GOOD_SECONDS
    state = {"number": number, "person": whose.person, "session": whose.session, "until": until}
    query = {
        "client_id": client_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": provider.scope,
        "state": _spelled(
            whose.company, seal.seal(json.dumps(state), company=whose.company, purpose=STATE_PURPOSE)
        ),
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        **dict(provider.asked),
        **({"login_hint": mailbox} if mailbox else {}),
    }
    kept = json.dumps({"number": number, "verifier": verifier})
    joint = "&" if "?" in provider.authorize_url else "?"
    return Asked(
        f"{provider.authorize_url}{joint}{urlencode(query)}",
        seal.seal(kept, company=whose.company, purpose=PENDING_PURPOSE),
    )


def verifier_of(seal: Seal, whose: Whose, state: str, pending: bytes | None) -> str:
    """What proves that the code came to us. Raises ``StateForged``, ``StateOver``."""
    said = _read(seal, whose.company, state)
    for name, mine in (("person", whose.person), ("session", whose.session)):
        if not hmac.compare_digest(str(said.get(name, "")).encode(), mine.encode()):
            raise StateForged
    if pending is None or clock.now().timestamp() > said["until"]:
        raise StateOver
    try:
        kept = json.loads(seal.open(pending, company=whose.company, purpose=PENDING_PURPOSE))
    except SealBroken as broken:
        raise StateOver from broken
    if not hmac.compare_digest(kept["number"], said["number"]):
        raise StateOver
    return str(kept["verifier"])


def challenge(verifier: str) -> str:
    """What the provider keeps of it (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _spelled(company: str, sealed: bytes) -> str:
    """The company stands in front, so that who brings it back knows whom to ask."""
    return f"{company}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"


def _read(seal: Seal, company: str, state: str) -> Mapping[str, Any]:
    named, _, rest = state.partition(".")
    try:
        sealed = base64.urlsafe_b64decode(rest.encode("ascii") + b"=" * (-len(rest) % 4))
        said = json.loads(seal.open(sealed, company=company, purpose=STATE_PURPOSE))
    except (ValueError, SealBroken) as unreadable:
        raise StateForged from unreadable
    if named != company or not isinstance(said, dict):
        raise StateForged
    return said
