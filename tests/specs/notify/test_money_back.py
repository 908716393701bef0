"""Money of an online payment that goes back (rule 8.6): what is owed again, in whatever order it is told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.payments.going_back import Back, Movement, State, freed, held, summed, supersedes

PAID = Decimal(100)
START = datetime(2026, 4, 8, tzinfo=UTC)
LINES = [("F1", Decimal(70)), ("F2", Decimal(50)), ("A1", Decimal(-20))]


def told(name: str, state: State, amount: str, after: int = 0) -> Movement:
    return Movement(name, state, Decimal(amount), START + timedelta(minutes=after))


def heard(*movements: Movement) -> list[Movement]:
    """What is kept of all that was told, one by one."""
    kept: dict[str, Movement] = {}
    for one in movements:
        if one.name not in kept or supersedes(one, kept[one.name]):
            kept[one.name] = one
    return list(kept.values())


def test_all_of_it_frees_every_line_and_a_part_the_invoice_of_that_amount() -> None:
    assert freed(LINES, PAID, Decimal(0)) == ()
    assert freed(LINES, PAID, Decimal(100)) == ("F1", "F2", "A1")
    assert freed(LINES, PAID, Decimal(50)) == ("F2",)
    assert held(LINES, ("F2",)) == ("F1", "A1")


@pytest.mark.parametrize("part", ["49.99", "50.01", "20", "99.99"])
def test_a_part_that_is_no_invoice_frees_nothing(part: str) -> None:
    """What it is about accounting alone knows: nobody is asked for an invoice that is perhaps paid."""
    assert freed(LINES, PAID, Decimal(part)) == ()


def test_of_two_invoices_of_that_amount_neither_is_guessed() -> None:
    assert freed([("F1", Decimal(50)), ("F2", Decimal(50))], PAID, Decimal(50)) == ()


def test_an_invoice_is_not_taken_for_others_that_were_given_back_one_by_one() -> None:
    """30, then 70, are told as 100: the invoice of 100 is perhaps paid."""
    lines = [("F1", Decimal(30)), ("F2", Decimal(70)), ("F3", Decimal(100)), ("F4", Decimal(90))]
    assert freed(lines, Decimal(290), Decimal(30)) == ("F1",)
    assert freed(lines, Decimal(290), Decimal(100)) == ()
    assert freed(lines, Decimal(290), Decimal(90)) == ("F4",)
    many = [(f"F{n}", Decimal(2) ** n) for n in range(40)]
    assert freed(many, Decimal(2) ** 40 - 1, Decimal(2) ** 39) == (), "too many to tell"


def test_refunds_are_told_as_a_sum_and_the_latest_counts() -> None:
    first, second = told("ch", "refunded", "30"), told("ch", "refunded", "80", 5)
    assert summed(heard(first, second, first), PAID) == Back(Decimal(80))
    assert summed(heard(second, first), PAID) == Back(Decimal(80))
    same_instant = told("ch", "refunded", "30", 5)
    assert summed(heard(second, same_instant), PAID) == summed(heard(same_instant, second), PAID)


def test_a_refund_that_fails_did_not_happen() -> None:
    """A later sum leaves it out by itself."""
    given_back, failed = told("ch", "refunded", "80"), told("re", "refund_failed", "50", 5)
    assert summed([given_back, failed], PAID).returned == Decimal(30)
    assert summed([told("ch", "refunded", "40", 9), failed], PAID).returned == Decimal(40)


def test_nobody_is_asked_while_a_bank_decides_and_the_loser_owes_again() -> None:
    """The eve: contested; the day: won or lost; the day after, told of late: it stays so."""
    opened = told("dp", "contested", "100")
    assert summed(heard(opened), PAID) == Back(Decimal(0), Decimal(100))
    for state, back in (("won", Back()), ("lost", Back(Decimal(100), charged_back=True))):
        closed = told("dp", state, "100", 5)  # type: ignore[arg-type]
        assert summed(heard(opened, closed), PAID) == back
        assert summed(heard(closed, opened), PAID) == back
        assert summed(heard(opened, closed, told("dp", "contested", "100", 9)), PAID) == back


def test_a_banks_question_moves_no_money() -> None:
    assert summed(heard(told("dp", "inquiry", "100")), PAID) == Back()


def test_no_more_goes_back_than_was_paid() -> None:
    both = [told("ch", "refunded", "60"), told("dp", "lost", "100"), told("dp2", "contested", "100")]
    assert summed(both, PAID) == Back(PAID, Decimal(0), charged_back=True)


AMOUNTS = st.decimals(0, 150, places=2)
MOVED = st.builds(
    told,
    st.sampled_from(["ch", "re", "dp"]),
    st.sampled_from(["refunded", "refund_failed", "contested"]),
    AMOUNTS.map(str),
    st.integers(0, 3),
)


@given(st.lists(MOVED, max_size=4, unique_by=lambda one: (one.name, one.at, one.amount)))
def test_any_order_of_telling_comes_to_the_same(movements: list[Movement]) -> None:
    """Told twice as well."""
    ends = {repr(summed(sorted(heard(*one, *one), key=lambda m: m.name), PAID)) for one in permutations(movements)}
    assert len(ends) == 1
