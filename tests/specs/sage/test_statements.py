"""The queries, as SQL Server gets them, and what a base of another version lacks."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.dialects.mssql.pymssql import MSDialect_pymssql

from cli.sage_base.shapes import columns
from services.sync.connectors.live import SourceTrouble
from services.sync.connectors.sage100.options import SageOptions
from services.sync.connectors.sage100.source import open_base
from services.sync.connectors.sage100.statements import Since, Statements
from services.sync.domain.records import Assignment


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Empty tables of the real shapes; which server holds them says nothing here."""
    engine = create_engine("sqlite://")
    with engine.connect() as opened:
        for table, listed in columns().items():
            names = ", ".join(f'"{name}"' for name, *_ in listed)
            opened.execute(text(f'create table "{table}" ({names})'))
        yield opened
    engine.dispose()


def statements(connection: Connection, **options: object) -> Statements:
    made = Statements(connection, SageOptions.model_validate(options), ["411", "416"])
    made.cutoff = date(2025, 1, 1)
    return made


def as_sql_server_gets(statement: object) -> str:
    compiled = statement.compile(  # type: ignore[attr-defined]
        dialect=MSDialect_pymssql(), compile_kwargs={"literal_binds": True}
    )
    return " ".join(str(compiled).split())


def test_sql_server_gets_plain_queries_of_named_columns(connection: Connection) -> None:
    """Rule 1.1: the base is read and never written to."""
    asked = statements(connection, entry_fields={"tag1": "Chantier"}, client_fields={"tag1": "REP TEL"})
    since = Since(datetime(2026, 3, 1), 7)
    entries = as_sql_server_gets(asked.changed_entries(since))
    assert "[F_ECRITUREC].[EC_Montant] AS [EC_Montant]" in entries
    assert "[F_ECRITUREC].[cbModification] >= '2026-03-01 00:00:00'" in entries
    assert "[F_ECRITUREC].[cbModification] IS NULL OR [F_ECRITUREC].[cbMarq] > 7" in entries
    assert "LEFT OUTER JOIN [F_COMPTET] ON [F_ECRITUREC].[CT_Num] = [F_COMPTET].[CT_Num]" in entries
    assert "[F_ECRITUREC].[Chantier] AS field_tag1" in entries
    assert "[F_COMPTET].[REP TEL] AS field_tag1" in as_sql_server_gets(asked.clients())
    every = [
        asked.all_entries(), asked.entries_numbered([1, 2]), asked.keys(), asked.totals(), asked.newest(),
        asked.count_clients(), asked.count_contacts(), asked.changed_clients(since), asked.contacts(["A"]),
        asked.client_modes(None), asked.first_month(), asked.last_carried_month(), asked.exercises(),
        asked.company_currency(), asked.listed("P_DEVISE", "cbIndice", "D_CodeISO"),
    ]  # fmt: skip
    for statement in every:
        sql = as_sql_server_gets(statement)
        assert sql.startswith("SELECT ")
        assert "*" not in sql.replace("count(*)", "")
        assert "cbCT_Num" not in sql


def test_lines_brought_forward_count_in_the_first_year_only(connection: Connection) -> None:
    ours = as_sql_server_gets(statements(connection).keys())
    assert "[EC_ANType] != 0" in ours
    assert "[JM_Date] < '2025-01-01 00:00:00'" in ours


def test_or_else_what_was_brought_forward_replaces_what_was_open(connection: Connection) -> None:
    ours = as_sql_server_gets(statements(connection, carried_forward="carried").keys())
    assert "[JM_Date] >= '2025-01-01 00:00:00' OR [F_ECRITUREC].[EC_Lettre] = 1" in ours


def test_an_older_version_may_lack_what_can_be_done_without(connection: Connection) -> None:
    connection.execute(text('alter table "F_ECRITUREC" drop column "EC_RefPiece"'))
    connection.execute(text('alter table "F_COMPTET" drop column "CT_LangueISO2"'))
    asked = statements(connection)
    assert "NULL AS [EC_RefPiece]" in as_sql_server_gets(asked.all_entries())
    assert "NULL AS [CT_LangueISO2]" in as_sql_server_gets(asked.clients())


def test_what_cannot_be_done_without_is_named(connection: Connection) -> None:
    connection.execute(text('alter table "F_ECRITUREC" drop column "EC_Lettre"'))
    with pytest.raises(SourceTrouble) as trouble:
        statements(connection).all_entries()
    assert (trouble.value.code, trouble.value.details) == (
        "column_missing",
        {"table": "F_ECRITUREC", "column": "EC_Lettre"},
    )


def test_names_are_found_whatever_their_case(connection: Connection) -> None:
    connection.execute(text('alter table "F_ECRITUREC" rename column "EC_Lettre" to "ec_lettre"'))
    assert "[F_ECRITUREC].ec_lettre AS [EC_Lettre]" in as_sql_server_gets(statements(connection).all_entries())


def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    pytest.importorskip("pymssql")
    with (
        pytest.raises(SourceTrouble) as trouble,
        open_base("mssql+pymssql://reader:s3cret-w0rd@127.0.0.1:1/BIJOU", {}) as base,
    ):
        list(base.records(Assignment(mode="full")))
    assert trouble.value.code == "source_unreachable"
    assert "s3cret" not in str(trouble.value.details)


@pytest.mark.parametrize(
    ("address", "code"),
    [("not an address", "address_unreadable"), ("nosuch://a/b", "address_unreadable")],
)
def test_an_address_that_cannot_be_is_told(address: str, code: str) -> None:
    with pytest.raises(SourceTrouble) as trouble, open_base(address, {}):
        pass
    assert trouble.value.code == code
