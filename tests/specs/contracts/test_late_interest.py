"""Late interest and the fixed indemnity of businesses (rules 18.2, 18.3): counted, shown, never posted."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.late_interest import (
    Claim,
    OpenLine,
    Rates,
    claims,
    debtor,
    delivered_rates,
    half_year,
    interest_by_currency,
)
from contracts.ledger import HalfYearRates, LateInterestTerms

DUE = date(2025, 3, 31)
FLAT = tuple(
    HalfYearRates(starts_on=date(year, month, 1), refinancing=Decimal(0), legal=Decimal(1))
    for year in range(2023, 2027)
    for month in (1, 7)
)
TEN_PERCENT = LateInterestTerms(debtors="all_but", rates=FLAT)


def line(piece: str, amount: str, due: date = DUE, **facts: Any) -> OpenLine:
    signed = Decimal(amount)
    told: dict[str, Any] = {
        "account": "411000",
        "kind": "invoice" if signed > 0 else "payment",
        "entry_date": due - timedelta(days=30),
        "currency": "EUR",
        **facts,
    }
    return OpenLine(entry_id=piece, due_date=due, amount=signed, **told)


def paid(piece: str, amount: str, on: date, **facts: Any) -> OpenLine:
    return line(piece, f"-{amount}", on, entry_date=on, **facts)


def claim(lines: list[OpenLine], on: date, terms: LateInterestTerms = TEN_PERCENT) -> Claim:
    (only,) = claims(lines, on, terms).values()
    return only


def steps(found: Claim) -> list[tuple[str, int, str]]:
    """Last day, days and balance of each period."""
    return [(str(one.to_on), one.days, str(one.balance)) for one in found.periods]


@pytest.mark.parametrize(
    ("on", "interest", "indemnity"),
    [(DUE - timedelta(1), None, None), (DUE, None, None), (DUE + timedelta(1), "2.74", 40)],
    ids=["eve", "day", "day after"],
)
def test_interest_begins_on_the_day_after_the_due_date(
    on: date, interest: str | None, indemnity: int | None
) -> None:
    """Rules 18.2, 18.3: without any reminder, 10 000 at 10 % bears 2.74 a day, and 40 euros are due at once."""
    found = claims([line("F1", "10000")], on, TEN_PERCENT).get("F1")
    assert (found and str(found.interest)) == interest
    assert (found and found.indemnity) == indemnity


def test_fifteen_days_are_those_of_erpnexts_test() -> None:
    """Rule 18.3: 100 at 10 % a year, fifteen days late, is 0.41."""
    assert claim([line("F1", "100")], DUE + timedelta(days=15)).interest == Decimal("0.41")


def test_the_worked_example_of_the_rules() -> None:
    """Rule 18.3: 1 200 due on 31/05/2025, 500 paid on 20/06, seen on 31/07, at the published rates."""
    due = date(2025, 5, 31)
    found = claim(
        [line("F1", "1200", due), paid("R1", "500", date(2025, 6, 20))],
        date(2025, 7, 31),
        LateInterestTerms(debtors="all_but"),
    )
    assert [(one.days, one.balance, one.rate) for one in found.periods] == [
        (20, Decimal(1200), Decimal("13.15")),
        (10, Decimal(700), Decimal("13.15")),
        (31, Decimal(700), Decimal("12.15")),
    ]
    assert [round(one.interest, 4) for one in found.periods] == [
        Decimal("8.6466"),
        Decimal("2.5219"),
        Decimal("7.2234"),
    ]
    assert (found.interest, found.indemnity, found.currency) == (Decimal("18.39"), Decimal(40), "EUR")


def test_a_year_has_365_days_even_a_leap_year() -> None:
    """Rule 18.3: 29 February bears interest as any day, so a whole leap year bears 366 days of it."""
    before = claim([line("F1", "3650", date(2024, 2, 28))], date(2024, 2, 29))
    assert (before.interest, before.periods[0].days) == (Decimal("1.00"), 1)
    assert claim([line("F1", "3650", date(2023, 12, 31))], date(2024, 12, 31)).interest == Decimal("366.00")
    assert claim([line("F1", "3650", date(2024, 12, 31))], date(2025, 12, 31)).interest == Decimal("365.00")


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2025, 6, 30), [("2025-06-30", 10, "13.15")]),
        (date(2025, 7, 1), [("2025-06-30", 10, "13.15"), ("2025-07-01", 1, "12.15")]),
        (date(2025, 7, 2), [("2025-06-30", 10, "13.15"), ("2025-07-02", 2, "12.15")]),
    ],
    ids=["eve", "day", "day after"],
)
def test_each_day_bears_the_rate_of_its_half_year(on: date, expected: list[tuple[str, int, str]]) -> None:
    """Rule 18.3: the European rate of 1 January until 30 June, that of 1 July from that day on, and ten points."""
    found = claim([line("F1", "1000", date(2025, 6, 20))], on, LateInterestTerms(debtors="all_but"))
    assert [(str(one.to_on), one.days, str(one.rate)) for one in found.periods] == expected


@pytest.mark.parametrize(
    ("paid_on", "expected"),
    [
        (date(2025, 4, 9), [("2025-04-09", 9, "1000"), ("2025-04-20", 11, "600")]),
        (date(2025, 4, 10), [("2025-04-10", 10, "1000"), ("2025-04-20", 10, "600")]),
        (date(2025, 4, 20), [("2025-04-20", 20, "1000")]),
        (date(2025, 4, 21), [("2025-04-20", 20, "1000")]),
        (DUE, [("2025-04-20", 20, "600")]),
        (DUE - timedelta(days=5), [("2025-04-20", 20, "600")]),
    ],
    ids=["a day before", "on the tenth day", "today", "tomorrow", "on the due date", "in time"],
)
def test_a_payment_lowers_what_bears_interest_from_the_next_day_on(
    paid_on: date, expected: list[tuple[str, int, str]]
) -> None:
    """Rule 18.3: interest runs by periods between payments, the day of a payment still on the whole."""
    assert steps(claim([line("F1", "1000"), paid("R1", "400", paid_on)], date(2025, 4, 20))) == expected


def test_an_invoice_paid_in_time_claims_nothing_and_one_paid_late_claims_until_then() -> None:
    """Rules 18.2, 18.3: accounting has not lettered them yet; the law does not wait for that."""
    in_time = [line("F1", "1000"), paid("R1", "1000", DUE)]
    assert claims(in_time, DUE + timedelta(days=60), TEN_PERCENT) == {}
    late = claim([line("F1", "3650"), paid("R1", "3650", DUE + timedelta(days=3))], DUE + timedelta(days=60))
    assert (late.interest, late.indemnity) == (Decimal("3.00"), Decimal(40))


def test_a_credit_note_counts_from_the_beginning() -> None:
    """Rule 18.3: what it takes back was never owed, so it never bore interest."""
    later = DUE + timedelta(days=30)
    taken_back = paid("AV1", "400", later, kind="credit_note")
    found = claim([line("F1", "1000"), taken_back], DUE + timedelta(days=40))
    assert steps(found) == [("2025-05-10", 40, "600")]
    whole = paid("AV1", "1000", later, kind="credit_note")
    assert claims([line("F1", "1000"), whole], DUE + timedelta(days=40), TEN_PERCENT) == {}
    assert claims([line("F1", "1000"), whole], later - timedelta(days=1), TEN_PERCENT) != {}, (
        "nobody knew of it yet"
    )


def test_a_credit_goes_to_its_own_lettering_first_then_to_the_oldest_due() -> None:
    """Rule 18.3: what accounting lettered is not allocated again."""
    on = DUE + timedelta(days=20)
    old, young = line("F1", "1000"), line("F2", "1000", DUE + timedelta(days=10), lettering="A")
    lettered = claims([old, young, paid("R1", "1200", DUE, lettering="A")], on, TEN_PERCENT)
    assert {piece: str(one.periods[0].balance) for piece, one in lettered.items()} == {"F1": "800"}
    free = claims([old, young, paid("R1", "1200", DUE)], on, TEN_PERCENT)
    assert {piece: str(one.periods[0].balance) for piece, one in free.items()} == {"F2": "800"}


def test_accounts_and_currencies_do_not_meet() -> None:
    """Rule 18.3: interest by currency; the indemnity is in euros."""
    on = DUE + timedelta(days=365)
    found = claims(
        [
            line("F1", "1000"),
            line("F2", "1000", currency="USD"),
            line("F3", "500", account="411900"),
            paid("R1", "1000", DUE, currency="USD"),
        ],
        on,
        TEN_PERCENT,
    )
    assert interest_by_currency(found.values()) == {"EUR": Decimal("150.00")}
    other = claims([line("F1", "1000"), line("F2", "1000", currency="USD")], on, TEN_PERCENT)
    assert interest_by_currency(other.values()) == {"EUR": Decimal("100.00"), "USD": Decimal("100.00")}
    assert sum(one.indemnity for one in other.values()) == 80


def test_each_invoice_is_rounded_once() -> None:
    """Rule 18.3: half to even, over the sum of its periods."""
    found = claims([line("F1", "18.25"), line("F2", "54.75")], DUE + timedelta(days=1), TEN_PERCENT)
    assert [str(one.interest) for one in found.values()] == ["0.00", "0.02"], "0.005 and 0.015"


@pytest.mark.parametrize(
    ("terms", "category", "expected"),
    [
        (None, "PRO", "unsaid"),
        (LateInterestTerms(), "PRO", "unsaid"),
        (LateInterestTerms(debtors="only", categories=("PRO",)), "PRO", "business"),
        (LateInterestTerms(debtors="only", categories=("PRO",)), "PART", "consumer"),
        (LateInterestTerms(debtors="only", categories=("PRO",)), None, "consumer"),
        (LateInterestTerms(debtors="all_but", categories=("PART",)), "PART", "consumer"),
        (LateInterestTerms(debtors="all_but", categories=("PART",)), "PRO", "business"),
        (LateInterestTerms(debtors="all_but", categories=("PART",)), None, "business"),
    ],
)
def test_only_businesses_are_claimed_from(
    terms: LateInterestTerms | None, category: str | None, expected: str
) -> None:
    """Rule 18.2: the company says by category who is one; until it does, nothing is claimed of anybody."""
    assert debtor(terms, category) == expected


def test_what_was_agreed_counts_no_less_than_three_times_the_legal_rate() -> None:
    """Rule 18.2."""
    day = date(2024, 3, 1)
    assert Rates(LateInterestTerms(basis="contract", contract_rate=Decimal(12))).on(day).percent == Decimal(
        "15.21"
    )
    assert Rates(LateInterestTerms(basis="contract", contract_rate=Decimal(16))).on(day).percent == Decimal(16)
    assert Rates(LateInterestTerms(basis="legal")).on(day).percent == Decimal("15.21")
    assert Rates(LateInterestTerms()).on(day).percent == Decimal("14.50")


def test_a_half_year_without_rates_takes_the_last_ones_and_says_so() -> None:
    """Rule 18.3: until the company writes them down, or a later version of the program knows them."""
    last = delivered_rates()[-1]
    ahead = half_year(last.starts_on + timedelta(days=200))
    terms = LateInterestTerms(debtors="all_but")
    assert Rates(terms).on(ahead - timedelta(days=1)).provisional is False
    assert Rates(terms).on(ahead).provisional is True
    assert Rates(terms).on(ahead).percent == last.refinancing + 10
    own = HalfYearRates(starts_on=ahead, refinancing=Decimal(3), legal=Decimal(3))
    told = terms.model_copy(update={"rates": (own,)})
    assert (Rates(told).on(ahead).percent, Rates(told).on(ahead).provisional) == (Decimal(13), False)
    assert claim([line("F1", "100", last.starts_on)], ahead, terms).provisional is True


def test_every_half_year_is_delivered_up_to_the_last_without_a_gap() -> None:
    """Rule 18.2: the file begins with 2015, from when the legal rate is told twice a year."""
    days = [one.starts_on for one in delivered_rates()]
    assert days[0] == date(2015, 1, 1)
    assert [half_year(day + timedelta(days=200)) for day in days[:-1]] == days[1:]
