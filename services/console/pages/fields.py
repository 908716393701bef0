"""Configurer, Champs libres: what the company calls its free fields, and which stand in the lists (rule 19.4)."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, VisitDep

router = APIRouter(prefix="/c/{company}")

CLIENT_FIELDS = tuple(f"tag{n}" for n in range(1, 11))
ENTRY_FIELDS = CLIENT_FIELDS[:3]
OF = {"client": CLIENT_FIELDS, "entry": ENTRY_FIELDS}
LONGEST_TITLE = 60

SAVED = N_("Les champs libres sont enregistrés.")


@router.get("/fields")
async def fields(request: Request, visit: VisitDep, saved: bool = False, refused: str = "") -> Response:
    named: Json = await visit.neighbours().get("ledger", "/fields")
    notice = {"tone": "ok", "text": visit.words.gettext(SAVED)} if saved else None
    if refused:
        notice = {"tone": "stop", "text": visit.vocabulary.refusal(refused)}
    return page(
        request,
        visit,
        "fields.html",
        known=OF,
        named={about: {one["field"]: one for one in named[about]} for about in OF},
        longest=LONGEST_TITLE,
        notice=notice,
    )


@router.post("/fields")
async def save_fields(request: Request, visit: ActingDep) -> Response:
    """A field without a title is not used."""
    visit.only_for("admin")
    form = await request.form()

    def named(about: str) -> list[Json]:
        titles = {field: str(form.get(f"{about}_{field}", "")).strip() for field in OF[about]}
        return [
            {"field": field, "title": title, "listed": f"{about}_{field}_listed" in form}
            for field, title in titles.items()
            if title
        ]

    outcome: dict[str, Any] = {"saved": "true"}
    try:
        wanted = {about: named(about) for about in OF}
        await visit.neighbours().command("ledger", "PUT", "/fields", wanted)
    except Refused as refusal:
        outcome = {"refused": "field-twice" if refusal.code == "invalid-request" else refusal.code}
    return RedirectResponse(visit.url("fields", **outcome), status_code=303)
