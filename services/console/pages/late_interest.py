"""Configurer, Intérêts de retard: what is claimed of businesses that pay late (rules 18.2, 18.3)."""

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, VisitDep

router = APIRouter(prefix="/c/{company}")

BASES = ("refinancing", "legal", "contract")
SAVED = N_("Les intérêts de retard sont enregistrés.")
NOT_UNDERSTOOD = N_(
    "Rien n’est enregistré : un taux est un pourcentage entre 0 et 100, le taux convenu est à saisir s’il est"
    " choisi, et au moins une catégorie est à cocher si elles désignent les professionnels."
)


@router.get("/late-interest")
async def late_interest(request: Request, visit: VisitDep, saved: bool = False, refused: str = "") -> Response:
    notice = {"tone": "ok", "text": visit.words.gettext(SAVED)} if saved else None
    if refused:
        said = visit.words.gettext(NOT_UNDERSTOOD)
        notice = {
            "tone": "stop",
            "text": said if refused == "invalid-request" else visit.vocabulary.refusal(refused),
        }
    known = await visit.neighbours().get("ledger", "/late-interest")
    return page(request, visit, "late_interest.html", known=known, notice=notice)


@router.post("/late-interest")
async def save_late_interest(request: Request, visit: ActingDep) -> Response:
    """The whole of the terms. A half-year whose two rates are left empty is the program's own."""
    visit.only_for("admin")
    form = await request.form()
    days = sorted({str(day) for day in form.getlist("starts_on")})
    rates = [
        {"starts_on": day, **{what: _percent(str(form.get(f"{what}_{day}", ""))) for what in BASES[:2]}}
        for day in days
        if _is_day(day) and any(str(form.get(f"{what}_{day}", "")).strip() for what in BASES[:2])
    ]
    wanted: Json = {
        "basis": str(form.get("basis", "refinancing")),
        "contract_rate": _percent(str(form.get("contract_rate", ""))) or None,
        "debtors": str(form.get("debtors", "unsaid")),
        "categories": [str(one) for one in form.getlist("category")],
        "rates": rates,
    }
    outcome: dict[str, Any] = {"saved": "true"}
    try:
        await visit.neighbours().command("ledger", "PUT", "/late-interest", wanted)
    except Refused as refusal:
        outcome = {"refused": refusal.code}
    return RedirectResponse(visit.url("late-interest", **outcome), status_code=303)


def _percent(written: str) -> str:
    """As people write it, "12,15 %"; ledger refuses what is no number."""
    return written.replace("%", "").replace("\u00a0", "").replace("\u202f", "").replace(",", ".").strip()


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
