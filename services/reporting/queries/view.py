"""What every question shares: the company, the day, its fiscal year and its currency."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

PAID_DAYS = 90
ZERO = Decimal(0)

VIEW = text("""
    select c.currency, c.fiscal_year_start, p.default_profile, p.automatic_from, n.names
    from (select cast(:company as text) as company) one
    left join followed_company c using (company) left join policy p using (company)
        left join profile_names n using (company)
""")

NAMES = text("""
    select client_id, name from person
    where company = :company and client_id = any(cast(:clients as text[])) and name is not null
""")

PIECES = text("""
    select entry_id, piece, book_amount from entry
    where company = :company and client_id = any(cast(:clients as text[]))
        and entry_id = any(cast(:entries as uuid[]))
""")

LEAVES_BY_ITSELF = """
    coalesce(h.automatic, coalesce(e.invoice_date, e.entry_date) >= cast(:automatic_from as date), false)"""
"""Of an entry ``e`` with what a person chose for it, ``h``: whether its reminders may (rule 22.13)."""

EARLIER_CODES = """
    with recursive code(client_id) as (
        select cast(:client_id as text)
        union
        select old.client_id from client_merge old join code on old.into_client_id = code.client_id
        where old.company = :company
    )
    select client_id from code
"""
"""A client's own code and all that became it, also by way of others (rule 5.9)."""


@dataclass(frozen=True)
class View:
    """One company as seen on one business day."""

    company: str
    as_of: date
    currency: str
    fiscal_year: date
    """First day of the fiscal year that holds ``as_of``."""
    default_profile: str
    profile_names: Mapping[str, str]
    """What people read for a profile that was renamed or made; the others are read as they are."""
    automatic_from: date | None = None
    """Invoices of this day or later leave by themselves, where nobody chose otherwise (rule 22.13)."""

    @property
    def paid_since(self) -> date:
        """First of the 90 days up to ``as_of`` that lie in its fiscal year (rule 1.6)."""
        return max(self.as_of - timedelta(days=PAID_DAYS - 1), self.fiscal_year)

    def before(self, days: int) -> date:
        return self.as_of - timedelta(days=days)


@dataclass(frozen=True)
class Page:
    """Which rows of a list are wanted; ``number`` counts from 1."""

    number: int = 1
    size: int = 15

    @property
    def bounds(self) -> dict[str, int]:
        return {"limit": self.size, "offset": (self.number - 1) * self.size}

    def shape(self, count: int) -> dict[str, int]:
        """``page``, ``size`` and ``pages`` of an answer that has ``count`` rows in all."""
        return {"page": self.number, "size": self.size, "pages": -(-count // self.size)}


def fiscal_year_start(as_of: date, month_and_day: str) -> date:
    """First day of the fiscal year that holds ``as_of``; ``month_and_day`` is ``MM-DD``.

    A year that starts on 29 February starts on 1 March where there is none.
    """
    month, day = (int(part) for part in month_and_day.split("-"))

    def start(year: int) -> date:
        try:
            return date(year, month, day)
        except ValueError:
            return date(year, month + 1, 1)

    return start(as_of.year) if start(as_of.year) <= as_of else start(as_of.year - 1)


async def view(tx: AsyncConnection, company: str, as_of: date) -> View:
    """The company's settings as heard; those that a company has by default where none were."""
    row = (await tx.execute(VIEW, {"company": company})).one()
    return View(
        company=company,
        as_of=as_of,
        currency=row.currency or "EUR",
        fiscal_year=fiscal_year_start(as_of, row.fiscal_year_start or "01-01"),
        default_profile=row.default_profile or "Standard",
        profile_names=row.names or {},
        automatic_from=row.automatic_from,
    )


async def names(tx: AsyncConnection, company: str, clients: Iterable[str]) -> dict[str, str]:
    """Names of these clients, their code where the name is not known."""
    wanted = set(clients)
    found = await tx.execute(NAMES, {"company": company, "clients": list(wanted)})
    return {client_id: client_id for client_id in wanted} | {row.client_id: row.name for row in found}


async def pieces(
    tx: AsyncConnection, company: str, clients: Iterable[str], entries: Iterable[UUID]
) -> Mapping[UUID, Any]:
    """Piece number and bookkeeping amount of these entries, archived ones included."""
    asked = {"company": company, "clients": list(set(clients)), "entries": list(set(entries))}
    return {row.entry_id: row for row in await tx.execute(PIECES, asked)} if asked["entries"] else {}
