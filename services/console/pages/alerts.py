"""Agir, Alertes: what stands in the way of reminders (rule 15.5)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.console.gateway import Json, Refused, ServiceSilent
from services.console.language import N_
from services.console.pages.inbox import UNREAD
from services.console.pages.mail_authorization import TROUBLES
from services.console.rendering import page
from services.console.visits import Visit, VisitDep

router = APIRouter()

Kind = Literal["mail", "reply", "late_action", "missing_contact", "stopped_late"]
KINDS = {
    "mail": (N_("E-mails en erreur"), "mail-x", N_("E-mail en erreur")),
    "reply": (N_("Réponses à lire"), "arrow-back-up", N_("A répondu")),
    "late_action": (N_("Actions en retard"), "clock-exclamation", N_("Action en retard")),
    "missing_contact": (N_("Coordonnées manquantes"), "user-question", N_("Coordonnées manquantes")),
    "stopped_late": (N_("Clients stoppés en retard"), "hand-stop", N_("Client stoppé en retard")),
}
"""Title of all of them, icon, and what one is called."""


@router.get("/c/{company}/alerts")
async def alerts(
    request: Request,
    visit: VisitDep,
    kind: Kind | None = None,
    late_after: Annotated[int, Query(ge=0, le=3650)] = 7,
) -> Response:
    found: Json = await visit.neighbours().get(
        "reporting", "/alerts", as_of=visit.as_of.isoformat(), kind=kind, late_after=str(late_after)
    )
    to_refund = await _to_refund(visit)
    return page(
        request,
        visit,
        "alerts.html",
        to_refund=to_refund,
        names=await visit.neighbours().names(sorted({one["client_id"] for one in to_refund})),
        found=found,
        kinds=KINDS,
        kind=kind or "",
        late_after=late_after,
        **await _of_mailbox(visit),
    )


async def _of_mailbox(visit: Visit) -> Json:
    """Mails that lie in the company's mailbox and that nobody could read (each may be a client's answer), and an
    authorization that has ended. A service that does not answer hides no other alert."""
    nothing: Json = {"unread": [], "authorization": None, "troubles": TROUBLES}
    if not visit.sees_all:
        return nothing
    try:
        fared: Json = await visit.neighbours().get("notify", "/mailboxes")
    except (ServiceSilent, Refused):
        return nothing
    unread = [one | {"words": UNREAD.get(one["trouble"], one["trouble"])} for one in fared.get("unread", ())]
    return nothing | {"unread": unread, "authorization": fared.get("authorization")}


async def _to_refund(visit: Visit) -> list[Json]:
    """Online payments of what had been paid online before. A service that does not answer hides no other alert."""
    try:
        found: Json = await visit.neighbours().get("notify", "/payments/to-refund")
    except (ServiceSilent, Refused):
        return []
    return list(found["payments"])
