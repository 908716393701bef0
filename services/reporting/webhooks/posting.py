"""One event to one receiver: signed as Standard Webhooks says, and what the answer means."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import httpcore
from standardwebhooks import Webhook as Signing

from chassis import clock
from chassis.guard import GuardedNetwork, networks_of
from services.reporting.settings import ReportingSettings

PREFIX = "whsec_"
SECRET_BYTES = 32
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
GONE, TOO_MANY = 410, 429
LONGEST_WAIT_ASKED_SECONDS = 3600
TOLD_LETTERS = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery. ``told`` is a sentence for whoever looks after the receiver."""

    ok: bool
    told: str
    status: int | None = None
    wait_seconds: float = 0
    """How long the receiver asks to be left alone."""

    @property
    def gone(self) -> bool:
        """The receiver wants nothing any more."""
        return self.status == GONE


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed(message_id: str, at: datetime, body: str, keys: Sequence[str]) -> dict[str, str]:
    """The headers that say who sends: one signature per key, so that a receiver may change it in its own time."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signing(key).sign(message_id, at, body) for key in keys),
    }


class Post:
    """Connections to receivers. Redirects are not followed: they would lead where nobody looked."""

    def __init__(self, settings: ReportingSettings) -> None:
        self.seconds = settings.webhook_seconds
        self.pool = httpcore.AsyncConnectionPool(
            network_backend=GuardedNetwork(networks_of(settings.webhook_networks)),
            max_connections=settings.webhook_connections,
            keepalive_expiry=20,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.pool.aclose()

    async def send(self, url: str, message_id: str, body: str, keys: Sequence[str]) -> Outcome:
        """Deliver. Whatever the receiver or the road does is an outcome."""
        headers = {
            "content-type": CONTENT_TYPE,
            "user-agent": "relance-webhooks",
            **signed(message_id, clock.now(), body, keys),
        }
        try:
            async with (
                asyncio.timeout(self.seconds),
                self.pool.stream("POST", url, headers=list(headers.items()), content=body.encode()) as answer,
            ):
                return _outcome(answer.status, _header(answer, b"retry-after"))
        except TimeoutError:
            return Outcome(ok=False, told=f"no answer within {self.seconds:.0f} s")
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as failure:
            return Outcome(ok=False, told=(str(failure) or type(failure).__name__)[:TOLD_LETTERS])
        except (httpcore.UnsupportedProtocol, TypeError):
            # httpcore takes no letter outside ASCII for an address
            return Outcome(ok=False, told="the address is not one of HTTP")


def _outcome(status: int, retry_after: str) -> Outcome:
    told = f"answered {status}"
    if 200 <= status < 300:
        return Outcome(ok=True, told=told, status=status)
    if 300 <= status < 400:
        told += ": redirects are not followed"
    # an exponent is a digit too, and no number
    seconds = retry_after.isascii() and retry_after.isdigit()
    asked = float(retry_after) if status in (TOO_MANY, 503) and seconds else 0
    return Outcome(ok=False, told=told, status=status, wait_seconds=min(asked, LONGEST_WAIT_ASKED_SECONDS))


def _header(answer: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in answer.headers if key.lower() == name), "")
