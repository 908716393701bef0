"""The console's application: pages, static files, error pages and the content policy."""

import logging
from pathlib import Path
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.door import door
from services.console.gateway import NotYet, Refused, ServiceSilent
from services.console.pages import (
    account,
    act,
    activities,
    alerts,
    api_keys,
    by_hand,
    cash_report,
    client,
    client_commands,
    clients,
    collection,
    confirming,
    contract,
    criteria,
    dispute_reasons,
    disputes,
    documents,
    due_items,
    fields,
    forecast,
    home,
    imports,
    inbox,
    late_interest,
    leaving,
    letters,
    mail,
    mail_authorization,
    mapping,
    message,
    my_tasks,
    objectives,
    online_payment,
    other_systems,
    own_policy,
    parked,
    payers,
    personal,
    planning,
    profiles,
    rebuilds,
    receipts,
    retention,
    rules,
    scenarios,
    search,
    sender,
    sendings,
    simulation,
    single_sign_on,
    space,
    templates,
    users,
    writing,
)
from services.console.rendering import PAGE_POLICY, STATIC, page
from services.console.systems import systems
from services.console.visits import (
    Console,
    FormForged,
    NotAllowed,
    PageUnknown,
    SignInNeeded,
    Visit,
    genuine_form,
    tries_of,
    visitor,
    with_tries,
)

ROOMS = (
    account,
    single_sign_on,
    home,
    clients,
    client,
    client_commands,
    collection,
    own_policy,
    by_hand,
    cash_report,
    documents,
    due_items,
    disputes,
    fields,
    forecast,
    receipts,
    activities,
    act,
    alerts,
    api_keys,
    confirming,
    contract,
    criteria,
    my_tasks,
    objectives,
    online_payment,
    users,
    sendings,
    simulation,
    message,
    imports,
    inbox,
    late_interest,
    leaving,
    letters,
    mail,
    mail_authorization,
    mapping,
    other_systems,
    parked,
    payers,
    planning,
    personal,
    profiles,
    dispute_reasons,
    rebuilds,
    retention,
    rules,
    scenarios,
    search,
    space,
    sender,
    templates,
    writing,
)
TOO_EARLY, SOON_SECONDS = 425, 2
MOST_TRIES = 15
"""A page that is not ready after so many is not asked for by itself any more: it may never be."""
"""What was made just now and is not heard of everywhere; shown as 503, since a browser may ask again."""
A_YEAR = "public, max-age=31536000, immutable"

log = logging.getLogger(__name__)


class ContentPolicy:
    """Only our own files run and style; no inline script, no inline style."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", PAGE_POLICY)
                headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
            await send(message)

        await self.app(scope, receive, send_with_policy if scope["type"] == "http" else send)


class VersionedFiles(StaticFiles):
    """Static files; one whose address names its version may be kept for ever."""

    def file_response(self, *args: object, **options: object) -> Response:
        answer = super().file_response(*args, **options)  # type: ignore[arg-type]
        scope = args[2] if len(args) > 2 else options.get("scope")
        versioned = isinstance(scope, dict) and b"v=" in scope.get("query_string", b"")
        answer.headers["Cache-Control"] = A_YEAR if versioned else "public, max-age=300"
        return answer


def site(console: Console) -> FastAPI:
    """The application that serves every page of the console."""
    app = FastAPI(
        title="Relance console",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(genuine_form)],
    )
    app.state.console = console
    app.add_middleware(ContentPolicy)
    for room in ROOMS:
        app.include_router(room.router)
    app.mount("/d", door(console.settings, console.gateway))
    app.mount("/api", systems(console.settings, console.engine, console.gateway))
    app.mount("/static", VersionedFiles(directory=Path(STATIC)), name="static")
    _answer_errors(app)
    return app


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(SignInNeeded)
    async def on_stranger(request: Request, needed: SignInNeeded) -> Response:
        address = f"/login?{urlencode({'back': needed.back})}"
        if request.headers.get("HX-Request"):
            return Response(status_code=204, headers={"HX-Redirect": address})
        return RedirectResponse(address, status_code=303)

    @app.exception_handler(PageUnknown)
    async def on_unknown(request: Request, unknown: PageUnknown) -> Response:
        if isinstance(refused := unknown.__cause__, Refused):
            log.info("a service knows nothing of it", extra={"service": refused.service, "code": refused.code})
        return await _error(request, 404)

    @app.exception_handler(NotYet)
    async def on_too_early(request: Request, early: NotYet) -> Response:
        log.info("a service has not heard of it yet", extra={"service": early.service})
        return await _error(request, TOO_EARLY)

    @app.exception_handler(NotAllowed)
    async def on_forbidden(request: Request, forbidden: NotAllowed) -> Response:
        return await _error(request, 403)

    @app.exception_handler(FormForged)
    async def on_forged(request: Request, forged: FormForged) -> Response:
        return await _error(request, 400)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, invalid: RequestValidationError) -> Response:
        return await _error(request, 422)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        return await _error(request, error.status_code)

    @app.exception_handler(Refused)
    async def on_refusal(request: Request, refused: Refused) -> Response:
        log.warning("a service refused a page", extra={"service": refused.service, "status": refused.status})
        return await _error(request, refused.status if refused.status in (403, 404) else 422)

    @app.exception_handler(ServiceSilent)
    async def on_silence(request: Request, silent: ServiceSilent) -> Response:
        log.warning("a service does not answer", extra={"service": silent.service, "reason": str(silent)})
        return await _error(request, 503)

    @app.exception_handler(Exception)
    async def on_surprise(request: Request, surprise: Exception) -> Response:
        return await _error(request, 500)


async def _error(request: Request, status: int) -> Response:
    visit = await visitor(request, request.app.state.console)
    tried = tries_of(request) if status == TOO_EARLY else 0
    title, text = _explained(visit, status, waits=tried < MOST_TRIES)
    again = visit.path if status in (500, 503, TOO_EARLY) and request.method == "GET" else None
    shown_as = 503 if status == TOO_EARLY else status
    answer = page(request, visit, "error.html", status=shown_as, title=title, text=text, again=again)
    if status == TOO_EARLY and again and tried < MOST_TRIES:
        answer.headers["Retry-After"] = str(SOON_SECONDS)
        answer.headers["Refresh"] = f"{SOON_SECONDS};url={with_tries(again, tried + 1)}"
    answer.headers["Content-Security-Policy"] = PAGE_POLICY  # a failure is answered outside of the middleware
    return answer


def _explained(visit: Visit, status: int, *, waits: bool) -> tuple[str, str]:
    _ = visit.words.gettext
    if status == 404:
        return _("Page introuvable"), _("Cette page n’existe pas, ou vous n’y avez pas accès.")
    if status == 403:
        return _("Action réservée"), _("Votre rôle ne permet pas cette action. Demandez à votre administrateur.")
    if status == 400:
        return _("Formulaire expiré"), _(
            "La page était ouverte depuis trop longtemps. Revenez en arrière et réessayez."
        )
    if status == TOO_EARLY:
        return _too_early(visit, waits=waits)
    if status in (500, 503):
        return (
            _("Service momentanément indisponible"),
            _("Une partie de Relance ne répond pas. Vos données sont en sécurité ; réessayez dans un instant."),
        )
    return _("Demande incomprise"), _(
        "La demande n’a pas la forme attendue. Revenez en arrière et vérifiez la saisie."
    )


def _too_early(visit: Visit, *, waits: bool) -> tuple[str, str]:
    _ = visit.words.gettext
    if waits:
        return _("Encore un instant"), _("Ce que vous demandez vient d’être créé : la page se prépare.")
    return _("Toujours en préparation"), _(
        "Ce que vous demandez tarde plus que de coutume : cette page ne se recharge plus d’elle-même."
        " Réessayez plus tard ; si rien ne change, prévenez votre exploitant."
    )
