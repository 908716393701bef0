"""Two fiscal years of one company: what is open at the end of the first lives on in the second, once."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from chassis.database import transaction
from contracts.terms import is_open
from tests.integration.sync.conftest import Sync
from tests.specs.sync.books import Row, Writing, invoice, payment, row

LAST, NEXT = "900000004FEC20251231.txt", "900000004FEC20261231.txt"
WRITING = Writing()


def brought(client: str, amount: str, *, code: str = "", piece: str = "AN", credit: bool = False) -> list[Row]:
    """An opening line and its counterpart."""
    sides = {"Debit": "0,00", "Credit": amount} if credit else {"Debit": amount, "Credit": "0,00"}
    opposite = {"Debit": sides["Credit"], "Credit": sides["Debit"]}
    told = {
        "JournalCode": "AN", "JournalLib": "A nouveaux", "EcritureNum": "AN1", "EcritureDate": "20260101",
        "PieceRef": piece, "PieceDate": "20260101", "EcritureLib": "Report à nouveau",
    }  # fmt: skip
    third = {"CompteNum": "411000", "CompteLib": "Clients", "CompAuxNum": client, "CompAuxLib": client}
    if client == "411000":
        third |= {"CompAuxNum": "", "CompAuxLib": ""}
    return [
        row(**told, **third, **sides, EcritureLet=code, DateLet="20260220" if code else ""),
        row(**told, CompteNum="890000", CompteLib="Bilan", **opposite),
    ]


def last_year() -> list[Row]:
    """F1 paid, F2 and F3 of C1 open, F4 of C2 open, a payment of C2 open."""
    return [
        *invoice(1, "C1", "100,00", "20250310", EcritureLet="A", DateLet="20250412"),
        *payment(1, "C1", "100,00", "20250412", EcritureLet="A", DateLet="20250412"),
        *invoice(2, "C1", "200,00", "20251110"),
        *invoice(3, "C1", "300,00", "20251210"),
        *invoice(4, "C2", "400,00", "20251210"),
        *payment(2, "C2", "50,00", "20251212"),
    ]


def next_year(*, f2: str = "") -> list[Row]:
    paid = payment(900, "C1", "200,00", "20260220", EcritureLet=f2, DateLet="20260220") if f2 else []
    return [
        *brought("C1", "200,00", code=f2),
        *brought("C1", "300,00"),
        *brought("C2", "400,00"),
        *brought("C2", "50,00", credit=True),
        *invoice(901, "C1", "90,00", "20260115"),
        *paid,
    ]


async def settings(sync: Sync, company: str, chosen: dict[str, Any]) -> None:
    """Import settings as a person chooses them."""
    values = {"company": company, "accounts": ["411"], "term_days": 30, **chosen}
    async with transaction(sync.running.engine) as tx:
        await tx.execute(
            text(
                "insert into import_settings (company, accounts, term_days, accepted)"
                " values (:company, :accounts, :term_days, :accepted)"
            ),
            values,
        )


async def standing(sync: Sync, company: str) -> dict[str, dict[str, Any]]:
    """The last said state of each entry, those that are gone left out."""
    states = {entry["entry_id"]: entry for entry in await sync.entries_said(company)}
    return {entry_id: entry for entry_id, entry in states.items() if not entry["removed"]}


def open_ones(states: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {one["piece"]: one["book_amount"] for one in states.values() if is_open(one["lettering"], Decimal(0))}


def ids(states: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {one["piece"]: entry_id for entry_id, one in states.items()}


OPEN_AT_THE_END = {"F0002": "200.00", "F0003": "300.00", "F0004": "400.00", "V0002": "-50.00"}


async def test_open_entries_live_on_and_nothing_is_owed_twice(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), LAST)
    before = await standing(sync, company)
    assert open_ones(before) == OPEN_AT_THE_END
    run = await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    assert (run["status"], run["carried_forward"], run["changed"], run["archived"]) == ("completed", 4, 1, 0)
    after = await standing(sync, company)
    assert open_ones(after) == OPEN_AT_THE_END | {"F0901": "90.00"}
    assert {piece: ids(after)[piece] for piece in ids(before)} == ids(before)
    assert after[ids(after)["F0002"]]["due_date"] == "2025-12-10"
    again = await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    assert (again["changed"], again["archived"]) == (0, 0)


async def test_a_payment_of_the_new_year_letters_the_entry_of_the_old_one(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), LAST)
    before = ids(await standing(sync, company))
    await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    run = await sync.imported(company, WRITING.bytes(next_year(f2="AB")), NEXT)
    assert (run["changed"], run["archived"]) == (2, 0)
    after = await standing(sync, company)
    paid = after[before["F0002"]]
    assert (paid["lettering"], paid["lettered_on"], paid["debit"]) == ("AB", "2026-02-20", "200.00")
    group = [one for one in after.values() if one["lettering"] == "AB"]
    assert sum(Decimal(one["book_amount"]) for one in group) == 0
    undone = await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    assert (undone["changed"], undone["archived"]) == (2, 1)
    assert open_ones(await standing(sync, company)) == OPEN_AT_THE_END | {"F0901": "90.00"}


async def test_one_opening_line_for_a_clients_balance_is_lettered_for_all_its_entries(
    sync: Sync, company: str
) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), LAST)

    def balances(code: str = "") -> list[Row]:
        paid = payment(900, "C1", "500,00", "20260220", EcritureLet=code, DateLet="20260220") if code else []
        return [*brought("C1", "500,00", code=code), *brought("C2", "350,00"), *paid]

    run = await sync.imported(company, WRITING.bytes(balances()), NEXT)
    assert (run["carried_forward"], run["changed"]) == (4, 0)
    assert open_ones(await standing(sync, company)) == OPEN_AT_THE_END
    await sync.imported(company, WRITING.bytes(balances("AC")), NEXT)
    after = await standing(sync, company)
    assert open_ones(after) == {"F0004": "400.00", "V0002": "-50.00"}
    assert sum(Decimal(one["book_amount"]) for one in after.values() if one["lettering"] == "AC") == 0


async def test_what_the_new_year_does_not_carry_was_settled(sync: Sync, company: str) -> None:
    """Last year's file was taken before F3 was paid: the new year's opening lines know better."""
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), LAST)
    rows = [one for one in next_year() if "300,00" not in (one["Debit"], one["Credit"])]
    run = await sync.imported(company, WRITING.bytes(rows), NEXT)
    assert (run["changed"], run["archived"]) == (2, 1)
    assert "F0003" not in open_ones(await standing(sync, company))
    again = await sync.imported(company, WRITING.bytes(rows), NEXT)
    assert (again["changed"], again["archived"]) == (0, 0)


async def test_last_years_file_read_again_undoes_nothing(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), LAST)
    await sync.imported(company, WRITING.bytes(next_year(f2="AB")), NEXT)
    before = await standing(sync, company)
    run = await sync.imported(company, WRITING.bytes(last_year()), LAST)
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 0, 0)
    assert await standing(sync, company) == before
    late = [*last_year(), *invoice(5, "C1", "77,00", "20251230")]
    run = await sync.imported(company, WRITING.bytes(late), LAST)
    assert run["changed"] == 0, "an open invoice of last year comes with the opening lines of the new one"


async def test_the_newer_year_may_come_first(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    before = open_ones(await standing(sync, company))
    run = await sync.imported(company, WRITING.bytes(last_year()), LAST)
    assert (run["status"], run["changed"]) == ("completed", 2)
    after = await standing(sync, company)
    assert open_ones(after) == before
    assert {one["lettering"] for one in after.values()} == {None, "A"}


async def test_a_lump_for_the_whole_account_takes_no_clients_place(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), LAST)
    run = await sync.imported(company, WRITING.bytes([*brought("411000", "840,00")]), NEXT)
    assert (run["carried_forward"], run["changed"]) == (4, 0)
    assert open_ones(await standing(sync, company)) == OPEN_AT_THE_END
    assert [problem["code"] for problem in run["warnings"]] == ["opening_without_clients"]
    assert "850.00" in run["warnings"][0]["message"]
    said = [
        client["client_id"]
        for event in await sync.said(company)
        if event["type"] == "ClientsSynced"
        for client in event["body"]["clients"]
    ]
    assert sorted(said) == ["C1", "C2"]


@pytest.mark.parametrize("middle", [NEXT, "export.txt"])
async def test_three_years_in_a_row(sync: Sync, company: str, middle: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), LAST)
    before = ids(await standing(sync, company))
    await sync.imported(company, WRITING.bytes(next_year(f2="AB")), middle)
    third = [
        one | {"EcritureDate": "20270101", "PieceDate": "20270101"}
        for part in (brought("C1", "300,00"), brought("C2", "350,00"), brought("C1", "90,00"))
        for one in part
    ]
    run = await sync.imported(company, WRITING.bytes(third), "900000004FEC20271231.txt")
    assert (run["status"], run["carried_forward"], run["changed"]) == ("completed", 4, 0)
    after = await standing(sync, company)
    assert open_ones(after) == {"F0003": "300.00", "F0004": "400.00", "V0002": "-50.00", "F0901": "90.00"}
    assert ids(after)["F0003"] == before["F0003"]
    letters = await sync.imported(company, WRITING.bytes(next_year(f2="AB")), middle)
    assert (letters["status"], letters["changed"], letters["archived"]) == ("completed", 0, 0), letters["errors"]
    oldest = await sync.imported(company, WRITING.bytes(last_year()), LAST)
    assert (oldest["changed"], oldest["archived"]) == (0, 0)
    assert await standing(sync, company) == after


async def test_years_that_come_out_of_order_owe_nothing_twice(sync: Sync, company: str) -> None:
    """The oldest and the newest first: what the newest brings forward is the truth about what is open."""
    await sync.register(company)
    third = [
        one | {"EcritureDate": "20270101", "PieceDate": "20270101"}
        for part in (brought("C1", "300,00"), brought("C2", "350,00"), brought("C1", "90,00"))
        for one in part
    ]
    await sync.imported(company, WRITING.bytes(third), "900000004FEC20271231.txt")
    before = open_ones(await standing(sync, company))
    for content, name in ((last_year(), LAST), (next_year(f2="AB"), NEXT)):
        run = await sync.imported(company, WRITING.bytes(content), name)
        assert run["status"] == "completed", run["errors"]
        assert open_ones(await standing(sync, company)) == before


@pytest.mark.parametrize(
    ("first", "second"), [(LAST, "export.txt"), ("export.txt", NEXT), ("ventes.txt", "export.txt")]
)
async def test_files_of_two_years_may_be_named_differently(
    sync: Sync, company: str, first: str, second: str
) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), first)
    before = ids(await standing(sync, company))
    run = await sync.imported(company, WRITING.bytes(next_year()), second)
    assert (run["status"], run["carried_forward"], run["changed"]) == ("completed", 4, 1), run["errors"]
    after = await standing(sync, company)
    assert open_ones(after) == OPEN_AT_THE_END | {"F0901": "90.00"}
    assert {piece: ids(after)[piece] for piece in before} == before
    again = await sync.imported(company, WRITING.bytes(last_year()), first)
    assert (again["changed"], again["archived"]) == (0, 0)


async def test_a_year_before_that_is_not_known_to_have_closed_is_asked_for(sync: Sync, company: str) -> None:
    """The legal name of last year's file names another closing date: everything open would be owed twice."""
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), "900000004FEC20260630.txt")
    before = await standing(sync, company)
    run = await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    assert [problem["code"] for problem in run["errors"]] == ["year_before_missing"]
    assert "2025-12-31" in run["errors"][0]["remedy"]
    assert await standing(sync, company) == before
    accepted = {"accepted": ["year_before_missing"]}
    await settings(sync, company, accepted)
    run = await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    assert (run["status"], [problem["code"] for problem in run["warnings"]]) == (
        "completed", ["year_before_missing"],
    )  # fmt: skip


async def test_the_file_imported_once_more_under_its_legal_name_says_when_it_closed(
    sync: Sync, company: str
) -> None:
    """The company's setting says that years begin in July, its books begin in January."""
    await sync.register(company, fiscal_year_start="07-01")
    await sync.imported(company, WRITING.bytes(last_year()), "export.txt")
    run = await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    assert [problem["code"] for problem in run["errors"]] == ["year_before_missing"]
    renamed = await sync.imported(company, WRITING.bytes(last_year()), LAST)
    assert (renamed["changed"], renamed["archived"]) == (0, 0)
    run = await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    assert (run["status"], run["carried_forward"], run["changed"]) == ("completed", 4, 1), run["errors"]
    assert open_ones(await standing(sync, company)) == OPEN_AT_THE_END | {"F0901": "90.00"}


async def test_another_entitys_book_is_no_year_before(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), "900000012FEC20251231.txt")
    run = await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    assert (run["status"], run["carried_forward"], run["changed"]) == ("completed", 0, 5)
    assert [problem["code"] for problem in run["warnings"]] == ["year_before_missing"]


async def test_what_an_incomplete_opening_left_out_comes_back_as_what_it_was(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), LAST)
    before = ids(await standing(sync, company))
    january = [*brought("C1", "200,00"), *brought("C1", "300,00")]
    dry = await sync.imported(company, WRITING.bytes(january), NEXT, dry_run=True)
    run = await sync.imported(company, WRITING.bytes(january), NEXT)
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 2, 2)
    assert (dry["changed"], dry["archived"]) == (2, 2)
    assert [problem["code"] for problem in run["warnings"]] == ["entries_released"]
    assert "350.00" in run["warnings"][0]["message"]
    again = await sync.imported(company, WRITING.bytes(january), NEXT)
    assert (again["changed"], again["archived"], again["warnings"]) == (0, 0, [])
    february = await sync.imported(company, WRITING.bytes(next_year()), NEXT)
    assert (february["changed"], february["archived"]) == (3, 0), "two come back, one is new"
    after = await standing(sync, company)
    assert open_ones(after) == OPEN_AT_THE_END | {"F0901": "90.00"}
    assert {piece: ids(after)[piece] for piece in before} == before
    for content, name in ((next_year(), NEXT), (last_year(), LAST)):
        again = await sync.imported(company, WRITING.bytes(content), name)
        assert (again["changed"], again["archived"]) == (0, 0)


async def test_an_opening_that_leaves_most_of_the_book_out_is_refused(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.imported(company, WRITING.bytes(last_year()), LAST)
    before = await standing(sync, company)
    run = await sync.imported(company, WRITING.bytes(brought("C1", "200,00")), NEXT)
    assert [problem["code"] for problem in run["errors"]] == ["opening_incomplete"]
    assert "3 of the 4" in run["errors"][0]["message"]
    assert await standing(sync, company) == before
    await settings(sync, company, {"accepted": ["opening_incomplete"]})
    run = await sync.imported(company, WRITING.bytes(brought("C1", "200,00")), NEXT)
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 3, 3)
