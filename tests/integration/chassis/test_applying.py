"""One batch, one transaction: what is refused, what is skipped, what is parked."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.applying import Applying, Fenced, Gap, TooManyParked
from chassis.database import transaction
from chassis.delivered import Delivered
from chassis.envelope import Heard
from chassis.ownership import Ownership
from chassis.parking import NothingParked, list_parked, list_skipped, skip, unpark
from contracts.event import Event
from contracts.subjects import partition_of
from tests.integration.chassis.conftest import DAY, Toys
from tests.integration.chassis.example import wiring
from tests.integration.chassis.example.wiring import BETA, POISON, REGISTRY, Counted, Line, Loaded

P = partition_of("acme", "C1")


def batch(events: Sequence[Event], *, first: int = 1, client_id: str | None = "C1", p: int = P) -> list[Heard]:
    return [
        Heard.of(
            Delivered.of(
                event,
                company="acme",
                client_id=client_id,
                as_of=DAY,
                number=number,
                partition=p,
                event_id=UUID(int=number),
            ),
            at=number * 10,
        )
        for number, event in enumerate(events, first)
    ]


def amounts(*values: int) -> list[Event]:
    return [Counted(amount=value) for value in values]


@pytest.fixture
async def ownership(toys: Toys) -> Ownership:
    owner = Ownership(toys.beta, ttl=5)
    owner.own, excess = await owner.beat()
    assert len(owner.own) == 64
    assert excess == []
    return owner


@pytest.fixture
def applying(toys: Toys) -> Applying:
    return Applying("beta", toys.beta, BETA, most_parked=3)


async def tally(toys: Toys) -> dict[str, tuple[int, int]]:
    rows = await toys.rows(toys.beta, "select client_id, events, amount from tally")
    return {row["client_id"]: (row["events"], row["amount"]) for row in rows}


async def test_a_batch_moves_rows_and_checkpoint_together_and_a_second_time_does_nothing(
    toys: Toys, applying: Applying, ownership: Ownership
) -> None:
    assert await applying.apply("alpha", batch(amounts(1, 2, 3)), ownership.own) == 3
    assert await applying.apply("alpha", batch(amounts(1, 2, 3)), ownership.own) == 0
    assert await tally(toys) == {"C1": (3, 6)}
    (checkpoint,) = await toys.rows(toys.beta, "select pseq, pos, at, anchor from checkpoint where p = :p", p=P)
    assert checkpoint == {"pseq": 3, "pos": 30, "at": 30, "anchor": UUID(int=3)}


@pytest.mark.parametrize(
    "order", [(1, 3), (2, 3), (2, 1), (1, 3, 2)], ids=["a hole", "a late start", "turned round", "shuffled"]
)
async def test_a_shuffled_or_holed_batch_is_refused_whole(
    toys: Toys, applying: Applying, ownership: Ownership, order: tuple[int, ...]
) -> None:
    whole = batch(amounts(1, 2, 3))
    with pytest.raises(Gap):
        await applying.apply("alpha", [whole[number - 1] for number in order], ownership.own)
    assert await tally(toys) == {}
    assert await toys.rows(toys.beta, "select 1 from checkpoint where pseq > 0") == []


async def test_a_zombie_is_fenced(toys: Toys, applying: Applying, ownership: Ownership) -> None:
    """It held the partition, was paused beyond its lease, and wakes with a batch in its hands."""
    async with transaction(toys.beta) as tx:
        await tx.execute(text("update partition_lease set until = now() - interval '1 second'"))
    heir = Ownership(toys.beta, ttl=5)
    heir.own, _ = await heir.beat()
    assert P in heir.own or len(heir.own) == 32
    mine = {p: epoch for p, epoch in ownership.own.items() if p in heir.own}
    assert mine
    with pytest.raises(Fenced):
        await applying.apply("alpha", batch(amounts(1), p=min(mine)), ownership.own)
    assert await applying.apply("alpha", batch(amounts(1), p=min(mine)), heir.own) == 1


async def test_a_lease_is_renewed_while_a_batch_runs_but_not_taken_over(toys: Toys, ownership: Ownership) -> None:
    async with transaction(toys.beta) as batch_in_hand:
        await batch_in_hand.execute(text("select p from partition_lease where p = 5 order by p for key share"))
        renewed, _ = await ownership.beat()
        assert 5 in renewed
        async with transaction(toys.beta) as tx:
            await tx.execute(text("update partition_lease set until = now() - interval '1 second'"))
            await tx.execute(text("delete from worker"))
        heir = Ownership(toys.beta, ttl=5)
        taken, _ = await heir.beat()
        assert len(taken) == 63
        assert 5 not in taken


async def test_a_poisoned_event_parks_its_client_only(
    toys: Toys, applying: Applying, ownership: Ownership, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Exception, match="division by zero"):
        await applying.apply("alpha", batch(amounts(1, POISON, 3)), ownership.own)
    mixed = batch(amounts(1, POISON, 3))
    other = batch(amounts(7), first=4, client_id="C9")
    await applying.apply("alpha", mixed + other, ownership.own, carefully=True)
    # later events of the parked client wait as well, also in the usual way of applying
    await applying.apply("alpha", batch(amounts(5), first=5), ownership.own)
    await applying.apply("alpha", batch(amounts(8), first=6, client_id="C9"), ownership.own)
    assert await tally(toys) == {"C1": (1, 1), "C9": (2, 15)}
    (waiting,) = await list_parked(toys.beta)
    assert (waiting["company"], waiting["key"], waiting["events"]) == ("acme", "C1", 3)
    assert "division by zero" in str(waiting["error"])

    monkeypatch.setattr(wiring, "POISON", -1)
    applied = await unpark(toys.beta, "beta", BETA, REGISTRY, speaker="alpha", company="acme", client_id="C1")
    assert applied == 3
    assert await tally(toys) == {"C1": (4, 1 + POISON + 3 + 5), "C9": (2, 15)}
    assert await list_parked(toys.beta) == []


async def test_an_event_that_nothing_makes_right_is_skipped_with_a_reason_and_the_others_follow(
    toys: Toys, applying: Applying, ownership: Ownership
) -> None:
    await applying.apply("alpha", batch(amounts(1, POISON, 3)), ownership.own, carefully=True)
    whose: dict[str, Any] = {"speaker": "alpha", "company": "acme", "client_id": "C1"}
    with pytest.raises(ValueError, match="says why"):
        await skip(toys.beta, REGISTRY, **whose, by="ada", reason=" ")
    done = await skip(toys.beta, REGISTRY, **whose, by="ada", reason="the amount is not one")
    assert done["type"] == "Counted"
    assert "division by zero" in str(done["error"])
    # what came after it still waits: order is kept until somebody says that all is well
    await applying.apply("alpha", batch(amounts(5), first=4), ownership.own)
    assert await tally(toys) == {"C1": (1, 1)}
    assert await unpark(toys.beta, "beta", BETA, REGISTRY, **whose) == 2
    await applying.apply("alpha", batch(amounts(7), first=5), ownership.own)
    assert await tally(toys) == {"C1": (4, 1 + 3 + 5 + 7)}
    assert await list_parked(toys.beta) == []
    (kept,) = await list_skipped(toys.beta)
    assert (kept["pseq"], kept["skipped_by"], kept["skipped_reason"]) == (2, "ada", "the amount is not one")
    with pytest.raises(NothingParked):
        await skip(toys.beta, REGISTRY, **whose, by="ada", reason="once more")


async def test_a_bulk_event_is_parked_client_by_client(
    toys: Toys, applying: Applying, ownership: Ownership
) -> None:
    def load(*lines: tuple[str, int]) -> Loaded:
        return Loaded(lines=tuple(Line(client_id=client_id, amount=amount) for client_id, amount in lines))

    first = batch([load(("a", 1), ("bad", POISON), ("b", 2))], client_id=None)
    second = batch([load(("bad", 5), ("a", 10))], first=2, client_id=None)
    await applying.apply("alpha", first, ownership.own, carefully=True)
    await applying.apply("alpha", second, ownership.own)
    assert await tally(toys) == {"a": (2, 11), "b": (1, 2)}
    (waiting,) = await list_parked(toys.beta)
    assert (waiting["key"], waiting["events"]) == ("bad", 2)


async def test_when_too_many_keys_fail_the_partition_stands_still(
    toys: Toys, applying: Applying, ownership: Ownership
) -> None:
    lines = tuple(Line(client_id=f"C{number}", amount=POISON) for number in range(4))
    with pytest.raises(TooManyParked):
        await applying.apply("alpha", batch([Loaded(lines=lines)], client_id=None), ownership.own, carefully=True)
    assert await list_parked(toys.beta) == []
