"""Addresses that webhooks may be given: whole, over TLS, and not plainly on the inside (``chassis.guard``)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from chassis.guard import Network, is_allowed, literal

LONGEST_URL = 2000
LONGEST_LABEL = 63


class UrlRefused(Exception):
    """A webhook cannot go to such an address."""


def check_url(url: str, allowed: Sequence[Network]) -> str:
    """The address as it is kept. Raises ``UrlRefused``.

    TLS is a must, but for a number in an allowed network: there the operator answers for the road.
    """
    try:
        parts = urlsplit(url.strip())
        port_is_right = parts.port != 0
    except ValueError:
        raise UrlRefused("this is no address: write it as https://receiver.example/path") from None
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host or len(url) > LONGEST_URL or not port_is_right:
        raise UrlRefused("this is no address: write it as https://receiver.example/path")
    if not url.strip().isascii() or any(not one.isprintable() or one == " " for one in url.strip()):
        raise UrlRefused("write letters with accents as the net does: xn--… in the name, %C3%A9 behind it")
    if any(not 0 < len(label) <= LONGEST_LABEL for label in host.removesuffix(".").split(".")) and ":" not in host:
        raise UrlRefused(f"no name has empty parts, or parts of more than {LONGEST_LABEL} letters")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise UrlRefused("leave user, password and #fragment out: events are signed instead")
    number = literal(host)
    if number is not None and not is_allowed(number, allowed):
        raise UrlRefused(f"{host} is not on the public internet: name a host that is, or ask your operator")
    if parts.scheme == "http" and (number is None or not any(number in network for network in allowed)):
        raise UrlRefused("write https: what is sent must not be read on its way")
    return url.strip()
