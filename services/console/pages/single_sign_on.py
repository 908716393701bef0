"""Going to the provider of identities and coming back; entering by an operator's link."""

import logging
import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from chassis.database import transaction
from services.console import letting_in
from services.console.accounts import open_session, shown_again
from services.console.language import N_
from services.console.pace import host_of
from services.console.rendering import page
from services.console.single_sign_on import arriving
from services.console.single_sign_on.attempt import GOOD_SECONDS, Attempt
from services.console.single_sign_on.refusals import SignOnRefused
from services.console.single_sign_on.wiring import RETURN_PATH, SingleSignOn
from services.console.visits import (
    SESSION_COOKIE,
    PageUnknown,
    SignedInDep,
    Visit,
    VisitorDep,
    keep_session,
    safe_return,
)

router = APIRouter()
log = logging.getLogger(__name__)

ATTEMPT_COOKIE = "relance_sign_on"
START_PATH = "/sign-on"
CODE = re.compile(r"[a-z_]{1,60}")

UNKNOWN = N_("Accès refusé")
OVER = N_("Connexion interrompue")
AWAY = N_("Connexion impossible pour le moment")
START_AGAIN = N_("Cette tentative n’est plus valable, ou elle a commencé dans un autre navigateur. Recommencez.")
NOT_BELIEVED = N_(
    "La réponse du fournisseur n’a pas pu être vérifiée. Recommencez ; si cela continue, prévenez l’exploitant."
)
OPERATOR = N_("Relance et le fournisseur ne s’accordent pas. L’exploitant trouve la raison dans les journaux.")
TOLD: dict[str, tuple[int, str, str]] = {
    "person_unknown": (
        403,
        UNKNOWN,
        N_("Vous n’avez pas de compte ici. Demandez un accès à votre administrateur."),
    ),
    "person_closed": (403, UNKNOWN, N_("Votre compte est fermé. Demandez à votre administrateur.")),
    "person_other": (
        403,
        UNKNOWN,
        N_(
            "Cette adresse est déjà celle d’une autre personne chez le fournisseur. L’exploitant peut la détacher."
        ),
    ),
    "person_without_rights": (
        403,
        UNKNOWN,
        N_("Aucun droit ne vous est donné ici. Demandez à votre administrateur d’être mis dans un groupe."),
    ),
    "address_missing": (403, UNKNOWN, N_("Le fournisseur ne dit pas votre adresse. Demandez à l’exploitant.")),
    "address_unverified": (
        403,
        UNKNOWN,
        N_("Le fournisseur n’a pas vérifié votre adresse e-mail. Faites-la vérifier chez lui, puis recommencez."),
    ),
    "groups_left_out": (
        403,
        UNKNOWN,
        N_("Vous êtes dans trop de groupes pour que le fournisseur les dise. Demandez à l’exploitant."),
    ),
    "provider_refused": (403, OVER, N_("Le fournisseur n’a pas confirmé votre identité.")),
    "attempt_unknown": (400, OVER, START_AGAIN),
    "attempt_over": (400, OVER, START_AGAIN),
    "attempt_spent": (400, OVER, START_AGAIN),
    "code_refused": (400, OVER, START_AGAIN),
    "answer_issuer": (400, OVER, NOT_BELIEVED),
    "not_shown_again": (
        403,
        OVER,
        N_("Le fournisseur n’a pas redemandé qui vous êtes. Un export se demande alors par l’exploitant."),
    ),
    "another_person": (403, OVER, N_("C’est une autre personne qui est revenue du fournisseur.")),
    "too_often": (429, AWAY, N_("Trop de tentatives à la fois. Attendez une minute.")),
    "provider_silent": (
        503,
        AWAY,
        N_("Le fournisseur ne répond pas. Qui est déjà connecté le reste ; réessayez dans un instant."),
    ),
    "provider_unfit": (503, AWAY, OPERATOR),
    "client_refused": (503, AWAY, OPERATOR),
    "rights_unreadable": (503, AWAY, OPERATOR),
}
"""Status, title and sentence of a refusal; a token that is not believed has those of ``answer_issuer``."""
NO_USE_AGAIN = {"person_unknown", "person_closed", "person_other", "not_shown_again"}


@router.get(START_PATH)
async def leave(request: Request, visit: VisitorDep, back: str = "/") -> Response:
    """Go to the provider."""
    back = safe_return(back, "/")
    if visit.person:
        return RedirectResponse(back, status_code=303)
    return await _sent(request, visit, back)


@router.get(f"{START_PATH}/again")
async def show_again(request: Request, visit: SignedInDep, back: str = "/") -> Response:
    """Show once more who one is, before something grave; the session stays."""
    return await _sent(request, visit, safe_return(back, "/"), proves=str(visit.me.account_id))


@router.get(RETURN_PATH)
async def come_back(
    request: Request,
    visit: VisitorDep,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=5000)] = "",
    error: Annotated[str, Query(max_length=300)] = "",
    iss: Annotated[str, Query(max_length=1000)] = "",
) -> Response:
    sign_on = _sign_on(visit)
    back = "/"
    try:
        _check_pace(request, sign_on)
        attempt = sign_on.brought_back(request.cookies.get(ATTEMPT_COOKIE, ""), state)
        back = safe_return(attempt.back, "/")
        answer = await _arrived(request, visit, sign_on, attempt, code, error, iss)
    except SignOnRefused as refused:
        answer = _refused(request, visit, refused, back)
    answer.delete_cookie(ATTEMPT_COOKIE, path=START_PATH)
    return answer


async def _arrived(
    request: Request, visit: Visit, sign_on: SingleSignOn, attempt: Attempt, code: str, error: str, iss: str
) -> Response:
    """Raises ``SignOnRefused``."""
    await sign_on.check_sender(iss)
    async with transaction(visit.console.engine) as tx:
        await arriving.spend(tx, attempt)
    if error or not code:
        raise SignOnRefused("provider_refused", error if CODE.fullmatch(error) else "")
    rights = sign_on.rights()
    came = await sign_on.come(attempt, code)
    back = safe_return(attempt.back, "/")
    if attempt.proves:
        return await _shown(request, visit, sign_on, attempt, came.person.subject)
    async with transaction(visit.console.engine) as tx:
        account_id, refusal = await arriving.admitted(tx, came.person, sign_on.issuer, rights, visit.language)
        if account_id is not None:
            cookie = await open_session(tx, account_id, visit.console.settings, "provider", came.id_token)
    if account_id is None:
        raise SignOnRefused(refusal)
    log.info("signed in", extra={"by": f"user:{account_id}", "road": "provider"})
    answer = RedirectResponse(back, status_code=303)
    keep_session(answer, cookie, visit.console.settings)
    return answer


async def _shown(
    request: Request, visit: Visit, sign_on: SingleSignOn, attempt: Attempt, subject: str
) -> Response:
    """Raises ``SignOnRefused`` unless whoever came back is the person of the session that asked."""
    async with transaction(visit.console.engine) as tx:
        account_id: UUID | None = await arriving.known(tx, sign_on.issuer, subject)
        mine = visit.person.account_id if visit.person else None
        if account_id is None or account_id != mine or str(account_id) != attempt.proves:
            raise SignOnRefused("another_person")
        await shown_again(tx, request.cookies[SESSION_COOKIE])
    log.info("shown again who one is", extra={"by": f"user:{account_id}", "road": "provider"})
    return RedirectResponse(safe_return(attempt.back, "/"), status_code=303)


async def _sent(request: Request, visit: Visit, back: str, proves: str = "") -> Response:
    sign_on = _sign_on(visit)
    try:
        _check_pace(request, sign_on)
        url, cookie = await sign_on.begin(back, proves)
    except SignOnRefused as refused:
        return _refused(request, visit, refused, back)
    answer = RedirectResponse(url, status_code=303, headers={"Cache-Control": "no-store"})
    answer.set_cookie(
        ATTEMPT_COOKIE,
        cookie,
        max_age=GOOD_SECONDS,
        path=START_PATH,
        httponly=True,
        samesite="lax",
        secure=visit.console.settings.secure_cookies,
    )
    return answer


def _sign_on(visit: Visit) -> SingleSignOn:
    if visit.console.sign_on is None:
        raise PageUnknown
    return visit.console.sign_on


def _check_pace(request: Request, sign_on: SingleSignOn) -> None:
    """Each knock may have us ask the provider."""
    if not sign_on.pace.allows(host_of(request)):
        raise SignOnRefused("too_often")


def _refused(request: Request, visit: Visit, refused: SignOnRefused, back: str) -> Response:
    log.warning("single sign-on was refused", extra={"code": refused.code, "reason": refused.detail})
    status, title, text = TOLD.get(refused.code, TOLD["answer_issuer"])
    _ = visit.words.gettext
    return page(
        request,
        visit,
        "sign_on_refused.html",
        status=status,
        title=_(title),
        text=_(text),
        code=refused.code,
        again=refused.code not in NO_USE_AGAIN and not visit.person,
        back=back,
    )


@router.get(letting_in.PATH)
async def link(request: Request, visit: VisitorDep, token: Annotated[str, Query(max_length=100)] = "") -> Response:
    """A question first: programs that look at links before people do must not use them up."""
    async with transaction(visit.console.engine) as tx:
        name = await letting_in.whose(tx, token)
    return page(request, visit, "let_in.html", status=200 if name else 404, name=name or "", token=token)


@router.post(letting_in.PATH)
async def enter(request: Request, visit: VisitorDep, token: Annotated[str, Form(max_length=100)] = "") -> Response:
    settings = visit.console.settings
    async with transaction(visit.console.engine) as tx:
        account_id = await letting_in.used(tx, token)
        if account_id is not None:
            cookie = await open_session(tx, account_id, settings, "operator")
    if account_id is None:
        return page(request, visit, "let_in.html", status=404, name="", token="")
    log.warning("signed in", extra={"by": f"user:{account_id}", "road": "operator"})
    answer = RedirectResponse("/", status_code=303)
    keep_session(answer, cookie, settings)
    return answer
