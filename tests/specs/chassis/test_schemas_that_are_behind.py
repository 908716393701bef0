"""A process that starts before its migration has run waits for it."""

import pytest
from psycopg.errors import InsufficientPrivilege, UndefinedColumn, UndefinedTable
from sqlalchemy.exc import ProgrammingError

from chassis.measures import schema_is_behind


@pytest.mark.parametrize(
    ("said", "waits"), [(UndefinedTable, True), (UndefinedColumn, True), (InsufficientPrivilege, False)]
)
def test_what_the_migration_will_make_is_waited_for(said: type[Exception], waits: bool) -> None:
    assert schema_is_behind(ProgrammingError("select", {}, said())) is waits
