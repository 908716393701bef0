"""Imports as callers ask for them: over HTTP, under row-level security."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.auth import Role, mint, read_key
from chassis.embedded import Stack
from chassis.http import create_app
from tests.integration.sync.conftest import AS_OF, Sync
from tests.specs.sync.books import Writing, book

FILE = Writing().bytes(book(40))
NAME = "900000003FEC20261231.txt"


@dataclass
class Door:
    """Sync's HTTP door, as a user of one company."""

    http: httpx.AsyncClient
    stack: Stack

    def headers(self, company: str, role: Role = "admin") -> dict[str, str]:
        token = mint(read_key(self.stack.private_key_file), "user:alice", (company,), role)
        return {"Authorization": f"Bearer {token}", "Relance-As-Of": str(AS_OF)}

    async def call(
        self, method: str, company: str, path: str, *, role: Role = "admin", **options: Any
    ) -> httpx.Response:
        url = f"/companies/{company}{path}"
        return await self.http.request(method, url, headers=self.headers(company, role), **options)


@pytest.fixture
async def door(stack: Stack, sync: Sync) -> AsyncIterator[Door]:
    settings = sync.running.settings
    settings.token_public_key_file = stack.public_key_file
    settings.allow_as_of = True
    transport = httpx.ASGITransport(create_app(sync.running))
    async with httpx.AsyncClient(transport=transport, base_url="http://sync") as http:
        yield Door(http, stack)


async def test_a_file_is_sent_and_its_run_followed_to_the_end(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    asked = await door.call("POST", company, "/imports", params={"filename": NAME}, content=FILE)
    assert asked.status_code == 202, asked.text
    run_id = asked.json()["run_id"]
    assert asked.json()["position"].startswith("sync/")
    under_way = (await door.call("GET", company, f"/imports/{run_id}")).json()
    assert (under_way["status"], under_way["stage"]) == ("running", "queued")
    await sync.carry_out()
    ended = (await door.call("GET", company, f"/imports/{run_id}")).json()
    assert (ended["status"], ended["changed"], ended["open_balance"]) == ("completed", 60, "2430.00")
    history = (await door.call("GET", company, "/imports")).json()["runs"]
    assert [run["run_id"] for run in history] == [run_id]
    said = [event["type"] for event in await sync.said(company)]
    assert said.count("SyncStarted") == said.count("SyncCompleted") == 1


async def test_a_file_larger_than_a_part_arrives_whole(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    content = Writing().bytes(book(4_000))
    assert len(content) > 1 << 20
    asked = await door.call("POST", company, "/imports", params={"filename": NAME}, content=content)
    await sync.carry_out()
    ended = (await door.call("GET", company, f"/imports/{asked.json()['run_id']}")).json()
    assert (ended["status"], ended["receivable_lines"]) == ("completed", 6_000)


async def test_an_unknown_company_is_told_so_and_nothing_is_kept(door: Door, company: str) -> None:
    answer = await door.call("POST", company, "/imports", params={"filename": NAME}, content=FILE)
    assert answer.status_code == 404
    assert answer.json()["type"] == "company-unknown"
    assert "Register it" in answer.json()["detail"]
    assert (await door.call("GET", company, "/imports")).json() == {"runs": []}


async def test_what_cannot_be_asked(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    ask = {"filename": NAME}
    for params, status in (
        ({}, 422),
        (ask | {"connector": "abacus"}, 422),
        (ask | {"email_domain": "no domain"}, 422),
    ):
        answer = await door.call("POST", company, "/imports", params=params, content=FILE)
        assert answer.status_code == status, params
    answer = await door.call("POST", company, "/imports", role="reader", params=ask, content=FILE)
    assert answer.status_code == 403
    assert (await door.call("GET", company, f"/imports/{uuid4()}")).status_code == 404
    sync.running.settings.largest_import_mb = 0  # type: ignore[attr-defined]
    assert (await door.call("POST", company, "/imports", params=ask, content=FILE)).status_code == 413


async def test_another_companys_runs_are_not_to_be_seen(door: Door, sync: Sync, company: str) -> None:
    other = f"t{uuid4().hex[:12]}"
    await sync.register(company)
    await sync.register(other)
    asked = await door.call("POST", company, "/imports", params={"filename": NAME}, content=FILE)
    await sync.carry_out()
    assert (await door.call("GET", other, f"/imports/{asked.json()['run_id']}")).status_code == 404
    assert (await door.call("GET", other, "/imports")).json() == {"runs": []}


async def test_settings_say_how_files_are_read(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    delivered = (await door.call("GET", company, "/import-settings")).json()
    assert (delivered["accounts"], delivered["term_days"]) == (["411"], 30)
    chosen = {
        "accounts": ["512"], "term_days": 45, "journals": {"BQ": "cash"}, "accepted": ["chronology_broken"],
        "fields": {"tag1": "Chantier"},
    }  # fmt: skip
    assert (await door.call("PUT", company, "/import-settings", json=chosen)).status_code == 200
    kept = (await door.call("GET", company, "/import-settings")).json()
    assert {name: kept[name] for name in chosen} == chosen
    asked = await door.call("POST", company, "/imports", params={"filename": NAME}, content=FILE)
    await sync.carry_out()
    ended = (await door.call("GET", company, f"/imports/{asked.json()['run_id']}")).json()
    assert (ended["receivable_lines"], ended["clients"]) == (20, 1)
    wrongs: tuple[dict[str, Any], ...] = (
        {"term_days": -1},
        {"accounts": []},
        {"accounts": ["4 11"]},
        {"journals": {"VE": "art"}},
        {"fields": {"tag4": "Chantier"}},
    )
    for wrong in wrongs:
        assert (await door.call("PUT", company, "/import-settings", json=wrong)).status_code == 422


async def test_a_path_in_the_file_name_is_dropped(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    params = {"filename": f"C:\\exports\\{NAME}"}
    asked = await door.call("POST", company, "/imports", params=params, content=FILE)
    run = (await door.call("GET", company, f"/imports/{asked.json()['run_id']}")).json()
    assert run["file"] == NAME
