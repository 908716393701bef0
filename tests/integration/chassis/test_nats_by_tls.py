"""NATS by TLS: who vouches for the server is said by the address, and nobody else is believed."""

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nats
import nats.errors
import pytest
from faststream.nats import NatsBroker

from chassis.embedded_config import nats_binary, nats_conf
from chassis.issuing import Issuer
from chassis.provision import provision
from chassis.server_process import free_port
from chassis.trust import authority_of, security_of, trusting
from cli.certificates import Certificates
from contracts.subjects import stream

HOST = "localhost"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    for vouching in ("ours", "strangers"):
        Certificates(folder / vouching, {"nats": [HOST]}).write()
    return folder


@pytest.fixture(scope="module")
def address(folders: Path) -> Iterator[str]:
    """``user:password@host:port`` of the one who provisions."""
    port = free_port()
    issuer = Issuer("a long secret of this test").public_key
    conf = folders / "nats.conf"
    shown = folders / "ours/nats"
    text = nats_conf(
        port, folders / "store", ["ledger"], lambda user: f"{user}-1", issuer=issuer, certificate=shown
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


def test_an_address_without_tls_asks_for_nothing() -> None:
    assert authority_of("nats://ledger:1@nats:4222") is None
    assert trusting("nats://ledger:1@nats:4222") == {}
