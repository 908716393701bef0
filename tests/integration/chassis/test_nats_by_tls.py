"""NATS by TLS: who vouches for the server is said by the address, and nobody else is believed."""

import asyncio
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import nats.errors
import pytest
from faststream.nats import NatsBroker

from chassis import clock
from chassis.embedded_config import nats_binary, nats_conf
from chassis.issuing import Issuer
from chassis.provision import provision
from chassis.server_process import free_port
from chassis.trust import authority_of, security_of, trusting
from cli.certificates import SERVER_FOR, Certificates
from contracts.subjects import stream

HOST = "localhost"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    for vouching in ("ours", "strangers"):
        Certificates(folder / vouching, {"nats": [HOST]}).write()
    return folder


@contextmanager
def showing(folder: Path, certificate: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server with that certificate: ``user:password@host:port`` of the one who provisions."""
    port = free_port()
    issuer = Issuer("a long secret of this test").public_key
    conf = folder / "nats.conf"
    text = nats_conf(
        port, folder / "store", ["ledger"], lambda user: f"{user}-1", issuer=issuer, certificate=certificate
    )
    conf.write_text(text, encoding="utf-8")
    with subprocess.Popen(
        [str(nats_binary()), "--config", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            yield f"admin:admin-1@{HOST}:{port}", server
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def address(folders: Path) -> Iterator[str]:
    with showing(folders, folders / "ours/nats") as (found, _):
        yield found


async def reached(url: str) -> None:
    """Once the server that was just started answers."""
    for _ in range(100):
        try:
            connection = await nats.connect(url, allow_reconnect=False, **trusting(url))
        except ssl.SSLCertVerificationError:
            raise
        except (OSError, nats.errors.NoServersError):
            await asyncio.sleep(0.1)
        else:
            await connection.close()
            return
    pytest.fail("nats-server does not answer by TLS")


async def test_streams_are_made_and_brokers_speak_by_tls(folders: Path, address: str) -> None:
    url = f"tls://{address}?ca={folders / 'ours/authority/ca.crt'}"
    await reached(url)
    assert await provision(url, ["ledger"]) == {stream("ledger", 1): "created"}
    async with NatsBroker(url, logger=None, security=security_of(url)) as broker:
        await broker.start()
        assert broker.config.connection_state.connection.is_connected


async def test_a_server_for_whom_a_stranger_vouches_is_refused(folders: Path, address: str) -> None:
    await reached(f"tls://{address}?ca={folders / 'ours/authority/ca.crt'}")
    url = f"tls://{address}?ca={folders / 'strangers/authority/ca.crt'}"
    with pytest.raises(ssl.SSLCertVerificationError):
        await nats.connect(url, allow_reconnect=False, **trusting(url))


async def test_nobody_is_let_in_without_tls(folders: Path, address: str) -> None:
    await reached(f"tls://{address}?ca={folders / 'ours/authority/ca.crt'}")
    with pytest.raises((ssl.SSLError, nats.errors.Error, OSError)):
        await nats.connect(f"nats://{address}", allow_reconnect=False, connect_timeout=2)


async def test_a_certificate_that_has_ended_is_refused_and_its_successor_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = Certificates(tmp_path / "tls", {"nats": [HOST]})
    with monkeypatch.context() as long_ago:
        long_ago.setattr(clock, "now", lambda: datetime.now(UTC) - SERVER_FOR - timedelta(seconds=1))
        certificates.write()
    with showing(tmp_path, tmp_path / "tls/nats") as (address, server):
        url = f"tls://{address}?ca={tmp_path / 'tls/authority/ca.crt'}"
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            await reached(url)
        assert len(certificates.write()) == 2
        server.send_signal(signal.SIGHUP)
        await reached(url)


def test_an_address_without_tls_asks_for_nothing() -> None:
    assert authority_of("nats://ledger:1@nats:4222") is None
    assert trusting("nats://ledger:1@nats:4222") == {}
