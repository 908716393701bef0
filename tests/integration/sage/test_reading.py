"""A Sage base read whole and again: what is said is the base, and a second look says nothing."""

from tests.integration.sage.conftest import Reader, with_assumed_due_dates


async def test_a_full_export_says_the_base_as_it_is(reader: Reader, company: str) -> None:
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
