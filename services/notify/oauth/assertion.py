"""Proving by a certificate, instead of a secret, which application asks (RFC 7523; Microsoft's form of it)."""

from __future__ import annotations

import base64
from uuid import uuid4

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from joserfc import jwt
from joserfc.jwk import RSAKey

from chassis import clock

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHM = "PS256"
GOOD_SECONDS = 300


class CertificateUnfit(ValueError):
    """The PEM does not hold one RSA key and the certificate made for it."""


def certified(pem: str) -> tuple[RSAPrivateKey, x509.Certificate]:
    """Key and certificate. Raises ``CertificateUnfit``."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certified_key = certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as unreadable:
        raise CertificateUnfit from unreadable
    if not isinstance(key, RSAPrivateKey) or key.public_key() != certified_key:
        raise CertificateUnfit
    return key, certificate


def assertion(client_id: str, token_url: str, pem: str) -> str:
    """Good for minutes and for this provider alone. Raises ``CertificateUnfit``."""
    key, certificate = certified(pem)
    print_ = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    now = int(clock.now().timestamp())
    claims = {"aud": token_url, "iss": client_id, "sub": client_id, "jti": str(uuid4()), "nbf": now, "iat": now}
    header = {"alg": ALGORITHM, "typ": "JWT", "x5t#S256": print_}
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signing = RSAKey.import_key(plain)
    return jwt.encode(header, claims | {"exp": now + GOOD_SECONDS}, signing, algorithms=[ALGORITHM])
