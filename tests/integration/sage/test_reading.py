"""A Sage base read whole and again: what is said is the base, and a second look says nothing."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from cli.places import ROOT
from services.sync.connectors.fec import Fec
from services.sync.imports import Importer
from tests.integration.sage.conftest import Base, Reader, with_assumed_due_dates
from tests.integration.sync.conftest import Sync
from tests.integration.sync.test_erased_people import erased
from tests.specs.sync.books import Writing, book, invoice


async def test_a_full_export_says_the_base_as_it_is(reader: Reader, company: str) -> None:
    """Rule 2.1."""
    await reader.connect(company)
    run = await reader.synced(company, "full")
    assert run["status"] == "completed", run["errors"]
    expected = reader.base.entries()
    assert (run["changed"], run["receivable_lines"], run["mode"]) == (len(expected), len(expected), "full")
    assert await reader.entries(company) == with_assumed_due_dates(expected)
    assert await reader.clients(company) == reader.base.clients()
    assert await reader.contacts(company) == reader.base.contacts()


async def test_a_second_sync_says_nothing(reader: Reader, company: str) -> None:
    await reader.connect(company)
    await reader.synced(company, "full")
    before, calls = len(await reader.sync.entries_said(company)), len(reader.sync.ledger.calls)
    for mode in ("incremental", "check", "full"):
        run = await reader.synced(company, mode)
        assert (run["status"], run["mode"], run["changed"], run["archived"]) == ("completed", mode, 0, 0)
    assert (len(await reader.sync.entries_said(company)), len(reader.sync.ledger.calls)) == (before, calls)


async def test_an_erased_person_is_handed_over_at_each_look(reader: Reader, company: str) -> None:
    await reader.connect(company)
    await reader.synced(company, "full")
    client_id, *_ = sorted(reader.base.clients())
    await erased(reader.sync, company, client_id)
    for mode in ("check", "full"):
        reader.sync.ledger.calls.clear()
        run = await reader.synced(company, mode)
        assert (run["status"], run["changed"]) == ("completed", 0), run["errors"]
        assert set(reader.sync.ledger.people()) == {client_id}
        (contacts,) = (call for call in reader.sync.ledger.calls if call["path"] == "/contacts")
        assert contacts["client_ids"] == [client_id]


async def test_after_changes_of_every_kind_one_incremental_sync_says_the_base(
    reader: Reader, company: str
) -> None:
    await reader.connect(company)
    await reader.synced(company, "full")
    made = reader.base.change(130)
    assert set(made.values()) == {10}
    run = await reader.synced(company)
    assert run["status"] == "completed", run["errors"]
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())
    assert await reader.clients(company) == reader.base.clients()
    assert await reader.contacts(company) == reader.base.contacts()
    again = await reader.synced(company)
    assert (again["changed"], again["archived"], again["mode"]) == (0, 0, "incremental")


@pytest.fixture
def reading_login(base: Base, company: str) -> Iterator[str]:
    """The address of the base for a login with the rights that the guide grants, and no others."""
    guide = (ROOT / "docs" / "guide" / "sage100.md").read_text(encoding="utf-8")
    granted = re.findall(r"GRANT SELECT ON dbo\.(\w+) TO relance_reader;", guide)
    login = sql.Identifier(f"reader_{company}")
    with base.open() as connection:
        connection.execute(sql.SQL("create role {} login password 'reads-only'").format(login))
        connection.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(base.schema), login))
        for table in granted:
            connection.execute(sql.SQL("grant select on {} to {}").format(sql.Identifier(table), login))
    url = make_url(base.url).set(username=f"reader_{company}", password="reads-only")
    yield url.render_as_string(hide_password=False)
    with base.open() as connection:
        connection.execute(sql.SQL("drop owned by {0}; drop role {0}").format(login))


async def test_the_rights_of_the_guide_are_enough(reader: Reader, company: str, reading_login: str) -> None:
    await reader.connect(company)
    reader.base.url = reading_login
    for mode in ("full", "incremental", "check"):
        assert (await reader.synced(company, mode))["status"] == "completed"
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())
    with psycopg.connect(reading_login.replace("postgresql+psycopg://", "postgresql://")) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f'delete from {reader.base.schema}."F_ECRITUREC"')
        connection.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f'select from {reader.base.schema}."F_COMPTEG"')


async def test_what_was_brought_forward_can_count_instead_of_the_originals(reader: Reader, company: str) -> None:
    """Either way an invoice counts once: the open amounts of lines that were carried every year are the same."""
    reader.base.run("""delete from "F_ECRITUREC" where "EC_Lettre" = 0 and "CT_Num" is not null
        and "EC_ANType" = 0 and "EC_No" not in (
            select o."EC_No" from "F_ECRITUREC" o join "F_ECRITUREC" a on a."CT_Num" = o."CT_Num"
                and a."EC_Piece" = o."EC_Piece" and a."EC_ANType" = 1 and a."JM_Date" = '2026-01-01')
        and "JM_Date" < '2026-01-01'""")
    reader.base.run("""delete from "F_ECRITUREC" a where a."EC_ANType" = 1 and a."JM_Date" < '2026-01-01'
        and not exists (select from "F_ECRITUREC" n where n."EC_ANType" = 1 and n."JM_Date" = '2026-01-01'
            and n."CT_Num" = a."CT_Num" and n."EC_Piece" = a."EC_Piece")""")
    await reader.connect(company)
    originals = await reader.synced(company, "full")
    carried = reader.options | {"carried_forward": "carried"}
    await reader.connect(company, options=carried)
    other = await reader.synced(company)
    assert (other["status"], other["mode"]) == ("completed", "full")
    assert other["changed"] > 0
    assert other["open_balance"] == originals["open_balance"]


async def test_choosing_another_meaning_reads_everything_anew(reader: Reader, company: str) -> None:
    await reader.connect(company)
    await reader.synced(company, "full")
    reader.base.run("""update "P_REGLEMENT" set "R_Intitule" = 'Virement SEPA' where "R_Intitule" = 'Virement'""")
    run = await reader.synced(company)
    assert (run["status"], run["mode"]) == ("completed", "full")
    assert await reader.entries(company) == with_assumed_due_dates(reader.base.entries())


async def test_a_client_that_a_file_shows_as_well_is_gone_when_neither_shows_him(
    reader: Reader, company: str
) -> None:
    await reader.connect(company)
    await reader.synced(company, "full")
    sync, code = reader.sync, "CL000001"
    files = Importer(sync.running, {"fec": Fec()}, people_per_call=2_000)
    other = Sync(sync.running, sync.ledger, files)
    rows = book(40)
    shown = invoice(900, code)
    assert (await other.imported(company, Writing().bytes([*rows, *shown])))["status"] == "completed"
    for table in ("F_ECRITUREC", "F_CONTACTT", "F_COMPTET"):
        reader.base.run(f"""delete from "{table}" where "CT_Num" = %s""", code)
    await reader.synced(company)
    assert code in await reader.clients(company)
    assert (await other.imported(company, Writing().bytes(rows)))["status"] == "completed"
    assert code not in await reader.clients(company)
