"""The log: numbers without gaps, in commit order (plumbing 0.2)."""

import asyncio
import random

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import engine, transaction
from chassis.delivered import Cause, Position, Said
from chassis.eventlog import EventTooLarge, NotOurs, Say
from contracts.subjects import partition_of
from tests.integration.chassis.conftest import DAY, Toys
from tests.integration.chassis.example.wiring import Counted, Line, Loaded, Milestone


class Undone(Exception):
    """The business changed its mind: roll back."""


async def test_concurrent_writers_with_rollbacks_leave_no_hole(toys: Toys) -> None:
    dice = random.Random(7)
    kept = 0

    async def write(turn: int) -> None:
        nonlocal kept
        said = [Said(Counted(amount=turn), f"C{dice.randrange(40)}") for _ in range(dice.choice([1, 1, 2, 30]))]
        try:
            async with transaction(toys.alpha) as tx:
                await Say("alpha", tx)("acme", said, as_of=DAY, cause=Cause.new("test"))
                await asyncio.sleep(dice.random() * 0.01)
                if dice.random() < 0.2:
                    raise Undone
        except Undone:
            return
        kept += len(said)

    async def writer(number: int) -> None:
        for turn in range(15):
            await write(number * 100 + turn)

    await asyncio.gather(*(writer(number) for number in range(12)))
    rows = await toys.rows(
        toys.alpha,
        "select p, count(*) as n, max(pseq) as last, (select seq from partition_head h where h.p = e.p) as head"
        " from event_log e group by p",
    )
    assert sum(row["n"] for row in rows) == kept
    assert all(row["n"] == row["last"] == row["head"] for row in rows)


async def test_a_reader_never_skips_a_slow_committer(toys: Toys) -> None:
    async with transaction(toys.alpha) as slow:
        first = await Say("alpha", slow)(
            "acme", [Said(Counted(amount=1), "C1")], as_of=DAY, cause=Cause.new("test")
        )
        fast = asyncio.create_task(toys.say("acme", ("C1", 2)))
        await asyncio.sleep(0.2)
        assert not fast.done(), "the second writer of a partition waits for the first one's commit"
        assert await toys.rows(toys.alpha, "select 1 from event_log") == []
    second = await fast
    assert [position.number for position in first + second] == [1, 2]


async def test_positions_come_in_the_order_said_and_bulk_events_choose_their_partition(toys: Toys) -> None:
    async with transaction(toys.alpha) as tx:
        positions = await Say("alpha", tx)(
            "acme",
            [
                Said(Counted(amount=1), "C2"),
                Said(Loaded(lines=(Line(client_id="x", amount=1),)), partition=63),
                Said(Counted(amount=2), "C2"),
                Said(Counted(amount=3)),
            ],
            as_of=DAY,
            cause=Cause.new("test"),
        )
    assert [position.partition for position in positions] == [
        partition_of("acme", "C2"),
        63,
        partition_of("acme", "C2"),
        partition_of("acme", None),
    ]
    assert positions[2].number == positions[0].number + 1


async def test_a_service_cannot_say_another_s_event_nor_one_that_no_message_carries(toys: Toys) -> None:
    async with transaction(toys.alpha) as tx:
        say = Say("alpha", tx)
        with pytest.raises(NotOurs):
            await say("acme", [Said(Milestone(amount=1), "C1")], as_of=DAY, cause=Cause.new("test"))
        huge = Loaded(lines=tuple(Line(client_id="c" * 60, amount=n) for n in range(12_000)))
        with pytest.raises(EventTooLarge):
            await say("acme", [Said(huge, partition=0)], as_of=DAY, cause=Cause.new("test"))


MADE = """
    select told.p, row_number() over (partition by told.p order by told.amount) as n,
        '{"lines":[{"client_id":"' || repeat('x', %(size)s) || '","amount":' || told.amount || '}]}' as body
    from unnest(%(ps)b::smallint[], %(amounts)b::integer[]) as told(p, amount)
"""


async def made(tx: AsyncConnection, ps: list[int], amounts: list[int], size: int = 1) -> list[Position]:
    values = {"ps": ps, "amounts": amounts, "size": size}
    say = Say("alpha", tx)
    told = Loaded(lines=())
    return await say.made("acme", told, MADE, values, partitions=ps, as_of=DAY, cause=Cause.new("test"))


async def test_events_that_postgresql_makes_are_numbered_behind_those_said_before(toys: Toys) -> None:
    async with transaction(toys.alpha) as tx:
        one = Loaded(lines=(Line(client_id="x", amount=1),))
        await Say("alpha", tx)("acme", [Said(one, partition=63)], as_of=DAY, cause=Cause.new("test"))
        assert await made(tx, [63, 7, 63, 7, 7], [3, 9, 2, 8, 7]) == [
            Position("alpha", 7, 3),
            Position("alpha", 63, 3),
        ]
    assert await made_and_said(toys) == {7: [7, 8, 9], 63: [1, 2, 3]}


async def made_and_said(toys: Toys) -> dict[int, list[int]]:
    """The amounts in the log by partition, in the order of their numbers, which have no hole."""
    rows = await toys.rows(
        toys.alpha,
        "select p, array_agg((body -> 'lines' -> 0 ->> 'amount')::integer order by pseq) as amounts,"
        " count(*) = max(pseq) as whole, count(distinct event_id) = count(*) as named,"
        " (select seq from partition_head h where h.p = e.p) = max(pseq) as headed from event_log e group by p",
    )
    assert all(row["whole"] and row["named"] and row["headed"] for row in rows)
    return {row["p"]: row["amounts"] for row in rows}


async def test_events_that_postgresql_makes_are_refused_when_no_message_carries_them(toys: Toys) -> None:
    with pytest.raises(EventTooLarge):
        async with transaction(toys.alpha) as tx:
            await made(tx, [1, 2], [1, 2], size=1_000_000)
    assert await made_and_said(toys) == {}


async def test_two_writers_of_made_and_of_said_events_wait_for_one_another(toys: Toys) -> None:
    async def one(number: int) -> None:
        async with transaction(toys.alpha) as tx:
            await made(tx, [2, 1] if number % 2 else [1, 2], [number, number])
            said = [Said(Loaded(lines=(Line(client_id="x", amount=number),)), partition=p) for p in (1, 2)]
            await Say("alpha", tx)("acme", said, as_of=DAY, cause=Cause.new("test"))

    await asyncio.gather(*map(one, range(20)))
    assert {p: len(amounts) for p, amounts in (await made_and_said(toys)).items()} == {1: 40, 2: 40}


async def test_the_log_only_grows(toys: Toys) -> None:
    await toys.say("acme", ("C1", 1))
    for statement in ("delete from event_log", "update event_log set type = ''", "truncate event_log"):
        with pytest.raises(ProgrammingError) as refusal:
            async with transaction(toys.alpha) as tx:
                await tx.execute(text(statement))
        assert isinstance(refusal.value.orig, InsufficientPrivilege)


async def test_the_api_role_sees_and_says_one_company_only(toys: Toys) -> None:
    await toys.say("acme", ("C1", 1))
    await toys.say("globex", ("C1", 1))
    api = engine(toys.url("alpha", "api"), "alpha")
    async with transaction(api, "acme") as tx:
        assert (await tx.scalars(text("select distinct company from event_log"))).all() == ["acme"]
    async with transaction(api) as tx:
        assert await tx.scalar(text("select count(*) from event_log")) == 0
    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        async with transaction(api, "acme") as tx:
            await Say("alpha", tx)("globex", [Said(Counted(amount=1), "C1")], as_of=DAY, cause=Cause.new("test"))
    await api.dispose()


async def test_row_level_security_costs_the_worker_nothing_and_gives_the_api_its_index(toys: Toys) -> None:
    async def plan(role: str, company: str | None) -> str:
        role_engine = engine(toys.url("beta", role), "beta")
        async with transaction(role_engine, company) as tx:
            await tx.execute(text("set local enable_seqscan = off"))
            lines = await tx.scalars(text("explain select * from tally where client_id = 'C1'"))
            found = "\n".join(lines.all())
        await role_engine.dispose()
        return found

    assert "current_setting" not in await plan("worker", None)
    with_company = await plan("api", "acme")
    assert "Index Cond: ((company = current_setting(" in with_company
