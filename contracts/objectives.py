"""What a company wants to come in, month by month, as ``CashObjectivesChosen`` says it (rule 16.9)."""

from datetime import date

from contracts.event import Amount, Fact


class MonthlyAmount(Fact):
    """``month`` is its first day."""

    month: date
    amount: Amount


class CashObjective(Fact):
    """One curve: what should come in, in the bookkeeping currency."""

    title: str
    months: tuple[MonthlyAmount, ...] = ()


class CashObjectives(Fact):
    """Three curves at most."""

    curves: tuple[CashObjective, ...] = ()
