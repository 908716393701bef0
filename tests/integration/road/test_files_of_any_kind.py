"""Every collected file comes in through the public commands, and the ledger shows what a plain reading finds."""

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.places import ROOT
from cli.trial import Trial
from tests.integration.road.independent import expected
from tests.integration.sync import independent
from tests.integration.sync.test_mapped_files import HIGHRADIUS, IBM

FEC = independent.SHARED / "fec"
needs_collected_files = pytest.mark.skipif(
    not independent.SHARED.is_dir(), reason="the collected files are not beside this clone"
)


def relance(trial: Trial, *arguments: str) -> Any:
    """The JSON that a command prints."""
    data = str(trial.stack.data_dir)
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments, "--data", data, "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def register(trial: Trial, company: str, currency: str) -> None:
    road = trial.road(company)
    road.register(company, currency)
    road.close()


def open_days_late(trial: Trial, company: str, day: date, imported: Any) -> dict[str, int]:
    """Piece to days late of everything open, as ledger knows it once it has heard the import."""
    return {entry["piece"]: entry["days_late"] for _, entry in open_entries(trial, company, day, imported)}


def open_entries(trial: Trial, company: str, day: date, imported: Any) -> list[tuple[str, Any]]:
    """Each with its client."""
    road = trial.road(company, day)
    positions = {
        speaker: {int(p): n for p, n in heard.items()} for speaker, heard in imported["positions"].items()
    }
    road.wait_until_ledger_heard({"sync": positions["sync"]})
    people = road._call("POST", road.addresses.ledger, "/people/query", json={"client_ids": None, "limit": 5000})
    assert people is not None
    entries = [
        (person["client_id"], entry)
        for person in people["people"]
        for entry in road.statement(person["client_id"])
    ]
    road.close()
    return entries


def open_lines(trial: Trial, company: str, day: date, imported: Any) -> Counter[tuple[str, Decimal, int]]:
    """(client, amount, days late) of everything open, as ledger knows it once it has heard the import."""
    return Counter(
        (client_id, Decimal(entry["debit"]) - Decimal(entry["credit"]), entry["days_late"])
        for client_id, entry in open_entries(trial, company, day, imported)
    )


@needs_collected_files
def test_a_receivables_export_by_mapping_alone(trial: Trial, company: str, tmp_path: Path) -> None:
    day = date(2020, 5, 1)
    by_hand = independent.highradius(day)
    register(trial, company, "USD")
    written = tmp_path / "mapping.yaml"
    written.write_text(yaml.safe_dump(HIGHRADIUS), encoding="utf-8")
    relance(trial, "mapping", "save", "receivables", "--company", company, "--from", str(written))
    assert relance(trial, "mapping", "show", "receivables", "--company", company) == HIGHRADIUS
    command = ("import", str(independent.HIGHRADIUS), "--company", company, "--mapping", "receivables")
    looked = relance(trial, *command, "--as-of", f"{day}", "--dry-run")
    assert (looked["dry_run"], looked["changed"]) == (True, len(by_hand.days_late))
    imported = relance(trial, *command, "--as-of", f"{day}")
    assert Decimal(imported["open_balance"]) == by_hand.balance
    assert open_days_late(trial, company, day, imported) == by_hand.days_late
    assert relance(trial, *command, "--as-of", f"{day}")["changed"] == 0


@needs_collected_files
def test_paid_invoices_by_mapping_alone(trial: Trial, company: str, tmp_path: Path) -> None:
    day = date(2012, 12, 31)
    by_hand = independent.ibm(day)
    register(trial, company, "USD")
    written = tmp_path / "mapping.yaml"
    written.write_text(yaml.safe_dump(IBM), encoding="utf-8")
    relance(trial, "mapping", "save", "history", "--company", company, "--from", str(written))
    command = ("import", str(independent.IBM), "--company", company, "--mapping", "history", "--as-of", f"{day}")
    imported = relance(trial, *command)
    assert Decimal(imported["open_balance"]) == by_hand.balance
    assert open_days_late(trial, company, day, imported) == by_hand.days_late


BOOKS = {
    "111111111FEC20221231.TXT": ("cp850", "|"),
    "552100554FEC20231231.csv": ("utf-8", "|"),
    "123456789FEC20190731.txt": ("utf-8", "\t"),
    "lsn_sample_tab.txt": ("utf-8", "\t"),
    "lsn_sample_pipe_montant_sens.txt": ("utf-8", "|"),
    "olivedu13_sample_fec_bijouterie.txt": ("utf-8", "\t"),
}
"""The collected books, how each is written, and between what."""


@needs_collected_files
def test_no_collected_file_is_left_out() -> None:
    for folder, names in (
        ("fec", {*BOOKS}),
        ("highradius", {independent.HIGHRADIUS.name}),
        ("ibm", {independent.IBM.name}),
    ):
        assert {file.name for file in (independent.SHARED / folder).iterdir()} == names


@needs_collected_files
@pytest.mark.parametrize(("name", "encoding", "separator"), [(name, *how) for name, how in BOOKS.items()])
def test_every_collected_book(trial: Trial, company: str, name: str, encoding: str, separator: str) -> None:
    day = date(2024, 12, 31)
    by_hand = expected(FEC / name, day, encoding, separator)
    register(trial, company, "EUR")
    imported = relance(trial, "import", str(FEC / name), "--company", company, "--as-of", f"{day}")
    figures = ("receivable_lines", "clients", "lettering_groups", "unbalanced_groups", "open_entries")
    assert {key: imported[key] for key in figures} == {key: getattr(by_hand, key) for key in figures}
    assert Decimal(imported["open_balance"]) == by_hand.open_balance
    assert open_lines(trial, company, day, imported) == by_hand.open_lines
