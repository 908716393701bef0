"""A new version of the tables beside the old one: built while events flow, compared, switched to and back."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import measures
from chassis.beside import switching
from chassis.beside.building import Progress, build
from chassis.beside.place import Beside, looked_at
from chassis.beside.stages import Refused, Stages
from chassis.database import transaction
from chassis.delivered import Cause, Delivered, Said
from chassis.derivation import VERSION_OPTION, OtherVersion
from chassis.eventlog import Say
from chassis.jobs import Job, JobWorker
from chassis.listening import Listening
from chassis.parking import skip, unpark
from chassis.rebuild import Rebuild
from tests.integration.chassis.conftest import DAY, Desk, Toys, empty_streams, eventually
from tests.integration.chassis.example.wiring import BETA, POISON, REGISTRY, Milestone, counted

BETA_MODULE = "tests.integration.chassis.example.beta"


async def counted_twice(tx: AsyncConnection, events: list[Delivered]) -> None:
    """Another version of the projection: every amount counts double."""
    await counted(tx, events)
    for event in events:
        await tx.execute(
            text("update tally set amount = amount + :amount where (company, client_id) = (:company, :client)"),
            {"amount": event.parse().amount, "company": event.company, "client": event.client_id},  # type: ignore[attr-defined]
        )


DOUBLED = replace(BETA, version=2, project={**BETA.project, "Counted": counted_twice})


def stages(toys: Toys, listening: Listening = BETA) -> Stages:
    return Stages("beta", BETA_MODULE, listening, REGISTRY, toys.url("beta", "owner"), toys.nats_url("beta"))


async def built(toys: Toys, listening: Listening = BETA) -> None:
    """Build the next version until it has caught up."""
    assert await asyncio.wait_for(build(stages(toys, listening), lambda _: None, once=True), 30) == "caught up"


async def beside(toys: Toys) -> Beside | None:
    async with stages(toys).connection() as connection:
        return await looked_at(connection, "beta")


@dataclass
class Talk:
    turns: int = 0


@asynccontextmanager
async def talking(toys: Toys, pause: float = 0.05) -> AsyncIterator[Talk]:
    """Alpha says amounts of thirty clients all the while; of each turn the first makes beta say a milestone."""
    talk = Talk()

    async def talk_on() -> None:
        while True:
            await toys.say("acme", *((f"C{(talk.turns * 5 + n) % 30}", talk.turns % 500) for n in range(5)))
            talk.turns += 1
            await asyncio.sleep(pause)

    task = asyncio.create_task(talk_on())
    try:
        yield talk
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def heard_right(toys: Toys) -> None:
    """Everything once and in order, and every row as the events alone give it."""
    assert await toys.all_heard()
    assert await toys.chains() == await toys.chains_expected()
    report = await Rebuild(
        "beta", BETA_MODULE, BETA, REGISTRY, toys.url("beta", "owner"), toys.nats_url("beta")
    ).run()
    assert report.equal, report.differing[:3]


async def test_killed_in_the_middle_it_goes_on_and_is_switched_to_and_back_and_forth_under_load(
    toys: Toys,
) -> None:
    """Two workers hear, alpha and beta speak all the while."""
    for turn in range(60):
        await toys.say("acme", *((f"C{n}", turn) for n in range(30)))
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker(), toys.worker(), talking(toys) as talk:

        async def heard(events: int) -> bool:
            found = await beside(toys)
            return found is not None and sum(found.heard.values()) >= events

        async with building(toys) as builder:
            await eventually(partial(heard, 100), 90)
            builder.send_signal(signal.SIGKILL)
            await builder.wait()
        left = await beside(toys)
        assert left is not None
        assert left.events_behind > 0
        async with building(toys) as builder:
            await eventually(partial(heard, 1900), 120)

            compared = await stages(toys).compare()
            assert compared.is_equal, [table for table in compared.tables if not table.is_equal]
            assert {table.table: table.equal for table in compared.tables}["tally"] == 30
            await measures.refresh("beta", toys.beta)
            assert measures.BESIDE_BEHIND.labels("beta", "next").collect()

            before = talk.turns
            switched = await stages(toys).switch("next")
            assert switched.kept == "before"
            assert await builder.wait() == 0, "nothing is left to follow"
        back = await stages(toys).switch("before")
        assert back.kept == "next"
        assert back.events > 0, "the old ones caught up with what was said since"
        await stages(toys).switch("next")
        await eventually(lambda: talk.turns > before + 20)
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        await heard_right(toys)
    milestones = await toys.rows(toys.beta, "select count(*) as n from event_log where type = 'Milestone'")
    own = await toys.rows(toys.beta, "select sum(times)::int as n from milestone")
    asked = await toys.rows(
        toys.alpha, "select count(*) as n from event_log where (body->>'amount')::int % 10 = 0"
    )
    assert milestones == own == asked, "decided once each, whichever tables were live"
    await stages(toys).drop()
    assert await beside(toys) is None
    await heard_right_without_workers(toys)


@asynccontextmanager
async def building(toys: Toys) -> AsyncIterator[asyncio.subprocess.Process]:
    """The builder as a process of its own, which does not outlive a test that fails."""
    environment = os.environ | {"BETA_OWNER": toys.url("beta", "owner"), "BETA_NATS": toys.nats_url("beta")}
    builder = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.chassis.example.builder", env=environment
    )
    try:
        yield builder
    finally:
        if builder.returncode is None:
            builder.kill()
            await builder.wait()


async def heard_right_without_workers(toys: Toys) -> None:
    assert await toys.chains() == await toys.chains_expected()


async def shown(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.ask("GET", "/companies/acme/rebuild")).json()
    return found


async def the_difference_is_shown(desk: Desk) -> None:
    """To administrators who see every client: what differs, in no number of everybody's rows, and by no key."""
    for role, portfolio in (("user", None), ("admin", ["DUPONT"])):
        answer = await desk.ask("GET", "/companies/acme/rebuild", role=role, portfolio=portfolio)  # type: ignore[arg-type]
        assert answer.status_code == 403
    assert (await desk.ask("GET", "/rebuild")).status_code == 403
    found = await shown(desk)
    beside = found["beside"]
    assert (found["live"]["version"], found["code_version"]) == (1, 1)
    assert (beside["role"], beside["version"], beside["share"], beside["parked"]) == ("next", 2, 100, 0)
    (differing,) = (one for one in beside["compared"]["tables"] if one["differing"])
    assert (differing["table"], differing["differing"], differing["columns"]) == ("tally", 19, {"amount": 19})
    assert not {"live", "beside", "equal", "keys"} & set(differing)
    assert "heard" not in beside
    every = await desk.ask("GET", "/rebuild", company="*", role="system")
    assert every.json()["beside"]["heard"] >= 20


async def what_is_kept_is_shown(desk: Desk, toys: Toys) -> None:
    """After a switch, without what was found before it: the sides have changed."""
    found = await shown(desk)
    assert (found["live"]["version"], found["beside"]["role"], found["beside"]["version"]) == (2, "before", 1)
    assert found["beside"]["compared"] is None
    await measures.refresh("beta", toys.beta)
    assert measures.BESIDE_AGE.labels("beta", "before")._value.get() < 600


async def test_another_version_shows_what_it_makes_otherwise_and_takes_over_at_the_switch(
    toys: Toys, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker() as old:
        await toys.say("acme", *((f"C{n}", n) for n in range(20)))
        assert await toys.all_heard()
        async with toys.worker(listening=DOUBLED) as new:
            # code of the new version waits until the switch, and the old one does all the work
            await eventually(lambda: new.ownership.standing_by == 1)
            for version, waits in ((2, 1), (1, 0)):
                await measures.refresh("beta", toys.beta.execution_options(**{VERSION_OPTION: version}))
                assert measures.WAITS_FOR_SWITCH.labels("beta")._value.get() == waits
            await built(toys, DOUBLED)
            compared = await stages(toys, DOUBLED).compare(most_keys=3)
            tally = next(table for table in compared.tables if table.table == "tally")
            assert (tally.live, tally.beside, tally.equal, tally.differing) == (20, 20, 1, 19)
            assert tally.columns == {"amount": 19}
            assert [told["columns"] for told in tally.keys] == [["amount"]] * 3
            assert not compared.is_equal
            await the_difference_is_shown(desk)
            with pytest.raises(Refused, match="version 2"):
                await stages(toys).switch("next")
            assert not new.ownership.own

            # a mail that is being sent would be in doubt: nobody of the old version could record it
            with monkeypatch.context() as hurried:
                hurried.setattr(switching, "TABLES_SECONDS", 0.5)
                await in_hand(toys, "running")
                with pytest.raises(Refused, match="carrying out jobs"):
                    await stages(toys, DOUBLED).switch("next")
                await in_hand(toys, "ready")
            await stages(toys, DOUBLED).switch("next")
            await what_is_kept_is_shown(desk, toys)
            assert not await jobs_of(toys, 1).step()
            assert await jobs_of(toys, 2).step()
            await eventually(lambda: old.ownership.standing_by == 2 and len(new.ownership.own) == 64)
            await toys.say("acme", ("C7", 1))
            assert await toys.all_heard()
            assert await amount(toys, "C7") == 16
            async with transaction(toys.beta) as tx:
                say = Say("beta", tx, BETA.project, version=1)
                with pytest.raises(OtherVersion):
                    await say("acme", [Said(Milestone(amount=1), "C7")], as_of=DAY, cause=Cause.new("test"))

            with pytest.raises(Refused, match="version 1"):
                await stages(toys, DOUBLED).switch("before")
            back = await stages(toys).switch("before")
            assert (back.live_version, back.kept_version, back.kept) == (1, 2, "next")
            assert await amount(toys, "C7") == 8
            await eventually(lambda: len(old.ownership.own) == 64)
            await toys.say("acme", ("C7", 1))
            assert await toys.all_heard()
            assert await amount(toys, "C7") == 9
            await heard_right(toys)


async def in_hand(toys: Toys, status: str) -> None:
    async with transaction(toys.beta) as tx:
        await tx.execute(
            text("update job set status = :status, until = now() + interval '1 minute', owner = 'somebody'"),
            {"status": status},
        )


def jobs_of(toys: Toys, version: int) -> JobWorker:
    """A worker of beta's jobs in a process of this version."""

    async def handle(jobs: Sequence[Job]) -> None:
        pass

    return JobWorker(toys.beta.execution_options(**{VERSION_OPTION: version}), "congratulate", handle)


async def amount(toys: Toys, client: str) -> int:
    rows = await toys.rows(toys.beta, "select amount from tally where client_id = :client", client=client)
    return int(rows[0]["amount"])


async def test_with_no_worker_of_the_old_version_left_the_new_one_is_switched_to_where_the_old_one_ended(
    toys: Toys,
) -> None:
    """An upgrade on one machine: the old code is gone, and the stream holds events that nobody has applied."""
    async with toys.relay(), toys.relay(speaker="beta"):
        async with toys.worker():
            await toys.say("acme", *((f"C{n}", 10) for n in range(20)))
            assert await toys.all_heard()
        await toys.say("acme", *((f"C{n}", 30) for n in range(0, 20, 2)))
        await built(toys, DOUBLED)
        await stages(toys, DOUBLED).switch("next")
        assert await amount(toys, "C2") == 20, "what the old version did not react to is not applied either"
        async with toys.worker(listening=DOUBLED):
            assert await toys.all_heard()
            assert (await amount(toys, "C2"), await amount(toys, "C3")) == (80, 20)
        assert await toys.chains() == await toys.chains_expected()


async def test_what_people_skip_and_unpark_meanwhile_is_done_beside_as_well(toys: Toys) -> None:
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        await toys.say("acme", ("bad", 10), ("worse", 10), ("good", 10))
        await toys.say("acme", ("bad", POISON), ("worse", POISON), ("good", 20))
        await toys.say("acme", ("bad", 30), ("worse", 30))
        assert await toys.all_heard()
        await skip(
            toys.beta, REGISTRY, speaker="alpha", company="acme", client_id="bad", by="ada", reason="no amount"
        )
        await built(toys)
        found = await beside(toys)
        assert found is not None
        assert found.parked == 1, "what was skipped is left out, so nothing waits behind it"
        assert (
            await unpark(toys.beta, "beta", BETA, REGISTRY, speaker="alpha", company="acme", client_id="bad") == 1
        )
        compared = await stages(toys).compare()
        assert compared.is_equal, compared.parked
        await skip(
            toys.beta, REGISTRY, speaker="alpha", company="acme", client_id="worse", by="ada", reason="no amount"
        )
        await stages(toys).switch("next")
        assert (
            await unpark(toys.beta, "beta", BETA, REGISTRY, speaker="alpha", company="acme", client_id="worse")
            == 1
        )
        assert (await amount(toys, "bad"), await amount(toys, "worse")) == (40, 40)


async def test_events_that_only_one_version_can_apply_are_for_a_person(toys: Toys) -> None:
    """The old version could apply the client's event; the new one cannot, and nobody would miss it."""

    async def hear_no_good(tx: AsyncConnection, events: list[Delivered]) -> None:
        if any(event.client_id == "good" for event in events):
            await tx.execute(text("select 1 / 0"))
        await counted(tx, events)

    fussy = replace(BETA, version=2, project={**BETA.project, "Counted": hear_no_good})
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        await toys.say("acme", ("good", 10), ("fine", 10))
        assert await toys.all_heard()
        await built(toys, fussy)
        compared = await stages(toys, fussy).compare()
        assert compared.parked.only_beside == 1
        with pytest.raises(Refused, match="1 events could not be applied beside"):
            await stages(toys, fussy).switch("next")
        assert await amount(toys, "good") == 10


async def test_a_stream_that_was_made_again_meanwhile_is_heard_from_its_start(toys: Toys) -> None:
    """Given a version beside that nobody follows and a stream filled again from its log, where nothing is at its
    place any more, when they are compared, switched, and switched back, then what is known is skipped."""
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        for turn in range(3):
            await toys.say("acme", *((f"C{n}", turn) for n in range(20)))
        assert await toys.all_heard()
        await built(toys)
    await empty_streams(toys.nats_admin)
    for turn in range(2):
        await toys.say("acme", *((f"C{n}", turn) for n in reversed(range(20))))
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        assert await toys.all_heard()
        compared = await stages(toys).compare()
        assert compared.is_equal, [table for table in compared.tables if not table.is_equal]
        await stages(toys).switch("next")
    await empty_streams(toys.nats_admin)
    await toys.say("acme", *((f"C{n}", 7) for n in range(20)))
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        assert await toys.all_heard()
        assert (await stages(toys).switch("before")).events > 0
        await heard_right(toys)


async def test_a_long_reading_is_not_disturbed_and_the_switch_gives_way(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "TABLES_SECONDS", 0.5)
    monkeypatch.setattr(switching, "ATTEMPTS", 1)
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        await toys.say("acme", ("C1", 10))
        assert await toys.all_heard()
        await built(toys)
        async with toys.beta.connect() as reading:
            await reading.execute(text("select * from tally"))
            with pytest.raises(Refused, match="in use all the time"):
                await stages(toys).switch("next")
            assert (await reading.execute(text("select count(*) from tally"))).scalar() == 1
        await toys.say("acme", ("C1", 20))
        assert await toys.all_heard()
        await stages(toys).switch("next")
        assert await amount(toys, "C1") == 30


async def test_a_vacuum_is_waited_for(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends by itself once it is waited for long enough, which tables that people read are not."""
    monkeypatch.setattr(switching, "TABLES_SECONDS", 0.2)
    monkeypatch.setattr(switching, "ATTEMPTS", 1)
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        await toys.say("acme", ("C1", 10))
        assert await toys.all_heard()
        await built(toys)
        async with stages(toys).connection() as vacuum, vacuum.transaction():
            await vacuum.execute("lock table tally in share update exclusive mode")
            switching_over = asyncio.create_task(stages(toys).switch("next"))
            await asyncio.wait({switching_over}, timeout=3)
        assert (await switching_over).kept == "before"


async def test_a_stage_out_of_turn_is_refused_with_what_to_do(toys: Toys) -> None:
    told: list[Progress] = []
    with pytest.raises(Refused, match="rebuild start beta"):
        await stages(toys).compare()
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        await toys.say("acme", ("C1", 10))
        assert await toys.all_heard()
        await build(stages(toys), told.append, once=True)
        assert told[-1].behind == 0
        with pytest.raises(Refused, match="not switched to yet"):
            await stages(toys).switch("before")
        with pytest.raises(Refused, match="drop beta"):
            await build(stages(toys, DOUBLED), told.append, once=True)
        await stages(toys).switch("next")
        with pytest.raises(Refused, match="rebuild back beta"):
            await build(stages(toys), told.append, once=True)
        assert await stages(toys).drop() == "before"
