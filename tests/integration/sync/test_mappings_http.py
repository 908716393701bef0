"""Mappings as callers save them: a look at a file, a mapping, a dry run, an import."""

from typing import Any

from tests.integration.sync.conftest import Sync
from tests.integration.sync.test_http import Door, door
from tests.integration.sync.test_mapped_files import HEAD, OPEN_INVOICES, ROWS, text_of, workbook_of

__all__ = ["door"]

FILE = text_of(ROWS)


async def test_a_look_at_a_file_guesses_what_its_columns_hold(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    answer = await door.call("POST", company, "/samples", params={"filename": "factures.csv"}, content=FILE)
    assert answer.status_code == 201, answer.text
    look = answer.json()
    assert [column["name"] for column in look["columns"]] == list(HEAD)
    assert look["columns"][0]["examples"] == ["C1", "C2"]
    assert look["mapping"]["columns"] == {
        "client_id": "Code", "client_name": "Nom", "piece": "Facture", "entry_date": "Date",
        "due_date": "Echéance", "amount": "Montant",
    }  # fmt: skip
    assert (look["mapping"]["dates"], look["mapping"]["decimal"], look["mapping"]["thousands"]) == (
        "DD/MM/YYYY", ",", " ",
    )  # fmt: skip
    assert look["rows"][2][1] == "Garage; Durand"


async def test_a_title_above_the_header_and_another_sheet_are_found(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    titled = b"Balance au 30/06/2026;;;;;;\r\n" + FILE
    look = (await door.call("POST", company, "/samples", params={"filename": "a.csv"}, content=titled)).json()
    assert look["mapping"]["header_row"] == 2
    book = workbook_of(ROWS)
    look = (await door.call("POST", company, "/samples", params={"filename": "a.xlsx"}, content=book)).json()
    assert (look["sheets"], look["mapping"]["columns"]["amount"]) == (["Factures"], "Montant")


async def test_a_kept_file_is_checked_and_imported_without_being_sent_again(
    door: Door, sync: Sync, company: str
) -> None:
    await sync.register(company)
    look = (await door.call("POST", company, "/samples", params={"filename": "f.csv"}, content=FILE)).json()
    assert (await door.call("PUT", company, "/mappings/factures", json=OPEN_INVOICES)).status_code == 200
    ask = {"sample": look["sample_id"], "mapping": "factures"}
    checked = await door.call("POST", company, "/imports", params=ask | {"dry_run": "true"})
    asked = await door.call("POST", company, "/imports", params=ask)
    assert (checked.status_code, asked.status_code) == (202, 202), asked.text
    await sync.carry_out()
    runs = (await door.call("GET", company, "/imports")).json()["runs"]
    assert [(run["dry_run"], run["mapping_name"], run["file"], run["changed"]) for run in runs] == [
        (False, "factures", "f.csv", 5),
        (True, "factures", "f.csv", 5),
    ]
    gone = await door.call("POST", company, "/imports", params=ask)
    assert (gone.status_code, gone.json()["type"]) == (404, "sample-unknown")


async def test_a_saved_mapping_is_shown_listed_and_let_go(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    await door.call("PUT", company, "/mappings/factures", json=OPEN_INVOICES)
    assert (await door.call("GET", company, "/mappings/factures")).json() == OPEN_INVOICES
    listed = (await door.call("GET", company, "/mappings")).json()["mappings"]
    assert [(one["name"], one["holds"], one["changed_by"]) for one in listed] == [
        ("factures", "entries", "user:alice")
    ]
    assert (await door.call("DELETE", company, "/mappings/factures")).status_code == 200
    assert (await door.call("GET", company, "/mappings/factures")).status_code == 404
    params = {"filename": "f.csv", "mapping": "factures"}
    assert (await door.call("POST", company, "/imports", params=params, content=FILE)).status_code == 404


async def test_what_no_mapping_can_be(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    columns = OPEN_INVOICES["columns"]
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"columns": {"amount": "Montant", "due_date": "Date"}}, "client_id needs a column"),
        ({"columns": {"client_id": "Code", "due_date": "Date"}}, "either columns for debit and credit"),
        ({"columns": {"client_id": "Code", "amount": "Montant"}}, "a date is needed"),
        ({"columns": columns | {"colour": "Code"}}, "colour is no field of entries"),
        ({"columns": columns, "constants": {"amount": "1"}}, "has a column and a constant"),
        ({"columns": columns | {"status": "Statut"}}, "open_words or closed_words"),
        ({"columns": columns | {"lettering": "L"}}, "not both"),
        ({"columns": columns, "decimal": ",", "thousands": ","}, "same character"),
    ]
    for wrong, why in wrongs:
        answer = await door.call("PUT", company, "/mappings/x", json=wrong)
        assert answer.status_code == 422, wrong
        assert why in answer.json()["errors"][0]["message"], answer.text


async def test_what_is_no_table_is_told_so(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    for content, code in (
        (b"", "file_empty"),
        (b"%PDF-1.7", "not_a_table"),
        (b"PK\x03\x04x", "workbook_unreadable"),
    ):
        answer = await door.call("POST", company, "/samples", params={"filename": "x"}, content=content)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["in_french"]["remedy"]
    assert (await door.call("POST", company, "/samples", role="reader", content=FILE)).status_code == 403


async def test_another_companys_files_and_mappings_are_not_to_be_seen(
    door: Door, sync: Sync, company: str
) -> None:
    other = f"{company}b"
    for name in (company, other):
        await sync.register(name)
    look = (await door.call("POST", company, "/samples", params={"filename": "f.csv"}, content=FILE)).json()
    await door.call("PUT", company, "/mappings/factures", json=OPEN_INVOICES)
    assert (await door.call("GET", other, f"/samples/{look['sample_id']}")).status_code == 404
    assert (await door.call("GET", other, "/mappings")).json() == {"mappings": []}
