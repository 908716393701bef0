"""What of an account is late enough, and large enough, to be reminded (rules 7.5, 8.7, 22.3, 22.26).

Sums over the whole account move on due dates: the days on which they may are added to ``changes``.
"""

from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from services.dunning.domain.policy import Policy
from services.dunning.domain.state import ClientState, EntryState

ONE_DAY = timedelta(days=1)


class Tolerance(NamedTuple):
    """Days after the due date, and the late total, that are tolerated; ``delay`` is ``days`` as a length."""

    days: int
    delay: timedelta
    amount: int | None

    def covers(self, entry: EntryState, as_of: date) -> bool:
        """Of a debit: it is not late yet for reminding. A credit is never held by it."""
        return entry.amount > 0 and entry.due_date + self.delay >= as_of

    def over_on(self, entry: EntryState) -> date:
        return entry.due_date + self.delay + ONE_DAY


def tolerance_of(client: ClientState, policy: Policy) -> Tolerance:
    """The client's own where it has one, else the company's."""
    days = policy.tolerance_days if client.tolerance_days is None else client.tolerance_days
    amount = policy.tolerance_amount if client.tolerance_amount is None else client.tolerance_amount
    return _tolerance(days, amount)


@cache
def _tolerance(days: int, amount: int | None) -> Tolerance:
    """A round asks once per client, of very few values."""
    return Tolerance(days, timedelta(days=days), amount)


def account_is_in_credit(client: ClientState, policy: Policy, as_of: date, changes: set[date]) -> bool:
    """Its open lines, due or not, leave less than nothing to pay. Credits that are left out until they are due do
    not count before (rule 7.5).
    """
    balance = client.resting.book_amount + sum([entry.book_amount for entry in client.entries])
    if balance >= 0 or not policy.upcoming_credits_excluded:
        return balance < 0
    for entry in client.entries:
        if entry.amount < 0 and entry.due_date >= as_of:
            balance -= entry.book_amount
            changes.add(entry.due_date + ONE_DAY)
    return balance < 0


def late_total(client: ClientState, tolerance: Tolerance, as_of: date, changes: set[date]) -> int:
    """What the client owes late beyond the days of tolerance, less the credits that are due."""
    total = 0
    for entry in client.entries:
        from_on = entry.due_date + (tolerance.delay if entry.amount > 0 else timedelta()) + ONE_DAY
        if from_on <= as_of:
            total += entry.book_amount
        else:
            changes.add(from_on)
    return total
