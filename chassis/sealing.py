"""Secrets that companies give, kept so that a copy of the database alone does not tell them.

A seal names whose secret it is and what for: in another row of the table, or another column, it stays shut.
"""

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BOUND = b"\x02"
"""How a seal begins that names its company and purpose. Those made before begin as Fernet's do, by a letter, name
nothing, and open anywhere."""
NONCE_BYTES = 12


class SealMissing(Exception):
    """The installation has no sealing key, so it can keep no secret."""


class SealBroken(Exception):
    """A secret was sealed by a key that the installation does not have any more, or for another company or use."""


class Seal:
    """``keys`` are any long secrets, separated by commas: the first seals, all open."""

    def __init__(self, keys: str) -> None:
        secrets = [key.strip().encode() for key in keys.split(",") if key.strip()]
        self._keys = [AESGCM(_derived(secret)) for secret in secrets]
        self._unbound = [Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret).digest())) for secret in secrets]

    def seal(self, secret: str, *, company: str, purpose: str) -> bytes:
        """``purpose`` is what it opens: ``mailbox``, ``webhook`` … Raises ``SealMissing``."""
        if not self._keys:
            raise SealMissing
        nonce = os.urandom(NONCE_BYTES)
        return BOUND + nonce + self._keys[0].encrypt(nonce, secret.encode(), _said(company, purpose))

    def open(self, sealed: bytes, *, company: str, purpose: str) -> str:
        """Raises ``SealBroken``."""
        if not sealed.startswith(BOUND):
            return self._open_unbound(sealed)
        start = len(BOUND)
        nonce, content = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
        for key in self._keys:
            try:
                return key.decrypt(nonce, content, _said(company, purpose)).decode()
            except (InvalidTag, ValueError):
                continue
        raise SealBroken

    def is_newest(self, sealed: bytes, *, company: str, purpose: str) -> bool:
        """Sealed by the first key, for this company and purpose."""
        if not sealed.startswith(BOUND) or not self._keys:
            return False
        newest = Seal("")
        newest._keys = self._keys[:1]
        try:
            newest.open(sealed, company=company, purpose=purpose)
        except SealBroken:
            return False
        return True

    def _open_unbound(self, sealed: bytes) -> str:
        if not self._unbound:
            raise SealBroken
        try:
            return MultiFernet(self._unbound).decrypt(sealed).decode()
        except InvalidToken as broken:
            raise SealBroken from broken


def _derived(secret: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=32, salt=None, info=b"relance seal 2").derive(secret)


def _said(company: str, purpose: str) -> bytes:
    return f"relance/{company}/{purpose}".encode()
