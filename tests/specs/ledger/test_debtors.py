"""What a debtor may promise by itself (rule 10.9)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from contracts.ledger import PromiseBroken, PromiseCancelled, PromiseRecorded
from services.ledger.domain import RecordPromise
from services.ledger.domain.refusals import EntryAlreadyPromised, PromiseTooFar
from tests.specs.ledger.given import CLIENT, DAY, DAY_AFTER, EVE, INVOICE, PROMISE, given

LAST = DAY + timedelta(days=30)
BY_DEBTOR = RecordPromise(UUID(int=2), INVOICE, None, DAY, not_after=LAST)
EARLIER = PromiseRecorded(
    promise_id=PROMISE, client_id=CLIENT, entry_id=INVOICE, amount=Decimal(1), currency="EUR", promised_on=DAY
)


@pytest.mark.parametrize("on", [LAST - timedelta(days=1), LAST])
def test_until_the_last_day_a_debtor_may_promise(on: date) -> None:
    """Rule 10.9: the eve, and the day."""
    (said,) = given().when(replace(BY_DEBTOR, promised_on=on)).events()
    assert isinstance(said, PromiseRecorded)
    assert (said.promised_on, said.amount) == (on, Decimal("1250.40"))


def test_the_day_after_is_too_far_for_a_debtor_and_not_for_a_user() -> None:
    """Rule 10.9."""
    wanted = replace(BY_DEBTOR, promised_on=LAST + timedelta(days=1))
    given().when(wanted).refused(PromiseTooFar)
    assert given().when(replace(wanted, not_after=None)).events()


@pytest.mark.parametrize("on", [EVE, DAY])
def test_a_promise_that_is_ahead_is_not_put_off_by_another(on: date) -> None:
    """Rule 10.9: on its day it still stands."""
    wanted = replace(BY_DEBTOR, promised_on=DAY_AFTER)
    given(EARLIER).when(wanted, on=on).refused(EntryAlreadyPromised)


def test_a_promise_that_is_late_or_over_may_be_followed_by_another() -> None:
    """Rule 10.9: late, the entry is reminded of whatever is promised again (rule 10.5)."""
    about = {"promise_id": PROMISE, "client_id": CLIENT, "entry_id": INVOICE}
    wanted = replace(BY_DEBTOR, promised_on=DAY_AFTER)
    assert given(EARLIER).when(wanted, on=DAY_AFTER).events()
    assert given(EARLIER, PromiseBroken(**about)).when(wanted, on=DAY_AFTER).events()
    assert given(EARLIER, PromiseCancelled(**about)).when(wanted, on=DAY).events()


def test_users_write_down_several_promises() -> None:
    """Rule 10.1 goes on for them."""
    assert given(EARLIER).when(replace(BY_DEBTOR, not_after=None), on=EVE).events()
