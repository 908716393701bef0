"""NATS by TLS: who vouches for the server is said by the address, and nobody else is believed."""

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import nats.errors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from faststream.nats import NatsBroker

from chassis.embedded_config import nats_binary, nats_conf
from chassis.issuing import Issuer
from chassis.provision import provision
from chassis.server_process import free_port
from chassis.trust import authority_of, security_of, trusting
from contracts.subjects import stream

HOST = "localhost"


def authority(folder: Path) -> None:
    """``ca.crt``, and ``tls.crt`` and ``tls.key`` of a server named ``localhost``."""
    folder.mkdir()
    above, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
    today = datetime.now(UTC)

    def signed(key: ec.EllipticCurvePrivateKey, subject: x509.Name, *, is_authority: bool) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(hours=1))
            .not_valid_after(today + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
            .sign(above, hashes.SHA256())
        )

    server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    pem = serialization.Encoding.PEM
    (folder / "ca.crt").write_bytes(signed(above, name, is_authority=True).public_bytes(pem))
    (folder / "tls.crt").write_bytes(signed(own, server, is_authority=False).public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "tls.key").write_bytes(own.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority(folder / "ours")
    authority(folder / "strangers")
    return folder


@pytest.fixture(scope="module")
def address(folders: Path) -> Iterator[str]:
    """``user:password@host:port`` of the one who provisions."""
    port = free_port()
    issuer = Issuer("a long secret of this test").public_key
    conf = folders / "nats.conf"
    text = nats_conf(
        port, folders / "store", ["ledger"], lambda user: f"{user}-1", issuer=issuer, certificate=folders / "ours"
    )
    conf.write_text(text, encoding="utf-8")
    with subprocess.Popen(
        [str(nats_binary()), "--config", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        yield f"admin:admin-1@{HOST}:{port}"
        server.terminate()


async def reached(url: str) -> None:
    """Once the server that was just started answers."""
    for _ in range(100):
        try:
            connection = await nats.connect(url, allow_reconnect=False, **trusting(url))
        except (OSError, nats.errors.NoServersError):
            await asyncio.sleep(0.1)
        else:
            await connection.close()
            return
    pytest.fail("nats-server does not answer by TLS")


async def test_streams_are_made_and_brokers_speak_by_tls(folders: Path, address: str) -> None:
    url = f"tls://{address}?ca={folders / 'ours' / 'ca.crt'}"
    await reached(url)
    assert await provision(url, ["ledger"]) == {stream("ledger", 1): "created"}
    async with NatsBroker(url, logger=None, security=security_of(url)) as broker:
        await broker.start()
        assert broker.config.connection_state.connection.is_connected


async def test_a_server_for_whom_a_stranger_vouches_is_refused(folders: Path, address: str) -> None:
    await reached(f"tls://{address}?ca={folders / 'ours' / 'ca.crt'}")
    url = f"tls://{address}?ca={folders / 'strangers' / 'ca.crt'}"
    with pytest.raises(ssl.SSLCertVerificationError):
        await nats.connect(url, allow_reconnect=False, **trusting(url))


async def test_nobody_is_let_in_without_tls(folders: Path, address: str) -> None:
    await reached(f"tls://{address}?ca={folders / 'ours' / 'ca.crt'}")
    with pytest.raises((ssl.SSLError, nats.errors.Error, OSError)):
        await nats.connect(f"nats://{address}", allow_reconnect=False, connect_timeout=2)


def test_an_address_without_tls_asks_for_nothing() -> None:
    assert authority_of("nats://ledger:1@nats:4222") is None
    assert trusting("nats://ledger:1@nats:4222") == {}
