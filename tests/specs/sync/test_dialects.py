"""However accounting software writes a FEC, the same lines come out of it."""

from itertools import product
from pathlib import Path

import pytest

from services.sync.connectors import Rules
from services.sync.connectors.fec.columns import LEGAL
from services.sync.domain.lines import Line
from tests.specs.sync.books import Row, Writing, book, codes, invoice, payment, read, row

WITH_SENS = tuple({"Debit": "Montant", "Credit": "Sens"}.get(name, name) for name in LEGAL)


def canonical(folder: Path) -> list[Line]:
    return read(folder, Writing().bytes(book()))[1]


def dashed(column: str, text: str) -> str:
    is_date = column.endswith("Date") or column == "DateLet"
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if is_date and text else text


def padded(column: str, text: str) -> str:
    if column in ("Debit", "Credit"):
        return text.rjust(13, "0")
    return text.ljust(20)


def with_sens(rows: list[Row]) -> list[Row]:
    return [
        one | {"Montant": one["Debit"], "Sens": "D"}
        if one["Debit"] != "0,00"
        else one | {"Montant": one["Credit"], "Sens": "C"}
        for one in rows
    ]


@pytest.mark.parametrize(
    ("encoding", "separator", "end"),
    list(product(("utf-8", "utf-8-sig", "iso-8859-15", "cp850", "cp1252"), ("\t", "|"), ("\n", "\r\n"))),
)
def test_encoding_separator_and_line_ends_change_nothing(
    tmp_path: Path, encoding: str, separator: str, end: str
) -> None:
    content = Writing(encoding, separator, end).bytes(book())
    reading, lines = read(tmp_path, content)
    assert not reading.verdict().errors
    assert not reading.verdict().warnings
    assert lines == canonical(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-15", "cp850"])
def test_one_accented_letter_far_into_a_file_decides_its_encoding(tmp_path: Path, encoding: str) -> None:
    plain = [one | {"EcritureLib": "Facture", "CompAuxLib": one["CompAuxNum"]} for one in book(400)]
    rows = [*plain, *invoice(9999, EcritureLib="Réglé", CompAuxLib="C1")]
    _, lines = read(tmp_path, Writing(encoding).bytes(rows))
    assert lines[-1].label == "Réglé"


def test_capitals_tell_the_code_page_too(tmp_path: Path) -> None:
    rows = invoice(1, EcritureLib="RÈGLEMENT DÉJÀ REÇU", CompAuxLib="ÉTABLISSEMENTS CÔTÉ")
    for encoding in ("iso-8859-15", "cp850"):
        _, lines = read(tmp_path, Writing(encoding).bytes(rows))
        assert lines[0].label == "RÈGLEMENT DÉJÀ REÇU", encoding


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("cp1252", "Acompte 50 €"),
        ("iso-8859-15", "Acompte 50 €"),
        ("cp850", "Facture à 30 jours"),
        ("cp1252", "Cœur de métier"),
    ],
)
def test_a_single_sign_is_evidence(tmp_path: Path, encoding: str, label: str) -> None:
    rows = invoice(1, EcritureLib=label, CompAuxLib="Durand")
    rows[1] = rows[1] | {"EcritureLib": "Vente"}
    assert read(tmp_path, Writing(encoding).bytes(rows))[1][0].label == label


def test_a_utf8_file_with_one_damaged_byte_stays_utf8_and_the_line_is_named(tmp_path: Path) -> None:
    content = Writing().bytes(book()).replace("n° 7".encode(), b"n\xb0 7", 1)
    reading, _ = read(tmp_path, content)
    assert reading.read.encoding == "utf-8"
    assert [code for _, _, code in codes(reading.verdict().errors)] == ["character_undecodable"]


@pytest.mark.parametrize(
    "writing",
    [
        pytest.param(Writing(cell=padded, separator="|"), id="padded fields"),
        pytest.param(Writing(cell=dashed), id="ISO dates"),
        pytest.param(Writing(cell=lambda _, text: text.replace(",", ".")), id="decimal points"),
        pytest.param(Writing(header=str.upper), id="upper case header"),
        pytest.param(Writing(header=lambda name: {"Idevise": "IdDevise"}.get(name, name.lower())), id="variants"),
        pytest.param(Writing(columns=(*LEGAL, "Etablissement", "")), id="extra columns"),
        pytest.param(Writing(columns=(*LEGAL[:13], "Analytique", *LEGAL[13:])), id="an extra column inside"),
        pytest.param(Writing(header=lambda n: f'"{n}"', cell=lambda _, text: f'"{text}"'), id="quoted fields"),
        pytest.param(Writing(last_end=False), id="no end of the last line"),
    ],
)
def test_ways_of_writing_that_change_nothing(tmp_path: Path, writing: Writing) -> None:
    reading, lines = read(tmp_path, writing.bytes(book()))
    assert not reading.verdict().errors
    assert lines == canonical(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_utf16_and_doubled_line_ends_change_nothing(tmp_path: Path, encoding: str, end: str) -> None:
    reading, lines = read(tmp_path, Writing(encoding, end=end).bytes(book()))
    assert not reading.verdict().errors
    assert not reading.verdict().warnings
    assert lines == canonical(tmp_path)
    assert reading.read.encoding.startswith("utf-16")


@pytest.mark.parametrize("end", ["\r\r\n", "\r"])
def test_line_ends_of_old_transfers_change_nothing(tmp_path: Path, end: str) -> None:
    reading, lines = read(tmp_path, Writing(end=end).bytes(book(2000)))
    assert not reading.verdict().errors
    assert not reading.verdict().warnings
    assert [line.number for line in lines] == [
        line.number for line in read(tmp_path, Writing().bytes(book(2000)))[1]
    ]


def test_half_a_character_at_the_end_of_a_utf16_file_is_named(tmp_path: Path) -> None:
    content = Writing("utf-16-le").bytes(book())[:-5]
    assert codes(read(tmp_path, content)[0].verdict().errors)


TEN = (
    "JournalCode", "EcritureNum", "EcritureDate", "CompteNum", "CompAuxNum", "PieceRef", "EcritureLib", "Debit",
    "Credit", "EcritureLet",
)  # fmt: skip


def test_ten_columns_are_enough(tmp_path: Path) -> None:
    reading, lines = read(tmp_path, Writing(columns=TEN).bytes(book()))
    assert not reading.verdict().errors
    wanted = canonical(tmp_path)
    assert [(line.client_id, line.piece, line.debit, line.lettering) for line in lines] == [
        (line.client_id, line.piece, line.debit, line.lettering) for line in wanted
    ]


def test_twenty_two_columns_hold_the_due_date(tmp_path: Path) -> None:
    columns = (*LEGAL, "DateRglt", "ModeRglt", "NatOp", "EcheanceDate")
    rows = [one | {"EcheanceDate": "20260531"} if one["CompAuxNum"] else one for one in book()]
    reading, lines = read(tmp_path, Writing(columns=columns).bytes(rows))
    assert not reading.verdict().errors
    assert {line.due_date for line in lines} == {"2026-05-31"}


def test_customers_without_a_column_for_sub_accounts_go_by_their_accounts(tmp_path: Path) -> None:
    rows = [one | {"CompteNum": f"411{one['CompAuxNum']}"} if one["CompAuxNum"] else one for one in book()]
    columns = tuple(name for name in LEGAL if name not in ("CompAuxNum", "CompAuxLib"))
    reading, lines = read(tmp_path, Writing(columns=columns).bytes(rows))
    assert not reading.verdict().errors
    assert {line.client_id for line in lines} == {f"411C{n}" for n in range(5)}


@pytest.mark.parametrize("numbers", ["always 0", "no column"])
def test_books_that_number_no_entry(tmp_path: Path, numbers: str) -> None:
    """Without numbers nothing can be told of the order of the entries; each day of a journal still balances."""
    rows = [one | {"EcritureNum": "0"} for one in reversed(book())]
    columns = tuple(name for name in LEGAL if numbers == "always 0" or name != "EcritureNum")
    reading, lines = read(tmp_path, Writing(columns=columns).bytes(rows))
    assert not reading.verdict().errors
    assert [code for _, _, code in codes(reading.verdict().warnings)] == [
        "optional_column_missing" for _ in range(numbers == "no column")
    ]
    assert len(lines) == len(canonical(tmp_path))


def test_montant_and_sens_say_the_same_as_debit_and_credit(tmp_path: Path) -> None:
    reading, lines = read(tmp_path, Writing(columns=WITH_SENS, separator="|").bytes(with_sens(book())))
    assert not reading.verdict().errors
    assert lines == canonical(tmp_path)


@pytest.mark.parametrize(("debit", "credit"), [("D", "C"), ("+1", "-1"), ("+", "-"), ("d", "c")])
def test_the_ways_to_write_a_side(tmp_path: Path, debit: str, credit: str) -> None:
    rows = [one | {"Sens": {"D": debit, "C": credit}[one["Sens"]]} for one in with_sens(book())]
    assert read(tmp_path, Writing(columns=WITH_SENS).bytes(rows))[1] == canonical(tmp_path)


@pytest.mark.parametrize(
    "missing", ["JournalLib", "CompteLib", "DateLet", "ValidDate", "Montantdevise", "Idevise"]
)
def test_a_missing_optional_column_is_a_warning(tmp_path: Path, missing: str) -> None:
    columns = tuple(name for name in LEGAL if name != missing)
    reading, lines = read(tmp_path, Writing(columns=columns).bytes(book()))
    assert codes(reading.verdict().warnings) == [(1, missing, "optional_column_missing")]
    assert len(lines) == len(canonical(tmp_path))


def test_customers_are_the_accounts_that_begin_as_set(tmp_path: Path) -> None:
    rows = [*invoice(1), *invoice(2, CompteNum="416000"), *invoice(3, CompteNum="400411")]
    assert [line.account for line in read(tmp_path, Writing().bytes(rows))[1]] == ["411000"]
    rules = Rules(accounts=("411", "416"))
    assert [line.account for line in read(tmp_path, Writing().bytes(rows), rules)[1]] == ["411000", "416000"]


def test_a_customer_without_sub_account_goes_by_its_account(tmp_path: Path) -> None:
    rows = invoice(1, CompteNum="411DURAND", CompteLib="Durand et fils", CompAuxNum="", CompAuxLib="")
    reading, lines = read(tmp_path, Writing().bytes(rows))
    assert lines[0].client_id == "411DURAND"
    assert reading.read.names == {"411DURAND": {"Durand et fils": 1}}


def test_a_negative_debit_is_a_credit(tmp_path: Path) -> None:
    rows = invoice(1, amount="-50,00")
    line = read(tmp_path, Writing().bytes(rows))[1][0]
    assert (line.debit, line.credit, line.book) == (0, 500_000, -500_000)


def test_a_foreign_line_keeps_its_own_amount_beside_the_bookkeeping_amount(tmp_path: Path) -> None:
    """Rule 22.17."""
    rows = [
        *invoice(1, Montantdevise="130,00", Idevise="USD"),
        *payment(2, Montantdevise="-130,00", Idevise="USD"),
    ]
    first, second = read(tmp_path, Writing().bytes(rows))[1]
    assert (first.currency, first.debit, first.book) == ("USD", 1_300_000, 1_200_000)
    assert (second.currency, second.credit, second.book) == ("USD", 1_300_000, -1_200_000)


@pytest.mark.parametrize("written", ["EUR", "", "€", "Euro"])
def test_the_bookkeeping_currency_needs_no_second_amount(tmp_path: Path, written: str) -> None:
    line = read(tmp_path, Writing().bytes(invoice(1, Idevise=written, Montantdevise="7,00")))[1][0]
    assert (line.currency, line.debit) == ("EUR", 1_200_000)


def test_a_due_date_in_the_file_is_read(tmp_path: Path) -> None:
    rows = [one | {"EcheanceDate": "20260415"} for one in invoice(1)]
    assert read(tmp_path, Writing(columns=(*LEGAL, "EcheanceDate")).bytes(rows))[1][0].due_date == "2026-04-15"


def test_a_line_of_zero_is_still_a_line(tmp_path: Path) -> None:
    rows = [*invoice(1), row(**(invoice(2)[0] | {"Debit": "", "Credit": ""}))]
    assert [line.debit for line in read(tmp_path, Writing().bytes(rows))[1]] == [1_200_000, 0]


def test_the_mark_with_which_dos_ended_texts_is_no_line(tmp_path: Path) -> None:
    reading, lines = read(tmp_path, Writing().bytes(book()) + b"\x1a")
    assert not reading.verdict().errors
    assert len(lines) == len(canonical(tmp_path))
