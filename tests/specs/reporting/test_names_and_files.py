"""Names folded for searching, and lists written as files."""

import csv
import io
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from services.reporting.exports import csv_file
from services.reporting.people import fold
from services.reporting.shapes import PromiseLine, Promises

DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Établissements  Rey-Normand", "etablissements rey normand"),
        ("SŒUR & Cie", "soeur cie"),
        ("Hôtel du Parc", "hotel du parc"),
        ("L'Étoile", "l etoile"),
        ("Straße", "strasse"),
        ("", ""),
    ],
)
def test_names_are_folded(name: str, folded: str) -> None:
    assert fold(name) == folded


def promises(name: str) -> Promises:
    line = PromiseLine(
        promise_id=uuid4(),
        client_id="411ALBA",
        name=name,
        entry_id="0" * 32,
        piece="F1",
        amount=Decimal("1260.5"),
        currency="EUR",
        promised_on=date(2026, 11, 20),
        days_late=4,
        status="late",
        recorded_on=date(2026, 11, 1),
        level=None,
        overdue=Decimal("-3"),
    )
    return Promises(
        as_of=DAY,
        currency="EUR",
        count=1,
        amount=Decimal(1260),
        overdue=Decimal(0),
        rows=[line],
        page=1,
        size=15,
        pages=1,
    )


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


def test_a_french_file_has_decimal_commas_and_days_first() -> None:
    [heading, row] = rows(csv_file(promises("Alba"), "fr"))
    assert heading[:4] == ["Code", "Client", "Niveau", "En retard"]
    assert row[:8] == ["411ALBA", "Alba", "", "-3,00", "F1", "20/11/2026", "4", "1260,50"]


def test_an_english_file_has_decimal_points_and_iso_days() -> None:
    [heading, row] = rows(csv_file(promises("Alba"), "en"))
    assert heading[7] == "Amount"
    assert row[5:8] == ["2026-11-20", "4", "1260.50"]


@pytest.mark.parametrize("name", ["=1+1", "+33", "-x", "@sum"])
def test_a_name_is_never_a_formula(name: str) -> None:
    [_, row] = rows(csv_file(promises(name), "fr"))
    assert row[1] == f"'{name}"
