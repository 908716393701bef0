"""FastStream 0.7.8 with nats-py 2.16 loses half-filled batches (pitfall F1); the chassis repairs it."""

import asyncio
from typing import cast

import nats
import pytest
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.aio.msg import Msg
from nats.js.api import AckPolicy as ConsumerAcks
from nats.js.api import ConsumerConfig

from chassis.faststream_fetch import keep_half_batches
from contracts.subjects import stream, subject
from tests.integration.chassis.conftest import Toys, eventually

MESSAGES = 1500
TRIES = 8
"""Where a batch ends is chance: on a machine that happens to keep step, one trickle may arrive whole."""


async def test_a_trickle_arrives_whole_with_the_repair(toys: Toys) -> None:
    assert await _trickle(toys, repaired=True) == [str(number).encode() for number in range(MESSAGES)]


async def test_the_libraries_still_lose_half_filled_batches(toys: Toys) -> None:
    """Goes, and ``chassis/faststream_fetch.py`` with it, on the day this fails."""
    for _ in range(TRIES):
        if len(await _trickle(toys, repaired=False)) < MESSAGES:
            return
    pytest.fail("the libraries were repaired: chassis/faststream_fetch.py can go")


async def _trickle(toys: Toys, *, repaired: bool) -> list[bytes]:
    """What a subscriber heard of messages said one by one."""
    heard: list[bytes] = []

    async def hear(message: NatsMessage) -> None:
        heard.extend(one.data for one in cast("list[Msg]", message.raw_message))

    broker = NatsBroker(toys.nats_url("beta"), logger=None)
    await broker.start()
    subscriber = broker.subscriber(
        config=ConsumerConfig(filter_subjects=["evt.alpha.>"], ack_policy=ConsumerAcks.NONE, mem_storage=True),
        stream=JStream(stream("alpha"), declare=False),
        ack_policy=AckPolicy.MANUAL,
        pull_sub=PullSub(batch_size=200, timeout=0.02, batch=True),
        persistent=False,
    )
    subscriber(hear)
    await subscriber.start()
    assert subscriber.subscription is not None
    if repaired:
        keep_half_batches(subscriber.subscription, 200)
    bus = await nats.connect(toys.nats_url("alpha"))
    for number in range(MESSAGES):
        await bus.publish(subject("alpha", "acme", 0, "Counted"), str(number).encode())
        await asyncio.sleep(0.001)
    await bus.flush()
    if repaired:
        await eventually(lambda: len(heard) == MESSAGES)
    else:
        await asyncio.sleep(0.5)  # what comes within it and more would not be lost
    await bus.close()
    await broker.stop()
    return heard
