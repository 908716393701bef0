"""Configurer, Politique de relance: every option that a company decides by, and how payment modes are classed."""

from collections.abc import Collection, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.pages.options import SECTIONS, written
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter(prefix="/c/{company}")

SAVED = N_("La politique est enregistrée ; la prochaine décision la suit.")
READ_ONLY = ("version",)


@router.get("/rules")
async def rules(request: Request, visit: VisitDep, saved: bool = False) -> Response:
    policy: Json = await visit.neighbours().get("dunning", "/policy")
    notice = {"tone": "ok", "text": visit.words.gettext(SAVED)} if saved else None
    return await _shown(request, visit, policy, notice)


@router.post("/rules")
async def save_rules(request: Request, visit: ActingDep) -> Response:
    """The rest of the policy stays as it is; what cannot be saved comes back as it was typed."""
    visit.only_for("admin")
    neighbours = visit.neighbours()
    policy: Json = await neighbours.get("dunning", "/policy")
    form = await request.form()
    wanted, unreadable = written(form, {name: policy[name] for name in policy if name not in READ_ONLY})
    wanted["automatic_payment_modes"] = sorted(str(mode) for mode in form.getlist("automatic"))
    refusal = "unreadable-option" if unreadable else ""
    if not unreadable:
        try:
            await neighbours.command("dunning", "PUT", "/policy", wanted)
        except Refused as refused:
            refusal = refused.code
    if refusal:
        notice = {"tone": "stop", "text": visit.vocabulary.refusal(refusal)}
        return await _shown(request, visit, wanted, notice, unreadable, status=422)
    return RedirectResponse(visit.url("rules", saved="true"), status_code=303)


async def _shown(
    request: Request,
    visit: Visit,
    policy: Mapping[str, object],
    notice: Mapping[str, str] | None,
    unreadable: Collection[str] = (),
    status: int = 200,
) -> Response:
    known: Json = await visit.neighbours().get("reporting", "/options")
    automatic = policy["automatic_payment_modes"]
    assert isinstance(automatic, list)
    return page(
        request,
        visit,
        "rules.html",
        status=status,
        sections=SECTIONS,
        policy=policy,
        modes=sorted({*known["payment_modes"], *automatic}),
        automatic=automatic,
        unreadable=unreadable,
        notice=notice,
    )
