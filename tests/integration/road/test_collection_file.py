"""The collection file of a client, opened as a bailiff opens it (rules 8.11, 19.7)."""

import email
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import date
from email import policy
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

import cli.__main__  # noqa: F401 - all commands add themselves
from cli.app import app
from cli.demo_book import HEADER
from cli.main_job import import_file
from cli.road import Road, RoadBlocked
from cli.trial import Trial
from tests.waiting import asked_until

DAY = date(2026, 9, 15)
CLIENT, OTHER = "4110042", "4110043"
BOOK = [
    ("VE", "F1", "411", CLIENT, "Menuiserie Péron", "Travaux", "1200,00", "0,00"),
    ("VE", "F1", "706", "", "", "Travaux", "0,00", "1200,00"),
    ("VE", "F2", "411", OTHER, "Autre Client", "Fournitures", "300,00", "0,00"),
    ("VE", "F2", "706", "", "", "Fournitures", "0,00", "300,00"),
]
INVOICE = b"%PDF-1.4 facture F1\n%%EOF"


def given(road: Road, folder: Path) -> str:
    """A client with a late invoice and its PDF, a mail that left, a registered letter. Its entry."""
    road.register("Ateliers Delcourt")
    person = {"client_id": CLIENT, "name": "Menuiserie Péron", "emails": ["compta@peron.example"]}
    person |= {"address": {"street": "12 quai des Bateliers", "postcode": "67000", "city": "Strasbourg"}}
    road.hand_people("crm", [person])
    file = folder / "123456789FEC20261231.txt"
    rows = ["\t".join(HEADER)]
    for journal, piece, account, aux, name, label, debit, credit in BOOK:
        told = [journal, "Ventes", piece[1:], "20260701", account, "Compte", aux, name, piece, "20260701", label]
        rows.append("\t".join([*told, debit, credit, "", "", "20260701", "", ""]))
    file.write_text("\r\n".join(rows) + "\r\n", encoding="utf-8")
    imported = import_file(road, file, None)
    road.wait_until_ledger_heard({name: dict(heard) for name, heard in imported["positions"].items()})
    bundle = folder / "invoices.zip"
    with zipfile.ZipFile(bundle, "w") as made:
        named = {"documents": [{"file": "facture é.pdf", "invoice_number": "F1"}]}
        made.writestr("metadata.json", json.dumps(named))
        made.writestr("facture é.pdf", INVOICE)
    assert road.upload_documents(bundle)["attached"] == 1
    terms = {"debtors": "all_but", "categories": []}
    road._retry_while_unknown(lambda: road._call("PUT", road.addresses.ledger, "/late-interest", json=terms), 30)
    road.round(DAY, imported["positions"])
    (mail,) = [
        row["action_id"]
        for group in road.tasks(DAY)["groups"]
        for row in group["rows"]
        if row["client_id"] == CLIENT and group["medium"] == "email"
    ]
    road.confirm([mail], DAY)
    sending = asked_until(lambda told: told["sent"] == 1, lambda: road.sending_of([mail]), within=60)
    assert sending["sent"] == 1, sending
    entry_id: str = road.statement(CLIENT)[0]["entry_id"]
    send_a_letter(road, entry_id)
    road.tell("record-promise", client_id=CLIENT, entry_id=entry_id, amount="500.00", promised_on="2026-09-30")
    return entry_id


def send_a_letter(road: Road, entry_id: str, *, posted: bool = True) -> None:
    wish = {"request_id": str(uuid4()), "client_id": CLIENT, "entry_ids": [entry_id], "medium": "letter"}
    wish |= {"kind": "reminder", "counts": False, "template": "R5"}
    plan = road.ask_dunning("/by-hand/plan", wish | {"as_of": f"{DAY}"})
    said = road.ask_dunning(
        "/by-hand", {"actions": [wish | {"accepted_reasons": plan["reasons"]}], "as_of": f"{DAY}"}
    )
    (letter,) = said["done"]
    body = {"action_ids": [letter], "registered": True}
    made = asked_until(
        lambda told: letter in told["prepared"],
        lambda: road.ask_of("notify", "POST", "/letters/prepare", json=body),
    )
    assert letter in made["prepared"], made
    if not posted:
        return
    road.ask_of(
        "notify", "POST", "/letter/registered-number", json={"action_id": letter, "number": "1A 123 456 7890 1"}
    )
    assert road.letters_posted([letter])["posted"] == 1


def packed(road: Road, client_id: str, **more: Any) -> dict[str, bytes]:
    content = road.file("/collection-file", {"client_id": client_id, **more})
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        assert made.testzip() is None
        return {name: made.read(name) for name in made.namelist()}


def text_of(pdf: bytes) -> str:
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)]
    return plain(" ".join(pages))


def plain(text: str) -> str:
    """Any space is one, whatever its width."""
    return " ".join(text.replace("\u200b", "").split())


def sheet(book: bytes, name: str) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_name(name).to_python()


def of_kind(files: Mapping[str, bytes], folder: str, ending: str) -> list[str]:
    return [name for name in files if name.startswith(f"{folder}/") and name.endswith(ending)]


def test_the_file_holds_what_was_owed_and_sent_with_its_proof(trial: Trial, company: str, tmp_path: Path) -> None:
    """Rules 8.11, 19.7, 19.9: in French, then in English; the first stops the client and its entries."""
    road = trial.road(company, DAY)
    given(road, tmp_path)
    assert road.ask("ledger", "/client", client_id=CLIENT)["stop"] is None

    files = packed(road, CLIENT, stop=False)
    assert road.ask("ledger", "/client", client_id=CLIENT)["stop"] is None, "unticked"
    (eml,) = of_kind(files, "relances", ".eml")
    transcript, letter = sorted(of_kind(files, "relances", ".pdf"))
    assert files["factures/F1_facture_e.pdf"] == INVOICE
    assert {"00-bordereau.pdf", "01-releve-de-compte.xlsx", "preuves/archive.json"} < set(files)

    message = email.message_from_bytes(files[eml], policy=policy.default)
    assert "compta@peron.example" in str(message["To"])
    told = text_of(files[transcript])
    assert "compta@peron.example" in told
    assert plain(str(message["Subject"])) in told
    assert "Menuiserie Péron" in text_of(files[letter])

    index = text_of(files["00-bordereau.pdf"])
    for wanted in (
        "Dossier de recouvrement", "Ateliers Delcourt", "Menuiserie Péron", "12 quai des Bateliers", "1 200,00 €",
        "facture é.pdf", "compta@peron.example", "Remis au serveur de messagerie",
        "Recommandé n° 1A 123 456 7890 1", "Postée le 15/09/2026",
        "Promesse du 15/09/2026 : 500,00 € pour le 30/09/2026", "40,00 €", "Archive légale",
    ):  # fmt: skip
        assert wanted in index, wanted
    assert "Autre Client" not in index

    entries = sheet(files["01-releve-de-compte.xlsx"], "Écritures")
    assert [row[0] for row in entries] == ["Pièce", "F1"]
    assert (entries[1][5], entries[1][-1]) == (1200.0, "facture é.pdf")
    assert sheet(files["01-releve-de-compte.xlsx"], "Client")[3] == ["Nom", "Menuiserie Péron"]
    assert len(sheet(files["01-releve-de-compte.xlsx"], "Pénalités")) > 1

    archive = json.loads(files["preuves/archive.json"])
    kinds = [json.loads(one["body"])["kind"] for one in archive["records"]]
    assert sorted(kinds) == ["email_sent", "letter_numbered", "letter_posted", "letter_prepared"]
    assert all(sha256(one["body"].encode()).hexdigest() == one["hash"] for one in archive["records"])
    sealed = {body["kind"]: body["content"] for body in (json.loads(one["body"]) for one in archive["records"])}
    assert sealed["email_sent"]["sha256"] == sha256(files[eml]).hexdigest()
    assert sealed["letter_prepared"]["sha256"] == sha256(files[letter]).hexdigest()
    sums = dict(reversed(line.split("  ", 1)) for line in files["SHA256SUMS.txt"].decode().splitlines())
    assert sums == {name: sha256(content).hexdigest() for name, content in files.items() if name in sums}
    assert set(files) - set(sums) == {"SHA256SUMS.txt"}

    files = packed(road, CLIENT, language="en")
    index = text_of(files["00-index.pdf"])
    assert "Collection file" in index
    assert "Registered, no. 1A 123 456 7890 1" in index
    assert len(of_kind(files, "reminders", ".eml")) == 1
    person = road.ask("ledger", "/client", client_id=CLIENT)
    assert person["stop"]["since"] == f"{DAY}"
    assert len(person["stopped_entries"]) == 1
    done = road.ask_of("notify", "POST", "/archive/verify", json={"known": archive["head"]})
    assert (done["broken"], done["contents"]) == (None, 2)
    road.close()


def relance(trial: Trial, company: str, *arguments: str) -> tuple[int, str]:
    """A command as an operator gives it: its exit code and what it shows."""
    told = [*arguments, "--company", company, "--data", str(trial.stack.data_dir)]
    done = CliRunner().invoke(app, told, catch_exceptions=False)
    return done.exit_code, done.output


def test_proof_from_the_command_line(trial: Trial, company: str, tmp_path: Path) -> None:
    """Rules 8.11, 18.2, 19.7, 19.9: ``interest``, ``letters``, ``archive`` and ``collection-file``."""
    trial.stack.write_state()
    road = trial.road(company, DAY)
    entry_id = given(road, tmp_path)
    code, shown = relance(trial, company, "interest", CLIENT, "--as-of", f"{DAY}")
    assert code == 0, shown
    assert "indemnity 40.00 EUR for 1 invoices" in shown

    code, shown = relance(trial, company, "letters", "list", "--posted")
    assert (code, "67000 Strasbourg" in shown, "1 letters." in shown) == (0, True, True), shown
    pile = tmp_path / "pile.pdf"
    assert relance(trial, company, "letters", "print", "--into", str(pile))[0] == 1, "none is to be posted"
    send_a_letter(road, entry_id, posted=False)
    code, shown = relance(trial, company, "letters", "print", "--into", str(pile))
    assert (code, pile.read_bytes()[:5]) == (0, b"%PDF-"), shown
    assert "1 letters posted." in relance(trial, company, "letters", "posted", "--on", f"{DAY}")[1]

    zipped = tmp_path / "file.zip"
    code, shown = relance(trial, company, "collection-file", CLIENT, "--to", str(zipped), "--no-stop")
    assert code == 0, shown
    with zipfile.ZipFile(zipped) as made:
        known = json.loads(made.read("preuves/archive.json"))["head"]
    code, shown = relance(trial, company, "archive", "list", CLIENT)
    assert (code, "compta@peron.example" in shown, "6 records." in shown) == (0, True, True), shown
    pinned = f"{known['n']}:{known['hash']}"
    code, shown = relance(trial, company, "archive", "verify", "--known", pinned)
    assert (code, "6 records are as they were sealed, 3 contents compared" in shown) == (0, True), shown
    code, shown = relance(trial, company, "archive", "verify", "--known", f"1:{'0' * 64}")
    assert (code, "Record 1 (" in shown, "made anew" in shown) == (1, True, True), shown
    road.close()


def test_there_is_no_file_of_an_unknown_client(trial: Trial, company: str) -> None:
    road = trial.road(company, DAY)
    road.register("Ateliers Delcourt")
    with pytest.raises(RoadBlocked) as blocked:
        asked_until(lambda _: False, lambda: packed(road, "NOBODY"), within=1)
    assert blocked.value.problem["status"] == 404
    road.close()
