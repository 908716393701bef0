"""What waits because it could not be applied, as those who look after it see and handle it over HTTP."""

from dataclasses import dataclass
from typing import Any

import pytest

from chassis.applying import Applying
from chassis.auth import Role
from chassis.delivered import Delivered
from chassis.envelope import Heard
from chassis.ownership import Ownership
from chassis.parking import skip_command
from contracts.event import Event
from contracts.subjects import partition_of
from tests.integration.chassis.conftest import DAY, Desk, Toys
from tests.integration.chassis.example import wiring
from tests.integration.chassis.example.wiring import BETA, POISON, Counted, Forgotten

WHOSE = {"speaker": "alpha", "client_id": "C1"}


def code(answer: dict[str, Any]) -> str:
    return str(answer["type"]).rpartition("/")[2]


@dataclass
class Stream:
    """Applies events to beta as its worker does."""

    applying: Applying
    own: dict[int, int]

    async def apply(self, *events: Event, company: str = "acme", client_id: str = "C1", first: int = 1) -> None:
        p = partition_of(company, client_id)
        heard = [
            Heard.of(
                Delivered.of(event, company=company, client_id=client_id, as_of=DAY, number=number, partition=p),
                at=number * 10,
            )
            for number, event in enumerate(events, first)
        ]
        await self.applying.apply("alpha", heard, self.own, carefully=True)


@pytest.fixture
async def stream(toys: Toys) -> Stream:
    owner = Ownership(toys.beta, ttl=5)
    own, _ = await owner.beat()
    return Stream(Applying("beta", toys.beta, BETA, most_parked=3), own)


def amounts(*values: int) -> list[Event]:
    return [Counted(amount=value) for value in values]


async def test_it_tells_whose_events_wait_since_when_and_how_many_behind_without_their_words(
    desk: Desk, stream: Stream
) -> None:
    assert await desk.waiting() == []
    await stream.apply(*amounts(1, POISON, 3, 4))
    (found,) = await desk.waiting()
    p = partition_of("acme", "C1")
    assert found.pop("since")
    assert found == {
        "speaker": "alpha", "company": "acme", "client_id": "C1", "position": f"alpha/{p}/2", "type": "Counted",
        "as_of": str(DAY), "behind": 2, "error": "DataError", "may_be_skipped": True,
        "must_be_heard": None,
    }  # fmt: skip


async def test_each_company_sees_its_own_and_an_operator_all(desk: Desk, stream: Stream) -> None:
    await stream.apply(*amounts(POISON))
    await stream.apply(*amounts(POISON), company="beta-sa", client_id="B7")
    assert [one["client_id"] for one in await desk.waiting()] == ["C1"]
    assert [one["client_id"] for one in await desk.waiting("beta-sa")] == ["B7"]
    assert (await desk.ask("GET", "/companies/beta-sa/parked")).status_code == 404
    assert (await desk.ask("GET", "/parked")).status_code == 403
    every = await desk.ask("GET", "/parked", company="*", role="system")
    assert sorted(one["company"] for one in every.json()["waiting"]) == ["acme", "beta-sa"]


@pytest.mark.parametrize(("role", "portfolio"), [("user", None), ("reader", None), ("admin", ["DUPONT"])])
async def test_it_is_for_administrators_who_see_every_client(
    desk: Desk, role: Role, portfolio: list[str] | None
) -> None:
    asked = [("GET", "", None), ("POST", "/retry", WHOSE), ("POST", "/skip", WHOSE)]
    for method, path, body in asked:
        answer = await desk.ask(method, f"/companies/acme/parked{path}", role=role, portfolio=portfolio, json=body)
        assert answer.status_code == 403, path


async def test_what_waits_is_tried_again_and_stays_when_it_fails_again(
    desk: Desk, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stream.apply(*amounts(1, POISON, 3))
    status, answer = await desk.command("retry")
    assert (status, code(answer), answer["error"]) == (409, "still-unapplied", "DataError")
    assert [one["behind"] for one in await desk.waiting()] == [1]
    monkeypatch.setattr(wiring, "POISON", -1)
    assert await desk.command("retry") == (200, {"applied": 2})
    assert await desk.waiting() == []
    status, answer = await desk.command("retry")
    assert (status, code(answer)) == (404, "nothing-parked")


async def test_the_one_that_was_looked_at_is_skipped_with_a_reason_and_the_others_follow(
    desk: Desk, stream: Stream
) -> None:
    await stream.apply(*amounts(1, POISON, 3))
    (found,) = await desk.waiting()
    status, answer = await desk.command("skip", position=found["position"], reason="  ")
    assert (status, code(answer)) == (422, "reason-missing")
    status, answer = await desk.command("skip", position="alpha/0/99", reason="no amount")
    assert (status, code(answer), answer["position"]) == (409, "another-waits", found["position"])
    skipped = {"position": found["position"], "reason": "no amount"}
    assert await desk.command("skip", **skipped) == (200, {"position": found["position"], "type": "Counted"})
    (left,) = await desk.waiting()
    assert (left["error"], left["behind"]) == (None, 0)
    kept = (await desk.ask("GET", "/companies/acme/parked")).json()["skipped"]
    assert [(one["by"], one["reason"], one["type"]) for one in kept] == [("user:ada", "no amount", "Counted")]
    assert await desk.command("retry") == (200, {"applied": 1})


async def test_what_must_be_heard_is_never_skipped_by_anybody(
    desk: Desk, stream: Stream, toys: Toys, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it forbids would go on: neither over HTTP nor by an operator's command, each with reason and remedy."""
    await stream.apply(Forgotten())
    (found,) = await desk.waiting()
    assert (found["may_be_skipped"], found["must_be_heard"]) == (False, "erasure")
    status, answer = await desk.command("skip", position=found["position"], reason="too much work")
    assert (status, code(answer), answer["why"]) == (409, "must-be-heard", "erasure")
    assert "Mend the cause" in answer["detail"]
    done = await skip_command(desk.process.service, "alpha", "acme", "C1", "ada", "too much work")
    assert done == 1
    told = capsys.readouterr().err
    assert "Forgotten is never skipped (erasure)" in told
    assert "mend the cause, then unpark" in told
    assert len(await desk.waiting()) == 1


async def test_nothing_is_decided_while_another_release_is_at_work(desk: Desk, stream: Stream) -> None:
    """The schema is the next release's already, this process is not."""
    await stream.apply(*amounts(POISON))
    desk.process.newest_migration = "0000"
    listed = await desk.ask("GET", "/companies/acme/parked")
    assert listed.json()["updating"] is True
    for what, more in (("retry", {}), ("skip", {"position": "alpha/0/1", "reason": "no amount"})):
        status, answer = await desk.command(what, **more)
        assert (status, code(answer)) == (409, "update-under-way")
    desk.process.newest_migration = "0001"
    assert (await desk.ask("GET", "/companies/acme/parked")).json()["updating"] is False
