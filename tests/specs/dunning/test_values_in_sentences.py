"""C18: days, amounts, lengths, steps and media as sentences hold them, and as machines read them."""

from datetime import date

import pytest

from services.dunning.domain.wording import Actor, Days, Medium, Money, StepName, for_machines, written

SEPTEMBER = date(2025, 9, 3)
NARROW, WIDE = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (SEPTEMBER, "3 Sept 2025", "03/09/2025"),
        (Money(12345600, "EUR"), "€1,234.56", f"1{WIDE}234,56{WIDE}€"),
        (Money(-5000, "EUR"), "-€0.50", f"-0,50{WIDE}€"),
        (Money(10000, "USD"), "US$1.00", f"1,00{WIDE}$US"),
        (Days(0), "0 days", "0 jours"),
        (Days(1), "1 day", "1 jour"),
        (Days(2), "2 days", "2 jours"),
        (StepName("R1"), "R1", "R1"),
        (StepName("notice"), "notice", "prévenance"),
        (StepName("thanks"), "thanks", "remerciement"),
        (Medium("letter"), "letter", "courrier"),
        (Medium("phone"), "call", "appel"),
        (Medium("pigeon"), "pigeon", "pigeon"),
        ("F1", "F1", "F1"),
        (3, "3", "3"),
    ],
    ids=str,
)
def test_a_value_is_written_as_its_language_writes_it(value, english, french):
    assert written(value, "en") == english
    assert written(value, "fr") == french


@pytest.mark.parametrize(
    ("value", "english"),
    [
        (SEPTEMBER, "3 Sept 2025"),
        (Money(12345600, "EUR"), "€1,234.56"),
        (Days(1), "1 day"),
        (StepName("notice"), "notice"),
        (Medium("phone"), "call"),
    ],
    ids=str,
)
def test_an_unknown_language_reads_english(value, english):
    assert written(value, "de") == english


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (SEPTEMBER, "2025-09-03"),
        (Money(12345600, "EUR"), {"amount": "1234.56", "currency": "EUR"}),
        (Money(-1, "EUR"), {"amount": "-0.0001", "currency": "EUR"}),
        (Money(0, "USD"), {"amount": "0.00", "currency": "USD"}),
        (Days(1), 1),
        (StepName("notice"), "notice"),
        (Medium("phone"), "phone"),
        (Actor("user:anna"), "user:anna"),
        ("F1", "F1"),
    ],
    ids=str,
)
def test_machines_read_a_value_as_json_has_it(value, read):
    assert for_machines(value) == read
