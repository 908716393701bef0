"""Secrets that companies give, kept so that a copy of the database alone does not tell them."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealMissing(Exception):
    """The installation has no sealing key, so it can keep no secret."""


class SealBroken(Exception):
    """A secret was sealed by a key that the installation does not have any more."""


class Seal:
    """``keys`` are any long secrets, separated by commas: the first seals, all open."""

    def __init__(self, keys: str) -> None:
        self._keys = [
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.strip().encode()).digest()))
            for key in keys.split(",")
            if key.strip()
        ]

    def seal(self, secret: str) -> bytes:
        """Raises ``SealMissing``."""
        if not self._keys:
            raise SealMissing
        return self._keys[0].encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Raises ``SealBroken``."""
        if not self._keys:
            raise SealBroken
        try:
            return MultiFernet(self._keys).decrypt(sealed).decode()
        except InvalidToken as broken:
            raise SealBroken from broken
