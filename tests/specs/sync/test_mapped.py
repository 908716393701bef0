"""Texts of a mapped file to values, and what is wrong with a file by line and column."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from services.sync.connectors import Rules
from services.sync.connectors.mapped import Mapped, table
from services.sync.connectors.mapped.guess import look
from services.sync.connectors.mapped.reader import MappedReading
from services.sync.connectors.mapped.values import AmountTexts, DateTexts
from services.sync.connectors.mapped.wording import WORDS, wording
from services.sync.domain.lines import Line
from services.sync.domain.problems import shown
from tests.specs.sync.books import codes

ENTRIES: dict[str, Any] = {
    "columns": {"client_id": "client", "piece": "piece", "due_date": "due", "amount": "amount"},
}
HEADER = "client;piece;due;amount"


def read(
    folder: Path, text: str | bytes, mapping: dict[str, Any], **rules: Any
) -> tuple[MappedReading, list[Line]]:
    path = folder / "file.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    reading = Mapped().open(path, Rules(mapping_name="m", mapping=mapping, **rules))
    return reading, [line for batch in reading.batches() for line in batch]


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("DD/MM/YYYY", "3/2/2026", "2026-02-03"),
        ("MM/DD/YYYY", "3/2/2026", "2026-03-02"),
        ("DD/MM/YYYY", "31/02/2026", None),
        ("DD/MM/YYYY", "13/13/2026", None),
        ("DD/MM/YYYY", "2026-02-03 00:00:00", "2026-02-03"),
        ("DD.MM.YYYY", "03.02.2026", "2026-02-03"),
        ("YYYYMMDD", "20260203", "2026-02-03"),
        ("YYYYMMDD", "20260203.0", "2026-02-03"),
        ("DD/MM/YY", "03/02/69", "2069-02-03"),
        ("DD/MM/YY", "03/02/70", "1970-02-03"),
        ("YYYY-MM-DD", "0000-00-00", ""),
        ("YYYY-MM-DD", "", ""),
        ("YYYY-MM-DD", "soon", None),
        ("YYYY-MM-DD", "1753-01-01", None),
    ],
)
def test_dates_in_the_form_of_the_mapping(form: str, text: str, day: str | None) -> None:
    assert DateTexts(form)[text] == day


@pytest.mark.parametrize(
    ("decimal", "thousands", "text", "units"),
    [
        (",", " ", "1 234,50", 12_345_000),
        (",", " ", "1\u202f234,50 €", 12_345_000),
        (",", "", "1234,5", 12_345_000),
        (".", ",", "1,234.50", 12_345_000),
        (".", ",", "12,34.50", None),
        (".", "", "1,234.50", None),
        (".", "", "-12.30", -123_000),
        (".", "", "12.30-", -123_000),
        (".", "", "(12.30)", -123_000),
        (".", "", "12.", 120_000),
        (".", "", "0.00005", None),
        (".", "", "0.10000000", 1_000),
        (".", "", "", 0),
        (".", "", "n/a", None),
        (".", "'", "1'234.50", 12_345_000),
    ],
)
def test_amounts_with_the_marks_of_the_mapping(decimal: str, thousands: str, text: str, units: int | None) -> None:
    assert AmountTexts(decimal, thousands)[text] == units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("client;piece;due\nC1;F1;2026-01-01\n", (1, "amount", "column_missing")),
        ("client;piece;due;amount;amount\nC1;F1;2026-01-01;1;1\n", (1, "amount", "column_twice")),
        (f"{HEADER}\n", (1, "", "no_rows")),
        ("", (1, "", "file_empty")),
        ("%PDF-1.7", (1, "", "not_a_table")),
        (f"{HEADER}\n;F1;2026-01-01;1\n", (2, "client", "field_empty")),
        (f"{HEADER}\nC1;F1;;1\n", (2, "invoice_date", "no_date")),
        (f"{HEADER}\nC1;F1;2026-02-30;1\n", (2, "due", "date_invalid")),
        (f"{HEADER}\nC1;F1;2026-02-20;one\n", (2, "amount", "amount_invalid")),
        (f"{HEADER}\nC1;F1;2026-02-20;1;2\n", (2, "", "cells_too_many")),
        (f'{HEADER}\n"C\n1";F1;2026-02-20;1\nC1;F2;x;1\n', (4, "due", "date_invalid")),
        (f"{HEADER}\n{'C' * 65};F1;2026-02-20;1\n", (2, "client", "client_too_long")),
        (f'{HEADER}\nC1;"F1;2026-02-20;1\n' + "x" * 200_000, (2, "", "row_unreadable")),
        (f'{HEADER}\nC1;"12 pouces;2026-02-20;1\nC2;F2;2026-02-20;1\n', (2, "", "row_unreadable")),
        (f'{HEADER}\nC1;"2 p;2026-02-20;1\nC2;F2;2026-02-20;1\nC3;"6;2026-02-20;1\n', (2, "", "row_unreadable")),
        (f'{HEADER}\nC1;"12;2026-02-20;1\nC2;F2;2026-02-20;1\nC3;F";2026-02-20;1\n', (2, "", "row_unreadable")),
        (f"{HEADER}\nC1;F1;2026-02-20\nC2;F2;2026-02-20;1\n", (2, "", "cells_missing")),
    ],
)
def test_what_is_wrong_is_named_by_line_and_column(
    tmp_path: Path, text: str, expected: tuple[int, str, str]
) -> None:
    reading, lines = read(tmp_path, text, ENTRIES)
    assert not lines
    assert codes(reading.verdict().errors) == [expected]
    problem = reading.verdict().errors[0]
    for language in ("en", "fr"):
        message, remedy = wording(problem.code, language, problem.details)
        assert message
        assert remedy


def test_cells_that_nothing_is_read_from_may_be_missing(tmp_path: Path) -> None:
    text = f"{HEADER};label;x\nC1;F1;2026-02-20;1\nC2;F2;2026-02-20;1;b;c"
    reading, lines = read(tmp_path, text, ENTRIES)
    assert not reading.verdict().errors
    assert [line.client_id for line in lines] == ["C1", "C2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("end", "expected"), [("1;b", [(3, "", "cells_missing")]), ("1;b\r\n", []), ("1;b;c", [])]
)
def test_a_short_last_line_without_its_end_was_cut_off(
    tmp_path: Path, end: str, expected: list[tuple[int, str, str]], encoding: str
) -> None:
    text = f"{HEADER};label;x\r\nC1;F1;2026-02-20;1;a;\r\nC2;F2;2026-02-20;{end}"
    reading, _ = read(tmp_path, text.encode(encoding), ENTRIES)
    assert codes(reading.verdict().errors) == expected


def test_a_quoted_cell_may_hold_lines_separators_and_doubled_marks(tmp_path: Path) -> None:
    mapping = {"columns": {**ENTRIES["columns"], "label": "label"}}
    text = f'{HEADER};label\nC1;F1;2026-02-20;1;"12"" pipe;\nblue; long"\nC2;F2;2026-02-20;1;12" pipe\n'
    reading, lines = read(tmp_path, text, mapping)
    assert not reading.verdict().errors
    assert [line.label for line in lines] == ['12" pipe; blue; long', '12" pipe']


def test_a_stray_quotation_mark_hides_the_separator_from_no_one(tmp_path: Path) -> None:
    rows = "".join(f"C{n};F{n};2026-02-20;1,50\n" for n in range(20))
    reading, _ = read(tmp_path, f'{HEADER}\nC1;"12 pouces;2026-02-20;1,50\n{rows}', ENTRIES | {"decimal": ","})
    assert codes(reading.verdict().errors) == [(2, "", "row_unreadable")]


def test_in_a_file_of_additions_a_settlement_to_come_is_told(tmp_path: Path) -> None:
    mapping = {"columns": {**ENTRIES["columns"], "settled_on": "paid"}, "missing": "keep"}
    text = f"{HEADER};paid\nC1;F1;2026-01-20;1;2026-02-20\n"
    reading, _ = read(tmp_path, text, mapping, as_of=date(2026, 2, 19))
    assert codes(reading.verdict().warnings) == [(2, "paid", "settled_later")]
    reading, _ = read(tmp_path, text, mapping, as_of=date(2026, 2, 20))
    assert not reading.verdict().warnings


def test_a_damaged_character_is_named_in_a_file_that_is_utf8(tmp_path: Path) -> None:
    rows = "".join(f"Cé{n};Fé{n};2026-02-20;1\n" for n in range(20))
    reading, _ = read(tmp_path, f"{HEADER}\n{rows}".encode() + b"C1;F\xe9;2026-02-20;1\n", ENTRIES)
    assert codes(reading.verdict().errors) == [(22, "piece", "character_undecodable")]


def test_words_that_mean_nothing_are_named(tmp_path: Path) -> None:
    mapping = {
        "columns": {**ENTRIES["columns"], "side": "sens", "kind": "type", "status": "etat", "currency": "devise"},
        "kinds": {"FA": "invoice"}, "open_words": ["ouvert"], "closed_words": ["soldé"],
    }  # fmt: skip
    text = (
        f"{HEADER};sens;type;etat;devise\n"
        "C1;F1;2026-02-20;1;D;fa;Ouvert;EUR\n"
        "C1;F2;2026-02-20;1;X;ZZ;perdu;monnaie\n"
        "C1;F3;2026-02-20;1;C;;soldé;€\n"
    )
    reading, _ = read(tmp_path, text, mapping)
    assert [code for _, _, code in codes(reading.verdict().errors)] == ["side_unknown"]
    reading, _ = read(tmp_path, text.replace(";X;", ";D;"), mapping)
    assert [code for _, _, code in codes(reading.verdict().errors)] == [
        "currency_unknown", "kind_unknown", "status_unknown",
    ]  # fmt: skip


def test_rows_of_others_are_left_out(tmp_path: Path) -> None:
    mapping = {**ENTRIES, "only": {"soc": ["A"]}}
    reading, lines = read(tmp_path, f"{HEADER};soc\nC1;F1;2026-02-20;1;a\nC2;F2;bad;1;B\n", mapping)
    assert [line.client_id for line in lines] == ["C1"]
    assert not reading.verdict().refused


def test_debit_and_credit_columns_and_the_other_sign(tmp_path: Path) -> None:
    sided = {"columns": {"client_id": "client", "due_date": "due", "debit": "d", "credit": "c"}}
    _, lines = read(tmp_path, "client;due;d;c\nC1;2026-02-20;10;\nC1;2026-02-20;;4\nC1;2026-02-20;-3;\n", sided)
    assert [(line.debit, line.credit, line.kind) for line in lines] == [
        (100_000, 0, "invoice"), (0, 40_000, "payment"), (0, 30_000, "payment"),
    ]  # fmt: skip
    _, lines = read(tmp_path, f"{HEADER}\nC1;F1;2026-02-20;-10\n", ENTRIES | {"positive": "credit"})
    assert (lines[0].debit, lines[0].kind) == (100_000, "invoice")


@pytest.mark.parametrize(
    ("day", "lettered"), [(date(2026, 2, 19), False), (date(2026, 2, 20), True), (date(2026, 2, 21), True)]
)
def test_a_settlement_happens_on_its_day(tmp_path: Path, day: date, lettered: bool) -> None:
    mapping = {"columns": {**ENTRIES["columns"], "settled_on": "paid"}}
    _, lines = read(tmp_path, f"{HEADER};paid\nC1;F1;2026-01-20;1;2026-02-20\n", mapping, as_of=day)
    assert bool(lines[-1].lettering) is lettered
    assert sum(line.book for line in lines) == (0 if lettered else 10_000)


def test_every_problem_has_words_in_both_languages() -> None:
    for words in WORDS.values():
        assert all(words)


def test_a_guess_knows_the_sign_for_number(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("N° client;N° de facture;Date;Montant\nC1;F1;01/03/2026;12,50\n", encoding="utf-8")
    found = {column.name: column.field for column in look(path).columns}
    assert (found["N° client"], found["N° de facture"]) == ("client_id", "piece")


def test_a_guess_tells_american_dates_from_french_ones_by_their_values(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text('customer,due date,open amount\nC1,12/31/2026,"1,200.50"\n', encoding="utf-8")
    mapping = look(path).mapping
    assert (mapping["dates"], mapping["thousands"], mapping["separator"]) == ("MM/DD/YYYY", ",", ",")
    path.write_text("client;échéance;débit;crédit\nC1;31.12.2026;1200,5;\n", encoding="cp1252")
    mapping = look(path).mapping
    assert (mapping["dates"], mapping["decimal"]) == ("DD.MM.YYYY", ",")
    assert set(mapping["columns"]) == {"client_id", "due_date", "debit", "credit"}


def _workbook(folder: Path, rows: int) -> bytes:
    path = folder / "written.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER.split(";"))
        for number in range(1, rows + 1):
            sheet.write_row(number, 0, [f"C{number}", f"F{number}", "2026-02-20", 1])
    return path.read_bytes()


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = _workbook(tmp_path, rows=3_000)
    reading, lines = read(tmp_path, content, ENTRIES)
    assert (len(lines), reading.verdict().errors) == (3_000, ())
    monkeypatch.setattr(table, "MOST_UNPACKED", 100_000)
    reading, _ = read(tmp_path, content, ENTRIES)
    assert codes(reading.verdict().errors) == [(1, "", "workbook_too_large")]


def test_the_sizes_that_a_workbook_tells_of_itself_are_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(_workbook(tmp_path, rows=3_000))
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/worksheets/sheet1.xml"))
    content[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    monkeypatch.setattr(table, "MOST_UNPACKED", 100_000)
    reading, _ = read(tmp_path, bytes(content), ENTRIES)
    assert codes(reading.verdict().errors) == [(1, "", "workbook_too_large")]


def test_a_damaged_workbook_is_told(tmp_path: Path) -> None:
    content = bytearray(_workbook(tmp_path, rows=300))
    content[len(content) // 2] ^= 0xFF
    reading, _ = read(tmp_path, bytes(content), ENTRIES)
    assert codes(reading.verdict().errors) == [(1, "", "workbook_unreadable")]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("31/02/2026", "31/02/2026"),
        ("1.2,3", "1.2,3"),
        ("Mme Éléonore Port", "xxx xxxxxxxx xxxx"),
        ("12 rue du Quai", "99 xxx xx xxxx"),
        ("compta@port.example", "xxxxxx@xxxx.xxxxxxx"),
        ("06 12 34 56 78", "99 99 99 99 99"),
    ],
)
def test_a_problem_never_keeps_what_may_be_a_persons(value: str, told: str) -> None:
    assert shown(value) == told


def test_a_column_taken_for_another_leaves_nothing_of_its_content(tmp_path: Path) -> None:
    """Given a mapping that takes names for dates, amounts and words, when the file is read, then the problems name
    line and column, and no name."""
    mapping = ENTRIES | {"columns": {"client_id": "client", "due_date": "piece", "amount": "amount"}}
    reading, _ = read(tmp_path, f"{HEADER}\nC1;Mme Port;;Durand\n", mapping)
    errors = reading.verdict().errors
    assert {(error.line, error.code) for error in errors} == {(2, "date_invalid"), (2, "amount_invalid")}
    assert "Port" not in str(errors)
    assert "Durand" not in str(errors)
