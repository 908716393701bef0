"""The table of a message (rules 7.6, 1.8, 18.3) and the amounts of the worked examples 21.3 and 21.4."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from babel.numbers import format_currency
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.dunning import ActionEntry
from contracts.late_interest import Claim
from services.notify import formats
from services.notify.domain import EntryNow, Line, message_id, statement
from services.notify.rendering import render
from tests.specs.notify.given import DAY, DUE, about, action, entry

INVOICE = entry("FAC1", "1000", due=date(2026, 3, 31))
PAYMENT = entry("REG1", "-400", due=DUE)


def test_item_mode_asks_for_the_invoice_alone() -> None:
    """Example 21.3: on 08/04 the credit is not at R1 yet."""
    table = about(INVOICE).statement
    assert (table.debits, table.credits, table.amount_due) == (Decimal(1000), Decimal(0), Decimal(1000))


def test_account_mode_shows_both_and_asks_for_the_difference() -> None:
    """Example 21.3: table 1 000 / 400, amount due 600."""
    table = about(PAYMENT, INVOICE).statement
    assert (table.debits, table.credits, table.amount_due) == (Decimal(1000), Decimal(400), Decimal(600))
    assert [line.piece for line in table.lines] == ["FAC1", "REG1"]


def test_credits_of_the_level_are_netted() -> None:
    """Example 21.4: 1 300 - 200 = 1 100."""
    table = about(entry("A", "800"), entry("B", "500"), entry("AV", "-200")).statement
    assert (table.debits, table.credits, table.amount_due) == (Decimal(1300), Decimal(200), Decimal(1100))


@pytest.mark.parametrize(
    ("as_of", "days"), [(date(2026, 3, 30), 0), (date(2026, 3, 31), 0), (date(2026, 4, 1), 1), (DAY, 8)]
)
def test_days_late_count_from_the_day_after_the_due_date(as_of: date, days: int) -> None:
    """Rule 1.8."""
    subjects = about(INVOICE, as_of=as_of)
    shown = render("x", "%max_days_late%", subjects, "fr")
    assert shown.text.strip() == str(days)
    badge = render("x", "%tableau_comptable%", subjects, "fr").html
    assert (f"{days}\u00a0j</span>" in badge) == (days > 0)


def test_the_three_layouts() -> None:
    """Rules 7.6, 13.2."""
    subjects = about(INVOICE, PAYMENT)
    compact, columns, levels = (
        render("x", f"%tableau_comptable{layout}%", subjects, "fr").html for layout in (1, 2, 3)
    )
    assert "du 01/03/2026" in compact
    assert "Date</th>" not in compact
    for shown in (columns, levels):
        assert "Date</th>" in shown
    assert "Niveau</th>" in levels
    assert "Niveau</th>" not in columns
    for shown in (compact, columns, levels):
        assert "Somme due" in shown
        assert "600,00\u00a0€" in shown
    assert render("x", "%tableau_comptable%", subjects, "fr").html == compact


def test_the_plain_text_table_says_the_same() -> None:
    shown = render("x", "%tableau_comptable%", about(INVOICE, PAYMENT), "fr").text
    assert shown == (
        "- FAC1 du 01/03/2026, échéance 31/03/2026 (8\u00a0j) : 1\u00a0000,00\u00a0€\n"
        "- REG1 du 01/03/2026, échéance 05/04/2026 : \u2212400,00\u00a0€ (avoir ou paiement)\n"
        "Total : 1\u00a0000,00\u00a0€\n"
        "Avoir, paiement : 400,00\u00a0€\n"
        "Somme due : 600,00\u00a0€\n"
    )


def test_a_thank_you_lists_what_was_settled_and_asks_for_nothing() -> None:
    shown = render("x", "%tableau_comptable%", about(INVOICE, kind="thanks", step="thanks"), "fr")
    assert "Somme due" not in shown.html + shown.text
    assert "FAC1" in shown.html


def test_thousands_are_narrow_in_letters_and_wide_on_screens() -> None:
    subjects = about(entry("F", "1234567.8"))
    assert render("x", "%total%", subjects, "fr", "letter").text == "1\u202f234\u202f567,80\u00a0€\n"
    assert render("x", "%total%", subjects, "fr", "email").text == "1\u00a0234\u00a0567,80\u00a0€\n"
    assert render("x", "%total%", subjects, "en", "email").text == "€1,234,567.80\n"
    assert formats.amount(Decimal("-5"), "USD", "fr") == "\u22125,00\u00a0$US"
    assert formats.long_date(date(2026, 5, 1), "fr") == "1er mai 2026"


def claim(one: EntryNow, interest: str) -> Claim:
    return Claim(one.entry_id, "EUR", Decimal(interest), Decimal(40), ())


def test_a_message_claims_for_its_own_invoices_and_no_others() -> None:
    """Rule 18.3: what the client's other invoices bear is not asked for here; no total holds any of it."""
    late, later, other = entry("A", "1000"), entry("B", "333.33"), entry("C", "500")
    claimed = {one.entry_id: claim(one, "9.86") for one in (late, later, other)}
    subjects = replace(about(late, later), claims=claimed)
    body = "%penalties% et %fixed_indemnity%, total %total%"
    assert render("x", body, subjects, "fr").text == "19,72\u00a0€ et 80,00\u00a0€, total 1\u00a0333,33\u00a0€\n"


def test_without_a_claim_both_tags_are_empty() -> None:
    """Rule 18.2: a consumer, and a client of whom nobody said that it is a business, is asked for nothing more."""
    shown = render("x", "(%penalties%%fixed_indemnity%)", about(entry("A", "1000")), "fr")
    assert shown.text == "()\n"


def test_each_line_of_the_table_says_what_it_is_about() -> None:
    """Rule 7.6: debits first, the oldest first; a label only where one is known."""
    asked = action([PAYMENT, INVOICE])
    leveled = asked.model_copy(update={"entries": (asked.entries[0], with_level(asked.entries[1], "R1"))})
    known = {one.entry_id: one for one in (INVOICE, PAYMENT)}
    table = statement(leveled, known, DAY, {INVOICE.entry_id: "Mobilier"})
    assert table.lines == (
        Line(INVOICE.entry_id, "FAC1", date(2026, 3, 1), date(2026, 3, 31), Decimal(1000), "R1", "Mobilier"),
        Line(PAYMENT.entry_id, "REG1", date(2026, 3, 1), DUE, Decimal(-400), None, ""),
    )
    assert {line.label for line in statement(asked, known, DAY).lines} == {""}


def with_level(line: ActionEntry, level: str) -> ActionEntry:
    return line.model_copy(update={"level_before": level})


def test_a_message_is_named_by_its_action_and_the_domain_of_its_sender() -> None:
    """RFC 5321: a quoted local part may hold an @."""
    assert message_id("a1", "compta@delcourt.example") == "<a1@delcourt.example>"
    assert message_id("a1", '"a@b"@delcourt.example') == "<a1@delcourt.example>"


@given(
    st.decimals(min_value=-(10**12), max_value=10**12, places=4, allow_nan=False),
    st.sampled_from(["EUR", "USD", "CHF", "JPY", "BHD", "GBP", "XYZ", "KRW", "DKK"]),
    st.sampled_from(["fr", "en"]),
)
@example(Decimal("-0.00"), "EUR", "fr")
@example(Decimal("-0.001"), "EUR", "en")
@example(Decimal("0.125"), "EUR", "fr")
@example(Decimal("999.995"), "EUR", "en")
@example(Decimal("1E+3"), "EUR", "fr")
def test_amounts_are_those_of_babel(value: Decimal, currency: str, language: str) -> None:
    """But for a nought below nothing, which has no sign."""
    expected = format_currency(value + 0, currency, locale=formats.LOCALES[language])

    assert formats.amount(value, currency, language, "letter") == expected.replace("-", formats.MINUS)
