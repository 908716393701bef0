"""A rebuild equals the live tables exactly, while these go on changing, and names what differs."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from chassis.database import transaction
from chassis.parking import skip, unpark
from chassis.rebuild import Rebuild, Report
from tests.integration.chassis.conftest import Toys, eventually
from tests.integration.chassis.example.wiring import BETA, POISON, REGISTRY


def rebuild(toys: Toys) -> Rebuild:
    return Rebuild(
        "beta",
        "tests.integration.chassis.example.beta",
        BETA,
        REGISTRY,
        toys.url("beta", "owner"),
        toys.nats_url("beta"),
    )


async def while_traffic_runs(toys: Toys, *, replace: bool = False) -> Report:
    stop = asyncio.Event()

    async def talk() -> int:
        turn = 0
        while not stop.is_set():
            await toys.say("acme", *((f"C{(turn * 5 + n) % 30}", turn) for n in range(5)))
            turn += 1
            await asyncio.sleep(0.05)
        return turn

    async def under_way() -> bool:
        return len(await toys.rows(toys.beta, "select 1 from tally")) >= 30

    talking = asyncio.create_task(talk())
    await eventually(under_way)
    report = await rebuild(toys).run(replace=replace)
    stop.set()
    assert await talking > 6
    return report


async def shadows(toys: Toys) -> int:
    rows = await toys.rows(toys.beta, "select count(*) as n from pg_namespace where nspname = 'beta_rebuild'")
    return int(rows[0]["n"])


async def test_rebuilt_while_traffic_runs_every_row_is_equal(toys: Toys) -> None:
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        report = await while_traffic_runs(toys)
        assert report.equal, report.differing[:3]
        assert report.rows == sum(report.tables.values()) > 30
        assert report.tables.keys() == {"tally", "milestone"}
        assert report.checkpoints["beta"], "the own stream was read as well"
        assert await shadows(toys) == 0


async def test_a_corrupted_a_missing_and_an_added_row_are_named(toys: Toys) -> None:
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        await toys.say("acme", *((f"C{n}", 10) for n in range(20)))
        assert await toys.all_heard()
        async with transaction(toys.beta) as tx:
            await tx.execute(text("update tally set amount = 11 where client_id = 'C7'"))
            await tx.execute(text("delete from milestone where client_id = 'C8'"))
            await tx.execute(text("insert into tally values ('acme', 'Ghost', 1, 1, 1, '')"))
        report = await rebuild(toys).run()
        assert not report.equal
        assert report.differing_rows == 3
        differing = {(d["table"], d["key"]["client_id"], d["column"]): d for d in report.differing}
        assert differing["tally", "C7", "amount"]["live"] == "11"
        assert differing["tally", "C7", "amount"]["rebuilt"] == "10"
        assert differing["milestone", "C8", None]["missing"] == "live"
        assert differing["tally", "Ghost", None]["missing"] == "rebuilt"

        mended = await while_traffic_runs(toys, replace=True)
        assert mended.replaced
        assert (await rebuild(toys).run()).equal
        assert await toys.all_heard()
        assert await toys.chains() == await toys.chains_expected()


async def test_what_is_parked_is_missing_on_both_sides(toys: Toys) -> None:
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        await toys.say("acme", ("bad", 10), ("good", 10))
        await toys.say("acme", ("bad", POISON), ("good", 20))
        await toys.say("acme", ("bad", 30))
        assert await toys.all_heard()
        report = await rebuild(toys).run()
        assert report.equal, report.differing
        assert report.parked_events == 2


async def test_what_was_skipped_is_left_out_and_what_came_after_it_is_not(toys: Toys) -> None:
    async with toys.relay(), toys.relay(speaker="beta"), toys.worker():
        await toys.say("acme", ("bad", 10))
        await toys.say("acme", ("bad", POISON))
        await toys.say("acme", ("bad", 30))
        assert await toys.all_heard()
        whose: dict[str, Any] = {"speaker": "alpha", "company": "acme", "client_id": "bad"}
        await skip(toys.beta, REGISTRY, **whose, by="ada", reason="no amount")
        assert await unpark(toys.beta, "beta", BETA, REGISTRY, **whose) == 1
        report = await rebuild(toys).run()
    assert report.equal, report.differing
    assert report.parked_events == 1


@pytest.mark.parametrize("clients", [0, 1])
async def test_a_service_that_heard_little_or_nothing_rebuilds_too(toys: Toys, clients: int) -> None:
    async with toys.relay(), toys.worker():
        await toys.say("acme", *((f"C{n}", 1) for n in range(clients)))
        assert await toys.all_heard()
        report = await rebuild(toys).run()
    assert report.equal
    assert report.rows == clients


async def test_what_the_relay_has_not_published_is_read_from_the_log(toys: Toys) -> None:
    """Beta's relay is down: its milestones are in its log only."""
    async with toys.relay(), toys.worker():
        await toys.say("acme", ("C1", 10), ("C2", 20))
        assert await toys.all_heard()
        report = await rebuild(toys).run()
    assert report.equal, report.differing
    assert report.tables["milestone"] == 2
