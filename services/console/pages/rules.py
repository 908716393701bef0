"""Configurer, Règles: how payment modes are classed, and what holds reminders back (rules 8.5, 14, 22.5)."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, NotAllowed, VisitDep

router = APIRouter(prefix="/c/{company}")

SAVED = N_("Les règles sont enregistrées ; la prochaine décision les suit.")


@router.get("/rules")
async def rules(request: Request, visit: VisitDep, saved: bool = False, refused: str = "") -> Response:
    neighbours = visit.neighbours()
    policy, options = await asyncio.gather(
        neighbours.get("dunning", "/policy"), neighbours.get("reporting", "/options")
    )
    automatic = policy["automatic_payment_modes"]
    notice = {"tone": "ok", "text": visit.words.gettext(SAVED)} if saved else None
    if refused:
        notice = {"tone": "stop", "text": visit.vocabulary.refusal(refused)}
    return page(
        request,
        visit,
        "rules.html",
        policy=policy,
        modes=sorted({*options["payment_modes"], *automatic}),
        automatic=automatic,
        notice=notice,
    )


@router.post("/rules")
async def save_rules(
    visit: ActingDep,
    automatic: Annotated[list[str] | None, Form()] = None,
    promises_exclude: Annotated[bool, Form()] = False,
    disputes_exclude: Annotated[bool, Form()] = False,
) -> Response:
    """The rest of the policy stays as it is."""
    if not visit.is_at_least("admin"):
        raise NotAllowed
    neighbours = visit.neighbours()
    policy: Json = await neighbours.get("dunning", "/policy")
    wanted = {name: value for name, value in policy.items() if name in WRITABLE} | {
        "automatic_payment_modes": sorted(automatic or []),
        "promises_exclude": promises_exclude,
        "disputes_exclude": disputes_exclude,
    }
    outcome: dict[str, Any] = {"saved": "true"}
    try:
        await neighbours.command("dunning", "PUT", "/policy", wanted)
    except Refused as refusal:
        outcome = {"refused": refusal.code}
    return RedirectResponse(visit.url("rules", **outcome), status_code=303)


WRITABLE = (
    "mode",
    "netting",
    "default_profile",
    "minimum_per_entry",
    "minimum_per_reminder",
    "maximum_per_reminder",
)
