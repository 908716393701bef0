"""Three servers by the chart of nats.io let in the same, and forbid the same, as one beside compose or embedded.

The chart is not here: what it makes of our values is in ``rendered``, and started with places of this machine.
"""

import asyncio
import hashlib
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
import nats.errors
import pytest
import yaml
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig

from chassis.embedded_config import SUBSCRIBERS, SUBSCRIBERS_API, nats_binary, nats_conf
from chassis.issuing import Issuer, question_of
from chassis.provision import provision
from chassis.server_process import free_port
from chassis.trust import trusting
from cli.certificates import Certificates
from cli.credentials import Credentials
from cli.places import ROOT, SERVICES
from contracts.subjects import stream

CHART = ROOT / "deploy/kubernetes/components/nats-chart"
RENDERED = Path(__file__).parent / "rendered"
VALUES = {"nats-chart": ("values.yaml",), "nats-chart-tls": ("values.yaml", "values-tls.yaml")}
LOCAL = "127.0.0.1"
SERVERS = 3
Manifest = dict[str, Any]


def rendered(name: str) -> dict[str, Manifest]:
    """Kind: manifest."""
    made = yaml.safe_load_all((RENDERED / f"{name}.yaml").read_text(encoding="utf-8"))
    return {one["kind"]: one for one in made}


@pytest.fixture(params=VALUES)
def chart(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_kept_is_what_the_chart_makes_of_these_values(chart: str) -> None:
    values = b"".join((CHART / file).read_bytes() for file in VALUES[chart])
    told = re.search(
        r"digest, which a test tells: (\w+)", (RENDERED / f"{chart}.yaml").read_text(encoding="utf-8")
    )
    assert told
    assert told[1] == hashlib.sha256(values).hexdigest()[:16], (
        "the values changed: have the chart render them again"
    )


def test_its_pods_fit_the_restricted_standard(chart: str) -> None:
    pod = rendered(chart)["StatefulSet"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        confined = container["securityContext"]
        assert confined["allowPrivilegeEscalation"] is False, container["name"]
        assert confined["readOnlyRootFilesystem"] is True, container["name"]
        assert confined["capabilities"] == {"drop": ["ALL"]}, container["name"]
        assert {"requests", "limits"} <= container["resources"].keys(), container["name"]


def test_the_accounts_are_where_the_configuration_reads_them(chart: str, tmp_path: Path) -> None:
    made = rendered(chart)
    found = re.findall(r"include (\S+);", made["ConfigMap"]["data"]["nats.conf"])
    pod = made["StatefulSet"]["spec"]["template"]["spec"]
    included = [Path(os.path.normpath(Path("/etc/nats-config") / one)) for one in found]
    assert [one.name for one in included] == ["accounts.conf", "routes.conf"]
    assert "password" not in made["ConfigMap"]["data"]["nats.conf"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    secrets = {
        str(secret["metadata"]["name"]): secret["stringData"]  # type: ignore[index]
        for secret in Credentials(tmp_path / "credentials").kubernetes("relance")
    }
    for container in pod["containers"]:
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        (folder,) = {one.parent for one in included}
        secret = volumes[mounts[str(folder)]]["secret"]
        assert [item["path"] for item in secret["items"]] == [one.name for one in included]
        assert {item["key"] for item in secret["items"]} <= secrets[secret["secretName"]].keys()  # type: ignore[attr-defined]


def test_the_same_are_let_in_with_the_same_rights_wherever_the_servers_run(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    Credentials(folder).write()
    compose = json.loads((folder / "nats/nats.conf").read_text())
    chart = json.loads((folder / "nats/accounts.conf").read_text())
    embedded = json.loads(nats_conf(4222, tmp_path, SERVICES, lambda user: user, issuer="A"))
    assert chart.keys() == {"system_account", "accounts", "authorization"}
    assert {name: compose[name] for name in chart} == chart
    assert without_secrets({name: embedded[name] for name in chart}) == without_secrets(chart)


def without_secrets(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: without_secrets(one) for name, one in told.items() if name not in ("password", "issuer")}
    return [without_secrets(one) for one in told] if isinstance(told, list) else told


@dataclass(frozen=True)
class Cluster:
    """Three servers that hear one another."""

    folder: Path
    ports: list[int]
    routes: list[int]
    by_tls: bool

    def url(self, user: str, server: int = 0, password: str | None = None) -> str:
        scheme, asked = ("tls", f"?ca={self.folder}/nats-certs/authority/ca.crt") if self.by_tls else ("nats", "")
        host = "localhost" if self.by_tls else LOCAL
        return f"{scheme}://{user}:{password or self.password(user)}@{host}:{self.ports[server]}{asked}"

    def password(self, user: str) -> str:
        return (self.folder / f"credentials/passwords/nats-{user}").read_text()

    @property
    def issuer(self) -> Issuer:
        return Issuer((self.folder / "credentials/passwords/doorkeeper-key").read_text())


@contextmanager
def running(chart: str, folder: Path) -> Iterator[Cluster]:
    """What the chart made, with ports and folders of this machine and without names of a cluster."""
    Credentials(folder / "credentials").write()
    accounts = folder / "nats-accounts/accounts.conf"
    accounts.parent.mkdir()
    accounts.write_bytes((folder / "credentials/nats/accounts.conf").read_bytes())
    Certificates(folder / "nats-certs", {"nats": ["localhost"], "cluster": ["localhost"]}).write()
    authority = (folder / "nats-certs/authority/ca.crt").read_bytes()
    (folder / "nats-certs/cluster/ca.crt").write_bytes(authority)
    ports, routes = [free_port() for _ in range(SERVERS)], [free_port() for _ in range(SERVERS)]
    conf = rendered(chart)["ConfigMap"]["data"]["nats.conf"].replace("/etc/nats-certs", f"{folder}/nats-certs")
    known = (folder / "credentials/nats/routes.conf").read_text()
    for number in range(SERVERS):
        known = known.replace(f"nats-{number}.nats-headless:6222", f"localhost:{routes[number]}")
    (folder / "nats-accounts/routes.conf").write_text(known)
    conf = re.sub(r'"http_port": \d+,', "", conf)
    servers = []
    try:
        for number in range(SERVERS):
            # one folder each: what is included is named from where nats.conf is
            own = folder / f"nats-config-{number}"
            own.mkdir()
            (own / "nats.conf").write_text(
                conf.replace('"port": 4222', f'"port": {ports[number]}')
                .replace('"port": 6222', f'"port": {routes[number]}, "host": "{LOCAL}"')
                .replace("/var/run/nats/nats.pid", str(own / "nats.pid"))
                .replace('"/data"', f'"{own / "data"}"'),
                encoding="utf-8",
            )
            servers.append(
                subprocess.Popen(
                    [str(nats_binary()), "--config", str(own / "nats.conf"), "--addr", LOCAL],
                    env={**os.environ, "SERVER_NAME": f"relance-nats-{number}"},
                    stdout=subprocess.DEVNULL,
                    stderr=(own / "log").open("w"),
                )
            )
        yield Cluster(folder, ports, routes, chart.endswith("-tls"))
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait()


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[Client]:
    connection = await nats.connect(url, allow_reconnect=False, **trusting(url), **options)
    try:
        yield connection
    finally:
        await connection.close()


async def streams_made(cluster: Cluster) -> None:
    """Once the three have found one another and chosen who leads."""
    for attempt in range(100):
        try:
            made = await provision(cluster.url("admin", 1), ["ledger", "sync"], replicas=SERVERS)
        except (OSError, nats.errors.Error):
            logs = [
                (cluster.folder / f"nats-config-{number}/log").read_text()[-1000:] for number in range(SERVERS)
            ]
            assert attempt < 99, logs
            await asyncio.sleep(0.2)
        else:
            assert set(made) == {stream("ledger", 1), stream("sync", 1)}
            return


async def test_three_servers_keep_streams_and_each_says_only_what_is_its_own(chart: str, tmp_path: Path) -> None:
    with running(chart, tmp_path) as cluster:
        await streams_made(cluster)
        async with connected(cluster.url("ledger", 2)) as ledger:
            jetstream = ledger.jetstream(timeout=2)
            held = await jetstream.stream_info(stream("ledger", 1))
            assert held.cluster is not None
            assert len(held.cluster.replicas or []) == SERVERS - 1
            for said in range(SERVERS):
                assert (await jetstream.publish("evt.ledger.0.acme.ClientStopped", b"{}")).seq == said + 1
            with pytest.raises(nats.errors.TimeoutError):
                await ledger.jetstream(timeout=0.5).publish("evt.sync.0.acme.EntriesSynced", b"{}")
        if chart.endswith("-tls"):
            plain = cluster.url("ledger").replace("tls://", "nats://")
            with pytest.raises((OSError, nats.errors.Error)):
                await nats.connect(plain, allow_reconnect=False, connect_timeout=2)
        else:
            await subscribers_come_by_the_door(cluster)
            await a_stranger_is_no_server_of_theirs(cluster)


async def a_stranger_is_no_server_of_theirs(cluster: Cluster) -> None:
    """Whoever reaches the port of the routes without their password could hear and say everything."""
    folder = cluster.folder / "stranger"
    folder.mkdir()
    without = {
        "name": "nats",
        "port": free_port(),
        "routes": [f"nats://{LOCAL}:{port}" for port in cluster.routes],
    }
    conf = {"port": free_port(), "server_name": "stranger", "cluster": without, "host": LOCAL}
    (folder / "nats.conf").write_text(json.dumps(conf))
    with (folder / "log").open("w") as log:
        command = [str(nats_binary()), "--config", str(folder / "nats.conf")]
        stranger = await asyncio.create_subprocess_exec(*command, stderr=log)
    try:
        async with asyncio.timeout(20):
            while True:
                told = (folder / "log").read_text(), (cluster.folder / "nats-config-0/log").read_text()
                if "Authorization Violation" in told[0] and "authentication error" in told[1]:
                    break
                await asyncio.sleep(0.1)
    finally:
        stranger.terminate()
        await stranger.wait()


async def subscribers_come_by_the_door(cluster: Cluster) -> None:
    """The doorkeeper is asked by every server, and whoever it lets in asks for its own messages and no more."""
    asks = f"{SUBSCRIBERS_API}.CONSUMER.MSG.NEXT.{stream('ledger', 1)}.erp"

    async with (
        connected(cluster.url("doorkeeper", 0)) as doorkeeper,
        connected(cluster.url("admin", 0)) as admin,
    ):

        async def answer(message: Msg) -> None:
            question = question_of(message.data)
            known = question.password == "the secret"
            await message.respond(
                cluster.issuer.admit(question, SUBSCRIBERS, [asks], ["_INBOX.erp.>"])
                if known
                else cluster.issuer.refuse(question, "not known")
            )

        await doorkeeper.subscribe("$SYS.REQ.USER.AUTH", cb=answer)
        await doorkeeper.flush()
        config = ConsumerConfig(durable_name="erp", filter_subject="evt.ledger.*.acme.>")
        await admin.jetstream().add_consumer(stream("ledger", 1), config)
        for server in range(SERVERS):
            async with connected(
                cluster.url("erp@acme", server, "the secret"), inbox_prefix="_INBOX.erp"
            ) as subscriber:
                delivered = await subscriber.subscribe("_INBOX.erp.next")
                # refused: nothing comes of it
                await subscriber.publish("$JS.API.STREAM.NAMES", b"", reply="_INBOX.erp.next")
                await subscriber.publish(asks, b"1", reply="_INBOX.erp.next")
                # a message keeps its own subject, whatever was asked on
                assert (await delivered.next_msg(timeout=5)).subject == "evt.ledger.0.acme.ClientStopped"
                assert isinstance(subscriber.last_error, nats.errors.Error)
                assert "$js.api.stream.names" in str(subscriber.last_error)
        with pytest.raises((OSError, nats.errors.Error)):
            await nats.connect(cluster.url("erp@acme", 1, "another"), allow_reconnect=False, connect_timeout=3)
