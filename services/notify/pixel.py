"""The signed link by which a mail tells that it was opened; only for companies that chose to track opens."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

GIF = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
"""One transparent point."""

_SIGNATURE_BYTES = 16
_IN_A_MAIL = re.compile(r'<img src="[^"<>]*/o/[A-Za-z0-9_-]+\.gif" width="1" height="1"[^<>]*>')


class LinkRefused(ValueError):
    """The link was not made here."""


def url(public_url: str, secret: str, company: str, action_id: UUID) -> str:
    return f"{public_url.rstrip('/')}/o/{_token(secret, company, action_id)}.gif"


def without(html: str) -> str:
    """A mail as its senders look at it: whoever of the company sees it again has not opened it for the client."""
    return _IN_A_MAIL.sub("", html)


def _token(secret: str, company: str, action_id: UUID) -> str:
    named = action_id.bytes + company.encode()
    return urlsafe_b64encode(_signature(secret, named) + named).rstrip(b"=").decode()


def read(secret: str, token: str) -> tuple[str, UUID]:
    """Company and action of a link. Raises ``LinkRefused``."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as unreadable:
        raise LinkRefused from unreadable
    signature, named = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not secret or len(named) <= 16 or not hmac.compare_digest(signature, _signature(secret, named)):
        raise LinkRefused
    return named[16:].decode(), UUID(bytes=named[:16])


def _signature(secret: str, named: bytes) -> bytes:
    return hmac.new(secret.encode(), b"opened:" + named, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
