"""Messages that must wait for their recipients' domain let the others pass."""

import asyncio
from uuid import UUID

from services.notify.pacing import AT_HAND_SECONDS, Turns


async def _seconds(turns: Turns, *messages: tuple[int, str]) -> list[float]:
    return [round(turns.seconds(UUID(int=number), [address]), 1) for number, address in messages]


def test_each_domain_gets_its_messages_one_interval_after_the_other() -> None:
    turns = Turns(0.5)
    messages = ((1, "a@slow.example"), (2, "b@SLOW.example"), (3, "c@slow.example"), (4, "d@quick.example"))
    assert asyncio.run(_seconds(turns, *messages)) == [0.0, 2.0, 4.0, 0.0]


def test_a_message_that_comes_back_keeps_its_turn_whoever_came_meanwhile() -> None:
    turns = Turns(0.5)
    first = ((1, "a@slow.example"), (2, "b@slow.example"), (3, "c@slow.example"))
    again = ((2, "b@slow.example"), (3, "c@slow.example"), (4, "d@slow.example"))
    assert asyncio.run(_seconds(turns, *first, *again)) == [0.0, 2.0, 4.0, 2.0, 4.0, 6.0]


def test_a_message_to_two_domains_waits_for_both() -> None:
    async def both() -> list[float]:
        turns = Turns(0.5)
        one = turns.seconds(UUID(int=1), ["a@slow.example"])
        two = turns.seconds(UUID(int=2), ["a@slow.example", "b@quick.example"])
        three = turns.seconds(UUID(int=3), ["b@quick.example"])
        return [round(wait, 1) for wait in (one, two, three)]

    assert asyncio.run(both()) == [0.0, 2.0, 4.0]


def test_without_a_limit_nobody_waits() -> None:
    assert asyncio.run(_seconds(Turns(0), (1, "a@x.example"), (2, "a@x.example"))) == [0.0, 0.0]


def test_a_turn_within_hand_is_taken_at_once() -> None:
    turns = Turns(2 / AT_HAND_SECONDS)
    messages = ((1, "a@x.example"), (2, "a@x.example"))
    assert asyncio.run(_seconds(turns, *messages)) == [0.0, AT_HAND_SECONDS / 2]
