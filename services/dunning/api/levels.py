"""The next step of entries, chosen by a person, one by one or in bulk (rule 5.6)."""

from datetime import date
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, accepted
from services.dunning.confirming import Occasion
from services.dunning.levelling import Wanted, set_levels

router = APIRouter()

MOST = 2000
Level = Annotated[str, Field(pattern=r"^(R[1-7])?$")]


class WantedLevel(BaseModel):
    """``next_step`` is to come next; or ``level`` was reached (``""`` for none) and what follows comes next.

    ``piece`` names every open line of that number; ``reminded_on`` is the day of the last reminder made elsewhere.
    """

    model_config = ConfigDict(extra="forbid")

    client_id: str = Field(min_length=1, max_length=64)
    entry_id: str | None = Field(None, pattern=r"^[0-9a-f]{32}$")
    piece: str | None = Field(None, min_length=1, max_length=200)
    next_step: str | None = Field(None, pattern=r"^R[1-7]$")
    level: Level | None = None
    reminded_on: date | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.entry_id is None) == (self.piece is None):
            raise ValueError("name the entry by entry_id or by piece")
        if (self.next_step is None) == (self.level is None):
            raise ValueError("say next_step or level")
        return self


class ToLevel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    levels: list[WantedLevel] = Field(min_length=1, max_length=MOST)
    as_of: date | None = None


@router.post("/levels")
async def choose(
    body: ToLevel, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """``set``, ``unchanged`` and ``refused`` [{place, reason}], places counted from 0.

    Reasons: ``entry_unknown`` (settled or never heard of), ``no_scenario``, ``variant_off``, ``step_not_active``,
    ``reminded_later``.
    """
    occasion = Occasion(company, body.as_of or today, cause)
    done = await set_levels(say, occasion, [Wanted(**dict(one)) for one in body.levels])
    refused = [{"place": place, "reason": reason} for place, reason in done.refused]
    return accepted(done.positions, set=done.set, unchanged=done.unchanged, refused=refused)
