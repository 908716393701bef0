"""A token of an API key names one company, its key and its scopes; it opens what is marked for them alone."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from joserfc.jwk import OKPKey

from chassis.auth import ROLES, Role, TokenRefused, mint, new_key_pair, verify
from chassis.http import create_app
from chassis.running import Running
from chassis.scopes import TOKEN_PATH, scopes_of
from contracts.systems import SCOPES, Scope
from services.dunning.main import build as dunning
from services.dunning.settings import DunningSettings
from services.ledger.main import build as ledger
from services.ledger.settings import LedgerSettings
from services.notify.main import build as notify
from services.notify.settings import NotifySettings
from services.reporting.main import build as reporting
from services.reporting.settings import ReportingSettings
from services.sync.main import build as sync
from services.sync.settings import SyncSettings

PAIR = new_key_pair()
PRIVATE, PUBLIC = OKPKey.import_key(PAIR.private), OKPKey.import_key(PAIR.public)
KEY = "0192f0c1-0000-7000-8000-000000000001"
WIRED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sync": (sync, SyncSettings),
    "ledger": (ledger, LedgerSettings),
    "dunning": (dunning, DunningSettings),
    "notify": (notify, NotifySettings),
    "reporting": (reporting, ReportingSettings),
}
OPEN: dict[str, dict[str, set[Scope]]] = {
    "sync": {
        "POST /rows/entries": {"push:rows"},
        "POST /rows/clients": {"push:rows"},
        "POST /rows/contacts": {"push:rows"},
        "GET /imports/{run_id}": {"push:rows"},
    },
    "ledger": {
        "GET ": {"read:clients"},
        "POST /people/query": {"read:clients"},
        "GET /fields": {"read:clients"},
        "GET /profiles": {"read:clients"},
        "GET /client": {"read:clients", "read:entries", "read:promises", "read:actions"},
        "GET /statement": {"read:entries"},
        "GET /lettering-errors": {"read:entries"},
        "POST /labels/query": {"read:entries"},
        "POST /entry-fields/query": {"read:entries"},
        "GET /documents": {"read:entries"},
        "POST /documents/query": {"read:entries"},
        "GET /documents/{document_id}": {"read:entries"},
        "GET /documents/missing": {"write:documents"},
        "POST /documents": {"write:documents"},
        "POST /stop-client": {"write:stops"},
        "POST /resume-client": {"write:stops"},
        "POST /stop-entry": {"write:stops"},
        "POST /resume-entry": {"write:stops"},
        "POST /record-promise": {"write:promises"},
        "POST /record-promises": {"write:promises"},
        "POST /cancel-promise": {"write:promises"},
        "POST /open-dispute": {"write:disputes"},
        "POST /close-dispute": {"write:disputes"},
    },
    "dunning": {
        "GET /tasks": {"read:actions"},
        "GET /explain": {"read:actions"},
        "GET /levels": {"read:actions"},
    },
    "notify": {},
    "reporting": {
        "GET /search": {"read:clients"},
        "GET /clients": {"read:clients", "read:entries"},
        "GET /client": {"read:clients", "read:entries", "read:promises", "read:actions"},
        "GET /who-owes-what": {"read:clients", "read:entries"},
        "GET /receipts": {"read:entries"},
        "GET /expected": {"read:entries"},
        "GET /payers": {"read:entries"},
        "GET /forecast": {"read:entries"},
        "GET /promises": {"read:promises"},
        "GET /disputes": {"read:promises"},
        "GET /activities": {"read:entries", "read:promises", "read:actions"},
        "GET /due-items": {"read:actions"},
    },
}
"""Every address that another system may call, and the scopes that it needs, all of them."""
WITHOUT_A_CALLER = {
    "sync": set(),
    "ledger": set(),
    "dunning": set(),
    "notify": {"GET /o/{token}.gif", "POST /stripe/{company}", "POST /debtor-links/open"},
    "reporting": set(),
}
"""Besides the probes: addresses that ask nobody for a token, and know their callers otherwise."""


def token(scopes: set[str] | frozenset[str], **other: Any) -> str:
    said: dict[str, Any] = {"subject": "system:crm", "companies": ["acme"], "role": "key"} | other
    return mint(PRIVATE, said["subject"], said["companies"], said["role"], scopes=scopes, key_id=KEY)


def test_a_key_acts_as_its_system_and_is_less_than_a_reader() -> None:
    who = verify(token({"read:clients", "push:rows"}), PUBLIC)
    assert (who.subject, who.companies, who.key_id) == ("system:crm", ("acme",), KEY)
    assert who.scopes == {"read:clients", "push:rows"}
    assert not any(who.is_at_least(role) for role in ("reader", "user", "admin", "system"))


@pytest.mark.parametrize(
    "other",
    [
        {"companies": ["acme", "other"]},
        {"companies": ["*"]},
        {"companies": []},
        {"subject": "user:alice"},
        {"subject": "service:ledger"},
        *({"role": role} for role in ROLES if role != "key"),
    ],
    ids=str,
)
def test_anything_between_a_key_and_another_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        verify(token({"read:clients"}, **other), PUBLIC)


def test_a_key_without_its_name_is_refused_and_so_is_one_with_a_portfolio() -> None:
    for more in ({}, {"key_id": ""}, {"key_id": KEY, "portfolio": ["DUPONT"]}):
        with pytest.raises(TokenRefused):
            verify(mint(PRIVATE, "system:crm", ["acme"], "key", **more), PUBLIC)


@pytest.fixture(scope="module")
def public_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tokens") / "public.pem"
    file.write_text(PAIR.public, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def apps(public_key: Path) -> dict[str, FastAPI]:
    """Every service as it is wired, on nothing: whatever reaches a database fails."""
    return {
        name: create_app(Running(build(settings(token_public_key_file=public_key))))
        for name, (build, settings) in WIRED.items()
    }


@pytest.fixture
async def doors(apps: dict[str, FastAPI]) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    made = {
        name: httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=f"http://{name}"
        )
        for name, app in apps.items()
    }
    yield made
    for one in made.values():
        await one.aclose()


def routes(app: FastAPI) -> Iterator[tuple[str, str, Any]]:
    """Method, path and endpoint of everything that an application answers."""
    for context in iter_route_contexts(app.routes):
        for method in sorted((context.methods or set()) - {"HEAD"}):
            yield method, str(context.path), context.endpoint


def short(path: str) -> str:
    return path.removeprefix("/companies/{company}")


def address(path: str) -> str:
    """With something in the place of every name."""
    filled = path.replace("{company}", "acme").replace("{as_of}", "2026-01-01")
    while "{" in filled:
        before, _, rest = filled.partition("{")
        filled = f"{before}0192f0c1-0000-7000-8000-000000000001{rest.partition('}')[2]}"
    return filled


@pytest.mark.parametrize("service", WIRED)
def test_what_keys_open_is_a_list(service: str, apps: dict[str, FastAPI]) -> None:
    """A new address is closed to other systems until it stands here."""
    marked = {
        f"{method} {short(path)}": set(scopes_of(endpoint))
        for method, path, endpoint in routes(apps[service])
        if scopes_of(endpoint)
    }
    assert marked == OPEN[service]
    assert all(set(needed) <= set(SCOPES) for needed in marked.values())


def test_every_scope_opens_something() -> None:
    assert {scope for opened in OPEN.values() for needed in opened.values() for scope in needed} == set(SCOPES)


@pytest.mark.parametrize("service", WIRED)
async def test_a_key_with_every_scope_is_refused_everything_else(
    service: str, apps: dict[str, FastAPI], doors: dict[str, httpx.AsyncClient]
) -> None:
    headers = {"Authorization": f"Bearer {token(set(SCOPES))}"}
    asked, let_in = 0, set()
    for method, path, endpoint in routes(apps[service]):
        if scopes_of(endpoint):
            continue
        answer = await doors[service].request(method, address(path), headers=headers, json={})
        asked += 1
        if answer.status_code != 403:
            let_in.add(f"{method} {path}")
        else:
            assert answer.json()["type"] == "role-insufficient"
    probes = {"GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json"}
    assert let_in == probes | WITHOUT_A_CALLER[service]
    assert asked > 12


@pytest.mark.parametrize("service", [name for name, opened in OPEN.items() if opened])
async def test_each_scope_that_lacks_closes_what_needs_it(
    service: str, doors: dict[str, httpx.AsyncClient]
) -> None:
    for where, needed in OPEN[service].items():
        method, _, path = where.partition(" ")
        for lacking in needed:
            headers = {"Authorization": f"Bearer {token(set(SCOPES) - {lacking})}"}
            answer = await doors[service].request(
                method, address("/companies/{company}" + path), headers=headers, json={}
            )
            assert answer.status_code == 403, where
            told = answer.json()
            assert (told["type"], told["needed"]) == ("scope-insufficient", sorted(needed))
            assert lacking in told["detail"]


@pytest.mark.parametrize("service", [name for name, opened in OPEN.items() if opened])
async def test_another_company_is_none_for_a_key(service: str, doors: dict[str, httpx.AsyncClient]) -> None:
    headers = {"Authorization": f"Bearer {token(set(SCOPES))}"}
    for where in OPEN[service]:
        method, _, path = where.partition(" ")
        other = address("/companies/other" + path)
        answer = await doors[service].request(method, other, headers=headers, json={})
        assert (answer.status_code, answer.json()["type"]) == (404, "company-unknown"), where


@pytest.mark.parametrize("role", ["debtor", "connector", "reader", "user", "admin"])
async def test_what_keys_open_is_open_to_people_as_before(role: Role, doors: dict[str, httpx.AsyncClient]) -> None:
    named = {"client_id": "C1"} if role == "debtor" else {}
    headers = {"Authorization": f"Bearer {mint(PRIVATE, 'user:alice', ['acme'], role, **named)}"}  # type: ignore[arg-type]
    answer = await doors["ledger"].get("/companies/acme/profiles", headers=headers)
    assert (answer.status_code == 403) == (role in ("debtor", "connector"))


@pytest.mark.parametrize("service", WIRED)
async def test_the_description_says_of_each_address_what_a_key_needs(
    service: str, doors: dict[str, httpx.AsyncClient]
) -> None:
    described = (await doors[service].get("/openapi.json")).json()
    flow = described["components"]["securitySchemes"]["key"]["flows"]["clientCredentials"]
    assert (flow["tokenUrl"], set(flow["scopes"])) == (TOKEN_PATH, set(SCOPES))
    told = {
        f"{method.upper()} {short(path)}": set(way["key"])
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        for way in operation.get("security", [])
        if "key" in way
    }
    assert told == OPEN[service]
