"""What was paid online is not reminded of until accounting letters it (rule 8.6)."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from contracts.event import Event
from contracts.notify import PaidEntry, PaymentLinkPaid, PaymentReturned
from services.dunning.domain.exclusions import NEVER_ACCEPTED, PAID_ONLINE
from tests.specs.dunning.given import CLIENT, credit, entry_id, given, invoice, step

R1_ONLY = (step("R1", 8),)


PAYMENT = UUID(int=5)


def paid(*names: str, payment_id: UUID | None = None) -> Event:
    return PaymentLinkPaid(
        payment_id=payment_id or uuid4(),
        client_id=CLIENT,
        amount=Decimal(100),
        currency="EUR",
        paid_at=datetime(2025, 3, 18, 9, tzinfo=UTC),
        entries=tuple(PaidEntry(entry_id=entry_id(name), amount=Decimal(100)) for name in names),
    )


def went_back(amount: int, free: tuple[str, ...], held: tuple[str, ...] = ()) -> Event:
    return PaymentReturned(
        payment_id=PAYMENT,
        client_id=CLIENT,
        amount=Decimal(amount),
        currency="EUR",
        why="refunded",
        returned_at=datetime(2025, 3, 20, 9, tzinfo=UTC),
        freed=tuple(map(entry_id, free)),
        held=tuple(map(entry_id, held)),
    )


def test_paid_online_it_waits_and_the_rest_goes():
    """Rules 8.6, 8.17: the eve, the day, the day after."""
    one = given(invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10"), steps=R1_ONLY)
    one.when("2025-03-17").silent()
    held = one.on("2025-03-18", paid("F"))
    held.when("2025-03-18").says(R1=(50, ["G"])).excluded("F", "paid_online")
    held.when("2025-03-19").excluded("F", "paid_online")


def test_what_was_proposed_is_withdrawn():
    """Rule 8.6: a payment after the decision."""
    one = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY)
    one.when("2025-03-18").says(R1=(100, ["F"]))
    one.on("2025-03-19", paid("F")).when("2025-03-19").silent().withdraws("paid_online")


def test_credits_that_were_used_are_used_up():
    """Rules 8.6, 19.5: they are taken off nothing else."""
    lines = [invoice("F", 100, "2025-03-10"), credit("A", -40, "2025-03-10"), invoice("G", 50, "2025-03-10")]
    one = given(*lines, steps=R1_ONLY).on("2025-03-11", paid("F", "A"))
    one.when("2025-03-18").says(R1=(50, ["G"])).excluded("A", "paid_online")


def test_lettered_it_is_settled_and_un_lettered_it_is_owed_again():
    """Rules 8.6, 22.8: the payment held it until it was lettered; taken back in accounting, it holds nothing."""
    one = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY).on("2025-03-11", paid("F"))
    lettered = one.on("2025-03-12", invoice("F", 100, "2025-03-10", lettering="AA"))
    lettered.when("2025-03-18").silent()
    open_again = lettered.on("2025-03-20", invoice("F", 100, "2025-03-10"))
    open_again.when("2025-03-28").says(R1=(100, ["F"]))


def test_reopened_before_it_was_paid_it_is_held():
    """Rule 8.6: the eve of the payment, and its very day."""
    for reopened in ("2025-03-10", "2025-03-11"):
        one = given(invoice("F", 100, "2025-03-10", lettering="AA"), steps=R1_ONLY)
        one = one.on(reopened, invoice("F", 100, "2025-03-10")).on("2025-03-11", paid("F"))
        one.when("2025-03-28").silent().excluded("F", "paid_online")


def test_a_person_may_tick_it_back():
    """Rule 8.15: money that went back to the debtor is asked for by hand."""
    assert PAID_ONLINE not in NEVER_ACCEPTED


def test_money_that_went_back_is_owed_again():
    """Rule 8.6: the eve of the refund, its day, the day after."""
    one = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY).on("2025-03-11", paid("F", payment_id=PAYMENT))
    one.when("2025-03-19").silent().excluded("F", "paid_online")
    back = one.on("2025-03-20", went_back(100, ("F",)))
    back.when("2025-03-20").says(R1=(100, ["F"]))
    given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY).on("2025-03-11", paid("F", payment_id=PAYMENT)).on(
        "2025-03-20", went_back(100, ("F",))
    ).when("2025-03-21").says(R1=(100, ["F"]))


def test_of_a_part_only_its_invoice_is_owed_again():
    """Rule 8.6."""
    lines = [invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-10")]
    one = given(*lines, steps=R1_ONLY).on("2025-03-11", paid("F", "G", payment_id=PAYMENT))
    back = one.on("2025-03-20", went_back(50, ("G",), ("F",)))
    back.when("2025-03-20").says(R1=(50, ["G"])).excluded("F", "paid_online")


def test_a_refund_that_failed_holds_again():
    """Rule 8.6: the debtor has not got its money back."""
    one = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY).on("2025-03-11", paid("F", payment_id=PAYMENT))
    failed = one.on("2025-03-20", went_back(100, ("F",))).on("2025-03-21", went_back(0, (), ("F",)))
    failed.when("2025-03-21").silent().excluded("F", "paid_online")


def test_another_payment_of_the_line_still_holds_it():
    """Rule 8.6: refunded, paid again, and the first refund told once more."""
    one = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY).on("2025-03-11", paid("F", payment_id=PAYMENT))
    again = one.on("2025-03-12", went_back(100, ("F",))).on("2025-03-13", paid("F"))
    again.on("2025-03-14", went_back(100, ("F",))).when("2025-03-18").silent().excluded("F", "paid_online")


def test_lettered_meanwhile_nothing_is_owed():
    """Rule 5.8: what accounting settled stays settled."""
    one = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY).on("2025-03-11", paid("F", payment_id=PAYMENT))
    lettered = one.on("2025-03-12", invoice("F", 100, "2025-03-10", lettering="AA"))
    lettered.on("2025-03-20", went_back(100, ("F",))).when("2025-03-20").silent()
