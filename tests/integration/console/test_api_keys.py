"""Configurer, Clés d’API: made, shown once, listed, revoked; exchanged for tokens by which services are asked
(docs/adr/0067)."""

import asyncio
import base64
import hashlib
import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.responses import StreamingResponse

from chassis.auth import mint, verify
from chassis.database import transaction
from chassis.embedded import Stack
from services.console.visits import Console
from tests.integration.console.conftest import COMPANY, PASSWORD, Person
from tests.integration.console.neighbours import FakeServices
from tests.integration.systems import door_before
from tests.waiting import comes_true

PAGE = f"/c/{COMPANY}/api-keys"
HANDED = re.compile(r'id="handed"[^>]*>(.*?)</pre>', re.DOTALL)
CLIENTS = f"/api/reporting/companies/{COMPANY}/clients"


def shown(answer: httpx.Response) -> str:
    return html.unescape(answer.text).replace("\u00a0", " ").replace("\u202f", " ")


@dataclass
class Rows:
    """What the console keeps, as its database has it."""

    console: Console

    async def change(self, statement: str, **values: Any) -> None:
        async with transaction(self.console.engine) as tx:
            await tx.execute(text(statement), values)

    async def of_keys(self) -> list[Any]:
        async with transaction(self.console.engine) as tx:
            return list(await tx.execute(text("select * from api_key order by made_at")))


@pytest.fixture
async def rows(console: Console) -> Rows:
    found = Rows(console)
    for table in ("api_key", "failed_sign_in", "company_hold"):
        await found.change(f"delete from {table}")
    return found


async def made(
    clerk: Person, *scopes: str, name: str = "crm", last_day: str = "", password: str = PASSWORD
) -> dict[str, str]:
    """A key as the page hands it out."""
    answer = await clerk.post(PAGE, on=PAGE, name=name, scope=list(scopes), last_day=last_day, password=password)
    assert answer.status_code == 200, shown(answer)
    assert answer.headers["cache-control"] == "private, no-store"
    handed = HANDED.search(answer.text)
    assert handed is not None
    told: dict[str, str] = json.loads(html.unescape(handed[1]))
    return told


async def exchanged(person: Person, key: dict[str, str], **more: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": key["client_id"]}
    return await person.http.post("/api/token", data={**form, "client_secret": key["client_secret"], **more})


async def bearer(person: Person, key: dict[str, str]) -> dict[str, str]:
    answer = await exchanged(person, key)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_secret_is_shown_once_and_kept_as_a_digest(clerk: Person, rows: Rows) -> None:
    assert "Aucune clé" in shown(await clerk.get(PAGE))
    key = await made(clerk, "read:clients", "push:rows")
    page = shown(await clerk.get(PAGE))
    assert key["client_id"] in page
    assert key["client_secret"] not in page
    assert "Peut lire Clients" in re.sub(r"<[^>]+>", "", page)
    assert "par Nathalie Ferrand" in page
    assert "jamais" in page
    (row,) = await rows.of_keys()
    assert bytes(row.secret_sha256) == hashlib.sha256(key["client_secret"].encode()).digest()
    assert key["client_secret"] not in str(row)
    assert len(key["client_secret"]) > 43, "256 random bits and a prefix"


async def test_what_makes_no_key_comes_back_as_it_was_typed(clerk: Person, rows: Rows) -> None:
    for typed, words in (
        ({"name": "Mon CRM"}, "Ce nom ne convient pas"),
        ({"name": "ledger"}, "pas celui d’une partie de Relance"),
        ({"scope": []}, "Cochez au moins un droit"),
        ({"last_day": "2020-01-31"}, "Le dernier jour est passé"),
        ({"last_day": "demain"}, "Cette date ne se lit pas"),
        ({"password": "a guess"}, "Ce n’est pas votre mot de passe"),
    ):
        asked: dict[str, Any] = {"name": "crm", "scope": ["read:clients"], "password": PASSWORD} | typed
        answer = await clerk.post(PAGE, on=PAGE, **asked)
        assert answer.status_code == 422
        assert words in shown(answer)
        assert f'value="{asked["name"]}"' in answer.text
        assert PASSWORD not in answer.text
    assert await rows.of_keys() == []


async def test_only_administrators_make_keys(reader: Person, rows: Rows) -> None:
    """Rule 15.3."""
    assert (await reader.get(PAGE)).status_code == 403
    for what in ("", "/revoke"):
        answer = await reader.post(f"{PAGE}{what}", on=f"/c/{COMPANY}/home", name="crm", scope="read:clients")
        assert answer.status_code in (403, 422)
    assert await rows.of_keys() == []


async def test_a_key_is_exchanged_for_a_token_of_minutes_for_its_company_and_scopes(
    clerk: Person, console: Console, rows: Rows
) -> None:
    key = await made(clerk, "read:clients", "read:entries")
    answer = await exchanged(clerk, key)
    told = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 300, "read:clients read:entries")
    who = verify(told["access_token"], console.gateway.key)
    assert (who.subject, who.companies, who.role) == ("system:crm", (COMPANY,), "key")
    assert (who.key_id, who.scopes) == (key["client_id"], {"read:clients", "read:entries"})
    (row,) = await rows.of_keys()
    assert row.last_used_on is not None
    assert "jamais" not in shown(await clerk.get(PAGE))


async def test_id_and_secret_may_come_as_basic_and_fewer_scopes_be_asked_for(clerk: Person, rows: Rows) -> None:
    """RFC 6749, 2.3.1 and 3.3."""
    key = await made(clerk, "read:clients", "read:entries")
    basic = base64.b64encode(f"{key['client_id']}:{key['client_secret']}".encode()).decode()
    answer = await clerk.http.post(
        "/api/token",
        data={"grant_type": "client_credentials", "scope": "read:clients"},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert answer.json()["scope"] == "read:clients"
    beyond = await exchanged(clerk, key, scope="read:clients push:rows")
    assert (beyond.status_code, beyond.json()["error"]) == (400, "invalid_scope")
    assert "push:rows" in beyond.json()["error_description"]


async def test_what_is_no_request_for_a_token_is_told_so(clerk: Person, rows: Rows) -> None:
    key = await made(clerk, "read:clients")
    for more, error in (
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_secret": ""}, "invalid_request"),
        ({"client_id": ""}, "invalid_request"),
    ):
        answer = await exchanged(clerk, {**key, **more}, **more)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    for bad in ("Basic ???", "Basic " + base64.b64encode(b"\xff\xfe").decode(), "Digest x"):
        answer = await clerk.http.post(
            "/api/token", data={"grant_type": "client_credentials"}, headers={"Authorization": bad}
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_guessing_has_a_brake_that_stops_nobody_who_knows_the_secret(clerk: Person, rows: Rows) -> None:
    """Whoever knows a key's id, or sends through the same proxy, locks out neither the system nor people."""
    key, other = await made(clerk, "read:clients"), await made(clerk, "read:clients", name="erp")
    wrong = {**key, "client_secret": "relance_guess"}
    plain = key["client_id"]
    spelled = (plain, plain.upper(), plain.replace("-", ""), f"{{{plain}}}")
    for number in range(5):
        answer = await exchanged(clerk, {**wrong, "client_id": spelled[number % 4]})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    for client_id in spelled:
        answer = await exchanged(clerk, {**wrong, "client_id": client_id})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "900"), "however it is written"
    assert (await exchanged(clerk, key)).status_code == 200
    for number in range(30):
        await exchanged(clerk, {**key, "client_id": f"nobody-{number}"})
    guess = await exchanged(clerk, {**other, "client_secret": "relance_guess"})
    assert guess.status_code == 429, "from one address, whatever the key"
    assert (await exchanged(clerk, other)).status_code == 200
    clerk.http.cookies.clear()
    assert (await clerk.sign_in("lecteur@delcourt.example")).status_code == 303


@pytest.mark.parametrize("client_id", ["\x00", "é" * 60, "x" * 500, "urn:uuid:"])
async def test_an_id_that_is_none_is_refused_as_a_wrong_secret(person: Person, rows: Rows, client_id: str) -> None:
    answer = await exchanged(person, {"client_id": client_id, "client_secret": "\x00"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_form_larger_than_any_key_is_not_read(clerk: Person, rows: Rows) -> None:
    """Nobody is known yet: whoever sends it may be anybody."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    large = await clerk.http.post("/api/token", content=b"scope=" + b"x" * 20_000, headers=form)
    assert (large.status_code, large.json()["error"]) == (413, "invalid_request")

    async def parts() -> AsyncIterator[bytes]:
        yield b"grant_type=client_credentials"

    endless = await clerk.http.post("/api/token", content=parts(), headers=form)
    assert (endless.status_code, endless.json()["error"]) == (411, "invalid_request")


async def test_a_revoked_key_opens_nothing_from_then_on(clerk: Person, rows: Rows) -> None:
    key = await made(clerk, "read:clients", "read:entries")
    headers = await bearer(clerk, key)
    assert (await clerk.http.get(CLIENTS, headers=headers)).status_code == 200
    answer = await clerk.post(f"{PAGE}/revoke", on=PAGE, key_id=key["client_id"])
    page = shown(await clerk.get(answer.headers["location"]))
    assert "n’ouvre plus rien" in page
    assert "révoquée" in page
    refused = await clerk.http.get(CLIENTS, headers=headers)
    assert (refused.status_code, refused.json()["type"], refused.json()["reason"]) == (
        401, "key-refused", "revoked",
    )  # fmt: skip
    again = await exchanged(clerk, key)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert "revoked" in again.json()["error_description"]
    assert (await clerk.post(f"{PAGE}/revoke", on=PAGE, key_id=key["client_id"])).status_code == 404


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update api_key set ends_at = now() - interval '1 second'", "ended"),
        (f"insert into company_hold (company, held_by, until) values ('{COMPANY}', 'o', '2999-01-01')",
         "company-held"),
        ("delete from api_key", "unknown"),
    ],
)  # fmt: skip
async def test_a_key_that_ended_or_whose_company_is_at_rest_opens_nothing(
    clerk: Person, rows: Rows, change: str, reason: str
) -> None:
    key = await made(clerk, "read:clients", "read:entries", last_day="2998-12-31")
    headers = await bearer(clerk, key)
    await rows.change(change)
    refused = await clerk.http.get(CLIENTS, headers=headers)
    assert (refused.status_code, refused.json()["reason"]) == (401, reason)
    assert (await exchanged(clerk, key)).status_code == 401
    await rows.change("delete from company_hold")


async def test_a_service_is_asked_with_the_token_and_answers_as_it_does(
    clerk: Person, rows: Rows, fakes: FakeServices
) -> None:
    headers = await bearer(clerk, await made(clerk, "read:clients", "read:entries"))
    sent = {**headers, "Relance-At-Least": "sync/1/2", "Cookie": "relance_session=x", "X-Forwarded-For": "1.2.3.4"}
    answer = await clerk.http.get(f"{CLIENTS}?q=munoz&size=5", headers=sent)
    assert answer.status_code == 200
    assert answer.json()["clients"] == 226
    assert answer.headers["cache-control"] == "private, no-store"
    assert fakes.asked[-1] == ("reporting", "/clients", {"q": "munoz", "size": "5"})
    heard = fakes.headers[-1]
    assert (heard["authorization"], heard["relance-at-least"]) == (headers["Authorization"], "sync/1/2")
    assert not {"cookie", "x-forwarded-for"} & set(heard)


async def test_a_command_arrives_with_its_body_and_key(clerk: Person, rows: Rows, fakes: FakeServices) -> None:
    headers = await bearer(clerk, await made(clerk, "write:stops")) | {"Idempotency-Key": "k1"}
    body = {"client_id": "411MUNOZSA"}
    answer = await clerk.http.post(f"/api/ledger/companies/{COMPANY}/stop-client", json=body, headers=headers)
    assert answer.status_code == 200
    assert fakes.commands == [("ledger", "/stop-client", body)]
    assert fakes.headers[-1]["idempotency-key"] == "k1"


async def test_refusals_of_a_service_come_through_and_its_silence_is_told(
    clerk: Person, rows: Rows, fakes: FakeServices
) -> None:
    headers = await bearer(clerk, await made(clerk, "read:clients", "read:entries"))
    fakes.refuse["/clients"] = {"type": "sort-unknown", "title": "There is no such order", "status": 422}
    answer = await clerk.http.get(CLIENTS, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (422, "sort-unknown")
    fakes.silent.add("reporting")
    answer = await clerk.http.get(CLIENTS, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (503, "service-silent")


async def test_nothing_is_asked_of_a_service_without_a_good_token(
    clerk: Person, console: Console, rows: Rows, fakes: FakeServices
) -> None:
    """Not even with a person's own: whoever took one would have all that the person may do, from anywhere."""
    key = await made(clerk, "read:clients", "read:entries")
    good = await bearer(clerk, key)
    person = mint(console.gateway.key, "user:alice", [COMPANY], "admin")
    before = len(fakes.asked)
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {person}"}):
        assert (await clerk.http.get(CLIENTS, headers=headers)).status_code == 401
    for path in (
        "/api/reporting/companies/autre/clients",
        f"/api/reporting/companies/{COMPANY}/%2e%2e/autre/clients",
        "/api/reporting/metrics",
        "/api/console/companies/delcourt",
        f"/api/nobody/companies/{COMPANY}/clients",
    ):
        assert (await clerk.http.get(path, headers=good)).status_code == 404, path
    large = good | {"Content-Length": str(111 << 20)}
    refused = await clerk.http.post(f"/api/ledger/companies/{COMPANY}/documents", content=b"", headers=large)
    assert (refused.status_code, refused.json()["type"]) == (413, "body-too-large")
    assert len(fakes.asked) == before


async def test_a_key_that_asks_too_often_waits(clerk: Person, rows: Rows, console: Console) -> None:
    console.settings.api_requests_per_key = 3
    from services.console.site import site

    key = await made(clerk, "read:clients", "read:entries")
    headers = await bearer(clerk, key)
    transport = httpx.ASGITransport(app=site(console), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as http:
        answers = [(await http.get(CLIENTS, headers=headers)).status_code for _ in range(4)]
        told = {"grant_type": "client_credentials", **key}
        token = await http.post("/api/token", data=told)
    assert answers == [200, 200, 200, 429]
    assert (token.status_code, token.json()["error"], token.headers["retry-after"]) == (429, "slow_down", "60")


async def test_a_company_whose_systems_ask_much_at_once_leaves_room_for_all_others(
    clerk: Person, rows: Rows, console: Console
) -> None:
    """Pages use the same connections to the services: what waits there, or arrives slowly, holds one."""
    from services.console.site import site

    console.settings.api_requests_at_once = 3
    answers, under_way = asyncio.Event(), 0

    async def slowly(request: httpx.Request) -> httpx.Response:
        nonlocal under_way
        under_way += 1
        await answers.wait()
        return httpx.Response(200, json={})

    headers = await bearer(clerk, await made(clerk, "read:clients", "read:entries"))
    second = await bearer(clerk, await made(clerk, "read:clients", "read:entries", name="erp"))
    console.gateway.http = httpx.AsyncClient(transport=httpx.MockTransport(slowly))
    transport = httpx.ASGITransport(app=site(console), raise_app_exceptions=False)
    async with console.gateway.http, httpx.AsyncClient(transport=transport, base_url="http://console") as http:
        asked = [asyncio.create_task(http.get(CLIENTS, headers=headers)) for _ in range(3)]
        await comes_true(lambda: under_way == 3, "three requests wait at the service")
        for one in (headers, second):
            refused = await asyncio.wait_for(http.get(CLIENTS, headers=one), 10)
            assert (refused.status_code, refused.json()["type"]) == (429, "too-many-at-once")
        answers.set()
        assert [(await one).status_code for one in asked] == [200, 200, 200]
        assert (await http.get(CLIENTS, headers=second)).status_code == 200, "each leaves its place"


async def test_whoever_hangs_up_leaves_its_place(stack: Stack, console: Console) -> None:
    """On real connections: a service that answers slowly, and systems that do not wait for the end."""
    under_way = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal under_way
        under_way += 1
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0.05)
        finally:
            under_way -= 1

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(parts())(scope, receive, send)

    async with door_before(stack, "ledger", endless) as door, httpx.AsyncClient(timeout=10) as http:
        key = await door.key(COMPANY, "crm", ["read:entries"])
        form = {"grant_type": "client_credentials"}
        given = await http.post(f"{door.url}/api/token", data=form, auth=(key["KEY_ID"], key["KEY_SECRET"]))
        http.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
        address = f"{door.url}/api/ledger/companies/{COMPANY}/statement"
        most = console.settings.api_requests_at_once
        async with AsyncExitStack() as held:
            for _ in range(most):
                answer = await held.enter_async_context(http.stream("GET", address))
                assert answer.status_code == 200
            assert (await http.get(address)).status_code == 429, "while answers are under way"
        await comes_true(lambda: under_way == 0, "the service hears that nobody listens")
        async with http.stream("GET", address) as answer:
            assert answer.status_code == 200
