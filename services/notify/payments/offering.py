"""What an online payment asks for. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal


class PaymentRefused(Exception):
    """Nothing can be paid like this; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class OpenLine:
    """``amount`` is debit minus credit. ``held``: it is paid online already, or perhaps paid (rule 2.8)."""

    entry_id: str
    amount: Decimal
    currency: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one payment, both included; ``use_credits`` takes open credits and payments off (rule 19.5)."""

    minimum: Decimal = Decimal("0.50")
    maximum: Decimal | None = None
    use_credits: bool = True


@dataclass(frozen=True, slots=True)
class Offer:
    """The lines that are paid together, credits among them, and what they come to."""

    currency: str
    lines: tuple[OpenLine, ...]

    @property
    def amount(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


def offer(lines: Sequence[OpenLine], wanted: Collection[str], limits: Limits) -> Offer:
    """What paying the ``wanted`` lines costs today (rules 7.8, 19.5). Raises ``PaymentRefused``.

    Open credits of the currency are taken off, partial payments among them, so that nothing is paid twice.
    """
    chosen = [line for line in lines if line.entry_id in wanted]
    if len(chosen) < len(set(wanted)):
        raise PaymentRefused("entry-settled")
    if any(line.held for line in chosen):
        raise PaymentRefused("entry-paid")
    if not chosen or any(line.amount <= 0 for line in chosen):
        raise PaymentRefused("nothing-to-pay")
    if len({line.currency for line in chosen}) > 1:
        raise PaymentRefused("several-currencies")
    currency = chosen[0].currency
    credits = [
        line
        for line in lines
        if limits.use_credits and line.amount < 0 and line.currency == currency and not line.held
    ]
    made = Offer(currency, (*chosen, *credits))
    if made.amount <= 0:
        raise PaymentRefused("nothing-to-pay")
    if made.amount < limits.minimum:
        raise PaymentRefused("below-minimum")
    if limits.maximum is not None and made.amount > limits.maximum:
        raise PaymentRefused("above-maximum")
    return made
