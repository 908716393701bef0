"""Suivre, Échéances: every entry that waits for a reminder, and which go by themselves (rules 16.3, 22.13)."""

import asyncio
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.console.language import N_
from services.console.pages.lists import as_file, asked_for
from services.console.pages.own_policy import Choice, choose_automatic
from services.console.rendering import page as render
from services.console.visits import ActingDep, VisitDep

router = APIRouter(prefix="/c/{company}")

SIZE = 50
FILTERS = (
    "medium", "step", "automatic", "disputed", "profile", "payment_mode", "salesperson", "client_id"
)  # fmt: skip
MEDIA = ("email", "letter", "phone", "other")
STEPS = ("notice", *(f"R{level}" for level in range(1, 8)), "thanks")
DONE = N_("Les relances automatiques de ces pièces sont réglées.")
ENTRY_DIGITS = 32


@router.get("/due-items")
async def due_items(
    request: Request,
    visit: VisitDep,
    size: Annotated[int, Query(ge=1, le=500)] = SIZE,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    told = request.query_params
    neighbours = visit.neighbours(at_least=told.get("after", ""))
    asked = {**asked_for(request, FILTERS), "as_of": visit.as_of.isoformat(), "size": size, "page": page}
    if file := await as_file(request, visit, neighbours, "/due-items", asked):
        return file
    found, options = await asyncio.gather(
        neighbours.get("reporting", "/due-items", **asked), neighbours.get("reporting", "/options")
    )
    notice = None
    if told.get("refused"):
        notice = {"tone": "stop", "text": visit.vocabulary.refusal(told["refused"])}
    elif told.get("done"):
        notice = {"tone": "ok", "text": visit.words.gettext(DONE)}
    return render(
        request,
        visit,
        "due_items.html",
        found=found,
        options=options,
        sellers=[(one["code"], one["name"]) for one in options["salespeople"]],
        chosen={name: told.get(name, "") for name in FILTERS},
        media=MEDIA,
        steps=STEPS,
        notice=notice,
        updating=neighbours.updating,
    )


@router.post("/due-items/automatic")
async def choose(
    request: Request,
    visit: ActingDep,
    entry: Annotated[list[str], Form(default_factory=list, max_length=500)],
    automatic: Annotated[Choice, Form()] = "",
) -> Response:
    """Opt the ticked entries in or out; each is named by its identity followed by its client's code."""
    named = [(one[ENTRY_DIGITS:], one[:ENTRY_DIGITS]) for one in entry if len(one) > ENTRY_DIGITS]
    told = await choose_automatic(visit.neighbours(), named, automatic)
    form = await request.form()
    kept = {name: str(form[f"filter_{name}"]) for name in FILTERS if form.get(f"filter_{name}")}
    return RedirectResponse(f"{visit.url('due-items')}?{urlencode({**kept, **told})}", status_code=303)
