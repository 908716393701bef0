"""Lists are spelled for PostgreSQL as psycopg would, only sooner."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.array import ListDumper

from chassis.lists import TextsDumper


def spelled(kind: type[ListDumper], values: list[UUID | None]) -> tuple[list[UUID | None], int]:
    dumper = kind(list, Transformer()).upgrade(values, PyFormat.TEXT)
    array = dumper.dump(values)
    assert array is not None
    words = [word for word in bytes(array).decode().strip("{}").split(",") if word]
    return [None if word == "NULL" else UUID(word) for word in words], dumper.oid


@given(st.lists(st.none() | st.uuids(), max_size=5))
def test_uuids_are_the_same_to_who_reads_them(values: list[UUID | None]) -> None:
    assert spelled(TextsDumper, values) == spelled(ListDumper, values)
    assert spelled(TextsDumper, values)[0] == values
