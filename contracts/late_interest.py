"""Late interest and the fixed indemnity of business debtors (rules 18.2, 18.3): shown, never posted, in no total.

Pure. Whoever shows them counts them here, from the open lines of a client: invoices, and what reduces them.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from contracts.ledger import HalfYearRates, LateInterestTerms

FIXED_INDEMNITY_EUR = Decimal(40)
"""For the cost of recovery, per invoice that was late (C. com. D441-5)."""
MARGIN_POINTS = Decimal(10)
"""Above the refinancing rate, where nothing was agreed (C. com. L441-10 II)."""
TIMES_LEGAL = 3
"""No agreed rate may be lower than so many times the legal one (C. com. L441-10 II)."""
DAYS_OF_YEAR = 365
"""Of leap years too (rule 18.3)."""
CENT = Decimal("0.01")
NOTHING = Decimal(0)
RATES_FILE = Path(__file__).with_name("late_interest_rates.toml")

Debtor = Literal["business", "consumer", "unsaid"]


@cache
def delivered_rates() -> tuple[HalfYearRates, ...]:
    """The published rates that come with the program, oldest first; their sources stand in the file."""
    told = tomllib.loads(RATES_FILE.read_text(encoding="utf-8"))
    return tuple(HalfYearRates.model_validate(one) for one in told["half_years"])


def half_year(day: date) -> date:
    """The first day of the half-year that holds ``day``."""
    return day.replace(month=1 if day.month <= 6 else 7, day=1)


def debtor(terms: LateInterestTerms | None, category: str | None) -> Debtor:
    """What a client of this category is: nothing may be claimed of anyone but a business (rule 18.2).

    ``unsaid`` while the company has not told which of its clients are businesses.
    """
    if terms is None or terms.debtors == "unsaid":
        return "unsaid"
    named = category is not None and category in terms.categories
    return "business" if named == (terms.debtors == "only") else "consumer"


@dataclass(frozen=True, slots=True)
class Rate:
    """Percent a year; ``provisional`` when the rates of the half-year itself are not known yet."""

    percent: Decimal
    provisional: bool = False


class Rates:
    """The yearly rate of each half-year under a company's terms."""

    def __init__(self, terms: LateInterestTerms) -> None:
        self.terms = terms
        known = {one.starts_on: one for one in delivered_rates()} | {one.starts_on: one for one in terms.rates}
        self.known: tuple[HalfYearRates, ...] = tuple(known[day] for day in sorted(known))

    def on(self, day: date) -> Rate:
        """The rate of the half-year that holds ``day``: its own, else that of the last one known before it."""
        starts_on = half_year(day)
        last = next((one for one in reversed(self.known) if one.starts_on <= starts_on), self.known[0])
        return Rate(self.of(last), provisional=last.starts_on != starts_on)

    def of(self, rates: HalfYearRates) -> Decimal:
        """Percent a year. What was agreed counts no less than three times the legal rate (L441-10 II)."""
        least = TIMES_LEGAL * rates.legal
        match self.terms.basis:
            case "refinancing":
                return rates.refinancing + MARGIN_POINTS
            case "legal":
                return least
            case "contract":
                return max(self.terms.contract_rate or NOTHING, least)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """An open line of a client; ``amount`` is debit minus credit, taxes included, in the line's currency."""

    entry_id: str
    account: str
    kind: str
    entry_date: date
    due_date: date
    amount: Decimal
    currency: str
    lettering: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``from_on`` to ``to_on``, both counted, in which neither balance nor rate changed.

    ``interest`` is not rounded: an invoice is rounded once, over its periods.
    """

    from_on: date
    to_on: date
    balance: Decimal
    rate: Decimal
    interest: Decimal
    provisional: bool = False

    @property
    def days(self) -> int:
        return (self.to_on - self.from_on).days + 1


@dataclass(frozen=True, slots=True)
class Claim:
    """What the law adds to one invoice that was late: ``interest`` in ``currency``, ``indemnity`` in euros."""

    entry_id: str
    currency: str
    interest: Decimal
    indemnity: Decimal
    periods: tuple[Period, ...]

    @property
    def provisional(self) -> bool:
        return any(period.provisional for period in self.periods)


def claims(lines: Iterable[OpenLine], as_of: date, terms: LateInterestTerms) -> dict[str, Claim]:
    """By invoice, of one client who is a business; invoices that were never late are left out (rules 18.2, 18.3).

    Lines of one account and currency meet: a credit reduces the invoices of its own lettering, then the oldest
    due. A payment counts from its day on, a credit note from the beginning, as what it takes back was never owed.
    """
    books: defaultdict[tuple[str, str], list[OpenLine]] = defaultdict(list)
    for line in lines:
        books[line.account, line.currency].append(line)
    rates = Rates(terms)
    found: dict[str, Claim] = {}
    for book in books.values():
        invoices = sorted((one for one in book if one.amount > 0), key=_oldest_due)
        credits_ = sorted((one for one in book if one.amount < 0 and one.entry_date <= as_of), key=_earliest)
        reduced = _reductions(invoices, credits_)
        for invoice in invoices:
            periods = tuple(_periods(invoice, reduced[invoice.entry_id], as_of, rates))
            if periods:
                found[invoice.entry_id] = Claim(
                    invoice.entry_id, invoice.currency, _rounded(periods), FIXED_INDEMNITY_EUR, periods
                )
    return found


def interest_by_currency(found: Iterable[Claim]) -> dict[str, Decimal]:
    """Sums of rounded interest."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for claim in found:
        sums[claim.currency] += claim.interest
    return dict(sums)


def _oldest_due(line: OpenLine) -> tuple[date, date, str]:
    return line.due_date, line.entry_date, line.entry_id


def _earliest(line: OpenLine) -> tuple[date, str]:
    return line.entry_date, line.entry_id


def _rounded(periods: Sequence[Period]) -> Decimal:
    exact = sum((period.interest for period in periods), NOTHING)
    return exact.quantize(CENT, rounding=ROUND_HALF_EVEN)


def _reductions(
    invoices: Sequence[OpenLine], credits_: Sequence[OpenLine]
) -> Mapping[str, list[tuple[date, Decimal]]]:
    """What takes away from each invoice, and from which day on."""
    owed = {invoice.entry_id: invoice.amount for invoice in invoices}
    left = {credit.entry_id: -credit.amount for credit in credits_}
    reduced: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)

    def take(credit: OpenLine, candidates: Iterable[OpenLine]) -> None:
        for invoice in candidates:
            taken = min(left[credit.entry_id], owed[invoice.entry_id])
            if taken > 0:
                day = credit.entry_date
                if credit.kind == "credit_note":
                    day = min(day, invoice.due_date)
                reduced[invoice.entry_id].append((day, taken))
                left[credit.entry_id] -= taken
                owed[invoice.entry_id] -= taken

    for credit in credits_:
        if credit.lettering is not None:
            take(credit, (one for one in invoices if one.lettering == credit.lettering))
    waiting = [one for one in invoices if owed[one.entry_id] > 0]
    for credit in credits_:
        take(credit, waiting)
        while waiting and owed[waiting[0].entry_id] == 0:
            waiting.pop(0)
    return reduced


def _periods(
    invoice: OpenLine, reduced: Sequence[tuple[date, Decimal]], as_of: date, rates: Rates
) -> Iterator[Period]:
    """From the day after the due date to ``as_of``; the day of a payment still bears interest on the whole."""
    if invoice.due_date >= as_of:
        return
    changes = {day for day, _ in reduced} | set(_ends_of_half_years(invoice.due_date, as_of))
    cuts = [invoice.due_date, *sorted(day for day in changes if invoice.due_date < day < as_of), as_of]
    for before, last in pairwise(cuts):
        balance = invoice.amount - sum((amount for day, amount in reduced if day <= before), NOTHING)
        if balance > 0:
            rate = rates.on(last)
            days = (last - before).days
            yield Period(
                from_on=before + timedelta(days=1),
                to_on=last,
                balance=balance,
                rate=rate.percent,
                interest=balance * rate.percent * days / (100 * DAYS_OF_YEAR),
                provisional=rate.provisional,
            )


def _ends_of_half_years(after: date, before: date) -> Iterator[date]:
    for year in range(after.year, before.year + 1):
        for end in (date(year, 6, 30), date(year, 12, 31)):
            if after < end < before:
                yield end
