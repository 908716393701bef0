"""The programs of docs/guide/http-api.md are taken from the page and run as they stand there, before a real
ledger."""

import asyncio
import io
import json
import os
import sys
import zipfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest_asyncio
from sqlalchemy import text

from chassis.database import transaction
from chassis.embedded import Stack
from tests.integration.ledger.conftest import House, Voice, entry_id, synced
from tests.integration.systems import Door, door_before, program

PATIENCE_SECONDS = 60


async def run(*command: str | Path, **environment: str) -> str:
    """What a program prints; it must end well."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), env={**os.environ, **environment}, stdout=PIPE, stderr=PIPE
    )
    told, complained = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0, (told, complained)
    return told.decode()


@pytest_asyncio.fixture
async def door(stack: Stack, house: House) -> AsyncIterator[Door]:
    app = house.http._transport.app  # type: ignore[attr-defined]
    async with door_before(stack, "ledger", app) as opened:
        yield opened


@pytest_asyncio.fixture
async def company(house: House, voice: Voice) -> str:
    """A company with one client who owes two invoices."""
    slug = f"keys-{uuid4().hex[:8]}"
    await house.put(slug, "", {"name": slug})
    heard = await voice.run(slug, [synced("F1", "C1", "120.50"), synced("F2", "C1", "80.00")])
    await house.get(slug, "/statement", heard, client_id="C1")
    return slug


async def test_a_statement_is_asked_for_with_curl(door: Door, company: str, tmp_path: Path) -> None:
    environment = await door.key(company, "crm", ["read:entries"])
    given = json.loads(await run("sh", program("token.sh", tmp_path), **environment))
    assert (given["company"], given["scope"]) == (company, "read:entries")
    environment |= {"TOKEN": given["access_token"], "CLIENT": "C1"}
    told = json.loads(await run("sh", program("statement.sh", tmp_path), **environment))
    assert {entry["piece"] for entry in told["entries"]} == {"F1", "F2"}


async def test_a_promise_is_recorded_in_the_name_of_the_system(
    door: Door, company: str, house: House, tmp_path: Path
) -> None:
    environment = await door.key(company, "crm", ["read:entries", "write:promises"])
    told = [await run(sys.executable, program("promise.py", tmp_path), "C1", **environment) for _ in range(2)]
    assert told[0] == told[1], "sent twice it is one promise"
    async with transaction(house.process.engine) as tx:
        asked = "select actor, body from event_log where company = :company and type = 'PromiseRecorded'"
        (said,) = list(await tx.execute(text(asked), {"company": company}))
    assert said.actor == "system:crm"
    assert said.body["promise_id"] == told[0].strip()
    assert said.body["entry_id"] in {entry_id("F1"), entry_id("F2")}


async def test_a_key_does_no_more_than_its_scopes_and_is_never_an_administrator(door: Door, company: str) -> None:
    key = await door.key(company, "crm", ["read:clients", "read:entries"])
    async with httpx.AsyncClient(base_url=f"{door.url}/api") as http:
        form = {"grant_type": "client_credentials"}
        given = await http.post("/token", data=form, auth=(key["KEY_ID"], key["KEY_SECRET"]))
        http.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
        below = f"/ledger/companies/{company}"
        assert (await http.get(below)).json()["company"] == company
        stop = await http.post(f"{below}/stop-client", json={"client_id": "C1"})
        assert (stop.status_code, stop.json()["needed"]) == (403, ["write:stops"])
        for method, path in (("PUT", below), ("POST", f"{below}/merge-clients"), ("GET", f"{below}/retention")):
            answer = await http.request(method, path, json={})
            assert (answer.status_code, answer.json()["type"]) == (403, "role-insufficient"), path
        described = (await http.get("/ledger/openapi.json")).json()
        assert described["paths"]["/companies/{company}/stop-client"]["post"]["security"] == [
            {"person": []}, {"key": ["write:stops"]},
        ]  # fmt: skip


async def test_a_statement_tells_of_promises_and_disputes_to_keys_that_read_them(
    door: Door, company: str, house: House
) -> None:
    disputed = {"client_id": "C1", "entry_id": entry_id("F1"), "reason": "price"}
    assert (await house.post(company, "/open-dispute", disputed)).status_code == 200
    form, found = {"grant_type": "client_credentials"}, []
    asked = {"client_id": "C1"}
    for scopes in (["read:entries"], ["read:entries", "read:promises"]):
        key = await door.key(company, "crm", scopes)
        async with httpx.AsyncClient(base_url=f"{door.url}/api") as http:
            given = await http.post("/token", data=form, auth=(key["KEY_ID"], key["KEY_SECRET"]))
            http.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
            told = (await http.get(f"/ledger/companies/{company}/statement", params=asked)).json()["entries"]
            found.append(next(entry for entry in told if entry["piece"] == "F1"))
    without, whole = found
    assert (whole["dispute"], whole["promises"]) == ("price", [])
    assert set(whole) - set(without) == {"dispute", "promises"}


async def test_a_pdf_goes_in_and_comes_out_whole(door: Door, company: str) -> None:
    """Bodies pass the door as they are, both ways."""
    content = b"%PDF-1.7 " + os.urandom(3 << 20)
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as made:
        made.writestr("F1.pdf", content)
        listed = [{"file": "F1.pdf", "entry_id": entry_id("F1")}]
        made.writestr("metadata.json", json.dumps({"documents": listed}))
    key = await door.key(company, "ged", ["read:entries", "write:documents"])
    async with httpx.AsyncClient(base_url=f"{door.url}/api", timeout=60) as http:
        form = {"grant_type": "client_credentials"}
        given = await http.post("/token", data=form, auth=(key["KEY_ID"], key["KEY_SECRET"]))
        http.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
        below = f"/ledger/companies/{company}/documents"
        taken = await http.post(below, content=bundle.getvalue(), headers={"Content-Type": "application/zip"})
        assert taken.json()["attached"] == 1, taken.text
        found = (await http.get(below, params={"client_id": "C1"})).json()["documents"][entry_id("F1")]
        got = await http.get(f"{below}/{found[0]['document_id']}")
    assert got.headers["content-type"] == "application/pdf"
    assert got.content == content
