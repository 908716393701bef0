"""What a row of a Sage table says: dates, sides, lettering, currencies, people."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.sync.connectors.sage100 import mapping
from services.sync.connectors.sage100.mapping import Parameters
from services.sync.domain.receivables import Nature
from services.sync.domain.records import RECORD, ClientRecord, EntryRecord

PARAMETERS = Parameters(
    currency="EUR",
    currency_number=1,
    currencies={1: "EUR", 2: "USD"},
    modes={2: "Virement", 3: "Prélèvement"},
    journals={"VTE": Nature.SALES, "BNQ": Nature.CASH},
    sales_people={4: "Anne Caron"},
    services={1: "Comptabilité"},
    client_fields=("tag1", "tag2"),
)


def row(**told: Any) -> dict[str, Any]:
    """An open invoice of 1 200,50 € of 17 March, due on 30 April."""
    return {
        "EC_No": 42, "JO_Num": "VTE   ", "JM_Date": datetime(2026, 3, 1), "EC_Jour": 17, "EC_Piece": "S17",
        "EC_RefPiece": "F26-17", "CG_Num": "4110000", "CT_Num": "DUPONT", "EC_Intitule": " Facture F26-17 ",
        "N_Reglement": 2, "EC_Echeance": datetime(2026, 4, 30), "N_Devise": 0, "EC_Devise": Decimal(0),
        "EC_Sens": 0, "EC_Montant": Decimal("1200.500000"), "EC_Lettre": 0, "EC_Lettrage": "",
    } | told  # fmt: skip


def entry(**told: Any) -> EntryRecord:
    record = RECORD.validate_python(mapping.entry(row(**told), PARAMETERS))
    assert isinstance(record, EntryRecord)
    return record


def test_an_invoice_is_read_as_it_stands() -> None:
    found = entry()
    assert (found.key, found.client_id, found.kind, found.piece, found.journal) == (
        "42", "DUPONT", "invoice", "F26-17", "VTE",
    )  # fmt: skip
    assert (found.debit, found.credit, found.book_amount) == (Decimal("1200.50"), 0, Decimal("1200.50"))
    assert (found.entry_date, found.due_date, found.payment_mode) == (
        date(2026, 3, 17), date(2026, 4, 30), "Virement",
    )  # fmt: skip
    assert found.label == "Facture F26-17"


@pytest.mark.parametrize(
    ("month", "number", "day"),
    [
        (datetime(2026, 3, 1), 1, date(2026, 3, 1)),
        (datetime(2026, 3, 1), 31, date(2026, 3, 31)),
        (datetime(2024, 2, 1), 29, date(2024, 2, 29)),
        (datetime(2026, 3, 1), 0, date(2026, 3, 1)),
        (datetime(2026, 3, 1), None, date(2026, 3, 1)),
    ],
)
def test_the_day_is_the_month_and_the_day_in_it(month: datetime, number: int | None, day: date) -> None:
    assert entry(JM_Date=month, EC_Jour=number).entry_date == day


@pytest.mark.parametrize(
    ("stamp", "day"),
    [(datetime(1753, 1, 1), None), (None, None), (datetime(1754, 1, 1), date(1754, 1, 1))],
)
def test_the_year_1753_is_no_date(stamp: datetime | None, day: date | None) -> None:
    assert entry(EC_Echeance=stamp).due_date == day


@pytest.mark.parametrize(
    ("sens", "told", "debit", "credit", "kind"),
    [
        (0, "10", "10.00", "0", "invoice"),
        (1, "10", "0", "10.00", "credit_note"),
        (0, "-10", "0", "10.00", "credit_note"),
        (1, "-10", "10.00", "0", "invoice"),
    ],
)
def test_the_side_gives_the_sign_and_a_negative_amount_turns_it(
    sens: int, told: str, debit: str, credit: str, kind: str
) -> None:
    found = entry(EC_Sens=sens, EC_Montant=Decimal(told))
    assert (found.debit, found.credit, found.kind) == (Decimal(debit), Decimal(credit), kind)
    assert found.book_amount == found.debit - found.credit


def test_a_credit_outside_sales_is_a_payment() -> None:
    assert entry(EC_Sens=1, JO_Num="BNQ").kind == "payment"


@pytest.mark.parametrize(
    ("flag", "code", "lettering"),
    [(1, "AAB", "AAB"), (0, "aab", None), (0, "AAB", None), (1, "", None), (0, "", None), (None, "AAB", None)],
)
def test_only_the_flag_settles_since_a_pre_lettering_writes_a_code_as_well(
    flag: int | None, code: str, lettering: str | None
) -> None:
    assert entry(EC_Lettre=flag, EC_Lettrage=code).lettering == lettering


def test_a_foreign_line_carries_both_amounts() -> None:
    """Rule 22.17."""
    found = entry(N_Devise=2, EC_Devise=Decimal(1000), EC_Montant=Decimal(900), EC_Sens=1)
    assert (found.currency, found.credit, found.book_amount) == ("USD", Decimal(1000), Decimal(-900))


@pytest.mark.parametrize("told", [{"N_Devise": 1}, {"N_Devise": 2, "EC_Devise": Decimal(0)}, {"N_Devise": 9}])
def test_the_companys_own_currency_an_exchange_difference_and_an_unknown_currency_count_as_booked(
    told: dict[str, Any],
) -> None:
    found = entry(**told)
    assert (found.currency, found.debit, found.book_amount) == ("EUR", Decimal("1200.50"), Decimal("1200.50"))


def test_a_currency_without_a_code_is_told() -> None:
    entry(N_Devise=9, EC_Devise=Decimal(5))
    assert PARAMETERS.unknown_currencies == {9}


def test_the_piece_is_the_invoice_number_else_the_piece_number() -> None:
    assert entry(EC_RefPiece="").piece == "S17"


def test_no_payment_mode_is_none() -> None:
    assert entry(N_Reglement=0).payment_mode is None


@pytest.mark.parametrize(
    ("kind", "label", "nature"),
    [
        (1, "Ventes", Nature.SALES),
        (2, "Banque", Nature.CASH),
        (3, "Opérations diverses", Nature.CASH),
        (3, "A nouveaux", Nature.OPENING),
        (3, "Report 2025", Nature.OPENING),
        (None, "", Nature.CASH),
    ],
)
def test_what_a_journal_holds(kind: int | None, label: str, nature: Nature) -> None:
    assert mapping.nature_of(kind, label) is nature


def party(**told: Any) -> dict[str, Any]:
    return {
        "CT_Num": "DUPONT", "CT_Intitule": "Dupont SA", "CG_NumPrinc": "4110000", "CT_Contact": "",
        "CT_Adresse": "1 rue", "CT_Complement": "", "CT_CodePostal": "69000", "CT_Ville": "Lyon",
        "CT_CodeRegion": "", "CT_Pays": "",
        "CT_Telephone": "", "CT_EMail": "", "CT_LangueISO2": "", "CT_Siret": "", "N_Devise": 0, "CO_No": 4,
        "profile": "Export", "field_tag1": " BTP\x00 ", "field_tag2": None,
    } | told  # fmt: skip


CONTACT = {
    "CT_No": 7, "CT_Nom": "Joly", "CT_Prenom": "Inès", "N_Service": 1, "CT_Fonction": "", "CT_Telephone": "01",
    "CT_TelPortable": "", "CT_EMail": "ines@dupont.example; compta@dupont.example",
}  # fmt: skip


def client(**told: Any) -> ClientRecord:
    contacts = [mapping.contact(CONTACT, PARAMETERS)]
    record = RECORD.validate_python(mapping.client(party(**told), PARAMETERS, contacts, [0, 3]))
    assert isinstance(record, ClientRecord)
    return record


def test_a_client_is_read_with_his_people() -> None:
    found = client()
    assert (found.client_id, found.name, found.profile, found.category) == ("DUPONT", "Dupont SA", "Export", None)
    assert (found.payment_mode, found.sales_person, found.currency) == ("Prélèvement", "Anne Caron", "EUR")
    assert found.address == {"street": "1 rue", "postcode": "69000", "city": "Lyon"}
    assert (found.sales_person_code, client(CO_No=0).sales_person_code) == ("4", None)
    assert found.fields == {"tag1": "BTP"}
    contact = found.contacts[0]
    assert (contact.key, contact.name, contact.service, contact.phones) == (
        "7",
        "Inès Joly",
        "Comptabilité",
        ["01"],
    )
    assert contact.emails == ["ines@dupont.example", "compta@dupont.example"]


def test_a_client_without_an_address_is_reached_at_his_first_contacts() -> None:
    assert client().emails == ["ines@dupont.example", "compta@dupont.example"]
    assert client(CT_EMail="dir@dupont.example").emails == ["dir@dupont.example"]


@pytest.mark.parametrize(
    ("told", "language"), [("FR", "fr"), ("en", "en"), ("", None), ("fra", None), ("12", None)]
)
def test_the_language_is_an_iso_code_or_none(told: str, language: str | None) -> None:
    assert client(CT_LangueISO2=told).language == language


@pytest.mark.parametrize(
    ("told", "amount"),
    [("1200.500000", "1200.50"), ("0.123400", "0.1234"), ("0.123450", "0.1234"), ("-3", "-3.00"), (None, "0.00")],
)
def test_amounts_have_two_to_four_decimals(told: str | None, amount: str) -> None:
    assert f"{mapping.amount(told and Decimal(told)):f}" == amount
