"""From the log to the rows, over NATS: everything once, in order, whatever happens on the way."""

import asyncio
import os
import signal
import sys
from functools import partial

import nats
import pytest
from sqlalchemy import text

from chassis import measures
from chassis.database import engine, transaction
from chassis.listening import Listening, wait_for
from chassis.provision import provision
from contracts.subjects import PARTITIONS, stream
from tests.integration.chassis.conftest import Toys, eventually
from tests.integration.chassis.example.wiring import BETA, POISON, counted


async def traffic(toys: Toys, turns: int, pause: float = 0.01) -> None:
    for turn in range(turns):
        await toys.say("acme", *((f"C{(turn * 7 + n) % 50}", turn) for n in range(5)))
        await asyncio.sleep(pause)


async def leases(toys: Toys) -> list[int]:
    rows = await toys.rows(
        toys.beta, "select count(*) as n from partition_lease where until > now() group by owner order by n"
    )
    return [row["n"] for row in rows]


async def test_what_is_said_is_applied_once_and_in_order_and_answered_in_the_same_transaction(
    toys: Toys,
) -> None:
    async with toys.relay(), toys.worker():
        await traffic(toys, 30)
        assert await toys.all_heard()
        assert await toys.chains() == await toys.chains_expected()
    # beta's reactions: an event and a job for each tenth amount, in its own log and rows at once
    said = await toys.rows(toys.beta, "select count(*) as n from event_log where type = 'Milestone'")
    asked = await toys.rows(toys.alpha, "select 1 from event_log where (body->>'amount')::int % 10 = 0")
    jobs = await toys.rows(toys.beta, "select count(*) as n from job")
    own = await toys.rows(toys.beta, "select sum(times) as n from milestone")
    assert said[0]["n"] == own[0]["n"] == jobs[0]["n"] == len(asked) > 0


async def test_a_milestone_names_the_event_that_caused_it(toys: Toys) -> None:
    async with toys.relay(), toys.worker():
        positions = await toys.say("acme", ("C1", 10))
        assert await toys.heard(positions)
    (cause,) = await toys.rows(toys.alpha, "select event_id, correlation_id, as_of, actor from event_log")
    (effect,) = await toys.rows(
        toys.beta, "select causation_id as event_id, correlation_id, as_of, actor from event_log"
    )
    assert effect == cause


async def test_rewound_to_the_first_message_nothing_is_applied_twice(toys: Toys) -> None:
    async with toys.relay(), toys.worker():
        await traffic(toys, 20)
        assert await toys.all_heard()
    async with transaction(toys.beta) as tx:
        await tx.execute(text("update checkpoint set pos = 0"))
    async with toys.relay(), toys.worker():
        await traffic(toys, 20)
        assert await toys.all_heard()
        assert await toys.chains() == await toys.chains_expected()


async def test_what_a_crash_of_postgresql_took_back_is_heard_again_though_nothing_more_is_said(toys: Toys) -> None:
    """Rows that come from events alone are not waited for on the disk: their last moments may be gone."""

    async def back() -> bool:
        return await toys.chains() == await toys.chains_expected()

    async with toys.relay(), toys.worker():
        await toys.say("acme", *((f"C{n}", 10 * n + 1) for n in range(30)))
        assert await toys.all_heard()
        async with transaction(toys.beta) as tx:
            await tx.execute(text("delete from checkpoint"))
            await tx.execute(text("delete from tally"))
        await eventually(back)


async def test_two_workers_share_the_partitions_and_one_takes_over_when_the_other_leaves(toys: Toys) -> None:
    async def shared() -> bool:
        return await leases(toys) == [32, 32]

    async def alone() -> bool:
        return await leases(toys) == [64]

    lease = 4.0
    async with toys.relay(), toys.worker(lease_seconds=lease):
        await eventually(alone)
        talk = asyncio.create_task(traffic(toys, 160))
        async with toys.worker(lease_seconds=lease):
            await eventually(shared)
        await eventually(alone, lease - 0.1)  # sooner than from one that was killed
        await talk
        assert await toys.all_heard()
        assert await toys.chains() == await toys.chains_expected()


async def test_a_worker_killed_in_its_work_leaves_no_trace(toys: Toys) -> None:
    environment = os.environ | {
        "BETA_NATS": toys.nats_url("beta"),
        "BETA_DATABASE": toys.url("beta"),
    }

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.chassis.example.process", env=environment
        )

    async def reached(count: int) -> bool:
        rows = await toys.rows(toys.beta, "select coalesce(sum(pseq), 0) as n from checkpoint")
        return bool(rows[0]["n"] >= count)

    async with toys.relay():
        process = await start()
        talk = asyncio.create_task(traffic(toys, 100))
        try:
            for kill_after in (80, 250):
                await eventually(partial(reached, kill_after), 20)
                process.send_signal(signal.SIGKILL)
                await process.wait()
                process = await start()
            await talk
            assert await toys.all_heard(20)
        finally:
            process.terminate()
            await process.wait()
    assert await toys.chains() == await toys.chains_expected()


async def test_poison_in_the_stream_parks_one_client_and_the_others_go_on(toys: Toys) -> None:
    async with toys.relay(), toys.worker() as worker:
        await toys.say("acme", ("bad", 1), ("good", 1))
        await toys.say("acme", ("bad", POISON), ("good", 2))
        await toys.say("acme", ("bad", 3), ("good", 3))
        assert await toys.all_heard()
        assert worker.problems() == []
    chains = await toys.chains()
    assert chains["acme", "good"] == (await toys.chains_expected())["acme", "good"]
    assert chains["acme", "bad"][0] == 1
    await measures.refresh("beta", toys.beta)
    assert measures.PARKED.labels("beta", "alpha")._value.get() == 1


async def test_an_error_that_may_pass_is_tried_again_and_parks_nobody(toys: Toys) -> None:
    failures = 2

    async def moody(tx: object, events: object) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise ConnectionResetError
        await counted(tx, events)  # type: ignore[arg-type]

    listening = Listening(streams=("alpha",), project={"Counted": moody}, tables=BETA.tables)
    async with toys.relay(), toys.worker(listening=listening):
        assert await toys.heard(await toys.say("acme", ("C1", 1)))
    assert await toys.rows(toys.beta, "select 1 from parked") == []
    assert await toys.chains() == await toys.chains_expected()


async def test_connections_that_break_in_the_middle_of_a_batch_cost_time_only(toys: Toys) -> None:
    """PostgreSQL ends every connection of the relay and of the worker again and again, as a restart would."""
    superuser = engine(toys.stack.superuser_url, "public")

    async def break_off() -> None:
        while True:
            await asyncio.sleep(0.25)
            async with superuser.connect() as connection:
                await connection.execute(
                    text(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where usename = 'beta_worker' or query like '%partition_head%'"
                        " and usename = 'alpha_worker' and state = 'idle'"
                    )
                )

    await traffic(toys, 60, pause=0)
    async with toys.relay(), toys.worker(batch=5):
        breaking = asyncio.create_task(break_off())
        await asyncio.sleep(2.5)
        breaking.cancel()
        await asyncio.wait([breaking])
        assert await toys.all_heard(20)
    await superuser.dispose()
    assert await toys.rows(toys.beta, "select 1 from parked") == []
    assert await toys.chains() == await toys.chains_expected()


async def test_a_consumer_that_the_server_lost_is_made_again(toys: Toys) -> None:
    async with toys.relay(), toys.worker() as worker:
        assert await toys.heard(await toys.say("acme", ("C1", 1)))
        subscriber = worker.ears["alpha"]._subscriber
        assert subscriber is not None
        assert subscriber.subscription is not None
        admin = await nats.connect(toys.nats_admin)
        await admin.jetstream().delete_consumer(stream("alpha"), subscriber.subscription._consumer)
        await admin.close()
        assert await toys.heard(await toys.say("acme", ("C1", 2)))
    assert await toys.chains() == await toys.chains_expected()


async def test_without_a_stream_the_worker_says_what_is_missing_and_recovers_alone(toys: Toys) -> None:
    admin = await nats.connect(toys.nats_admin)
    await admin.jetstream().delete_stream(stream("alpha"))

    async with toys.worker() as worker:

        async def complains() -> bool:
            return any("relance provision" in problem for problem in worker.problems())

        await eventually(complains)
        await provision(toys.nats_admin, ("alpha",))
        async with toys.relay():
            assert await toys.heard(await toys.say("acme", ("C1", 1)))
        assert worker.problems() == []
    await admin.close()


@pytest.mark.parametrize("wanted", [{"alpha": {0: 1}}, {"beta": {0: 1}}])
async def test_waiting_for_what_never_comes_ends_in_time(toys: Toys, wanted: dict[str, dict[int, int]]) -> None:
    assert not await wait_for(toys.beta, wanted, 0.1)


async def test_what_a_service_says_itself_it_knows_at_once(toys: Toys) -> None:
    (position,) = await toys.say("acme", ("C1", 1))
    assert position.partition in range(PARTITIONS)
    assert await wait_for(toys.alpha, {"alpha": {position.partition: position.number}}, 0)
