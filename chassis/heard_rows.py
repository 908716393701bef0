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


def keeping_last(table: str, column: str) -> str:
    """The statement that keeps what a company said last: ``table`` has a row a company, ``column`` (jsonb) is the
    body as it was said."""
    return f"""
        insert into {table} (company, p, {column})
        select distinct on (heard.company) heard.company, heard.p, heard.body::jsonb
        from {{heard}}
        order by heard.company, heard.number desc
        on conflict (company) do update set {column} = excluded.{column}
    """  # noqa: S608 names of our own


def keeping(table: str, by: Mapping[str, str], **columns: str) -> str:
    """The statement that keeps what was said last of the row of ``table`` that a body names.

    ``by``: its key in the company, with types, spelled alike in the body; without any there is a row a company.
    ``columns``: the name in the body and the type of each other column.
    """
    row = ", ".join(["heard.company", *(f"e.{name}" for name in by)])
    key = ", ".join(["company", *by])
    body = ", ".join([*(f"{name} {type_}" for name, type_ in by.items()), *columns.values()])
    return f"""
        insert into {table} ({key}, p, {", ".join(columns)})
        select distinct on ({row}) {row}, heard.p, {", ".join(f"e.{told.split()[0]}" for told in columns.values())}
        from {{heard}}, json_to_record(heard.body::json) as e({body})
        order by {row}, heard.number desc
        on conflict ({key}) do update set {", ".join(f"{name} = excluded.{name}" for name in columns)}
    """  # noqa: S608


def adding(table: str, **columns: str) -> str:
    """The statement that adds the row of ``table`` that a body names, unless it is there. ``columns``: the type of
    each column that the body spells alike."""
    names = ", ".join(columns)
    return f"""
        insert into {table} (company, p, {names})
        select distinct heard.company, heard.p, {", ".join(f"e.{name}" for name in columns)}
        from {{heard}}, json_to_record(heard.body::json) as e({_typed(columns)})
        on conflict do nothing
    """  # noqa: S608


def removing(table: str, **columns: str) -> str:
    """The statement that removes the rows of ``table`` that a body names, ``columns`` being as for ``adding``."""
    return f"""
        delete from {table} known
        using {{heard}}, json_to_record(heard.body::json) as e({_typed(columns)})
        where known.company = heard.company {" ".join(f"and known.{name} = e.{name}" for name in columns)}
    """  # noqa: S608


def _typed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {type_}" for name, type_ in columns.items())
