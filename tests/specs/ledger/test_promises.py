"""Section 10: promises."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from contracts.ledger import PromiseBroken, PromiseCancelled, PromiseKept, PromiseRecorded, PromiseReopened
from services.ledger.domain import (
    CancelPromise,
    DayCame,
    Group,
    GroupLine,
    GroupSeen,
    Promise,
    PromiseState,
    PromiseStatus,
    RecordPromise,
    status_of,
)
from services.ledger.domain.refusals import (
    EntryAlreadyLettered,
    EntryIsACredit,
    PromiseAlreadyCancelled,
    PromiseAlreadyKept,
    PromiseInThePast,
    PromiseOfNothing,
    UnknownEntry,
    UnknownPromise,
)
from tests.specs.ledger.given import CLIENT, CREDIT, DAY, DAY_AFTER, EVE, INVOICE, PROMISE, entry, given


def recorded(
    promise_id: UUID = PROMISE, amount: str = "1250.40", on: date = DAY, entry_id: str = INVOICE
) -> PromiseRecorded:
    return PromiseRecorded(
        promise_id=promise_id,
        client_id=CLIENT,
        entry_id=entry_id,
        amount=Decimal(amount),
        currency="EUR",
        promised_on=on,
    )


KEPT = PromiseKept(promise_id=PROMISE, client_id=CLIENT, entry_id=INVOICE)
BROKEN = PromiseBroken(promise_id=PROMISE, client_id=CLIENT, entry_id=INVOICE)
CANCELLED = PromiseCancelled(promise_id=PROMISE, client_id=CLIENT, entry_id=INVOICE)


def settled(*entry_ids: str, amounts: tuple[str, ...] = ("1250.40", "-1250.40")) -> GroupSeen:
    lines = tuple(
        GroupLine(entry_id=name, kind="credit_note", entry_date=DAY, book_amount=Decimal(amount))
        for name, amount in zip(entry_ids, amounts, strict=True)
    )
    return GroupSeen(Group("411000", "AA"), lines)


@pytest.mark.parametrize("amount", ["0.01", "0.50", "1.00"])
def test_cents_are_promised_as_well(amount: str) -> None:
    """Rule 10.8: the whole amount of the invoice where none is given."""
    given(entries=[entry(amount=amount)]).when(RecordPromise(PROMISE, INVOICE, promised_on=DAY)).then(
        recorded(amount=amount)
    )


def test_a_promise_is_an_amount_and_a_date_on_an_entry() -> None:
    """Rule 10.1."""
    given().when(RecordPromise(PROMISE, INVOICE, Decimal(500), DAY_AFTER)).then(
        recorded(amount="500", on=DAY_AFTER)
    )


def test_an_entry_may_have_several_promises() -> None:
    """Rule 10.1: instalments."""
    second = UUID(int=2)
    given(recorded(amount="500")).when(RecordPromise(second, INVOICE, Decimal(700), DAY_AFTER)).then(
        recorded(second, "700", DAY_AFTER)
    )


def test_a_promise_defaults_to_the_whole_entry_in_seven_days() -> None:
    """Rule 10.8."""
    given().when(RecordPromise(PROMISE, INVOICE), on=DAY).then(recorded(on=date(2026, 3, 17)))


@pytest.mark.parametrize(("on", "status"), [(EVE, "expected"), (DAY, "expected"), (DAY_AFTER, "late")])
def test_a_promise_is_late_from_the_day_after(on: date, status: str) -> None:
    """Rules 10.2, 10.5: on the promised day itself it is not late."""
    promise = Promise(PROMISE, INVOICE, Decimal(1), "EUR", promised_on=DAY)
    assert status_of(promise, on) == status


@pytest.mark.parametrize("state", PromiseState)
def test_every_state_of_a_promise_reads_as_a_status(state: PromiseState) -> None:
    """Rule 10.2."""
    read = {
        PromiseState.OPEN: PromiseStatus.LATE,
        PromiseState.BROKEN: PromiseStatus.LATE,
        PromiseState.KEPT: PromiseStatus.KEPT,
        PromiseState.CANCELLED: PromiseStatus.CANCELLED,
    }
    promise = Promise(PROMISE, INVOICE, Decimal(1), "EUR", promised_on=DAY, state=state)
    assert status_of(promise, DAY_AFTER) is read[state]


def test_nobody_promises_in_the_past() -> None:
    refusal = given().when(RecordPromise(PROMISE, INVOICE, Decimal(1), EVE), on=DAY).refused(PromiseInThePast)
    assert vars(refusal) == {"client_id": CLIENT, "entry_id": INVOICE, "promised_on": EVE, "as_of": DAY}


def test_a_promise_for_today_is_accepted() -> None:
    given().when(RecordPromise(PROMISE, INVOICE, Decimal(1), DAY), on=DAY).then(recorded(amount="1"))


def test_nothing_is_promised_on_a_lettered_entry() -> None:
    """Rule 1.2."""
    given(entries=[entry(open=False)]).when(RecordPromise(PROMISE, INVOICE)).refused(EntryAlreadyLettered)


def test_nothing_is_promised_on_a_credit() -> None:
    given(entries=[entry(CREDIT, "-10")]).when(RecordPromise(PROMISE, CREDIT)).refused(EntryIsACredit)


@pytest.mark.parametrize("amount", ["0", "-5"])
def test_a_promise_is_of_something(amount: str) -> None:
    given().when(RecordPromise(PROMISE, INVOICE, Decimal(amount))).refused(PromiseOfNothing)


def test_nothing_is_promised_on_an_unknown_entry() -> None:
    given(entries=[]).when(RecordPromise(PROMISE, INVOICE)).refused(UnknownEntry)


def test_a_user_cancels_a_promise_also_a_broken_one() -> None:
    """Rule 10.2: cancelled = deleted by a user."""
    given(recorded()).when(CancelPromise(PROMISE)).then(CANCELLED)
    given(recorded(), BROKEN).when(CancelPromise(PROMISE)).then(CANCELLED)


def test_a_promise_ends_once() -> None:
    """Rule 10.2: the history is kept."""
    given(recorded(), CANCELLED).when(CancelPromise(PROMISE)).refused(PromiseAlreadyCancelled)
    given(recorded(), KEPT).when(CancelPromise(PROMISE)).refused(PromiseAlreadyKept)
    given().when(CancelPromise(PROMISE)).refused(UnknownPromise)


def test_a_promise_is_kept_when_its_entry_is_lettered() -> None:
    """Rule 10.2."""
    given(recorded()).when(settled(INVOICE, CREDIT)).then(KEPT)


def test_a_late_promise_is_kept_all_the_same() -> None:
    """Rule 10.2."""
    given(recorded(), BROKEN).when(settled(INVOICE, CREDIT), on=DAY_AFTER).then(KEPT)


def test_a_promise_is_not_kept_by_a_lettering_error() -> None:
    """Rule 2.8: such entries count as open."""
    events = given(recorded()).when(settled(INVOICE, CREDIT, amounts=("1250.40", "-1250.00"))).events()
    assert KEPT not in events


def test_a_kept_or_cancelled_promise_is_kept_no_more() -> None:
    paid = [entry(open=False)]
    given(recorded(), KEPT, entries=paid).when(settled(INVOICE, CREDIT)).then()
    given(recorded(), CANCELLED).when(settled(INVOICE, CREDIT)).then()


def test_a_kept_promise_stands_again_when_the_payment_is_taken_back() -> None:
    """Rules 10.2, 22.8, 22.21: kept means lettered; the entry is open again, so is the promise, and late if its
    day has passed.
    """
    reopened = PromiseReopened(**recorded().model_dump())
    unlettered = GroupSeen(Group("411000", "AA"), ())
    given(recorded(), KEPT, entries=[entry(open=True)]).when(unlettered, on=DAY_AFTER).then(reopened)
    given(recorded(), KEPT, entries=[entry(open=False)]).when(unlettered).then()
    given(recorded(), KEPT, entries=[]).when(unlettered).then()
    given(recorded(), KEPT, reopened).when(DayCame(), on=DAY).then()
    given(recorded(), KEPT, reopened).when(DayCame(), on=DAY_AFTER).then(BROKEN)
    given(recorded(), KEPT, reopened).when(unlettered).then()


def test_a_cancelled_promise_does_not_come_back_with_the_entry() -> None:
    """Rule 10.2."""
    given(recorded(), CANCELLED).when(GroupSeen(Group("411000", "AA"), ())).then()


@pytest.mark.parametrize(("on", "said"), [(EVE, []), (DAY, []), (DAY_AFTER, [BROKEN])])
def test_a_promise_breaks_the_day_after_its_date(on: date, said: list[PromiseBroken]) -> None:
    """Rule 10.2."""
    given(recorded(on=DAY)).when(DayCame(), on=on).then(*said)


def test_a_promise_breaks_once_and_only_on_an_open_entry() -> None:
    """Rule 10.2."""
    given(recorded(), BROKEN).when(DayCame(), on=DAY_AFTER).then()
    given(recorded(), CANCELLED).when(DayCame(), on=DAY_AFTER).then()
    given(recorded(), entries=[entry(open=False)]).when(DayCame(), on=DAY_AFTER).then()
    given(recorded(), entries=[]).when(DayCame(), on=DAY_AFTER).then()
