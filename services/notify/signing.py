"""DKIM: a company's messages signed with a key of its own, whose public half its domain shows (RFC 6376)."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field

import dkim
import dns.exception
import dns.resolver
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.sealing import Seal, SealBroken

SIGNING_KEY = "dkim"
"""What the key is sealed for."""
KEY_BITS = 2048
DNS_SECONDS = 10.0
SIGNED = (
    b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
    b"auto-submitted",
)  # fmt: skip
ACTIVE = text("select domain, selector, private_key from dkim_key where company = :company and active")


@dataclass(frozen=True, slots=True)
class Signature:
    """How a company signs. ``private_key`` is PEM."""

    domain: str
    selector: str
    private_key: str = field(repr=False)

    def signs_for(self, address: str) -> bool:
        """Only what is written in the name of the key's domain: a signature for another proves nothing."""
        domain = address.rpartition("@")[2].lower()
        return domain == self.domain or domain.endswith(f".{self.domain}")

    def header(self, raw: bytes) -> bytes:
        """The header to put in front of a message; it takes some milliseconds of computing."""
        signed: bytes = dkim.sign(
            raw,
            self.selector.encode(),
            self.domain.encode(),
            self.private_key.encode(),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name for name in SIGNED if _has(raw, name)],
        )
        return signed.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


async def header_of(signature: Signature | None, address: str, raw: bytes) -> bytes:
    """The header to put in front of a message that is written in the name of ``address``: none where the company
    does not sign, or not for it."""
    if signature is None or not signature.signs_for(address):
        return b""
    # signing is all computing: everything else goes on meanwhile
    return await asyncio.to_thread(signature.header, raw)


class SignatureSealed(Exception):
    """A company's key cannot be opened with the installation's sealing key."""


async def signature_of(tx: AsyncConnection, company: str, sealing_key: str) -> Signature | None:
    """How the company signs, if it does. Raises ``SignatureSealed``."""
    row = (await tx.execute(ACTIVE, {"company": company})).one_or_none()
    if row is None:
        return None
    try:
        private = Seal(sealing_key).open(bytes(row.private_key), company=company, purpose=SIGNING_KEY)
    except SealBroken as broken:
        raise SignatureSealed from broken
    return Signature(row.domain, row.selector, private)


def new_key() -> tuple[str, str]:
    """A private key as PEM, and the public one as DNS shows it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), base64.b64encode(public).decode()


def record_name(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}"


def record_value(public_key: str) -> str:
    return f"v=DKIM1; k=rsa; p={public_key}"


def is_published(records: list[str], public_key: str) -> bool:
    """Whether one of the records holds this key, however it is written."""
    tags = (tag.partition("=") for record in records for tag in record.split(";"))
    return any(name.strip() == "p" and "".join(value.split()) == public_key for name, _, value in tags)


def look_up(name: str) -> list[str]:
    """The TXT records of a name in DNS."""
    try:
        found = dns.resolver.resolve(name, "TXT", lifetime=DNS_SECONDS)
    except dns.exception.DNSException:
        return []
    return [b"".join(one.strings).decode("ascii", "replace") for one in found]


def _has(raw: bytes, name: bytes) -> bool:
    head = b"\n" + raw.partition(b"\r\n\r\n")[0].lower()
    return b"\n" + name + b":" in head
