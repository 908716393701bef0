"""A stream given out up to exact numbers: all that is asked for, in order, once, and nothing beyond."""

import asyncio
from collections import defaultdict
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from chassis.beside.exactly import Tail
from chassis.envelope import Heard
from chassis.listening import Listening

PLACES = 4


class Remembered(Tail):
    """A tail of a stream that is a list, fetched in pieces."""

    def __init__(self, messages: list[Heard], pieces: int) -> None:
        super().__init__(None, "alpha", {}, Listening(), 1)  # type: ignore[arg-type]
        self.messages = messages
        self.pieces = pieces

    async def _opened(self, after: int) -> Any:
        self.messages = self.messages[after:]
        return self

    async def _fetched(self, subscription: Any) -> list[Heard]:
        fetched, self.messages = self.messages[: self.pieces], self.messages[self.pieces :]
        return fetched


def said(partitions: list[int]) -> list[Heard]:
    """A stream in which these partitions speak in turn, each counting for itself."""
    numbers: dict[int, int] = defaultdict(int)
    messages = []
    for at, p in enumerate(partitions, start=1):
        numbers[p] += 1
        messages.append(Heard(p, numbers[p], str(uuid4()), at, None))
    return messages


@given(
    st.lists(st.integers(0, PLACES - 1), min_size=1, max_size=60),
    st.lists(st.lists(st.integers(0, 100), min_size=PLACES, max_size=PLACES), min_size=1, max_size=4),
    st.integers(1, 9),
)
def test_whatever_is_asked_for_in_steps_is_given_out_once_in_order_and_not_beyond(
    partitions: list[int], shares: list[list[int]], pieces: int
) -> None:
    messages = said(partitions)
    last = {p: sum(one.partition == p for one in messages) for p in range(PLACES)}
    tail = Remembered(messages, pieces)
    known: dict[int, int] = {}
    given_out: list[Heard] = []

    async def ask(wanted: dict[int, int]) -> None:
        async for part, pos in tail.up_to(wanted, known, 0):
            given_out.extend(part)
            unknown = [one.at for one in messages if one.number > known.get(one.partition, 0)]
            assert pos < min(unknown, default=len(messages) + 1), "who goes on from there misses nothing"

    for share in shares:
        wanted = {p: last[p] * share[p] // 100 for p in range(PLACES)}
        before = dict(known)
        asyncio.run(ask(wanted))
        assert {p: known.get(p, 0) for p in range(PLACES)} == {
            p: max(before.get(p, 0), wanted[p]) for p in range(PLACES)
        }
    for p in range(PLACES):
        assert [one.number for one in given_out if one.partition == p] == list(range(1, known.get(p, 0) + 1))
