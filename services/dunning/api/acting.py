"""Actions by hand over HTTP (rules 5.5, 8.16, 9.1 to 9.3)."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, accepted
from chassis.problems import refusal
from services.dunning import acting
from services.dunning.acting import Wish
from services.dunning.confirming import Occasion
from services.dunning.domain.by_hand import ReasonsNotAccepted
from services.dunning.domain.explain import explain_reason
from services.dunning.domain.levels import LevelRefused

router = APIRouter(prefix="/by-hand")

MOST = 500
EntryId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class ToDo(BaseModel):
    """``request_id`` is the caller's name for this wish: asked again with the same, nothing more is done.

    ``counts`` takes the action into account in the scenario, ``next_step`` changes what comes next (rule 5.5).
    ``accepted_reasons`` are those against it that the person has seen, of ``/by-hand/plan``. ``draft_id`` names
    what the person wrote at notify. ``by_criteria`` says that the client was chosen among others: then all that
    would leave it unticked there speaks against it (rule 9.8).
    """

    model_config = ConfigDict(extra="forbid")

    request_id: UUID
    client_id: str = Field(min_length=1, max_length=64)
    entry_ids: list[EntryId] = Field(min_length=1, max_length=1000)
    kind: Literal["notice", "reminder", "thanks"] = "reminder"
    medium: Literal["email", "letter", "phone", "other"]
    template: str | None = Field(None, max_length=100)
    counts: bool = True
    next_step: str | None = Field(None, pattern=r"^R[1-7]$")
    accepted_reasons: list[str] = Field([], max_length=50)
    draft_id: UUID | None = None
    by_criteria: bool = False

    def wish(self) -> Wish:
        return Wish(
            self.request_id,
            self.client_id,
            tuple(self.entry_ids),
            self.kind,
            self.medium,
            self.template,
            self.counts,
            self.next_step,
            tuple(self.accepted_reasons),
            self.draft_id,
            self.by_criteria,
        )


class AllToDo(BaseModel):
    model_config = ConfigDict(extra="forbid")

    actions: list[ToDo] = Field(min_length=1, max_length=MOST)
    as_of: date | None = None


class OneToDo(ToDo):
    as_of: date | None = None


@router.post("/plan")
async def plan(
    body: OneToDo,
    company: CompanyDep,
    tx: TxDep,
    today: AsOfDep,
    language: Annotated[str, Query(max_length=8)] = "fr",
) -> dict[str, Any]:
    """The action as it would be said now, to be shown and handed to notify's preview; nothing is done.

    ``reasons`` speak against it and are to be accepted; ``choices`` are the steps that may come next. Answers 409
    ``entries-unknown``, ``currencies-differ``, ``nothing-to-ask``, ``level-refused``.
    """
    planned = await acting.plan(tx, company, body.as_of or today, body.wish())
    return {
        "action": planned.action.model_dump(mode="json"),
        "reasons": list(planned.reasons),
        "explanations": [explain_reason(reason, language)._asdict() for reason in planned.reasons],
        "choices": list(planned.choices),
    }


@router.post("")
async def act(body: AllToDo, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep) -> dict[str, Any]:
    """Do what can be done. ``refused`` [{place, reason, reasons}] names the others, places counted from 0.

    Reasons are the codes of ``/by-hand/plan``, and ``reasons-not-accepted`` with the codes of ``reasons``.
    """
    occasion = Occasion(company, body.as_of or today, cause)
    done = await acting.act(say, occasion, [one.wish() for one in body.actions])
    refused = [{"place": place, **_refusal(why)} for place, why in done.refused]
    return accepted(done.positions, done=done.done, refused=refused)


def _refusal(why: Exception) -> dict[str, Any]:
    match why:
        case ReasonsNotAccepted():
            reasons = why.reasons
        case LevelRefused():
            reasons = [why.reason]
        case _:
            reasons = []
    return {"reason": refusal(why, 409).type, "reasons": reasons}
