"""Configurer, Courrier reçu: the mailbox that reports and answers are read from, and how it fares."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.pages.mail import SIGN_INS
from services.console.pages.mail_authorization import TROUBLES as AUTHORIZATION_TROUBLES
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter(prefix="/c/{company}/inbox")

ENCRYPTIONS = (
    ("tls", N_("TLS dès la connexion (port 993)")),
    ("starttls", N_("STARTTLS une fois connecté (port 143)")),
)
AFTER = (
    ("move", N_("Les déplacer dans un dossier")),
    ("seen", N_("Les marquer comme lus")),
    ("leave", N_("Ne rien changer")),
)
DONE = {
    "saved": N_("La boîte est enregistrée ; elle sera lue dans la minute."),
    "forgotten": N_("La boîte n’est plus lue."),
}
TROUBLES = {
    "mailbox_unreachable": N_("Le serveur ne répond pas."),
    "mailbox_inside": N_("Ce serveur n’est pas sur l’internet public, et l’exploitant n’a pas ouvert ce réseau."),
    "reading_failed": N_("La lecture a échoué pour une raison imprévue : l’exploitant la trouve au journal."),
    "mailbox_certificate": N_("Le certificat du serveur n’est pas reconnu : la connexion n’est pas sûre."),
    "mailbox_login_refused": N_("Le serveur refuse l’identifiant ou le mot de passe."),
    "mailbox_folder_missing": N_("Ce dossier n’existe pas dans la boîte."),
    "mailbox_away_folder_refused": N_("Le serveur refuse de créer le dossier où ranger les courriers lus."),
    "mailbox_silent": N_("Le serveur s’est tu, ou sa réponse n’a pas de sens."),
    "mailbox_token_refused": N_(
        "Le serveur refuse le jeton : la boîte autorisée n’est pas celle de l’identifiant, ou IMAP lui est fermé."
    ),
    "secret_unreadable": N_("Le mot de passe enregistré ne se lit plus : saisissez-le de nouveau."),
    "folder_unreadable": N_("Le dossier ne se lit pas."),
    "folder_not_writable": N_("Le dossier ne laisse pas ranger les courriers lus."),
    "file_unreadable": N_("Un fichier ne se lit pas."),
}
BY_TOKEN = {code: words for code, words in AUTHORIZATION_TROUBLES.items() if code != "secret_unreadable"}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "microsoft": {"host": "outlook.office365.com", "port": 993, "encryption": "tls", "sign_in": "oauth"},
    "google": {"host": "imap.gmail.com", "port": 993, "encryption": "tls", "sign_in": "oauth"},
}
"""What is typed in one go, saved by nobody yet."""
UNREAD = {
    "too_large": N_("de plus de 30 Mo"),
    "unreadable": N_("illisibles par le programme"),
}
"""What a mail that nobody understood is."""
PLACES = {"imap": N_("Boîte aux lettres"), "folder": N_("Dossier de dépôt")}
KINDS = {
    "hard": N_("Adresse inexistante"),
    "soft": N_("Non distribué"),
    "complaint": N_("Signalé comme indésirable"),
    "reply": N_("Réponse d’une personne"),
    "auto_reply": N_("Réponse automatique"),
    "delayed": N_("Encore en route"),
    "delivered": N_("Accusé de réception"),
    "unknown": N_("Autre courrier"),
}
USUAL: Mapping[str, Any] = {
    "host": "", "port": 993, "encryption": "tls", "username": "", "folder": "INBOX", "after": "move",
    "away": "Relance", "tagged": False, "has_password": False, "sign_in": "password",
}  # fmt: skip


@router.get("")
async def shown(request: Request, visit: VisitDep, done: str = "", preset: str = "") -> Response:
    notice = {"tone": "ok", "text": visit.words.gettext(DONE[done])} if done in DONE else None
    return await _page(request, visit, notice, mailbox=PRESETS.get(preset, {}))


@router.post("")
async def save(request: Request, visit: ActingDep) -> Response:
    visit.only_for("admin")
    wanted = _mailbox(await request.form())
    try:
        await visit.neighbours().command("notify", "PUT", "/mailbox", wanted)
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), mailbox=wanted, status=422)
    return RedirectResponse(visit.url("inbox", done="saved"), status_code=303)


@router.post("/test")
async def try_it(request: Request, visit: ActingDep) -> Response:
    """Try what is typed, saved or not; it stays typed."""
    visit.only_for("admin")
    wanted = _mailbox(await request.form())
    try:
        found = await visit.neighbours().post_query("notify", "/mailbox/test", {"mailbox": wanted})
    except Refused as refused:
        return await _page(request, visit, visit.told_refusal(refused), mailbox=wanted, status=422)
    if found["ok"]:
        mails = found["mails"]
        said = visit.words.ngettext(
            "Connexion réussie : %(n)s courrier dans ce dossier.",
            "Connexion réussie : %(n)s courriers dans ce dossier.",
            mails,
        )
        return await _page(request, visit, {"tone": "ok", "text": said % {"n": mails}}, mailbox=wanted)
    words = f" {found['words']}" if found["words"] else ""
    trouble = visit.words.gettext((BY_TOKEN | TROUBLES).get(found["code"], TROUBLES["mailbox_silent"]))
    return await _page(request, visit, {"tone": "stop", "text": f"{trouble}{words}"}, mailbox=wanted)


@router.post("/forget")
async def forget(visit: ActingDep) -> Response:
    visit.only_for("admin")
    try:
        await visit.neighbours().request("notify", "DELETE", "/mailbox")
    except Refused as refused:
        if refused.code != "mailbox-unknown":  # somebody else was quicker
            raise
    return RedirectResponse(visit.url("inbox", done="forgotten"), status_code=303)


def _mailbox(form: FormData) -> dict[str, Any]:
    """As notify takes it. A password that is not typed is left out: the one there is stays."""
    wanted: dict[str, Any] = {
        name: str(form.get(name, "")).strip()
        for name in ("host", "encryption", "username", "folder", "after", "away")
    }
    wanted["sign_in"] = str(form.get("sign_in", "password"))
    typed = str(form.get("port", "")).strip()
    # what is no number is refused by notify, and shown as typed
    wanted |= {"port": int(typed) if typed.isdecimal() else typed, "tagged": "tagged" in form}
    if password := str(form.get("password", "")):
        wanted["password"] = password
    return wanted


async def _page(
    request: Request, visit: Visit, notice: Mapping[str, str] | None, *, status: int = 200, **typed: Any
) -> Response:
    visit.only_for("admin")
    neighbours = visit.neighbours()
    mailbox: Json = await neighbours.get("notify", "/mailbox")
    fared: Json = await neighbours.get("notify", "/mailboxes")
    saved = mailbox["saved"]
    return page(
        request,
        visit,
        "inbox.html",
        status=status,
        encryptions=ENCRYPTIONS,
        choices=AFTER,
        troubles=BY_TOKEN | TROUBLES,
        sign_ins=SIGN_INS,
        unread=[one | {"words": UNREAD.get(one["trouble"], one["trouble"])} for one in fared.get("unread", ())],
        places=[one | {"name": PLACES.get(one["place"], one["place"])} for one in fared["places"]],
        kinds=[(word, fared["last_days"][kind]) for kind, word in KINDS.items() if kind in fared["last_days"]],
        mailbox={**USUAL, **(saved or {}), **typed.get("mailbox", {})},
        own=saved is not None,
        can_keep_passwords=mailbox["can_keep_passwords"],
        notice=notice,
    )
