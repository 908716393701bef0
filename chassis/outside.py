"""Asking a server outside by HTTPS: its address is judged, its certificate verified, its answer bounded.

Redirects are not followed, and nothing that is asked or answered is logged: forms hold secrets, answers hold
tokens.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import httpcore

from chassis.guard import AddressRefused, GuardedNetwork, networks_of

ANSWER_SECONDS = 10.0
MOST_BYTES = 100_000
WORDS_CHARACTERS = 300
TRUSTED_SECONDS = 300.0
"""For how long the authorities that were read count, so that new files count without a start."""


class NoAnswer(Exception):
    """Nothing can be made of what was asked. ``inside``: the address is neither public nor allowed by the
    operator; else the server is silent, says too much, or is not who it should be, and later may help."""

    def __init__(self, words: str, *, inside: bool = False) -> None:
        super().__init__(words)
        self.inside = inside


def json_object(body: bytes) -> dict[str, Any] | None:
    """What an answer tells; ``None`` where that is no JSON object."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


class Outside:
    """``networks`` are allowed besides the public internet (``chassis.guard.networks_of``); ``ca_file`` vouches
    for servers besides the usual authorities."""

    def __init__(self, networks: str, ca_file: Path | None) -> None:
        self._networks = networks_of(networks)
        self._ca_file = ca_file
        self._trusted: tuple[float, ssl.SSLContext] | None = None

    async def ask(
        self,
        method: Literal["GET", "POST"],
        url: str,
        headers: Mapping[str, str],
        content: bytes = b"",
    ) -> tuple[int, bytes]:
        """Status and body, within ten seconds. Raises ``NoAnswer``."""
        try:
            trusted = await self._authorities()
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                httpcore.AsyncConnectionPool(
                    ssl_context=trusted, network_backend=GuardedNetwork(self._networks)
                ) as pool,
                pool.stream(method, url, headers=list(headers.items()), content=content) as answer,
            ):
                body = b""
                async for part in answer.aiter_stream():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise NoAnswer("the answer is too long")
                return answer.status, body
        except AddressRefused as refused:
            raise NoAnswer(refused.host, inside=True) from refused
        except TimeoutError as late:
            raise NoAnswer(f"no answer within {ANSWER_SECONDS:.0f} s") from late
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            OSError,
        ) as failure:
            raise NoAnswer(f"{type(failure).__name__}: {failure}"[:WORDS_CHARACTERS]) from failure

    async def _authorities(self) -> ssl.SSLContext:
        """Read in a thread, and not for every question: it takes up to a tenth of a second, in which nobody else
        would be answered."""
        now = time.monotonic()
        if self._trusted is None or now - self._trusted[0] >= TRUSTED_SECONDS:
            self._trusted = now, await asyncio.to_thread(self._read_authorities)
        return self._trusted[1]

    def _read_authorities(self) -> ssl.SSLContext:
        trusted = ssl.create_default_context()
        if self._ca_file:
            trusted.load_verify_locations(self._ca_file)
        return trusted
