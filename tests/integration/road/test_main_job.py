"""A ledger file goes in, a person confirms, mails arrive: counted by an independent computation."""

import random
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.books import CLOSING, FILE_NAME, write_fec
from cli.main_job import ImportRefused, import_file, run_on
from cli.places import ROOT
from cli.road import Json
from cli.trial import Trial
from tests.integration.road.independent import Expected, expected

SHARED = ROOT.parent / "shared" / "data" / "fec"
REAL_BOOK = SHARED / "123456789FEC20190731.txt"
DOMAIN = "example.org"
as_of = date(2026, 9, 15)

needs_real_books = pytest.mark.skipif(not SHARED.is_dir(), reason="the real books are not beside this clone")


def proposals(trial: Trial, company: str, day: date) -> dict[tuple[str, str], tuple[Decimal, Decimal, int]]:
    """``{(client, step): (amount, net amount, entries)}`` of the e-mail actions that dunning shows."""
    road = trial.road(company, day)
    tasks = road.tasks(day)
    road.close()
    return {
        (row["client_id"], group["step"]): (
            Decimal(row["amount"]),
            Decimal(row["net_amount"]),
            len(row["entries"]),
        )
        for group in tasks["groups"]
        if group["medium"] == "email"
        for row in group["rows"]
        if row["ticked"]
    }


def take_in(trial: Trial, company: str, file: Path, day: date) -> Json:
    road = trial.road(company, day)
    road.register(company)
    imported = import_file(road, file, DOMAIN)
    road.round(day, imported["positions"])
    road.close()
    return imported


def assert_same_books(report: Mapping[str, Any], by_hand: Expected) -> None:
    assert report["receivable_lines"] == by_hand.receivable_lines
    assert report["clients"] == by_hand.clients
    assert report["lettering_groups"] == by_hand.lettering_groups
    assert report["unbalanced_groups"] == by_hand.unbalanced_groups
    assert report["open_entries"] == by_hand.open_entries
    assert Decimal(report["open_balance"]) == by_hand.open_balance


def test_the_first_day_proposes_what_an_independent_computation_finds(
    trial: Trial, company: str, tmp_path: Path
) -> None:
    file = tmp_path / FILE_NAME
    write_fec(file, 1200)
    by_hand = expected(file, as_of, "utf-8", "\t")
    imported = take_in(trial, company, file, as_of)
    assert_same_books(imported, by_hand)
    assert proposals(trial, company, as_of) == by_hand.actions


def test_every_confirmed_email_arrives_once_and_a_second_run_sends_nothing(
    trial: Trial, company: str, tmp_path: Path
) -> None:
    file = tmp_path / FILE_NAME
    write_fec(file, 400)
    by_hand = expected(file, as_of, "utf-8", "\t")
    first = run_on(trial, file, company, as_of, DOMAIN)
    assert first["changed"] == by_hand.receivable_lines
    assert sum(first["actions"].values()) == len(by_hand.actions)
    assert first["mails_received"] == first["mails_sent"] == len(by_hand.actions) > 0
    again = run_on(trial, file, company, as_of, DOMAIN)
    assert (again["changed"], again["mails_received"], again["confirmed"]) == (0, 0, 0)


@needs_real_books
def test_a_real_book_is_read_decided_and_sent_as_computed_by_hand(trial: Trial, company: str) -> None:
    day = date(2019, 7, 31)
    by_hand = expected(REAL_BOOK, day, "utf-8", "\t")
    report = run_on(trial, REAL_BOOK, company, day, DOMAIN)
    assert (report["receivable_lines"], report["clients"], report["lettering_groups"]) == (3310, 732, 1310)
    assert (report["open_entries"], report["open_balance"]) == (310, "283113.83")
    assert_same_books(report, by_hand)
    assert sum(report["actions"].values()) == len(by_hand.actions)
    assert report["mails_received"] == len(by_hand.actions)


@needs_real_books
def test_a_changed_real_book_says_only_what_changed(trial: Trial, company: str, tmp_path: Path) -> None:
    day = date(2019, 7, 31)
    take_in(trial, company, REAL_BOOK, day)
    before = levels(trial, company)
    head, *rows = REAL_BOOK.read_text(encoding="utf-8").splitlines()

    random.Random(3).shuffle(rows)
    reordered = tmp_path / REAL_BOOK.name
    reordered.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    assert take_in(trial, company, reordered, day)["changed"] == 0

    changed = tmp_path / "changed" / REAL_BOOK.name
    changed.parent.mkdir()
    changed.write_text("\n".join([head, *with_eight_changes(rows)]) + "\n", encoding="utf-8")
    imported = take_in(trial, company, changed, day)
    assert imported["changed"] == 8
    assert imported["archived"] == 1
    after = levels(trial, company)
    assert {key: after[key] for key in before if key in after} == {
        key: before[key] for key in before if key in after
    }


def test_a_refused_file_leaves_everything_as_it_was(trial: Trial, company: str, tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    write_fec(file, 200)
    take_in(trial, company, file, as_of)
    before = proposals(trial, company, as_of)
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].replace("\t", "|", 3)
    broken = tmp_path / "broken" / FILE_NAME
    broken.parent.mkdir()
    broken.write_text("\n".join(lines), encoding="utf-8")
    road = trial.road(company, as_of)
    with pytest.raises(ImportRefused) as refused:
        import_file(road, broken, DOMAIN)
    road.close()
    problem = refused.value.result["errors"][0]
    assert (problem["file"], problem["line"]) == (FILE_NAME, 6)
    assert problem["message"]
    assert problem["remedy"]
    assert proposals(trial, company, as_of) == before


def with_eight_changes(rows: list[str]) -> list[str]:
    """Three open customer rows lettered, one open customer row removed, four customer rows added."""
    result, lettered, removed = [], 0, 0
    for row in rows:
        cells = row.split("\t")
        is_open = cells[4].startswith("411") and not cells[13].strip()
        if is_open and lettered < 3:
            cells[13], lettered = "ZZZ", lettered + 1
        elif is_open and not removed:
            removed += 1
            continue
        result.append("\t".join(cells))
    template = next(row for row in rows if row.split("\t")[4].startswith("411")).split("\t")
    for number in range(4):
        added = list(template)
        added[2], added[8], added[11], added[12], added[13] = "NEW", f"NEW{number}", "10,00", "0,00", ""
        balancing = list(added)
        balancing[4:8] = ["70600000", "Prestations", "", ""]
        balancing[11], balancing[12] = "0,00", "10,00"
        result += ["\t".join(added), "\t".join(balancing)]
    return result


def levels(trial: Trial, company: str) -> dict[str, Any]:
    """Level of every entry that dunning knows one for."""
    import psycopg

    with psycopg.connect(trial.dsn) as connection:
        query = "select entry_id, level from dunning.entry_level where company = %s"
        return dict(connection.execute(query, (company,)).fetchall())


assert CLOSING.year == as_of.year
