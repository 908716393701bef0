"""Late interest and the fixed indemnity beside the statement of a client (rules 18.2, 18.3)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.late_interest import Claim, OpenLine, claims, debtor, interest_by_currency
from contracts.ledger import LateInterestTerms
from services.reporting.queries.view import ZERO
from services.reporting.shapes.client import (
    InterestClaim,
    InterestPeriod,
    InterestSum,
    LateInterest,
    StatementEntry,
)

SHOWN = Decimal("0.0001")

TERMS = text("""
    select (select terms from late_interest_terms where company = :company) as terms,
        (select category from client where company = :company and client_id = :client_id) as category
""")


async def late_interest(
    tx: AsyncConnection, company: str, client_id: str, entries: Sequence[StatementEntry], on: date
) -> LateInterest:
    """What the open lines of a statement bear on its day."""
    known = (await tx.execute(TERMS, {"company": company, "client_id": client_id})).one()
    terms = None if known.terms is None else LateInterestTerms.model_validate(known.terms)
    who = debtor(terms, known.category)
    if terms is None or who != "business":
        return LateInterest(debtor=who, sums=[], indemnity=ZERO, provisional=False, claims=[])
    found = claims((_open_line(entry) for entry in entries if entry.open), on, terms)
    invoices = [entry for entry in entries if entry.entry_id in found]
    sums = interest_by_currency(found.values())
    return LateInterest(
        debtor=who,
        sums=[InterestSum(currency=currency, interest=sums[currency]) for currency in sorted(sums)],
        indemnity=sum((claim.indemnity for claim in found.values()), ZERO),
        provisional=any(claim.provisional for claim in found.values()),
        claims=[_claim(entry, found[entry.entry_id]) for entry in invoices],
    )


def _open_line(entry: StatementEntry) -> OpenLine:
    return OpenLine(
        entry_id=entry.entry_id,
        account=entry.account,
        kind=entry.kind,
        entry_date=entry.entry_date,
        due_date=entry.due_date,
        amount=entry.debit - entry.credit,
        currency=entry.currency,
        lettering=entry.lettering,
    )


def _claim(entry: StatementEntry, claim: Claim) -> InterestClaim:
    return InterestClaim(
        entry_id=entry.entry_id,
        piece=entry.piece,
        due_date=entry.due_date,
        currency=claim.currency,
        interest=claim.interest,
        indemnity=claim.indemnity,
        periods=[
            InterestPeriod(
                from_on=period.from_on,
                to_on=period.to_on,
                days=period.days,
                balance=period.balance,
                rate=period.rate,
                interest=period.interest.quantize(SHOWN),
                provisional=period.provisional,
            )
            for period in claim.periods
        ],
    )
