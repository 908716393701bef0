"""What every service answers at its edge: who may, whose data, which day, and every error as a problem."""

from collections.abc import AsyncIterator
from datetime import date
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from chassis import clock
from chassis.auth import mint, new_key_pair, read_key
from chassis.database import transaction
from chassis.embedded import Stack
from chassis.eventlog import Said
from chassis.http import (
    AsOfDep,
    CauseDep,
    CompanyDep,
    SayDep,
    SystemTxDep,
    TxDep,
    accepted,
    create_app,
    for_debtors,
    requires,
)
from chassis.running import Running
from chassis.service import Service
from chassis.settings import Settings
from contracts.ledger import ClientStopped

router = APIRouter()


class AlreadyStopped(Exception):
    def __init__(self, client_id: str) -> None:
        super().__init__(f"{client_id} is stopped already")
        self.client_id = client_id


class Stop(BaseModel):
    client_id: str
    days: int = 0


@router.post("/companies/{company}/stop")
async def stop(body: Stop, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep) -> dict[str, object]:
    events = [Said(ClientStopped(client_id=body.client_id), body.client_id)]
    positions = await say(company, events, as_of=as_of, cause=cause)
    if body.client_id == "refused":
        raise AlreadyStopped(body.client_id)
    if body.client_id == "broken":
        raise RuntimeError("a secret in the text")
    return accepted(positions, as_of=as_of)


@router.get("/companies/{company}/stopped")
async def stopped(company: CompanyDep, tx: TxDep) -> list[str]:
    """Careless on purpose: asks for every company's clients."""
    return list((await tx.execute(text("select client_id from event_log order by 1"))).scalars())


@router.get("/companies/{company}/admin", dependencies=[requires("admin")])
async def admin(company: CompanyDep) -> str:
    return company


@router.get("/companies/{company}/mine")
@for_debtors
async def mine(company: CompanyDep) -> str:
    return company


@router.get("/everything")
async def everything(tx: SystemTxDep) -> int:
    return int(await tx.scalar(text("select count(distinct company) from event_log")) or 0)


class Door:
    """A service with these routes, and callers for it."""

    def __init__(self, stack: Stack, allow_as_of: bool) -> None:
        settings = Settings(
            database_url=stack.database_url("ledger", "worker"),
            api_database_url=stack.database_url("ledger", "api"),
            token_public_key_file=stack.public_key_file,
            allow_as_of=allow_as_of,
        )
        self.key = read_key(stack.private_key_file)
        self.running = Running(
            Service(name="ledger", settings=settings, router=router, refusals={AlreadyStopped: 409})
        )
        transport = httpx.ASGITransport(create_app(self.running), raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://ledger")

    def token(self, *companies: str, role: str = "user", minutes: float = 5) -> dict[str, str]:
        token = mint(self.key, "user:7", companies, role, minutes)  # type: ignore[arg-type]
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def door(stack: Stack) -> AsyncIterator[Door]:
    opened = Door(stack, allow_as_of=False)
    yield opened
    await opened.http.aclose()
    await opened.running.stop()


@pytest.fixture
async def dated_door(stack: Stack) -> AsyncIterator[Door]:
    opened = Door(stack, allow_as_of=True)
    yield opened
    await opened.http.aclose()
    await opened.running.stop()


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"]


async def test_without_a_good_token_nobody_enters(door: Door, company: str) -> None:
    path = f"/companies/{company}/stopped"
    none = await door.http.get(path)
    assert problem(none) == (401, "token-missing")
    assert none.headers["www-authenticate"] == "Bearer"
    expired = await door.http.get(path, headers=door.token(company, minutes=-2))
    assert problem(expired) == (401, "token-refused")
    pair = new_key_pair()
    stranger = Door.__new__(Door)
    stranger.key = type(door.key).import_key(pair.private)
    assert problem(await door.http.get(path, headers=stranger.token(company))) == (401, "token-refused")


async def test_another_company_does_not_exist_for_a_caller(door: Door, company: str) -> None:
    answer = await door.http.get(f"/companies/{company}/stopped", headers=door.token("other"))
    assert problem(answer) == (404, "company-unknown")
    spelled = await door.http.get("/companies/No%20Slug!/stopped", headers=door.token("*"))
    assert problem(spelled) == (404, "company-unknown")


async def test_a_careless_query_still_sees_one_company_only(door: Door, company: str) -> None:
    for slug, client in ((company, "A"), (f"{company}-2", "B")):
        said = await door.http.post(f"/companies/{slug}/stop", json={"client_id": client}, headers=door.token("*"))
        assert said.status_code == 200
    seen = await door.http.get(f"/companies/{company}/stopped", headers=door.token(company))
    assert seen.json() == ["A"]
    total = await door.http.get("/everything", headers=door.token("*", role="system"))
    assert total.json() >= 2


async def test_nothing_of_a_company_at_rest_is_changed_and_its_debtors_see_nothing(
    door: Door, company: str
) -> None:
    """docs/adr/0051."""
    debtor = mint(door.key, "debtor", [company], "debtor", client_id="A")
    as_debtor = {"Authorization": f"Bearer {debtor}"}
    assert (await door.http.get(f"/companies/{company}/mine", headers=as_debtor)).status_code == 200
    async with transaction(door.running.engine) as tx:
        held = "insert into company_hold (company, held_by, until) values (:company, 'olivia', current_date)"
        await tx.execute(text(held), {"company": company})
    door.running.holds = type(door.running.holds)(lambda: door.running.engine)
    caller = door.token("*", role="admin")
    stopped = await door.http.post(f"/companies/{company}/stop", json={"client_id": "A"}, headers=caller)
    assert problem(stopped) == (409, "company-held")
    assert (await door.http.get(f"/companies/{company}/stopped", headers=caller)).json() == []
    seen = await door.http.get(f"/companies/{company}/mine", headers=as_debtor)
    assert problem(seen) == (409, "company-held")
    other = await door.http.post(f"/companies/{company}-2/stop", json={"client_id": "A"}, headers=caller)
    assert other.status_code == 200


async def test_roles(door: Door, company: str) -> None:
    path = f"/companies/{company}"
    reading = door.token(company, role="reader")
    assert (await door.http.get(f"{path}/stopped", headers=reading)).status_code == 200
    refused = await door.http.post(f"{path}/stop", json={"client_id": "A"}, headers=reading)
    assert problem(refused) == (403, "role-insufficient")
    assert problem(await door.http.get(f"{path}/admin", headers=door.token(company))) == (403, "role-insufficient")
    assert (await door.http.get(f"{path}/admin", headers=door.token(company, role="admin"))).status_code == 200
    assert problem(await door.http.get("/everything", headers=door.token("*", role="admin"))) == (
        403,
        "role-insufficient",
    )


async def test_what_is_said_is_committed_before_the_answer(door: Door, company: str) -> None:
    answer = await door.http.post(
        f"/companies/{company}/stop", json={"client_id": "A"}, headers=door.token(company)
    )
    speaker, partition, number = answer.json()["position"].split("/")
    async with transaction(door.running.engine) as tx:
        row = await tx.execute(
            text("select company, actor, as_of from event_log where p = :p and pseq = :n"),
            {"p": int(partition), "n": int(number)},
        )
        assert row.one() == (company, "user:7", clock.today("Europe/Paris"))
    assert speaker == "ledger"


@pytest.mark.parametrize(
    ("client", "expected"), [("refused", (409, "already-stopped")), ("broken", (500, "internal-error"))]
)
async def test_what_fails_leaves_nothing_behind(
    door: Door, company: str, client: str, expected: tuple[int, str]
) -> None:
    answer = await door.http.post(
        f"/companies/{company}/stop", json={"client_id": client}, headers=door.token(company)
    )
    assert problem(answer) == expected
    assert "secret" not in answer.text
    if client == "refused":
        assert answer.json()["client_id"] == client
    assert (await door.http.get(f"/companies/{company}/stopped", headers=door.token(company))).json() == []


async def test_a_request_of_another_form_is_told_where(door: Door, company: str) -> None:
    path = f"/companies/{company}/stop"
    answer = await door.http.post(path, json={"client_id": "A", "days": "Durand"}, headers=door.token(company))
    assert problem(answer) == (422, "invalid-request")
    assert [error["where"] for error in answer.json()["errors"]] == ["body.days"]
    assert "Durand" not in answer.text
    assert problem(await door.http.get("/nowhere")) == (404, "not-found")
    assert problem(await door.http.delete("/readyz")) == (405, "method-not-allowed")


async def test_the_date_is_chosen_only_where_a_setting_allows_it(
    door: Door, dated_door: Door, company: str
) -> None:
    path, body, asked = f"/companies/{company}/stop", {"client_id": "A"}, {"Relance-As-Of": "2019-07-31"}
    refused = await door.http.post(path, json=body, headers={**door.token(company), **asked})
    assert problem(refused) == (403, "as-of-refused")
    allowed = await dated_door.http.post(path, json=body, headers={**dated_door.token(company), **asked})
    assert date.fromisoformat(allowed.json()["as_of"]) == date(2019, 7, 31)


async def test_a_reader_waits_for_what_was_said(door: Door, company: str) -> None:
    path, who = f"/companies/{company}/stopped", door.token(company)
    said = await door.http.post(f"/companies/{company}/stop", json={"client_id": "A"}, headers=who)
    known = await door.http.get(path, headers={**who, "Relance-At-Least": said.json()["position"]})
    assert "relance-updating" not in known.headers
    ahead = {**who, "Relance-At-Least": "sync/7/999999999"}
    began = clock.now()
    late = await door.http.get(path, headers=ahead, params={"wait": 0.2})
    assert 0.2 <= (clock.now() - began).total_seconds() < 1
    assert (late.status_code, late.headers["relance-updating"]) == (200, "1")
    unreadable = await door.http.get(path, headers={**who, "Relance-At-Least": "yesterday"})
    assert problem(unreadable) == (422, "position-unreadable")


async def test_every_answer_is_closed_to_browsers_mischief(door: Door) -> None:
    answer = await door.http.get("/healthz")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


async def test_measures_count_routes_and_not_what_was_asked(door: Door) -> None:
    await door.http.get(f"/companies/{uuid4().hex}/stopped")
    measures = (await door.http.get("/metrics")).text
    assert 'route="/companies/{company}/stopped",status="401"' in measures
