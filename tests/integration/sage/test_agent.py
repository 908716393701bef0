"""The agent beside a base: asked by a heartbeat, it pushes; silent, it is missed; broken off, it harms nothing."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from chassis.auth import Role, mint, read_key
from chassis.database import transaction
from chassis.embedded import Stack
from chassis.http import create_app
from chassis.jobs import JobWorker
from chassis.running import Running
from services.sync.agent import working
from services.sync.agent.configuration import BaseConfiguration, Configuration, ConfigurationRefused, read
from services.sync.agent.working import Agent
from services.sync.connectors.kinds import LIVE
from services.sync.increments import QUEUE, Incrementer
from services.sync.main import build, today
from services.sync.settings import SyncSettings
from services.sync.silence import Watch
from tests.integration.sage.conftest import Base, Reader, with_assumed_due_dates
from tests.integration.sync.conftest import LedgerDouble, Sync


@dataclass
class Remote:
    """Sync behind its HTTP, and what an agent needs to reach it."""

    reader: Reader
    http: httpx.AsyncClient
    stack: Stack
    configuration: Configuration
    settings: SyncSettings

    def headers(self, company: str, role: Role = "admin") -> dict[str, str]:
        token = mint(read_key(self.stack.private_key_file), "user:alice", [company], role)
        return {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, company: str, path: str, **request: Any) -> httpx.Response:
        headers = {**self.headers(company), **request.pop("headers", {})}
        return await self.http.request(method, f"/companies/{company}{path}", headers=headers, **request)

    async def connect(self, company: str) -> None:
        await self.reader.sync.register(company)
        body = {"base": "BIJOU", "place": "agent", "options": {"db_schema": self.reader.base.schema}}
        answer = await self.call("PUT", company, "/connectors/bijou", json=body)
        assert answer.status_code == 200, answer.text

    def agent(self, company: str) -> Agent:
        """One that reads the base of the test."""
        file = Path(self.configuration.token_file)
        file.write_text(mint(read_key(self.stack.private_key_file), "connector:bijou", [company], "connector"))
        (file.parent / "address").write_text(self.reader.base.url + "\n")
        base = BaseConfiguration(company=company, connector="bijou", address_file=file.parent / "address")
        return Agent(self.configuration, base, LIVE, self.http)

    async def asked(self, company: str, mode: str = "incremental") -> UUID:
        answer = await self.call("POST", company, "/connectors/bijou/synchronise", json={"mode": mode})
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["run_id"])

    async def taken_in(self, company: str, run_id: UUID) -> dict[str, Any]:
        """Carry out what was delivered; the ended run."""
        reader = self.reader
        worker = JobWorker(reader.sync.running.engine, QUEUE, reader.incrementer, batch=1, back_off_seconds=0)
        while await worker.step():
            pass
        return await reader.sync.run(company, run_id)

    async def synced(self, company: str, agent: Agent, mode: str = "incremental") -> dict[str, Any]:
        """Asked for, heard by the agent, pushed, taken in."""
        run_id = await self.asked(company, mode)
        await agent.beat()
        assert agent._delivering is not None
        await agent._delivering
        return await self.taken_in(company, run_id)

    def watch(self) -> Watch:
        return Watch(self.reader.sync.running, self.settings, LIVE, today)

    async def age(self, company: str, **by: timedelta) -> None:
        """Let time pass for a connector's last sign of life, or for its run's."""
        async with transaction(self.reader.sync.running.engine) as tx:
            for column, passed in by.items():
                table = "run" if column == "active_at" else "connector"
                await tx.execute(
                    text(f"update {table} set {column} = {column} - :passed where company = :company"),
                    {"passed": passed, "company": company},
                )

    async def said(self, company: str, name: str) -> list[dict[str, Any]]:
        return [event["body"] for event in await self.reader.sync.said(company) if event["type"] == name]


@pytest.fixture
async def remote(stack: Stack, base: Base, tmp_path: Path) -> AsyncIterator[Remote]:
    settings = SyncSettings(
        database_url=stack.database_url("sync", "worker"),
        api_database_url=stack.database_url("sync", "api"),
        token_public_key_file=stack.public_key_file,
    )
    running = Running(build(settings))
    ledger = LedgerDouble()
    running._neighbours["ledger"] = ledger  # type: ignore[assignment]
    incrementer = Incrementer(running, LIVE, {}, people_per_call=2_000, patience=30)
    reader = Reader(Sync(running, ledger, incrementer), incrementer, base, {})
    configuration = Configuration.model_construct(sync_url="http://sync", token_file=tmp_path / "token", bases=[])
    transport = httpx.ASGITransport(create_app(running))
    async with httpx.AsyncClient(transport=transport, base_url="http://sync") as http:
        yield Remote(reader, http, stack, configuration, settings)
    await running.stop()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small base makes many parts."""
    monkeypatch.setattr(working, "PART_BYTES", 20_000)


@pytest.mark.usefixtures("small_parts")
async def test_an_agent_delivers_what_it_is_asked_for(remote: Remote, company: str) -> None:
    await remote.connect(company)
    agent = remote.agent(company)
    await agent.beat()
    run = await remote.synced(company, agent)
    assert (run["status"], run["mode"]) == ("completed", "full"), run["errors"]
    remote.reader.base.change(26)
    run = await remote.synced(company, agent)
    assert [warning["code"] for warning in run["warnings"]] == ["another_look_needed"]
    follow_up = UUID(run["follow_up"])  # the totals tell that something was deleted; this look finds what
    await agent.beat()
    assert agent._delivering is not None
    await agent._delivering
    run = await remote.taken_in(company, follow_up)
    assert (run["status"], run["mode"], run["warnings"]) == ("completed", "check", [])
    assert run["archived"] > 0
    assert await remote.reader.entries(company) == with_assumed_due_dates(remote.reader.base.entries())
    assert await remote.reader.clients(company) == remote.reader.base.clients()
    run = await remote.synced(company, agent)
    assert (run["mode"], run["changed"], run["follow_up"]) == ("incremental", 0, None)
    shown = (await remote.call("GET", company, "/connectors")).json()["connectors"][0]
    assert (shown["is_silent"], shown["due"], shown["source"]) == (False, None, "sage100/BIJOU")


async def test_a_silent_connector_is_refused_with_the_guides_message(remote: Remote, company: str) -> None:
    """Rule 2.2: the date of its last activity, and the remedy."""
    await remote.connect(company)
    agent = remote.agent(company)
    await agent.beat()
    await remote.age(company, seen_at=timedelta(seconds=301))
    for _ in range(2):
        answer = await remote.call("POST", company, "/connectors/bijou/synchronise", json={"language": "fr"})
    problem = answer.json()
    assert answer.status_code == 409
    assert problem["title"].startswith(
        "Synchronisation impossible. Aucune activité du connecteur détectée depuis le "
    )
    assert problem["title"].endswith("Veuillez vous assurer que le connecteur soit actif.")
    assert "Redémarrez-le" in problem["detail"]
    silent = await remote.said(company, "ConnectorSilent")
    assert [event["connector"] for event in silent] == ["bijou"]
    assert silent[0]["last_seen_at"] is not None
    await agent.beat()
    assert (await remote.synced(company, agent))["status"] == "completed"


async def test_silence_is_said_once_without_being_asked(remote: Remote, company: str) -> None:
    await remote.connect(company)
    agent = remote.agent(company)
    watch = remote.watch()
    await agent.beat()
    await remote.age(company, seen_at=timedelta(seconds=290))
    await watch.look()
    assert await remote.said(company, "ConnectorSilent") == []
    await remote.age(company, seen_at=timedelta(seconds=20))
    await watch.look()
    await watch.look()
    assert len(await remote.said(company, "ConnectorSilent")) == 1
    await agent.beat()
    await remote.age(company, seen_at=timedelta(seconds=400))
    await watch.look()
    assert len(await remote.said(company, "ConnectorSilent")) == 2


async def test_a_base_that_sync_reads_itself_gives_its_own_signs_of_life(remote: Remote, company: str) -> None:
    await remote.connect(company)
    options = {"db_schema": remote.reader.base.schema}
    await remote.call(
        "PUT", company, "/connectors/bijou", json={"base": "BIJOU", "place": "sync", "options": options}
    )
    remote.settings.source_addresses[f"{company}/bijou"] = remote.reader.base.url
    remote.reader.incrementer._addresses = remote.settings.source_addresses
    await remote.age(company, created_at=timedelta(seconds=400))
    watch = remote.watch()
    await watch.look()
    assert await remote.said(company, "ConnectorSilent") == []
    run = await remote.taken_in(company, await remote.asked(company))
    assert (run["status"], run["mode"]) == ("completed", "full"), run["errors"]
    assert await remote.reader.entries(company) == with_assumed_due_dates(remote.reader.base.entries())

    remote.settings.source_addresses[f"{company}/bijou"] = "postgresql+psycopg://nobody:s3cret@127.0.0.1:1/none"
    await remote.age(company, seen_at=timedelta(seconds=301))
    await watch.look()
    assert len(await remote.said(company, "ConnectorSilent")) == 1
    refused = await remote.call("POST", company, "/connectors/bijou/synchronise", json={})
    assert refused.status_code == 409
    del remote.settings.source_addresses[f"{company}/bijou"]


@pytest.mark.usefixtures("small_parts")
async def test_an_agent_that_dies_half_way_leaves_nothing_and_its_successor_delivers_all(
    remote: Remote, company: str
) -> None:
    await remote.connect(company)
    first = remote.agent(company)
    await first.beat()
    run_id = await remote.asked(company, "full")
    began = await first._pusher.begin(run_id)
    await first._pusher.part(run_id, began["delivery"], 0, b'{"record":"gone","key":"1"}\n')
    successor = remote.agent(company)
    await successor.beat()
    assert successor._delivering is not None
    await successor._delivering
    late = await remote.call(
        "PUT",
        company,
        f"/connectors/bijou/deliveries/{run_id}/parts/1",
        params={"delivery": began["delivery"]},
        content=b'{"record":"gone","key":"2"}\n',
    )
    assert late.status_code == 409
    assert (await remote.taken_in(company, run_id))["status"] == "completed"
    assert await remote.reader.entries(company) == with_assumed_due_dates(remote.reader.base.entries())


async def test_a_delivery_of_which_nothing_more_comes_fails_with_its_reason(remote: Remote, company: str) -> None:
    await remote.connect(company)
    agent = remote.agent(company)
    await agent.beat()
    run_id = await remote.asked(company)
    await agent._pusher.begin(run_id)
    await remote.age(company, active_at=timedelta(seconds=901))
    await remote.watch().look()
    run = await remote.reader.sync.run(company, run_id)
    assert (run["status"], run["errors"][0]["code"]) == ("failed", "delivery_stalled")
    assert [event["reason"] for event in await remote.said(company, "SyncFailed")] == ["delivery_stalled"]
    assert (await remote.synced(company, agent))["status"] == "completed"


async def test_a_base_that_cannot_be_read_is_told_by_the_agent(remote: Remote, company: str) -> None:
    await remote.connect(company)
    agent = remote.agent(company)
    await agent.beat()
    address = remote.configuration.token_file.parent / "address"
    address.write_text("postgresql+psycopg://nobody:s3cret-w0rd@127.0.0.1:1/none")
    run_id = await remote.asked(company)
    await agent.beat()
    assert agent._delivering is not None
    await agent._delivering
    run = await remote.reader.sync.run(company, run_id)
    assert (run["status"], run["errors"][0]["code"]) == ("failed", "source_unreachable")
    assert "s3cret-w0rd" not in str(run)


async def test_parts_are_taken_packed_and_twice_and_nothing_else_is(remote: Remote, company: str) -> None:
    await remote.connect(company)
    agent = remote.agent(company)
    await agent.beat()
    run_id = await remote.asked(company)
    delivery = (await agent._pusher.begin(run_id))["delivery"]
    path = f"/connectors/bijou/deliveries/{run_id}/parts/0"

    async def put(content: bytes, encoding: str = "identity", attempt: str = delivery) -> int:
        answer = await remote.call(
            "PUT",
            company,
            path,
            params={"delivery": attempt},
            content=content,
            headers={"Content-Encoding": encoding},
        )
        return answer.status_code

    line = b'{"record":"gone","key":"1"}\n'
    assert [await put(gzip.compress(line), "gzip"), await put(line)] == [200, 200]
    assert await put(line[:-1]) == 422
    assert await put(line, "gzip") == 422
    assert await put(gzip.compress(line)[:-4], "gzip") == 422
    assert await put(gzip.compress(b" " * (40 << 20)), "gzip") == 413
    assert await put(line, attempt=str(uuid4())) == 409
    missing = await remote.call(
        "POST", company, f"/connectors/bijou/deliveries/{run_id}/end", json={"parts": 2, "delivery": delivery}
    )
    assert (missing.status_code, missing.json()["part"]) == (409, 1)


async def test_a_connector_keeps_its_base_and_knows_its_options(remote: Remote, company: str) -> None:
    await remote.connect(company)
    other = await remote.call("PUT", company, "/connectors/bijou", json={"base": "OTHER"})
    assert other.status_code == 409
    same = await remote.call("PUT", company, "/connectors/second", json={"base": "BIJOU"})
    assert same.status_code == 409
    wrong = await remote.call(
        "PUT", company, "/connectors/bijou", json={"base": "BIJOU", "options": {"carried_forward": "twice"}}
    )
    assert (wrong.status_code, wrong.json()["faults"][0]["option"]) == (422, "carried_forward")
    reader = await remote.http.put(
        f"/companies/{company}/connectors/bijou", json={"base": "BIJOU"}, headers=remote.headers(company, "user")
    )
    assert reader.status_code == 403


async def test_one_bases_trouble_stops_no_other(remote: Remote, company: str) -> None:
    """A base nobody registered is refused, again and again; the other delivers."""
    await remote.connect(company)
    agent = remote.agent(company)
    lost = Agent(remote.configuration, BaseConfiguration(company=company, connector="nowhere"), LIVE, remote.http)
    running = asyncio.create_task(lost.run())
    await agent.beat()
    assert (await remote.synced(company, agent))["status"] == "completed"
    assert not running.done()
    running.cancel()


def test_a_configuration_names_files_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "connector.toml"
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "bijou.address").write_text("mssql+pymssql://u:p@server/BIJOU\n")
    file.write_text(
        'sync_url = "https://sync.example"\ntoken_file = "token"\n'
        '[[base]]\ncompany = "acme"\nconnector = "bijou"\naddress_file = "bijou.address"\n'
    )
    found = read(file)
    assert (found.token(), found.bases[0].address()) == ("abc", "mssql+pymssql://u:p@server/BIJOU")
    file.write_text('sync_url = "https://sync.example"\ntoken_file = "token"\n[[base]]\ncompany = "Acme"\n')
    with pytest.raises(ConfigurationRefused, match=r"base\.0\.company.*base\.0\.connector"):
        read(file)
