"""Where companies may have us connect to: the public internet, and networks that the operator names.

A company chooses the address of its webhooks and of its mail servers, so without this anybody who configures one
could have us ask the inside of the network we run in. A name is looked up once, and what was looked at is what is
connected to.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpcore

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Networks = tuple[Network, ...]
TRANSLATED = ip_network("64:ff9b::/96")
"""IPv4 behind a translator (RFC 6052): its last 32 bits say where it really goes."""
INSIDE = (ip_network("64:ff9b:1::/48"), ip_network("fec0::/10"))
"""Translators of a network's own (RFC 8215) and sites (RFC 3879), which ``ipaddress`` takes for public ones."""
MOST_TRIED = 3
"""Of the addresses of a name."""
LOOKED_UP_SECONDS = 5.0
"""How long a person who saves a name waits for the server of names."""


class AddressRefused(OSError):
    """The address is neither public nor in a network that the operator allows."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is not on the public internet, and in no network that the operator allows")
        self.host = host


class HostUnknown(OSError):
    """A name that leads to no address now."""


def networks_of(setting: str) -> Networks:
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


def literal(host: str) -> Address | None:
    """The address that a host is written as, if it is not a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


async def check_host(host: str, port: int, allowed: Sequence[Network]) -> None:
    """Refuse a host while a person types it, who can mend it. A name that nobody knows now passes: it is judged
    again whenever it is connected to. Raises ``AddressRefused``."""
    try:
        async with asyncio.timeout(LOOKED_UP_SECONDS):
            await judged(host, port, allowed)
    except (HostUnknown, TimeoutError):
        return


async def judged(host: str, port: int, allowed: Sequence[Network]) -> list[Address]:
    """The addresses of a host that may be connected to. Raises ``AddressRefused`` when none may, ``HostUnknown``
    when there is none."""
    return _allowed_of(host, await _looked_up(host, port), allowed)


def _allowed_of(host: str, found: Sequence[Address], allowed: Sequence[Network]) -> list[Address]:
    may = [one for one in found if is_allowed(one, allowed)]
    if not may:
        raise AddressRefused(host)
    return may[:MOST_TRIED]


async def connected(host: str, port: int, allowed: Sequence[Network], seconds: float) -> socket.socket:
    """A connection to an allowed address of a host. Raises ``OSError``, ``TimeoutError`` among them."""
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    async with asyncio.timeout(seconds):
        for address in await judged(host, port, allowed):
            made = _socket_to(address)
            try:
                made.setblocking(False)
                await loop.sock_connect(made, (str(address), port))
            except OSError as unreachable:
                made.close()
                failure = unreachable
            except BaseException:
                made.close()
                raise
            else:
                return made
    assert failure is not None
    raise failure


def connected_here(host: str, port: int, allowed: Sequence[Network], seconds: float) -> socket.socket:
    """As ``connected``, for code that blocks in a thread of its own."""
    failure: OSError | None = None
    for address in _allowed_of(host, _found(host, _ask(host, port)), allowed):
        made = _socket_to(address)
        try:
            made.settimeout(seconds)
            made.connect((str(address), port))
        except OSError as unreachable:
            made.close()
            failure = unreachable
        else:
            return made
    assert failure is not None
    raise failure


def _socket_to(address: Address) -> socket.socket:
    return socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)


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
        failure: Exception | None = None
        for address in await judged(host, port, self.allowed):
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
    except (OSError, UnicodeError) as failure:
        raise _unknown(host, failure) from failure
    return _found(host, found)


def _ask(host: str, port: int) -> Sequence[tuple[object, object, object, object, Sequence[object]]]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as failure:
        raise _unknown(host, failure) from failure


def _unknown(host: str, failure: OSError | UnicodeError) -> HostUnknown:
    # no server of names can be asked for what is written in other letters
    why = failure.strerror if isinstance(failure, OSError) else "it is no name"
    return HostUnknown(f"{host} has no address ({why})")


def _found(host: str, told: Iterable[Sequence[object]]) -> list[Address]:
    numbers = [str(one[4][0]).partition("%")[0] for one in told]  # type: ignore[index]
    if not numbers:
        raise HostUnknown(f"{host} has no address")
    return list(dict.fromkeys(ip_address(number) for number in numbers))
