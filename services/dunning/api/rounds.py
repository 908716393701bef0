"""Rounds: asked for once per company and day, worked on in the background."""

import asyncio
from datetime import date
from time import monotonic
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chassis.database import transaction
from chassis.http import CallerDep, CauseDep, CompanyDep, RunningDep, TxDep, WholeCompany, requires
from chassis.listening import wait_for
from chassis.problems import Problem
from services.dunning import queries
from services.dunning.asking import open_round
from services.dunning.rulebook import CompanyUnknown
from services.dunning.settings import DunningSettings

POLL_SECONDS = 0.1

router = APIRouter()


class RoundAsked(BaseModel):
    """``after`` names how far each speaker must be heard first: ``{"sync": {"7": 42}}``."""

    as_of: date
    after: dict[str, dict[int, int]] = Field(default_factory=dict)


@router.post("/rounds", status_code=202, dependencies=[requires("user"), WholeCompany])
async def ask(
    body: RoundAsked, company: CompanyDep, process: RunningDep, cause: CauseDep, who: CallerDep
) -> dict[str, Any]:
    """Ask for the round of a day. Waits until what it must know is heard; answers 503 when that takes too long.

    Asking again for the same day answers the same round and changes nothing. Refused with 409: a day before the
    last round's, a day while an earlier one is still being decided.
    """
    settings = process.settings
    assert isinstance(settings, DunningSettings)
    until = monotonic() + settings.round_wait_seconds
    if body.after and not await wait_for(process.engine, body.after, settings.round_wait_seconds):
        raise Problem(
            "not-heard-yet",
            "Dunning has not heard everything that this round must know",
            503,
            f"It waited {settings.round_wait_seconds:g} seconds; ask again.",
        )
    while True:
        try:
            async with transaction(process.api_engine, company) as tx:
                opened = await open_round(tx, company, body.as_of, cause)
        except CompanyUnknown:
            if monotonic() >= until:
                raise
            await asyncio.sleep(POLL_SECONDS)
        else:
            return {"company": company, "as_of": body.as_of, "opened": opened}


@router.get("/rounds/{as_of}", dependencies=[WholeCompany])
async def result(as_of: date, company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """How far the round is and what it gave: ``status`` is ``running`` or ``completed``; counts, new actions per
    step, excluded entries per reason, clients that could not be decided.
    """
    found = await queries.last_round(tx, company, as_of)
    if found is None:
        raise Problem("round-unknown", "No round was asked for on that day", 404)
    return {
        **{key: found[key] for key in ("as_of", "status", "clients", "entries", "proposed", "due")},
        "steps": found["steps"],
        "excluded": found["excluded"],
        "excluded_entries": found["excluded_entries"],
        "failed": await queries.failures(tx, company, as_of),
        "whole": found["whole"],
        "started_at": found["started_at"],
        "completed_at": found["completed_at"],
        "seconds": round(float(found["seconds"]), 3),
    }
