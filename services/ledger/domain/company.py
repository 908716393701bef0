"""A company's own settings."""

from dataclasses import asdict, dataclass

from contracts.event import Event
from contracts.ledger import CompanyChanged, CompanyRegistered


@dataclass(frozen=True, slots=True)
class CompanySettings:
    """``fiscal_year_start`` is ``MM-DD``, ``country`` ISO 3166, ``currency`` the bookkeeping currency."""

    name: str
    time_zone: str = "Europe/Paris"
    currency: str = "EUR"
    country: str = "FR"
    fiscal_year_start: str = "01-01"


def decide_company(known: CompanySettings | None, wanted: CompanySettings) -> list[Event]:
    """Register a company, change its settings, or say nothing when they are the same."""
    if known is None:
        return [CompanyRegistered(**asdict(wanted))]
    return [CompanyChanged(**asdict(wanted))] if wanted != known else []
