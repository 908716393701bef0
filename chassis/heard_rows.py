"""Events as rows of a statement: a projection that needs nothing but SQL.

``{heard}`` in a statement stands for the events it applies, one row each. It reads them as ``heard.<name>``, the
names being those of ``COLUMNS``. Bodies go to PostgreSQL unread.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.delivered import Delivered
from chassis.listening import Project

COLUMNS: Mapping[str, tuple[str, Callable[[Delivered], object]]] = {
    "company": ("text", lambda event: event.company),
    "p": ("smallint", lambda event: event.partition),
    "number": ("bigint", lambda event: event.number),
    "client": ("text", lambda event: event.client_id),
    "as_of": ("date", lambda event: event.as_of),
    "at": ("timestamptz", lambda event: event.occurred_at),
    "actor": ("text", lambda event: event.actor),
    "body": ("text", lambda event: event.body.decode()),
}
"""What a statement may read of an event. ``number`` orders the events of one client, which lies in one partition;
``client`` is null for a bulk event; ``at`` is when it was said, ``as_of`` the business date."""


@dataclass(frozen=True)
class OverHeard:
    """A statement over events. Only the columns it reads are handed over: arrays are not free."""

    statement: str
    sql: str = field(init=False)
    """As PostgreSQL takes it."""
    _read: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        read = tuple(name for name in COLUMNS if re.search(rf"\bheard\.{name}\b", self.statement))
        # by name, in binary: escaping bodies as text costs more than applying them
        arrays = ", ".join(f"%({name})b::{COLUMNS[name][0]}[]" for name in read)
        object.__setattr__(self, "_read", read)
        object.__setattr__(
            self, "sql", self.statement.format(heard=f"unnest({arrays}) as heard({', '.join(read)})")
        )

    def values(self, heard: Sequence[Delivered]) -> dict[str, list[Any]]:
        """The parameters that hand these events over."""
        return {name: [COLUMNS[name][1](event) for event in heard] for name in self._read}


def applying(*statements: str, **parameters: object) -> Project:
    """The projection that is these statements, one after the other, with these parameters besides the events."""
    spelled_out = [OverHeard(statement) for statement in statements]

    async def project(tx: AsyncConnection, heard: list[Delivered]) -> None:
        connection = await driver(tx)
        async with connection.cursor() as cursor:
            for one in spelled_out:
                # a plan kept from when the tables were small would read them whole for ever
                await cursor.execute(one.sql.encode(), {**one.values(heard), **parameters}, prepare=False)

    return project
