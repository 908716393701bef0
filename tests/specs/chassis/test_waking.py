"""A loop that rests is woken by what its own process writes, and looks again by itself when it is not."""

import asyncio
import threading

from chassis.waking import Rest, jobs_of, log_of, wake


async def test_a_rest_that_nobody_ends_ends_by_itself() -> None:
    assert not await Rest(jobs_of("quiet")).wait(0.01)


async def test_what_is_written_ends_the_rest() -> None:
    rest = Rest(jobs_of("letters"))
    resting = asyncio.create_task(rest.wait(3600))
    await asyncio.sleep(0)
    wake(jobs_of("letters"))
    assert await asyncio.wait_for(resting, 10)


async def test_another_topic_does_not() -> None:
    rest = Rest(jobs_of("letters"))
    wake(jobs_of("names"))
    wake(log_of("letters"))
    assert not await rest.wait(0.01)


async def test_what_was_written_while_the_loop_was_at_work_ends_its_next_rest_once() -> None:
    rest = Rest(log_of("ledger"))
    wake(log_of("ledger"))
    wake(log_of("ledger"))
    assert await rest.wait(3600)
    assert not await rest.wait(0.01)


async def test_another_thread_may_wake() -> None:
    rest = Rest(log_of("ledger"))
    resting = asyncio.create_task(rest.wait(3600))
    await asyncio.sleep(0)
    thread = threading.Thread(target=wake, args=(log_of("ledger"),))
    thread.start()
    assert await asyncio.wait_for(resting, 10)
    thread.join()


async def test_every_loop_that_rests_on_it_is_woken() -> None:
    rests = [Rest(log_of("ledger")) for _ in range(3)]
    wake(log_of("ledger"))
    assert all([await rest.wait(3600) for rest in rests])
