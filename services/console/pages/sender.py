"""Configurer, Expéditeur: who writes for the company, and what stands under every message."""

from decimal import Decimal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.console.formatting import amount_written
from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, NotAllowed, Visit, VisitDep

router = APIRouter(prefix="/c/{company}")

SAVED = N_("L’expéditeur est enregistré ; les prochains messages le portent.")
LINES = (
    "name",
    "email",
    "reply_to",
    "phone",
    "company_name",
    "company_address",
    "footer",
    "bank_details",
    "payment_url",
    "invoices_url",
)
HUNDRED = Decimal(100)


@router.get("/sender")
async def sender(request: Request, visit: VisitDep, saved: bool = False) -> Response:
    found: Json = await visit.neighbours().get("notify", "/sender")
    notice = {"tone": "ok", "text": visit.words.gettext(SAVED)} if saved else None
    return _page(request, visit, _form(visit, found["saved"] or {}), found["used"], notice)


def _form(visit: Visit, saved: Json) -> Json:
    rate = saved.get("penalty_rate")
    percent = "" if rate is None else f"{(Decimal(str(rate)) * HUNDRED).normalize():f}"
    return {name: saved.get(name) or "" for name in LINES} | {
        "penalty_rate": percent.replace(".", ",") if visit.language == "fr" else percent,
        "track_opens": bool(saved.get("track_opens")),
    }


def _page(
    request: Request,
    visit: Visit,
    form: Json,
    used: Json,
    notice: Json | None,
    *,
    wrong: frozenset[str] = frozenset(),
    status: int = 200,
) -> Response:
    return page(request, visit, "sender.html", form=form, used=used, notice=notice, wrong=wrong, status=status)


@router.post("/sender")
async def save_sender(request: Request, visit: ActingDep) -> Response:
    """What cannot be saved comes back as it was typed, with the fields that cannot be read.

    Members of the sender that this form does not show stay as they are.
    """
    if not visit.is_at_least("admin"):
        raise NotAllowed
    typed = await request.form()
    form: Json = {name: str(typed.get(name, "")).strip().replace("\r\n", "\n") for name in LINES}
    form |= {"penalty_rate": str(typed.get("penalty_rate", "")).strip(), "track_opens": "track_opens" in typed}
    neighbours = visit.neighbours()
    known: Json = await neighbours.get("notify", "/sender")
    rate = amount_written(form["penalty_rate"]) if form["penalty_rate"] else None
    wrong = {"penalty_rate"} if form["penalty_rate"] and rate is None else set()
    if not wrong:
        wanted = (known["saved"] or {}) | form
        wanted["penalty_rate"] = None if rate is None else format(rate / HUNDRED, "f")
        try:
            await neighbours.command("notify", "PUT", "/sender", wanted)
            return RedirectResponse(visit.url("sender", saved="true"), status_code=303)
        except Refused as refusal:
            wrong = {str(error["where"]).rpartition(".")[2] for error in refusal.facts.get("errors", [])}
    notice = {"tone": "stop", "text": visit.vocabulary.refusal("unreadable-option")}
    return _page(request, visit, form, known["used"], notice, wrong=frozenset(wrong), status=422)
