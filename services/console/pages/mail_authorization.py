"""Configurer, Autorisation de la boîte: signing in to the company's mailbox without a password (OAuth 2), and the
address that providers send people back to."""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from chassis.database import transaction
from services.console.accounts import names_of_members
from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.rendering import page
from services.console.visits import ActingDep, SignedInDep, Visit, VisitDep, company_visit

router = APIRouter()
PAGE = "/c/{company}/mail/authorization"

PROVIDERS = (
    ("microsoft", N_("Microsoft 365")),
    ("google", N_("Google Workspace")),
    ("other", N_("Autre fournisseur")),
)
WAYS = (
    ("consent", N_("Une personne consent")),
    ("application", N_("L’application agit elle-même")),
)
DONE = {
    "saved": N_("L’autorisation est enregistrée."),
    "connected": N_("La boîte est connectée."),
    "revoked": N_("L’autorisation est retirée, chez le fournisseur aussi. Les messages attendent la suivante."),
    "forgotten-here": N_(
        "L’autorisation est retirée ici : retirez-la aussi dans le compte de la personne. Les messages attendent."
    ),
    "forgotten": N_("L’autorisation est oubliée."),
}
TROUBLES = {
    "authorization_ended": N_("L’autorisation de la boîte a expiré ou a été retirée : la renouveler."),
    "client_refused": N_(
        "Le fournisseur refuse l’application : son secret (ou certificat) a peut-être expiré, ou un droit manque."
    ),
    "authorization_silent": N_("Le fournisseur de l’autorisation ne répond pas."),
    "authorization_inside": N_("L’adresse du fournisseur n’est pas sur l’internet public."),
    "authorization_missing": N_("La boîte n’est pas encore connectée."),
    "secret_unreadable": N_(
        "L’autorisation ne se lit plus avec la clé de cette installation : la donner de nouveau."
    ),
    "host_not_authorized": N_("L’autorisation ne vaut pas pour ce serveur."),
    "refresh_token_missing": N_("Le fournisseur n’a donné qu’un accès d’une heure, sans de quoi le renouveler."),
    "scope_missing": N_("La personne n’a pas accordé tous les droits demandés :"),
    "consent_refused": N_("La personne, ou le fournisseur, n’a pas consenti."),
}
"""What keeps tokens from coming, and what to do."""
USUAL: Mapping[str, Any] = {
    "provider": "microsoft", "way": "consent", "tenant": "", "client_id": "", "authorize_url": "", "token_url": "",
    "revoke_url": "", "scope": "", "hosts": [], "has_secret": False, "secret_kind": "none", "connected": False,
    "consented_by": None, "consented_at": None, "trouble": None,
}  # fmt: skip
LINES = ("provider", "way", "client_id")
CODE = re.compile(r"[a-z_]{1,40}")
"""Of an error (RFC 6749, 4.1.2.1)."""
OF_OTHERS = ("authorize_url", "token_url", "revoke_url", "scope")


@router.get(PAGE)
async def shown(
    request: Request, visit: VisitDep, done: str = "", refused: str = "", provider: str = ""
) -> Response:
    notice = visit.notice(DONE, done, refused)
    typed = {"provider": provider} if provider in dict(PROVIDERS) else {}
    return await _page(request, visit, notice, typed=typed)


@router.post(PAGE)
async def save(request: Request, visit: ActingDep) -> Response:
    visit.only_for("admin")
    wanted = _wanted(await request.form())
    try:
        await visit.neighbours().command("notify", "PUT", "/mail-authorization", wanted)
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), typed=wanted, status=422)
    return RedirectResponse(visit.url("mail/authorization", done="saved"), status_code=303)


@router.post(f"{PAGE}/test")
async def try_it(request: Request, visit: ActingDep) -> Response:
    """Have a token made by what is saved."""
    visit.only_for("admin")
    try:
        found = await visit.neighbours().post_query("notify", "/mail-authorization/test", {})
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), status=422)
    if found["ok"]:
        said = visit.words.gettext("Le fournisseur a donné un jeton : l’autorisation est bonne.")
        return await _page(request, visit, {"tone": "ok", "text": said})
    return await _page(request, visit, _told(visit, found["code"], found["words"]))


@router.post(f"{PAGE}/connect")
async def connect(request: Request, visit: ActingDep) -> Response:
    """On to the provider. A page in between, because a form may lead nowhere but to this console."""
    visit.only_for("admin")
    asked = {"session": session_of(visit), "mailbox": visit_mailbox(await request.form())}
    try:
        found = await visit.neighbours().post_query("notify", "/mail-authorization/begin", asked)
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), status=422)
    url = found["url"]
    answer = page(request, visit, "mail_consent.html", url=url, host=urlsplit(url).hostname)
    answer.headers["Refresh"] = f"1;url={url}"
    return answer


@router.get("/mail-consent")
async def come_back(
    request: Request,
    visit: SignedInDep,
    state: Annotated[str, Query(max_length=2000)] = "",
    code: Annotated[str, Query(max_length=5000)] = "",
    error: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """Where a provider sends a person back to; which company it was for stands in front of the state."""
    here = await company_visit(visit, state.partition(".")[0])
    here.only_for("admin")
    if error or not code:
        # anybody can write an address: only a provider's code is shown, never its sentence
        known = error if CODE.fullmatch(error) else ""
        return await _page(request, here, _told(here, "consent_refused", known))
    brought = {"session": session_of(here), "state": state, "code": code}
    try:
        found = await here.neighbours().post_query("notify", "/mail-authorization/finish", brought)
    except Refused as refused:
        return RedirectResponse(here.url("mail/authorization", refused=refused.code), status_code=303)
    if not found["connected"]:
        return await _page(request, here, _told(here, found["code"], found["words"]))
    return RedirectResponse(here.url("mail/authorization", done="connected"), status_code=303)


@router.post(f"{PAGE}/revoke")
async def revoke(request: Request, visit: ActingDep) -> Response:
    visit.only_for("admin")
    try:
        told = await visit.neighbours().command("notify", "POST", "/mail-authorization/revoke", {})
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), status=422)
    done = "revoked" if told["at_provider"] else "forgotten-here"
    return RedirectResponse(visit.url("mail/authorization", done=done), status_code=303)


@router.post(f"{PAGE}/forget")
async def forget(request: Request, visit: ActingDep) -> Response:
    visit.only_for("admin")
    try:
        await visit.neighbours().request("notify", "DELETE", "/mail-authorization")
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), status=422)
    return RedirectResponse(visit.url("mail/authorization", done="forgotten"), status_code=303)


def _told(visit: Visit, code: str, words: str) -> dict[str, str]:
    """A trouble, with what the provider says of it."""
    trouble = visit.words.gettext(TROUBLES.get(code, TROUBLES["authorization_silent"]))
    return {"tone": "stop", "text": f"{trouble} {words}".strip()}


def session_of(visit: Visit) -> str:
    """Tells this session from any other, and nobody enters it by that."""
    return hashlib.sha256(f"mail-consent:{visit.csrf_token}".encode()).hexdigest()


def visit_mailbox(form: FormData) -> str:
    """The address that the provider proposes."""
    return str(form.get("mailbox", "")).strip()[:320]


def _wanted(form: FormData) -> dict[str, Any]:
    """As notify takes it. A secret that is not typed is left out: the one there is stays."""
    wanted: dict[str, Any] = {name: str(form.get(name, "")).strip() for name in LINES}
    if wanted["provider"] == "microsoft":
        wanted["tenant"] = str(form.get("tenant", "")).strip()
    if wanted["provider"] == "other":
        wanted |= {name: str(form.get(name, "")).strip() for name in OF_OTHERS}
        wanted["hosts"] = str(form.get("hosts", "")).replace(",", " ").split()
    for name in ("secret", "certificate"):
        if typed := str(form.get(name, "")).strip():
            wanted[name] = typed
    return wanted


async def _page(
    request: Request,
    visit: Visit,
    notice: Mapping[str, str] | None,
    *,
    typed: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    visit.only_for("admin")
    neighbours = visit.neighbours()
    found: Json = await neighbours.get("notify", "/mail-authorization")
    server: Json = await neighbours.get("notify", "/mail-server")
    saved = found["saved"]
    async with transaction(visit.console.engine) as tx:
        names = await names_of_members(tx, visit.company)
    kept = {name: value for name, value in (typed or {}).items() if name not in {"secret", "certificate"}}
    return page(
        request,
        visit,
        "mail_authorization.html",
        status=status,
        providers=PROVIDERS,
        ways=WAYS,
        troubles=TROUBLES,
        saved=saved,
        wanted={**USUAL, **(saved or {}), **kept},
        redirect_uri=found["redirect_uri"],
        can_keep_passwords=found["can_keep_passwords"],
        mailbox=(server["saved"] or {}).get("username", ""),
        names={f"user:{account_id}": name for account_id, name in names.items()},
        notice=notice,
    )
