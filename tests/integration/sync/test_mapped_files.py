"""Files of any kind by a mapping: only what changed is said, whole or not at all."""

import csv
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest
import xlsxwriter

from contracts.sync import ClientsSynced, EntriesSynced
from contracts.terms import is_open
from tests.integration.sync import independent
from tests.integration.sync.conftest import AS_OF, Sync

Cells = Sequence[str]

HEAD = ("Code", "Nom", "Facture", "Date", "Echéance", "Montant", "Payée le")
ROWS = (
    ("C1", "Ébénisterie du Port", "F1", "03/02/2026", "05/03/2026", "1 200,50", ""),
    ("C1", "Ébénisterie du Port", "F2", "10/02/2026", "12/03/2026", "300,00", "20/03/2026"),
    ("C2", "Garage; Durand", "F3", "11/02/2026", "13/03/2026", "75,25", ""),
    ("C2", "Garage; Durand", "A1", "15/02/2026", "15/02/2026", "-25,25", ""),
)
OPEN_INVOICES: dict[str, Any] = {
    "holds": "entries",
    "columns": {
        "client_id": "Code", "client_name": "Nom", "key": "Facture", "piece": "Facture", "invoice_date": "Date",
        "due_date": "Echéance", "amount": "Montant", "settled_on": "Payée le",
    },
    "dates": "DD/MM/YYYY", "decimal": ",", "thousands": " ", "credits": "credit_note",
}  # fmt: skip


def text_of(rows: Sequence[Cells], head: Cells = HEAD, encoding: str = "utf-8", separator: str = ";") -> bytes:
    text = StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([head, *rows])
    return text.getvalue().encode(encoding)


def workbook_of(rows: Sequence[Sequence[object]], head: Cells = HEAD) -> bytes:
    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Factures")
        days = book.add_format({"num_format": "dd/mm/yyyy"})
        for number, cells in enumerate([head, *rows]):
            for place, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(number, place, cell, days)
                else:
                    sheet.write(number, place, cell)
    return content.getvalue()


async def state(sync: Sync, company: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The last said state of every entry that is not gone, by client and piece and kind."""
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in await sync.entries_said(company):
        entries[entry["client_id"], entry["entry_id"]] = entry
    return {
        (one["client_id"], one["piece"] + " " + one["kind"]): one for one in entries.values() if not one["removed"]
    }


async def test_a_file_comes_in_by_its_mapping(sync: Sync, company: str) -> None:
    await sync.register(company)
    run = await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS))
    assert run["status"] == "completed", run["errors"]
    assert (run["read"], run["receivable_lines"], run["clients"]) == (4, 5, 2)
    assert (run["open_entries"], run["open_balance"], run["unbalanced_groups"]) == (3, "1250.50", 0)
    entries = await state(sync, company)
    first = entries["C1", "F1 invoice"]
    assert (first["debit"], first["due_date"], first["lettering"]) == ("1200.50", "2026-03-05", None)
    credit = entries["C2", "A1 credit_note"]
    assert (credit["credit"], credit["book_amount"]) == ("25.25", "-25.25")
    assert sync.ledger.people()["C2"]["name"] == "Garage; Durand"


async def test_a_settled_invoice_is_lettered_with_the_payment_that_settled_it(sync: Sync, company: str) -> None:
    """Rule 2.8: a code whose sides do not balance would be a lettering error."""
    await sync.register(company)
    await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS))
    entries = await state(sync, company)
    invoice, payment = entries["C1", "F2 invoice"], entries["C1", "F2 payment"]
    assert invoice["lettering"] == payment["lettering"]
    assert invoice["lettering"]
    assert invoice["lettered_on"] == payment["lettered_on"] == payment["due_date"] == "2026-03-20"
    assert payment["credit"] == invoice["debit"] == "300.00"


@pytest.mark.parametrize(
    ("day", "open_entries"), [(date(2026, 3, 19), 4), (date(2026, 3, 20), 3), (date(2026, 3, 21), 3)]
)
async def test_a_settlement_counts_from_its_day_on(sync: Sync, company: str, day: date, open_entries: int) -> None:
    await sync.register(company)
    run = await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS), as_of=day)
    assert run["open_entries"] == open_entries


async def test_the_same_file_says_nothing_however_it_is_written(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS))
    before, calls = await sync.entries_said(company), len(sync.ledger.calls)
    sheet = [
        (*row[:3], date.fromisoformat("-".join(reversed(row[3].split("/")))), row[4],
         float(row[5].replace(" ", "").replace(",", ".")), row[6])
        for row in ROWS
    ]  # fmt: skip
    for content in (
        text_of(tuple(reversed(ROWS))),
        text_of(ROWS, encoding="utf-16"),
        text_of(ROWS, encoding="cp1252", separator="\t"),
    ):
        run = await sync.mapped(company, "factures", OPEN_INVOICES, content)
        assert (run["status"], run["changed"], run["archived"]) == ("completed", 0, 0), run["errors"]
    run = await sync.mapped(company, "factures", OPEN_INVOICES | {"decimal": "."}, workbook_of(sheet), "f.xlsx")
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 0, 0), run["errors"]
    assert await sync.entries_said(company) == before
    assert len(sync.ledger.calls) == calls


async def test_a_changed_file_says_only_what_changed(sync: Sync, company: str) -> None:
    """An entry keeps its identity through a change of amount, due date and client (rule 5.9)."""
    await sync.register(company)
    await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS))
    ids = {key: entry["entry_id"] for key, entry in (await state(sync, company)).items()}
    changed = [
        (*ROWS[0][:5], "1 100,50", ""),
        (*ROWS[1],),
        ("C1", "Ébénisterie du Port", *ROWS[2][2:]),
        ("C3", "Nouveau", "F4", "01/03/2026", "31/03/2026", "10,00", ""),
    ]
    run = await sync.mapped(company, "factures", OPEN_INVOICES, text_of(changed))
    # F1 changed, F3 gone from C2 and come to C1, A1 gone, F4 new
    assert (run["changed"], run["archived"]) == (5, 2)
    after = await state(sync, company)
    assert after["C1", "F1 invoice"]["entry_id"] == ids["C1", "F1 invoice"]
    assert after["C1", "F1 invoice"]["debit"] == "1100.50"
    assert after["C1", "F3 invoice"]["entry_id"] == ids["C2", "F3 invoice"]
    assert sorted(after) == [
        ("C1", "F1 invoice"), ("C1", "F2 invoice"), ("C1", "F2 payment"), ("C1", "F3 invoice"),
        ("C3", "F4 invoice"),
    ]  # fmt: skip
    again = await sync.mapped(company, "factures", OPEN_INVOICES, text_of(changed))
    assert (again["changed"], again["archived"]) == (0, 0)


async def test_a_file_of_additions_archives_nothing(sync: Sync, company: str) -> None:
    await sync.register(company)
    mapping = OPEN_INVOICES | {"missing": "keep"}
    await sync.mapped(company, "factures", mapping, text_of(ROWS[:2]))
    run = await sync.mapped(company, "factures", mapping, text_of(ROWS[2:]))
    assert (run["changed"], run["archived"]) == (2, 0)
    assert len(await state(sync, company)) == 5


async def test_in_a_file_of_additions_a_paid_invoice_leaves_and_comes_back_unpaid(
    sync: Sync, company: str
) -> None:
    await sync.register(company)
    mapping = OPEN_INVOICES | {"missing": "keep", "open_words": ["ouverte"], "closed_words": ["soldée"]}
    mapping["columns"] = OPEN_INVOICES["columns"] | {"status": "Etat"}
    head = (*HEAD, "Etat")
    await sync.mapped(company, "factures", mapping, text_of([(*row, "ouverte") for row in ROWS], head))
    before = await state(sync, company)
    closed, residual = (*ROWS[0], "soldée"), (*ROWS[2][:5], "0,00", "", "ouverte")
    run = await sync.mapped(company, "factures", mapping, text_of([closed, residual], head))
    assert (run["status"], run["changed"], run["archived"]) == ("completed", 2, 2), run["errors"]
    assert {key for key in before if key not in await state(sync, company)} == {
        ("C1", "F1 invoice"), ("C2", "F3 invoice"),
    }  # fmt: skip
    back = [(*ROWS[0], "ouverte"), (*ROWS[2], "ouverte"), (*ROWS[1][:6], "", "ouverte")]
    run = await sync.mapped(company, "factures", mapping, text_of(back, head))
    assert (run["changed"], run["archived"]) == (4, 1), "both come back, and a payment is taken back"
    after = await state(sync, company)
    assert {key: one["entry_id"] for key, one in after.items()} == {
        key: one["entry_id"] for key, one in before.items() if key != ("C1", "F2 payment")
    }


async def test_two_mappings_never_archive_each_others_lines(sync: Sync, company: str) -> None:
    """Rule 22.19."""
    await sync.register(company)
    await sync.mapped(company, "paris", OPEN_INVOICES, text_of(ROWS[:2]))
    run = await sync.mapped(company, "lyon", OPEN_INVOICES, text_of(ROWS[2:]))
    assert (run["changed"], run["archived"]) == (2, 0)


async def test_a_wrong_row_refuses_the_whole_file_and_is_named(sync: Sync, company: str) -> None:
    await sync.register(company)
    wrong = [ROWS[0], (*ROWS[1][:3], "31/02/2026", *ROWS[1][4:]), (*ROWS[2][:5], "douze", ""), ROWS[3]]
    run = await sync.mapped(company, "factures", OPEN_INVOICES, text_of(wrong))
    assert run["status"] == "failed"
    assert [(one["line"], one["column"], one["code"]) for one in run["errors"]] == [
        (3, "Date", "date_invalid"), (4, "Montant", "amount_invalid"),
    ]  # fmt: skip
    assert run["errors"][1]["message"].startswith("“Montant” holds “xxxxx”")
    assert run["errors"][1]["remedy"]
    assert not await sync.entries_said(company)
    assert not sync.ledger.calls


async def test_two_rows_with_one_key_are_refused(sync: Sync, company: str) -> None:
    await sync.register(company)
    run = await sync.mapped(company, "factures", OPEN_INVOICES, text_of([*ROWS, ROWS[1]]))
    assert [(one["line"], one["code"]) for one in run["errors"]] == [(6, "key_twice")]
    assert "line 3" in run["errors"][0]["message"]


async def test_a_dry_run_tells_everything_and_changes_nothing(sync: Sync, company: str) -> None:
    await sync.register(company)
    run = await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS), dry_run=True)
    assert (run["status"], run["dry_run"], run["changed"], run["open_balance"]) == (
        "completed", True, 5, "1250.50",
    )  # fmt: skip
    assert not await sync.said(company)
    assert not sync.ledger.calls
    broken = await sync.mapped(
        company, "factures", OPEN_INVOICES, text_of([(*ROWS[0][:5], "x", "")]), dry_run=True
    )
    assert (broken["status"], broken["errors"][0]["line"]) == ("failed", 2)
    assert not await sync.said(company)
    assert (await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS)))["changed"] == 5


CLIENT_HEAD = ("code", "raison sociale", "profil", "email", "tel", "adresse", "cp", "ville", "langue")
CLIENTS = (
    ("C1", "Ébénisterie du Port", "Grand Compte", "compta@port.example; direction@port.example", "01 02 03 04 05",
     "1 quai", "44000", "Nantes", "fr"),
    ("C2", "Garage Durand", "", "pas une adresse", "", "", "", "", ""),
)  # fmt: skip
CLIENT_MAPPING: dict[str, Any] = {
    "holds": "clients",
    "columns": {
        "client_id": "code", "client_name": "raison sociale", "profile": "profil", "email": "email",
        "phone": "tel", "address": "adresse", "postcode": "cp", "city": "ville", "language": "langue",
    },
}  # fmt: skip


async def clients_said(sync: Sync, company: str) -> list[dict[str, Any]]:
    return [
        client
        for event in await sync.said(company)
        if event["type"] == "ClientsSynced"
        for client in event["body"]["clients"]
    ]


async def test_clients_are_said_and_their_people_handed_to_ledger(sync: Sync, company: str) -> None:
    await sync.register(company)
    content = text_of(CLIENTS, CLIENT_HEAD)
    run = await sync.mapped(company, "clients", CLIENT_MAPPING, content)
    assert (run["status"], run["clients"], run["clients_changed"], run["receivable_lines"]) == (
        "completed",
        2,
        2,
        0,
    )
    assert [(one["line"], one["code"]) for one in run["warnings"]] == [(3, "email_invalid")] * 3
    said = {client["client_id"]: client for client in await clients_said(sync, company)}
    assert said["C1"] == {"client_id": "C1", "account": "411", "removed": False, "profile": "Grand Compte"}
    assert sync.ledger.people()["C1"] == {
        "client_id": "C1", "name": "Ébénisterie du Port",
        "emails": ["compta@port.example", "direction@port.example"], "phones": ["01 02 03 04 05"],
        "address": {"line1": "1 quai", "postcode": "44000", "city": "Nantes"}, "language": "fr",
    }  # fmt: skip
    assert "port.example" not in str(await sync.said(company))
    again = await sync.mapped(company, "clients", CLIENT_MAPPING, content)
    assert again["clients_changed"] == 0


async def test_entries_and_clients_from_two_files_never_undo_each_other(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(CLIENTS, CLIENT_HEAD))
    await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS))
    said, calls = await sync.said(company), len(sync.ledger.calls)
    await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(CLIENTS, CLIENT_HEAD))
    await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS))
    more = [event for event in await sync.said(company) if event not in said]
    assert {event["type"] for event in more} == {"SyncCompleted"}
    assert len(sync.ledger.calls) == calls
    last = {client["client_id"]: client for client in await clients_said(sync, company)}
    assert last["C1"]["profile"] == "Grand Compte"


async def test_contacts_complete_the_people_of_known_clients(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS))
    before = len(await clients_said(sync, company))
    rows = [
        ("C1", "Mme Port", "a@port.example"),
        ("C1", "M. Port", "b@port.example"),
        ("C2", "", "c@durand.example"),
    ]
    mapping = {
        "holds": "contacts",
        "columns": {"client_id": "client", "contact_name": "contact", "email": "mail"},
    }
    content = text_of(rows, ("client", "contact", "mail"))
    run = await sync.mapped(company, "contacts", mapping, content)
    assert (run["status"], run["clients_changed"]) == ("completed", 2)
    people, contacts = sync.ledger.calls[-2:]
    assert people["clients"][0] == {
        "client_id": "C1", "name": "", "emails": ["a@port.example"], "contact_name": "Mme Port",
    }  # fmt: skip
    assert contacts["path"] == "/contacts"
    assert [(one["client_id"], one["key"], one["name"]) for one in contacts["contacts"]] == [
        ("C1", "a@port.example", "Mme Port"), ("C1", "b@port.example", "M. Port"), ("C2", "c@durand.example", ""),
    ]  # fmt: skip
    assert len(await clients_said(sync, company)) == before
    assert (await sync.mapped(company, "contacts", mapping, content))["clients_changed"] == 0
    fewer = text_of(rows[:1], ("client", "contact", "mail"))
    assert (await sync.mapped(company, "contacts", mapping, fewer))["clients_changed"] == 2
    contacts = sync.ledger.calls[-1]
    assert contacts["client_ids"] == ["C1", "C2"]
    assert [(one["client_id"], one["name"]) for one in contacts["contacts"]] == [("C1", "Mme Port")]
    assert (await sync.mapped(company, "contacts", mapping, fewer))["clients_changed"] == 0


async def test_the_default_contact_is_who_a_client_is_written_to(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS))
    columns = {"client_id": "client", "contact_name": "contact", "email": "mail", "is_default": "principal"}
    rows = [("C1", "Mme Port", "a@port.example", "non"), ("C1", "M. Port", "b@port.example", "oui")]
    mapping = {"holds": "contacts", "columns": columns}
    await sync.mapped(company, "contacts", mapping, text_of(rows, ("client", "contact", "mail", "principal")))
    people = sync.ledger.calls[-2]["clients"][0]
    assert (people["emails"], people["contact_name"]) == (["b@port.example"], "M. Port")


HIGHRADIUS: dict[str, Any] = {
    "holds": "entries",
    "columns": {
        "key": "doc_id", "client_id": "cust_number", "client_name": "name_customer", "piece": "invoice_id",
        "entry_date": "posting_date", "invoice_date": "document_create_date", "due_date": "due_in_date",
        "amount": "total_open_amount", "currency": "invoice_currency", "kind": "document type", "status": "isOpen",
    },
    "kinds": {"RV": "invoice"}, "open_words": ["1"], "whole_numbers": ["key", "piece"], "rates": {"CAD": "0.7"},
}  # fmt: skip
IBM: dict[str, Any] = {
    "holds": "entries",
    "columns": {
        "key": "invoiceNumber", "client_id": "customerID", "piece": "invoiceNumber", "invoice_date": "InvoiceDate",
        "due_date": "DueDate", "amount": "InvoiceAmount", "settled_on": "SettledDate",
    },
    "dates": "MM/DD/YYYY",
}  # fmt: skip


def days_late_said(entries: dict[tuple[str, str], dict[str, Any]], day: date) -> dict[str, int]:
    return {
        entry["piece"]: (day - date.fromisoformat(entry["due_date"])).days
        for entry in entries.values()
        if is_open(entry["lettering"], Decimal(0))
    }


@pytest.mark.skipif(not independent.SHARED.is_dir(), reason="the shared data is not beside the project")
async def test_open_invoices_of_a_receivables_export_agree_with_an_independent_reading(
    sync: Sync, company: str
) -> None:
    day = date(2020, 5, 1)
    await sync.register(company, "USD")
    by_hand = independent.highradius(day)
    run = await sync.mapped(company, "receivables", HIGHRADIUS, independent.HIGHRADIUS, as_of=day)
    assert run["status"] == "completed", run["errors"][:3]
    assert (run["clients"], run["open_entries"]) == (by_hand.clients, len(by_hand.days_late))
    assert Decimal(run["open_balance"]) == by_hand.balance
    assert days_late_said(await state(sync, company), day) == by_hand.days_late
    again = await sync.mapped(company, "receivables", HIGHRADIUS, independent.HIGHRADIUS, as_of=day)
    assert (again["changed"], again["archived"]) == (0, 0)


@pytest.mark.skipif(not independent.SHARED.is_dir(), reason="the shared data is not beside the project")
async def test_an_amount_in_another_currency_needs_its_amount_in_ours(sync: Sync, company: str) -> None:
    """Rule 22.17."""
    await sync.register(company, "USD")
    run = await sync.mapped(company, "receivables", HIGHRADIUS | {"rates": {}}, independent.HIGHRADIUS)
    assert run["status"] == "failed"
    assert {problem["code"] for problem in run["errors"]} == {"book_amount_missing"}


@pytest.mark.skipif(not independent.SHARED.is_dir(), reason="the shared data is not beside the project")
@pytest.mark.parametrize("day", [date(2012, 6, 30), date(2012, 12, 31), AS_OF])
async def test_paid_invoices_agree_with_an_independent_reading(sync: Sync, company: str, day: date) -> None:
    """On any day: what is open that day and how late; what was paid by then, and how late it was paid."""
    await sync.register(company, "USD")
    by_hand = independent.ibm(day)
    run = await sync.mapped(company, "history", IBM, independent.IBM, as_of=day)
    assert run["status"] == "completed", run["errors"][:3]
    entries = await state(sync, company)
    assert Decimal(run["open_balance"]) == by_hand.balance
    assert (run["unbalanced_groups"], run["lettering_groups"]) == (0, len(by_hand.paid_late))
    assert days_late_said(entries, day) == by_hand.days_late
    paid = {
        one["piece"]: max(0, (date.fromisoformat(one["lettered_on"]) - date.fromisoformat(one["due_date"])).days)
        for one in entries.values()
        if one["lettered_on"] and one["kind"] == "invoice"
    }
    assert paid == by_hand.paid_late
    for event in await sync.said(company):
        if event["type"] == "EntriesSynced":
            EntriesSynced.model_validate(event["body"])
        elif event["type"] == "ClientsSynced":
            ClientsSynced.model_validate(event["body"])


async def test_a_client_that_a_list_does_not_show_any_more_goes(sync: Sync, company: str) -> None:
    """Given a list of clients, when one of two stands in it no longer, then ledger is told nobody of it, and it is
    gone; one who has open entries stays a client, and one who comes back is handed over again."""
    await sync.register(company)
    await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(CLIENTS, CLIENT_HEAD))
    run = await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(CLIENTS[1:], CLIENT_HEAD))
    assert (run["status"], run["clients_changed"]) == ("completed", 1), run["errors"]
    assert sync.ledger.people()["C1"] == {"client_id": "C1", "name": "", "emails": []}
    last = {client["client_id"]: client["removed"] for client in await clients_said(sync, company)}
    assert last == {"C1": True, "C2": False}
    await sync.mapped(company, "factures", OPEN_INVOICES, text_of(ROWS))
    run = await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(CLIENTS, CLIENT_HEAD))
    assert sync.ledger.people()["C1"]["name"] == "Ébénisterie du Port"
    await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(CLIENTS[1:], CLIENT_HEAD))
    last = {client["client_id"]: client["removed"] for client in await clients_said(sync, company)}
    assert last["C1"] is False
    again = await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(CLIENTS[1:], CLIENT_HEAD))
    assert again["clients_changed"] == 0


async def test_a_list_that_is_empty_or_brings_additions_takes_nobody_away(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(CLIENTS, CLIENT_HEAD))
    calls = len(sync.ledger.calls)
    run = await sync.mapped(company, "clients", CLIENT_MAPPING, text_of([], CLIENT_HEAD))
    assert [error["code"] for error in run["errors"]] == ["no_rows"]
    adding = CLIENT_MAPPING | {"missing": "keep"}
    run = await sync.mapped(company, "clients", adding, text_of(CLIENTS[1:], CLIENT_HEAD))
    assert (run["status"], run["clients_changed"]) == ("completed", 0)
    assert len(sync.ledger.calls) == calls
