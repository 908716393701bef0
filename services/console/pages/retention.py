"""Configurer, Conservation: how long contents are kept, what had its time, and clients of whom nothing ends."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/retention")

PERIODS = (
    (
        "messages",
        N_("Messages envoyés"),
        N_("E-mails, courriers, comptes rendus d’appels, leurs fichiers. 60 mois : prescription, C. com. L110-4."),
    ),
    ("answers", N_("Réponses reçues"), N_("Ce que les clients ont écrit. 60 mois : comme les messages.")),
    ("reports", N_("Avis de non-distribution"), N_("Les adresses qu’ils citent. 12 mois : notre choix.")),
    ("files", N_("Fichiers des clients"), N_("Joints à leurs contestations. 60 mois : comme les messages.")),
    (
        "archive",
        N_("Archive légale"),
        N_("Ce qu’elle dit des personnes ; ses enregistrements restent. 120 mois : C. com. L123-22."),
    ),
)
DUE = {
    "messages": N_("E-mails"),
    "letters": N_("Courriers"),
    "comments": N_("Comptes rendus d’appels"),
    "drafts": N_("Brouillons"),
    "answers": N_("Réponses reçues"),
    "reports": N_("Avis de non-distribution"),
    "attachments": N_("Pièces jointes devenues inutiles"),
    "files": N_("Fichiers des clients"),
    "archive": N_("Personnes dans l’archive légale"),
}
DONE = {
    "saved": N_("Les durées sont enregistrées ; elles comptent dès le prochain jour."),
    "hold-contents": N_("Rien de ce client ne s’efface plus de soi-même."),
    "release-contents": N_("Les durées comptent de nouveau pour ce client."),
}

WrittenClientId = Annotated[str, Form(min_length=1, max_length=64)]


@router.get("")
async def shown(request: Request, visit: VisitDep, done: str = "", refused: str = "") -> Response:
    return await _page(request, visit, visit.notice(DONE, done, refused))


@router.post("")
async def save(request: Request, visit: ActingDep) -> Response:
    _only_who_decides(visit)
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name, *_ in PERIODS}
    # what is no number is refused by ledger, and shown as typed
    wanted: Json = {name: int(one) if one.isdecimal() else one or None for name, one in typed.items()}
    try:
        await visit.neighbours().command("ledger", "PUT", "/retention", wanted)
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), periods=typed, status=422)
    return RedirectResponse(visit.url("retention", done="saved"), status_code=303)


@router.post("/hold")
async def hold(visit: ActingDep, client_id: WrittenClientId) -> Response:
    return await _command(visit, "hold-contents", client_id.strip())


@router.post("/release")
async def release(visit: ActingDep, client_id: WrittenClientId) -> Response:
    return await _command(visit, "release-contents", client_id)


async def _command(visit: Visit, command: str, client_id: str) -> Response:
    _only_who_decides(visit)
    outcome: dict[str, Any] = {"done": command}
    try:
        await visit.neighbours().post("ledger", f"/{command}", {"client_id": client_id})
    except Refused as refusal:
        outcome = {"refused": refusal.code}
    return RedirectResponse(visit.url("retention", **outcome), status_code=303)


def _only_who_decides(visit: Visit) -> None:
    """Administrators who see every client."""
    visit.only_for("admin")
    if not visit.sees_all:
        raise PageUnknown


async def _page(
    request: Request,
    visit: Visit,
    notice: Mapping[str, str] | None,
    *,
    periods: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    _only_who_decides(visit)
    neighbours = visit.neighbours()
    chosen, swept = await asyncio.gather(
        neighbours.get("ledger", "/retention"), neighbours.get("notify", "/retention/due")
    )
    counts = {**swept["due"], **chosen["due"]}
    return page(
        request,
        visit,
        "retention.html",
        status=status,
        kinds=PERIODS,
        periods=periods or chosen["periods"],
        due=[(word, counts[name]) for name, word in DUE.items() if counts.get(name)],
        holds=chosen["holds"],
        notice=notice,
    )
