"""Simulations on a real PostgreSQL and a real NATS: worked on in processes of their own, changing nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from chassis.database import transaction
from chassis.jobs import JobWorker
from contracts import notify
from services.dunning.simulations.asking import QUEUE
from services.dunning.simulations.working import ATTEMPTS, Simulator
from tests.integration.dunning.house import House, client_changed, line, scenario

TODAY = "2025-03-18"
HEADER = {"Relance-As-Of": TODAY}
NO_TEMPLATE = scenario({"step": "R1", "medium": "email", "delay_days": 8})
STATE = (
    "entry",
    "client",
    "entry_level",
    "action",
    "action_entry",
    "exclusion",
    "schedule",
    "decided",
    "event_log",
)


@asynccontextmanager
async def working(house: House) -> AsyncIterator[Simulator]:
    """The queue of simulations, worked on."""
    simulator = Simulator(house.process, house.process.settings)  # type: ignore[arg-type]
    worker = JobWorker(
        house.process.engine,
        QUEUE,
        simulator,
        batch=1,
        concurrency=2,
        max_attempts=ATTEMPTS,
        given_up=simulator.give_up,
        poll_seconds=0.05,
    )
    task = asyncio.create_task(worker.run())
    try:
        yield simulator
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        simulator.close()


async def simulated(house: House, **asked: Any) -> dict[str, Any]:
    async with working(house), house.http(**HEADER) as http:
        return await finished(http, await asked_for(http, **asked))


async def asked_for(http: httpx.AsyncClient, **asked: Any) -> str:
    answer = await http.post("/simulations", json=asked)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["simulation_id"])


async def finished(http: httpx.AsyncClient, simulation_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            state: dict[str, Any] = (await http.get(f"/simulations/{simulation_id}")).json()
            if state["status"] not in {"waiting", "running"}:
                return state
            await asyncio.sleep(0.1)


async def everything(house: House) -> dict[str, list[str]]:
    found = {}
    for table in STATE:
        rows = await house.rows(f"select t::text as t from {table} t where company = :company order by 1")
        found[table] = [row["t"] for row in rows]
    return found


async def two_clients(house: House) -> None:
    await house.hear("2025-01-01", client_changed("C1"), client_changed("C2", email=False))
    await house.books(
        "2025-01-02",
        line("C1", "F1", 1000, "2025-03-10"),
        line("C1", "F2", 500, "2025-04-10"),
        line("C2", "G1", 300, "2025-03-10"),
        line("C2", "A1", -100, "2025-03-10"),
    )


async def test_nobody_paying_equals_the_rounds_of_every_day_with_everything_done(house: House) -> None:
    await two_clients(house)
    state = await simulated(house, days=40)
    assert state["status"] == "completed"
    assert state["assumptions"] == ["done_same_day", "nobody_pays"]
    lived = []
    for number in range(40):
        on = (date.fromisoformat(TODAY) + timedelta(days=number)).isoformat()
        await house.round(on)
        for action in await house.rows(
            "select * from action where company = :company and status in ('proposed', 'due')"
        ):
            lived.append((on, action["step"], action["medium"]))
            called = notify.CallLogged(
                action_id=action["action_id"], client_id=action["client_id"], outcome="reached"
            )
            await house.hear(on, called)
    calendar = state["result"]["calendar"]
    told = [(cell["on"], cell["step"], cell["medium"]) for cell in calendar for _ in range(cell["contacts"])]
    assert sorted(told) == sorted(lived)
    assert state["result"]["totals"]["contacts"] == len(lived)


async def test_a_simulation_changes_nothing_and_says_nothing(house: House) -> None:
    await two_clients(house)
    await house.round(TODAY)
    before = await everything(house)
    state = await simulated(house, days=90, assume="habits")
    assert state["status"] == "completed"
    assert await everything(house) == before


async def test_a_draft_is_compared_with_the_current_scenario(house: House) -> None:
    await two_clients(house)
    step = {"step": "R1", "medium": "email", "delay_days": 12, "template": "R1"}
    letter = {**step, "medium": "letter", "delay_days": 8}
    draft = scenario(step, without=[letter])
    async with working(house), house.http(**HEADER) as http:
        simulation_id = await asked_for(http, days=30, scenarios=[draft])
        state = await finished(http, simulation_id)
        result = state["result"]
        assert [(cell["on"], cell["step"], cell["medium"]) for cell in result["calendar"]] == [
            ("2025-03-18", "R1", "letter"),
            ("2025-03-22", "R1", "email"),
        ]
        differing = (await http.get(f"/simulations/{simulation_id}/differences")).json()["clients"]
        fewer = (await http.get(f"/simulations/{simulation_id}/differences?kind=fewer")).json()["clients"]
        later = (await http.get(f"/simulations/{simulation_id}/differences?kind=later")).json()["clients"]
        told = (await http.get(f"/simulations/{simulation_id}/csv?holds=differences")).text
        calendar = (await http.get(f"/simulations/{simulation_id}/csv")).text
    assert result["differences"] == {"clients": 2, "more": 0, "fewer": 2, "earlier": 0, "later": 1, "other": 0}
    assert [one["client_id"] for one in differing] == ["C1", "C2"]
    assert [one["client_id"] for one in fewer] == ["C1", "C2"]
    assert [one["client_id"] for one in later] == ["C1"]
    assert "C1;tried;2025-03-22;R1;email;1000.00;EUR;1;fewer later" in told
    assert calendar.splitlines()[1] == "2025-03-18;R1;letter;1;2;200.00"


async def test_costs_are_those_of_the_company(house: House) -> None:
    await two_clients(house)
    async with working(house), house.http(**HEADER) as http:
        assert (await http.get("/contact-costs")).json() == {
            "email": "0.02",
            "letter": "2.50",
            "phone": "5.00",
            "other": "15.00",
        }
        await http.put("/contact-costs", json={"letter": "1.5", "email": 0, "phone": "4"})
        state = await finished(http, await asked_for(http, days=9))
    media = {one["medium"]: (one["contacts"], one["cost"]) for one in state["result"]["media"]}
    assert media == {"email": (1, "0.00"), "letter": (1, "1.50"), "phone": (2, "8.00"), "other": (0, "0.00")}
    assert state["result"]["totals"]["cost"] == "9.50"


async def test_habits_are_each_clients_own_or_the_companys(house: House) -> None:
    async with house.http() as http:
        assert (await http.put("/policy", json={"contact_gap_days": 0})).status_code == 200
    await house.hear("2025-01-01", client_changed("C1"), client_changed("C2"))
    old = [
        line("C1", "O1", 10, "2025-01-10", lettering="A"),
        line("C1", "P1", -10, "2025-01-13", lettering="A"),
        line("C1", "N1", 100, "2025-03-18"),
        line("C2", "N2", 100, "2025-03-18"),
        line("C2", "N3", 100, "2025-03-13"),
    ]
    await house.books("2025-01-02", *old)
    state = await simulated(house, days=30, assume="habits")
    assert state["assumptions"] == ["done_same_day", "habits"]
    steps = [(cell["on"], cell["step"], cell["contacts"]) for cell in state["result"]["calendar"]]
    assert state["result"]["counts"]["paid"] == 2
    assert state["result"]["counts"]["late_already"] == 1
    assert {cell[0] for cell in steps if cell[1] == "R1"} == {"2025-03-21"}, "the one later than the habit stays"


async def test_one_that_is_cancelled_ends(house: House) -> None:
    await two_clients(house)
    async with house.http(**HEADER) as http:
        simulation_id = await asked_for(http, days=90)
        assert (await http.get(f"/simulations/{simulation_id}")).json()["status"] == "waiting"
        assert (await http.post(f"/simulations/{simulation_id}/cancel")).json() == {"cancelled": True}
        async with working(house):
            await asyncio.sleep(0.5)
            assert (await http.get(f"/simulations/{simulation_id}")).json()["status"] == "cancelled"
        assert (await http.post(f"/simulations/{simulation_id}/cancel")).json() == {"cancelled": False}


async def test_five_may_wait_and_one_more_is_refused(house: House) -> None:
    await two_clients(house)
    async with house.http(**HEADER) as http:
        for _ in range(5):
            await asked_for(http)
        refused = await http.post("/simulations", json={})
        assert (refused.status_code, refused.json()["type"]) == (409, "simulations-waiting")
        assert len((await http.get("/simulations")).json()["simulations"]) == 5


@pytest.mark.parametrize(
    ("asked", "status", "problem"),
    [
        ({"from": "2025-03-01"}, 422, "period-unclear"),
        ({"from": "2025-03-01", "to": "2025-02-28"}, 422, "period-refused"),
        ({"from": "2025-03-01", "to": "2025-03-19"}, 422, "period-refused"),
        ({"follows": {"Standard": "Nobody"}}, 422, "profile-without-scenario"),
        ({"policy": {"minimum_per_reminder": "5", "maximum_per_reminder": "4"}}, 422, "minimum-above-maximum"),
        ({"scenarios": [NO_TEMPLATE]}, 422, "template-missing"),
        ({"like_company": "somebody-else"}, 404, "company-unknown"),
    ],
)
async def test_what_cannot_work_is_refused(house: House, asked: dict[str, Any], status: int, problem: str) -> None:
    async with house.http(**HEADER) as http:
        answer = await http.post("/simulations", json=asked)
    assert (answer.status_code, answer.json()["type"]) == (status, problem)


async def test_one_belongs_to_who_asked_for_it_and_readers_ask_for_none(house: House) -> None:
    async with house.http("reader", **HEADER) as http:
        assert (await http.post("/simulations", json={})).status_code == 403
    async with house.http("user", **HEADER) as http:
        simulation_id = await asked_for(http)
        assert (await http.put("/contact-costs", json={})).status_code == 403
        assert (await http.get(f"/simulations/{simulation_id}")).status_code == 200
    rows = await house.rows(
        "update simulation set asked_by = 'user:other' where company = :company returning status"
    )
    assert len(rows) == 1


async def test_what_is_old_is_swept_away(house: House) -> None:
    await two_clients(house)
    await simulated(house, days=3)
    async with transaction(house.process.engine) as tx:
        await tx.execute(text("update simulation set asked_at = now() - interval '8 days'"))
    simulator = Simulator(house.process, house.process.settings)  # type: ignore[arg-type]
    tidying = asyncio.create_task(simulator.tidy())
    for _ in range(200):
        if not await house.rows("select 1 from simulation where company = :company"):
            break
        await asyncio.sleep(0.05)
    tidying.cancel()
    assert await house.rows("select 1 from simulation where company = :company") == []
    assert await house.rows("select 1 from simulation_part where company = :company") == []
