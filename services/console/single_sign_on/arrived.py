"""Who came, out of what the provider says of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import is_normalized

from services.console.single_sign_on.refusals import SignOnRefused

LONGEST_SUBJECT, LONGEST_ADDRESS, LONGEST_NAME = 255, 320, 200
MOST_GROUPS = 2000
EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Named:
    """Which claims say what."""

    person: str
    verified: str
    groups: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """``subject`` is the provider's own name of the person, which it never gives to another."""

    subject: str
    address: str
    """In lower case, as accounts have it."""
    name: str
    groups: frozenset[str]


def lacks(claims: Mapping[str, Any], named: Named, *, with_groups: bool) -> bool:
    """Something is not in the token that the provider may tell when it is asked."""
    unverified = named.person == EMAIL and named.verified not in claims
    return named.person not in claims or unverified or (with_groups and named.groups not in claims)


def arrived(claims: Mapping[str, Any], named: Named, *, with_groups: bool) -> Arrived:
    """Raises ``SignOnRefused``."""
    subject, address = claims.get("sub"), claims.get(named.person)
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise SignOnRefused("token_claims", "sub")
    if not isinstance(address, str) or not 0 < len(address.strip()) <= LONGEST_ADDRESS:
        raise SignOnRefused("address_missing", f"no claim {named.person}")
    if not is_plain(address.strip()):
        raise SignOnRefused("address_missing", f"{named.person} holds letters that pass for others")
    is_verified = claims.get(named.verified)
    if named.person == EMAIL and is_verified is not True and is_verified != "true":
        raise SignOnRefused("address_unverified", f"{named.verified} is not true")
    told = claims.get("name")
    return Arrived(
        subject,
        address.strip().lower(),
        _on_one_line(told if isinstance(told, str) else "")[:LONGEST_NAME] or address.strip(),
        _groups(claims, named.groups) if with_groups else frozenset(),
    )


def is_plain(address: str) -> bool:
    """In lower case it is nobody else's: there the Kelvin sign is a ``k``, and a mailbox that is named with it
    would open the account of another."""
    return address.isprintable() and is_normalized("NFC", address)


def _on_one_line(name: str) -> str:
    """As it may stand on pages and in the head of mails: people choose their own name at many a provider."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())


def _groups(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Those that are not told are none: whoever is in no group any more loses what groups gave."""
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping) and name in elsewhere:
        # Entra ID leaves groups out where there are too many: that is no word that the person is in none
        raise SignOnRefused("groups_left_out", f"{name} is too long for the token")
    told = claims.get(name, [])
    found = [told] if isinstance(told, str) else told
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found) or len(found) > MOST_GROUPS:
        raise SignOnRefused("token_claims", name)
    return frozenset(found)
