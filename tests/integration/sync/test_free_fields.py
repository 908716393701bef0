"""Free fields and sales people (rules 19.4, 20.2, 22.6) from files and pushed rows: handed over, never said."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from chassis.database import transaction
from tests.integration.sync.conftest import Sync
from tests.integration.sync.test_http import Door, door
from tests.integration.sync.test_mapped_files import clients_said, text_of
from tests.integration.sync.test_pushed_rows import pushed

__all__ = ["door"]

CLIENT_HEAD = ("Code", "Nom", "Commercial", "N° com.", "Région", "Enseigne")
CLIENTS = (
    ("C1", "Atelier Roux", "Anne Caron", "4", "Nord", "Chez Zoé"),
    ("C2", "Garage Bo", "Paul Durand", "", "", 'Bo & "Fils"'),
    ("C3", "Librairie Lu", "PAUL  DURAND", "", "Sud", ""),
    ("C4", "Mairie", "", "", "", ""),
)
CLIENT_MAPPING: dict[str, Any] = {
    "holds": "clients",
    "columns": {
        "client_id": "Code", "client_name": "Nom", "salesperson": "Commercial", "salesperson_code": "N° com.",
        "tag1": "Région", "tag10": "Enseigne",
    },
}  # fmt: skip
ENTRY_HEAD = ("Code", "Pièce", "Date", "Montant", "Chantier", "Dépôt")
ENTRIES = (
    ("C1", "F1", "2026-02-03", "120.00", "Lyon\\2", "A"),
    ("C1", "F2", "2026-02-04", "80.00", "", ""),
    ("C2", "F3", "2026-02-05", "10.00", 'Quai "9"', ""),
)
ENTRY_MAPPING: dict[str, Any] = {
    "holds": "entries",
    "columns": {
        "client_id": "Code", "piece": "Pièce", "invoice_date": "Date", "amount": "Montant", "tag1": "Chantier",
        "tag3": "Dépôt",
    },
}  # fmt: skip


def fields_handed(sync: Sync) -> dict[str, dict[str, str]]:
    return {entry: told for call in sync.ledger.calls for entry, told in call.get("fields", {}).items()}


async def fields_by_piece(sync: Sync, company: str) -> dict[str, dict[str, str]]:
    handed = fields_handed(sync)
    return {
        entry["piece"]: handed[entry["entry_id"]]
        for entry in await sync.entries_said(company)
        if entry["entry_id"] in handed
    }


def named(sync: Sync) -> dict[str, str]:
    return {one["code"]: one["name"] for call in sync.ledger.calls for one in call.get("salespeople", [])}


async def test_a_list_of_clients_fills_fields_and_names_sales_people(sync: Sync, company: str) -> None:
    await sync.register(company)
    content = text_of(CLIENTS, CLIENT_HEAD)
    run = await sync.mapped(company, "clients", CLIENT_MAPPING, content)
    assert run["status"] == "completed", run["errors"]
    people = sync.ledger.people()
    assert people["C1"]["fields"] == {"tag1": "Nord", "tag10": "Chez Zoé"}
    assert people["C2"]["fields"] == {"tag10": 'Bo & "Fils"'}
    assert "fields" not in people["C4"]
    said = {client["client_id"]: client.get("salesperson") for client in await clients_said(sync, company)}
    assert (said["C1"], said["C4"]) == ("4", None)
    assert said["C2"] == said["C3"], "one person, however the name is written"
    assert named(sync) == {"4": "Anne Caron", said["C2"]: "Paul Durand"} | {said["C3"]: named(sync)[said["C3"]]}
    events = str(await sync.said(company))
    assert not any(word in events for word in ("Caron", "Durand", "Nord", "Zoé")), "personal: never in an event"

    calls = len(sync.ledger.calls)
    again = await sync.mapped(company, "clients", CLIENT_MAPPING, content)
    assert (again["clients_changed"], len(sync.ledger.calls)) == (0, calls)


async def test_a_field_or_a_sales_person_that_changes_is_handed_again(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(CLIENTS, CLIENT_HEAD))
    later = [list(row) for row in CLIENTS]
    later[0][2], later[1][4], later[2][2] = "Anne Martin", "Est", ""
    sync.ledger.calls.clear()
    run = await sync.mapped(company, "clients", CLIENT_MAPPING, text_of(later, CLIENT_HEAD))
    assert run["clients_changed"] == 3
    assert sync.ledger.people().keys() == {"C1", "C2", "C3"}
    assert named(sync)["4"] == "Anne Martin"
    assert sync.ledger.people()["C2"]["fields"]["tag1"] == "Est"
    told = [client for client in await clients_said(sync, company) if client["client_id"] == "C3"]
    assert told[-1] == {"client_id": "C3", "account": "411", "removed": False}


async def lines_of(rows: Sequence[Sequence[str]]) -> bytes:
    return text_of(rows, ENTRY_HEAD)


async def test_fields_of_entries_are_handed_over_and_follow_the_file(sync: Sync, company: str) -> None:
    await sync.register(company)
    run = await sync.mapped(company, "factures", ENTRY_MAPPING, await lines_of(ENTRIES))
    assert run["status"] == "completed", run["errors"]
    assert await fields_by_piece(sync, company) == {
        "F1": {"tag1": "Lyon\\2", "tag3": "A"},
        "F3": {"tag1": 'Quai "9"'},
    }
    assert "Lyon" not in str(await sync.said(company))
    again = await sync.mapped(company, "factures", ENTRY_MAPPING, await lines_of(ENTRIES))
    assert again["changed"] == 0

    later = [list(row) for row in ENTRIES]
    later[0][4], later[2][4] = "Paris", ""
    sync.ledger.calls.clear()
    changed = await sync.mapped(company, "factures", ENTRY_MAPPING, await lines_of(later))
    assert changed["changed"] == 2
    assert await fields_by_piece(sync, company) == {"F1": {"tag1": "Paris", "tag3": "A"}, "F3": {}}


async def test_a_source_that_tells_of_no_fields_takes_none_away(sync: Sync, company: str) -> None:
    await sync.register(company)
    await sync.mapped(company, "factures", ENTRY_MAPPING, await lines_of(ENTRIES))
    plain = {part: column for part, column in ENTRY_MAPPING["columns"].items() if not part.startswith("tag")}
    sync.ledger.calls.clear()
    content = await lines_of(ENTRIES)
    run = await sync.mapped(company, "factures", {"holds": "entries", "columns": plain}, content)
    assert (run["status"], fields_handed(sync)) == ("completed", {})


async def test_pushed_rows_carry_fields_and_sales_people(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    clients = [
        {
            "client_id": "C1",
            "client_name": "Port",
            "salesperson": "Anne Caron",
            "salesperson_code": "AC",
            "tag2": "B2B",
        }
    ]
    assert (await pushed(door, sync, company, "clients", clients, "c"))["status"] == "completed"
    assert (sync.ledger.people()["C1"]["fields"], named(sync)) == ({"tag2": "B2B"}, {"AC": "Anne Caron"})
    entries = [
        {"key": "1", "client_id": "C1", "piece": "F1", "debit": "10", "invoice_date": "2026-03-01", "tag1": "Lyon"}
    ]
    assert (await pushed(door, sync, company, "entries", entries, "e"))["status"] == "completed"
    assert (await clients_said(sync, company))[0]["salesperson"] == "AC"
    assert await fields_by_piece(sync, company) == {"F1": {"tag1": "Lyon"}}

    entries[0]["tag1"] = "Paris"
    assert (await pushed(door, sync, company, "entries", entries, "e2"))["changed"] == 1
    assert await fields_by_piece(sync, company) == {"F1": {"tag1": "Paris"}}


FEC = (
    "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\t"
    "PieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise"
    "\tCode Chantier\n"
    "VE\tVentes\t1\t20260105\t411000\tClients\tC1\tRoux\tF1\t20260105\tPose\t120,00\t0,00\t\t\t20260105\t\t"
    "\t Lyon \n"
    "VE\tVentes\t1\t20260105\t706000\tVentes\t\t\tF1\t20260105\tPose\t0,00\t120,00\t\t\t20260105\t\t\t\n"
)


async def test_a_further_column_of_a_fec_fills_the_field_that_was_chosen(sync: Sync, company: str) -> None:
    await sync.register(company)
    async with transaction(sync.running.engine) as tx:
        chosen = "insert into import_settings (company, accounts, term_days, fields) values (:c, '{411}', 30, :f)"
        fields = '{"tag1": "code chantier", "tag2": "Absente"}'
        await tx.execute(text(chosen.replace(":f", "cast(:f as jsonb)")), {"c": company, "f": fields})
    run = await sync.imported(company, FEC.encode())
    assert run["status"] == "completed", run["errors"]
    assert [(one["code"], one["column"]) for one in run["warnings"]] == [("field_column_missing", "Absente")]
    assert await fields_by_piece(sync, company) == {"F1": {"tag1": "Lyon"}}
