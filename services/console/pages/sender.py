"""Configurer, Expéditeur: who writes for the company, and what stands under every message."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep

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
CHOICES = ("track_opens", "personal_from")
DOCUMENTS = {"attached": "attach_invoices", "linked": "link_invoices"}
"""What becomes of the documents of invoices, by the member of the sender that says so."""


@router.get("/sender")
async def sender(request: Request, visit: VisitDep, saved: bool = False) -> Response:
    found: Json = await visit.neighbours().get("notify", "/sender")
    notice = {"tone": "ok", "text": visit.words.gettext(SAVED)} if saved else None
    return _page(request, visit, _form(found["saved"] or {}), found, notice)


def _form(saved: Json) -> Json:
    switches = (*CHOICES, *DOCUMENTS.values())
    return {name: saved.get(name) or "" for name in LINES} | {name: bool(saved.get(name)) for name in switches}


def _page(
    request: Request,
    visit: Visit,
    form: Json,
    found: Json,
    notice: Json | None,
    *,
    wrong: frozenset[str] = frozenset(),
    status: int = 200,
) -> Response:
    return page(
        request,
        visit,
        "sender.html",
        form=form,
        used=found["used"],
        space_offered=found.get("space_offered", False),
        notice=notice,
        wrong=wrong,
        status=status,
    )


@router.post("/sender")
async def save_sender(request: Request, visit: ActingDep) -> Response:
    """What cannot be saved comes back as it was typed, with the fields that cannot be read.

    Members of the sender that this form does not show stay as they are.
    """
    visit.only_for("admin")
    typed = await request.form()
    form: Json = {name: str(typed.get(name, "")).strip().replace("\r\n", "\n") for name in LINES}
    form |= {name: name in typed for name in CHOICES}
    form |= {name: typed.get("documents") == choice for choice, name in DOCUMENTS.items()}
    neighbours = visit.neighbours()
    known: Json = await neighbours.get("notify", "/sender")
    try:
        await neighbours.command("notify", "PUT", "/sender", (known["saved"] or {}) | form)
    except Refused as refusal:
        wrong = frozenset(str(error["where"]).rpartition(".")[2] for error in refusal.facts.get("errors", []))
        notice = {"tone": "stop", "text": visit.vocabulary.refusal("unreadable-option")}
        return _page(request, visit, form, known, notice, wrong=wrong, status=422)
    return RedirectResponse(visit.url("sender", saved="true"), status_code=303)
