"""Acting by criteria over HTTP (rule 9.8): who fits, and what a message to each would speak of."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.http import AsOfDep, CompanyDep, TxDep
from services.dunning import criteria
from services.dunning.actions import plain
from services.dunning.criteria import Criteria
from services.dunning.domain.amounts import decimal
from services.dunning.domain.by_criteria import NEVER_ACCEPTED, Candidate
from services.dunning.domain.explain import explain_reason
from services.dunning.domain.scenario import level_name
from services.dunning.domain.state import EntryState
from services.dunning.queries import pieces

router = APIRouter(prefix="/by-criteria")

MOST_DAYS = 10_000
Words = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=500)]
Days = Annotated[int | None, Field(ge=0, le=MOST_DAYS)]


class Sought(BaseModel):
    """Lists are alternatives; ``none`` among them means without one. Days are least and most, both included."""

    model_config = ConfigDict(extra="forbid")

    profiles: Words = []
    categories: Words = []
    salespeople: Words = []
    payment_modes: Words = []
    levels: list[Annotated[str, Field(pattern=r"^(none|R[1-7])$")]] = Field([], max_length=8)
    has_email: bool | None = None
    days_late_from: Days = None
    days_late_to: Days = None
    days_since_reminder_from: Days = None
    days_since_reminder_to: Days = None
    client_ids: Annotated[list[Annotated[str, Field(max_length=64)]] | None, Field(max_length=50_000)] = None
    medium: Literal["email", "letter", "phone", "other"] = "email"
    as_of: date | None = None
    limit: int = Field(100, ge=1, le=500)
    offset: int = Field(0, ge=0)

    def criteria(self) -> Criteria:
        return Criteria(
            self.profiles,
            self.categories,
            self.salespeople,
            self.payment_modes,
            self.levels,
            self.has_email,
            (self.days_late_from, self.days_late_to),
            (self.days_since_reminder_from, self.days_since_reminder_to),
            self.client_ids,
        )


@router.post("/query")
async def query(
    body: Sought,
    company: CompanyDep,
    tx: TxDep,
    today: AsOfDep,
    language: Annotated[str, Query(max_length=8)] = "fr",
) -> dict[str, Any]:
    """Clients with something late that fit, who owes most first: one row per client and currency.

    A row without reasons is ticked. ``can_include`` says whether a person may tick an excluded one back; it is
    done by ``POST /by-hand`` with the row's ``entry_ids``, ``by_criteria`` and its ``reasons`` as accepted.
    ``left_out`` are late entries that the message would not speak of.
    """
    as_of = body.as_of or today
    found = await criteria.find(tx, company, as_of, body.criteria(), body.medium, body.limit, body.offset)
    entries = [one.entry_id for row in found.candidates for one in _all(row)]
    known = await pieces(tx, company, sorted({row.client_id for row in found.candidates}), entries)
    return {
        "as_of": as_of,
        "clients": found.clients,
        "overdue": str(plain(Decimal(found.owed))),
        "offset": body.offset,
        "rows": [_row(row, known, as_of, language) for row in found.candidates],
    }


def _all(row: Candidate) -> list[EntryState]:
    return [*row.entries, *(left.entry for left in row.left_out)]


def _row(row: Candidate, known: dict[str, str], as_of: date, language: str) -> dict[str, Any]:
    return {
        "client_id": row.client_id,
        "currency": row.currency,
        "amount": str(decimal(row.amount)),
        "net_amount": str(decimal(row.net_amount)),
        "level": level_name(row.level),
        "last_reminder_on": row.reminded_on,
        "days_late": row.days_late,
        "ticked": not row.reasons,
        "can_include": bool(row.reasons) and row.can_include,
        "reasons": list(row.reasons),
        "explanations": [explain_reason(one, language, until=row.until)._asdict() for one in row.reasons],
        "until": row.until,
        "entry_ids": [entry.entry_id for entry in row.entries],
        "entries": [_line(entry, known, as_of, ()) for entry in row.entries],
        "left_out": [_line(left.entry, known, as_of, left.reasons) for left in row.left_out],
        "never_accepted": sorted(NEVER_ACCEPTED.intersection(row.reasons)),
    }


def _line(entry: EntryState, known: dict[str, str], as_of: date, reasons: tuple[str, ...]) -> dict[str, Any]:
    return {
        "entry_id": entry.entry_id,
        "piece": known.get(entry.entry_id, ""),
        "amount": str(decimal(entry.amount)),
        "due_date": entry.due_date,
        "days_late": (as_of - entry.due_date).days,
        "level": level_name(entry.level),
        "reasons": list(reasons),
    }
