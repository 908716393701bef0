"""What an online payment asks for (rules 7.8, 8.6, 19.5)."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.payments.account import AccountUnreadable, account_of
from services.notify.payments.checkout import major, minor
from services.notify.payments.offering import Limits, OpenLine, PaymentRefused, offer

ANY = Limits(minimum=Decimal(0))


def line(name: str, amount: str, currency: str = "EUR", *, held: bool = False) -> OpenLine:
    return OpenLine(name, Decimal(amount), currency, held)


def refused(lines: list[OpenLine], wanted: list[str], limits: Limits = ANY) -> str:
    with pytest.raises(PaymentRefused) as told:
        offer(lines, wanted, limits)
    return told.value.code


def test_what_is_ticked_is_asked_for() -> None:
    """Rule 19.5."""
    made = offer([line("F1", "1000"), line("F2", "200"), line("F3", "70")], ["F1", "F3"], ANY)
    assert (made.amount, made.currency) == (Decimal(1070), "EUR")


def test_the_amount_follows_partial_payments() -> None:
    """Rules 7.8, 19.5: the invoice stays whole in accounting, what was paid of it stands beside it."""
    before = offer([line("F1", "1000")], ["F1"], ANY)
    after = offer([line("F1", "1000"), line("P1", "-400")], ["F1"], ANY)
    assert (before.amount, after.amount) == (Decimal(1000), Decimal(600))
    assert {one.entry_id for one in after.lines} == {"F1", "P1"}, "the payment is used up by it"


def test_a_company_may_leave_credits_out() -> None:
    """Rule 19.5: an option."""
    lines = [line("F1", "1000"), line("A1", "-400")]
    assert offer(lines, ["F1"], Limits(use_credits=False)).amount == Decimal(1000)


def test_credits_of_another_currency_or_used_already_are_left() -> None:
    lines = [line("F1", "100"), line("A1", "-10", "USD"), line("A2", "-20", held=True)]
    assert offer(lines, ["F1"], ANY).amount == Decimal(100)


def test_what_is_paid_or_settled_is_not_paid_again() -> None:
    """Rule 8.6."""
    assert refused([line("F1", "100", held=True)], ["F1"]) == "entry-paid"
    assert refused([line("F1", "100")], ["F1", "F2"]) == "entry-settled"


def test_nothing_is_nothing() -> None:
    assert refused([line("F1", "100"), line("A1", "-100")], ["F1"]) == "nothing-to-pay"
    assert refused([line("A1", "-100")], ["A1"]) == "nothing-to-pay"
    assert refused([line("F1", "100")], []) == "nothing-to-pay"
    assert refused([line("F1", "100"), line("F2", "9", "USD")], ["F1", "F2"]) == "several-currencies"


@pytest.mark.parametrize(
    ("amount", "code"), [("9.99", "below-minimum"), ("10", None), ("50", None), ("50.01", "above-maximum")]
)
def test_limits_are_included(amount: str, code: str | None) -> None:
    """Rule 19.5: minimum and maximum."""
    limits = Limits(Decimal(10), Decimal(50))
    if code:
        assert refused([line("F1", amount)], ["F1"], limits) == code
    else:
        assert offer([line("F1", amount)], ["F1"], limits).amount == Decimal(amount)


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.booleans()), max_size=8), st.integers(0, 255))
def test_an_offer_is_the_sum_of_its_lines_and_never_nothing(held: list[tuple[int, bool]], mask: int) -> None:
    lines = [line(str(n), str(amount), held=on) for n, (amount, on) in enumerate(held)]
    wanted = [one.entry_id for n, one in enumerate(lines) if mask >> n & 1]
    try:
        made = offer(lines, wanted, ANY)
    except PaymentRefused:
        return
    assert made.amount == sum(one.amount for one in made.lines) > 0
    assert not any(one.held for one in made.lines)


def test_smallest_units_of_currencies() -> None:
    assert [minor(Decimal("12.30"), code) for code in ("EUR", "JPY", "TND")] == [1230, 12, 12300]
    assert major(1230, "EUR") == Decimal("12.30")
    assert major(12, "JPY") == Decimal(12)


def test_a_company_without_a_file_takes_no_payments(tmp_path: Path) -> None:
    assert account_of(None, "acme") is None
    assert account_of(tmp_path, "acme") is None


def test_a_file_that_is_no_account_is_named_without_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "acme.json").write_text('{"api_key": "sk_live_geheim", "webhok_secret": "x"}')
    with pytest.raises(AccountUnreadable) as told:
        account_of(tmp_path, "acme")
    assert "webhook_secret" in str(told.value)
    assert "geheim" not in str(told.value)
    (tmp_path / "acme.json").write_text(
        '{"api_key": "sk_test_x", "webhook_secret": "whsec_x", "methods": ["card"], "maximum": "5000"}'
    )
    account = account_of(tmp_path, "acme")
    assert account is not None
    assert (account.methods, account.limits.maximum) == (("card",), Decimal(5000))
    assert "sk_test" not in repr(account)
