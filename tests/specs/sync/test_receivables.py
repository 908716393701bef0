"""What a customer line is, when it falls due, and to which book it belongs."""

from datetime import date

import pytest

from services.sync.domain.fields import salesperson_code
from services.sync.domain.lines import JournalSide
from services.sync.domain.receivables import Nature, decimals, digest, due_date, kind_of, nature_of
from services.sync.domain.scope import book_by_content, book_by_name, is_same_book
from services.sync.people import chosen_name, invented_address


@pytest.mark.parametrize(
    ("code", "label", "debits", "credits_", "nature"),
    [
        ("VE", "Ventes", 10, 2, Nature.SALES),
        ("BQ", "Banque", 2, 10, Nature.CASH),
        ("OD", "Opérations diverses", 3, 3, Nature.CASH),
        ("AN", "OD54", 13, 1, Nature.OPENING),
        ("X", "A NOUVEAUX", 13, 1, Nature.OPENING),
        ("R", "Report à nouveau", 13, 1, Nature.OPENING),
    ],
)
def test_what_a_journal_holds(code: str, label: str, debits: int, credits_: int, nature: Nature) -> None:
    assert nature_of(code, JournalSide(label, debits, credits_)) is nature


@pytest.mark.parametrize("nature", Nature)
def test_a_debit_is_an_invoice_wherever_it_stands(nature: Nature) -> None:
    assert kind_of(nature, is_credit=False) == "invoice"


def test_a_credit_among_sales_is_a_credit_note_else_a_payment() -> None:
    kinds = {nature: kind_of(nature, is_credit=True) for nature in Nature}
    assert kinds == {Nature.SALES: "credit_note", Nature.CASH: "payment", Nature.OPENING: "payment"}


def test_terms_apply_to_invoices_only() -> None:
    """Rule 22.18."""
    assert due_date(date(2026, 1, 31), 30, is_credit=False) == date(2026, 3, 2)
    assert due_date(date(2026, 1, 31), 0, is_credit=False) == date(2026, 1, 31)
    assert due_date(date(2026, 1, 31), 30, is_credit=True) == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("units", "text"),
    [(0, "0.00"), (12_345_600, "1234.56"), (-1_000, "-0.10"), (12_345, "1.2345"), (-1, "-0.0001"), (50, "0.0050")],
)
def test_amounts_as_decimal_strings(units: int, text: str) -> None:
    assert decimals(units) == text


@pytest.mark.parametrize(
    ("name", "book"),
    [
        ("123456789FEC20190731.txt", "fec/123456789/2019-07-31"),
        ("123456789fec20190731_v2.csv", "fec/123456789/2019-07-31"),
        ("12345678900012FEC20190731.txt", "fec/123456789/2019-07-31"),
        ("123456789FEC20190732.txt", None),
        ("export.txt", None),
    ],
)
def test_the_legal_file_name_names_the_book(name: str, book: str | None) -> None:
    assert book_by_name(name) == book


@pytest.mark.parametrize(
    ("last_day", "start", "closing"),
    [
        (date(2026, 12, 31), "01-01", "2026-12-31"),
        (date(2027, 1, 1), "01-01", "2027-12-31"),
        (date(2026, 3, 31), "04-01", "2026-03-31"),
        (date(2026, 4, 1), "04-01", "2027-03-31"),
    ],
)
def test_without_a_telling_name_the_fiscal_year_of_the_last_line_does(
    last_day: date, start: str, closing: str
) -> None:
    """Rule 22.19: the eve and the day of a new fiscal year."""
    assert book_by_content("acme", last_day, start) == f"fec/acme/{closing}"


def test_a_file_shows_a_known_book_when_half_of_its_rows_are_there() -> None:
    assert is_same_book(5, 10)
    assert not is_same_book(4, 10)
    assert not is_same_book(0, 0)
    assert is_same_book(1, 1)
    assert not is_same_book(0, 1)


def test_identities_and_codes_stay_what_they_are() -> None:
    """Levels and promises hang on them for years: computed otherwise, every entry would be another one."""
    assert digest("F1") == "f23c0985667342c6058a99bc178f4654"
    assert salesperson_code("Anne-Marie  Després") == salesperson_code("ANNE-MARIE DESPRES") == "n-65126c27a02e"
    assert salesperson_code("Anne Marie Després") != salesperson_code("Anne-Marie Després")
    assert salesperson_code(" - ") == ""


def test_a_client_is_called_what_most_lines_call_it() -> None:
    assert chosen_name({"Durand": 1, "Durand SA": 3, "": 9}, "C1") == "Durand SA"
    assert chosen_name({"B": 2, "A": 2}, "C1") == "A"
    assert chosen_name({"": 2}, "C1") == "C1"


def test_invented_addresses_are_valid_and_never_shared() -> None:
    assert invented_address("C0000001", "example.org") == "c0000001@example.org"
    made = {invented_address(code, "example.org") for code in ("C 1", "C-1", "c/1", "Ç1", "**")}
    assert len(made) == 5
    assert all(address.isascii() and " " not in address for address in made)
