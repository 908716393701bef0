"""Whom to believe when NATS is reached by TLS: its address says it, as PostgreSQL's does by ``sslrootcert``."""

from __future__ import annotations

import ssl
from typing import TypedDict
from urllib.parse import parse_qs, urlsplit

from faststream.security import BaseSecurity


class Trusting(TypedDict, total=False):
    """What ``nats.connect`` takes besides the address."""

    tls: ssl.SSLContext


def authority_of(url: str) -> ssl.SSLContext | None:
    """``tls://…?ca=FILE`` believes the authority in that file alone, ``tls://…`` those of the system; ``nats://…``
    is not encrypted (``None``). Raises ``OSError`` where the file cannot be read."""
    parts = urlsplit(url)
    if parts.scheme != "tls":
        return None
    named = parse_qs(parts.query).get("ca")
    return ssl.create_default_context(cafile=named[0] if named else None)


def trusting(url: str) -> Trusting:
    """For ``nats.connect(url, **trusting(url))``."""
    context = authority_of(url)
    return {} if context is None else {"tls": context}


def security_of(url: str) -> BaseSecurity | None:
    """The same for a broker of FastStream."""
    context = authority_of(url)
    return None if context is None else BaseSecurity(ssl_context=context, use_ssl=True)
