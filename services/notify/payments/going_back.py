"""Money of an online payment that goes back: what is owed again (rule 8.6, docs/adr/0052). Pure.

The provider tells it in any order, more than once, perhaps before it tells of the payment itself: what counts is
the sum of all that was told, whenever it came.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

NOTHING = Decimal(0)
MOST_SUMS = 10_000

State = Literal["refunded", "refund_failed", "contested", "won", "lost", "inquiry"]
ENDED: frozenset[State] = frozenset({"won", "lost"})


@dataclass(frozen=True, slots=True)
class Movement:
    """One thing that the provider told of a payment's money, in the currency's own unit.

    ``refunded`` is everything given back until ``at``; ``refund_failed`` one refund that did not arrive. The
    others are a dispute with the debtor's bank: ``contested`` while it decides, an ``inquiry`` moves no money.
    """

    name: str
    state: State
    amount: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Back:
    """What went back altogether, and what banks have not decided on yet."""

    returned: Decimal = NOTHING
    contested: Decimal = NOTHING
    charged_back: bool = False


def supersedes(told: Movement, known: Movement) -> bool:
    """Whether what is told of the same thing now counts more than what was: a dispute that ended stays ended, and
    of two tellings of one instant the larger counts."""
    if known.state in ENDED:
        return False
    if told.state in ENDED:
        return True
    return (told.at, told.amount) > (known.at, known.amount)


def summed(movements: Iterable[Movement], paid: Decimal) -> Back:
    """What all that was told comes to, at most what was ``paid``."""
    known = list(movements)
    refunds = [one for one in known if one.state == "refunded"]
    given_back = NOTHING
    for refund in refunds:
        failed = (one.amount for one in known if one.state == "refund_failed" and one.at >= refund.at)
        given_back += max(refund.amount - sum(failed, NOTHING), NOTHING)
    lost = sum((one.amount for one in known if one.state == "lost"), NOTHING)
    contested = sum((one.amount for one in known if one.state == "contested"), NOTHING)
    returned = min(given_back + lost, paid)
    return Back(returned, min(contested, paid - returned), charged_back=lost > 0)


def freed(lines: Sequence[tuple[str, Decimal]], paid: Decimal, returned: Decimal) -> tuple[str, ...]:
    """The entries that are owed again: all when everything went back; of a part, the one invoice of exactly that
    amount, unless others come to it together: accounting alone knows what such a part is about."""
    if returned <= NOTHING:
        return ()
    if returned >= paid:
        return tuple(entry_id for entry_id, _ in lines)
    exact = [entry_id for entry_id, amount in lines if amount == returned]
    if len(exact) != 1 or _comes_to(returned, [amount for entry_id, amount in lines if entry_id != exact[0]]):
        return ()
    return (exact[0],)


def _comes_to(wanted: Decimal, amounts: Iterable[Decimal]) -> bool:
    """Whether some of the invoices make this sum, or there are too many to tell: what went back is known as a sum
    alone, so it may have been theirs, one after the other."""
    sums = {NOTHING}
    for amount in amounts:
        if amount > NOTHING:
            sums |= {known + amount for known in sums if known + amount <= wanted}
        if wanted in sums or len(sums) > MOST_SUMS:
            return True
    return False


def held(lines: Sequence[tuple[str, Decimal]], free: Collection[str]) -> tuple[str, ...]:
    """The others."""
    return tuple(entry_id for entry_id, _ in lines if entry_id not in free)
