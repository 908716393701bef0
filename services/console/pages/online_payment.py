"""Configurer, Paiement en ligne: the account at Stripe that clients pay into, and whether Stripe reaches us."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, PageUnknown, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/online-payment")

METHODS = (
    ("card", N_("Carte bancaire")),
    ("customer_balance", N_("Virement bancaire")),
    ("sepa_debit", N_("Prélèvement SEPA")),
    ("bancontact", N_("Bancontact")),
    ("link", N_("Link")),
)
DONE = {
    "saved": N_("Le compte est enregistré ; les prochains paiements y arrivent."),
    "forgotten": N_("Le compte de la société est oublié."),
}
FAILED = {
    "refused": N_("Stripe refuse cette clé : %(words)s"),
    "silent": N_("Stripe ne répond pas. Réessayez dans un moment."),
}
TAKEN = {
    True: N_("Stripe accepte cette clé, en mode réel : les clients paient vraiment."),
    False: N_("Stripe accepte cette clé, en mode test : aucun argent ne bouge."),
}
USUAL: Mapping[str, Any] = {
    "methods": [], "minimum": "0.50", "maximum": "", "use_credits": True, "live": None, "heard_at": None,
}  # fmt: skip
SECRETS = ("api_key", "webhook_secret")


@router.get("")
async def shown(request: Request, visit: VisitDep, done: str = "") -> Response:
    notice = {"tone": "ok", "text": visit.words.gettext(DONE[done])} if done in DONE else None
    return await _page(request, visit, notice)


@router.post("")
async def save(request: Request, visit: ActingDep) -> Response:
    """What is refused comes back as it was typed, without its secrets."""
    _only_who_decides(visit)
    wanted = _account(await request.form())
    try:
        await visit.neighbours().command("notify", "PUT", "/online-payment", wanted)
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), account=wanted, status=422)
    return RedirectResponse(visit.url("online-payment", done="saved"), status_code=303)


@router.post("/test")
async def try_key(request: Request, visit: ActingDep) -> Response:
    """Try the key that is typed, else the one in use; nothing is saved."""
    _only_who_decides(visit)
    wanted = _account(await request.form())
    asked = {"api_key": wanted["api_key"]} if "api_key" in wanted else {}
    try:
        found = await visit.neighbours().post_query("notify", "/online-payment/test", asked)
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), account=wanted, status=422)
    sentence = TAKEN[found["live"]] if found["ok"] else FAILED[found["code"]]
    said = visit.words.gettext(sentence) % {"words": found["words"]}
    return await _page(request, visit, {"tone": "ok" if found["ok"] else "stop", "text": said}, account=wanted)


@router.post("/forget")
async def forget(visit: ActingDep) -> Response:
    _only_who_decides(visit)
    try:
        await visit.neighbours().request("notify", "DELETE", "/online-payment")
    except Refused as refused:
        if refused.code != "online-payment-unknown":  # somebody else was quicker
            raise
    return RedirectResponse(visit.url("online-payment", done="forgotten"), status_code=303)


def _only_who_decides(visit: Visit) -> None:
    """Administrators who see every client: all of them pay into this account."""
    visit.only_for("admin")
    if not visit.sees_all:
        raise PageUnknown


def _account(form: FormData) -> dict[str, Any]:
    """As notify takes it. A secret that is not typed is left out: the one there is stays."""
    amounts = {name: str(form.get(name, "")).strip().replace(",", ".") for name in ("minimum", "maximum")}
    wanted: dict[str, Any] = {
        "methods": [str(one) for one in form.getlist("methods")],
        "minimum": amounts["minimum"] or "0",
        "maximum": amounts["maximum"] or None,
        "use_credits": "use_credits" in form,
    }
    return wanted | {name: typed for name in SECRETS if (typed := str(form.get(name, "")).strip())}


async def _page(
    request: Request, visit: Visit, notice: Mapping[str, str] | None, *, status: int = 200, **typed: Any
) -> Response:
    _only_who_decides(visit)
    found: Json = await visit.neighbours().get("notify", "/online-payment")
    saved = found["saved"]
    kept = {name: value for name, value in typed.get("account", {}).items() if name not in SECRETS}
    return page(
        request,
        visit,
        "online_payment.html",
        status=status,
        methods=METHODS,
        account={**USUAL, **(saved or {}), **kept},
        own=saved is not None,
        found=found,
        notice=notice,
    )
