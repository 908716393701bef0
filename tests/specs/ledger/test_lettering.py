"""Lettering groups: settled, in error (1.2, 2.8), and the payments they hold."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.ledger import LetteringErrorCleared, LetteringErrorFound, PaymentLettered
from services.ledger.domain import Group, GroupLine, GroupSeen
from tests.specs.ledger.given import CLIENT, DAY, EVE, given

GROUP = Group("411000", "AA")


def named(name: str) -> str:
    return name.encode().hex().zfill(32)


def line(name: str, amount: str, kind: str, on: date = DAY) -> GroupLine:
    return GroupLine(entry_id=named(name), kind=kind, entry_date=on, book_amount=Decimal(amount))


def seen(*lines: GroupLine) -> GroupSeen:
    return GroupSeen(GROUP, lines)


def found(difference: str) -> LetteringErrorFound:
    return LetteringErrorFound(client_id=CLIENT, account="411000", lettering="AA", difference=Decimal(difference))


CLEARED = LetteringErrorCleared(client_id=CLIENT, account="411000", lettering="AA")


def paid(payments: tuple[str, ...], settled: tuple[str, ...], on: date = DAY) -> PaymentLettered:
    return PaymentLettered(
        client_id=CLIENT,
        account="411000",
        lettering="AA",
        payments=tuple(map(named, payments)),
        settled=tuple(map(named, settled)),
        paid_on=on,
    )


@pytest.mark.parametrize(
    ("credit", "events"),
    [
        ("-100", []),
        ("-99.995", []),
        ("-99.9949", [found("0.0051")]),
        ("-100.005", []),
        ("-100.0051", [found("-0.0051")]),
    ],
)
def test_debits_equal_credits_within_half_a_cent(credit: str, events: list[LetteringErrorFound]) -> None:
    """Rule 2.8: a difference of exactly the tolerance is sane."""
    given().when(seen(line("i", "100", "invoice"), line("c", credit, "credit_note"))).then(*events)


def test_a_lettering_error_is_said_when_its_difference_changes() -> None:
    """Rule 2.8."""
    half = seen(line("i", "100", "invoice"))
    given().when(half).then(found("100"))
    given(found("100")).when(half).then()
    given(found("90")).when(half).then(found("100"))


def test_a_lettering_error_is_cleared_by_balance_or_by_losing_its_last_entry() -> None:
    """Rule 2.8."""
    balanced = seen(line("i", "100", "invoice"), line("c", "-100", "credit_note"))
    given(found("100")).when(balanced).then(CLEARED)
    given(found("100")).when(seen()).then(CLEARED)
    given(found("100"), CLEARED).when(balanced).then()


def test_a_lettered_payment_is_announced_with_what_it_settles() -> None:
    group = seen(line("i1", "60", "invoice"), line("i2", "40", "invoice"), line("p", "-100", "payment", on=EVE))
    given().when(group).then(paid(("p",), ("i1", "i2"), on=EVE))
    given(paid(("p",), ("i1", "i2"))).when(group).then()


def test_a_second_payment_in_the_group_is_announced_alone() -> None:
    """Rule 12.2: each payment is thanked once."""
    group = seen(line("i1", "100", "invoice"), line("p1", "-60", "payment", on=EVE), line("p2", "-40", "payment"))
    given(paid(("p1",), ("i1",))).when(group).then(paid(("p2",), ("i1",), on=DAY))


def test_a_code_used_again_the_year_after_announces_the_new_year_only() -> None:
    """Rules 2.8, 12.2, 22.22: a group is account, client and code; the next year's lines join it."""
    before = (line("i1", "100", "invoice"), line("p1", "-100", "payment", on=EVE))
    after = (line("i2", "70", "invoice"), line("p2", "-70", "payment"))
    first = paid(("p1",), ("i1",), on=EVE)
    given().when(seen(*before)).then(first)
    given(first).when(seen(*before, *after)).then(paid(("p2",), ("i2",)))
    given(first, paid(("p2",), ("i2",))).when(seen(*before, *after)).then()


def test_no_payment_is_announced_in_an_unbalanced_group_or_without_payment_or_debit() -> None:
    given().when(seen(line("i", "100", "invoice"), line("p", "-60", "payment"))).then(found("40"))
    given().when(seen(line("i", "100", "invoice"), line("c", "-100", "credit_note"))).then()
    given().when(seen(line("p", "-100", "payment"), line("back", "100", "payment"))).then()
    given().when(seen(line("p", "0", "payment"))).then()


def test_cents_are_paid_and_settled_as_well_and_what_is_about_nothing_is_neither() -> None:
    group = seen(
        line("i", "0.40", "invoice"),
        line("p", "-0.90", "payment"),
        line("back", "0.50", "payment"),
        line("z", "0", "invoice"),
        line("y", "0", "payment"),
    )
    given().when(group).then(paid(("p",), ("i",)))
