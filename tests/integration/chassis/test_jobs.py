"""Jobs: asked once, carried out once, and in doubt when nobody can know (architecture, Correctness 4)."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

import pytest
from sqlalchemy import text

from chassis import measures
from chassis.database import engine, transaction
from chassis.jobs import Job, JobLost, JobWorker, NewJob, enqueue
from tests.integration.chassis.conftest import Toys, eventually, running


def letters(count: int, **more: object) -> list[NewJob]:
    return [
        NewJob(uuid5(NAMESPACE_OID, f"letter {n}"), "acme", {"n": n}, key=f"C{n}", **more)  # type: ignore[arg-type]
        for n in range(count)
    ]


async def ask(toys: Toys, jobs: list[NewJob]) -> list[UUID]:
    async with transaction(toys.beta) as tx:
        return await enqueue(tx, "letters", jobs)


async def states(toys: Toys) -> dict[str, int]:
    rows = await toys.rows(toys.beta, "select status, count(*) as n from job group by status")
    return {row["status"]: row["n"] for row in rows}


async def expire(toys: Toys) -> None:
    async with transaction(toys.beta) as tx:
        await tx.execute(text("update job set until = now() - interval '1 second'"))


async def refuse(_: Sequence[Job]) -> None:
    raise AssertionError("nothing was ready")


async def test_asking_twice_is_one_job(toys: Toys) -> None:
    assert len(await ask(toys, letters(3))) == 3
    assert len(await ask(toys, letters(5))) == 2
    assert await states(toys) == {"ready": 5}


async def test_a_worker_at_rest_is_woken_by_a_job_of_its_process(toys: Toys) -> None:
    async def carry_out(_: Sequence[Job]) -> None:
        """Nothing: the job is done."""

    async with running(JobWorker(toys.beta, "letters", carry_out, poll_seconds=900)):
        await asyncio.sleep(0.5)
        await ask(toys, letters(3))

        async def all_done() -> bool:
            return await states(toys) == {"done": 3}

        await eventually(all_done)


async def test_several_workers_carry_out_each_job_once(toys: Toys) -> None:
    done: list[int] = []

    async def carry_out(jobs: Sequence[Job]) -> None:
        await asyncio.sleep(0.01)
        done.extend(job.payload["n"] for job in jobs)

    await ask(toys, letters(200))

    async def all_done() -> bool:
        return await states(toys) == {"done": 200}

    workers = [JobWorker(toys.beta, "letters", carry_out, batch=7, poll_seconds=0.05) for _ in range(2)]
    async with running(workers[0]), running(workers[1]):
        await eventually(all_done)
    assert sorted(done) == list(range(200))


async def test_a_job_waits_for_its_instant(toys: Toys) -> None:
    await ask(toys, letters(1, run_at=datetime.now(UTC) + timedelta(hours=1)))
    assert not await JobWorker(toys.beta, "letters", refuse).step()


async def test_a_job_of_a_company_at_rest_waits(toys: Toys) -> None:
    """docs/adr/0051."""
    done: list[str] = []

    async def carry_out(jobs: Sequence[Job]) -> None:
        done.extend(job.company for job in jobs)

    await ask(toys, [NewJob(uuid4(), company, {}) for company in ("acme", "leaving")])
    async with transaction(toys.beta) as tx:
        await tx.execute(text("insert into company_hold (company, held_by, until) values ('leaving', 'o', now())"))
    worker = JobWorker(toys.beta, "letters", carry_out)
    await worker.step()
    assert (done, await states(toys)) == (["acme"], {"ready": 1, "done": 1})
    async with transaction(toys.beta) as tx:
        await tx.execute(text("delete from company_hold"))
    await worker.step()
    assert done == ["acme", "leaving"], "kept: it goes on"


async def test_a_job_whose_end_could_not_be_recorded_is_carried_out_again(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away while the job runs: its worker lives on, and must not keep the job for ever."""
    tries: list[int] = []

    async def carry_out(jobs: Sequence[Job]) -> None:
        tries.append(len(jobs))
        if len(tries) == 1:
            raise ConnectionError("the database is gone")

    settle = JobWorker._settle

    async def settle_once_it_is_back(self: JobWorker, job: Job, error: Exception | None) -> None:
        if len(tries) == 1:
            raise ConnectionError("the database is still gone")
        await settle(self, job, error)

    monkeypatch.setattr(JobWorker, "_settle", settle_once_it_is_back)
    await ask(toys, letters(1))

    async def done() -> bool:
        return await states(toys) == {"done": 1}

    async with running(JobWorker(toys.beta, "letters", carry_out, lease_seconds=1, poll_seconds=0.05)):
        await eventually(done)
    assert tries == [1, 1]


async def test_after_a_crash_running_is_ready_again_and_sending_is_in_doubt(toys: Toys) -> None:
    """The worker dies with two jobs in its hands, one of them on its way out."""
    await ask(toys, letters(2))
    reached = asyncio.Event()

    async def die(jobs: Sequence[Job]) -> None:
        await jobs[0].sending()
        reached.set()
        await asyncio.Event().wait()

    worker = JobWorker(toys.beta, "letters", die, batch=2, lease_seconds=60)
    dying = asyncio.create_task(worker.step())
    await reached.wait()
    dying.cancel()
    await asyncio.wait([dying])
    assert await states(toys) == {"running": 1, "sending": 1}
    heir = JobWorker(toys.beta, "letters", refuse)
    await heir._renew_and_recover()
    assert await states(toys) == {"running": 1, "sending": 1}, "the lease is not over"
    await expire(toys)
    await heir._renew_and_recover()
    assert await states(toys) == {"ready": 1, "in_doubt": 1}
    (doubt,) = await toys.rows(toys.beta, "select error, owner from job where status = 'in_doubt'")
    assert "before it knew the result" in doubt["error"]


async def test_who_lost_the_lease_can_neither_send_nor_record(toys: Toys) -> None:
    await ask(toys, letters(1))
    tried = False

    async def wake_up_late(jobs: Sequence[Job]) -> None:
        nonlocal tried
        await expire(toys)
        with pytest.raises(JobLost):
            await jobs[0].sending()
        async with transaction(toys.beta) as tx:
            with pytest.raises(JobLost):
                await jobs[0].done(tx)
        tried = True

    assert await JobWorker(toys.beta, "letters", wake_up_late).step()
    assert tried
    assert await states(toys) == {"running": 1}


async def test_an_error_before_sending_is_tried_again_with_back_off_and_then_fails(toys: Toys) -> None:
    await ask(toys, letters(1))

    async def fail(_: Sequence[Job]) -> None:
        raise ConnectionRefusedError("nobody listens")

    worker = JobWorker(toys.beta, "letters", fail, max_attempts=2, back_off_seconds=0.01)
    assert await worker.step()
    (job,) = await toys.rows(toys.beta, "select status, attempts, error, run_at > created_at as later from job")
    assert job == {
        "status": "ready",
        "attempts": 1,
        "error": "ConnectionRefusedError: nobody listens",
        "later": True,
    }
    await asyncio.sleep(0.05)
    assert await worker.step()
    assert await states(toys) == {"failed": 1}


async def test_an_error_while_sending_is_in_doubt_at_once(toys: Toys) -> None:
    await ask(toys, letters(2))

    async def break_off(jobs: Sequence[Job]) -> None:
        await jobs[0].sending()
        async with transaction(toys.beta) as tx:
            await jobs[0].done(tx)
        await jobs[1].sending()
        raise ConnectionResetError

    await JobWorker(toys.beta, "letters", break_off).step()
    assert await states(toys) == {"done": 1, "in_doubt": 1}


async def test_the_result_is_recorded_in_the_transaction_of_what_it_says(toys: Toys) -> None:
    await ask(toys, letters(1))

    async def undo(jobs: Sequence[Job]) -> None:
        await jobs[0].sending()
        async with transaction(toys.beta) as tx:
            await jobs[0].done(tx)
            await tx.rollback()

    await JobWorker(toys.beta, "letters", undo).step()
    assert (await states(toys)).keys() & {"done"} == set()


async def test_jobs_are_counted_by_state_and_seen_by_their_company_only(toys: Toys) -> None:
    await ask(toys, letters(4))
    await ask(toys, [NewJob(uuid4(), "globex", {})])
    await measures.refresh("beta", toys.beta)
    assert measures.JOBS.labels("beta", "letters", "ready")._value.get() == 5
    api = engine(toys.url("beta", "api"), "beta")
    async with transaction(api, "globex") as tx:
        assert await tx.scalar(text("select count(*) from job")) == 1
    await api.dispose()
