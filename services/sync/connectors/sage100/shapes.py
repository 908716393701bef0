"""The columns of a base as they are: versions differ, and companies add their own (never assume one is there)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnClause, Connection, TableClause, column, inspect, null, table
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.sql import ColumnElement

from services.sync.connectors.live import SourceTrouble


class Shape:
    """One table of the base; names are found whatever their case."""

    def __init__(self, connection: Connection, name: str, schema: str | None) -> None:
        self.name = name
        try:
            found = inspect(connection).get_columns(name, schema=schema)
        except NoSuchTableError as missing:
            raise SourceTrouble("table_missing", table=name) from missing
        self._names: Mapping[str, str] = {one["name"].lower(): one["name"] for one in found}
        self.table: TableClause = table(name, *(column(one["name"]) for one in found), schema=schema)

    def __call__(self, name: str) -> ColumnClause[Any]:
        """A column that the connector cannot do without. Raises ``SourceTrouble``."""
        if name.lower() not in self._names:
            raise SourceTrouble("column_missing", table=self.name, column=name)
        found: ColumnClause[Any] = self.table.c[self._names[name.lower()]]
        return found

    def maybe(self, name: str) -> ColumnElement[Any]:
        """A column, or null where this version of Sage lacks it."""
        return self(name) if name.lower() in self._names else null()

    def labelled(self, *needed: str, optional: tuple[str, ...] = ()) -> list[ColumnElement[Any]]:
        """Columns under the names that the documentation gives them."""
        return [self(name).label(name) for name in needed] + [self.maybe(name).label(name) for name in optional]
