"""Lists of texts and of UUIDs as PostgreSQL's arrays, spelled at once.

psycopg asks of every element how it is spelled and whether it wants quotes. Identifiers by the thousand cost more
that way than the statement that they are handed to.
"""

from typing import Any
from uuid import UUID

import psycopg
from psycopg.abc import Buffer
from psycopg.types.array import ListDumper


class TextsDumper(ListDumper):
    """As psycopg's own for whatever is not a list of UUIDs, or of texts without quotes and backslashes."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The array in PostgreSQL's words."""
        kinds = {*map(type, obj)}
        if kinds == {UUID}:
            return f"{{{','.join([one.bytes.hex() for one in obj])}}}".encode()
        if kinds == {str}:
            text = '","'.join(obj)
            if text.count('"') == 2 * (len(obj) - 1) and "\\" not in text and "\x00" not in text:
                return f'{{"{text}"}}'.encode()
        return super().dump(obj)


def install() -> None:
    """For every connection that is opened from now on."""
    psycopg.adapters.register_dumper(list, TextsDumper)
