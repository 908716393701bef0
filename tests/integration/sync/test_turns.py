"""Waiting for one's turn costs nothing, and no run outlives its job."""

from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.database import transaction
from chassis.jobs import JobWorker
from services.sync.attempts import MOST_LOSSES, SURPRISES
from services.sync.imports import QUEUE
from tests.integration.sync.conftest import Sync
from tests.specs.sync.books import Writing, book

FILE = Writing().bytes(book(40))


async def due(sync: Sync, run_id: UUID) -> int:
    """Let the time of a job come; answers the attempts it has used."""
    async with transaction(sync.running.engine) as tx:
        return int(
            await tx.scalar(
                text("update job set run_at = now() - interval '1 s' where id = :id returning attempts"),
                {"id": run_id},
            )
            or 0
        )


async def alone(sync: Sync, run_id: UUID, queue: str = QUEUE) -> None:
    """Of one queue, only this job is there to be taken: the others are in the hands of somebody else."""
    async with transaction(sync.running.engine) as tx:
        await tx.execute(
            text(
                "update job set status = 'running', owner = 'another', until = now() + interval '1 h'"
                " where queue = :queue and status = 'ready' and id <> :id"
            ),
            {"queue": queue, "id": run_id},
        )


async def test_waiting_for_ones_turn_uses_up_no_attempt(
    sync: Sync, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given an import that waited long for an earlier one, when its first attempt fails of a surprise, then it is
    tried again."""
    await sync.register(company)
    first = await sync.ask(company, FILE)
    second = await sync.ask(company, FILE)
    await alone(sync, second)
    for _ in range(SURPRISES + 2):
        assert await due(sync, second) == 0
        await sync.worker().step()
    async with transaction(sync.running.engine) as tx:
        await tx.execute(text("update run set status = 'completed' where run_id = :id"), {"id": first})
    with monkeypatch.context() as broken:
        broken.setattr(sync.importer, "_handing", lambda *_: 1 / 0)
        await due(sync, second)
        await sync.worker().step()
    assert (await sync.run(company, second))["status"] == "running"
    await due(sync, second)
    await sync.worker().step()
    assert (await sync.run(company, second))["status"] == "completed"


async def test_a_run_ends_when_its_job_is_given_up(
    sync: Sync, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a job that failed as often as it may, when it fails of a lost connection once more, then its run has
    failed, and the next import of the company is carried out."""
    await sync.register(company)
    lost = await sync.ask(company, FILE)

    async def away(*_: object) -> None:
        raise ConnectionResetError

    worker = JobWorker(
        sync.running.engine, QUEUE, sync.importer, batch=1, max_attempts=1, given_up=sync.importer.give_up
    )
    with monkeypatch.context() as broken:
        broken.setattr(sync.importer, "_import", away)
        await worker.step()
    ended = await sync.run(company, lost)
    assert (ended["status"], [error["code"] for error in ended["errors"]]) == ("failed", ["import_failed"])
    assert [event["type"] for event in await sync.said(company)].count("SyncFailed") == 1
    assert (await sync.imported(company, FILE))["status"] == "completed"


async def test_a_live_base_does_not_wait_for_files_of_others(sync: Sync, company: str) -> None:
    """Given a file of another company that waits, when a delivery's turn comes, then it does not wait for the
    file: they stand in queues of their own."""
    other = f"{company}b"
    for name in (company, other):
        await sync.register(name)
    await sync.imported(company, FILE)
    await sync.ask(other, FILE)
    live = await sync.ask(company, FILE)
    async with transaction(sync.running.engine) as tx:
        await tx.execute(text("update job set queue = 'live' where id = :id"), {"id": live})
    await JobWorker(sync.running.engine, "live", sync.importer, batch=1, lease_seconds=300).step()
    assert (await sync.run(company, live))["status"] == "completed"


async def test_an_import_whose_worker_dies_again_and_again_is_given_up(sync: Sync, company: str) -> None:
    """Given a file that ends every process that reads it, then its run fails with a sentence that says so, and the
    next import has its turn."""
    await sync.register(company)
    deadly = await sync.ask(company, FILE)
    await alone(sync, deadly)
    worker = JobWorker(
        sync.running.engine, QUEUE, sync.importer, batch=1, given_up=sync.importer.give_up, most_losses=MOST_LOSSES
    )
    for _ in range(MOST_LOSSES):
        assert (await sync.run(company, deadly))["status"] == "running"
        async with transaction(sync.running.engine) as tx:
            await tx.execute(
                text(
                    "update job set status = 'running', owner = 'dead', until = now() - interval '1 s',"
                    " run_at = now() where id = :id"
                ),
                {"id": deadly},
            )
        await worker._renew_and_recover()
    assert await worker.step()
    ended = await sync.run(company, deadly)
    assert (ended["status"], ended["errors"][0]["code"]) == ("failed", "workers_lost")
    assert f"{MOST_LOSSES} times" in ended["errors"][0]["message"]
    following = await sync.ask(company, FILE)
    await alone(sync, following)
    await worker.step()
    assert (await sync.run(company, following))["status"] == "completed"
