"""Configurer, Envoi des e-mails: the mail server that a company's messages leave by, and how they are signed."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.pages.mail_authorization import TROUBLES
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/mail")

ENCRYPTIONS = (
    ("starttls", N_("STARTTLS (port 587)")),
    ("tls", N_("TLS dès la connexion (port 465)")),
    ("none", N_("Aucun")),
)
DONE = {
    "server": N_("Le serveur d’envoi est enregistré ; les messages partent par lui."),
    "shared": N_("Les messages partent de nouveau par le serveur de l’installation."),
    "key": N_("La clé est prête : publiez l’enregistrement DNS, puis activez la signature."),
    "signed": N_("Les e-mails sont signés."),
    "unsigned": N_("Les e-mails ne sont plus signés."),
}
TRIED = {
    "connect": N_("Connexion réussie."),
    "message": N_("Connexion réussie, et le serveur a pris le message d’essai."),
}
FAILED = {
    "connect": N_("La connexion échoue : %(words)s"),
    "message": N_("Connexion réussie, mais le serveur n’a pas pris le message d’essai : %(words)s"),
}
SIGN_INS = (
    ("password", N_("Identifiant et mot de passe")),
    ("oauth", N_("Autorisation de la boîte (OAuth 2)")),
)
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "microsoft": {"host": "smtp.office365.com", "port": 587, "encryption": "starttls", "sign_in": "oauth"},
    "google": {"host": "smtp.gmail.com", "port": 587, "encryption": "starttls", "sign_in": "oauth"},
}
"""What is typed in one go, saved by nobody yet."""
USUAL: Mapping[str, Any] = {
    "host": "", "port": 587, "encryption": "starttls", "username": "", "connections": 4, "per_second": 0,
    "per_second_and_domain": 0, "has_password": False, "sign_in": "password",
}  # fmt: skip
NUMBERS = {"port": int, "connections": int, "per_second": float, "per_second_and_domain": float}


@router.get("")
async def shown(request: Request, visit: VisitDep, done: str = "", preset: str = "") -> Response:
    notice = {"tone": "ok", "text": visit.words.gettext(DONE[done])} if done in DONE else None
    return await _page(request, visit, notice, server=PRESETS.get(preset, {}))


@router.post("/server")
async def save_server(request: Request, visit: ActingDep) -> Response:
    visit.only_for("admin")
    wanted = _server(await request.form())
    try:
        await visit.neighbours().command("notify", "PUT", "/mail-server", wanted)
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), server=wanted, status=422)
    return RedirectResponse(visit.url("mail", done="server"), status_code=303)


@router.post("/server/test")
async def try_server(request: Request, visit: ActingDep) -> Response:
    """Try what is typed, saved or not; it stays typed."""
    visit.only_for("admin")
    form = await request.form()
    wanted = _server(form)
    asked = {"server": wanted, "to": str(form.get("to", "")).strip()}
    try:
        found = await visit.neighbours().post_query("notify", "/mail-server/test", asked)
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), server=wanted, to=asked["to"], status=422)
    sentence = (TRIED if found["ok"] else FAILED)[found["step"]]
    said = visit.words.gettext(sentence) % {"words": found["words"]}
    notice = {"tone": "ok" if found["ok"] else "stop", "text": said}
    return await _page(request, visit, notice, server=wanted, to=asked["to"])


@router.post("/server/forget")
async def forget_server(visit: ActingDep) -> Response:
    visit.only_for("admin")
    try:
        await visit.neighbours().request("notify", "DELETE", "/mail-server")
    except Refused as refused:
        if refused.code != "mail-server-unknown":  # somebody else was quicker
            raise
    return RedirectResponse(visit.url("mail", done="shared"), status_code=303)


@router.post("/dkim")
async def make_key(request: Request, visit: ActingDep) -> Response:
    """A new key; nothing is signed by it yet."""
    visit.only_for("admin")
    form = await request.form()
    wanted = {name: str(form.get(name, "")).strip().lower() for name in ("domain", "selector")}
    try:
        await visit.neighbours().command("notify", "PUT", "/dkim", wanted)
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), status=422)
    return RedirectResponse(visit.url("mail", done="key"), status_code=303)


@router.post("/dkim/switch")
async def switch_key(request: Request, visit: ActingDep) -> Response:
    visit.only_for("admin")
    form = await request.form()
    active, unseen = form.get("active") == "true", form.get("unseen") == "true"
    try:
        await visit.neighbours().command("notify", "POST", "/dkim/switch", {"active": active, "unseen": unseen})
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), status=422)
    return RedirectResponse(visit.url("mail", done="signed" if active else "unsigned"), status_code=303)


def _server(form: FormData) -> dict[str, Any]:
    """As notify takes it. A password that is not typed is left out: the one there is stays."""
    wanted: dict[str, Any] = {
        "encryption": str(form.get("encryption", "starttls")),
        "sign_in": str(form.get("sign_in", "password")),
    }
    for name in ("host", "username"):
        wanted[name] = str(form.get(name, "")).strip()
    for name, number in NUMBERS.items():
        typed = str(form.get(name, "")).strip().replace(",", ".")
        try:
            wanted[name] = number(typed or 0)
        except ValueError:
            wanted[name] = typed  # refused by notify, and shown as typed
    if password := str(form.get("password", "")):
        wanted["password"] = password
    elif form.get("no_password"):
        wanted["password"] = ""
    return wanted


async def _page(
    request: Request, visit: Visit, notice: Mapping[str, str] | None, *, status: int = 200, **typed: Any
) -> Response:
    visit.only_for("admin")
    neighbours = visit.neighbours()
    sender: Json = await neighbours.get("notify", "/sender")
    server: Json = await neighbours.get("notify", "/mail-server")
    authorization: Json = await neighbours.get("notify", "/mail-authorization")
    signing: Json = await neighbours.get("notify", "/dkim")
    saved = server["saved"]
    return page(
        request,
        visit,
        "mail.html",
        status=status,
        encryptions=ENCRYPTIONS,
        sign_ins=SIGN_INS,
        authorization=authorization["saved"],
        troubles=TROUBLES,
        used=sender["used"],
        server={**USUAL, **(saved or {}), **typed.get("server", {})},
        own=saved is not None,
        shared=server["shared"],
        can_keep_passwords=server["can_keep_passwords"],
        hindered_by=server["hindered_by"],
        key=signing["key"],
        to=typed.get("to", visit.me.email),
        notice=notice,
    )
