"""A company's past is read from the stream: its own events alone, in order, once each, and only what is new."""

import nats
import pytest

from chassis.past import PastUnreadable, said_about
from contracts.subjects import partition_of
from tests.integration.chassis.conftest import Toys, eventually
from tests.integration.chassis.example.wiring import REGISTRY, Counted


async def _read(toys: Toys, company: str, **options: object) -> list[tuple[str | None, int, int]]:
    bus = await nats.connect(toys.nats_url("beta"))
    try:
        found = []
        async for part in said_about(bus, "alpha", company, REGISTRY, **options):  # type: ignore[arg-type]
            for one in part:
                assert one.event is not None
                fact = one.event.parse()
                assert isinstance(fact, Counted)
                found.append((one.event.client_id, fact.amount, one.at))
        return found
    finally:
        await bus.close()


async def test_one_company_and_partition_and_then_only_what_came_since(toys: Toys) -> None:
    async with toys.relay(), toys.worker():
        await toys.say("acme", ("C1", 1), ("C2", 2), ("C1", 3))
        await toys.say("other", ("C1", 4))
        assert await toys.all_heard()
        everything = await _read(toys, "acme")
        assert sorted((client, amount) for client, amount, _ in everything) == [("C1", 1), ("C1", 3), ("C2", 2)]
        mine = await _read(toys, "acme", partitions=[partition_of("acme", "C1")])
        assert [amount for client, amount, _ in mine if client == "C1"] == [1, 3]
        last = max(at for _, _, at in everything)
        assert await _read(toys, "acme", after=last) == []
        await toys.say("acme", ("C1", 5))
        assert await toys.all_heard()
        assert [amount for _, amount, _ in await _read(toys, "acme", after=last)] == [5]


async def test_no_consumer_is_left_behind(toys: Toys) -> None:
    async with toys.relay():
        await toys.say("acme", *((f"C{n}", n) for n in range(600)))

        async def all_there() -> bool:
            return len(await _read(toys, "acme")) == 600

        await eventually(all_there)
    bus = await nats.connect(toys.nats_admin)
    left = [one.name for one in await bus.jetstream().consumers_info("EVT_ALPHA_G1")]
    await bus.close()
    assert left == []


async def test_a_stream_that_is_not_there_is_named(toys: Toys) -> None:
    with pytest.raises(PastUnreadable, match="EVT_ALPHA_G7"):
        await _read(toys, "acme", generation=7)
