"""The few computations that every service must make alike. Pure; amounts are ``Decimal``, dates are ``date``."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

LETTERING_TOLERANCE = Decimal("0.005")
AGEING_SLICES = (0, 30, 60)
"""Days late that close the slices of what is owed: not late, 1 to 30, 31 to 60, and more (rule 16.1)."""


def days_late(due_date: date, as_of: date) -> int:
    """Plain day difference, for debits and credits alike; zero or negative is not late (rule 1.8)."""
    return (as_of - due_date).days


def is_overdue(due_date: date, as_of: date) -> bool:
    """The due date has passed (rule 1.3)."""
    return days_late(due_date, as_of) > 0


def lettering_difference(signed_amounts: Iterable[Decimal]) -> Decimal:
    """Debits minus credits of one (account, client, code); zero when the group is sane (rule 2.8)."""
    difference = sum(signed_amounts, Decimal(0))
    return difference if abs(difference) > LETTERING_TOLERANCE else Decimal(0)


def difference(debit: str, credit: str) -> str:
    """Debit minus credit of decimal strings as a decimal string, exact; most often one of them is zero."""
    if credit == "0.00":
        return debit
    if debit == "0.00" and credit[0] != "-":
        return f"-{credit}"
    return format(Decimal(debit) - Decimal(credit), "f")


def is_open(lettering: str | None, lettering_difference: Decimal) -> bool:
    """Unlettered, or lettered with an error: such entries count as open in the amounts (rules 1.2, 2.8)."""
    return lettering is None or lettering_difference != 0


def net(debits: Iterable[Decimal], credits_: Iterable[Decimal]) -> Decimal:
    """Amount due of a message: its debits less its credits (rule 7.6)."""
    return sum(debits, Decimal(0)) - sum(credits_, Decimal(0))
