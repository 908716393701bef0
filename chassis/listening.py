"""What a service listens to, and what it does on hearing it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, LiteralString

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.delivered import Delivered, in_runs

if TYPE_CHECKING:
    from chassis.eventlog import Say

Project = Callable[[AsyncConnection, list[Delivered]], Awaitable[None]]
"""Events of one type to rows. Foreign and own events, live and in a rebuild: nothing but its arguments and
the tables may matter."""

React = Callable[["Say", list[Delivered]], Awaitable[None]]
"""Decide on foreign events of one type and say, or enqueue jobs. Live only, never in a rebuild."""


@dataclass(frozen=True)
class Listening:
    """What a service listens to; built in ``services/X/main.py``."""

    streams: tuple[str, ...] = ()
    """Foreign speakers, e.g. ``("sync", "ledger")``."""

    project: Mapping[str, Project] = field(default_factory=dict)
    """Event class name to function, foreign and own."""

    react: Mapping[str, React] = field(default_factory=dict)
    """Event class name to function, foreign only."""

    tables: tuple[Table, ...] = ()
    """The derived tables that a rebuild must reproduce, row by row and column by column."""

    version: int = 1
    """Raised when the same events give other rows than before: the tables must then be built anew
    (``relance rebuild``), and code of different versions never writes into the same ones."""

    on_replaced: tuple[LiteralString, ...] = ()
    """Statements for the transaction that puts other derived tables in the place of the live ones: caches of the
    old rows are emptied, and what was decided by them is to be looked at again."""

    bulk: Mapping[str, str] = field(default_factory=dict)
    """Bulk event class name to the field that lists its items, each with a ``client_id``: when a client's items
    cannot be applied, only they are parked."""


async def project_all(tx: AsyncConnection, project: Mapping[str, Project], delivered: Sequence[Delivered]) -> None:
    """Run the projection on events, one call per run of a type; types without a function are passed over."""
    for run in in_runs(event for event in delivered if event.type in project):
        await project[run[0].type](tx, run)


async def react_all(say: Say, react: Mapping[str, React], delivered: Sequence[Delivered]) -> None:
    """Run the reactions on events, one call per run of a type."""
    for run in in_runs(event for event in delivered if event.type in react):
        await react[run[0].type](say, run)


HEARD = text(
    "select coalesce(bool_and(coalesce(heard.pseq, 0) >= wanted.pseq), true)"
    " from unnest(cast(:speakers as text[]), cast(:partitions as smallint[]), cast(:numbers as bigint[]))"
    "   as wanted(speaker, p, pseq)"
    " left join (select speaker, p, pseq from checkpoint"
    "   union all select current_schema(), p, seq from partition_head) heard using (speaker, p)"
)


async def wait_for(
    engine: AsyncEngine,
    wanted: Mapping[str, Mapping[int, int]],
    timeout: float,  # noqa: ASYNC109 the answer is False, not an exception
    *,
    poll: float = 0.02,
) -> bool:
    """Wait until this service has applied ``{speaker: {partition: number}}``; False when the time is over first.

    What the service says itself is known at once.
    """
    flat = [(speaker, p, n) for speaker, numbers in wanted.items() for p, n in numbers.items()]
    parameters = {
        "speakers": [speaker for speaker, _, _ in flat],
        "partitions": [p for _, p, _ in flat],
        "numbers": [n for _, _, n in flat],
    }
    until = monotonic() + timeout
    while True:
        async with engine.connect() as connection:
            if await connection.scalar(HEARD, parameters):
                return True
        if monotonic() >= until:
            return False
        await asyncio.sleep(poll)
