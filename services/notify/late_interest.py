"""Late interest and the fixed indemnity of the clients who are written to (rules 18.2, 18.3)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.late_interest import Claim, OpenLine, claims, debtor
from contracts.ledger import LateInterestTerms

TERMS = text("select terms from late_interest_terms where company = :company")
CATEGORIES = text(
    "select client_id, category from client where company = :company and client_id = any(:client_ids)"
)
OPEN_LINES = text(
    """
    select e.client_id, e.entry_id, e.account, e.kind, e.entry_date, e.due_date, e.amount, e.currency, e.lettering
    from entry e
    left join lettering_error error using (company, client_id, account, lettering)
    where e.company = :company and e.client_id = any(:client_ids) and not e.removed
        and (e.lettering is null or error.company is not null)
    """
)


async def claims_of(
    tx: AsyncConnection, company: str, client_ids: Collection[str], as_of: date
) -> dict[str, Mapping[str, Claim]]:
    """By client and entry; of businesses alone, and of nobody while the company has not said who is one."""
    told = await tx.scalar(TERMS, {"company": company})
    if told is None:
        return {}
    terms = LateInterestTerms.model_validate(told)
    asked = {"company": company, "client_ids": list(client_ids)}
    businesses = [
        row.client_id for row in await tx.execute(CATEGORIES, asked) if debtor(terms, row.category) == "business"
    ]
    if not businesses:
        return {}
    lines: defaultdict[str, list[OpenLine]] = defaultdict(list)
    for client_id, *line in await tx.execute(OPEN_LINES, asked | {"client_ids": businesses}):
        lines[client_id].append(OpenLine(*line))
    return {client_id: claims(open_lines, as_of, terms) for client_id, open_lines in lines.items()}
