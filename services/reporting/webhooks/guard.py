"""Where webhooks may go: to the public internet, and to networks that the operator names.

A company chooses the address, so without this anybody who configures one could have us ask the inside of the
network we run in. The name is looked up once, and what was looked at is what is connected to.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import httpcore

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
LONGEST_URL = 2000
TRANSLATED = ip_network("64:ff9b::/96")
"""IPv4 behind a translator (RFC 6052): its last 32 bits say where it really goes."""
INSIDE = (ip_network("64:ff9b:1::/48"), ip_network("fec0::/10"))
"""Translators of a network's own (RFC 8215) and sites (RFC 3879), which ``ipaddress`` takes for public ones."""
LONGEST_LABEL = 63


class AddressRefused(httpcore.ConnectError):
    """The address is neither public nor in a network that the operator allows."""


class UrlRefused(Exception):
    """A webhook cannot go to such an address."""


def networks_of(setting: str) -> tuple[Network, ...]:
    """Networks out of ``10.20.0.0/16, 127.0.0.1``. Raises ``ValueError`` for anything else."""
    return tuple(ip_network(one.strip(), strict=False) for one in setting.split(",") if one.strip())


def is_allowed(address: Address, allowed: Iterable[Network]) -> bool:
    real = _real(address)
    if any(one.version == network.version and one in network for network in allowed for one in (address, real)):
        return True
    if any(real.version == network.version and real in network for network in INSIDE):
        return False
    return real.is_global and not real.is_multicast and not real.is_reserved


def _real(address: Address) -> Address:
    """Where an IPv6 address that holds one of IPv4 goes."""
    if isinstance(address, IPv4Address):
        return address
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    held = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    return held or address


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
    try:
        literal: Address | None = ip_address(host)
    except ValueError:
        literal = None
    if literal is not None and not is_allowed(literal, allowed):
        raise UrlRefused(f"{host} is not on the public internet: name a host that is, or ask your operator")
    if parts.scheme == "http" and (literal is None or not any(literal in network for network in allowed)):
        raise UrlRefused("write https: what is sent must not be read on its way")
    return url.strip()


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to allowed addresses only."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self.allowed = tuple(allowed)
        self.network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = [one for one in await _looked_up(host, port) if is_allowed(one, self.allowed)]
        if not found:
            raise AddressRefused(f"{host} is not on the public internet, and no network that the operator allows")
        failure: Exception | None = None
        for address in found[:3]:
            try:
                return await self.network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as unreachable:
                failure = unreachable
        assert failure is not None
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self.network.sleep(seconds)


async def _looked_up(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as unknown:
        raise httpcore.ConnectError(f"{host} has no address ({unknown.strerror})") from unknown
    except UnicodeError as unwritable:
        # what no server of names can be asked for
        raise httpcore.ConnectError(f"{host} has no address (it is no name)") from unwritable
    return list(dict.fromkeys(ip_address(str(one[4][0]).partition("%")[0]) for one in found))
