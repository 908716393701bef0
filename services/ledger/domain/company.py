"""A company's own settings."""

from dataclasses import asdict, dataclass

from contracts.event import Event
from contracts.ledger import DISPUTE_REASONS, CompanyChanged, CompanyRegistered


@dataclass(frozen=True, slots=True)
class CompanySettings:
    """``fiscal_year_start`` is ``MM-DD``, ``country`` ISO 3166, ``currency`` the bookkeeping currency.

    ``dispute_reasons`` are what people choose from when a client contests (rule 11.3).
    """

    name: str
    time_zone: str = "Europe/Paris"
    currency: str = "EUR"
    country: str = "FR"
    fiscal_year_start: str = "01-01"
    dispute_reasons: tuple[str, ...] = DISPUTE_REASONS


def decide_company(known: CompanySettings | None, wanted: CompanySettings) -> list[Event]:
    """Register a company, change its settings, or say nothing when they are the same."""
    if known is None:
        return [CompanyRegistered(**asdict(wanted))]
    return [CompanyChanged(**asdict(wanted))] if wanted != known else []
