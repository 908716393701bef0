"""Certificates of PostgreSQL and NATS where nothing else makes them: an authority of this installation's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chassis import clock
from cli.placing import put

AUTHORITY_FOR = timedelta(days=3650)
SERVER_FOR = timedelta(days=730)
RENEWED_BEFORE = timedelta(days=365)
"""So long before its end a server's certificate is made anew, if somebody asks."""
READABLE, OWN = 0o444, 0o400
PEM = serialization.Encoding.PEM


class NoKeyOfTheAuthority(Exception):
    """Certificates are to be made anew, and the authority is somebody else's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} has ca.crt and no ca.key: who vouches for the servers is somebody else, so put tls.crt and"
            " tls.key of theirs where the missing ones belong, or take ca.crt away to have an authority made"
        )


class Certificates:
    """Below ``folder``: ``authority`` with its key, which nobody is given, and a folder per server.

    ``servers``: folder of each, for ``tls.crt`` and ``tls.key``, and the names by which it is reached. What lies
    there already is kept, be it ours or somebody else's, until ours comes near its end or lacks a name.
    """

    def __init__(self, folder: Path, servers: Mapping[str, Sequence[str]]) -> None:
        self.folder = folder
        self.servers = servers

    def write(self) -> list[Path]:
        """Make what is missing or near its end; answers what was made. Raises ``NoKeyOfTheAuthority``."""
        made: list[Path] = []
        if not self._authority("ca.crt").exists():
            made += self._make_authority()
        for server, names in self.servers.items():
            if self._is_wanted(self.folder / server / "tls.crt", names):
                made += self._make_server(self.folder / server, names)
        return made

    @property
    def authority(self) -> bytes:
        """Whom to believe."""
        return self._authority("ca.crt").read_bytes()

    def _authority(self, file: str) -> Path:
        return self.folder / "authority" / file

    def _is_wanted(self, file: Path, names: Sequence[str]) -> bool:
        if not file.exists():
            return True
        if not self._authority("ca.key").exists():
            return False
        found = x509.load_pem_x509_certificate(file.read_bytes())
        told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        ends_soon = found.not_valid_after_utc - clock.now() < RENEWED_BEFORE
        return ends_soon or not set(names) <= set(told.get_values_for_type(x509.DNSName))

    def _make_authority(self) -> list[Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relance-authority")])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        certificate = (
            _begun(name, name, key, AUTHORITY_FOR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        crt, private = self._authority("ca.crt"), self._authority("ca.key")
        return [put(private, _private(key), OWN), put(crt, certificate.public_bytes(PEM), READABLE)]

    def _make_server(self, folder: Path, names: Sequence[str]) -> list[Path]:
        if not self._authority("ca.key").exists():
            raise NoKeyOfTheAuthority(self._authority("ca.crt").parent)
        above = serialization.load_pem_private_key(self._authority("ca.key").read_bytes(), None)
        assert isinstance(above, ec.EllipticCurvePrivateKey)
        authority = x509.load_pem_x509_certificate(self.authority)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _begun(
                x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), authority.subject, key, SERVER_FOR
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            # servers of NATS call one another
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False)
            .sign(above, hashes.SHA256())
        )
        return [
            put(folder / "tls.key", _private(key), READABLE),
            put(folder / "tls.crt", certificate.public_bytes(PEM), READABLE),
        ]


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # clocks differ
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + lasts)
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
